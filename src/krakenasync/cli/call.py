"""``krakenasync call``: any of Kraken's endpoints by its name, old or new."""

from __future__ import annotations

import difflib
import sys
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from krakenasync.cli.asking import agreed
from krakenasync.cli.completion import endpoint_names
from krakenasync.cli.connection import ENVIRONMENT, Where, connect
from krakenasync.cli.exits import Exit
from krakenasync.cli.rendering import AS_TABLE, Output, remark, say
from krakenasync.errors import InvalidArguments
from krakenasync.protocol.specs import Effect, Spec
from krakenasync.spot.catalog import ENDPOINTS

__all__ = ["call"]


async def call(
    name: Annotated[str, Parameter(completer=endpoint_names)],
    /,
    *parameter: str,
    kind: Literal["public", "private"] | None = None,
    yes: Annotated[bool, Parameter(alias="-y")] = False,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> int:
    """Make any call by Kraken's name and print its result as JSON.

    For instance: krakenasync call Depth pair=XBTUSD count=3

    Args:
        name: Kraken's name (TradeBalance, Earn/Strategies) or the client's (trade_balance).
        parameter: name=value, under Kraken's names; name:=JSON for lists and objects.
        kind: Needed for an endpoint that this version does not know: public or private.
        yes: Make a call that changes something without asking first; needed where nobody can be asked.
        where: Kraken or a sandbox, and with which key.
        output: --json prints it on one line.
    """
    if output.csv:
        raise InvalidArguments("call has no --csv: results have all kinds of shapes", hint="--json for one line")
    spec = _known(name)
    if spec is None and kind is None:
        raise InvalidArguments(f"this version knows no endpoint {name!r}", hint=_instead(name))
    if spec and kind and spec.private is not (kind == "private"):
        raise InvalidArguments(f"{spec.name} is not {kind}", hint="leave --kind out: this version knows the endpoint")
    given = dict(_read(each) for each in parameter)
    private = spec.private if spec else kind == "private"
    changes = spec.of(given).effect is not Effect.READ if spec else private
    called = spec.name if spec else name
    async with connect(where, private=private) as connection:
        if changes and not agreed(f"{called} can change something. Call it?", connection.source, yes=yes):
            return Exit.INTERRUPTED
        make = connection.client.private if private else connection.client.public
        result = await make(called, **given)
    remark(f"{called} - {connection.source}")
    _print(result, output)
    return Exit.OK


def _known(name: str) -> Spec | None:
    """Find an endpoint by either of its names, ignoring case."""
    for method, request in ENDPOINTS.items():
        if name.lower() in {method, request.spec.name.lower()}:
            return request.spec
    return None


def _instead(name: str) -> str:
    """Suggest what may have been meant."""
    names = {request.spec.name.lower(): request.spec.name for request in ENDPOINTS.values()}
    close = difflib.get_close_matches(name.lower(), names, n=3)
    meant = f"did you mean {' or '.join(names[each] for each in close)}? " if close else ""
    return f"{meant}krakenasync endpoints lists them; for a newer one add --kind public or --kind private"


def _read(text: str) -> tuple[str, Any]:
    """Read ``name=value`` or ``name:=JSON``.

    Raises:
        InvalidArguments: The text has neither form, or the JSON is not valid.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.rstrip(":"):
        raise InvalidArguments(
            f"{text!r} is not a parameter", hint="write name=value, or name:=JSON for lists and objects"
        )
    if not name.endswith(":"):
        return name, value
    try:
        return name[:-1], msgspec.json.decode(value)
    except msgspec.MsgspecError as error:
        raise InvalidArguments(f"{name[:-1]}: this is not JSON: {error}") from None


def _print(result: Any, output: Output) -> None:
    """Print a result; write a file as its bytes."""
    if isinstance(result, bytes):
        sys.stdout.flush()
        sys.stdout.buffer.write(result)
        return
    text = msgspec.json.encode(result)
    say((text if output.json else msgspec.json.format(text)).decode())

"""Writes docs/reference/endpoints.md from the catalogue: ``python docs/generate.py``. A test checks it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from krakenasync.protocol.charges import Charge, Counter
from krakenasync.protocol.requests import Request, result_type
from krakenasync.protocol.specs import Effect, Spec
from krakenasync.spot.catalog import ENDPOINTS

TARGET: Final = Path(__file__).parent / "reference" / "endpoints.md"

SECTIONS: Final = {
    "market": "Market data",
    "transparency": "Transparency",
    "account": "Account data",
    "trading": "Trading",
    "websockets": "WebSocket authentication",
    "funding": "Funding",
    "subaccounts": "Subaccounts",
    "earn": "Earn",
    "funding-beta": "Funding Beta",
}
EFFECTS: Final = {
    Effect.READ: "changes nothing; repeated after a failure",
    Effect.WRITE: "changes something; repeated only when it is known that nothing was done",
    Effect.FUNDS: "moves money; never repeated by the client",
}
COUNTERS: Final = {
    Counter.REST: "the key's counter",
    Counter.PUBLIC: "the counter of the caller's IP address",
    Counter.PUBLIC_PAIR: "the counter of the caller's IP address and the pair",
}
INTRODUCTION: Final = """\
# Endpoints

<!-- Made by docs/generate.py from the catalogue: change the request types in src/krakenasync/spot and run it again. -->

Every method of `KrakenClient` that makes one Kraken call. Parameters have Kraken's own names; one that is a Python
keyword, such as `from`, gets a trailing underscore. All of them may be given by name; those in **bold** are required.
Where words are listed, any other word is passed on to Kraken as well, since new ones come without notice. Money is
`Decimal`, `int` or decimal text, never `float`.
"""


def reference() -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *_overview(), *_sections()])


def _overview() -> Iterator[str]:
    """Yield the table of all methods."""
    yield "| method | Kraken's name | permission | cost |"
    yield "|---|---|---|---|"
    for method, request in ENDPOINTS.items():
        spec = request.spec
        yield f"| [`{method}`](#{method}) | {spec.name} | {_permission(spec)} | {_cost(spec.charge)} |"
    yield ""


def _sections() -> Iterator[str]:
    """Yield the endpoints, section by section."""
    for section, title in SECTIONS.items():
        yield f"## {title}\n"
        for method, request in ENDPOINTS.items():
            if request.spec.section == section:
                yield from _endpoint(method, request)


def _endpoint(method: str, request: type[Request[Any]]) -> Iterator[str]:
    """Yield the entry of one endpoint."""
    spec, result = request.spec, result_type(request)
    yield f"### {method}\n"
    yield f"{_prose(request)}\n"
    yield f"- Kraken: [{spec.name}]({spec.source}), `{spec.method} {spec.path}`"
    yield f"- Permission: {_permission(spec)}"
    yield f"- Cost: {_cost(spec.charge)}"
    yield f"- Effect: {EFFECTS[spec.effect]}{f'; with `{spec.makes}`: {EFFECTS[Effect.WRITE]}' if spec.makes else ''}"
    yield f"- Returns: `{_text(result)}`"
    fields = list(_result_fields(result))
    if fields:
        yield f"- Fields: {', '.join(f'`{name}`' for name in fields)}"
    yield ""
    rows = list(_parameters(request))
    if rows:
        yield from ("| parameter | takes |", "|---|---|", *rows, "")


def _prose(request: type[Request[Any]]) -> str:
    """Return what a request type says about itself, as Markdown, without the part about attributes."""
    text = inspect.cleandoc(request.__doc__ or "").partition("\nAttributes:")[0].strip()
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def _permission(spec: Spec) -> str:
    """Say what the key must be allowed."""
    if not spec.private:
        return "none, the call is public"
    return (" and " if spec.need.every else " or ").join(spec.need.codes) or "any key"


def _cost(charge: Charge) -> str:
    """Say which counter rises and by how much."""
    if charge.counter is None:
        return "free"
    if charge.counter is Counter.ENGINE:
        return "the matching engine's counter of the account and the pair"
    points = f"{charge.dear} or {charge.points}" if charge.dear is not None else f"{charge.points}"
    return f"{points} on {COUNTERS[charge.counter]}"


def _parameters(request: type[Request[Any]]) -> Iterator[str]:
    """Yield a row for each parameter, those first that must be given."""
    hints = get_type_hints(request, include_extras=True)
    for field in sorted(msgspec.structs.fields(request), key=lambda field: not field.required):
        name = f"**`{field.name}`**" if field.required else f"`{field.name}`"
        yield f"| {name} | {_takes(hints[field.name])} |"


def _takes(hint: Any) -> str:
    """Say what a parameter takes: its types, and the words that Kraken lists."""
    types = [text for text in dict.fromkeys(_types(hint)) if text != "None"]
    words = list(dict.fromkeys(_words(hint)))
    said = " or ".join(f"`{text}`" for text in types)
    return f"{said}: {', '.join(f'`{word}`' for word in words)}" if words else said


def _types(hint: Any) -> Iterator[str]:
    """Yield the types a hint is made of."""
    origin = get_origin(hint)
    if origin is Annotated:
        yield from _types(get_args(hint)[0])
    elif origin in (Union, UnionType):
        for inner in get_args(hint):
            yield from _types(inner)
    elif origin is Literal:
        yield from (type(word).__name__ for word in get_args(hint))
    else:
        yield _text(hint)


def _words(hint: Any) -> Iterator[str]:
    """Yield the words a hint lists."""
    if get_origin(hint) is Literal:
        yield from (str(word.value if isinstance(word, Enum) else word) for word in get_args(hint))
    elif get_origin(hint) is not None:
        for inner in get_args(hint):
            yield from _words(inner)


def _text(hint: Any) -> str:
    """Write a type as one writes it in Python."""
    if hint is NoneType:
        return "None"
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " | ".join(_text(inner) for inner in arguments)
    if origin is Annotated:
        return _text(arguments[0])
    name: str = getattr(origin or hint, "__name__", str(hint))
    return f"{name}[{', '.join(_text(inner) for inner in arguments)}]" if arguments else name


def _result_fields(result: Any) -> Iterator[str]:
    """Yield the names of the fields of the struct that a result is, or contains."""
    if isinstance(result, type) and issubclass(result, msgspec.Struct):
        yield from result.__struct_fields__
        return
    for inner in get_args(result):
        yield from _result_fields(inner)


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")

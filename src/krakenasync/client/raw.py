"""Calls by Kraken's name with any parameters, for endpoints newer than this version and for a look at the wire."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

from krakenasync.client.road import Call
from krakenasync.errors import InvalidArguments
from krakenasync.protocol import wire
from krakenasync.protocol.charges import ONE, PER_IP
from krakenasync.protocol.nested import plain
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.requests import Reshaped
from krakenasync.protocol.specs import Body, Effect, Spec
from krakenasync.spot.catalog import by_name

__all__ = ["raw_call"]

_NAME: Final = re.compile(r"[A-Za-z0-9]+(?:[/_-][A-Za-z0-9]+)*")


def raw_call(name: str, params: Mapping[str, Any], *, private: bool) -> Call:
    """Prepare a call by name. Parameters that are None are left out; a float is refused, as everywhere.

    Raises:
        InvalidArguments: `name` is no endpoint, or one of the other kind of call; or a parameter cannot be sent.
    """
    spec = _spec(name, private=private)
    if private and params.get("nonce") is not None:
        raise InvalidArguments("a nonce is made for each attempt, at the last moment", hint="leave the nonce out")
    sent = {key: plain(key, value) for key, value in params.items() if value is not None}
    if spec.body is not Body.JSON:
        sent = {key: _joined(value) for key, value in sent.items()}
    return Call(spec.of(sent), sent, functools.partial(wire.decode, _kind(spec), endpoint=spec.name))


def _kind(spec: Spec) -> Any:
    """Return the type into which a raw result is read."""
    if spec.binary:
        return _File
    return _Bare if spec.beta else Any


def _spec(name: str, *, private: bool) -> Spec:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidArguments(
            f"{quoted(name)} is not an endpoint", hint="write it as Kraken does, like 'Ticker' or 'Earn/Strategies'"
        )
    try:
        known = by_name(name).spec
    except KeyError:
        # Nothing is known about it, so it is treated as a write: never repeated unless that can do no harm.
        return Spec(
            name=name,
            path=f"/0/{'private' if private else 'public'}/{name}",
            private=private,
            section="unknown",
            source="",
            method="POST" if private else "GET",
            body=Body.FORM if private else Body.QUERY,
            effect=Effect.WRITE if private else Effect.READ,
            charge=ONE if private else PER_IP,
        )
    if known.private is not private:
        right = "private" if known.private else "public"
        raise InvalidArguments(f"{name} is a {right} call", hint=f"await kraken.{right}({name!r}, ...)")
    return known


def _joined(value: Any) -> Any:
    """Join several names with commas, as Kraken takes them in forms and queries."""
    if isinstance(value, list) and all(isinstance(item, (str, int)) for item in value):
        return ",".join(str(item) for item in value)
    return value


class _Bare(Reshaped, dict[str, Any]):
    """An answer without the envelope, as received."""

    arrives_as: ClassVar[Any] = dict[str, Any]
    enveloped: ClassVar[bool] = False

    @classmethod
    def from_wire(cls, arrived: dict[str, Any]) -> Self:
        return cls(arrived)


class _File(Reshaped, bytes):
    """A file, as received."""

    arrives_as: ClassVar[Any] = bytes

    @classmethod
    def from_wire(cls, arrived: bytes) -> Self:
        return cls(arrived)

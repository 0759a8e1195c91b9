"""Requests to bytes: forms and JSON. The sandbox reads with the inverse of what the client writes with.

Source: https://docs.kraken.com/api/docs/guides/spot-rest-intro (bodies)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from krakenasync.protocol.specs import Body

__all__ = ["DEEPEST", "GARBLED", "encode", "form", "parse_body", "parse_form", "query"]

GARBLED: Final = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
"""What msgspec raises for bytes that are not the JSON we expect: ValueError for bad text and the year 10000,
ArithmeticError for a number with an exponent that no Decimal has."""

_SAFE: Final = re.compile(r"[A-Za-z0-9_.~=&-]*").fullmatch
"""The characters that a form leaves as they are, and its separators."""
_TEXT: Final = frozenset({str})


def form(params: Mapping[str, Any]) -> str:
    """Write a form. Nested values get bracketed names (``close[price]``, ``lock_type[0]``), ``+`` becomes ``%2B``.

    >>> form({"expiretm": "+60", "close": {"price": "1"}})
    'expiretm=%2B60&close%5Bprice%5D=1'
    """
    flat = set(map(type, params.values())) <= _TEXT  # most are, and need no unfolding
    pairs = list(params.items() if flat else _flat(params))
    text = "&".join([f"{name}={value}" for name, value in pairs])
    if _SAFE(text) and text.count("=") == len(pairs) > text.count("&"):
        return text  # every = and & in it is a separator, so nothing needs quoting: three times as fast
    return urlencode(pairs)


query = form
"""A query string is written like a form."""


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Unfold nested values into bracketed names."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{name}[{key}]" if name else key)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _flat(item, f"{name}[{index}]")
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    else:
        yield name, str(value)


_AS_FORM: Final = Body.FORM  # up to Python 3.11, looking up an enum member costs as much as a call


def encode(body: Body, params: Mapping[str, Any], nonce: str | None = None) -> bytes:
    """Write a request's body, the nonce first. These bytes are signed and these bytes are sent."""
    if not params and nonce is not None and body is _AS_FORM:
        return b"nonce=" + nonce.encode()  # half of all reads have no parameters
    # Whatever the parameters are, the nonce that is sent is the one that is signed.
    signed = params if nonce is None else {"nonce": nonce} | {**params, "nonce": nonce}
    if body is Body.JSON:
        return msgspec.json.encode(signed)
    return form(signed).encode()


DEEPEST: Final = 16
"""How deep values may be nested; Kraken's own forms nest twice at most (``orders[0][close][price]`` in a batch: three
times)."""


def parse_form(text: str) -> dict[str, Any]:
    """Read a form or a query string; bracketed names come back nested, lists as lists.

    >>> parse_form("close%5Bprice%5D=1&lock_type[0]=flex")
    {'close': {'price': '1'}, 'lock_type': ['flex']}

    Raises:
        ValueError: A name is used both for a value and for a group of values, or is nested absurdly deep.
    """
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = name.replace("]", "").split("[")
        if len(rest) > DEEPEST:
            raise ValueError(f"a name nested {len(rest)} deep")
        place, key = found, first
        for step in rest:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise ValueError(f"{first} is both a value and a group")  # noqa: TRY004 - the text is wrong, not a type
            key = step or str(len(place))
        place[key] = value
    return {name: _unindexed(value) for name, value in found.items()}


def _unindexed(value: Any) -> Any:
    """Turn ``{"0": a, "1": b}`` into ``[a, b]``."""
    if not isinstance(value, dict):
        return value
    inner = {key: _unindexed(item) for key, item in value.items()}
    if inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


# A JSON number may be a price: it becomes a Decimal, never a float.
_BODY: Final = msgspec.json.Decoder(float_hook=Decimal)


def parse_body(content_type: str, body: bytes) -> dict[str, Any]:
    """Read a request's body, form or JSON.

    Raises:
        ValueError: The body is neither.
    """
    if "json" in content_type:
        try:
            parsed = _BODY.decode(body)
        except GARBLED as error:
            raise ValueError(str(error)) from None
        if not isinstance(parsed, dict):
            raise ValueError("not a JSON object")
        return parsed
    return parse_form(body.decode())

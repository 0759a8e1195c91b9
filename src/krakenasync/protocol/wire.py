"""Requests to bytes and bytes to results; the sandbox reads with the inverse of what the client writes.

Sources: https://docs.kraken.com/api/docs/guides/spot-rest-intro (envelope, bodies)
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from msgspec import UNSET

from krakenasync.errors import (
    KrakenError,
    ProtocolError,
    RateLimitExceeded,
    ServiceUnavailable,
)
from krakenasync.protocol.nulls import without_nulls
from krakenasync.protocol.refusals import error_from_codes, split_codes
from krakenasync.protocol.requests import Body

__all__ = ["Answer", "Envelope", "decode", "encode", "envelope", "form", "parse_body", "parse_form", "query", "reader"]

R = TypeVar("R")

_SUCCESS: Final = range(200, 300)
"""Kraken answers 200, also when it refuses; Earn/Deallocate may answer 202."""

_GARBLED: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not the JSON we expect."""


class Envelope(msgspec.Struct, Generic[R]):
    """Kraken's answer as it stands on the wire."""

    error: list[str]
    result: R | msgspec.UnsetType = msgspec.UNSET


class Answer(msgspec.Struct, Generic[R], frozen=True):
    """A result with what came beside it.

    Attributes:
        result: The typed result.
        warnings: Kraken's ``W...`` strings; the result is valid all the same.
        raw: The answer's bytes, where fields this version does not know can be found.
    """

    result: R
    warnings: tuple[str, ...] = ()
    raw: bytes = b""

    def __repr__(self) -> str:
        """Show the result, which hides what is secret in it; the bytes would tell."""
        return f"Answer(result={self.result!r}, warnings={self.warnings!r}, raw=<{len(self.raw)} bytes>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show no more to rich, which does not ask `__repr__`."""
        return [("result", self.result), ("warnings", self.warnings)]


_SAFE: Final = re.compile(r"[A-Za-z0-9_.~=&-]*").fullmatch
"""What a form writes as it is, and what it writes between."""
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
        return text  # nothing in it to be quoted: a third of the cost of quoting each value
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


_AS_FORM: Final = Body.FORM  # to look a member up on its enumeration costs as much as a call, up to Python 3.11


def encode(body: Body, params: Mapping[str, Any], nonce: str | None = None) -> bytes:
    """Write a request's body, the nonce first. These bytes are signed and these bytes are sent."""
    if not params and nonce is not None and body is _AS_FORM:
        return b"nonce=%b" % nonce.encode()  # half of all reads ask for nothing in particular
    # Whatever else is asked for, the nonce that is sent is the one that is signed.
    signed = params if nonce is None else {"nonce": nonce} | {**params, "nonce": nonce}
    if body is Body.JSON:
        return msgspec.json.encode(signed)
    return form(signed).encode()


_DEEPEST: Final = 16
"""Kraken's own forms nest twice at the most (``orders[0][close][price]`` in a batch counts three)."""


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
        if len(rest) > _DEEPEST:
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
        ValueError: It is neither.
    """
    if "json" in content_type:
        try:
            parsed = _BODY.decode(body)
        except _GARBLED as error:
            raise ValueError(str(error)) from None
        if not isinstance(parsed, dict):
            raise ValueError("not a JSON object")
        return parsed
    return parse_form(body.decode())


def envelope(result: Any = msgspec.UNSET, *errors: str) -> bytes:
    """Write an answer in Kraken's envelope."""
    return msgspec.json.encode(Envelope(list(errors), result))


@functools.cache
def _decoder(result: Any) -> Callable[[bytes], Envelope[Any]]:
    """Prepare, once per type of result, how an answer is read."""
    arrives_as = getattr(result, "arrives_as", result)
    # Not strict: Kraken writes times as numbers and as strings of digits, and counts likewise. No number is a float.
    if arrives_as is result:
        return msgspec.json.Decoder(Envelope[result], strict=False, float_hook=Decimal).decode
    finish: Callable[[Any], Any] = result.from_wire
    if arrives_as is bytes:
        return lambda body: Envelope([], finish(_file(body)))
    if not result.enveloped:
        bare = msgspec.json.Decoder(arrives_as, strict=False, float_hook=Decimal)
        return lambda body: Envelope([], finish(bare.decode(_no_envelope(body))))
    enveloped: Any = Envelope
    decoder: msgspec.json.Decoder[Envelope[Any]] = msgspec.json.Decoder(
        enveloped[arrives_as], strict=False, float_hook=Decimal
    )

    def read(body: bytes) -> Envelope[Any]:
        answer = decoder.decode(body)
        if answer.result is not msgspec.UNSET:
            answer.result = finish(answer.result)
        return answer

    return read


def _file(body: bytes) -> bytes:
    """Tell a file from the JSON or HTML that comes in its place when something is wrong."""
    if not body.startswith(b"PK"):
        raise msgspec.ValidationError("not a zip archive")
    return body


def _no_envelope(body: bytes) -> bytes:
    """Refuse an error envelope where answers come without one."""
    try:
        head = _HEAD.decode(body)
    except msgspec.MsgspecError:
        return body
    raise msgspec.ValidationError(", ".join(head.error))


_HEAD = msgspec.json.Decoder(Envelope[msgspec.Raw])


@functools.cache
def reader(result: Any, endpoint: str) -> Callable[[int, bytes], Answer[Any]]:
    """Prepare, once per endpoint, how its answers are read; see `decode`."""
    read = _decoder(result)

    def quickly(status: int, body: bytes) -> Answer[Any]:
        try:
            answer = read(body)
        except _GARBLED:
            return decode(result, status, body, endpoint=endpoint)
        if answer.error or answer.result is UNSET or status not in _SUCCESS:
            return decode(result, status, body, endpoint=endpoint)
        return Answer(answer.result, (), body)

    return quickly


def decode(result: Any, status: int, body: bytes, *, endpoint: str) -> Answer[Any]:
    """Read an answer into its type.

    Args:
        result: The type of the result.
        status: The HTTP status; Kraken answers 200 also when it refuses.
        body: The bytes of the answer.
        endpoint: Kraken's name of the call, for messages.

    Raises:
        Refused: Kraken said no; unknown strings too.
        ServiceUnavailable: A 5xx without Kraken's envelope.
        ProtocolError: Anything else that is not an answer of Kraken's.
    """
    if status in _SUCCESS:
        try:
            answer = _decoder(result)(body)
        except _GARBLED:  # an error envelope, no envelope at all, or an odd null
            again = _read_again(result, body)
            if again is None:
                raise _failure(status, body, endpoint) from None
            answer = again
        if answer.result is not msgspec.UNSET:
            if not answer.error:
                return Answer(answer.result, (), body)
            errors, warnings = split_codes(answer.error)
            if not errors:
                return Answer(answer.result, warnings, body)
    raise _failure(status, body, endpoint)


def _read_again(result: Any, body: bytes) -> Envelope[Any] | None:
    """Read an answer as if its unexpected nulls were not there; None if that does not help."""
    arrives_as = getattr(result, "arrives_as", result)
    if arrives_as is bytes:
        return None
    enveloped: Any = Envelope
    kind = enveloped[arrives_as] if getattr(result, "enveloped", True) else arrives_as
    try:
        fewer = without_nulls(kind, body)
        return None if fewer is None else _decoder(result)(fewer)
    except _GARBLED:
        return None


def _failure(status: int, body: bytes, endpoint: str) -> KrakenError:
    """Tell what an answer that holds no result is."""
    try:
        head = _HEAD.decode(body)
    except _GARBLED:
        return _foreign(status, body, endpoint)
    errors, _warnings = split_codes(head.error)
    if errors:
        return error_from_codes(errors, endpoint=endpoint)
    if status not in _SUCCESS:
        return _foreign(status, body, endpoint)
    what = "holds no result" if head.result is msgspec.UNSET else "has a result of another shape than documented"
    return _protocol_error(f"the answer {what}", status, endpoint)


def _foreign(status: int, body: bytes, endpoint: str) -> KrakenError:
    """Name an answer that did not come from Kraken's application."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        down = ServiceUnavailable(f"HTTP {status} from Kraken's edge", endpoint=endpoint, effect="unknown")
        down.status = status
        return down
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitExceeded("HTTP 429 from Kraken's edge", endpoint=endpoint)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        hint = "redirects are never followed, they would hand the signed call to another host: check base_url"
        return _protocol_error(f"HTTP {status} redirect", status, endpoint, hint=hint)
    start = body[:64].lstrip().lower()
    if not body:
        what = "an empty body"
    elif start.startswith((b"<", b"<!doctype")):
        what = "an HTML page"
    else:
        what = "a body that is not Kraken's JSON envelope"
    return _protocol_error(f"{what} instead of an answer (HTTP {status})", status, endpoint)


def _protocol_error(message: str, status: int, endpoint: str, hint: str | None = None) -> ProtocolError:
    # After a redirect or a 4xx nothing was executed; any other garbled answer may hide a success.
    refused = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    error = ProtocolError(
        message, endpoint=endpoint, effect="none" if refused else "unknown", retryable=not refused, hint=hint
    )
    error.status = status
    return error

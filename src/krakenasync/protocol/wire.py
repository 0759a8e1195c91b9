"""Bytes to results: Kraken's envelope, and what an answer without one means.

Source: https://docs.kraken.com/api/docs/guides/spot-rest-intro (envelope)
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import UNSET

from krakenasync.errors import (
    KrakenError,
    ProtocolError,
    RateLimitExceeded,
    ServiceUnavailable,
)
from krakenasync.protocol.bodies import GARBLED
from krakenasync.protocol.mending import mended
from krakenasync.protocol.problems import NOT_PASSED_ON, error_from_problem
from krakenasync.protocol.refusals import error_from_codes, split_codes

__all__ = ["PROXY_LOGIN", "Answer", "Envelope", "decode", "envelope", "reader"]

R = TypeVar("R")

_SUCCESS: Final = range(200, 300)
"""Kraken answers 200, even when it refuses; Earn/Deallocate may answer 202."""


class Envelope(msgspec.Struct, Generic[R]):
    """Kraken's answer as it is on the wire."""

    error: list[str]
    result: R | msgspec.UnsetType = msgspec.UNSET


class Answer(msgspec.Struct, Generic[R], frozen=True):
    """A result with what came along with it.

    Attributes:
        result: The typed result.
        warnings: Kraken's ``W...`` strings; the result is valid nevertheless.
        raw: The answer's bytes, in which fields that this version does not know can be found.
    """

    result: R
    warnings: tuple[str, ...] = ()
    raw: bytes = b""

    def __repr__(self) -> str:
        """Show the result, which hides what is secret in it; the bytes would reveal it."""
        return f"Answer(result={self.result!r}, warnings={self.warnings!r}, raw=<{len(self.raw)} bytes>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show no more to rich, which does not call `__repr__`."""
        return [("result", self.result), ("warnings", self.warnings)]


def envelope(result: Any = msgspec.UNSET, *errors: str) -> bytes:
    """Write an answer in Kraken's envelope."""
    return msgspec.json.encode(Envelope(list(errors), result))


@functools.cache
def _decoder(result: Any) -> Callable[[bytes], Envelope[Any]]:
    """Prepare, once per type of result, how an answer is read."""
    arrives_as = getattr(result, "arrives_as", result)
    # Not strict: Kraken writes times and counts as numbers and as strings of digits. No number is a float.
    finish: Callable[[Any], Any] = getattr(result, "from_wire", _as_it_is)
    if not getattr(result, "enveloped", True):
        bare = msgspec.json.Decoder(arrives_as, strict=False, float_hook=Decimal)
        nothing: bytes = getattr(result, "nothing", _NOTHING)
        return lambda body: Envelope(
            [], finish(bare.decode(nothing if body.strip() == _NOTHING else _no_envelope(body)))
        )
    if arrives_as is result:
        return msgspec.json.Decoder(Envelope[result], strict=result == _AMOUNTS, float_hook=Decimal).decode
    if arrives_as is bytes:
        return lambda body: Envelope([], finish(_file(body)))
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


def _as_it_is(result: Any) -> Any:
    return result


def _file(body: bytes) -> bytes:
    """Return a file; refuse the JSON or HTML that comes in its place when something is wrong."""
    if not body.startswith(b"PK"):
        raise msgspec.ValidationError("not a zip archive")
    return body


def _no_envelope(body: bytes) -> bytes:
    """Refuse an envelope where answers have none: it could pass for an answer with everything left out."""
    if b'"error"' in body and _ERROR.decode(body).error is not UNSET:
        raise msgspec.ValidationError("an error instead of an answer")
    return body


class _Error(msgspec.Struct):
    error: msgspec.Raw | msgspec.UnsetType = UNSET


_NEVER_FUNDED: Final = frozenset({"Balance", "BalanceEx"})
"""Accounts that were never funded have been answered ``{"error":[]}`` here: https://github.com/rotki/rotki/issues/946"""
PROXY_LOGIN: Final = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY name it; write it as http://user:password@host:port"
"""What to do when a proxy requires user and password."""
_AMOUNTS: Final = dict[str, Decimal]
"""Read strictly: leniently, msgspec tries whole numbers first, which takes longer and loses the sign of ``"-0"``."""
_NOTHING: Final = b"{}"
_ERROR = msgspec.json.Decoder(_Error)
_HEAD = msgspec.json.Decoder(Envelope[msgspec.Raw])


@functools.cache
def reader(result: Any, endpoint: str) -> Callable[[int, bytes], Answer[Any]]:
    """Prepare, once per endpoint, how its answers are read; see `decode`."""
    read = _decoder(result)

    def quickly(status: int, body: bytes) -> Answer[Any]:
        try:
            answer = read(body)
        except GARBLED:
            return decode(result, status, body, endpoint=endpoint)
        if answer.error or answer.result is UNSET or status not in _SUCCESS:
            return decode(result, status, body, endpoint=endpoint)
        return Answer(answer.result, (), body)

    return quickly


def decode(result: Any, status: int, body: bytes, *, endpoint: str) -> Answer[Any]:
    """Read an answer into its type.

    Args:
        result: The type of the result.
        status: The HTTP status; Kraken answers 200 even when it refuses.
        body: The bytes of the answer.
        endpoint: Kraken's name of the call, for messages.

    Raises:
        Refused: Kraken refused the call, or sent an unknown error string.
        ServiceUnavailable: A 5xx without Kraken's envelope.
        ProtocolError: Anything else that is not one of Kraken's answers.
    """
    if status in _SUCCESS:
        try:
            answer = _decoder(result)(body)
            if answer.result is UNSET and not answer.error and endpoint in _NEVER_FUNDED:
                answer.result = {}
        except GARBLED:  # an error envelope, no envelope at all, or an odd null
            again = _read_again(result, body)
            if again is None:
                raise _failure(result, status, body, endpoint) from None
            answer = again
        if answer.result is not msgspec.UNSET:
            if not answer.error:
                return Answer(answer.result, (), body)
            errors, warnings = split_codes(answer.error)
            if not errors:
                return Answer(answer.result, warnings, body)
    raise _failure(result, status, body, endpoint)


def _read_again(result: Any, body: bytes) -> Envelope[Any] | None:
    """Read an answer as if its unexpected nulls and lists were not there; None if that does not help."""
    arrives_as = getattr(result, "arrives_as", result)
    if arrives_as is bytes:
        return None
    enveloped: Any = Envelope
    kind = enveloped[arrives_as] if getattr(result, "enveloped", True) else arrives_as
    try:
        fewer = mended(kind, body)
        return None if fewer is None else _decoder(result)(fewer)
    except GARBLED:
        return None


def _failure(result: Any, status: int, body: bytes, endpoint: str) -> KrakenError:
    """Make the error for an answer without a result. Where answers have no envelope it may be a problem (RFC 9457)."""
    try:
        head = _HEAD.decode(body)
    except GARBLED:
        bare = status >= HTTPStatus.BAD_REQUEST and not getattr(result, "enveloped", True)
        problem = error_from_problem(status, body, endpoint=endpoint) if bare else None
        return problem or _foreign(status, body, endpoint)
    errors, _warnings = split_codes(head.error)
    if errors:
        return error_from_codes(errors, endpoint=endpoint)
    if status not in _SUCCESS:
        if _tells_something(head.result) and status < HTTPStatus.INTERNAL_SERVER_ERROR:
            # As if it had been carried out, whatever a proxy on the way has made of the status.
            done = _protocol_error(f"HTTP {status} with a result as Kraken gives it", status, endpoint)
            done.effect, done.retryable = "unknown", False
            return done
        return _foreign(status, body, endpoint)
    what = "has no result" if head.result is msgspec.UNSET else "has a result of another shape than documented"
    return _protocol_error(f"the answer {what}", status, endpoint)


def _tells_something(result: msgspec.Raw | msgspec.UnsetType) -> bool:
    return result is not UNSET and bytes(result).strip() not in {b"null", b"{}", b"[]"}


def _foreign(status: int, body: bytes, endpoint: str) -> KrakenError:
    """Make the error for an answer that did not come from Kraken's application."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        down = ServiceUnavailable(f"HTTP {status} from Kraken's edge", endpoint=endpoint, effect="unknown")
        down.status = status
        return down
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitExceeded("HTTP 429 from Kraken's edge", endpoint=endpoint)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        hint = "redirects are never followed, they would hand the signed call to another host: check base_url"
        return _protocol_error(f"HTTP {status} redirect", status, endpoint, hint=hint)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        what = "a proxy on the way requires user and password (HTTP 407)"
        return _protocol_error(what, status, endpoint, hint=PROXY_LOGIN)
    start = body[:64].lstrip()
    if not body:
        what = "an empty body"
    elif start.startswith(b"<"):
        what = "an HTML page"
    else:
        what = "a body that is not Kraken's JSON envelope"
    return _protocol_error(f"{what} instead of an answer (HTTP {status})", status, endpoint)


def _protocol_error(message: str, status: int, endpoint: str, hint: str | None = None) -> ProtocolError:
    # Anything but a refusal to pass the request on may hide a success: a 408 may come from a gateway that did.
    refused = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST or status in NOT_PASSED_ON
    error = ProtocolError(
        message, endpoint=endpoint, effect="none" if refused else "unknown", retryable=not refused, hint=hint
    )
    error.status = status
    return error

"""Problem details: how Funding Beta refuses, with an HTTP error status and a JSON object instead of the envelope.

``{"type": "tag:kraken.com,2025:InvalidKey", "status": 401, "title": "API: Invalid key", "data": null, "source":
"Gateway"}`` is one, seen by clients; the guide mentions the problem ``TooManyDepositAddresses``. No page lists them.
Their titles are those of Kraken's error strings without the ``E``.

Sources: https://docs.kraken.com/exchange/guides/rest/funding (TooManyDepositAddresses),
https://www.rfc-editor.org/rfc/rfc9457 (the form)
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import msgspec

from krakenasync.errors import (
    AuthenticationError,
    FundingRefused,
    InvalidKey,
    KrakenError,
    PermissionDenied,
    RateLimitExceeded,
    Refused,
    ServiceUnavailable,
)
from krakenasync.protocol.bodies import GARBLED
from krakenasync.protocol.refusals import UNMAPPED, error_from_codes, fact, normalise

__all__ = ["NOT_PASSED_ON", "PREFIX", "error_from_problem"]

PREFIX: Final = "tag:kraken.com,2025:"
"""How the type of a problem begins."""

_TYPES: Final[dict[str, type[KrakenError]]] = {"InvalidKey": InvalidKey, "TooManyDepositAddresses": FundingRefused}
_STATUSES: Final[dict[int, type[KrakenError]]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: PermissionDenied,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitExceeded,
}


NOT_PASSED_ON: Final = frozenset({400, 401, 403, 404, 405, 406, 407, 411, 413, 414, 415, 417, 421, 426, 431, 451})
"""What a gateway itself answers when it does not pass a request on, because of the request or its sender.

Source: https://www.rfc-editor.org/rfc/rfc9110 (section 15.5)
"""
_CONTENT: Final = frozenset({409, 410, 422})
"""What an application answers to a request that it has read and does not carry out."""


class _Problem(msgspec.Struct):
    type: Any = None
    title: Any = None
    detail: Any = None
    error: Any = None


_READ: Final = msgspec.json.Decoder(_Problem)


def error_from_problem(status: int, body: bytes, *, endpoint: str) -> KrakenError | None:
    """Make the error for a problem; return None if the body is not one.

    From 500 on the outcome is open, whatever the body says. Below, the title decides if it is a known error string,
    else the type, else the HTTP status, and nothing was done; the exception is a status that a gateway may give to what
    it has passed on, such as 408, with a type that is not Kraken's.

    Args:
        status: The HTTP status, 400 or more.
        body: The bytes of the answer.
        endpoint: Kraken's name of the call, for messages.
    """
    try:
        problem = _READ.decode(body)
    except GARBLED:
        return None
    kind, title, detail = (
        each if isinstance(each, str) else "" for each in (problem.type, problem.title, problem.detail)
    )
    if not kind and isinstance(problem.error, str):
        kind = problem.error
    said = ": ".join(filter(None, (title, detail))) or kind
    if not said:
        return None
    code = normalise(f"E{title}")
    known, down = bool(title) and fact(code) is not UNMAPPED, status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if known and not down:
        return error_from_codes([f"{code}:{detail}" if detail else code], endpoint=endpoint)
    told: dict[str, Any] = {"codes": list(filter(None, [code if known else kind or title])), "endpoint": endpoint}
    message = f"{said} (HTTP {status})"
    if down:
        error = ServiceUnavailable(message, effect="unknown", **told)
        error.status = status
        return error
    sort = _TYPES.get(kind.removeprefix(PREFIX), _STATUSES.get(status, Refused))
    refused = sort is not Refused or kind.startswith(PREFIX) or status in NOT_PASSED_ON | _CONTENT
    return sort(message, effect="none" if refused else "unknown", **told)

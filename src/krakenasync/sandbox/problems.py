"""Refusals of Funding Beta: an HTTP error status, and a problem instead of the envelope.

Clients have seen ``InvalidKey``, with 401 and the title ``API: Invalid key``. The guide names
``TooManyDepositAddresses``. No page lists the others: here they are made from Kraken's error strings in the same way,
with the usual statuses.

Source: https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import msgspec

from krakenasync.protocol.problems import PREFIX
from krakenasync.sandbox.calls import Reply
from krakenasync.sandbox.refusals import (
    INVALID_KEY,
    INVALID_NONCE,
    INVALID_SIGNATURE,
    LOCKOUT,
    PERMISSION_DENIED,
    REST_LIMIT,
    TOO_MANY_ADDRESSES,
)

__all__ = ["problem"]

KIND: Final = "application/problem+json"
TYPES: Final = {TOO_MANY_ADDRESSES: "TooManyDepositAddresses"}
STATUSES: Final = {
    INVALID_KEY: HTTPStatus.UNAUTHORIZED,
    INVALID_SIGNATURE: HTTPStatus.UNAUTHORIZED,
    INVALID_NONCE: HTTPStatus.UNAUTHORIZED,
    LOCKOUT: HTTPStatus.FORBIDDEN,
    PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    REST_LIMIT: HTTPStatus.TOO_MANY_REQUESTS,
    TOO_MANY_ADDRESSES: HTTPStatus.CONFLICT,
}


def problem(code: str) -> Reply:
    """Write a refusal as a problem.

    Args:
        code: One of Kraken's error strings; the text after its second colon becomes the ``detail``.
    """
    category, _, rest = code.removeprefix("E").partition(":")
    text, _, detail = rest.partition(":")
    status = STATUSES.get(code, HTTPStatus.BAD_REQUEST)
    kind = TYPES.get(code, "".join(word.capitalize() for word in text.split()))
    row: dict[str, Any] = {"type": PREFIX + kind, "status": status.value, "title": f"{category}: {text}"}
    if detail:
        row["detail"] = detail
    return Reply(msgspec.json.encode({**row, "data": None}), status.value, KIND)

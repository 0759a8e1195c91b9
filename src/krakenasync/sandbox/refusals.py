"""How the sandbox refuses a call: one exception, and names for Kraken's strings.

Source of the strings: https://docs.kraken.com/api/docs/guides/spot-errors
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CANNOT_OPEN",
    "COST_MINIMUM",
    "DEADLINE_ELAPSED",
    "ENGINE_LIMIT",
    "INSUFFICIENT_FUNDS",
    "INVALID_ARGUMENTS",
    "INVALID_KEY",
    "INVALID_NONCE",
    "INVALID_ORDER",
    "INVALID_PRICE",
    "INVALID_SIGNATURE",
    "LOCKOUT",
    "NOT_CLOSING",
    "NO_POSITION",
    "ORDERS_LIMIT",
    "ORDER_MINIMUM",
    "PERMISSION_DENIED",
    "POST_ONLY",
    "PUBLIC_LIMIT",
    "REST_LIMIT",
    "TICK_SIZE",
    "TOO_MANY_ADDRESSES",
    "UNKNOWN_ASSET",
    "UNKNOWN_METHOD",
    "UNKNOWN_ORDER",
    "UNKNOWN_PAIR",
    "UNKNOWN_POSITION",
    "Refusal",
    "invalid",
]

INVALID_KEY: Final = "EAPI:Invalid key"
INVALID_SIGNATURE: Final = "EAPI:Invalid signature"
INVALID_NONCE: Final = "EAPI:Invalid nonce"
REST_LIMIT: Final = "EAPI:Rate limit exceeded"
PUBLIC_LIMIT: Final = "EGeneral:Too many requests"
ENGINE_LIMIT: Final = "EOrder:Rate limit exceeded"
LOCKOUT: Final = "EGeneral:Temporary lockout"
PERMISSION_DENIED: Final = "EGeneral:Permission denied"
INVALID_ARGUMENTS: Final = "EGeneral:Invalid arguments"
UNKNOWN_METHOD: Final = "EGeneral:Unknown method"
UNKNOWN_ASSET: Final = "EQuery:Unknown asset"
UNKNOWN_PAIR: Final = "EQuery:Unknown asset pair"
DEADLINE_ELAPSED: Final = "EService:Deadline elapsed"
UNKNOWN_ORDER: Final = "EOrder:Unknown order"
INVALID_ORDER: Final = "EOrder:Invalid order"
INSUFFICIENT_FUNDS: Final = "EOrder:Insufficient funds"
ORDER_MINIMUM: Final = "EOrder:Order minimum not met"
COST_MINIMUM: Final = "EOrder:Cost minimum not met"
TICK_SIZE: Final = "EOrder:Tick size check failed"
INVALID_PRICE: Final = "EOrder:Invalid price"
POST_ONLY: Final = "EOrder:Post only order"
CANNOT_OPEN: Final = "EOrder:Cannot open position"
UNKNOWN_POSITION: Final = "EOrder:Unknown position"
NO_POSITION: Final = "EOrder:Reduce only:No position exists"
NOT_CLOSING: Final = "EOrder:Reduce only:Non-PC"
ORDERS_LIMIT: Final = "EOrder:Orders limit exceeded"
TOO_MANY_ADDRESSES: Final = "EFunding:Too many addresses"


class Refusal(Exception):
    """Kraken's answer is an error string instead of a result.

    Attributes:
        code: The string, as it appears in the envelope.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def invalid(name: str) -> Refusal:
    """Make the refusal of an argument, by its name."""
    return Refusal(f"EGeneral:Invalid arguments:{name}")

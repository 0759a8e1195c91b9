"""What happens to an order: its trades, and the versions that amends make of it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from krakenasync.sandbox.listings import Pair

__all__ = ["Amendment", "Fill"]


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One trade of an account's order.

    Attributes:
        txid: Kraken's id of the trade (``T...``).
        order: The order's id.
        at: Unix nanoseconds.
        fee: What was paid for it, in `fee_asset`.
        number: The trade's number on its pair's public tape.
    """

    txid: str
    order: str
    pair: Pair
    buy: bool
    at: int
    price: Decimal
    volume: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    number: int


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an order, as OrderAmends lists it."""

    amend_id: str
    kind: str
    at: int
    volume: Decimal
    left: Decimal
    limit: Decimal | None
    trigger: Decimal | None
    display: Decimal | None
    post_only: bool
    reason: str | None = None

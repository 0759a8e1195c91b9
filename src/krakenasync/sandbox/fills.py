"""What happens to an order: its trades, and the versions that amends make of it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from krakenasync.protocol.servertime import SECOND
from krakenasync.sandbox.listings import Pair

__all__ = ["Amendment", "Fill", "consolidated"]


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One trade of an account's order.

    Attributes:
        txid: Kraken's id of the trade (``T...``).
        order: The order's id.
        at: Unix nanoseconds.
        fee: What it cost besides, in `fee_asset`, with the pair's digits.
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

    @property
    def fee_in_quote(self) -> Decimal:
        """The fee in the quote currency, in which Kraken reports it whatever it was paid in."""
        return self.fee if self.fee_asset == self.pair.quote else self.fee * self.price


def consolidated(fills: Iterable[Fill]) -> list[list[Fill]]:
    """Group the fills that one taker's order made at once; a resting order's stay single. Oldest first, as given."""
    groups: list[list[Fill]] = []
    taking: dict[str, list[Fill]] = {}
    for fill in fills:
        group = taking.get(fill.order)
        if not fill.maker and group is not None and fill.at - group[-1].at < SECOND:
            group.append(fill)
            continue
        groups.append([fill])
        if not fill.maker:
            taking[fill.order] = groups[-1]
    return groups


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

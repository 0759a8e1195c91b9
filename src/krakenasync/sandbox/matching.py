"""Where orders meet their other side. The seeded market is the only one there is; a book can take its place.

Source of the order kinds: https://docs.kraken.com/api/docs/rest-api/add-order
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from krakenasync.sandbox.listings import Pair
from krakenasync.sandbox.market import BEAT, EPOCH, Market, Quote
from krakenasync.sandbox.orders import NANOS, Order

__all__ = ["Match", "Matcher", "SeededMatcher"]

LOOKS: Final = 2000
"""The most beats that are looked at for one order after a long idle time."""


class Match(NamedTuple):
    """A part of an order that trades."""

    order: Order
    at: int
    """Unix nanoseconds."""
    price: Decimal
    volume: Decimal
    maker: bool


class Matcher(Protocol):
    """What the exchange asks of a matching engine."""

    def quote(self, pair: Pair, now: int) -> Quote:
        """Return the best prices."""
        ...

    def enter(self, order: Order, now: int) -> list[Match]:
        """Match an order that arrives; what is left may rest."""
        ...

    def rest(self, order: Order, since: int, now: int) -> Iterator[Match]:
        """Match an order that has rested since `since`, oldest match first."""
        ...


class SeededMatcher:
    """Fills whole orders against the seeded market: at its price on arrival, at their own price later.

    Orders of different accounts do not meet, and the kinds with a trigger rest without ever being triggered.
    """

    def __init__(self, market: Market) -> None:
        self._market = market

    def quote(self, pair: Pair, now: int) -> Quote:
        """Return the seeded market's best prices."""
        return self._market.quote(pair, self._market.beat(now))

    def enter(self, order: Order, now: int) -> list[Match]:
        """Fill a market order, or a limit order that crosses, whole and at the market's price."""
        quote = self.quote(order.pair, now)
        best = quote.ask if order.buy else quote.bid
        if order.kind == "market" or (order.kind in ("limit", "iceberg") and crosses(order, best)):
            return [Match(order, now, best, order.left, maker=False)]
        return []

    def rest(self, order: Order, since: int, now: int) -> Iterator[Match]:
        """Fill a resting limit order at its own price once the market has come to it."""
        if order.kind not in ("limit", "iceberg") or order.price is None:
            return
        first, last = self._market.beat(since) + 1, self._market.beat(now)
        for beat in range(first, last + 1, max(1, (last - first) // LOOKS)):
            quote = self._market.quote(order.pair, beat)
            if crosses(order, quote.ask if order.buy else quote.bid):
                at = max(order.opened, (EPOCH + beat * BEAT) * NANOS)
                yield Match(order, at, order.price, order.left, maker=True)
                return


def crosses(order: Order, best: Decimal) -> bool:
    """Whether a limit order would trade at the best price of the other side."""
    return order.price is not None and (order.price >= best if order.buy else order.price <= best)

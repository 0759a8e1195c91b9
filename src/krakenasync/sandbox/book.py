"""The resting orders on one side of a pair: best price first, and first come, first served at the same price."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from decimal import Decimal

from krakenasync.sandbox.orders import Order

__all__ = ["Side"]


class Side:
    """The accounts' bids or asks.

    Args:
        buy: Whether these are bids.
    """

    def __init__(self, *, buy: bool) -> None:
        self.buy = buy
        # The best price is at the end of the list, where changes are cheap: it changes most often.
        self._prices: list[Decimal] = []
        self._queues: dict[Decimal, dict[str, Order]] = {}

    @property
    def best(self) -> Decimal | None:
        """The best price, or None if nothing rests."""
        return self._prices[-1] if self._prices else None

    def first(self) -> Order | None:
        """Return the order that trades next."""
        return next(iter(self._queues[self._prices[-1]].values())) if self._prices else None

    def add(self, order: Order) -> None:
        """Queue an order behind all others at its price."""
        price = self._price_of(order)
        queue = self._queues.get(price)
        if queue is None:
            queue = self._queues[price] = {}
            bisect.insort(self._prices, price, key=self._rank)
        queue[order.txid] = order

    def discard(self, order: Order) -> None:
        """Remove an order, if it is here."""
        price = order.limit
        queue = self._queues.get(price) if price is not None else None
        if price is None or queue is None or queue.pop(order.txid, None) is None or queue:
            return
        del self._queues[price]
        del self._prices[bisect.bisect_left(self._prices, self._rank(price), key=self._rank)]

    def __iter__(self) -> Iterator[Order]:
        """Yield the orders in the order they trade in."""
        for price in reversed(self._prices):
            yield from self._queues[price].values()

    def __contains__(self, order: Order) -> bool:
        price = order.limit
        return price is not None and order.txid in self._queues.get(price, ())

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def _rank(self, price: Decimal) -> Decimal:
        return price if self.buy else -price

    def _price_of(self, order: Order) -> Decimal:
        price = order.limit
        if price is None:
            raise ValueError(f"{order.txid} has no limit: it cannot rest")
        return price

    def __repr__(self) -> str:
        return f"Side({'bids' if self.buy else 'asks'}, {len(self)} orders, best {self.best})"

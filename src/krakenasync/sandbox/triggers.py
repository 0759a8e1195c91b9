"""Orders that wait for a price: stops, profits and trailing stops, invisible to the market until they are triggered.

Source: https://docs.kraken.com/api/docs/rest-api/add-order (ordertype, trigger)
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from krakenasync.sandbox.clearing import reservation
from krakenasync.sandbox.orders import Order

__all__ = ["Triggers", "begin_trail", "on_tick", "place_trail"]

INDEX: Final = "index"


class Triggers:
    """The waiting orders of a pair. Callers pass prices to `see`; the orders these trigger are collected for `take`."""

    def __init__(self) -> None:
        self._waiting: dict[str, Order] = {}
        self._ready: list[Order] = []

    def add(self, order: Order, last: Decimal, index: Decimal) -> None:
        """Let an order wait; it may be triggered at once."""
        self._waiting[order.txid] = order
        self._look(order, index if order.trigger == INDEX else last)

    def discard(self, order: Order) -> None:
        """Forget an order, if it waits."""
        self._waiting.pop(order.txid, None)
        if order in self._ready:
            self._ready.remove(order)

    def see(self, price: Decimal, *, index: bool = False) -> None:
        """Trigger the orders that a price reaches: the price of a trade, or of the index."""
        for order in list(self._waiting.values()):
            if (order.trigger == INDEX) == index:
                self._look(order, price)

    def take(self) -> list[Order]:
        """Return the triggered orders, in the order in which they were triggered, and forget them."""
        ready, self._ready = self._ready, []
        return ready

    def foresee(self, price: Decimal) -> bool:
        """Let trailing orders follow a skipped price, and return whether it would trigger any order."""
        for order in self._waiting.values():
            follow(order, price)
        return any(fires(order, price) for order in self._waiting.values())

    def bounds(self) -> tuple[Decimal | None, Decimal | None]:
        """Return the highest price that triggers an order in a fall, and the lowest that does in a rise."""
        falling = [order.price for order in self._waiting.values() if order.price is not None and not order.rises]
        rising = [order.price for order in self._waiting.values() if order.price is not None and order.rises]
        return max(falling, default=None), min(rising, default=None)

    @property
    def trailing(self) -> bool:
        """Whether any of them follows the market."""
        return any(order.trail is not None for order in self._waiting.values())

    def __len__(self) -> int:
        return len(self._waiting)

    def _look(self, order: Order, price: Decimal) -> None:
        follow(order, price)
        if fires(order, price):
            del self._waiting[order.txid]
            self._ready.append(order)


def fires(order: Order, price: Decimal) -> bool:
    """Whether a price triggers an order."""
    return order.price is not None and (price >= order.price if order.rises else price <= order.price)


def begin_trail(order: Order, last: Decimal) -> None:
    """Place a trailing order's trigger at its distance from the market."""
    if order.trail is not None:
        order.trail.best = last
        place_trail(order)


def follow(order: Order, price: Decimal) -> None:
    """Move a trailing order along if the market moved away from it."""
    trail = order.trail
    if trail is not None and (price < trail.best if order.rises else price > trail.best):
        trail.best = price
        place_trail(order)


def place_trail(order: Order) -> None:
    """Work out a trailing order's prices from the best price seen, and what to reserve for them."""
    trail, pair = order.trail, order.pair
    if trail is None:
        return
    tick = pair.tick_size
    distance = trail.best * trail.offset / 100 if trail.percent else trail.offset
    order.price = max(tick, on_tick(trail.best + distance if order.rises else trail.best - distance, tick))
    if trail.limit_offset is not None:
        distance = order.price * trail.limit_offset / 100 if trail.limit_percent else trail.limit_offset
        order.price2 = max(tick, on_tick(order.price + distance, tick))
    order.hold_asset, order.hold = reservation(order, order.limit or order.price)


def on_tick(price: Decimal, tick: Decimal) -> Decimal:
    """Round a price to the pair's smallest step."""
    return (price / tick).quantize(Decimal(1)) * tick

"""The price of a change to orders, which falls while they grow older.

Source: https://docs.kraken.com/exchange/guides/general/ratelimits
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from krakenasync.clock import Clock
from krakenasync.protocol.charges import EngineAction, engine_points
from krakenasync.state.ages import Known

__all__ = ["Ageing"]

_DRIFT: Final = 0.05
"""Seconds by which an order is assumed younger than our clock says: no two clocks run at quite the same pace."""

_TICK: Final = 0.001
"""Seconds after a fall in price at which to look: a sleep may end a rounding error too early."""


class Ageing:
    """Points for a change to orders; they fall while the orders grow older.

    Args:
        action: Returns what is done to them, at that moment.
        orders: Returns the orders at that moment; an empty result stands for an order whose age is not known.
        clock: Where time comes from.
        most: The highest price: what does not fit on an empty counter would never be sent.
    """

    def __init__(
        self,
        action: Callable[[], EngineAction],
        orders: Callable[[], list[Known]],
        clock: Clock,
        most: float = float("inf"),
    ) -> None:
        self._action = action
        self._orders = orders
        self._clock = clock
        self._most = most

    def __call__(self, later: float = 0.0) -> float:
        """Return the points that it will cost in `later` seconds."""
        ages = [self._age(order, later) for order in self._orders()] or [None]
        return min(self._most, sum(engine_points(self._action(), age) for age in ages))

    def _age(self, order: Known, later: float) -> float | None:
        """Return the least age of the order by then; None while an amendment may make it young at any moment."""
        return None if order.amends else self._clock.monotonic() + later - order.since - _DRIFT

    def falls(self) -> Iterator[float]:
        """Yield the seconds after which the price will have fallen, as far as is known."""
        _fixed, penalties = self._action().value
        for age in (self._age(order, 0.0) for order in self._orders()):
            if age is not None:
                yield from (below - age + _TICK for below, _points in penalties if age < below)

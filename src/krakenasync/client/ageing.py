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
"""Seconds by which an order is taken for younger than our clock says: two clocks never run at quite the same pace."""

_TICK: Final = 0.001
"""Seconds after a fall at which to look: a sleep may end a rounding error too early."""


class Ageing:
    """Points for a change to orders; they fall while the orders grow older.

    Args:
        action: Tells what is done to them, at the moment it is asked.
        orders: Finds the orders at the moment it is asked; none at all stands for one whose age is not known.
        clock: Where time comes from.
        most: No price is higher: what has no room on an empty counter would never be sent.
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
        """Return the points it costs in so many seconds."""
        ages = [self._age(order, later) for order in self._orders()] or [None]
        return min(self._most, sum(engine_points(self._action(), age) for age in ages))

    def _age(self, order: Known, later: float) -> float | None:
        """How old the order will be at least; None while an amendment may make it young at any moment."""
        return None if order.amends else self._clock.monotonic() + later - order.since - _DRIFT

    def falls(self) -> Iterator[float]:
        """Yield the seconds after which the price will have fallen, as far as can be told."""
        _fixed, penalties = self._action().value
        for age in (self._age(order, 0.0) for order in self._orders()):
            if age is not None:
                yield from (below - age + _TICK for below, _points in penalties if age < below)

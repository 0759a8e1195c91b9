"""What trading costs: fee schedules by pair and by the account's thirty-day volume, in dollars.

Source: https://www.kraken.com/features/fee-schedule
"""

from __future__ import annotations

import functools
from collections import deque
from decimal import Decimal
from typing import Final, NamedTuple

from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.listings import FOREX, MAKER, PAIRS, TAKER, Pair
from krakenasync.sandbox.market import Market

__all__ = ["Rates", "Volumes", "rates"]

ZERO: Final = Decimal(0)
WINDOW: Final = 30 * 86_400 * NANOS
DOLLAR: Final = "ZUSD"


class Rates(NamedTuple):
    """Fees as fractions of the cost."""

    maker: Decimal
    taker: Decimal


def rates(pair: Pair, volume: Decimal) -> Rates:
    """Return the fees of a pair.

    Args:
        pair: What is traded.
        volume: The account's thirty-day volume, in dollars.
    """
    maker, taker = (FOREX, FOREX) if pair.forex else (MAKER, TAKER)
    return Rates(_rate(maker, volume), _rate(taker, volume))


def _rate(schedule: tuple[tuple[int, str], ...], volume: Decimal) -> Decimal:
    percent = next(percent for least, percent in reversed(schedule) if volume >= least)
    return Decimal(percent) / 100


class Volumes:
    """The accounts' volumes of the last thirty days, in dollars."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._trades: dict[str, deque[tuple[int, Decimal]]] = {}
        self._sums: dict[str, Decimal] = {}

    def add(self, account: str, pair: Pair, cost: Decimal, at: int) -> None:
        """Count a trade."""
        amount = cost * self._dollars(pair.quote, at)
        self._trades.setdefault(account, deque()).append((at, amount))
        self._sums[account] = self._sums.get(account, ZERO) + amount

    def total(self, account: str, now: int) -> Decimal:
        """Add up an account's trades; those that are too old are forgotten."""
        trades = self._trades.get(account)
        while trades and trades[0][0] <= now - WINDOW:
            self._sums[account] -= trades.popleft()[1]
        return self._sums.get(account, ZERO)

    def _dollars(self, asset: str, at: int) -> Decimal:
        pair = _dollar_pair(asset)
        return self._market.price(pair, self._market.beat(at)) if pair else Decimal(1)


@functools.cache
def _dollar_pair(asset: str) -> Pair | None:
    return next((pair for pair in PAIRS.values() if (pair.base, pair.quote) == (asset, DOLLAR)), None)

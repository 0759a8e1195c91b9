"""The market maker: at each beat of the seeded market it withdraws all its offers and makes new ones."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from krakenasync.sandbox.listings import Pair
from krakenasync.sandbox.market import Level, Market

__all__ = ["Ladder"]

ZERO: Final = Decimal(0)


class Ladder:
    """What the market maker offers on one side of a pair in one beat.

    Nothing is computed until it is needed, so a market that nobody trades on costs nothing.

    Args:
        market: The seeded market, whose prices it follows.
        buy: Whether these are bids.
    """

    def __init__(self, market: Market, pair: Pair, beat: int, *, buy: bool) -> None:
        self.beat = beat
        self._market = market
        self._pair = pair
        self._buy = buy
        self._gone = 0
        self._taken = ZERO
        self._best: Level | None = None

    @property
    def best(self) -> Level | None:
        """The best offer and what is left of it, or None if all are taken."""
        if self._best is None:
            self._best = next(self.levels(), None)
        return self._best

    def take(self, volume: Decimal) -> None:
        """Take from the best offer, at most all of it."""
        best = self.best
        if best is None or volume > best.volume:
            raise ValueError(f"{volume} is more than is offered: {best}")
        if volume == best.volume:
            self._gone, self._taken, self._best = self._gone + 1, ZERO, None
        else:
            self._taken += volume
            self._best = best._replace(volume=best.volume - volume)

    def levels(self) -> Iterator[Level]:
        """Yield what is left, from the best price outwards."""
        if not self._gone:
            offers = self._market.ladder(self._pair, self.beat, buy=self._buy)
        else:  # once levels are gone it is cheaper to compute them all
            offers = iter(_whole(self._market, self._pair, self.beat, self._buy)[self._gone :])
        best = next(offers, None)
        if best is not None:  # some of it may be taken
            yield best._replace(volume=best.volume - self._taken)
            yield from offers


@functools.lru_cache(maxsize=128)
def _whole(market: Market, pair: Pair, beat: int, buy: bool) -> tuple[Level, ...]:
    return tuple(market.ladder(pair, beat, buy=buy))

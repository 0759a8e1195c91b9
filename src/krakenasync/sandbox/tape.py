"""The tape of a pair: every trade ever printed, the accounts' own trades among those of the seeded market."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from krakenasync.sandbox.listings import Pair
from krakenasync.sandbox.market import Market, PublicTrade

__all__ = ["Print", "Tape"]


class Print(NamedTuple):
    """A trade in which an account took part.

    Attributes:
        beat: The beat of the seeded market it followed.
        trade: What the public sees.
    """

    beat: int
    trade: PublicTrade


class Tape:
    """Numbers and times the trades of a pair, and reads them back.

    The seeded market prints one trade per beat, which can be recomputed, so only the others are kept.
    """

    def __init__(self, market: Market, pair: Pair) -> None:
        self._market = market
        self._pair = pair
        self._prints: list[Print] = []

    def print(self, beat: int, at: int, price: Decimal, volume: Decimal, *, buy: bool, market: bool) -> PublicTrade:
        """Print a trade; no two of a pair have the same time, so that a cursor by time never skips one."""
        after = self._prints[-1].trade.at if self._prints else 0
        at = max(at, after + 1, self._market.ripe(beat) + 1)
        trade = PublicTrade(beat + len(self._prints) + 2, at, price, volume, buy, market)
        self._prints.append(Print(beat, trade))
        return trade

    def last(self, beat: int) -> PublicTrade:
        """Return the newest trade at a beat."""
        if self._prints and self._prints[-1].beat >= beat:
            return self._prints[-1].trade
        return self._seeded(beat)

    def trades(self, since: int, beat: int, most: int) -> list[PublicTrade]:
        """List the trades after `since` (unix nanoseconds), oldest first; the newest ones if it is negative."""
        first = max(0, beat + 1 - most) if since < 0 else self._market.beat(since)
        seeded = (self._seeded(each) for each in range(first, min(beat, first + most) + 1))
        own = self.between(since, self._market.ripe(beat + 1)) if since >= 0 else self._newest(most)
        found = sorted([*seeded, *own], key=lambda trade: trade.at)
        if since < 0:
            return found[-most:]
        return [trade for trade in found if trade.at > since][:most]

    def between(self, after: int, until: int) -> Sequence[PublicTrade]:
        """Return the accounts' trades later than `after` and no later than `until` (unix nanoseconds)."""
        first, last = (bisect.bisect_right(self._prints, at, key=lambda row: row.trade.at) for at in (after, until))
        return [row.trade for row in self._prints[first:last]]

    def _newest(self, most: int) -> list[PublicTrade]:
        return [row.trade for row in self._prints[-most:]]

    def _seeded(self, beat: int) -> PublicTrade:
        """Return a beat's own trade, with its number on this tape."""
        before = bisect.bisect_left(self._prints, beat, key=lambda row: row.beat)
        trade = self._market.trade(self._pair, beat)
        return trade._replace(number=trade.number + before)

    def __len__(self) -> int:
        return len(self._prints)

"""Candles and the day's figures of a pair: the seeded market's trades and the accounts' summed up together.

Candles up to a minute count every trade of the seeded market. Longer ones take high, low and mean from a sample of
them; open, close, volume and count are exact. The accounts' own trades all count.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

from krakenasync.sandbox.listings import Pair
from krakenasync.sandbox.market import BEAT, EPOCH, Market, PublicTrade, Span
from krakenasync.sandbox.pit import Pit

__all__ = ["candles", "statistics"]

DAY: Final = 86_400
MINUTE: Final = 60
SAMPLES: Final = 8
"""Trades sampled for a candle longer than a minute."""
DAY_SAMPLES: Final = 96


def candles(market: Market, pit: Pit, minutes: int, most: int = 720) -> list[list[Any]]:
    """List candles as OHLC has them, the running one last."""
    length = minutes * MINUTE
    last = market.began(pit.beat) // length * length
    starts = range(max(EPOCH // length * length, last - (most - 1) * length), last + 1, length)
    return [_row(pit.pair, start, _candle(market, pit, start, length)) for start in starts]


def statistics(market: Market, pit: Pit) -> tuple[Span, Span]:
    """Sum up the trades since midnight, and those of the last 24 hours."""
    midnight = market.began(pit.beat) // DAY * DAY
    firsts = (max(0, (midnight - EPOCH) // BEAT), max(0, pit.beat + 1 - DAY // BEAT))
    today, rolling = (
        _with_own(
            market.span(pit.pair, first, pit.beat, DAY_SAMPLES),
            pit.tape.between(market.ripe(first), market.ripe(pit.beat + 1)),
            market.ripe(pit.beat),
        )
        for first in firsts
    )
    return today, rolling


def _candle(market: Market, pit: Pit, start: int, length: int) -> Span:
    """Sum up the trades of a candle."""
    first = max(0, (start - EPOCH + BEAT - 1) // BEAT)
    complete = max(first, (start + length - 1 - EPOCH) // BEAT)
    samples = SAMPLES if length > MINUTE else length // BEAT
    if complete <= pit.beat:
        seeded = _complete(market, pit.pair, first, complete, samples)
    else:
        seeded = market.span(pit.pair, first, max(first, pit.beat), samples)
    # A trade belongs to the beat it followed.
    own = pit.tape.between(market.ripe(first), market.ripe(complete + 1))
    return _with_own(seeded, own, market.ripe(min(complete, max(first, pit.beat))))


@functools.lru_cache(maxsize=1 << 15)
def _complete(market: Market, pair: Pair, first: int, last: int, samples: int) -> Span:
    """Sum up trades that are complete, from a cache: such sums never change."""
    return market.span(pair, first, last, samples)


def _with_own(seeded: Span, own: Sequence[PublicTrade], newest: int) -> Span:
    """Add the accounts' trades; they come after the first of the seeded ones, the last of which was at `newest`."""
    if not own:
        return seeded
    prices = [trade.price for trade in own]
    volume = sum((trade.volume for trade in own), seeded.volume)
    worth = sum((trade.price * trade.volume for trade in own), seeded.mean * seeded.volume)
    return Span(
        seeded.opened,
        max(seeded.high, *prices),
        min(seeded.low, *prices),
        prices[-1] if own[-1].at > newest else seeded.close,
        worth / volume,
        volume,
        seeded.trades + len(own),
    )


def _row(pair: Pair, start: int, span: Span) -> list[Any]:
    prices = (span.opened, span.high, span.low, span.close, span.mean)
    return [start, *map(pair.price_text, prices), f"{span.volume:.8f}", span.trades]

"""The seeded market: prices, trades, candles and a book, each a pure function of (seed, pair, time).

Time is cut into beats of 15 seconds, and each beat holds one trade. Prices are a random walk made of layers of noise,
each four times as slow as the one before and twice as high, all in whole numbers, so that every machine sees the same
market, any moment can be looked at without playing what came before, and an idle market costs nothing.

Candles up to a minute hold every trade. Longer ones take their high and low from a sample of their trades; open, close,
volume and count are exact.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from krakenasync.sandbox.listings import Pair

__all__ = ["BEAT", "EPOCH", "Market", "PublicTrade", "Quote"]

SECOND: Final = 10**9
BEAT: Final = 15
"""Seconds between two trades."""
EPOCH: Final = 1_704_067_200
"""2024-01-01: the market's first trade."""
DAY: Final = 86_400

# Layers of noise: (beats between two values, height in millionths of the price).
LAYERS: Final = tuple((4**layer, 395 * 2**layer) for layer in range(10))
MILLION: Final = 10**6
ASKS, BIDS = 21, 22
"""Streams of chance for the two sides of the book."""
LIVELINESS: Final = {"ZUSD": 0, "USDT": 1, "ZEUR": 6}
"""How far an asset swings, in percent of what a coin does; the dollar is what all is measured in."""
SAMPLES: Final = 8
"""Trades looked at for the high and low of a candle longer than a minute."""

_MASK: Final = 2**64 - 1


def _mix(value: int) -> int:
    """Scramble 64 bits (the finaliser of SplitMix64, https://prng.di.unimi.it/splitmix64.c)."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


@functools.lru_cache(maxsize=1 << 16)
def _noise(key: int, layer: int, index: int) -> int:
    """Draw from -1,000,000 to 1,000,000, always the same for the same arguments."""
    return _mix((key + layer * 0x9E3779B97F4A7C15 + index * 0xD1B54A32D192ED03) & _MASK) % (2 * MILLION + 1) - MILLION


@functools.lru_cache(maxsize=1 << 17)
def _walk(key: int, beat: int) -> int:
    """Return the walk's deviation at a beat, in millionths of the start price."""
    total = 0
    for layer, (period, height) in enumerate(LAYERS):
        index, into = divmod(beat, period)
        here = _noise(key, layer, index)
        there = _noise(key, layer, index + 1) if into else here
        total += height * (here * (period - into) + there * into) // period
    return total // MILLION


class Quote(msgspec.Struct, frozen=True):
    """The best prices at a moment."""

    ask: Decimal
    bid: Decimal
    last: Decimal


class PublicTrade(NamedTuple):
    """One trade of the seeded market."""

    number: int
    at: int
    """Unix nanoseconds."""
    price: Decimal
    volume: Decimal
    buy: bool
    market: bool


class Market:
    """The market of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._keys: dict[str, int] = {}

    def beat(self, now: int) -> int:
        """Return the last beat whose trade has happened at `now` (unix nanoseconds): a second after it began."""
        return max(0, (now // SECOND - EPOCH - 1) // BEAT)

    def began(self, beat: int) -> int:
        """Return the unix second in which a beat began."""
        return EPOCH + beat * BEAT

    def price(self, pair: Pair, beat: int) -> Decimal:
        """Return the price of the trade of a beat, on the pair's tick."""
        tick = pair.tick_size
        ticks = int(Decimal(pair.start) / tick)
        return max(1, ticks * self._worth(pair.base, beat) // self._worth(pair.quote, beat)) * tick

    def quote(self, pair: Pair, beat: int) -> Quote:
        """Return the best ask and bid, at most a few ticks from the last price."""
        last = self.price(pair, beat)
        tick = pair.tick_size
        return Quote(
            last + tick * self._pick(pair, 11, beat, 4),
            max(tick, last - tick * (1 + self._pick(pair, 12, beat, 4))),
            last,
        )

    def trade(self, pair: Pair, beat: int) -> PublicTrade:
        """Return the trade of a beat; it happens within the beat's first second."""
        at = (EPOCH + beat * BEAT) * SECOND + self._pick(pair, 13, beat, SECOND)
        volume = self._volume_until(pair, beat + 1) - self._volume_until(pair, beat)
        dice = self._pick(pair, 14, beat, 4)
        return PublicTrade(beat + 1, at, self.price(pair, beat), volume, bool(dice & 1), bool(dice & 2))

    def trades(self, pair: Pair, since: int, now: int, most: int) -> list[PublicTrade]:
        """List the trades after `since` (unix nanoseconds), oldest first; the newest ones if it is negative."""
        newest = self.beat(now)
        first = max(0, newest + 1 - most if since < 0 else (since // SECOND - EPOCH) // BEAT)
        found = (self.trade(pair, beat) for beat in range(first, min(newest, first + most + 1) + 1))
        return [trade for trade in found if since < trade.at <= now][:most]

    def candles(self, pair: Pair, minutes: int, now: int, most: int = 720) -> list[list[Any]]:
        """List candles as OHLC has them, the running one last."""
        length = minutes * 60
        newest = self.beat(now)
        last = (EPOCH + newest * BEAT) // length * length
        starts = range(max(EPOCH // length * length, last - (most - 1) * length), last + 1, length)
        done = [_candle(self, pair, start, length, start + length) for start in starts[:-1]]
        running = self._aggregate(pair, starts[-1], length, (EPOCH + (newest + 1) * BEAT))
        return [*done, running]

    def ticker(self, pair: Pair, now: int) -> dict[str, Any]:
        """Write a pair's row of Ticker."""
        newest = self.beat(now)
        midnight = self.began(newest) // DAY * DAY
        spans = ((midnight - EPOCH) // BEAT, max(0, newest + 1 - DAY // BEAT))
        prices = [[self.price(pair, beat) for beat in _sample(first, newest, 96)] for first in spans]
        quote = self.quote(pair, newest)
        text = pair.long_price_text
        volumes = [self._volume_until(pair, newest + 1) - self._volume_until(pair, first) for first in spans]
        ask_size, bid_size = (self._size(pair, side, newest, 0) for side in (ASKS, BIDS))
        return {
            "a": [text(quote.ask), str(max(1, int(ask_size))), f"{ask_size:.3f}"],
            "b": [text(quote.bid), str(max(1, int(bid_size))), f"{bid_size:.3f}"],
            "c": [text(quote.last), f"{self.trade(pair, newest).volume:.8f}"],
            "v": [f"{volume:.8f}" for volume in volumes],
            "p": [text(_mean(each)) for each in prices],
            "t": [newest + 1 - first for first in spans],
            "l": [text(min(each)) for each in prices],
            "h": [text(max(each)) for each in prices],
            "o": text(prices[0][0]),
        }

    def book(self, pair: Pair, now: int, levels: int) -> dict[str, list[list[Any]]]:
        """Write both sides of the book as Depth has them."""
        newest = self.beat(now)
        quote = self.quote(pair, newest)
        return {
            "asks": self._side(pair, ASKS, newest, quote.ask, levels),
            "bids": self._side(pair, BIDS, newest, quote.bid, levels),
        }

    def _side(self, pair: Pair, side: int, beat: int, best: Decimal, levels: int) -> list[list[Any]]:
        """Write one side of the book, from the best price outwards."""
        step = pair.tick_size if side == ASKS else -pair.tick_size
        rows: list[list[Any]] = []
        price = best
        for level in range(levels):
            if price <= 0:
                break
            placed = self.began(beat) - self._pick(pair, side + 2, beat + level, 60)
            rows.append([pair.long_price_text(price), f"{self._size(pair, side, beat, level):.3f}", placed])
            price += step * (1 + self._pick(pair, side + 4, beat * 512 + level, 6))
        return rows

    def _worth(self, asset: str, beat: int) -> int:
        """Return an asset's worth, in millionths of that at the start; so pairs with an asset in common agree."""
        liveliness = LIVELINESS.get(asset, 100)
        return MILLION + (_walk(self._key(asset), beat) * liveliness // 100 if liveliness else 0)

    def _key(self, name: str) -> int:
        key = self._keys.get(name)
        if key is None:
            text = f"{self._seed}:{name}".encode()
            key = self._keys[name] = functools.reduce(lambda sofar, byte: _mix(sofar * 257 + byte + 1), text, 1)
        return key

    def _pick(self, pair: Pair, stream: int, index: int, below: int) -> int:
        """Draw from 0 to `below` - 1."""
        return _mix((self._key(pair.name) + stream * 0xA24BAED4963EE407 + index * 0x9FB21C651E98DF25) & _MASK) % below

    def _size(self, pair: Pair, side: int, beat: int, level: int) -> Decimal:
        """Return the volume that rests on a level of the book."""
        share = 200 + self._pick(pair, side, beat * 512 + level, 5000)
        return max(Decimal("0.001"), Decimal(pair.lot) * share / 1000)

    def _volume_until(self, pair: Pair, beat: int) -> Decimal:
        """Add up the volumes of all trades before a beat, without looking at each: its steps are the volumes."""
        lots = beat * MILLION + self._pick(pair, 15, beat, MILLION) if beat else 0
        return Decimal(int(Decimal(pair.lot) * 10**8) * lots // MILLION).scaleb(-8)

    def _aggregate(self, pair: Pair, start: int, length: int, end: int) -> list[Any]:
        """Make one candle of the trades from `start` to before `end` (unix seconds)."""
        first = max(0, (start - EPOCH + BEAT - 1) // BEAT)
        last = max(first, (end - 1 - EPOCH) // BEAT)
        prices = [self.price(pair, beat) for beat in _sample(first, last, SAMPLES if length > 60 else 4)]  # noqa: PLR2004 - a minute
        volume = self._volume_until(pair, last + 1) - self._volume_until(pair, first)
        ohlc = [prices[0], max(prices), min(prices), prices[-1], _mean(prices)]
        return [start, *(pair.price_text(price) for price in ohlc), f"{volume:.8f}", last + 1 - first]


@functools.lru_cache(maxsize=1 << 15)
def _candle(market: Market, pair: Pair, start: int, length: int, end: int) -> list[Any]:
    """Remember the candles that are complete: they never change."""
    return market._aggregate(pair, start, length, end)  # noqa: SLF001 - the market's own memory


def _sample(first: int, last: int, most: int) -> Iterable[int]:
    """Spread at most about `most` beats over a span, its first and last among them."""
    stride = max(1, (last - first) // most)
    return sorted({*range(first, last + 1, stride), last})


def _mean(prices: list[Decimal]) -> Decimal:
    return sum(prices, Decimal(0)) / len(prices)

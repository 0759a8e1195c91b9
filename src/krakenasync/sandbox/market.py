"""The seeded market: prices, trades and offers, each a pure function of (seed, pair, time).

It guides the market maker, which offers what it says and starts afresh each beat, whatever was taken before.
Time is cut into beats of 15 seconds, and each beat has one trade. Prices are a random walk made of layers of noise,
each four times as slow as the one before and twice as high, all in whole numbers. So every machine sees the same
market, any moment can be computed without playing what came before, and an idle market costs nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.listings import Pair

__all__ = ["BEAT", "EPOCH", "Level", "Market", "PublicTrade", "Quote", "Span"]

BEAT: Final = 15
"""Seconds between two trades."""
EPOCH: Final = 1_704_067_200
"""2024-01-01: the market's first trade."""

# Layers of noise: (beats between two values, height in millionths of the price).
LAYERS: Final = tuple((4**layer, 395 * 2**layer) for layer in range(10))
MILLION: Final = 10**6
ASKS, BIDS = 21, 22
"""Random streams for the two sides of the book."""
LIVELINESS: Final = {"ZUSD": 0, "USDT": 1, "ZEUR": 6}
"""How far an asset swings, in percent of a coin's swing; the dollar is the unit that all are measured in."""
SMALLEST: Final = Decimal("0.001")
"""The step of the volumes that the market maker offers, and that Depth shows."""
LEVELS: Final = 500
"""How many prices the market maker offers on each side."""

LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

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


class Level(NamedTuple):
    """A price the market maker offers, and how much of it."""

    price: Decimal
    volume: Decimal
    placed: int
    """Unix nanoseconds."""


class Span(NamedTuple):
    """The trades of a stretch of beats, summed up."""

    opened: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    mean: Decimal
    volume: Decimal
    trades: int


class Market:
    """The market of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._keys: dict[str, int] = {}

    def beat(self, now: int) -> int:
        """Return the last beat whose trade has happened at `now` (unix nanoseconds): a second after it began."""
        return max(0, (now // NANOS - EPOCH - 1) // BEAT)

    def began(self, beat: int) -> int:
        """Return the unix second in which a beat began."""
        return EPOCH + beat * BEAT

    def ripe(self, beat: int) -> int:
        """Return when a beat's trade happens, and the market maker moves (unix nanoseconds)."""
        return (EPOCH + beat * BEAT + 1) * NANOS

    def ticks(self, pair: Pair, beat: int) -> int:
        """Return the price of the trade of a beat, in ticks."""
        start = _start(pair)
        return max(1, start * self._worth(pair.base, beat) // self._worth(pair.quote, beat))

    def price(self, pair: Pair, beat: int) -> Decimal:
        """Return the price of the trade of a beat, on the pair's tick."""
        return self.ticks(pair, beat) * pair.tick_size

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
        """Return the trade of a beat."""
        volume = self._volume_until(pair, beat + 1) - self._volume_until(pair, beat)
        dice = self._pick(pair, 14, beat, 4)
        return PublicTrade(beat + 1, self.ripe(beat), self.price(pair, beat), volume, bool(dice & 1), bool(dice & 2))

    def ladder(self, pair: Pair, beat: int, *, buy: bool) -> Iterator[Level]:
        """Yield what the market maker bids or asks in a beat, from the best price outwards."""
        side = BIDS if buy else ASKS
        quote = self.quote(pair, beat)
        price, step = (quote.bid, -pair.tick_size) if buy else (quote.ask, pair.tick_size)
        for level in range(LEVELS):
            if price <= 0:
                return
            placed = self.ripe(beat) - self._pick(pair, side + 2, beat + level, NANOS)
            yield Level(price, self._size(pair, side, beat, level), placed)
            price += step * (1 + self._pick(pair, side + 4, beat * 512 + level, 6))

    def order_id(self, pair: Pair, placed: int) -> str:
        """Return the id of an offer of the market maker, always the same for the same offer."""
        return self._named("O", pair, placed)

    def trade_id(self, pair: Pair, number: int) -> str:
        """Return the id of a public trade from its number on the pair, always the same."""
        return self._named("T", pair, number)

    def _named(self, kind: str, pair: Pair, seed: int) -> str:
        number = _mix(self._key(pair.name) ^ seed) << 64 | _mix(self._key(pair.name) + seed & _MASK)
        letters = [LETTERS[number >> 5 * place & 31] for place in range(16)]
        return f"{kind}{''.join(letters[:5])}-{''.join(letters[5:10])}-{''.join(letters[10:])}"

    def span(self, pair: Pair, first: int, last: int, samples: int) -> Span:
        """Sum up the trades from one beat to another; high, low and mean are those of about `samples` of them."""
        prices = [self.price(pair, beat) for beat in _sample(first, last, samples)]
        volume = self._volume_until(pair, last + 1) - self._volume_until(pair, first)
        mean = sum(prices, Decimal(0)) / len(prices)
        return Span(prices[0], max(prices), min(prices), prices[-1], mean, volume, last + 1 - first)

    def _worth(self, asset: str, beat: int) -> int:
        """Return an asset's worth, in millionths of its starting worth; so pairs with an asset in common agree."""
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
        return max(SMALLEST, (Decimal(pair.lot) * share / 1000).quantize(SMALLEST))

    def _volume_until(self, pair: Pair, beat: int) -> Decimal:
        """Add up the volumes of all trades before a beat without visiting each; the volumes are its differences."""
        lots = beat * MILLION + self._pick(pair, 15, beat, MILLION) if beat else 0
        return Decimal(int(Decimal(pair.lot) * 10**8) * lots // MILLION).scaleb(-8)


@functools.lru_cache(maxsize=64)
def _start(pair: Pair) -> int:
    """Return the price a pair starts at, in ticks."""
    return int(Decimal(pair.start) / pair.tick_size)


def _sample(first: int, last: int, most: int) -> Iterable[int]:
    """Spread at most about `most` beats over a span, its first and last among them."""
    stride = max(1, (last - first) // most)
    return sorted({*range(first, last + 1, stride), last})

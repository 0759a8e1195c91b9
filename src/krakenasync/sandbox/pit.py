"""A trading pit: all offers for one pair, by the accounts and by the market maker, and the trades.

Source: https://docs.kraken.com/api/docs/guides/spot-l3-data (what others see of an order)
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from krakenasync.sandbox.book import Side
from krakenasync.sandbox.listings import Pair
from krakenasync.sandbox.maker import Ladder
from krakenasync.sandbox.market import Market, PublicTrade
from krakenasync.sandbox.orders import Order
from krakenasync.sandbox.tape import Tape
from krakenasync.sandbox.triggers import Triggers

__all__ = ["LOOKS", "MARKS", "Mark", "Offer", "Pit"]

LOOKS: Final = 6000
"""About how many beats are sampled, per pair, after a long idle time; a day has fewer, so none of its is left out."""
MARKS: Final = 200
"""How many changes of the best prices are remembered."""


class Offer(NamedTuple):
    """Something that may be traded with.

    Attributes:
        volume: What others see of it.
        since: When it took its place in the queue (unix nanoseconds).
        order: The order behind it; None for the market maker's.
    """

    price: Decimal
    volume: Decimal
    since: int
    order: Order | None


class Mark(NamedTuple):
    """The best prices at a moment.

    Attributes:
        own_bid: The best of the accounts' bids alone.
        own_ask: The best of the accounts' asks alone.
    """

    at: int
    bid: Decimal | None
    ask: Decimal | None
    own_bid: Decimal | None
    own_ask: Decimal | None


class Pit:
    """The pit of one pair.

    Attributes:
        beat: The beat of the seeded market that it has reached.
        last: The price of the last trade.
        triggers: Orders that are not visible yet.
        tape: What was traded.
        marks: How the best prices changed by what accounts did.
    """

    def __init__(self, market: Market, pair: Pair, beat: int) -> None:
        self.pair = pair
        self.triggers = Triggers()
        self.tape = Tape(market, pair)
        self.marks: deque[Mark] = deque(maxlen=MARKS)
        self._market = market
        self._queued = 0
        self._bids, self._asks = Side(buy=True), Side(buy=False)
        self._move(beat)

    def turn(self, beat: int) -> None:
        """Go to a beat: the maker makes new offers, and waiting orders see the price of the beat's trade."""
        self._move(beat)
        if len(self.triggers):
            self.triggers.see(self.last)
            self.triggers.see(self.last, index=True)

    def _move(self, beat: int) -> None:
        self.beat = beat
        self.last = self._market.price(self.pair, beat)
        self._made_bids = Ladder(self._market, self.pair, beat, buy=True)
        self._made_asks = Ladder(self._market, self.pair, beat, buy=False)

    @property
    def index(self) -> Decimal:
        """The price of the seeded market, which stands for those of other exchanges."""
        return self._market.price(self.pair, self.beat)

    def side(self, *, buy: bool) -> Side:
        """Return the accounts' bids or asks."""
        return self._bids if buy else self._asks

    def maker(self, *, buy: bool) -> Ladder:
        """Return the market maker's bids or asks."""
        return self._made_bids if buy else self._made_asks

    def front(self, *, buy: bool) -> Offer | None:
        """Return the bid or ask that trades next: the one with the best price, and the oldest at that price."""
        own = _offer(self.side(buy=buy).first())
        made = self.maker(buy=buy).best
        if made is None:
            return own
        theirs = Offer(made.price, made.volume, made.placed, None)
        return theirs if own is None or _rank(theirs, buy=buy) < _rank(own, buy=buy) else own

    def offers(self, *, buy: bool) -> Iterator[Offer]:
        """Yield all bids or asks, in the order in which they trade."""
        own = filter(None, map(_offer, self.side(buy=buy)))
        made = (Offer(level.price, level.volume, level.placed, None) for level in self.maker(buy=buy).levels())
        return heapq.merge(own, made, key=lambda offer: _rank(offer, buy=buy))

    def best(self, *, buy: bool) -> Decimal | None:
        """Return the best bid or ask."""
        offer = self.front(buy=buy)
        return offer.price if offer else None

    def crosses(self, order: Order) -> bool:
        """Whether an order would trade at once."""
        best = self.best(buy=not order.buy)
        return best is not None and order.reaches(best)

    def reachable(self, order: Order) -> tuple[Decimal, Decimal]:
        """Return how much of what is left an order could trade now, and what that would cost before fees."""
        volume, cost = Decimal(0), Decimal(0)
        for offer in self.offers(buy=not order.buy):
            if volume == order.left or not order.reaches(offer.price):
                break
            rival = offer.order
            if rival is not None and rival.account == order.account:
                if order.stp == "cancel-oldest":
                    continue
                break
            # The hidden part of an iceberg is traded at the same price, only later.
            part = min(order.left - volume, rival.left if rival else offer.volume)
            volume, cost = volume + part, cost + part * offer.price
        return volume, cost

    def affordable(self, amount: Decimal) -> Decimal:
        """Return the volume that an amount of the quote currency buys now."""
        volume = Decimal(0)
        for offer in self.offers(buy=False):
            part = min(offer.order.left if offer.order else offer.volume, amount / offer.price)
            volume, amount = volume + part, amount - part * offer.price
            if amount <= 0:
                break
        return volume

    def rest(self, order: Order, at: int) -> None:
        """Queue an order, or the next slice of an iceberg, behind all others at its price."""
        # No two have the same time: the queue has the order of the times that Level3 shows.
        order.queued = self._queued = max(at, self._queued + 1)
        order.shown = min(order.left, order.display or order.left)
        side = self.side(buy=order.buy)
        side.discard(order)
        side.add(order)

    def discard(self, order: Order) -> None:
        """Remove an order, wherever it is."""
        self.side(buy=order.buy).discard(order)
        self.triggers.discard(order)

    def print(self, at: int, price: Decimal, volume: Decimal, *, buy: bool, market: bool) -> PublicTrade:
        """Print a trade in which an account took part."""
        trade = self.tape.print(self.beat, at, price, volume, buy=buy, market=market)
        self.last = price
        if len(self.triggers):
            self.triggers.see(price)
        return trade

    def mark(self, at: int) -> None:
        """Remember the best prices if they have changed."""
        own = self._bids.best, self._asks.best
        mark = Mark(at, self.best(buy=True), self.best(buy=False), *own)
        if not self.marks or mark[1:] != self.marks[-1][1:]:
            self.marks.append(mark)

    def next_stir(self, until: int) -> int | None:
        """Find the next beat, `until` at the latest, that may concern an order."""
        triggers, following = self.triggers, self.triggers.trailing
        falling, rising = triggers.bounds()
        tick = self.pair.tick_size
        low = max((int(price / tick) for price in (self._bids.best, falling) if price is not None), default=None)
        high = min((int(price / tick) for price in (self._asks.best, rising) if price is not None), default=None)
        if low is None and high is None:
            return None
        stride = max(1, (until - self.beat) // LOOKS)
        beat = self.beat
        while beat < until:
            beat = min(beat + stride, until)
            price = self._market.ticks(self.pair, beat)
            if (low is not None and price <= low) or (high is not None and price >= high):
                return beat
            if following and triggers.foresee(price * tick):
                return beat
        return None


def _offer(order: Order | None) -> Offer | None:
    limit = order.limit if order else None
    return Offer(limit, order.shown, order.queued, order) if order and limit is not None else None


def _rank(offer: Offer, *, buy: bool) -> tuple[Decimal, int]:
    return (-offer.price if buy else offer.price, offer.since)

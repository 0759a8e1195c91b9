"""Matching: arriving orders, triggered orders and the market maker's moves trade with resting orders.

Resting orders are matched by price, then by time, and set the price of the trade.

Source: https://docs.kraken.com/api/docs/rest-api/add-order
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Final

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.clearing import Clearing, reservation, reserve
from krakenasync.sandbox.fills import Fill
from krakenasync.sandbox.listings import Pair
from krakenasync.sandbox.market import Market
from krakenasync.sandbox.orders import Order
from krakenasync.sandbox.pit import Pit
from krakenasync.sandbox.triggers import begin_trail

__all__ = ["Matching"]

NO_LIQUIDITY: Final = "Out of liquidity"
NO_FUNDS: Final = "Insufficient funds"
WOULD_TAKE: Final = "Post only order"
SELF_TRADE: Final = "Cannot trade with self"


class Matching:
    """All pits, and the rules by which orders trade in them.

    Attributes:
        pits: The pits by pair.
        follow_ups: Fills of orders with a conditional close, for which the close order is still to be placed.
    """

    def __init__(
        self, accounts: Mapping[str, Account], market: Market, clearing: Clearing, pairs: Iterable[Pair], now: int
    ) -> None:
        self._accounts = accounts
        self._market = market
        self._clearing = clearing
        self.pits = {pair.name: Pit(market, pair, market.beat(now)) for pair in pairs}
        self.follow_ups: deque[tuple[Order, Fill]] = deque()

    def enter(self, order: Order, at: int) -> None:
        """Let an order enter the market: it waits for its trigger, trades, rests or is cancelled at once."""
        pit = self.pits[order.pair.name]
        if order.waits:
            begin_trail(order, pit.last)
            if self._accounts[order.account].available(order.hold_asset) < 0:
                self.leave(order, "canceled", at, NO_FUNDS)
            else:
                pit.triggers.add(order, pit.last, pit.index)
        else:
            self._work(pit, order, at)
        self.set_off(pit, at)
        pit.mark(at)

    def leave(self, order: Order, status: str, at: int, reason: str | None) -> None:
        """Take an order out of the market permanently."""
        self.pits[order.pair.name].discard(order)
        order.status, order.closed, order.reason, order.hold = status, at, reason, Decimal(0)
        self._accounts[order.account].open.pop(order.txid, None)

    def play(self, pit: Pit, beat: int) -> None:
        """Let a beat of the seeded market happen: the maker moves, somebody trades, orders are triggered."""
        pit.turn(beat)
        at = self._market.ripe(beat)
        for buy in (True, False):
            self._requote(pit, at, buy=buy)
        flow = self._market.trade(pit.pair, beat)
        left = flow.volume.quantize(Decimal(1).scaleb(-pit.pair.lot_decimals), ROUND_DOWN)
        side = pit.side(buy=not flow.buy)
        while left > 0 and (order := side.first()) is not None and order.reaches(flow.price):
            volume = min(left, order.shown)
            left -= volume
            self._trade(pit, None, order, volume, at, buy=flow.buy)
        self.set_off(pit, at)
        pit.mark(at)

    def _requote(self, pit: Pit, at: int, *, buy: bool) -> None:
        """Let the maker's new offers trade with the accounts' orders they meet, at the accounts' prices."""
        side, made = pit.side(buy=buy), pit.maker(buy=not buy)
        while (order := side.first()) is not None and (level := made.best) is not None and order.reaches(level.price):
            volume = min(order.shown, level.volume)
            made.take(volume)
            self._trade(pit, None, order, volume, at, buy=not buy)

    def set_off(self, pit: Pit, at: int) -> None:
        """Let the orders that the last trades triggered enter the market; their trades may trigger more."""
        while ready := pit.triggers.take():
            for order in ready:
                order.triggered = True
                self._work(pit, order, at)

    def _work(self, pit: Pit, order: Order, at: int) -> None:
        """Trade an order with what rests, then let it rest or cancel it, by its kind and time in force."""
        immediate = order.limit is None or order.time_in_force in ("IOC", "FOK")
        refused = self._refused(pit, order)
        if refused:
            self.leave(order, "canceled", at, refused)
            return
        self._take(pit, order, at)
        if not order.alive:
            return
        if immediate:
            kind = order.time_in_force if order.limit is not None else ""
            self.leave(order, "canceled", at, f"{kind} order not filled" if kind else NO_LIQUIDITY)
        else:
            pit.rest(order, at)
            order.hold = reservation(order, order.limit or Decimal(0))[1]

    def _refused(self, pit: Pit, order: Order) -> str:
        """Return why an order cannot trade after all in the current market; empty if it can."""
        if order.post_only and pit.crosses(order):
            return WOULD_TAKE
        if order.limit is not None and order.time_in_force != "FOK":
            return ""
        volume, cost = pit.reachable(order)
        if order.time_in_force == "FOK" and volume < order.left:
            return "FOK order not filled"
        if order.limit is None:
            asset, needed = reserve(order, cost)
            if needed > self._accounts[order.account].available(asset) + order.hold:
                return NO_FUNDS
        return ""

    def _take(self, pit: Pit, order: Order, at: int) -> None:
        """Trade an order with resting ones, best price first, as far as its limit goes."""
        while order.alive and (offer := pit.front(buy=not order.buy)) is not None and order.reaches(offer.price):
            rival = offer.order
            if rival is not None and rival.account == order.account:
                self._prevent(order, rival, at)
                continue
            volume = min(order.left, offer.volume)
            if rival is None:
                pit.maker(buy=not order.buy).take(volume)
            self._trade(pit, order, rival, volume, at, buy=order.buy, price=offer.price)

    def _prevent(self, order: Order, rival: Order, at: int) -> None:
        """Cancel one or both of two orders of one account that would meet."""
        if order.stp in ("cancel-oldest", "cancel-both"):
            self.leave(rival, "canceled", at, SELF_TRADE)
        if order.stp in ("cancel-newest", "cancel-both"):
            self.leave(order, "canceled", at, SELF_TRADE)

    def _trade(
        self,
        pit: Pit,
        taker: Order | None,
        resting: Order | None,
        volume: Decimal,
        at: int,
        *,
        buy: bool,
        price: Decimal | None = None,
    ) -> None:
        """Carry out a trade; where there is no order, the market maker is that side.

        Args:
            pit: Where.
            taker: The order that arrived.
            resting: The order it met, which sets the price.
            volume: How much.
            at: Unix nanoseconds.
            buy: Whether the order that arrived buys.
            price: The price, if the order met the market maker's offer.
        """
        if price is None and resting is not None:
            price = resting.limit
        if price is None:
            raise ValueError("a trade needs a price")
        trade = pit.print(at, price, volume, buy=buy, market=taker is not None and taker.limit is None)
        if resting is not None:
            resting.shown -= volume
        for order in (taker, resting):
            if order is not None:
                fill = self._clearing.fill(order, trade, maker=order is resting)
                self._settle(pit, order, fill, at)

    def _settle(self, pit: Pit, order: Order, fill: Fill, at: int) -> None:
        """Update an order after a fill: it is done, or reserves less and shows the iceberg's next slice."""
        if order.close is not None:
            self.follow_ups.append((order, fill))
        if order.left <= 0:
            self.leave(order, "closed", at, None)
            return
        price = order.limit or order.price
        if price is not None:
            order.hold = reservation(order, price)[1]
        if order.shown <= 0 and order in pit.side(buy=order.buy):
            pit.rest(order, at)

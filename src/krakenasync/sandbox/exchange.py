"""The exchange: orders come in, trade, rest, change, leave, start and expire.

Nothing happens by itself. `settle` catches up with the clock: whatever was due since the last call happens in order of
time, so it makes no difference how often it is called.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from typing import Final

from krakenasync.clock import Clock
from krakenasync.protocol.clordid import fold_id
from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.clearing import Clearing, Ids, Movement, reservation, reserve
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.closing import close_order
from krakenasync.sandbox.fees import rates
from krakenasync.sandbox.fills import Fill
from krakenasync.sandbox.listings import PAIRS, Pair
from krakenasync.sandbox.market import Market
from krakenasync.sandbox.matching import Matching
from krakenasync.sandbox.orders import Order
from krakenasync.sandbox.pit import Pit
from krakenasync.sandbox.refusals import INSUFFICIENT_FUNDS, ORDERS_LIMIT, POST_ONLY, Refusal, invalid
from krakenasync.sandbox.timers import EXPIRE, START, SWITCH, Timer, Timers
from krakenasync.sandbox.triggers import begin_trail

__all__ = ["Exchange", "Movement"]

USER_REQUESTED: Final = "User requested"
REPLACED: Final = "Order replaced"
EXPIRED: Final = "GTD order expired"
SWITCHED_OFF: Final = "Cancelled by the dead man's switch"


class Exchange:
    """All accounts' orders and trades.

    Attributes:
        house: The other side of every trade: the market maker's purse.
        fees: Where fees go.
        fills: Every account's trades, by the account's name, oldest first.
        movements: Every account's ledger, by the account's name, oldest first.
        volumes: What the accounts traded in thirty days, which decides their fees.
        switches: When the dead man's switches fire (unix nanoseconds), by the account's name.
    """

    def __init__(self, accounts: dict[str, Account], market: Market, clock: Clock, chance: random.Random) -> None:
        self._accounts = accounts
        self._market = market
        self._clock = clock
        self._settled = clock.wall_ns()
        self._ids = Ids(chance)
        self._timers = Timers()
        clearing = Clearing(accounts, market, self._ids)
        self._matching = Matching(accounts, market, clearing, PAIRS.values(), self._settled)
        self.house, self.fees, self.volumes = clearing.house, clearing.fees, clearing.volumes
        self.fills: dict[str, list[Fill]] = clearing.fills
        self.movements: dict[str, list[Movement]] = clearing.movements
        self.switches: dict[str, int] = {}

    def now(self) -> int:
        """Unix nanoseconds; never less than before, whatever is done to the clock."""
        return max(self._clock.wall_ns(), self._settled)

    def new_id(self, kind: str) -> str:
        """Draw an id of Kraken's form, such as ``OXXXXX-XXXXX-XXXXXX`` for kind ``O``."""
        return self._ids.draw(kind)

    def pit(self, pair: Pair) -> Pit:
        """Return where a pair is traded."""
        return self._matching.pits[pair.name]

    def settle(self) -> None:
        """Catch up with the clock: let everything that has become due happen, in order of time."""
        now = self.now()
        while self._settled < now:
            until = self._timers.next(now)
            self._play_until(until)
            self._settled = max(self._settled, until)
            while (timer := self._timers.due(until)) is not None:
                self._ring(timer)

    def _play_until(self, until: int) -> None:
        """Let the seeded market move on; only beats that concern an order are played, the others are skipped."""
        last = self._market.beat(until)
        stirs: list[tuple[int, str]] = []
        for name, pit in self._matching.pits.items():
            if pit.beat < last:
                self._push_next(stirs, name, pit, last)
        while stirs:
            beat, name = heapq.heappop(stirs)
            pit = self._matching.pits[name]
            self._matching.play(pit, beat)
            self._follow_up(self._market.ripe(beat))
            self._push_next(stirs, name, pit, last)

    def _push_next(self, stirs: list[tuple[int, str]], name: str, pit: Pit, last: int) -> None:
        """Note the next beat that concerns an order of a pit; if there is none, go to the last one."""
        beat = pit.next_stir(last) if pit.beat < last else None
        if beat is not None:
            heapq.heappush(stirs, (beat, name))
        elif pit.beat < last:
            pit.turn(last)

    def _ring(self, timer: Timer) -> None:
        account = self._accounts[timer.account]
        if timer.what == SWITCH:
            if self.switches.get(timer.account) == timer.at:
                del self.switches[timer.account]
                self._cancel(account.open.values(), timer.at, SWITCHED_OFF)
            return
        order = account.open.get(timer.txid)
        if order is None:
            return
        if timer.what == START:
            self.enter(order, timer.at)
        else:
            self._matching.leave(order, "expired", timer.at, EXPIRED)
            self.pit(order.pair).mark(timer.at)

    def check(self, account: Account, order: Order, *, instead_of: Order | None = None) -> None:
        """Check what depends on the account and the market: room, funds, post-only. Sets what the order reserves.

        Args:
            account: Whose order it is.
            order: What is to be placed.
            instead_of: An order that makes room for it.

        Raises:
            Refusal: One of these checks fails.
        """
        resting = sum(other.pair is order.pair for other in account.open.values() if other is not instead_of)
        if resting >= account.tier.open_orders:
            raise Refusal(ORDERS_LIMIT)
        if order.post_only and self.pit(order.pair).crosses(order):
            raise Refusal(POST_ONLY)
        order.account = account.name
        volume = self.volumes.total(account.name, self.now())
        order.maker_rate, order.taker_rate = rates(order.pair, volume)
        self._set_hold(order)
        freed = instead_of.hold if instead_of and instead_of.hold_asset == order.hold_asset else 0
        if order.hold > account.available(order.hold_asset) + freed:
            raise Refusal(INSUFFICIENT_FUNDS)

    def _set_hold(self, order: Order) -> None:
        """Work out what an order has to reserve: at its limit, at its trigger, or at what the market asks."""
        pit = self.pit(order.pair)
        begin_trail(order, pit.last)
        price = order.limit or order.price
        if price is not None:
            order.hold_asset, order.hold = reservation(order, price)
            return
        to_spend = Decimal(0)
        if "viqc" in order.oflags and not order.filled:
            to_spend = order.worth = order.worth or order.volume
            volume = pit.affordable(to_spend)
            order.volume = volume.quantize(Decimal(1).scaleb(-order.pair.lot_decimals), ROUND_DOWN)
        order.hold_asset, order.hold = reserve(order, max(pit.reachable(order)[1], to_spend))

    def place(self, account: Account, order: Order, *, at: int | None = None, instead_of: Order | None = None) -> Order:
        """Accept an order: it trades, rests, waits or is cancelled at once, by its kind and time in force.

        Raises:
            Refusal: Its client id is taken, or `check` refuses it.
        """
        if order.cl_ord_id is not None and self.find_client_id(account, order.cl_ord_id) is not None:
            raise invalid("cl_ord_id not unique")
        self.check(account, order, instead_of=instead_of)
        now = self.now() if at is None else at
        if instead_of is not None:
            self._cancel([instead_of], now, REPLACED)
        order.txid = self.new_id("O")
        account.orders[order.txid] = account.open[order.txid] = order
        if order.expires:
            self._timers.set(order.expires, EXPIRE, account.name, order.txid)
        if order.starts > now:
            order.status = "pending"
            self._timers.set(order.starts, START, account.name, order.txid)
        else:
            self.enter(order, now)
        return order

    def enter(self, order: Order, at: int) -> None:
        """Let an order enter the market: one that is new, has reached its start time or was changed."""
        order.status = "open"
        self._matching.enter(order, at)
        self._follow_up(at)

    def _follow_up(self, at: int) -> None:
        """Place the close orders of the fills that happened; skip one that cannot be placed."""
        follow_ups = self._matching.follow_ups
        while follow_ups:
            parent, fill = follow_ups.popleft()
            try:
                order = close_order(parent, fill, self.pit(parent.pair).last, at)
                self.place(self._accounts[parent.account], order, at=at)
            except Refusal:
                continue

    def cancel(self, account: Account, orders: Iterable[Order]) -> int:
        """Take an account's open orders out of the market; returns how many."""
        return self._cancel([order for order in orders if order.txid in account.open], self.now(), USER_REQUESTED)

    def _cancel(self, orders: Iterable[Order], at: int, reason: str) -> int:
        gone = list(orders)
        for order in gone:
            self._matching.leave(order, "canceled", at, reason)
        for name in {order.pair.name: None for order in gone}:
            self._matching.pits[name].mark(at)
        return len(gone)

    def set_switch(self, account: Account, seconds: int) -> int:
        """Set or reset an account's dead man's switch; 0 switches it off.

        Returns:
            When it fires (unix nanoseconds); 0 for never.
        """
        self.switches.pop(account.name, None)
        if not seconds:
            return 0
        at = self.switches[account.name] = self.now() + seconds * NANOS
        self._timers.set(at, SWITCH, account.name)
        return at

    def find_client_id(self, account: Account, cl_ord_id: str) -> Order | None:
        """Find the open order that has a client id."""
        wanted = fold_id(cl_ord_id)
        for order in account.open.values():
            if order.cl_ord_id is not None and fold_id(order.cl_ord_id) == wanted:
                return order
        return None

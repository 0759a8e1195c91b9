"""The gate of a client that shares its limits with other processes.

Inside a process everything is as without a store: lanes, fair order, points held in flight. Beyond that the store
decides. A gate has one slot booked at a time, for the call at the head of its queue when the slot is due; so an
urgent call overtakes others of its own process, and processes take turns.
"""

from __future__ import annotations

import logging
import math
from typing import Any, Final

import anyio

from krakenasync.client.gates import Gate
from krakenasync.client.nonces import KeyLane
from krakenasync.client.queueing import Lane, Price, Waiter
from krakenasync.client.sharedlane import Application, SharedLane
from krakenasync.errors import ConfigurationError, RateLimitTimeout, StateUnavailable
from krakenasync.protocol.charges import DEAREST
from krakenasync.state.bucket import Bucket
from krakenasync.state.desk import Report
from krakenasync.state.port import Adjust, Book, Booking, GiveBack, Refuse, Send, Step
from krakenasync.state.shared import SharedState

__all__ = ["SharedGate"]

LOG: Final = logging.getLogger("krakenasync")

_DUST: Final = 1e-9
_DRIFT: Final = 0.05
"""Seconds by which two clocks' views of one pause may differ."""
_EVER: Final = 1e9


class SharedGate(Gate):
    """The queue in front of a counter that other processes charge as well."""

    def __init__(self, name: str, bucket: Bucket, state: SharedState) -> None:
        super().__init__(name, bucket)
        self._clock = state.clock
        self._desk = state.desk()
        self.shared = state.counter(bucket)
        self._asking = False
        self._slot: Booking | None = None
        self._due = 0.0
        self._asked = False
        self._owed = 0.0
        self._overdraws = False
        self._refusals: list[tuple[float, float]] = []
        self._told = bucket.blocked_until
        self.granted = 0
        """Calls that were let through and have not ended yet."""

    async def acquire(self, price: Price, lane: Lane, key_lane: KeyLane | None = None) -> float:
        """Wait for the call's turn, for room, and for a slot from the store; then hold the points.

        Args:
            price: Returns what the call costs at that moment.
            lane: The call's priority.
            key_lane: The lane that the call enters next; applied for in the same question.

        Returns:
            The points held.

        Raises:
            RateLimitTimeout: The wait cannot end before the caller's deadline.
            StateUnavailable: The store does not answer.
        """
        key_lane = (
            key_lane if isinstance(key_lane, SharedLane) else None
        )  # a lane in this process alone needs no application
        waiter = self.queue.join(lane, price)
        application = None
        try:
            if self.queue.head() is not waiter:
                self._fail_early(waiter)
            while True:
                delay = math.inf
                if self.queue.head() is waiter:
                    left = _time_left()
                    if left < _EVER:
                        self._fail_early(waiter)
                    delay = self._soonest(price)
                    if not delay:
                        delay, application = await self._slot_in(waiter, left, key_lane)
                if not delay and self.queue.head() is waiter and self.bucket.try_reserve(cost := price()):
                    self._use(cost)
                    application = None  # it now belongs to the call
                    return cost
                if key_lane is not None and application is not None:
                    await key_lane.give_up(application)
                await waiter.wait(delay)
        finally:
            self.queue.leave(waiter)
            self.queue.wake_head()
            if key_lane is not None and application is not None:
                await key_lane.give_up(application)
            if self._slot is not None and not self.queue:
                await self._abandon()

    async def _slot_in(
        self, waiter: Waiter, longest: float, key_lane: SharedLane | None
    ) -> tuple[float, Application | None]:
        """Return the seconds until this gate's slot may be used, 0 for now; book one if there is none large enough."""
        if self._asking:
            return math.inf, None  # the previous head is still asking, and wakes us up
        if self._slot is None and key_lane is not None and not key_lane.open_for(self):
            return math.inf, None  # the lane wakes us up
        self._asking = True
        try:
            return await self._ask(waiter.cost, longest, key_lane)
        finally:
            self._asking = False
            if self.queue.head() is not waiter:
                self.queue.wake_head()

    async def _ask(self, cost: float, longest: float, key_lane: SharedLane | None) -> tuple[float, Application | None]:
        slot = self._slot
        if slot is None:
            return await self._book(cost, longest, key_lane)
        if slot.cost < cost - _DUST:  # the price has risen since
            self._slot = None
            return await self._book(cost, longest, key_lane, _given_back(slot))
        if (left := self._due - self.now()) > 0:
            return left, None
        if self._asked:
            return 0.0, None
        return await self._confirm(slot, key_lane)

    async def _book(
        self, cost: float, longest: float, key_lane: SharedLane | None, *before: Step
    ) -> tuple[float, Application | None]:
        """Book a slot; return the seconds until it is due."""
        booking, application = await self._with(key_lane, [*before, self._to_book(cost, longest)])
        try:
            wait = self._booked(booking, longest)
        except RateLimitTimeout:
            if key_lane is not None and application is not None:
                await key_lane.give_up(application)
            raise
        self._due, self._asked = self.now() + wait, not wait
        return wait, application

    async def _confirm(self, slot: Booking, key_lane: SharedLane | None) -> tuple[float, Application | None]:
        """Ask whether a slot that is due may be used: return 0, or the seconds after which to book another."""
        wait, application = await self._with(key_lane, [Send(slot.name, slot.limit, slot.booked)])
        if wait:
            self._slot = None
            await self._desk.ask(_given_back(slot))
        self._due, self._asked = self.now() + wait, not wait
        return wait, application

    async def _with(self, key_lane: SharedLane | None, steps: list[Step]) -> tuple[Any, Application | None]:
        """Ask about a slot, and for a place in the call's lane if it is due."""
        if self.owing:
            self._desk.owe(self)
        applied = key_lane.apply(self) if key_lane is not None else None
        if key_lane is None or applied is None:
            return (await self._desk.ask(*steps))[-1], None
        application, wish = applied
        entry = None
        try:
            *_others, found, entry = await self._desk.ask(*steps, wish)
        finally:
            key_lane.answered(application, entry)
        return found, application

    def _to_book(self, cost: float, longest: float) -> Book:
        limit = self.shared.limit
        if cost > limit.cap:  # then it is sent when the counter is empty
            limit = limit._replace(cap=cost)
        # A call that costs nothing takes its turn as well: a booking of 0 points would not be one.
        return Book(self.shared.name, limit, max(cost, _DUST), longest, self.shared.initial)

    def _booked(self, slot: Booking, longest: float) -> float:
        if not slot.made:
            raise RateLimitTimeout(
                f"the {self.name} counter, shared with other processes, has room in {slot.wait:.2f} s, "
                f"the deadline is in {longest:.2f} s",
                retry_after=slot.wait,
                hint="allow more time, or ask less often",
            )
        self._slot = slot
        return slot.wait

    def _use(self, cost: float) -> None:
        """Use up the slot; what the price has fallen by meanwhile is given back."""
        slot, self._slot = self._slot, None
        self.granted += 1
        if slot is not None and slot.cost > cost + _DUST:
            self._owed -= slot.cost - cost

    async def _abandon(self) -> None:
        """Give the slot back, because no call waits any more."""
        slot, self._slot = self._slot, None
        if slot is None:
            return
        with anyio.CancelScope(shield=True):
            try:
                await self._desk.ask(_given_back(slot))
            except (StateUnavailable, ConfigurationError) as error:
                LOG.warning("a slot of the %s counter is lost: %s", self.name, error)

    def acquire_nowait(self, _cost: float) -> bool:
        """Return False: only the store knows whether another call is ahead."""
        return False

    def reserve(self, cost: float) -> None:
        """Hold points whether they fit or not, and have the store count them."""
        super().reserve(cost)
        self.granted += 1
        self._overdraws |= cost > 0
        self.owe(cost)

    def owe(self, points: float) -> None:
        """Have the store's counter corrected by `points`."""
        self._owed += points
        if self.owing:
            self._desk.owe(self)

    def learn(self, cost: float, sent: float) -> None:
        """Have a refusal reported to the store: all that share the counter pause, then continue more slowly."""
        self._refusals.append((cost, sent))
        if self.bucket.blocked_until == self.bucket.caution.until:
            self._told = self.bucket.blocked_until
        self._desk.owe(self)

    @property
    def owing(self) -> bool:
        """Whether something has to be reported to the store."""
        return bool(self._owed or self._refusals or self.bucket.blocked_until != self._told)

    def owed(self) -> Report:
        """Hand over what is to be reported: points to correct, a block, refusals."""
        name, limit = self.shared.name, self.shared.limit
        until, points, now = self.bucket.blocked_until, self._owed, self.now()
        block = max(0.0, until - now) if until != self._told else 0.0
        overdraws = self._overdraws
        self._owed, self._told, self._overdraws = 0.0, until, False
        refusals, self._refusals = self._refusals, []
        cap = self.bucket.spec.cap
        steps: list[Step] = [
            Refuse(name, limit, cap + cost, now - sent, max(0.0, cap - DEAREST)) for cost, sent in refusals
        ]
        if points or block:
            steps.append(Adjust(name, limit, points, limit.cap if block else 0.0, block, overdraws))
        return Report(now, steps)

    def unpaid(self, report: Report) -> None:
        """Take back what could not be reported, as far as reporting it twice does no harm."""
        for step in report.steps:
            if isinstance(step, Adjust):
                self._owed += max(0.0, step.delta)
                self._overdraws |= step.overdraws
                if step.block:
                    self._told = -math.inf
            elif isinstance(step, Refuse):
                self._refusals.append((step.floor - self.bucket.spec.cap, report.at - step.ago))
        if self.owing:
            self._desk.owe(self)

    @property
    def to_send(self) -> Send:
        """Return the step that asks whether another call was refused meanwhile."""
        return Send(self.shared.name, self.shared.limit)

    def put_off(self, seconds: float) -> None:
        """Send calls that were let through back into line, because another process was refused."""
        if seconds > 0 and self.bucket.blocked_until - self.now() < seconds - _DRIFT:
            self.bucket.block(seconds)
            self._told = self.bucket.blocked_until

    async def tell(self) -> None:
        """Send the store what is still to be reported."""
        if (telling := self._desk.tell()) is not None:
            await telling

    def over(self) -> None:
        """Record that a call that was let through has ended."""
        self.granted -= 1

    def late(self, granted: float) -> float:
        """Return the points that decayed too early because a call took longer than was allowed for."""
        return max(0.0, (self.now() - granted - self.shared.spread) * self.shared.limit.decay)

    def unused(self, cost: float, granted: float) -> float:
        """Return the points of an unused grant that cannot have decayed yet."""
        return max(0.0, cost - max(0.0, self.now() - granted) * self.shared.limit.decay)

    async def renewed(self, cost: float, granted: float) -> bool:
        """Have the part of a grant that may have decayed counted again; return whether there is room for it.

        Raises:
            StateUnavailable: The store does not answer.
        """
        name, limit = self.shared.name, self.shared.limit
        again = min(cost, max(0.0, self.now() - granted) * limit.decay)
        standing = (await self._desk.ask(Adjust(name, limit, again)))[-1]
        self.put_off(standing.blocked_for)
        return bool(standing.level + standing.margin <= max(limit.cap, cost) + _DUST)

    def stale(self, granted: float) -> bool:
        """Whether a grant is too old to be used: the call would arrive too close to those after it."""
        return self.now() - granted > self.shared.spread / 2

    def now(self) -> float:
        """Return the seconds of the client's steady clock."""
        return self._clock.monotonic()


def _given_back(slot: Booking) -> GiveBack:
    return GiveBack(slot.name, slot.limit, slot.cost, slot.due, slot.booked)


def _time_left() -> float:
    """Return the seconds until the caller's deadline; a very long time without one, or if it is already cancelled."""
    deadline = anyio.current_effective_deadline()
    return _EVER if math.isinf(deadline) else max(0.0, deadline - anyio.current_time())

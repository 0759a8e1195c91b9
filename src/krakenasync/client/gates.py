"""A counter's gate: calls pass in fair order, and only when there is room.

Only the head of a gate's queue sleeps, until the counter says that it can fit; any change to the counter wakes the head
to look again.

What happens to the points of a `Hold`, depending on what happened to the call:

    settle()              an answer came                  they decay from now on
    settle(refused=True)  the engine refused the call     what a refusal does not cost comes back, the rest decays
    keep()                no answer, it may still arrive  held for a grace, then they decay
    refused(error)        Kraken's own counter was full   they come back; the counter is as Kraken says, or blocked
    release()             nothing was sent                they come back
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

import anyio
import msgspec

from krakenasync.client.ageing import Ageing
from krakenasync.client.queueing import Lane, Price, Queue, Waiter
from krakenasync.errors import DomainLimitExceeded, EngineLimitExceeded, RateLimitExceeded, RateLimitTimeout, Throttled
from krakenasync.protocol.refusals import throttled_until

if TYPE_CHECKING:
    from krakenasync.client.nonces import KeyLane
    from krakenasync.state.bucket import Bucket

__all__ = ["ELSEWHERE", "GRACE", "Charged", "Gate", "Hold"]

GRACE: Final = 10.0
"""Seconds for which a call without an answer may still arrive at Kraken."""
PUBLIC_GRACE: Final = 1.0
"""The same for public calls, whose cap is one point: one that arrives later only costs a call of the next second."""
LONGEST_THROTTLE: Final = 60.0
ELSEWHERE: Final = 5.0
"""Seconds to pause after a refusal by a counter other than the one charged, or after one that names no time."""


class Gate:
    """The queue in front of one counter, on one event loop."""

    def __init__(self, name: str, bucket: Bucket) -> None:
        self.name = name
        self.bucket = bucket
        self.queue = Queue()
        self.of_engine = name.startswith("engine:")
        """Whether the counter is one of the matching engine's."""
        self.grace = PUBLIC_GRACE if name.partition(":")[0] == "public" else GRACE
        """Seconds for which a call without an answer may still be charged."""

    async def acquire(self, price: Price, lane: Lane, key_lane: KeyLane | None = None) -> float:  # noqa: ARG002 - for SharedGate
        """Wait for the call's turn and for room, then hold its points.

        Args:
            price: Returns what the call costs at that moment.
            lane: The call's priority.
            key_lane: The lane that the call enters next; needed where the store decides about both.

        Returns:
            The points held.

        Raises:
            RateLimitTimeout: The wait cannot end before the caller's deadline.
        """
        if self.acquire_nowait(cost := price()):
            return cost
        waiter = self.queue.join(lane, price)
        try:
            self._fail_early(waiter)
            while self.queue.head() is not waiter or not self.bucket.try_reserve(cost := price()):
                delay = math.inf
                if self.queue.head() is waiter:
                    self._fail_early(waiter)  # a refusal may have made the wait longer
                    delay = self._soonest(price)
                await waiter.wait(delay)
        finally:
            self.queue.leave(waiter)
            self.queue.wake_head()
        return cost

    def acquire_nowait(self, cost: float) -> bool:
        """Hold the points if they fit now and no call is waiting."""
        return not self.queue.length and self.bucket.try_reserve(cost)

    def reserve(self, cost: float) -> None:
        """Hold points whether they fit or not."""
        self.bucket.reserve(cost)

    def _soonest(self, price: Price, ahead: float = 0.0) -> float:
        """Return the seconds until there can be room at the earliest; a price that falls meanwhile may need less."""
        soonest = self.bucket.delay(price(), ahead)
        if isinstance(price, Ageing):
            falls = [max(later, self.bucket.delay(price(later), ahead)) for later in price.falls()]
            soonest = min(soonest, *falls, math.inf)
        return soonest

    def _fail_early(self, waiter: Waiter) -> None:
        """Raise `RateLimitTimeout` if the wait cannot end in time, instead of waiting in vain."""
        deadline = anyio.current_effective_deadline()
        if math.isinf(deadline):
            return  # no deadline; or the caller is cancelled, which the next await raises
        delay = self._soonest(waiter.price, self.queue.cost_before(waiter))
        left = deadline - anyio.current_time()
        if delay > left:
            raise RateLimitTimeout(
                f"the {self.name} counter has room in {delay:.2f} s, the deadline is in {max(left, 0.0):.2f} s",
                retry_after=delay,
                hint="allow more time, ask less often, or see limits.snapshot()",
            )


class Charged(msgspec.Struct, frozen=True):
    """Points held on one counter.

    Attributes:
        gate: The counter's gate.
        cost: The points.
        fixed: The part of them that is charged even if Kraken refuses the call.
        pause: The counter's `blocked_until` at that moment; it is later now if Kraken has since refused another call.
        waits: Whether the call waits for room; some are carried out whatever the counter says.
        price: Returns what the call costs now, if that can rise while it waits for its turn: another amend makes an
            old order young.
    """

    gate: Gate
    cost: float
    fixed: float
    pause: float
    waits: bool = True
    price: Callable[[], float] | None = None


Over = Callable[[float | None], None]
"""Called with what became of a call: None if nothing, else the seconds for which it may still arrive."""


class Hold(msgspec.Struct):
    """Points held for one attempt, until `settle`, `keep`, `refused` or `release` says what became of it."""

    _charges: Sequence[Charged]
    """What is held; empty once it is known what became of the call."""
    _sent: float
    """When it was granted, on the steady clock."""
    _over: Over | None = None
    """Called with what became of the call."""
    unanswered: bool = False
    """Whether no answer came, and the request may still arrive."""

    owing: ClassVar[bool] = False
    """Whether the outcome of the call has to be reported to a store."""

    @property
    def counter(self) -> str:
        """The name of the charged counter, or "" if there is none, or none any longer."""
        return self._charges[0].gate.name if self._charges else ""

    @property
    def sent(self) -> float:
        """When the call was let through, on the steady clock."""
        return self._sent

    @property
    def of_engine(self) -> bool:
        """Whether points of the matching engine's counters are held."""
        return any(charged.gate.of_engine for charged in self._charges)

    @property
    def overtaken(self) -> bool:
        """Whether the call has to go back into line instead of being sent.

        That is so if Kraken has since refused another call, if a call that does not wait for room has used up what
        this one relied on, or if this one now costs more than what is held.
        """
        for charged in self._charges:
            bucket = charged.gate.bucket
            if bucket.blocked_until != charged.pause or (charged.waits and bucket.overdrawn()):
                return True
            if charged.price is not None and charged.price() > charged.cost:
                return True
        return False

    async def renewed(self) -> bool:
        """Whether a call that was overtaken may be sent nevertheless; asked at its turn."""
        return False

    async def pay(self) -> None:
        """Report the outcome to the store, if there is one."""

    def settle(self, *, refused: bool = False) -> None:
        """Let the points begin to decay, because an answer came.

        Args:
            refused: Whether Kraken refused the call; the matching engine then charges only the fixed part.
        """
        for charged in self._ended(None if refused else 0.0):
            gate, cost = charged.gate, charged.cost
            if refused:
                gate.bucket.refund(cost - charged.fixed)
            gate.bucket.settle(charged.fixed if refused else cost)
            if gate.queue.length:
                gate.queue.wake_head()

    def keep(self) -> None:
        """Hold the points for a grace period: no answer came, but the request may still arrive."""
        self.unanswered = True
        for charged in self._ended(GRACE):
            charged.gate.bucket.keep(charged.cost, charged.gate.grace)

    def refused(self, error: RateLimitExceeded, wall: float) -> None:
        """Accept that one of Kraken's own counters was full, and set the error's `retry_after`."""
        throttled = throttled_for(error, wall) if isinstance(error, Throttled) else None
        error.retry_after = ELSEWHERE if throttled is None else throttled
        of_engine = isinstance(error, EngineLimitExceeded)
        of_account = isinstance(error, DomainLimitExceeded)  # then the pair's own counter is not full
        for charged in self._ended():
            gate, cost = charged.gate, charged.cost
            gate.bucket.refund(cost)
            if throttled is not None:
                gate.bucket.block(throttled)
            elif gate.of_engine is of_engine and not of_account:
                gate.bucket.refused(cost, sent=self._sent)
            else:
                gate.bucket.block(ELSEWHERE)
            error.retry_after = gate.bucket.delay(cost)
            gate.queue.wake_head()

    def _ended(self, may_arrive_for: float | None = None) -> Sequence[Charged]:
        charges, self._charges = self._charges, ()
        if self._over is not None:
            over, self._over = self._over, None
            over(may_arrive_for)
        return charges

    def release(self) -> None:
        """Give the points back if nothing was sent; does nothing once one of the other methods was called."""
        if not self._charges and self._over is None:
            return
        for charged in self._ended():
            charged.gate.bucket.refund(charged.cost)
            charged.gate.queue.wake_head()


def throttled_for(error: Throttled, wall: float) -> float:
    """Return the seconds until the time that the refusal names, limited to between 1 and 60."""
    until = throttled_until(error.codes)
    return ELSEWHERE if until is None else min(max(until - wall, 1.0), LONGEST_THROTTLE)

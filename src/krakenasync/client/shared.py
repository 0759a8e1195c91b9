"""Gate, hold and lane of a client that shares its limits with other processes.

Inside a process everything is as without a store: lanes, fair order, points held in flight. Behind that the store
decides. A gate has one slot booked at a time, for whoever is at the head of its queue when the slot is due; so an
urgent call overtakes those of its own process, and processes take turns.
"""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Sequence
from typing import Final

import anyio

from krakenasync.client.gates import Charged, Gate, Hold, Over
from krakenasync.client.nonces import KeyLane, Turn
from krakenasync.client.queueing import Lane, Price
from krakenasync.errors import RateLimitTimeout, StateUnavailable
from krakenasync.state.memory import Bucket
from krakenasync.state.nonces import NonceSource
from krakenasync.state.port import Booking
from krakenasync.state.shared import SPREAD, SharedState

__all__ = ["SharedGate", "SharedHold", "SharedLane"]

LOG: Final = logging.getLogger("krakenasync")

MARGIN: Final = 5.0
"""Seconds by which a lane's lease is longer than an attempt may take."""
_DUST: Final = 1e-9
_EVER: Final = 1e9


class SharedGate(Gate):
    """The queue in front of a counter that other processes charge as well."""

    def __init__(self, name: str, bucket: Bucket, state: SharedState) -> None:
        super().__init__(name, bucket)
        self._state = state
        self.shared = state.counter(bucket)
        self._asking = anyio.Lock(fast_acquire=True)
        self._slot: Booking | None = None
        self._due = 0.0
        self._asked = False
        self._owed = 0.0
        self._told = bucket.blocked_until

    async def acquire(self, price: Price, lane: Lane) -> float:
        """Wait for the turn, for room, and for a slot of the store's; then hold the points.

        Raises:
            RateLimitTimeout: The wait cannot end before the caller's deadline.
            StateUnavailable: The store does not answer.
        """
        waiter = self.queue.join(lane, price)
        try:
            self._fail_early(waiter)
            while True:
                delay = math.inf
                if self.queue.head() is waiter:
                    self._fail_early(waiter)
                    delay = self._soonest(price) or await self._slot_in(price(), _time_left())
                if not delay and self.queue.head() is waiter and self.bucket.try_reserve(cost := price()):
                    self._use(cost)
                    return cost
                with anyio.move_on_after(delay):
                    await waiter.event.wait()
                if waiter.event.is_set():
                    waiter.event = anyio.Event()
        finally:
            self.queue.leave(waiter)
            self.queue.wake_head()
            if self._slot is not None and not self.queue:
                await self._abandon()

    async def _slot_in(self, cost: float, longest: float) -> float:
        """Seconds until this gate's slot may be used, 0 for now; books one if there is none, or too small a one."""
        left = 0.0
        with anyio.CancelScope(shield=True):  # what is booked must be known; each question ends by its own time limit
            async with self._asking:
                left = await self._ask(cost, longest)
        return left

    async def _ask(self, cost: float, longest: float) -> float:
        store = await self._state.ready()
        await self.pay()
        if self._slot is not None and self._slot.cost < cost - _DUST:
            slot, self._slot = self._slot, None
            await store.give_back(slot)
        if self._slot is None:
            return await self._book(cost, longest)
        if (left := self._due - self._now()) > 0:
            return left
        if self._asked:
            return 0.0
        wait = await store.send(self._slot)
        self._due, self._asked = self._now() + wait, not wait
        return wait

    async def _book(self, cost: float, longest: float) -> float:
        name, limit, initial = self.shared
        # A call that costs more than the reduced cap goes when the counter is empty.
        slot = await self._state.store.book(
            name, limit._replace(cap=max(limit.cap, cost)), cost, longest=longest, initial=initial
        )
        if not slot.made:
            raise RateLimitTimeout(
                f"the {self.name} counter, shared with other processes, has room in {slot.wait:.2f} s, "
                f"the deadline is in {longest:.2f} s",
                retry_after=slot.wait,
                hint="allow more time, or ask less often",
            )
        self._slot, self._due, self._asked = slot, self._now() + slot.wait, not slot.wait
        return slot.wait

    def _use(self, cost: float) -> None:
        """Use the slot up; what the price has fallen by meanwhile comes back."""
        slot, self._slot = self._slot, None
        if slot is not None and slot.cost > cost + _DUST:
            self._owed -= slot.cost - cost

    async def _abandon(self) -> None:
        """Nobody waits any more: give the slot back."""
        with anyio.CancelScope(shield=True):
            async with self._asking:
                slot, self._slot = (self._slot, None) if not self.queue else (None, self._slot)
                if slot is not None:
                    try:
                        await self._state.store.give_back(slot)
                    except StateUnavailable as error:
                        LOG.warning("a slot of the %s counter is lost: %s", self.name, error)

    def reserve(self, cost: float) -> None:
        """Hold points whether they fit or not, and have the store count them."""
        super().reserve(cost)
        self.owe(cost)

    def owe(self, points: float) -> None:
        """Have the store's counter corrected by so many points."""
        self._owed += points

    @property
    def owing(self) -> bool:
        """Whether the store has to be told something."""
        return self._owed != 0 or self.bucket.blocked_until != self._told

    async def pay(self) -> None:
        """Tell the store what this process has learnt since: points to correct, and a block."""
        if not self.owing:
            return
        until, owed = self.bucket.blocked_until, self._owed
        left = until - self._now()
        blocked = until != self._told and left > 0
        name, limit, _initial = self.shared
        self._owed, self._told = 0.0, until
        try:
            await self._state.store.adjust(
                name, limit, delta=owed, floor=limit.cap if blocked else 0.0, block=left if blocked else 0.0
            )
        except BaseException:
            self._owed += owed
            self._told = -math.inf
            raise

    def late(self, granted: float) -> float:
        """Points that have decayed too early, because a call took longer than it is allowed for."""
        return max(0.0, (self._now() - granted - SPREAD) * self.shared.limit.decay)

    def unused(self, cost: float, granted: float) -> float:
        """Points of an unused grant that cannot have decayed yet."""
        return max(0.0, cost - max(0.0, self._now() - granted) * self.shared.limit.decay)

    def stale(self, granted: float) -> bool:
        """Whether a grant is too old to be used: the call would arrive too near to those after it."""
        return self._now() - granted > SPREAD / 2

    def _now(self) -> float:
        return self._state.clock.monotonic()


def _time_left() -> float:
    """Seconds until the caller's deadline; as good as for ever if there is none, or if it is cancelled already."""
    deadline = anyio.current_effective_deadline()
    return _EVER if math.isinf(deadline) else max(0.0, deadline - anyio.current_time())


class SharedHold(Hold):
    """Points held for one attempt, here and in the store."""

    __slots__ = ("_gates",)

    def __init__(self, charges: Sequence[Charged], sent: float, over: Over | None = None) -> None:
        super().__init__(charges, sent, *(() if over is None else (over,)))
        self._gates = [gate for gate, *_rest in charges if isinstance(gate, SharedGate)]

    @property
    def overtaken(self) -> bool:
        """Whether this call is not to be sent but goes back into line."""
        return super().overtaken or any(gate.stale(self._sent) for gate in self._gates)

    def settle(self, *, refused: bool = False) -> None:
        """An answer came: the points begin to decay."""
        for gate, (_gate, cost, fixed, _pause) in zip(self._gates, self._charges, strict=False):
            gate.owe(min(cost, gate.late(self._sent)) - (gate.unused(cost - fixed, self._sent) if refused else 0.0))
        super().settle(refused=refused)

    def keep(self) -> None:
        """No answer came, but the request may still arrive: count it once more, as if it did now."""
        for gate, (_gate, cost, _fixed, _pause) in zip(self._gates, self._charges, strict=False):
            gate.owe(cost)
        super().keep()

    def __exit__(self, *exc: object) -> None:
        """Nothing was sent: what cannot have decayed comes back."""
        for gate, (_gate, cost, _fixed, _pause) in zip(self._gates, self._charges, strict=False):
            gate.owe(-gate.unused(cost, self._sent))
        super().__exit__(*exc)

    @property
    def owing(self) -> bool:
        """Whether the store has to be told of this attempt."""
        return any(gate.owing for gate in self._gates)

    async def pay(self) -> None:
        """Tell the store what came of the attempt; what cannot be told now is told before the next slot."""
        with anyio.CancelScope(shield=True):
            for gate in self._gates:
                try:
                    await gate.pay()
                except StateUnavailable as error:
                    LOG.warning("the %s counter is not shared just now: %s", gate.name, error)


class SharedLane(KeyLane):
    """The lane of a key that several processes use: one call in flight in all of them, window or not.

    One caller of this process at a time stands in the store's line, so processes take turns.
    """

    alone = False

    def __init__(self, nonces: NonceSource, window: int, name: str, state: SharedState) -> None:
        super().__init__(nonces, window)
        self._places = 1  # other processes' nonces in flight are not known here, so no window can be kept
        self._name = name
        self._state = state
        self._who = str(uuid.uuid4())

    def turn(self, lane: Lane, lasts: float = 10.0) -> Turn:
        """Wait for the turn among all processes; the turn ends with the block, or `MARGIN` after it should."""
        return SharedTurn(self, lane, lasts + MARGIN)

    async def enter(self, lease: float) -> int:
        """Wait for the store's lane and return the nonce to send."""
        self._flying[0] = None  # whoever comes next waits here
        try:
            store = await self._state.ready()
            nonce = await store.enter(self._name, self._who, lease=lease, unit=self.nonces.unit, floor=self.nonces.last)
        except BaseException:
            self.land(0)
            raise
        self.nonces.raise_to(nonce)
        return nonce

    async def leave(self) -> None:
        """Leave the store's lane; if it cannot be told, the lease ends it."""
        try:
            with anyio.CancelScope(shield=True):
                await self._state.store.leave(self._name, self._who)
        except StateUnavailable as error:
            LOG.warning("a lane is not left in order: %s", error)
        finally:
            self.land(0)


class SharedTurn(Turn):
    """One call's turn among all processes."""

    __slots__ = ("_lease", "_shared")

    def __init__(self, shared: SharedLane, lane: Lane, lease: float) -> None:
        super().__init__(shared, lane)
        self._shared = shared
        self._lease = lease

    async def __aenter__(self) -> int:
        """Wait for the turn."""
        if not self._shared.free:
            await self._shared.wait(self._lane)
        return await self._shared.enter(self._lease)

    async def __aexit__(self, *_exc: object) -> None:
        """Let the next call go, here or elsewhere."""
        await self._shared.leave()

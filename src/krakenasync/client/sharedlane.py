"""The lane of a key that several processes use.

One caller of this process at a time stands in the store's line, so processes take turns. The store knows the nonces of
all calls under way, so a nonce window opens the lane for all of them together.

A gate that books a slot applies for the lane in the same question; the call then finds its place in the lane, or in
line, already taken. The place is given up at once if the call ends before using it.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Awaitable
from typing import Final, Protocol
from weakref import WeakSet

from krakenasync.client.nonces import KeyLane
from krakenasync.client.queueing import Lane, Queue
from krakenasync.state.nonces import NonceSource
from krakenasync.state.port import PLACES, Enter, Entry, Send
from krakenasync.state.shared import SharedState

__all__ = ["Application", "SharedLane"]

MARGIN: Final = 5.0
"""Seconds by which a lane's lease exceeds the time of an attempt; the lease is twice that time if that is less."""
_SHORTEST_NAP: Final = 0.001
_STALE: Final = 1.0
"""Seconds for which a place that was taken ahead is good."""


class Granting(Protocol):
    """A gate, as the lane behind it sees it: a refusal elsewhere puts off the calls it let through, which wait here."""

    granted: int
    queue: Queue

    @property
    def to_send(self) -> Send:
        """Return the step that asks whether another call was refused meanwhile."""
        ...

    def put_off(self, seconds: float) -> None:
        """Learn for how long nothing may be sent."""
        ...


class Application:
    """A caller's application for the lane, and the answer to it."""

    __slots__ = ("at", "entry", "lease", "who")

    def __init__(self, who: str, lease: float, at: float) -> None:
        self.who = who
        self.lease = lease
        self.at = at
        self.entry = Entry(0, 0.0)


class SharedLane(KeyLane):
    """Lets private calls of one key through, in fair order, within this process and among all.

    Args:
        nonces: This process's nonce source of the key.
        window: The key's nonce window in its own ticks.
        name: The key's name in the store.
        state: Gives access to the store.
    """

    alone = False

    def __init__(self, nonces: NonceSource, window: int, name: str, state: SharedState) -> None:
        super().__init__(nonces, window)
        self._name = name
        self._clock = state.clock
        self._desk = state.desk()
        self._who = uuid.uuid4().hex
        self._numbers = itertools.count()
        self._line = Queue()
        self._applying = False
        self._ahead: Application | None = None
        self._under_way: dict[int, str] = {}  # a call's nonce -> the name of its place
        self._lease = 0.0
        self._gates: WeakSet[Granting] = WeakSet()
        self._outside: WeakSet[Granting] = WeakSet()

    @property
    def free(self) -> bool:
        """Whether a call may apply for a place at once."""
        return not self._line and self._room()

    def _room(self) -> bool:
        """Whether one more call of this process may apply; the store applies the rule to those of all processes."""
        if self._applying:
            return False
        if not self._under_way:
            return True
        if not self.window or len(self._under_way) >= PLACES:
            return False
        return self.nonces.peek() - min(self._under_way) < self.window

    def open_for(self, gate: Granting) -> bool:
        """Whether no call of this process would be ahead of one from this gate; if not, the gate is woken later.

        A slot booked earlier than that would age in the line, and in the end be given up for another one.
        """
        if self.free:
            return True
        self._outside.add(gate)
        return False

    def apply(self, gate: Granting) -> tuple[Application, Enter] | None:
        """Apply for a place along with a slot on a counter; return None if another call of this process is ahead."""
        self._gates.add(gate)
        if not self._lease or not self.free:
            return None  # how long an attempt takes is known only from the first turn on
        self._applying = True
        application = self._application(self._lease)
        return application, self._wish(application, if_due=True)

    def answered(self, application: Application, entry: Entry | None) -> None:
        """Record the answer to an application; None if there was no answer."""
        if entry is None:
            self._desk.leave(self._name, application.who)  # it may have arrived
        if entry is None or entry.wait < 0:
            self._done()
        else:
            application.entry = entry
            application.at = self._clock.monotonic()
            self._ahead = application

    async def give_up(self, application: Application) -> None:
        """Give up what was taken ahead for a call that has ended early."""
        if self._ahead is application:
            self._ahead = None
            self._done()
            await self._quit(application.who)

    async def _quit(self, who: str) -> None:
        self._desk.leave(self._name, who)
        if (telling := self._desk.tell()) is not None:
            await telling

    def begin_nowait(self, lasts: float = 10.0) -> int | None:
        """Begin a turn if the place was taken ahead; `end` has to follow. If not, only the store knows who is ahead."""
        self._lease = lease = _lease(lasts)
        application = self._ahead
        if application is None or not application.entry.nonce or not self._good(application, lease):
            return None
        self._ahead = None
        nonce = self._take(application, application.entry.nonce)
        self._done()
        return nonce

    def _good(self, application: Application, lease: float) -> bool:
        return self._clock.monotonic() - application.at < _STALE and application.lease >= lease

    def _take(self, application: Application, nonce: int) -> int:
        self.nonces.raise_to(nonce)
        self._under_way[nonce] = application.who
        return nonce

    async def begin(self, lane: Lane, lasts: float = 10.0) -> int:
        """Wait for a turn among all processes and return the nonce to send; `end` has to follow.

        The turn ends with its lease at the latest.
        """
        self._lease = lease = _lease(lasts)
        application, self._ahead = self._ahead, None
        if application is None:
            if not self.free:
                await self._stand(lane)
            self._applying = True
            application = self._application(lease)
        try:
            return self._take(application, await self._admitted(application, lease))
        except BaseException:
            await self._quit(application.who)
            raise
        finally:
            self._done()

    async def _stand(self, lane: Lane) -> None:
        waiter = self._line.join(lane)
        try:
            while self._line.head() is not waiter or not self._room():
                await waiter.wait()
        except BaseException:
            self._line.leave(waiter)
            self._wake()
            raise
        self._line.leave(waiter)

    async def _admitted(self, application: Application, lease: float) -> int:
        nonce: int
        nonce, wait = application.entry
        if nonce and self._good(application, lease):
            return nonce
        application.lease = max(application.lease, lease)
        while True:
            if wait and not nonce:
                await self._desk.called(self._name, application.who, max(wait, _SHORTEST_NAP))
            gates = [gate for gate in self._gates if gate.granted]
            *blocks, entry = await self._desk.ask(*(gate.to_send for gate in gates), self._wish(application))
            for gate, block in zip(gates, blocks, strict=True):
                gate.put_off(block)
            nonce, wait = entry
            if nonce:
                return nonce

    def _application(self, lease: float) -> Application:
        return Application(f"{self._who}:{next(self._numbers)}", lease, self._clock.monotonic())

    def _wish(self, application: Application, *, if_due: bool = False) -> Enter:
        unit, floor = self.nonces.unit, self.nonces.last
        return Enter(self._name, application.who, application.lease, unit, floor, self.window, if_due)

    def _done(self) -> None:
        self._applying = False
        self._wake()

    def _wake(self) -> None:
        """Wake the next call of this process to look again: in the line, else at the gates."""
        self._line.wake_head()
        if self._outside and self.free:
            gates, self._outside = list(self._outside), WeakSet()
            for gate in gates:
                gate.queue.wake_head()

    def end(self, nonce: int, *, unanswered: bool = False) -> Awaitable[None] | None:  # noqa: ARG002 - the store passes the place on at once
        """Let the next call go, here or elsewhere; return what has to be awaited for that, if anything.

        This is reported to the store with the next question, or at once if there is none.
        """
        self._desk.leave(self._name, self._under_way.pop(nonce))
        self._wake()
        return self._desk.tell()

    @property
    def waiting(self) -> int:
        """How many calls of this process wait for their turn."""
        return len(self._line)

    def __repr__(self) -> str:
        return f"<SharedLane {len(self._under_way)} under way, {self.waiting} waiting>"


def _lease(lasts: float) -> float:
    """Return the seconds of lease to ask for, for an attempt that may take `lasts` seconds."""
    return lasts + min(MARGIN, lasts)

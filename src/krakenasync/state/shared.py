"""Counters and nonces that several processes share: this process's own account, and the store behind it."""

from __future__ import annotations

import threading
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.protocol.tiers import CounterSpec
from krakenasync.state.bucket import Bucket
from krakenasync.state.desk import Desk, running_loop
from krakenasync.state.memory import MemoryState
from krakenasync.state.port import Limit, Store
from krakenasync.state.urls import open_store

__all__ = ["CLOSE", "SPREAD", "SharedCounter", "SharedState", "shared_state"]

SPREAD: Final = 2.0
"""Seconds by which the gap between two calls may shrink on their way.

A store cannot know when each call is answered, so it counts from the grant. If no call takes longer than this from its
grant to its arrival, Kraken's counter stands above the store's by this many seconds' decay at most; that much of
the cap is left unused. It costs burst, not pace.
"""
CLOSE: Final = 0.25
"""The same for a counter that allows no burst: there it costs pace, a fifth of a call a second."""


class SharedCounter(NamedTuple):
    """A counter as the store knows it.

    Attributes:
        name: Its name there.
        limit: The limit by which it is counted there.
        initial: Points on it if the store has never seen it.
        spread: Seconds by which the gap between two calls may shrink on their way.
    """

    name: str
    limit: Limit
    initial: float
    spread: float = SPREAD


class SharedState(MemoryState):
    """This process's counters and nonces, each with its counterpart in a store.

    Args:
        store: Where they are shared.
        clock: The source of time.
    """

    shared = True

    def __init__(self, store: Store, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(clock)
        self.store = store
        self._counters: WeakKeyDictionary[Bucket, SharedCounter] = WeakKeyDictionary()
        self._started = False
        self._desks: WeakKeyDictionary[Any, Desk] = WeakKeyDictionary()
        self._users: WeakSet[object] = WeakSet()

    async def ready(self) -> Store:
        """Return the store, which is checked once, before its first use.

        Raises:
            ConfigurationError: The store cannot be used.
            StateUnavailable: The store does not answer.
        """
        if not self._started:
            await self.store.start()
            self._started = True
        return self.store

    def bucket(self, name: str, spec: CounterSpec, *, step: float = 0.0, initial: float = 0.0) -> Bucket:
        """Return this process's own account of the counter; what others do is known to the store.

        Raises:
            ConfigurationError: The counter exists with other limits.
        """
        found = super().bucket(name, spec, step=step)
        if found not in self._counters:
            self._counters[found] = _shared(name, spec, step, initial)
        return found

    def desk(self) -> Desk:
        """Return the desk through which the running loop talks to the store."""
        loop = running_loop()
        found = self._desks.get(loop)
        if found is None:
            found = Desk(self.ready, self._inherit)
            with self._lock:  # another thread may be iterating over them
                self._desks[loop] = found
            self._inherit(found)
        return found

    def _inherit(self, heir: Desk) -> None:
        """Have a desk take over from all desks whose event loop has ended."""
        with self._lock:
            for loop, desk in tuple(self._desks.items()):
                if desk.over:
                    heir.take_over(desk)
                    del self._desks[loop]

    def join(self, user: object) -> None:
        """Register a user of the state."""
        self._users.add(user)

    async def part(self, user: object) -> None:
        """Remove a user of the state; the last one closes the running loop's connections."""
        self._users.discard(user)
        if (desk := self._desks.get(running_loop())) is not None:
            await desk.drain()
        if not self._users:
            await self.store.aclose()

    def counter(self, bucket: Bucket) -> SharedCounter:
        """Return what the store knows a counter of this process as."""
        return self._counters[bucket]

    def __repr__(self) -> str:
        return f"<SharedState {self.store!r}>"


def _shared(name: str, spec: CounterSpec, step: float, initial: float) -> SharedCounter:
    """Lower the cap by what decays in the spread; or, where it allows one call only, the pace."""
    if spec.cap > 1:
        # A counter that falls in steps may stand higher than a steady one by what falls in a step.
        cap = max(1.0, spec.cap - spec.decay * (SPREAD + step))
        return SharedCounter(name, Limit(cap, spec.decay), initial)
    return SharedCounter(name, Limit(float(spec.cap), 1 / (1 / spec.decay + CLOSE)), initial, CLOSE)


_OPEN: Final[WeakValueDictionary[str, SharedState]] = WeakValueDictionary()
_OPEN_LOCK: Final = threading.Lock()


def shared_state(given: Store | str, clock: Clock) -> SharedState:
    """Return the state for a store or the URL of one; within a process, one URL gives one state.

    Raises:
        ConfigurationError: The URL cannot be read.
    """
    if not isinstance(given, str):
        return SharedState(given, clock)
    if clock is not SYSTEM_CLOCK:
        return SharedState(open_store(given, clock), clock)
    with _OPEN_LOCK:
        found = _OPEN.get(given)
        if found is None:
            found = _OPEN[given] = SharedState(open_store(given, clock), clock)
        return found

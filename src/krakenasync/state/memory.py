"""What the clients of one process share: the counters and nonces of their keys, and the ages of their orders."""

from __future__ import annotations

import threading
from typing import ClassVar, Final
from weakref import WeakValueDictionary

from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.tiers import CounterSpec
from krakenasync.state.ages import OrderAges
from krakenasync.state.bucket import Bucket
from krakenasync.state.nonces import NonceSource

__all__ = ["PROCESS", "MemoryState", "of_process"]

_KEEP: Final = 1024
"""From this many counters on, those at rest are dropped."""


class MemoryState:
    """The counters and nonce sources of one process, shared by all clients of a key in it."""

    shared: ClassVar[bool] = False
    """Whether they are shared with other processes."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        # Every counter in use; those that are not at rest are also kept, whether in use or not.
        self._buckets: WeakValueDictionary[str, Bucket] = WeakValueDictionary()
        self._kept: dict[str, Bucket] = {}
        self._most = _KEEP
        self._nonces: dict[str, NonceSource] = {}
        self._ages: dict[str, OrderAges] = {}

    def bucket(self, name: str, spec: CounterSpec, *, step: float = 0.0, initial: float = 0.0) -> Bucket:
        """Return the counter of that name, made on first use.

        Raises:
            ConfigurationError: The counter exists with other limits.
        """
        with self._lock:
            found = self._buckets.get(name)
            if found is not None and found.spec != spec and found.at_rest():
                # Dropped if it is not in use: then only the keeping refers to it (CPython counts references).
                kept, found = self._kept.pop(name, None), None
                del kept
                if (found := self._buckets.get(name)) is not None:
                    self._kept[name] = found
            if found is None:
                found = self._buckets[name] = Bucket(spec, self.clock, step=step, initial=initial)
                self._keep(name, found)
            elif found.spec != spec:
                raise ConfigurationError(
                    f"another client here counts up to {found.spec.cap} on the {name.partition(' ')[0]} counter, this "
                    f"one to {spec.cap}",
                    hint="all clients of a key, and of an address, share its counter: give them the same tier and "
                    "limits; wrong ones can be put right when that client is gone and its counter is empty again",
                )
            return found

    def find(self, name: str) -> Bucket | None:
        """Return the counter of that name if it is in use, whatever its limits."""
        with self._lock:
            return self._buckets.get(name)

    def _keep(self, name: str, bucket: Bucket) -> None:
        """Keep a counter from being forgotten while it counts; drop those at rest now and then."""
        if len(self._kept) >= self._most:
            self._kept = {key: one for key, one in self._kept.items() if not one.at_rest()}
            self._most = max(_KEEP, 2 * len(self._kept))
        self._kept[name] = bucket

    def join(self, user: object) -> None:
        """Register a user of the state."""

    async def part(self, user: object) -> None:
        """Remove a user of the state."""

    def ages(self, account: str) -> OrderAges:
        """Return what is known of the age of an account's orders."""
        with self._lock:
            return self._ages.setdefault(account, OrderAges())

    def nonces(self, name: str, unit: str) -> NonceSource:
        """Return the nonce source of that key, made on first use.

        Raises:
            ConfigurationError: The unit is unknown, or coarser than one already used on the key.
        """
        with self._lock:
            found = self._nonces.get(name)
            if found is None:
                found = self._nonces[name] = NonceSource(unit, self.clock)
            found.refine(unit)
            return found


PROCESS: Final = MemoryState(SYSTEM_CLOCK)
"""What all clients of this process share unless they are given a state of their own."""

_BY_CLOCK: Final[WeakValueDictionary[int, MemoryState]] = WeakValueDictionary()
_BY_CLOCK_LOCK: Final = threading.Lock()


def of_process(clock: Clock) -> MemoryState:
    """Return what all clients of this process share that count by a clock: a test's clock has a state of its own.

    That one lives as long as a client uses it.
    """
    if clock is SYSTEM_CLOCK:
        return PROCESS
    with _BY_CLOCK_LOCK:
        found = _BY_CLOCK.get(id(clock))
        if found is None:  # as long as there is one it keeps its clock alive, whose id is no other's then
            found = _BY_CLOCK[id(clock)] = MemoryState(clock)
        return found

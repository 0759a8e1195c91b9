"""A store in this process alone: the port's plainest implementation, and what remains when a shared one is away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.state.keeping import RecordStore
from krakenasync.state.records import Counter, Line

__all__ = ["InProcessStore"]

A = TypeVar("A")
R = TypeVar("R", Counter, Line)


class InProcessStore(RecordStore):
    """Keeps the records in a dict; for tests, and in place of a store that does not answer."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(clock)
        self._lock = threading.Lock()
        self._records: dict[str, Any] = {}

    async def start(self) -> None:
        """Nothing can be wrong."""

    async def change(self, kind: type[R], name: str, rule: Callable[[R | None, int], tuple[R, A]]) -> tuple[R, A]:  # noqa: ARG002 - the port's shape: a file has to know what to read
        """Replace a record by what the rule makes of it."""
        with self._lock:
            record, answer = rule(self._records.get(name), self.micros())
            self._records[name] = record
            return record, answer

    async def look(self, name: str) -> Counter | None:
        """Read a counter."""
        found: Counter | None = self._records.get(name)
        return found and Counter(found.level, found.at, found.blocked, found.seq)

    def __repr__(self) -> str:
        return f"<InProcessStore {len(self._records)} records>"

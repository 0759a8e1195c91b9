"""A store in this process alone: the port's simplest implementation, and what is left when a shared one is away."""

from __future__ import annotations

import threading
from typing import Any

from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.state.keeping import RecordStore, Work

__all__ = ["InProcessStore"]


class InProcessStore(RecordStore):
    """Keeps the records in a dict; for tests, and in place of a store that does not answer."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(clock)
        self._lock = threading.Lock()
        self._records: dict[str, Any] = {}

    async def start(self) -> None:
        """Do nothing: this store is always usable."""

    async def change(self, work: Work) -> list[Any]:
        """Do the work on the records."""
        with self._lock:
            written, answers = work(self._read, self.micros())
            self._records.update(written)
            return answers

    def _read(self, _kind: type[Any], name: str, /) -> Any:
        return self._records.get(name)

    def __repr__(self) -> str:
        return f"<InProcessStore {len(self._records)} records>"

"""What a client remembers of a store's answers, so that it can remind a store that has forgotten.

A server may be flushed, a replica without the last writes may take over, its clock may step. A client detects this by
two numbers that it hands over with every question: how many changes the store had counted, and how much time has
passed on its own steady clock since. The first reveals lost writes, the second a clock that went forward.
"""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

from krakenasync.clock import Clock

__all__ = ["NOTHING", "Memory", "Recall"]

_KEEP: Final = 4096


class Recall(NamedTuple):
    """What is handed over with a question; times in microseconds.

    Attributes:
        seq: How many changes of the record the client knows of.
        seen: The store's clock at its last answer.
        elapsed: How long ago that was, by the client's clock.
        level: The level at which the counter must still be, by what the client knows.
        blocked: For how long nothing may be sent.
        pace: The share of the decay that was used.
        margin: Points of the cap that were left free.
    """

    seq: int = 0
    seen: int = 0
    elapsed: int = 0
    level: float = 0.0
    blocked: int = 0
    pace: float = 1.0
    margin: float = 0.0


NOTHING: Final = Recall()


class _Last(NamedTuple):
    seq: int
    seen: int
    asked: float
    level: float
    decay: float
    blocked: int
    pace: float
    margin: float


class Memory:
    """One client's memory of a store, by record. Safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, _Last] = {}

    def now(self) -> float:
        """Return the seconds of the client's steady clock."""
        return self._clock.monotonic()

    def recall(self, name: str) -> Recall:
        """Return what to hand over with a question about a record."""
        last = self._last.get(name)
        if last is None:
            return NOTHING
        elapsed = self._clock.monotonic() - last.asked
        micros = round(elapsed * 1e6)
        return Recall(
            last.seq,
            last.seen,
            micros,
            max(0.0, last.level - elapsed * last.decay),
            max(0, last.blocked - micros),
            last.pace,
            last.margin,
        )

    def note(
        self,
        name: str,
        asked: float,
        *,
        seq: int,
        seen: int,
        level: float = 0.0,
        decay: float = 0.0,
        blocked: int = 0,
        pace: float = 1.0,
        margin: float = 0.0,
    ) -> None:
        """Remember an answer; `asked` is when the question was asked, so that nothing is remembered as too high."""
        with self._lock:
            last = self._last.get(name)
            if last is not None and last.seq > seq:
                return  # answers may overtake each other
            if last is None and len(self._last) >= _KEEP:
                del self._last[next(iter(self._last))]
            self._last[name] = _Last(seq, seen, asked, level, decay, blocked, pace, margin)

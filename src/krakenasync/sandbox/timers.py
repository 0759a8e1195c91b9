"""Future events: orders start and expire, dead man's switches fire."""

from __future__ import annotations

import heapq
from typing import Final, NamedTuple

__all__ = ["EXPIRE", "START", "SWITCH", "Timer", "Timers"]

START: Final = "start"
EXPIRE: Final = "expire"
SWITCH: Final = "switch"


class Timer(NamedTuple):
    """Something that happens to an order or an account.

    Attributes:
        at: Unix nanoseconds.
        number: The order of setting: of two timers for one moment, the one set first comes first.
        what: `START`, `EXPIRE` or `SWITCH`.
        account: The account's name.
        txid: The order's id; empty for the account itself.
    """

    at: int
    number: int
    what: str
    account: str
    txid: str


class Timers:
    """Timers by time. None is ever removed: when one rings, the caller checks whether it still applies."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._number = 0

    def set(self, at: int, what: str, account: str, txid: str = "") -> None:
        """Set a timer."""
        self._number += 1
        heapq.heappush(self._heap, Timer(at, self._number, what, account, txid))

    def due(self, now: int) -> Timer | None:
        """Take the next timer that rings by `now`, or None."""
        return heapq.heappop(self._heap) if self._heap and self._heap[0].at <= now else None

    def next(self, now: int) -> int:
        """Return when the next timer rings, `now` at the latest."""
        return min(now, self._heap[0].at) if self._heap else now

    def __len__(self) -> int:
        return len(self._heap)

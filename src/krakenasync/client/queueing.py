"""Who goes first: urgent before normal before background, and inside a lane first come, first served."""

from __future__ import annotations

import heapq
import itertools
from enum import IntEnum

import anyio

__all__ = ["Lane", "Queue", "Waiter"]


class Lane(IntEnum):
    """The three lanes of every queue."""

    URGENT = 0
    """Cancels and the dead man's switch: they make the account safer."""
    NORMAL = 1
    BACKGROUND = 2
    """Polls, which can wait for whatever a person or a strategy asks."""


class Waiter:
    """One call in a queue."""

    __slots__ = ("cost", "event", "gone", "lane", "order")

    def __init__(self, lane: Lane, order: int, cost: float) -> None:
        self.lane = lane
        self.order = order
        self.cost = cost
        self.event = anyio.Event()
        self.gone = False

    def __lt__(self, other: Waiter) -> bool:
        return (self.lane, self.order) < (other.lane, other.order)


class Queue:
    """Waiters in their order; those that gave up are dropped when they come to the head."""

    def __init__(self) -> None:
        self._heap: list[Waiter] = []
        self._orders = itertools.count()
        self._length = 0

    def join(self, lane: Lane, cost: float = 0.0) -> Waiter:
        """Stand in line."""
        waiter = Waiter(lane, next(self._orders), cost)
        heapq.heappush(self._heap, waiter)
        self._length += 1
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Give the place up, served or not."""
        if not waiter.gone:
            waiter.gone = True
            self._length -= 1

    def head(self) -> Waiter | None:
        """Whose turn it is."""
        while self._heap and self._heap[0].gone:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def wake_head(self) -> None:
        """Tell the head to look again."""
        if (head := self.head()) is not None:
            head.event.set()

    def cost_before(self, waiter: Waiter) -> float:
        """The cost of all who go before `waiter`."""
        return sum(other.cost for other in self._heap if not other.gone and other < waiter)

    def counts(self) -> tuple[int, ...]:
        """How many wait in each lane."""
        found = [0] * len(Lane)
        for waiter in self._heap:
            if not waiter.gone:
                found[waiter.lane] += 1
        return tuple(found)

    def __len__(self) -> int:
        return self._length

"""Who goes first: urgent before normal before background, and inside a lane first come, first served."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import Callable
from enum import IntEnum

import anyio

__all__ = ["Lane", "Price", "Queue", "Waiter"]


Price = Callable[[], float]
"""What a call costs at this moment: cancelling an order gets cheaper while it waits."""


def _free() -> float:
    return 0.0


class Lane(IntEnum):
    """The three lanes of every queue."""

    URGENT = 0
    """Cancels and the dead man's switch: they make the account safer."""
    NORMAL = 1
    BACKGROUND = 2
    """Polls, which can wait for whatever a person or a strategy asks."""


def _bell() -> asyncio.Future[None] | anyio.Event:
    """What one waiter waits for: on asyncio a bare future, which takes a kilobyte less than an event."""
    try:
        return asyncio.get_running_loop().create_future()
    except RuntimeError:  # trio
        return anyio.Event()


class Waiter:
    """One call in a queue."""

    __slots__ = ("_bell", "_called", "gone", "lane", "order", "price")

    def __init__(self, lane: Lane, order: int, price: Price) -> None:
        self.lane = lane
        self.order = order
        self.price = price
        self._called = False
        self._bell: asyncio.Future[None] | anyio.Event | None = None
        self.gone = False

    async def wait(self, longest: float = math.inf) -> None:
        """Wait until it is told to look again, or for so many seconds."""
        if not self._called:
            self._bell = _bell()
            if math.isinf(longest):  # all but the head: a scope would be a third of what a waiting call holds in memory
                await self._rung()
            else:
                with anyio.move_on_after(longest):
                    await self._rung()
        self._called = False

    async def _rung(self) -> None:
        if isinstance(self._bell, asyncio.Future):
            await self._bell
        elif self._bell is not None:
            await self._bell.wait()

    def call(self) -> None:
        """Tell it to look again."""
        self._called = True
        if isinstance(self._bell, asyncio.Future):
            if not self._bell.done():
                self._bell.set_result(None)
        elif self._bell is not None:
            self._bell.set()

    @property
    def cost(self) -> float:
        """What the call costs now."""
        return self.price()

    def __lt__(self, other: Waiter) -> bool:
        return (self.lane, self.order) < (other.lane, other.order)


class Queue:
    """Waiters in their order; those that gave up are dropped when they come to the head."""

    def __init__(self) -> None:
        self._heap: list[Waiter] = []
        self._orders = itertools.count()
        self.length = 0
        """How many wait."""

    def join(self, lane: Lane, price: Price = _free) -> Waiter:
        """Stand in line."""
        waiter = Waiter(lane, next(self._orders), price)
        heapq.heappush(self._heap, waiter)
        self.length += 1
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Give the place up, served or not."""
        if not waiter.gone:
            waiter.gone = True
            self.length -= 1

    def head(self) -> Waiter | None:
        """Whose turn it is."""
        while self._heap and self._heap[0].gone:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def wake_head(self) -> None:
        """Tell the head to look again."""
        if self._heap and (head := self.head()) is not None:
            head.call()

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
        return self.length

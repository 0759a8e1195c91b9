"""Who goes first: urgent before normal before background, and inside a lane first come, first served."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import heapq
import itertools
import math
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Final, TypeAlias

import anyio

from krakenasync.client.ageing import Ageing
from krakenasync.client.loops import on_asyncio

__all__ = ["Lane", "Price", "Queue", "Waiter", "constant"]


Price = Callable[[], float]
"""What a call costs at this moment: cancelling an order gets cheaper while it waits."""


@functools.cache
def constant(cost: float) -> Price:
    """Return the price of a call that always costs the same."""
    return lambda: cost


_FREE: Final = constant(0.0)
_FEW: Final = 64
"""Places below which abandoned ones are not worth cleaning up."""


class Lane(IntEnum):
    """The three lanes of every queue: a call's priority; not a key's own lane, which is `KeyLane`."""

    URGENT = 0
    """Cancels and the dead man's switch: they make the account safer."""
    NORMAL = 1
    BACKGROUND = 2
    """Polls, which can wait for anything that a person or a strategy asks for."""


Bell: TypeAlias = "asyncio.Future[None] | anyio.Event"
"""What a waiter waits for: on asyncio a bare future, which takes a kilobyte less than an event."""


def _bell() -> Bell:
    return asyncio.get_running_loop().create_future() if on_asyncio() else anyio.Event()


def _rung(bell: Bell) -> Awaitable[object]:
    return bell if isinstance(bell, asyncio.Future) else bell.wait()


async def _at_once() -> None:
    pass


class Waiter:
    """One call in a queue."""

    __slots__ = ("_bell", "_called", "gone", "lane", "order", "price")

    def __init__(self, lane: Lane, order: int, price: Price) -> None:
        self.lane = lane
        self.order = order
        self.price = price
        self._called = False
        self._bell: Bell | None = None
        self.gone = False

    def wait(self, longest: float = math.inf) -> Awaitable[object]:
        """Return an awaitable that ends when `call` is called, or after `longest` seconds.

        Not a coroutine, and a scope for the head alone: each would be a tenth of the memory that a waiting call takes.
        """
        if self._called:
            self._called = False
            return _at_once()
        self._bell = bell = _bell()
        return _rung(bell) if math.isinf(longest) else self._rung_within(bell, longest)

    async def _rung_within(self, bell: Bell, longest: float) -> None:
        with anyio.move_on_after(longest):
            await _rung(bell)
        if self._bell is bell:  # no call came; one from now on is for the next wait
            self._bell = None

    def call(self) -> None:
        """Wake it to look again."""
        bell, self._bell = self._bell, None
        if isinstance(bell, anyio.Event):
            bell.set()
        elif bell is not None and not bell.done():
            with contextlib.suppress(RuntimeError):  # a waiter in a loop that has ended no longer waits
                bell.set_result(None)
        else:
            self._called = True

    @property
    def cost(self) -> float:
        """Return what the call costs now."""
        return self.price()

    def __lt__(self, other: Waiter) -> bool:
        return (self.lane, self.order) < (other.lane, other.order)


class Queue:
    """Waiters in order; those that gave up are dropped at the head, or once they are the majority."""

    def __init__(self) -> None:
        self._heap: list[Waiter] = []
        self._orders = itertools.count()
        self._costs = [0.0] * len(Lane)  # of those with a constant price
        self._falling = 0  # how many have a falling price
        self._last: Waiter | None = None
        self.length = 0
        """How many wait."""

    def join(self, lane: Lane, price: Price = _FREE) -> Waiter:
        """Stand in line."""
        self._last = waiter = Waiter(lane, next(self._orders), price)
        heapq.heappush(self._heap, waiter)
        self.length += 1
        self._count(waiter, 1)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Give up the place, served or not."""
        if not waiter.gone:
            waiter.gone = True
            self.length -= 1
            self._count(waiter, -1)
            if self._last is waiter:
                self._last = None
            if len(self._heap) > _FEW and len(self._heap) > 2 * self.length:
                self._heap = [other for other in self._heap if not other.gone]
                heapq.heapify(self._heap)

    def _count(self, waiter: Waiter, sign: int) -> None:
        if isinstance(waiter.price, Ageing):
            self._falling += sign
        else:
            self._costs[waiter.lane] += sign * waiter.cost

    def head(self) -> Waiter | None:
        """Return the waiter whose turn it is."""
        while self._heap and self._heap[0].gone:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def wake_head(self) -> None:
        """Wake the head to look again."""
        if self._heap and (head := self.head()) is not None:
            head.call()

    def cost_before(self, waiter: Waiter) -> float:
        """Return the cost of all that are ahead of `waiter`."""
        # Every call asks this when it joins: a walk past all of them would be quadratic.
        if waiter is self._last and not self._falling:
            return sum(self._costs[: waiter.lane + 1]) - waiter.cost
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

"""Stores that keep records: what `InProcessStore` and `SqliteStore` have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

import anyio

from krakenasync.clock import Clock
from krakenasync.errors import StateUnavailable
from krakenasync.state import records
from krakenasync.state.nonces import tick_of
from krakenasync.state.port import Booking, Limit, Standing
from krakenasync.state.recall import Memory
from krakenasync.state.records import Answer, Counter, Entry, Line

__all__ = ["RecordStore"]

A = TypeVar("A")
R = TypeVar("R", Counter, Line)

_FIRST_LOOK: Final = 0.0005
_LAST_LOOK: Final = 0.01
"""Seconds between two looks at an occupied lane; a file wakes nobody up. The line itself stays in order."""


class RecordStore(ABC):
    """Carries out the port's questions as changes of records.

    Args:
        clock: Its steady time must be the same for all that share the records.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._memory = Memory(clock)

    @abstractmethod
    async def start(self) -> None:
        """Find out whether the store can be used."""

    @abstractmethod
    async def change(self, kind: type[R], name: str, rule: Callable[[R | None, int], tuple[R, A]]) -> tuple[R, A]:
        """Replace a record, atomically, by what the rule makes of it at the store's time."""

    @abstractmethod
    async def look(self, name: str) -> Counter | None:
        """Read a counter."""

    async def aclose(self) -> None:  # noqa: B027 - most stores have nothing to let go of
        """Nothing has to be let go of."""

    async def _counter(self, name: str, limit: Limit, rule: Callable[..., Any], **how: Any) -> tuple[Counter, Answer]:
        recall, asked = self._memory.recall(name), self._memory.now()
        counter, answer = await self.change(Counter, name, lambda found, now: rule(found, now, limit, recall, **how))
        self._memory.note(
            name,
            asked,
            seq=counter.seq,
            seen=counter.at,
            level=counter.level,
            decay=limit.decay,
            blocked=max(0, counter.blocked - counter.at),
        )
        return counter, answer

    async def book(
        self, name: str, limit: Limit, cost: float, *, headroom: float = 0.0, longest: float = 1e9, initial: float = 0.0
    ) -> Booking:
        """Charge `cost` points and say when the call may be sent."""
        counter, answer = await self._counter(
            name, limit, records.book, cost=cost, headroom=headroom, longest=longest, initial=initial
        )
        charged = cost if answer.ok else 0.0
        return Booking(name, limit, charged, answer.wait / 1e6, counter.level, counter.at + answer.wait)

    async def send(self, booking: Booking) -> float:
        """Ask at the due time whether to send now."""
        _counter, answer = await self._counter(booking.name, booking.limit, records.send)
        return answer.wait / 1e6

    async def give_back(self, booking: Booking) -> None:
        """Give a slot back that was not used."""
        if booking.made:
            await self._counter(booking.name, booking.limit, records.give_back, cost=booking.cost, due=booking.due)

    async def adjust(
        self, name: str, limit: Limit, *, delta: float = 0.0, floor: float = 0.0, block: float = 0.0
    ) -> Standing:
        """Correct a counter by what Kraken's answers tell."""
        counter, answer = await self._counter(name, limit, records.adjust, delta=delta, floor=floor, block=block)
        return Standing(counter.level, answer.wait / 1e6)

    async def peek(self, name: str, limit: Limit) -> Standing:
        """Look at a counter, without changing it."""
        now = self.micros()
        counter, answer = records.adjust(
            await self.look(name), now, limit, self._memory.recall(name), delta=0.0, floor=0.0, block=0.0
        )
        return Standing(counter.level, answer.wait / 1e6)

    async def nonce(self, name: str, unit: str, floor: int = 0) -> int:
        """Return a nonce above all that were handed out."""
        stamp = self._clock.wall_ns() // tick_of(unit)

        def rule(found: Line | None, _now: int) -> tuple[Line, int]:
            line = found or Line()
            return line, records.mint(line, unit, stamp, floor)

        return (await self.change(Line, _lane(name), rule))[1]

    async def enter(self, name: str, who: str, *, lease: float, unit: str, floor: int = 0) -> int:
        """Wait for the lane of a key and return the nonce to send."""
        tick, lane, pause = tick_of(unit), _lane(name), _FIRST_LOOK

        def rule(found: Line | None, now: int) -> tuple[Line, Entry]:
            stamp = self._clock.wall_ns() // tick
            return records.enter(
                found, now, recall, who=who, lease=round(lease * 1e6), unit=unit, stamp=stamp, floor=floor
            )

        try:
            while True:
                recall, asked = self._memory.recall(lane), self._memory.now()
                line, entry = await self.change(Line, lane, rule)
                self._memory.note(lane, asked, seq=line.seq, seen=line.at)
                if entry.nonce:
                    return entry.nonce
                await anyio.sleep(min(pause, entry.wait / 1e6))
                pause = min(pause * 2, _LAST_LOOK)
        except BaseException:
            with anyio.CancelScope(shield=True), suppress(StateUnavailable):
                await self.leave(name, who)
            raise

    async def leave(self, name: str, who: str) -> None:
        """Leave the lane, and hand it to the next in line."""
        await self.change(Line, _lane(name), lambda found, now: records.leave(found, now, who=who))

    def micros(self) -> int:
        """The store's time in microseconds."""
        return round(self._clock.monotonic() * 1e6)


def _lane(name: str) -> str:
    return f"lane {name}"

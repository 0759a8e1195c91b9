"""Stores that keep records: what `InProcessStore` and `SqliteStore` have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import anyio

from krakenasync.clock import Clock
from krakenasync.state import lines, records
from krakenasync.state.lines import Line, Moment
from krakenasync.state.port import Enter, Leave, Nonce, Peek, Step, Store
from krakenasync.state.recall import Memory
from krakenasync.state.records import SECOND, Counter
from krakenasync.state.spelling import record_of

__all__ = ["Read", "Record", "RecordStore", "Work"]

R = TypeVar("R", Counter, Line)
Record: TypeAlias = Counter | Line
Work: TypeAlias = "Callable[[Read, int], tuple[dict[str, Record], list[Any]]]"
"""Reads records at a moment of the store's time; returns those to write, and the answers."""

_FIRST_LOOK: Final = 0.0005
_LAST_LOOK: Final = 0.01
"""Seconds between two looks at an occupied lane, since a file cannot wake a caller. The line itself stays in order."""

_MANY: Final = 1024


class Read(Protocol):
    """Reads a record."""

    def __call__(self, kind: type[R], name: str, /) -> R | None:
        """Return the record of that name, or None."""
        ...


class RecordStore(Store):
    """Carries out the port's steps as changes of records.

    Args:
        clock: Its steady time must be the same for all that share the records.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._memory = Memory(clock)
        self._naps: dict[str, float] = {}

    @abstractmethod
    async def change(self, work: Work) -> list[Any]:
        """Do the work, with no other in between; it is not begun if the caller is cancelled before."""

    async def ask(self, *steps: Step) -> list[Any]:
        """Answer the steps in their order."""
        recalls = {name: self._memory.recall(name) for name in map(record_of, steps)}
        asked = self._memory.now()
        written: dict[str, Record] = {}

        def work(read: Read, now: int) -> tuple[dict[str, Record], list[Any]]:
            nonlocal written
            written, answers, due = {}, [], True
            moment = Moment(now, self._clock.wall_ns())
            for step in steps:
                name = record_of(step)
                recall = recalls[name]
                if isinstance(step, (Nonce, Enter, Leave)):
                    if isinstance(step, Enter) and step.if_due and not due:
                        answers.append(lines.NOT_DUE)
                        continue
                    found: Any = written[name] if name in written else read(Line, name)
                    written[name], answer = lines.answer(step, found, moment, recall)
                else:
                    found = written[name] if name in written else read(Counter, name)
                    counter, answer = records.answer(step, found, now, recall)
                    if not isinstance(step, Peek):
                        written[name] = counter
                    due = due and records.is_due(step, answer)
                answers.append(answer)
            return written, answers

        answers = await self.change(work)
        self._note(steps, written, asked)
        return answers

    def _note(self, steps: tuple[Step, ...], written: dict[str, Record], asked: float) -> None:
        """Remember what was written."""
        for step in steps:
            name = record_of(step)
            record = written.get(name)
            if isinstance(step, Leave):
                self._naps.pop(step.who, None)
            if isinstance(record, Line):
                self._memory.note(name, asked, seq=record.seq, seen=record.at)
            elif isinstance(record, Counter) and not isinstance(step, (Nonce, Enter, Leave)):
                standing = records.standing(record, record.at)
                self._memory.note(
                    name,
                    asked,
                    seq=record.seq,
                    seen=record.at,
                    level=record.level,
                    decay=step.limit.decay,
                    blocked=round(standing.blocked_for * SECOND),
                    pace=standing.pace,
                    margin=standing.margin,
                )

    async def called(self, name: str, who: str, longest: float) -> None:  # noqa: ARG002 - no call comes: callers look
        """Sleep a little, longer from time to time."""
        if len(self._naps) > _MANY:
            self._naps.clear()
        nap = self._naps.get(who, _FIRST_LOOK)
        self._naps[who] = min(nap * 2, _LAST_LOOK)
        await anyio.sleep(min(nap, longest))

    def micros(self) -> int:
        """The store's time in microseconds."""
        return round(self._clock.monotonic() * SECOND)

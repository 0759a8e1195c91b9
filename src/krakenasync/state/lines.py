"""What a store does to the lane of a key: pure functions on records.

The lane has places: one, or with a nonce window as many as keep all nonces under way within it. In front of it is a
line, first come, first served; its head is called up when there may be room, and has a moment to respond.

Times are whole microseconds of the store's clock. `shared.lua` does the same on a Redis server; the conformance suite
ensures that both behave alike.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from krakenasync.state.nonces import tick_of
from krakenasync.state.port import PICKUP, PLACES, QUARANTINE, Enter, Entry, Leave, Nonce
from krakenasync.state.recall import Recall
from krakenasync.state.records import SECOND, stepped_ahead

__all__ = ["NOT_DUE", "Line", "Moment", "Place", "answer"]

NOT_DUE: Final = Entry(0, -1.0)
"""The answer to an `Enter` with `if_due` whose slot was not due."""

PICKUP_US: Final = round(PICKUP * SECOND)
_NOBODY: Final = "?"
"""Occupies a lane that the store has lost: a call may be under way."""


class Place(msgspec.Struct, array_like=True):
    """One call under way: its caller, its end and longest duration, its nonce, unit and window."""

    who: str
    until: int
    lease: int
    nonce: int = 0
    unit: str = ""
    window: int = 0


class Line(msgspec.Struct, array_like=True):
    """A key's lane: the calls under way, who waits, until when the head may respond, the last nonces."""

    places: list[Place] = []
    queue: list[str] = []
    called: int = 0
    nonces: dict[str, int] = {}
    at: int = 0
    seq: int = 0


class Moment(NamedTuple):
    """The two clocks of a store, read once for all steps of a question."""

    micros: int
    wall_ns: int


def answer(step: Nonce | Enter | Leave, found: Line | None, now: Moment, recall: Recall) -> tuple[Line, Any]:
    """Change a lane as a step asks for, and answer it."""
    if isinstance(step, Nonce):
        line = found or Line(at=now.micros)
        return line, _mint(line, step.unit, _candidate(line, step.unit, step.floor, now))
    line = _lined(found, now.micros, recall)
    if isinstance(step, Enter):
        return line, _enter(line, step, now)
    _remove(line, step.who)
    _call_up(line, now.micros)
    return line, None


def _lined(found: Line | None, now: int, recall: Recall) -> Line:
    """Bring a lane up to date, also with what the client remembers better; drop places whose time is over."""
    line = found or Line(at=now)
    back, ahead = max(0, line.at - now), stepped_ahead(now, recall)
    for place in line.places:
        place.until = min(place.until - back + ahead, now + place.lease)
    line.called -= back if line.called else 0
    if recall.seq > line.seq:
        line.places = [Place(_NOBODY, now + round(QUARANTINE * SECOND), round(QUARANTINE * SECOND))]
    line.places = [place for place in line.places if place.until > now]
    if line.called and line.called <= now:
        line.queue, line.called = line.queue[1:], 0  # it did not respond: it is dead
    line.at = now
    line.seq = max(line.seq, recall.seq) + 1
    return line


def _enter(line: Line, step: Enter, now: Moment) -> Entry:
    """Take a place if one is free and no caller is ahead, else stand in line."""
    others = [place for place in line.places if place.who != step.who]
    again, line.places = len(others) < len(line.places), others  # the answer was lost: it goes first
    nonce = _candidate(line, step.unit, step.floor, now)
    head = not line.queue or line.queue[0] == step.who
    if (head or again) and _open(line, step, nonce):
        _remove(line, step.who)
        lease = round(step.lease * SECOND)
        line.places = [*line.places, Place(step.who, now.micros + lease, lease, nonce, step.unit, step.window)]
        if step.window:
            _call_up(line, now.micros)
        return Entry(_mint(line, step.unit, nonce), 0.0)
    if step.who not in line.queue:
        line.queue = [*line.queue, step.who]
    if line.queue[0] == step.who:
        line.called = 0  # it is alive, and is called again when a place gets free
    else:
        _call_up(line, now.micros)
    ends = [place.until for place in line.places]
    if line.called:
        ends.append(line.called)
    return Entry(0, (min(ends) - now.micros) / SECOND)


def _open(line: Line, step: Enter, nonce: int) -> bool:
    """Whether one more call may be under way: then even the oldest nonce, arriving last, is accepted."""
    if not line.places:
        return True
    if len(line.places) >= PLACES or any(place.unit != step.unit for place in line.places):
        return False
    window = min(step.window, *(place.window for place in line.places))
    return nonce - min(place.nonce for place in line.places) < window


def _call_up(line: Line, now: int) -> None:
    """Call the head of the line if there may be room for it."""
    may = not line.places or (len(line.places) < PLACES and all(place.window for place in line.places))
    if line.queue and not line.called and may:
        line.called = now + PICKUP_US


def _remove(line: Line, who: str) -> None:
    if line.queue and line.queue[0] == who:
        line.called = 0
    line.queue = [name for name in line.queue if name != who]
    line.places = [place for place in line.places if place.who != who]


def _candidate(line: Line, unit: str, floor: int, now: Moment) -> int:
    """Return the next nonce: the calendar's reading, but above the last one and above the floor."""
    return max(now.wall_ns // tick_of(unit), line.nonces.get(unit, 0) + 1, floor + 1)


def _mint(line: Line, unit: str, nonce: int) -> int:
    line.nonces = {**line.nonces, unit: nonce}
    return nonce

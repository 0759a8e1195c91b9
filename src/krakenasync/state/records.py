"""What a store does to a counter and to a lane: pure functions on records.

Times are whole microseconds of the store's clock. `shared.lua` says the same to a Redis server; the conformance suite
holds both to one behaviour.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import msgspec

from krakenasync.state.port import PICKUP, QUARANTINE, Limit
from krakenasync.state.recall import NOTHING, Recall

__all__ = ["Answer", "Counter", "Entry", "Line", "adjust", "book", "enter", "give_back", "leave", "mint", "send"]

SECOND: Final = 1_000_000
PICKUP_US: Final = round(PICKUP * SECOND)
_DUST: Final = 1e-9
_SKEW: Final = 250_000
"""How far the store's clock may run ahead of a client's before it counts as having stepped."""


class Counter(msgspec.Struct, array_like=True):
    """A counter: its level at a moment, until when it is blocked, how often it was changed."""

    level: float = 0.0
    at: int = 0
    blocked: int = 0
    seq: int = 0


class Line(msgspec.Struct, array_like=True):
    """A key's lane: who holds it until when and for how long at the most, who waits, the last nonce of each unit."""

    holder: str = ""
    until: int = 0
    lease: int = 0
    queue: list[str] = []
    nonces: dict[str, int] = {}
    at: int = 0
    seq: int = 0

    def hand(self, who: str, now: int, lease: int) -> None:
        """Give the lane to somebody, or to nobody."""
        self.holder, self.until, self.lease = who, now + lease if who else 0, lease
        self.queue = [name for name in self.queue if name != who]


class Answer(NamedTuple):
    """What became of a question about a counter; the wait in microseconds."""

    ok: bool
    wait: int


class Entry(NamedTuple):
    """What became of a wish to enter: a nonce, or how long to wait at the most before asking again."""

    nonce: int
    wait: int


def _stepped_ahead(now: int, recall: Recall) -> int:
    """By how much the store's clock has run ahead of the client's since they last spoke; 0 if not noticeably."""
    ahead = now - recall.seen - recall.elapsed
    return ahead if recall.seen and ahead > _SKEW else 0


def _counted(found: Counter | None, now: int, limit: Limit, recall: Recall, initial: float) -> Counter:
    """Bring a counter up to now, and to what the client remembers better."""
    counter = found or Counter(initial, now)
    if now < counter.at:  # the clock stepped back: begin anew from here, and credit nothing
        counter.blocked = max(0, counter.blocked - (counter.at - now))
        counter.at = now
    counter.level = max(0.0, counter.level - (now - counter.at) * limit.decay / SECOND)
    lost = recall.seq > counter.seq
    if lost or _stepped_ahead(now, recall):
        counter.level = max(counter.level, recall.level, limit.cap if lost else 0.0)
        if recall.blocked:
            counter.blocked = max(counter.blocked, now + recall.blocked)
    counter.at = now
    counter.seq = max(counter.seq, recall.seq) + 1
    return counter


def book(
    found: Counter | None,
    now: int,
    limit: Limit,
    recall: Recall,
    *,
    cost: float,
    headroom: float,
    longest: float,
    initial: float,
) -> tuple[Counter, Answer]:
    """Charge `cost` points and say in how many microseconds the slot is due, unless that is too long."""
    counter = _counted(found, now, limit, recall, initial)
    over = counter.level + cost - (limit.cap - headroom)
    wait = math.ceil(over / limit.decay * SECOND) if over > _DUST else 0
    wait = max(wait, counter.blocked - now, 0)
    if wait > longest * SECOND:
        return counter, Answer(False, wait)
    counter.level += cost
    return counter, Answer(True, wait)


def send(found: Counter | None, now: int, limit: Limit, recall: Recall) -> tuple[Counter, Answer]:
    """Say whether a slot that is due may be used now."""
    counter = _counted(found, now, limit, recall, 0.0)
    wait = max(0, counter.blocked - now)
    return counter, Answer(not wait, wait)


def give_back(
    found: Counter | None, now: int, limit: Limit, recall: Recall, *, cost: float, due: int
) -> tuple[Counter, Answer]:
    """Take an unused slot off: all of it before it is due, later only what cannot have decayed."""
    counter = _counted(found, now, limit, recall, 0.0)
    decayed = max(0, now - due) * limit.decay / SECOND
    counter.level = max(0.0, counter.level - max(0.0, cost - decayed))
    return counter, Answer(True, 0)


def adjust(
    found: Counter | None, now: int, limit: Limit, recall: Recall, *, delta: float, floor: float, block: float
) -> tuple[Counter, Answer]:
    """Correct the level and stop everybody for a while."""
    counter = _counted(found, now, limit, recall, 0.0)
    counter.level = max(0.0, counter.level + delta, floor)
    if block > 0:
        counter.blocked = max(counter.blocked, now + math.ceil(block * SECOND))
    return counter, Answer(True, max(0, counter.blocked - now))


def _lined(found: Line | None, now: int, recall: Recall) -> Line:
    """Bring a lane up to now, and to what the client remembers better."""
    line = found or Line(at=now)
    if now < line.at and line.holder:
        line.until -= line.at - now
    elif line.holder and (ahead := _stepped_ahead(now, recall)):
        line.until = min(line.until + ahead, now + line.lease)
    if recall.seq > line.seq:
        line.hand("?", now, round(QUARANTINE * SECOND))
    line.at = now
    line.seq = max(line.seq, recall.seq) + 1
    return line


def enter(
    found: Line | None, now: int, recall: Recall, *, who: str, lease: int, unit: str, stamp: int, floor: int
) -> tuple[Line, Entry]:
    """Take the lane if it is free and nobody was before, else stand in line."""
    line = _lined(found, now, recall)
    if line.holder in {"", who} or line.until <= now:
        first = who if line.holder == who or not line.queue else line.queue[0]
        line.hand(first, now, lease if first == who else PICKUP_US)
        if first == who:
            return line, Entry(mint(line, unit, stamp, floor), 0)
    if who not in line.queue:
        line.queue = [*line.queue, who]
    return line, Entry(0, line.until - now)


def leave(found: Line | None, now: int, *, who: str) -> tuple[Line, str]:
    """Give the lane or the place in line up; return who has the lane now, if that changed."""
    line = _lined(found, now, NOTHING)
    line.queue = [name for name in line.queue if name != who]
    if line.holder != who:
        return line, ""
    line.hand(line.queue[0] if line.queue else "", now, PICKUP_US)
    return line, line.holder


def mint(line: Line, unit: str, stamp: int, floor: int) -> int:
    """Make a nonce: the clock's reading, but above the last one and above the floor."""
    nonce = max(stamp, line.nonces.get(unit, 0) + 1, floor + 1)
    line.nonces = {**line.nonces, unit: nonce}
    return nonce

"""How steps and answers are spelt for `shared.lua`: in MessagePack, which both sides read quickest."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from krakenasync.state.nonces import tick_of
from krakenasync.state.port import (
    Adjust,
    Book,
    Booking,
    Enter,
    Entry,
    GiveBack,
    Leave,
    Nonce,
    Peek,
    Refuse,
    Send,
    Standing,
    Step,
)
from krakenasync.state.recall import Recall

__all__ = ["key_of", "owner_of", "read", "record_of", "replies", "spell"]

_COUNTERS: Final = {Book: "book", Send: "send", GiveBack: "give_back", Adjust: "adjust", Refuse: "refuse", Peek: "peek"}
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[tuple[float, ...]]).decode


def record_of(step: Step) -> str:
    """Name the record that a step is about."""
    return f"lane {step.name}" if isinstance(step, (Nonce, Enter, Leave)) else step.name


def owner_of(step: Step) -> str:
    """Name whose record it is: the last word of its name."""
    return step.name.rpartition(" ")[2]


@functools.lru_cache(4096)
def key_of(record: str) -> str:
    """Name a record's key: what is in braces decides a cluster's slot."""
    owner, name = (hashlib.sha256(text.encode()).hexdigest()[:16] for text in (record.rpartition(" ")[2], record))
    return f"krakenasync:{{{owner}}}:{name}"


def spell(recalls: Sequence[Recall], numbers: Mapping[str, int], steps: Sequence[Step]) -> bytes:
    """Spell a question: what the client remembers of each record, and the steps with their records' numbers."""
    return _encode((recalls, [(numbers[record_of(step)], *_spelt(step)) for step in steps]))


def _spelt(step: Step) -> tuple[Any, ...]:
    if isinstance(step, Leave):
        return "leave", step.who
    if isinstance(step, (Enter, Nonce)):
        tick, finer = _ticks(step.unit)
        floor = -(-step.floor // finer)
        if isinstance(step, Nonce):
            return "nonce", step.unit, tick, floor
        kind = "enter_if_due" if step.if_due else "enter"
        return kind, step.who, round(step.lease * 1e6), step.unit, tick, floor, step.window / finer
    return _COUNTERS[type(step)], *step[1:]


def replies(text: bytes) -> list[tuple[float, ...]]:
    """Take an answer apart: for a counter (made, wait, seq, now, level, blocked, pace, margin), for a lane four."""
    return _decode(text)


def read(step: Step, reply: tuple[float, ...]) -> Any:
    """Read what a step was answered with."""
    first, wait, _seq, now, *more = reply
    if isinstance(step, Book):
        cost = step.cost if first else 0.0
        return Booking(step.name, step.limit, cost, wait / 1e6, more[0], int(now + wait))
    if isinstance(step, Send):
        return wait / 1e6
    if isinstance(step, Enter):
        return Entry(int(first) * _ticks(step.unit)[1], -1.0 if wait < 0 else wait / 1e6)
    if isinstance(step, Nonce):
        return int(first) * _ticks(step.unit)[1]
    if isinstance(step, (GiveBack, Leave)):
        return None
    level, blocked, pace, margin = more
    return Standing(level, blocked / 1e6, pace, margin)


@functools.cache
def _ticks(unit: str) -> tuple[int, int]:
    """Microseconds in the tick the script counts in, and how many of the unit's own ticks that is."""
    tick = tick_of(unit)
    return max(1, tick // 1000), max(1, 1000 // tick)

"""How steps and answers are encoded for `shared.lua`: in MessagePack, which both sides read fastest."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
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

_COUNTERS: Final[dict[type, str]] = {
    Book: "book",
    Send: "send",
    GiveBack: "give_back",
    Adjust: "adjust",
    Refuse: "refuse",
    Peek: "peek",
}
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[tuple[float, ...]]).decode


def record_of(step: Step) -> str:
    """Return the name of the record that a step is about."""
    return f"lane {step.name}" if isinstance(step, (Nonce, Enter, Leave)) else step.name


def owner_of(step: Step) -> str:
    """Return the owner of the record: the last word of its name."""
    return step.name.rpartition(" ")[2]


@functools.lru_cache(4096)
def key_of(record: str) -> str:
    """Return a record's key: what is in braces decides a cluster's slot."""
    owner, name = (hashlib.sha256(text.encode()).hexdigest()[:16] for text in (record.rpartition(" ")[2], record))
    return f"krakenasync:{{{owner}}}:{name}"


def spell(recalls: Sequence[Recall], numbers: Sequence[int], steps: Sequence[Step]) -> bytes:
    """Encode a question: what the client remembers of each record, and the steps, each with its record's number."""
    return _encode((recalls, [(number, *_spelt(step)) for number, step in zip(numbers, steps, strict=True)]))


def _spelt(step: Step) -> tuple[Any, ...]:
    if isinstance(step, Leave):
        return "leave", step.who
    if isinstance(step, Enter):
        tick, finer = _ticks(step.unit)
        kind, floor = "enter_if_due" if step.if_due else "enter", -(-step.floor // finer)
        return kind, step.who, round(step.lease * 1e6), step.unit, tick, floor, step.window / finer
    if isinstance(step, Nonce):
        tick, finer = _ticks(step.unit)
        return "nonce", step.unit, tick, -(-step.floor // finer)
    return _COUNTERS[type(step)], *step[1:]


def replies(text: bytes) -> list[tuple[float, ...]]:
    """Take an answer apart: for a counter (made, wait, seq, now, level, blocked, pace, margin), for a lane four."""
    return _decode(text)


def read(step: Step, reply: tuple[float, ...]) -> Any:
    """Read the answer to a step."""
    reader = _READERS.get(type(step))
    return None if reader is None else reader(step, reply)


def _booking(step: Book, reply: tuple[float, ...]) -> Booking:
    made, wait, now = reply[0], reply[1], reply[3]
    return Booking(step.name, step.limit, step.cost if made else 0.0, wait / 1e6, reply[4], int(now + wait))


def _standing(_step: Step, reply: tuple[float, ...]) -> Standing:
    level, blocked, pace, margin = reply[4:]
    return Standing(level, blocked / 1e6, pace, margin)


def _entry(step: Enter, reply: tuple[float, ...]) -> Entry:
    nonce, wait = int(reply[0]) * _ticks(step.unit)[1], reply[1]
    return Entry(nonce, -1.0 if wait < 0 else wait / 1e6)


def _nonce(step: Nonce, reply: tuple[float, ...]) -> int:
    return int(reply[0]) * _ticks(step.unit)[1]


def _wait(_step: Send, reply: tuple[float, ...]) -> float:
    return reply[1] / 1e6


_READERS: Final[dict[type, Callable[[Any, tuple[float, ...]], Any]]] = {
    Book: _booking,
    Send: _wait,
    Adjust: _standing,
    Refuse: _standing,
    Peek: _standing,
    Enter: _entry,
    Nonce: _nonce,
}
"""For the steps that have an answer."""


@functools.cache
def _ticks(unit: str) -> tuple[int, int]:
    """Return the microseconds in the script's tick, and how many of the unit's own ticks that is."""
    tick = tick_of(unit)
    return max(1, tick // 1000), max(1, 1000 // tick)

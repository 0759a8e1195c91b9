"""How steps and answers are spelt for `shared.lua`: words in a string, for reading the wire costs most."""

from __future__ import annotations

import functools
import hashlib
from typing import Any, Final

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
from krakenasync.state.recall import NOTHING, Recall

__all__ = ["Reply", "key_of", "memory_words", "owner_of", "read", "record_of", "words_of"]

_COUNTERS: Final = {Book: "book", Send: "send", GiveBack: "give_back", Adjust: "adjust", Refuse: "refuse", Peek: "peek"}
_FORGOTTEN: Final = "0 0 0 0 0 1 0"


class Reply:
    """The script's answer to one step."""

    __slots__ = ("blocked", "first", "level", "margin", "now", "pace", "seq", "wait")

    def __init__(self, line: bytes) -> None:
        first, wait, level, seq, now, blocked, pace, margin = line.split()
        self.first, self.wait, self.seq, self.now, self.blocked = map(int, (first, wait, seq, now, blocked))
        self.level, self.pace, self.margin = float(level), float(pace), float(margin)


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


def memory_words(recall: Recall) -> str:
    """Spell what a client remembers of a record."""
    if recall is NOTHING:
        return _FORGOTTEN
    seq, seen, elapsed, level, blocked, pace, margin = recall
    return f"{seq} {seen} {elapsed} {level:.9f} {blocked} {pace:.12f} {margin:.12f}"


def words_of(step: Step, number: int) -> str:
    """Spell a step about the record of that number."""
    if isinstance(step, Leave):
        return f"{number} leave {step.who}"
    if isinstance(step, (Enter, Nonce)):
        tick, finer = _ticks(step.unit)
        floor = -(-step.floor // finer)
        if isinstance(step, Nonce):
            return f"{number} nonce {step.unit} {tick} {floor}"
        word = "enter_if_due" if step.if_due else "enter"
        lease, window = round(step.lease * 1e6), step.window / finer
        return f"{number} {word} {step.who} {lease} {step.unit} {tick} {floor} {window}"
    (cap, decay), *how = step[1:]
    return f"{number} {_COUNTERS[type(step)]} {cap} {decay} {' '.join(map(str, how))}"


def read(step: Step, reply: Reply) -> Any:
    """Read an answer."""
    if isinstance(step, Book):
        cost = step.cost if reply.first else 0.0
        return Booking(step.name, step.limit, cost, reply.wait / 1e6, reply.level, reply.now + reply.wait)
    if isinstance(step, Send):
        return reply.wait / 1e6
    if isinstance(step, Enter):
        return Entry(reply.first * _ticks(step.unit)[1], -1.0 if reply.wait < 0 else reply.wait / 1e6)
    if isinstance(step, Nonce):
        return reply.first * _ticks(step.unit)[1]
    if isinstance(step, (GiveBack, Leave)):
        return None
    return Standing(reply.level, reply.blocked / 1e6, reply.pace, reply.margin)


def _ticks(unit: str) -> tuple[int, int]:
    """Microseconds in the tick the script counts in, and how many of the unit's own ticks that is."""
    tick = tick_of(unit)
    return max(1, tick // 1000), max(1, 1000 // tick)

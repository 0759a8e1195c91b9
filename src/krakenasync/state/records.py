"""What a store does to a counter: pure functions on records.

Times are whole microseconds of the store's clock. `shared.lua` does the same on a Redis server; the conformance suite
ensures that both behave alike.
"""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from krakenasync.state.caution import CALM, Caution, after_refusal, margin_at, pace_at
from krakenasync.state.port import Adjust, Book, Booking, CounterStep, GiveBack, Peek, Refuse, Send, Standing, Step
from krakenasync.state.recall import Recall

__all__ = ["SECOND", "Counter", "answer", "is_due", "standing", "stepped_ahead"]

SECOND: Final = 1_000_000
_DUST: Final = 1e-9
_SKEW: Final = 250_000
"""How far the store's clock may run ahead of a client's before it counts as having stepped."""


class Counter(msgspec.Struct, array_like=True):
    """A counter: its level at a moment, until when it is blocked, how often it was changed, what refusals taught it.

    Slots booked before `void` have to be booked again; those booked before `lifted`, when the level was set and not
    counted, have nothing to give back. The caution's times are seconds of the store's clock.
    """

    level: float = 0.0
    at: int = 0
    blocked: int = 0
    seq: int = 0
    caution: Caution = CALM
    void: int = 0
    lifted: int = 0


def stepped_ahead(now: int, recall: Recall) -> int:
    """Return how far the store's clock has run ahead of the client's since the last answer; 0 if not noticeably."""
    ahead = now - recall.seen - recall.elapsed
    return ahead if recall.seen and ahead > _SKEW else 0


def answer(step: CounterStep, found: Counter | None, now: int, recall: Recall) -> tuple[Counter, Any]:
    """Change a counter as a step asks for, and answer it."""
    counter = _counted(step, found, now, recall)
    if isinstance(step, Book):
        return counter, _booked(step, counter, now)
    if isinstance(step, GiveBack):
        if not 0 < step.booked < counter.lifted:
            decayed = max(0, now - step.due) * step.limit.decay / SECOND
            counter.level = max(0.0, counter.level - max(0.0, step.cost - decayed))
        return counter, None
    if isinstance(step, Send):
        void = 0 < step.booked < counter.void
        return counter, max(int(void), counter.blocked - now, 0) / SECOND
    if isinstance(step, Adjust):
        counter.level = max(0.0, counter.level + step.delta, step.floor)
        if step.block > 0:
            counter.blocked = max(counter.blocked, now + math.ceil(step.block * SECOND))
            counter.void = counter.lifted = now
        if step.overdraws:
            counter.void = now
    elif isinstance(step, Refuse):
        _learn(step, counter, now)
    return counter, standing(counter, now)


def is_due(step: Step, answer: Any) -> bool:
    """Whether a slot may be used now, if the step was about one."""
    if isinstance(step, Book):
        return bool(answer.made and not answer.wait)
    return not (isinstance(step, Send) and answer)


def standing(counter: Counter, now: int) -> Standing:
    """Return how a counter that is up to date stands."""
    seconds, caution = now / SECOND, counter.caution
    return Standing(
        counter.level,
        max(0, counter.blocked - now) / SECOND,
        pace_at(caution, seconds),
        margin_at(caution, seconds),
    )


def _counted(step: CounterStep, found: Counter | None, now: int, recall: Recall) -> Counter:
    """Bring a counter up to date, also with what the client remembers better."""
    counter = found or Counter(step.initial if isinstance(step, Book) else 0.0, now)
    if isinstance(step, Peek):
        counter = msgspec.structs.replace(counter)
    if now < counter.at:  # the clock stepped back: start again from here, and credit nothing
        back = counter.at - now
        counter.blocked = max(0, counter.blocked - back)
        counter.void, counter.lifted = max(0, counter.void - back), max(0, counter.lifted - back)
        counter.caution = _moved(counter.caution, back / SECOND)
        counter.at = now
    pace = pace_at(counter.caution, counter.at / SECOND)
    counter.level = max(0.0, counter.level - (now - counter.at) * step.limit.decay * pace / SECOND)
    lost = recall.seq > counter.seq
    if lost or stepped_ahead(now, recall):
        counter.level = max(counter.level, recall.level, step.limit.cap if lost else 0.0)
        if recall.blocked:
            counter.blocked = max(counter.blocked, now + recall.blocked)
    if lost and recall.pace < pace_at(counter.caution, now / SECOND):
        counter.caution = Caution(now / SECOND, recall.pace, recall.margin, 0.0, now / SECOND, 1)
    counter.at = now
    counter.seq = max(counter.seq, recall.seq) + 1
    return counter


def _moved(caution: Caution, back: float) -> Caution:
    """Shift the times after a clock was set back."""
    if caution.pace >= 1.0:
        return CALM
    return msgspec.structs.replace(caution, since=caution.since - back, until=caution.until - back)


def _booked(step: Book, counter: Counter, now: int) -> Booking:
    """Charge the cost and say when the slot is due, unless that is too late."""
    limit, seconds = step.limit, now / SECOND
    over = counter.level + step.cost - limit.cap + margin_at(counter.caution, seconds)
    wait = math.ceil(over / (limit.decay * pace_at(counter.caution, seconds)) * SECOND) if over > _DUST else 0
    wait = max(wait, counter.blocked - now, 0)
    made = wait <= step.longest * SECOND
    counter.level += step.cost if made else 0.0
    return Booking(step.name, limit, step.cost if made else 0.0, wait / SECOND, counter.level, now + wait)


def _learn(step: Refuse, counter: Counter, now: int) -> None:
    """Accept Kraken's count, pause, then continue more slowly; once per episode."""
    seconds, before = now / SECOND, counter.caution
    counter.caution = after_refusal(before, seconds, sent=seconds - step.ago, most=step.most)
    if counter.caution is not before:
        counter.level = max(counter.level, step.floor)
        counter.blocked = max(counter.blocked, round(counter.caution.until * SECOND))
        counter.void = counter.lifted = now

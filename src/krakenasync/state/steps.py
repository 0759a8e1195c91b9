"""A counter that is reduced once every couple of seconds, at unknown moments; the slowest case is assumed.

A counter that falls steadily is a wrong model of one that falls in steps, which can stand higher by almost a whole
step. What is certain: since any moment, at least ``floor(elapsed / step)`` reductions have happened. So the calls
answered since that moment, those in flight and the next one fit if that many reductions make room for them; and this
has to be true since every moment at which an answer came.

Source: https://docs.kraken.com/exchange/guides/rest/ratelimits ("every couple of seconds")
"""

from __future__ import annotations

import math
from typing import Final

from krakenasync.protocol.tiers import CounterSpec

__all__ = ["Steps"]

_DUST: Final = 1e-9
_GRAINS: Final = 16
"""Answers are counted up to a step divided by this later than they came, so that few moments stand for many calls."""
_LATE: Final = 1e-6
"""Seconds after a reduction for which a call waits: clocks count in floats."""


class Steps:
    """What has been answered, as far as it still matters.

    Args:
        spec: The counter's cap and pace.
        step: Seconds between two reductions.
    """

    def __init__(self, spec: CounterSpec, step: float) -> None:
        self._cap = spec.cap
        self._step = step
        self._fall = spec.decay * step
        self._grain = step / _GRAINS
        self._answered = 0.0
        # (when an answer came, points answered before it), oldest first; only those that can decide anything.
        self._since: list[tuple[float, float]] = []

    def note(self, at: float, cost: float) -> None:
        """Record `cost` points answered at `at`; moments come in order."""
        if self._since and at <= self._since[-1][0]:
            self._answered += cost  # that moment also stands for these points, and drops out with the next one
            return
        now, at = at, math.ceil(at / self._grain) * self._grain
        before = self._answered
        self._answered += cost
        self._since = [(when, then) for when, then in self._since if self._level(when, then, now) > _DUST]
        # A stretch that begins earlier and has more points than can fall in between will always count for more.
        if not any(before - then >= self._fall * math.ceil((at - when) / self._step) for when, then in self._since):
            self._since.append((at, before))

    def _level(self, when: float, then: float, now: float) -> float:
        """Return the points answered since `when` that may still be on the counter."""
        return self._answered - then - self._fall * max(0, math.floor((now - when) / self._step))

    def unreduced(self) -> float:
        """Return the points, including those in flight, that fit without any further reduction."""
        return self._cap - (self._answered - self._since[0][1]) if self._since else self._cap

    def wait(self, points: float, now: float) -> float:
        """Return the seconds until `points` more, including those in flight, certainly fit; 0 if they do now."""
        if points <= self.unreduced():
            return 0.0
        latest = now
        for when, then in self._since:
            if self._level(when, then, now) + points - self._cap > _DUST:
                over = self._answered - then + points - self._cap
                latest = max(latest, when + self._step * math.ceil(over / self._fall - _DUST) + _LATE)
        return latest - now

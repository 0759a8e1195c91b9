"""The arithmetic of Kraken's counters, in whole numbers, on (state, now).

A level is kept in ticks of 10**-11 points: a decay of 0.33 points a second is then exactly 33 ticks a nanosecond.

Source: https://docs.kraken.com/exchange/guides/rest/ratelimits
"""

from __future__ import annotations

from typing import Final

import msgspec

from krakenasync.protocol.tiers import CounterSpec

__all__ = ["EMPTY", "TICKS", "CounterState", "add", "at", "fits", "points"]

TICKS: Final = 10**11
"""Ticks in one point."""


class CounterState(msgspec.Struct, frozen=True):
    """A counter's level in ticks, and the nanosecond at which it was that."""

    level: int = 0
    at: int = 0


EMPTY: Final = CounterState()


def points(state: CounterState) -> float:
    """Return the level in points, for people."""
    return state.level / TICKS


def at(spec: CounterSpec, state: CounterState, now: int, *, step: int = 0) -> CounterState:
    """Let the counter decay up to `now`.

    Args:
        spec: The counter's cap and pace.
        state: The last known state.
        now: Nanoseconds on any clock, as long as it is always the same one. Going back changes nothing.
        step: Nanoseconds between two reductions; 0 for a continuous decay.
    """
    if now <= state.at:
        return state
    if step:
        now = now // step * step
        elapsed = max(0, now - state.at // step * step)
        if not elapsed:
            return state
    else:
        elapsed = now - state.at
    return CounterState(max(0, state.level - elapsed * spec.decay_hundredths), now)


def fits(spec: CounterSpec, state: CounterState, cost: float) -> bool:
    """Whether `cost` points stay within the cap, read strictly: the sum may reach the cap, not pass it."""
    return state.level + round(cost * TICKS) <= spec.cap * TICKS


def add(state: CounterState, cost: float) -> CounterState:
    """Charge `cost` points; negative gives back, never below empty."""
    return CounterState(max(0, state.level + round(cost * TICKS)), state.at)

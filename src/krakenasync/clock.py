"""Time as an argument: what needs it is given a `Clock`, so that tests can supply their own."""

from __future__ import annotations

import time
from typing import Final, NamedTuple, Protocol

__all__ = ["SYSTEM_CLOCK", "Clock", "Instant", "SystemClock", "age", "instant"]


class Clock(Protocol):
    """Two clocks in one: a steady one for waiting, the calendar for nonces and deadlines."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since the unix epoch; may step either way when the machine's clock is set."""
        ...


class SystemClock:
    """The machine's clocks, `time.monotonic` and `time.time_ns`, unwrapped: every call reads them several times."""

    monotonic = staticmethod(time.monotonic)
    wall_ns = staticmethod(time.time_ns)

    def __repr__(self) -> str:
        return "SystemClock()"


SYSTEM_CLOCK: Final = SystemClock()


class Instant(NamedTuple):
    """A moment on both clocks."""

    steady: float
    wall_ns: int


def instant(clock: Clock) -> Instant:
    """Return the present moment."""
    return Instant(clock.monotonic(), clock.wall_ns())


def age(clock: Clock, moment: Instant) -> float:
    """Return the most seconds that may have passed since a moment.

    On some systems the steady clock stops while the machine sleeps; the calendar may be set. So the greater of the two
    differences counts.
    """
    return max(clock.monotonic() - moment.steady, (clock.wall_ns() - moment.wall_ns) / 1e9)

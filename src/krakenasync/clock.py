"""Time as an argument: whoever needs it is handed a `Clock`, so that tests can bring their own."""

from __future__ import annotations

import time
from typing import Final, Protocol

__all__ = ["SYSTEM_CLOCK", "Clock", "SystemClock"]


class Clock(Protocol):
    """Two clocks in one: a steady one for waiting, the calendar for nonces and deadlines."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since the unix epoch; may step either way when the machine's clock is set."""
        ...


class SystemClock:
    """The machine's clocks, `time.monotonic` and `time.time_ns` as they are: every call asks them several times."""

    monotonic = staticmethod(time.monotonic)
    wall_ns = staticmethod(time.time_ns)

    def __repr__(self) -> str:
        return "SystemClock()"


SYSTEM_CLOCK: Final = SystemClock()

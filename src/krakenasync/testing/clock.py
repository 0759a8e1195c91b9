"""Virtual time: an event loop that, when all tasks sleep, jumps to the next wake-up instead of waiting for it.

Hours of waiting run in milliseconds, and every run is the same. Real sockets do not work with it: talk to the sandbox
in-process, through ``httpx.ASGITransport(sandbox.app)``.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import anyio

__all__ = ["VirtualClock", "VirtualEventLoop", "run"]

T = TypeVar("T")

_START: Final = 1_780_000_000_000_000_000
"""Where the calendar of a virtual clock begins, in nanoseconds since the unix epoch (May 2026)."""

_PATIENCE: Final = 10.0
"""Real seconds for which a loop with nothing to do waits for a thread to wake it."""


class VirtualClock:
    """A clock that moves only by `advance` or by the event loop that runs on it.

    Args:
        wall_ns: Where its calendar begins, in nanoseconds since the unix epoch.
    """

    def __init__(self, wall_ns: int = _START) -> None:
        self._now = 0.0
        self._wall_ns = wall_ns

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._now

    def wall_ns(self) -> int:
        """Nanoseconds since the unix epoch."""
        return self._wall_ns + round(self._now * 1e9)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += max(0.0, seconds)

    def step_wall(self, seconds: float) -> None:
        """Set the calendar forward or back, as an administrator or NTP would; the steady time is not affected."""
        self._wall_ns += round(seconds * 1e9)

    def __repr__(self) -> str:
        return f"VirtualClock({self._now:.6f} s)"


class LoopClock:
    """The running event loop's own time, with a calendar that begins at a fixed moment.

    Works wherever anyio does, also under trio's MockClock.
    """

    def __init__(self, wall_ns: int = _START) -> None:
        self._wall_ns = wall_ns

    def monotonic(self) -> float:
        """Seconds of the running loop's clock."""
        return anyio.current_time()

    def wall_ns(self) -> int:
        """Nanoseconds since the unix epoch."""
        return self._wall_ns + round(anyio.current_time() * 1e9)


class _JumpingSelector(selectors.DefaultSelector):
    """Lets virtual time pass when a loop would sleep."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now; if nothing is, jump to the next timer."""
        if timeout is None:
            if not (ready := super().select(_PATIENCE)):
                raise RuntimeError("every task waits for something that will never happen")
            return ready
        ready = super().select(0)
        if not ready:
            self._clock.advance(timeout)
        return ready


class VirtualEventLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop on a virtual clock."""

    def __init__(self, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        super().__init__(_JumpingSelector(self.clock))

    def time(self) -> float:
        """Seconds of the virtual clock."""
        return self.clock.monotonic()


def run(main: Callable[[VirtualClock], Coroutine[Any, Any, T]], clock: VirtualClock | None = None) -> T:
    """Run ``main(clock)`` in virtual time and return what it returns.

    >>> import anyio
    >>> async def main(clock):
    ...     await anyio.sleep(3600)
    ...     return clock.monotonic()
    >>> run(main) >= 3600
    True
    """
    clock = clock or VirtualClock()
    with asyncio.Runner(loop_factory=lambda: VirtualEventLoop(clock)) as runner:
        return runner.run(main(clock))

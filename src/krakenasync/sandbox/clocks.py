"""The sandbox's own time: that of another clock, sped up or moved ahead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from krakenasync.clock import Clock
from krakenasync.errors import ConfigurationError

__all__ = ["NANOS", "SandboxClock", "timestamp"]

NANOS: Final = 10**9
LONGEST: Final = 10**9
"""The longest jump in seconds, about thirty years."""
NOISE: Final = 1e-6
"""Seconds by which two readings of one clock may differ through rounding alone."""


class SandboxClock:
    """A clock ahead of another one.

    Args:
        base: The clock it follows.
        speed: How many of its seconds pass in one second of that clock.

    Attributes:
        base: The clock it follows.
    """

    def __init__(self, base: Clock, speed: float = 1.0) -> None:
        if not 0 < speed < LONGEST:
            raise ConfigurationError(
                f"speed={speed}: time would not go on", hint="1.0 is as fast as the clock, 60 faster"
            )
        self.base = base
        self._speed = speed
        self._began = base.monotonic()
        self._ahead = 0.0
        self._wall_ahead = 0

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return self.base.monotonic() + (self._ahead + self._gained())

    def wall_ns(self) -> int:
        """Nanoseconds since the unix epoch."""
        return self.base.wall_ns() + (self._wall_ahead + round(self._gained() * NANOS))

    def advance(self, seconds: float) -> None:
        """Let time pass at once.

        Raises:
            ConfigurationError: Time would go back.
        """
        if not 0 <= seconds < LONGEST:
            raise ConfigurationError(
                f"time cannot be moved by {seconds} s", hint="it only goes forward, by years at most"
            )
        self._ahead += seconds
        self._wall_ahead += round(seconds * NANOS)

    def resume(self, monotonic: float, wall_ns: int) -> None:
        """Go on from the moment of a snapshot; time that has passed since then has passed here too."""
        self._wall_ahead += max(0, wall_ns - self.wall_ns())
        missing = monotonic + (self.wall_ns() - wall_ns) / NANOS - self.monotonic()
        if abs(missing) > NOISE:
            self._ahead += missing

    def _gained(self) -> float:
        return (self.base.monotonic() - self._began) * (self._speed - 1) if self._speed != 1 else 0.0

    def __repr__(self) -> str:
        return f"SandboxClock({self.base!r}, speed={self._speed})"


def timestamp(at: int) -> str:
    """Write unix nanoseconds as Kraken writes a moment to the second: ``2026-05-28T20:26:40Z``."""
    return f"{datetime.fromtimestamp(at // NANOS, UTC):%Y-%m-%dT%H:%M:%SZ}"

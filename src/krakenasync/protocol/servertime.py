"""What Kraken's clock shows, as far as readings reveal it: between two bounds.

Source: https://docs.kraken.com/api/docs/rest-api/get-server-time (whole seconds)
"""

from __future__ import annotations

from typing import Final, Self

import msgspec

__all__ = ["SECOND", "SKEW", "ServerTime"]

SECOND: Final = 1_000_000_000
SKEW: Final = 2.0
"""Seconds by which the times that different machines of Kraken's write may disagree."""
_TOO_OLD: Final = 600 * SECOND
_STEPPED: Final = SECOND
_TOO_VAGUE: Final = 3 * SECOND


class ServerTime(msgspec.Struct, frozen=True):
    """How far Kraken's clock is ahead of our steady one; all times in nanoseconds.

    Attributes:
        least: The least that it can be ahead.
        most: The most that it can be ahead.
        received: When the reading came, on our steady clock.
        wall: The same moment on our calendar, to notice a machine that slept.
    """

    least: int
    most: int
    received: int
    wall: int

    @classmethod
    def read(cls, unixtime: int, *, sent: int, received: int, wall: int) -> Self:
        """Take a reading.

        Args:
            unixtime: What Kraken answered: whole seconds since the unix epoch, rounded down.
            sent: When the question was sent, on our steady clock.
            received: When the answer came.
            wall: The same moment on our calendar.
        """
        shown = unixtime * SECOND
        return cls(shown - received, shown + SECOND - sent, received, wall)

    def narrowed(self, later: Self) -> Self:
        """Return what two readings reveal together; the later one alone if they cannot both be true."""
        least, most = max(self.least, later.least), min(self.most, later.most)
        if least > most:
            return later
        return msgspec.structs.replace(later, least=least, most=most)

    def at_least(self, now: int) -> int:
        """Return the least that Kraken's clock can show at `now` of our steady clock. To wait by: it is never ahead."""
        return now + self.least

    def at_most(self, now: int) -> int:
        """Return the most that Kraken's clock can show, at `now` of our steady clock."""
        return now + self.most

    def likely(self, now: int) -> int:
        """Return what Kraken's clock most likely shows, at `now` of our steady clock. For making deadlines."""
        return now + (self.least + self.most) // 2

    @property
    def vague(self) -> bool:
        """Whether the answer was so long on its way that a deadline based on it may be refused."""
        return self.most - self.least > _TOO_VAGUE

    def stale(self, now: int, wall: int) -> bool:
        """Whether it is time for a new reading: this one is old, or our two clocks have drifted apart since."""
        elapsed = now - self.received
        return elapsed > _TOO_OLD or abs((wall - self.wall) - elapsed) > _STEPPED

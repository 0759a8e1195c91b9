"""What Kraken's clock shows, as far as one reading of it tells.

Source: https://docs.kraken.com/api/docs/rest-api/get-server-time (whole seconds)
"""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["ServerTime"]

SECOND: Final = 1_000_000_000
_TOO_OLD: Final = 600 * SECOND
_STEPPED: Final = SECOND


class ServerTime(msgspec.Struct, frozen=True):
    """One reading of Kraken's clock; all times in nanoseconds.

    Attributes:
        unixtime: What Kraken answered, in nanoseconds since the unix epoch. It was cut down to whole seconds.
        received: When the answer came, on our steady clock.
        wall: The same moment on our calendar, to notice a machine that slept.
    """

    unixtime: int
    received: int
    wall: int

    def at_least(self, now: int) -> int:
        """What Kraken's clock shows at the least, at `now` of our steady clock.

        The reading was made before it was received and cut down, so Kraken's clock is ahead of this by up to a second
        and the answer's time on the way.
        """
        return self.unixtime + (now - self.received)

    def stale(self, now: int, wall: int) -> bool:
        """Whether it is time for a new reading: it is old, or our two clocks have parted since."""
        elapsed = now - self.received
        return elapsed > _TOO_OLD or abs((wall - self.wall) - elapsed) > _STEPPED

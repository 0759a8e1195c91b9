"""Nonces that only ever rise, whatever the clock does.

Source: https://docs.kraken.com/api/docs/guides/spot-rest-auth (a nonce must be above every one sent before on its key)
"""

from __future__ import annotations

import threading
from typing import Final

from krakenasync.clock import Clock
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.quoting import quoted

__all__ = ["UNITS", "NonceSource", "tick_of"]

UNITS: Final = {"ms": 1_000_000, "us": 1_000, "ns": 1}
"""Unit -> nanoseconds in one tick. A key can change to a finer unit later, but never to a coarser one."""

_LEAP_NS: Final = 2_000_000_000
_LEAPS: Final = 2
"""The most leaps in a row of refusals: no clock should be further ahead than that."""


class NonceSource:
    """The nonces of one API key: the clock's reading, but always above the last one.

    Thread-safe: two event loops in two threads never get the same number.
    """

    def __init__(self, unit: str, clock: Clock) -> None:
        self.unit = unit
        self.tick_ns = tick_of(unit)
        self.clock = clock
        self._lock = threading.Lock()
        self._last = 0
        self.accepted = False
        """Whether Kraken has ever accepted a nonce of ours; if not, none was high enough."""
        self._refusals = 0

    def next(self) -> int:
        """Return the next nonce."""
        with self._lock:
            now = self.clock.wall_ns() // self.tick_ns
            self._last = now if now > self._last else self._last + 1
            return self._last

    def peek(self) -> int:
        """Return what `next` would return now."""
        return max(self.clock.wall_ns() // self.tick_ns, self._last + 1)

    def accept(self) -> None:
        """Record that Kraken accepted a nonce."""
        self.accepted = True
        self._refusals = 0

    def refuse(self) -> None:
        """Record a refused nonce; from the second in a row on, leap: that is not just a matter of order."""
        self._refusals += 1
        if 1 < self._refusals <= 1 + _LEAPS:
            self.leap()

    def leap(self) -> None:
        """Go two seconds ahead of the clock: another program's clock may be ahead of ours."""
        with self._lock:
            self._last = max(self._last, self.clock.wall_ns() // self.tick_ns) + _LEAP_NS // self.tick_ns

    def raise_to(self, floor: int) -> None:
        """Record a nonce that was handed out elsewhere: all further ones are above it."""
        with self._lock:
            self._last = max(self._last, floor)

    def refine(self, unit: str) -> None:
        """Change to a finer unit; a coarser one is no longer possible on this key and is refused.

        Raises:
            ConfigurationError: The unit is unknown, or coarser than one already used on the key.
        """
        tick = tick_of(unit)
        with self._lock:
            if tick > self.tick_ns:
                raise ConfigurationError(
                    f"nonce_unit={unit!r}, but this process already uses {self.unit!r} on the key",
                    hint=f"a nonce can only rise: keep nonce_unit={self.unit!r}",
                )
            self.unit, self.tick_ns = unit, tick

    @property
    def last(self) -> int:
        """The last nonce handed out, or 0."""
        return self._last

    def __repr__(self) -> str:
        return f"<NonceSource {self.unit}>"


def tick_of(unit: str) -> int:
    """Return the nanoseconds in one tick of the unit.

    Raises:
        ConfigurationError: The unit does not exist.
    """
    if not isinstance(unit, str) or unit not in UNITS:
        raise ConfigurationError(f"unknown nonce_unit {quoted(unit)}", hint=f"one of {', '.join(UNITS)}")
    return UNITS[unit]

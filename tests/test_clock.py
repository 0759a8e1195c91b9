"""The machine's clocks."""

import time

from krakenasync.clock import Clock, SystemClock


def test_monotonic_never_goes_back():
    """Readings of the steady clock are seconds and never decrease."""
    clock: Clock = SystemClock()
    readings = [clock.monotonic() for _ in range(1000)]
    assert readings == sorted(readings)


def test_clocks_are_the_machine_s():
    """Seconds come from time.monotonic, whole nanoseconds from time.time_ns."""
    assert SystemClock().monotonic is time.monotonic
    assert SystemClock().wall_ns is time.time_ns


def test_repr_is_plain():
    """A clock shows as the expression that makes it."""
    assert repr(SystemClock()) == "SystemClock()"

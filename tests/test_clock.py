"""The machine's clocks."""

import time

import pytest

from krakenasync.clock import Clock, SystemClock, age, instant
from krakenasync.testing import VirtualClock


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


@pytest.mark.parametrize(("awake", "stepped", "seconds"), [(5, 0, 5), (5, 3600, 3605), (5, -3600, 5), (0, 0, 0)])
def test_an_age_is_the_greater_one_that_the_two_clocks_show(awake, stepped, seconds):
    """A machine that slept has a calendar ahead of its steady clock; a calendar set back makes nothing younger."""
    clock = VirtualClock()
    moment = instant(clock)
    clock.advance(awake)
    clock.step_wall(stepped)
    assert age(clock, moment) == pytest.approx(seconds)

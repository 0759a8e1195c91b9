"""The machine's clocks."""

import time

import pytest

from krakenasync.clock import Clock, SystemClock


def test_monotonic_never_goes_back():
    """Readings of the steady clock are seconds and never decrease."""
    clock: Clock = SystemClock()
    readings = [clock.monotonic() for _ in range(1000)]
    assert readings == sorted(readings)


def test_clocks_are_the_machine_s(monkeypatch: pytest.MonkeyPatch):
    """Seconds come from time.monotonic, whole nanoseconds from time.time_ns."""
    monkeypatch.setattr(time, "monotonic", lambda: 12.5)
    monkeypatch.setattr(time, "time_ns", lambda: 1_616_492_376_594_000_001)
    assert SystemClock().monotonic() == 12.5
    assert SystemClock().wall_ns() == 1_616_492_376_594_000_001


def test_repr_is_plain():
    """A clock shows as the expression that makes it."""
    assert repr(SystemClock()) == "SystemClock()"

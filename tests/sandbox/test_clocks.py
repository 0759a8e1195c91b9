"""The sandbox's own time."""

import pytest

from krakenasync.errors import ConfigurationError
from krakenasync.sandbox import Sandbox, SandboxConfig
from krakenasync.sandbox.clocks import SandboxClock
from krakenasync.testing import VirtualClock


def test_a_clock_of_normal_speed_is_the_clock_it_follows():
    """To the last digit, so that whoever shares the clock below agrees with it."""
    base = VirtualClock()
    clock = SandboxClock(base)
    for _ in range(5):
        base.advance(0.1)
        assert (clock.monotonic(), clock.wall_ns()) == (base.monotonic(), base.wall_ns())


def test_a_fast_clock_passes_hours_in_minutes():
    """At sixty times the speed both readings gain an hour in a minute, from where they were."""
    base = VirtualClock()
    base.advance(7)
    clock = Sandbox(SandboxConfig(speed=60), base).clock
    steady, wall = clock.monotonic(), clock.wall_ns()
    base.advance(60)
    assert clock.monotonic() - steady == pytest.approx(3600)
    assert clock.wall_ns() - wall == 3600 * 10**9


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_time_only_goes_forward(seconds):
    """Neither a leap back nor a stop is taken."""
    with pytest.raises(ConfigurationError, match="only goes forward"):
        SandboxClock(VirtualClock()).advance(seconds)
    with pytest.raises(ConfigurationError, match="time would not go on"):
        SandboxClock(VirtualClock(), seconds)


def test_advancing_a_sandbox_carries_out_what_was_due():
    """Without any call, an expired order is gone."""
    sandbox = Sandbox(SandboxConfig(), VirtualClock())
    account = sandbox.accounts["alice"]
    sandbox.exchange.set_switch(account, 60)
    sandbox.advance(61)
    assert sandbox.exchange.switches == {}

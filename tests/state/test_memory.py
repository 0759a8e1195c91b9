"""What the clients of one process share: one counter a name, kept while it counts."""

import pytest

from krakenasync.errors import ConfigurationError
from krakenasync.protocol.tiers import CounterSpec, Tier
from krakenasync.state.memory import MemoryState
from krakenasync.testing import VirtualClock

STARTER, PRO = Tier.STARTER.rest, Tier.PRO.rest


def total(bucket):
    state = bucket.state()
    return state.level + state.held


@pytest.fixture
def clock():
    return VirtualClock()


def test_one_name_is_one_counter(clock):
    """The same name gives the same counter; other limits under that name are a clear error."""
    state = MemoryState(clock)
    used = state.bucket("rest", PRO)
    assert used is state.bucket("rest", PRO)
    with pytest.raises(ConfigurationError, match="same tier"):
        state.bucket("rest", STARTER)


def test_a_counter_at_rest_that_nobody_uses_takes_other_limits(clock):
    """Who puts a wrong tier right need not start anew; points that still count are not forgotten for that."""
    state = MemoryState(clock)
    assert state.bucket("rest", STARTER).try_reserve(1)
    state.bucket("rest", STARTER).settle(1)
    with pytest.raises(ConfigurationError, match="is empty again"):
        state.bucket("rest", PRO)
    clock.advance(10)
    assert state.bucket("rest", PRO).spec == PRO


def test_asking_with_other_limits_makes_no_counter_forgettable(clock):
    """Whoever uses it may go away while it counts."""
    state = MemoryState(clock)
    used = state.bucket("rest", PRO)
    with pytest.raises(ConfigurationError):
        state.bucket("rest", STARTER)
    assert used.try_reserve(10)
    del used
    assert total(state.bucket("rest", PRO)) == 10


def test_idle_counters_are_forgotten_in_the_end(clock):
    """A process that asks for ever more pairs does not grow for ever; counters in use stay."""
    state = MemoryState(clock)
    busy = state.bucket("busy", PRO)
    assert busy.try_reserve(1)
    for number in range(5000):
        state.bucket(f"public:{number}", CounterSpec(1, 100))
    assert len(state._buckets) < 2000
    assert state.bucket("busy", PRO) is busy


def test_a_counter_in_use_is_never_made_twice():
    """A counter at rest that a client still holds is found again, however many have come since."""
    state = MemoryState(VirtualClock())
    held = state.bucket("held", Tier.PRO.rest)
    for number in range(3000):
        state.bucket(f"passing {number}", Tier.PRO.rest)
    assert state.bucket("held", Tier.PRO.rest) is held

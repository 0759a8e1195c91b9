"""Nonces only rise."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.errors import ConfigurationError
from krakenasync.state.memory import MemoryState
from krakenasync.state.nonces import UNITS, NonceSource
from krakenasync.testing import VirtualClock


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=50), st.sampled_from(sorted(UNITS)))
def test_nonces_rise_whatever_the_calendar_does(steps, unit):
    """However the machine's clock is set forward or back, each nonce is above all before it."""
    clock = VirtualClock()
    nonces = NonceSource(unit, clock)
    last = 0
    for step in steps:
        if step is not None:
            clock.step_wall(step)
        nonce = nonces.next()
        assert nonce > last
        last = nonce
    assert nonces.last == last


@pytest.mark.parametrize(("unit", "digits"), [("ms", 13), ("us", 16), ("ns", 19)])
def test_a_nonce_is_the_time_in_its_unit(unit, digits):
    """A nonce counts milliseconds, microseconds or nanoseconds since the unix epoch."""
    clock = VirtualClock()
    nonce = NonceSource(unit, clock).next()
    assert len(str(nonce)) == digits
    assert nonce == clock.wall_ns() // UNITS[unit]


def test_threads_never_share_a_nonce():
    """Eight threads that ask at once get different numbers, each of them rising ones."""
    nonces = NonceSource("ms", SYSTEM_CLOCK)
    with ThreadPoolExecutor(8) as threads:
        batches = list(threads.map(lambda _: [nonces.next() for _ in range(2000)], range(8)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({nonce for batch in batches for nonce in batch}) == 16000


def test_a_floor_is_above_what_came_before():
    """A source that is told of a nonce handed out elsewhere goes on above it, and a lower one changes nothing."""
    nonces = NonceSource("ms", VirtualClock())
    nonces.raise_to(10**15)
    nonces.raise_to(1)
    assert nonces.next() == 10**15 + 1


def test_peek_takes_nothing():
    """Looking at the next nonce does not use it up."""
    nonces = NonceSource("ms", VirtualClock())
    assert nonces.peek() == nonces.peek() == nonces.next()


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_peek_is_what_comes_next_also_while_the_clock_stands_still(unit):
    """A nonce window is measured from it."""
    nonces = NonceSource(unit, VirtualClock())
    for _ in range(3):
        assert nonces.peek() == nonces.next()


def test_the_second_refusal_in_a_row_leaps():
    """One refusal may be a matter of order; two mean that somebody is ahead, so the next nonce is 2 s further on."""
    nonces = NonceSource("ms", VirtualClock())
    first = nonces.next()
    nonces.refuse()
    assert nonces.next() == first + 1
    nonces.refuse()
    assert nonces.next() == first + 1 + 2000 + 1
    for _ in range(50):
        nonces.refuse()
    assert nonces.next() <= first + 4010, "leaping stops: no nonce may run far ahead of the clock"


def test_a_leap_starts_from_the_clock_where_no_nonce_is_ahead_of_it():
    """After an hour without a call, two seconds from the last nonce would lead nowhere."""
    clock = VirtualClock()
    nonces = NonceSource("ms", clock)
    nonces.next()
    clock.advance(3600)
    nonces.leap()
    assert nonces.next() == clock.wall_ns() // 10**6 + 2000 + 1


def test_a_leap_starts_from_the_last_nonce_where_that_is_ahead_of_the_clock():
    """Two leaps in a row lead four seconds ahead."""
    clock = VirtualClock()
    nonces = NonceSource("ms", clock)
    nonces.leap()
    nonces.leap()
    assert nonces.next() == clock.wall_ns() // 10**6 + 4000 + 1


def test_an_accepted_nonce_ends_the_row():
    """Refusals with successes in between do not leap."""
    nonces = NonceSource("ms", VirtualClock())
    first = nonces.next()
    for _ in range(10):
        nonces.refuse()
        nonces.accept()
    assert nonces.next() == first + 1
    assert nonces.accepted


def test_a_finer_unit_can_be_taken_up_and_a_coarser_one_not():
    """Units only get finer on a key, since nonces only rise."""
    clock = VirtualClock()
    state = MemoryState(clock)
    coarse = state.nonces("key", "ms")
    before = coarse.next()
    assert state.nonces("key", "us") is coarse
    assert coarse.next() == clock.wall_ns() // 1000 > before
    with pytest.raises(ConfigurationError, match="keep nonce_unit='us'"):
        state.nonces("key", "ms")
    assert state.nonces("other key", "ms").unit == "ms"


def test_an_unknown_unit_is_refused():
    """A unit that does not exist is an error that names those that do."""
    with pytest.raises(ConfigurationError, match="ms, us, ns"):
        NonceSource("minutes", VirtualClock())

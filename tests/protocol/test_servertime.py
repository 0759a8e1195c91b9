"""Kraken's clock between two bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.protocol.servertime import SECOND, ServerTime

MILLI = 1_000_000
AHEAD = 1_780_000_000 * SECOND
"""How far Kraken's clock is ahead of our steady one in these tests, to a fraction of a second."""

moments = st.integers(0, 10**6).map(lambda millis: millis * MILLI)
ways = st.integers(0, 9000).map(lambda millis: millis * MILLI)
fractions = st.integers(0, 999).map(lambda millis: millis * MILLI)


def reading(sent, there, back, fraction=0):
    """Read a clock that is `AHEAD` and a fraction: the question travels `there`, the answer `back`."""
    shown = (AHEAD + fraction + sent + there) // SECOND
    return ServerTime.read(shown, sent=sent, received=sent + there + back, wall=0)


@given(moments, ways, ways, fractions, moments)
def test_the_truth_lies_between_the_bounds(sent, there, back, fraction, later):
    """Whatever the way takes and wherever the second is cut: never ahead by the one, never behind by the other."""
    read = reading(sent, there, back, fraction)
    now = read.received + later
    truth = AHEAD + fraction + now
    assert read.at_least(now) <= truth <= now + read.most
    assert read.at_least(now) <= read.likely(now) <= now + read.most


@given(st.lists(st.tuples(moments, ways, ways), min_size=1, max_size=5), fractions)
def test_more_readings_only_narrow_the_bounds(ways, fraction):
    """Each reading holds, so all of them hold together."""
    known = None
    for sent, there, back in ways:
        read = reading(sent, there, back, fraction)
        narrowed = known.narrowed(read) if known else read
        assert narrowed.least <= AHEAD + fraction <= narrowed.most
        assert known is None or narrowed.most - narrowed.least <= known.most - known.least
        known = narrowed


def test_of_two_readings_the_tighter_bound_counts_on_either_side():
    """Whichever came first; and bounds that meet in one point still agree."""
    wide, low = ServerTime(5, 20, 0, 0), ServerTime(0, 10, 7, 7)
    assert wide.narrowed(low) == ServerTime(5, 10, 7, 7)
    assert ServerTime(0, 10, 0, 0).narrowed(ServerTime(5, 20, 7, 7)) == ServerTime(5, 10, 7, 7)
    assert ServerTime(0, 5, 0, 0).narrowed(ServerTime(5, 9, 7, 7)) == ServerTime(5, 5, 7, 7)


def test_readings_that_contradict_each_other_leave_the_later_one():
    """One of our clocks was set in between: the old reading is worth nothing."""
    old, new = reading(0, 0, 0), ServerTime.read(1_790_000_000, sent=SECOND, received=SECOND, wall=0)
    assert old.narrowed(new) == new


def test_a_quick_answer_is_off_by_half_a_second_at_most():
    """Deadlines are made by the middle."""
    read = reading(0, 0, 0, 999 * MILLI)
    assert abs(read.likely(0) - (AHEAD + 999 * MILLI)) <= SECOND // 2


@pytest.mark.parametrize(("way", "vague"), [(0, False), (1000, False), (1001, True), (5000, True)])
def test_an_answer_that_took_two_seconds_is_too_vague_for_deadlines(way, vague):
    """Then a deadline may be refused as too near."""
    assert reading(0, way * MILLI, way * MILLI).vague is vague


@pytest.mark.parametrize(
    ("elapsed", "stepped", "stale"),
    [(600, 0, False), (601, 0, True), (5, 1.0, False), (5, 1.5, True), (5, -1.5, True)],
)
def test_a_reading_is_stale_when_old_or_when_the_machine_slept(elapsed, stepped, stale):
    """A steady clock that stood still while the calendar went on tells nothing of Kraken's any more."""
    read = ServerTime.read(0, sent=0, received=0, wall=10**18)
    assert read.stale(elapsed * SECOND, 10**18 + round((elapsed + stepped) * SECOND)) is stale

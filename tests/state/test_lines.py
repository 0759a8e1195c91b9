"""What a store does to the lane of a key, as pure functions."""

from hypothesis import given
from hypothesis import strategies as st

from krakenasync.state.lines import Line, Moment, answer
from krakenasync.state.port import PLACES, Enter, Leave
from krakenasync.state.recall import NOTHING, Recall

SECOND = 1_000_000


def enter(line, now, who, recall=NOTHING, *, window=0, unit="ms"):
    """Ask for a place; the calendar goes with the steady clock."""
    return answer(Enter("key", who, 5.0, unit, 0, window), line, Moment(now, now * 1000), recall)


def leave(line, now, who):
    """Leave, or leave the line."""
    return answer(Leave("key", who), line, Moment(now, now * 1000), NOTHING)[0]


def test_a_lease_outlasts_a_clock_that_steps():
    """Whoever is under way keeps the lane for its time, whichever way the store's clock went."""
    line, _entry = enter(None, 100 * SECOND, "holder")
    line, entry = enter(line, 90 * SECOND, "heir")
    assert entry == (0, 5.0)
    recall = Recall(seq=line.seq, seen=90 * SECOND, elapsed=SECOND)
    _line, entry = enter(line, 121 * SECOND, "heir", recall)
    assert entry.nonce == 0
    assert 0 < entry.wait <= 5


def test_the_next_in_line_has_to_come_when_it_is_called():
    """A dead caller that was called up makes way for the one behind him a second later."""
    line = None
    for who in ("holder", "dead", "alive"):
        line, _entry = enter(line, 0, who)
    line = leave(line, SECOND, "holder")
    line, entry = enter(line, SECOND, "alive")
    assert entry == (0, 1.0)
    _line, entry = enter(line, 2 * SECOND, "alive")
    assert entry.nonce > 0


def test_leaving_twice_does_no_harm():
    """Whoever has lost the lane cannot take it from its heir."""
    line, _entry = enter(None, 0, "late")
    line, entry = enter(line, 6 * SECOND, "heir")
    assert entry.nonce > 0
    assert [place.who for place in leave(line, 6 * SECOND, "late").places] == ["heir"]


def test_a_window_opens_the_lane_as_far_as_it_bears():
    """Nonces under way lie within the window; a caller without one, or with another unit, closes it."""
    line, first = enter(None, SECOND, "one", window=10)
    line, second = enter(line, SECOND + 9000, "two", window=10)
    assert 0 < second.nonce - first.nonce < 10
    line, third = enter(line, SECOND + 10_000, "three", window=10)
    assert third.nonce == 0
    line = leave(line, SECOND + 11_000, "one")
    line, third = enter(line, SECOND + 11_000, "three", window=10)
    assert third.nonce > second.nonce
    assert enter(line, SECOND + 11_000, "strict")[1].nonce == 0
    assert enter(leave(line, SECOND + 11_000, "strict"), SECOND + 11_000, "fine", window=10, unit="us")[1].nonce == 0


def test_a_lost_lane_rests():
    """Somebody may be under way in a lane that the store has lost."""
    line, entry = enter(None, SECOND, "me", Recall(seq=9, seen=SECOND, elapsed=0))
    assert entry == (0, 2.0)
    assert enter(line, 3 * SECOND, "me")[1].nonce > 0


@given(
    steps=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 24), st.booleans()), max_size=80),
    window=st.sampled_from([0, 5, 10**6]),
)
def test_the_nonces_under_way_always_lie_within_the_window(steps, window):
    """Whoever comes and goes in whatever order: nonces rise, and even the oldest, arriving last, is accepted."""
    line, now, last = Line(at=0), SECOND, 0
    for pause, who, goes in steps:
        now += pause
        if goes:
            line = leave(line, now, str(who))
            continue
        line, entry = enter(line, now, str(who), window=window)
        assert entry.nonce == 0 or entry.nonce > last
        last = max(last, entry.nonce)
        nonces = [place.nonce for place in line.places]
        assert len(nonces) <= (PLACES if window else 1)
        assert not nonces or max(nonces) - min(nonces) < max(1, window)

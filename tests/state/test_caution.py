"""What refusals teach."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from krakenasync.state.caution import CALM, after_refusal, margin_at, pace_at


def refusals(*moments, most=16.0):
    caution = CALM
    for moment in moments:
        caution = after_refusal(caution, moment, sent=moment - 0.1, most=most)
    return caution


def test_calm_costs_nothing():
    """Without a refusal the whole pace and the whole cap are used."""
    assert pace_at(CALM, 1e9) == 1.0
    assert margin_at(CALM, 1e9) == 0.0


def test_pauses_double_up_to_a_minute():
    """Each refusal soon after the last pause pauses twice as long, 60 s at most."""
    moment, caution, pauses = 0.0, CALM, []
    for _ in range(7):
        caution = after_refusal(caution, moment, sent=moment - 0.1, most=16.0)
        pauses.append(caution.pause)
        moment = caution.until + 1.0
    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


def test_a_refusal_long_after_the_last_one_starts_anew():
    """What went well for longer than a minute is forgiven: 5 s again, no further margin."""
    caution = refusals(0.0, 5.0 + 61.0)
    assert caution.pause == 5.0
    assert caution.margin == 0.0


def test_a_refusal_within_a_minute_after_the_pause_still_belongs_to_it():
    """To the second: from the next moment on it counts as a first one."""
    assert refusals(0.0, 5.0 + 60.0).pause == 10.0
    assert refusals(0.0, 5.0 + 60.1).pause == 5.0


def test_the_pace_falls_by_a_fifth_and_recovers_within_an_hour():
    """A refusal takes a fifth of the pace, which comes back steadily."""
    caution = refusals(0.0)
    assert pace_at(caution, 0.0) == pytest.approx(0.8)
    assert pace_at(caution, 360.0) == pytest.approx(0.9)
    assert pace_at(caution, 3600.0) == 1.0


def test_the_margin_grows_with_further_refusals_and_fades():
    """Three points are left free after each further refusal of an episode, and used again after half an hour."""
    caution = refusals(0.0, 6.0)
    assert margin_at(caution, 6.0) == pytest.approx(3.0)
    assert margin_at(caution, 6.0 + 900) == pytest.approx(1.5)
    assert margin_at(caution, 6.0 + 1800) == 0.0


def test_the_margin_grows_from_what_is_left_of_it():
    """By three points with each further refusal of the episode."""
    assert refusals(0.0, 10.0, 20.0).margin == pytest.approx(6.0, abs=0.1)
    assert refusals(0.0, 10.0, 20.0, 40.0).margin == pytest.approx(9.0, abs=0.2)


def test_a_margin_that_has_faded_stays_at_nothing():
    """Less than that would let calls pass the cap."""
    caution = refusals(0.0, 10.0)
    assert [margin_at(caution, 10.0 + later) for later in (1800.0, 1810.0, 5000.0, 1e9)] == [0.0] * 4


@given(st.lists(st.floats(0.2, 500), max_size=40), st.floats(0, 16))
@example([0.2] * 40, 16.0)
def test_no_number_of_refusals_stops_everything(pauses, most):
    """However many refusals come, a tenth of the pace and room for the dearest call are left, and the pause ends."""
    moment, caution = 0.0, CALM
    for pause in pauses:
        moment += pause
        caution = after_refusal(caution, moment, sent=moment - 0.1, most=most)
        assert pace_at(caution, moment) >= 0.1
        assert 0 <= margin_at(caution, moment) <= most
        assert caution.until - moment <= 120.0


def test_what_was_sent_before_the_last_refusal_teaches_nothing_new():
    """A refusal of a call sent before the last one became known changes nothing."""
    caution = refusals(10.0)
    assert after_refusal(caution, 11.0, sent=9.0, most=16.0) is caution


def test_a_pause_is_never_cut_short():
    """A refusal of another episode that becomes known within a long pause begins a shorter one."""
    long = after_refusal(after_refusal(CALM, 0.0, sent=-1.0, most=16.0), 5.0, sent=4.0, most=16.0)
    assert long.until == 15.0
    later = msgspec.structs.replace(long, until=100.0)
    assert after_refusal(later, 6.0, sent=5.5, most=16.0).until == 100.0

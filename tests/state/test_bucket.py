"""Counters of this process: what is held, when it decays, and what a refusal teaches."""

import math
import random
from fractions import Fraction

import pytest
from aiolimiter import AsyncLimiter
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.protocol.charges import DEAREST
from krakenasync.protocol.tiers import CounterSpec, Tier
from krakenasync.state.bucket import Bucket
from krakenasync.testing import VirtualClock

STARTER, PRO = Tier.STARTER.rest, Tier.PRO.rest


@pytest.fixture
def clock():
    return VirtualClock()


def total(bucket):
    state = bucket.state()
    return state.level + state.held


def be_refused(bucket, clock):
    """Have Kraken refuse a call of one point that is sent now."""
    bucket.reserve(1)
    bucket.refund(1)
    bucket.refused(1, sent=clock.monotonic())


def test_the_internals_of_aiolimiter_are_the_ones_we_lean_on():
    """The five private names of aiolimiter that a counter touches exist and mean what they meant."""
    limiter = AsyncLimiter(15, 15 / 0.33)
    assert {"_event_loop", "_last_check", "_level", "_rate_per_sec"} <= set(AsyncLimiter.__slots__)
    assert limiter._rate_per_sec == pytest.approx(0.33)

    class At:
        now = 10.0

        def time(self):
            return self.now

        def is_closed(self):
            return False

    limiter._event_loop = At()
    limiter._level, limiter._last_check = 5.0, 10.0
    At.now = 12.0
    limiter._leak()
    assert limiter._level == pytest.approx(5 - 0.66)
    assert limiter._last_check == 12.0


def test_units_in_flight_do_not_decay(clock):
    """However long an answer takes, its points stay until it is there."""
    bucket = Bucket(PRO, clock)
    assert all(bucket.try_reserve(1) for _ in range(20))
    clock.advance(1000)
    assert total(bucket) == 20
    assert not bucket.try_reserve(1)
    bucket.settle(1)
    assert not bucket.try_reserve(1)
    clock.advance(1.0)
    assert bucket.try_reserve(1)


def test_points_begin_to_decay_with_the_answer(clock):
    """An answered call's points decay from the answer on, whatever is still in flight."""
    bucket = Bucket(PRO, clock)
    assert bucket.try_reserve(4)
    assert bucket.try_reserve(1)
    clock.advance(5.0)
    bucket.settle(4)
    clock.advance(1.5)
    assert total(bucket) == pytest.approx(3.5)


def test_many_looks_see_what_one_look_sees(clock):
    """Looking at a counter changes nothing in it, also while points wait for their grace to end."""
    seldom, often = Bucket(PRO, clock), Bucket(PRO, clock)
    for bucket in (seldom, often):
        for cost in (4, 1, 2):
            assert bucket.try_reserve(cost)
        bucket.settle(4)
        bucket.keep(1, 2.0)
    for _ in range(50):
        clock.advance(0.1)
        often.state()
    assert total(seldom) == pytest.approx(total(often))


def test_what_was_never_sent_is_given_back(clock):
    """A refund leaves the counter as if nothing had been."""
    bucket = Bucket(STARTER, clock)
    assert bucket.try_reserve(15)
    bucket.refund(15)
    assert bucket.try_reserve(15)


def test_an_unknown_outcome_is_held_for_a_grace(clock):
    """A call that may still arrive keeps its points for the grace, then they decay like others."""
    bucket = Bucket(PRO, clock)
    assert bucket.try_reserve(3)
    bucket.keep(3, 10.0)
    clock.advance(10.0)
    assert total(bucket) == pytest.approx(3)
    clock.advance(3.0)
    assert total(bucket) == pytest.approx(0)


def test_points_kept_for_a_grace_fall_in_steps_too(clock):
    """They may reach Kraken's counter when the grace ends, and no reduction is certain before a step is over then."""
    bucket = Bucket(CounterSpec(10, 100), clock, step=4.0)
    assert bucket.try_reserve(10)
    bucket.keep(10, 10.0)
    clock.advance(13.9)
    assert not bucket.try_reserve(3)
    clock.advance(0.5)
    assert bucket.try_reserve(3)


class Looking(Bucket):
    """A counter that brings its account up to date before every decision."""

    def _undecayed(self):
        return -math.inf


@given(st.sampled_from([STARTER, PRO, CounterSpec(7, 29)]), st.sampled_from([0.0, 2.0]), st.integers(0, 2**32))
def test_the_short_way_decides_like_the_long_one(spec, step, seed):
    """Not to look at the clock when everything fits undecayed changes no decision and no account."""
    chance, clock = random.Random(seed), VirtualClock()
    quick, slow = (kind(spec, clock, step=step) for kind in (Bucket, Looking))
    ends = ["settled"] * 12 + ["kept", "given back", "forced"]
    ends += [[], ["refused"], ["blocked"]][seed % 3]  # after one of these nothing is decided without a look
    pending = []
    for _ in range(80):
        clock.advance(chance.choice([0.0, 0.01, 0.3, chance.uniform(0, 6)]))
        cost = chance.choice([0, 1, 1, 2, 4])
        decided = quick.try_reserve(cost)
        assert decided == slow.try_reserve(cost)
        pending += [cost] * decided
        while pending and chance.random() < 0.7:
            done, end = pending.pop(0), chance.choice(ends)
            pending += [2] * (end == "forced")
            for bucket in (quick, slow):
                if end == "settled":
                    bucket.settle(done)
                elif end == "kept":
                    bucket.keep(done, 3.0)
                elif end == "forced":  # settled, but another call waits for no room
                    bucket.settle(done)
                    bucket.reserve(2)
                else:
                    bucket.refund(done)
                    if end == "refused":
                        bucket.refused(done, sent=clock.monotonic())
                    elif end == "blocked":
                        bucket.block(1.0)
        assert total(quick) == pytest.approx(total(slow))


@given(
    st.lists(st.tuples(st.floats(0, 5), st.sampled_from([1, 1, 2, 4]), st.floats(0, 6)), max_size=40),
    st.sampled_from([0.0, 1.0, 2.0]),
    st.integers(1, 4),
)
def test_the_delay_is_exact_when_nothing_is_in_flight(calls, step, cost):
    """Once all answers are there, a call fits after exactly the delay that was told, and not before."""
    clock = VirtualClock()
    bucket = Bucket(STARTER, clock, step=step)
    for pause, points, _unused in calls:
        clock.advance(pause)
        if bucket.try_reserve(points):
            bucket.settle(points)
    delay = bucket.delay(cost)
    if delay == 0:
        assert bucket.try_reserve(cost)
        return
    clock.advance(delay - 1e-5)
    assert delay < 1e-4 or not bucket.try_reserve(cost)
    clock.advance(2e-5)
    assert bucket.try_reserve(cost)


@pytest.mark.parametrize("cost", [0.5, 1, 3, 5, 8, 12, 14, 16])
@pytest.mark.parametrize("graces", [(2, 30), (2, 5), (9, 9), (40, 2)])
@pytest.mark.parametrize("spec", [PRO, CounterSpec(20, 50)])
def test_the_delay_is_exact_with_points_whose_grace_ends_meanwhile(clock, spec, cost, graces):
    """They decay from the end of their grace: a millisecond before the delay is over the call does not fit."""
    bucket = Bucket(spec, clock)
    assert bucket.try_reserve(20)
    bucket.settle(8)
    for seconds in graces:
        bucket.keep(6, float(seconds))
    delay = bucket.delay(cost)
    assert delay > 0
    clock.advance(delay - 0.001)
    assert not bucket.try_reserve(cost)
    clock.advance(0.001)
    assert bucket.try_reserve(cost)


def test_the_delay_of_a_counter_that_falls_in_steps_counts_with_those_in_line(clock):
    """Each step makes room for four points: after five others, a call has to wait for the second."""
    bucket = Bucket(CounterSpec(10, 100), clock, step=4.0)
    assert bucket.try_reserve(10)
    bucket.settle(10)
    assert bucket.delay(1) == pytest.approx(4, abs=0.3)
    assert bucket.delay(1, 5) == pytest.approx(8, abs=0.3)


@given(st.integers(0, 2**32), st.sampled_from(["starter", "intermediate", "pro"]), st.floats(0, 8))
def test_the_server_never_counts_above_the_cap(seed, tier, slowest):
    """For any latencies and costs, a server that decays steadily never stands above what we believe, nor the cap."""
    chance = random.Random(seed)
    spec = Tier.parse(tier).rest
    clock = VirtualClock()
    bucket = Bucket(spec, clock)
    rate = Fraction(spec.decay_hundredths, 100)
    under_way, arrivals = [], []  # (when, what, cost)
    level, at = Fraction(0), Fraction(0)
    for _ in range(200):
        moment = clock.monotonic() + chance.uniform(0, 0.5)
        for when, what, cost in sorted(event for event in under_way if event[0] <= moment):
            under_way.remove((when, what, cost))
            clock.advance(when - clock.monotonic())
            if what == "arrives":
                now = Fraction(when)
                level, at = max(Fraction(0), level - (now - at) * rate) + cost, now
                arrivals.append(level)
                assert level <= Fraction(total(bucket)) + Fraction(1, 10**6)
                assert level <= spec.cap + Fraction(1, 10**6)
            else:
                bucket.settle(cost)
        clock.advance(moment - clock.monotonic())
        cost = chance.choice([1, 1, 1, 2, 4])
        if bucket.try_reserve(cost):
            there = clock.monotonic() + chance.uniform(0, slowest)
            under_way += [(there, "arrives", cost), (there + chance.uniform(0, slowest), "answered", cost)]
    assert arrivals or slowest > 1


def test_a_refusal_fills_pauses_and_slows(clock):
    """After a refusal the counter is full, nothing is sent for 5 s, and the pace is 0.8 of the tier's."""
    bucket = Bucket(PRO, clock)
    assert bucket.try_reserve(1)
    clock.advance(0.1)
    bucket.refund(1)
    bucket.refused(1, sent=0.0)
    state = bucket.state()
    assert state.level >= state.cap
    assert state.decay == pytest.approx(0.8)
    assert state.blocked_for == pytest.approx(5.0)
    assert state.refusals == 1
    assert not bucket.try_reserve(1)
    assert bucket.delay(1) >= 5.0


def test_points_given_back_after_a_refusal_do_not_empty_the_counter(clock):
    """Calls that held points and were never sent may not make room that Kraken does not have."""
    bucket = Bucket(STARTER, clock)
    assert bucket.try_reserve(15)  # 15 calls in line, of which the first is refused
    bucket.refund(1)
    bucket.refused(1, sent=0.0)
    bucket.refund(14)
    assert total(bucket) >= 15


def test_a_refusal_does_not_lower_a_counter_that_stands_higher(clock):
    """Calls that do not wait for room may have taken it past the cap."""
    bucket = Bucket(PRO, clock)
    bucket.reserve(30)
    bucket.settle(29)
    bucket.refused(1, sent=clock.monotonic())
    assert bucket.state().level == 29


def test_a_refusal_does_not_count_points_kept_for_a_grace_twice(clock):
    """Kraken's counter is full with them, and ours still gets them when their grace ends."""
    bucket = Bucket(PRO, clock)
    bucket.reserve(6)
    bucket.keep(5, 10.0)
    bucket.refused(1, sent=clock.monotonic())
    assert bucket.state().level == 20 + 1 - 5


def test_a_refusal_does_not_cut_a_longer_pause_short(clock):
    """Kraken may have named the moment that it ends."""
    bucket = Bucket(PRO, clock)
    bucket.block(60)
    be_refused(bucket, clock)
    assert bucket.state().blocked_for == 60


def test_what_a_refusal_filled_decays_at_the_slower_pace_from_the_start(clock):
    """At four fifths of the tier's own."""
    bucket = Bucket(STARTER, clock)
    be_refused(bucket, clock)
    clock.advance(10)
    assert bucket.state().level == pytest.approx(16 - 10 * 0.8 * STARTER.decay)


def test_what_a_refusal_filled_falls_in_steps_too(clock):
    """The second reduction is not certain before the second step is over."""
    bucket = Bucket(CounterSpec(10, 100), clock, step=4.0)
    be_refused(bucket, clock)
    clock.advance(7.9)
    assert not bucket.try_reserve(4)
    clock.advance(0.6)
    assert bucket.try_reserve(4)


def test_the_pace_recovers_after_a_refusal(clock):
    """From four fifths to the tier's own in twelve minutes; and points decay as fast as the counter says."""
    bucket = Bucket(PRO, clock)
    be_refused(bucket, clock)
    assert bucket.state().decay == pytest.approx(0.8 * PRO.decay)
    clock.advance(360)
    assert bucket.state().decay == pytest.approx(0.9 * PRO.decay)
    clock.advance(720)
    assert bucket.state().decay == PRO.decay
    assert bucket.try_reserve(20)
    bucket.settle(20)
    clock.advance(10)
    assert bucket.state().level == pytest.approx(20 - 10 * PRO.decay)


def test_after_refusals_in_a_row_a_part_of_the_cap_stays_free(clock):
    """Some other program uses it: three points, which fade within half an hour."""
    bucket = Bucket(PRO, clock)
    for _ in range(2):
        be_refused(bucket, clock)
        clock.advance(10)
    clock.advance(170)
    assert bucket.state().level == 0
    assert bucket.delay(17.3) == 0
    assert bucket.delay(17.4) > 0
    assert [bucket.try_reserve(1) for _ in range(18)] == [True] * 17 + [False]
    for _ in range(17):
        bucket.refund(1)
    clock.advance(1800)
    assert bucket.try_reserve(20)


def test_the_dearest_call_fits_however_often_kraken_refused(clock):
    """The part of the cap that stays free for others grows no further than that."""
    bucket = Bucket(STARTER, clock)
    for _ in range(20):
        be_refused(bucket, clock)
        clock.advance(61)
    while bucket.state().level:
        clock.advance(1)
    assert bucket.try_reserve(DEAREST)


def test_refusals_do_not_widen_a_counter_that_is_smaller_than_the_dearest_call(clock):
    """A cap of one point stays one point."""
    bucket = Bucket(CounterSpec(1, 100), clock)
    for _ in range(3):
        be_refused(bucket, clock)
        clock.advance(30)
    assert bucket.state().level == 0
    assert bucket.try_reserve(1)
    assert not bucket.try_reserve(0.5)


def test_refusals_of_calls_sent_before_are_one_episode(clock):
    """Concurrent refusals teach once; the pause is doubled only by a call sent after it."""
    bucket = Bucket(PRO, clock)
    clock.advance(1.0)
    for _ in range(10):
        bucket.refused(1, sent=0.5)
    assert bucket.state().refusals == 1
    assert bucket.state().blocked_for == pytest.approx(5.0)
    clock.advance(20.0)
    bucket.refused(1, sent=clock.monotonic() - 0.1)
    assert bucket.state().refusals == 2
    assert bucket.state().blocked_for == pytest.approx(10.0)


def test_a_block_only_ever_grows(clock):
    """A shorter pause does not cut a longer one short."""
    bucket = Bucket(PRO, clock)
    bucket.block(30)
    bucket.block(5)
    clock.advance(29)
    assert not bucket.try_reserve(1)
    clock.advance(1)
    assert bucket.try_reserve(1)


def test_going_back_of_the_clock_changes_nothing():
    """A steady clock that stands still gives no points back."""

    class Still:
        def monotonic(self):
            return 5.0

        def wall_ns(self):
            return 0

    bucket = Bucket(PRO, Still())
    assert sum(bucket.try_reserve(1) for _ in range(100)) == 20


def test_a_counter_can_start_full(clock):
    """A bot that is restarted often begins with a full counter, and never beyond the cap."""
    assert not Bucket(PRO, clock, initial=20.0).try_reserve(1)
    assert Bucket(PRO, clock, initial=1000.0).delay(1) == pytest.approx(1.0)


def test_what_a_counter_says_of_itself(clock):
    """A counter's repr shows level, cap and pace."""
    bucket = Bucket(STARTER, clock)
    bucket.try_reserve(4)
    assert repr(bucket) == "<Bucket 4.00 of 15, -0.33/s>"


def test_what_a_refusal_has_taught_is_not_forgotten_with_an_empty_counter(clock):
    """At rest is only what is as if it had never been used."""
    bucket = Bucket(PRO, clock)
    assert bucket.at_rest()
    assert bucket.try_reserve(1)
    bucket.refused(1, sent=clock.monotonic())
    bucket.refund(1)
    clock.advance(1000)
    assert total(bucket) == 0
    assert not bucket.at_rest()


def test_a_counter_is_not_forgotten_while_calls_are_under_way_or_it_is_blocked(clock):
    """Their points would be lost, or what is left of the pause."""
    bucket = Bucket(PRO, clock)
    bucket.reserve(1)
    assert not bucket.at_rest()
    bucket.refund(1)
    assert bucket.at_rest()
    bucket.block(5)
    assert not bucket.at_rest()
    clock.advance(5)
    assert bucket.at_rest()

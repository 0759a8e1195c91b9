"""A counter that falls in steps, seen at its slowest, against one that is simulated step by step."""

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.protocol.tiers import CounterSpec, Tier
from krakenasync.state.bucket import Bucket
from krakenasync.state.steps import Steps
from krakenasync.testing import VirtualClock

STARTER, PRO = Tier.STARTER.rest, Tier.PRO.rest
specs = st.sampled_from([tier.rest for tier in Tier] + [CounterSpec(7, 29)])


def test_a_burst_is_free_up_to_the_cap():
    """Before anything was answered, everything fits that the cap holds."""
    assert Steps(STARTER, 2.0).wait(15, 0.0) == 0
    full = Steps(STARTER, 2.0)
    full.note(0.0, 15)
    assert full.wait(0, 1.0) == 0


@pytest.mark.parametrize(("points", "seconds"), [(1, 4), (2, 8), (3, 10), (4, 14)])
def test_a_full_counter_waits_for_whole_reductions(points, seconds):
    """A Starter's counter falls by 0.66 every 2 s: one point needs two reductions, two need four, three need five."""
    full = Steps(STARTER, 2.0)
    full.note(0.0, 15)
    assert full.wait(points, 0.0) == pytest.approx(seconds, abs=1e-4)
    assert full.wait(points, seconds - 0.01) > 0
    assert full.wait(points, seconds + 0.001) == 0


@pytest.mark.parametrize(
    ("answers", "points", "until"),
    [
        ([(0.0, 4), (5.0, 4)], 8, 9),  # the later answer needs one reduction, and decides
        ([(0.0, 7), (5.0, 2)], 10, 12),  # the earlier one needs three
    ],
)
def test_the_answer_that_takes_longest_to_make_room_decides(answers, points, until):
    """Each is counted from its own moment, of ten points that fall by four every 4 s."""
    steps = Steps(CounterSpec(10, 100), 4.0)
    for moment, cost in answers:
        steps.note(moment, cost)
    assert steps.wait(points, 6.0) == pytest.approx(until - 6, abs=0.01)


def test_an_answer_that_has_just_come_makes_no_room():
    """What it was charged falls with the next reduction at the earliest."""
    steps = Steps(CounterSpec(10, 100), 4.0)
    steps.note(0.1, 4)
    assert steps.wait(6, 0.1) == 0
    assert steps.wait(7, 0.1) == pytest.approx(4, abs=0.3)
    assert steps.wait(10, 0.1) == pytest.approx(4, abs=0.3)


def test_an_answer_that_has_just_come_takes_no_room_but_its_own():
    """It is noted for a moment later than it came: until then no reduction is taken back for it."""
    steps = Steps(CounterSpec(10, 100), 4.0)
    steps.note(0.0, 4)
    steps.note(5.1, 1)
    assert steps.wait(6, 5.1) == 0


@given(specs, st.integers(0, 2**32), st.floats(0, 2), st.sampled_from([0.5, 2.0]))
def test_no_phase_of_the_server_is_surprised(spec, seed, phase, step):
    """Whatever the moments of the reductions, calls let through never pass the cap of a server that steps so."""
    chance = random.Random(seed)
    steps, level, now, done = Steps(spec, step), Fraction(0), 0.0, 0
    for _ in range(150):
        now += chance.choice([0.0, 0.01, 0.3, chance.uniform(0, 5)])
        cost = chance.choice([1, 1, 2, 4])
        if chance.random() < 0.5:
            now += steps.wait(cost, now)
        if steps.wait(cost, now) > 0:
            continue
        ticks = int((now + phase) // step)
        for _tick in range(ticks - done):
            level = max(Fraction(0), level - Fraction(spec.decay_hundredths, 100) * Fraction(step))
        done = ticks
        level += cost
        assert level <= spec.cap
        now += chance.uniform(0, 0.2)
        steps.note(now, cost)


@given(specs, st.integers(0, 2**32), st.floats(0.1, 20))
def test_little_has_to_be_remembered(spec, seed, calm):
    """However long it runs, only a few moments can still decide anything."""
    chance = random.Random(seed)
    steps, now = Steps(spec, 2.0), 0.0
    for _ in range(500):
        now += chance.uniform(0, calm)
        now += steps.wait(1, now)
        steps.note(now, 1)
        assert len(steps._since) <= 2 * spec.cap


@given(specs, st.integers(0, 2**32))
def test_what_is_forgotten_would_not_have_mattered(spec, seed):
    """The wait is the one that all answers ever noted together would ask for."""
    chance = random.Random(seed)
    steps, now, answers = Steps(spec, 2.0), 0.0, []
    for _ in range(60):
        now += chance.choice([0.0, 0.125, 1.0, 2.0, chance.randrange(72) / 8])
        fits = all(
            sum(cost for other, cost in answers if other >= when) + 1 - spec.decay * 2 * ((now - when) // 2)
            <= spec.cap + 1e-6
            for when, _cost in answers
        )
        assert (steps.wait(1, now) == 0) == fits
        if fits:
            steps.note(now, 1)
            answers.append((now, 1))


def test_a_fast_counter_is_cheap_to_keep():
    """Ten thousand calls a second leave no more behind than ten."""
    steps = Steps(CounterSpec(10**6, 10**8), 2.0)
    for number in range(30_000):
        steps.note(number / 10_000, 1)
    assert len(steps._since) <= 40


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("gap", [1.76, 1.9, 1.99])
def test_an_answer_counts_until_the_reduction_that_takes_it(first, gap):
    """A reduction that is due within a grain has not happened yet: none of a burst right before it is refused."""
    clock = VirtualClock()
    bucket = Bucket(PRO, clock, step=2.0)
    level = 0.0
    for _ in range(first):
        assert bucket.try_reserve(1)
        bucket.settle(1)
        level += 1
    clock.advance(gap)  # the server reduces its counter 2 s after the first answer
    while bucket.try_reserve(1):
        level += 1
        assert level <= PRO.cap
        bucket.settle(1)
        clock.advance(0.0005)
    assert level > PRO.cap - 2

"""The counters' arithmetic, against worked examples and against a slow simulation in exact fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.protocol.charges import EngineAction, engine_points
from krakenasync.protocol.counters import EMPTY, TICKS, CounterState, add, at, fits, points
from krakenasync.protocol.tiers import CounterSpec, Tier

SECOND = 10**9
STARTER, INTERMEDIATE, PRO = Tier.STARTER, Tier.INTERMEDIATE, Tier.PRO

specs = st.sampled_from([spec for tier in Tier for spec in (tier.rest, tier.engine)])
costs = st.integers(0, 30).map(lambda halves: halves / 2)
pauses = st.one_of(st.integers(0, 60 * SECOND), st.integers(0, 3).map(lambda seconds: seconds * SECOND))
steps = st.sampled_from([0, 1, 7, SECOND, 2 * SECOND])
timelines = st.lists(st.tuples(pauses, costs), max_size=40)


def charge(spec: CounterSpec, seconds: float, cost: float, state: CounterState) -> CounterState:
    """Let the counter decay to a moment, then charge."""
    return add(at(spec, state, round(seconds * SECOND)), cost)


def wait_ns(spec: CounterSpec, state: CounterState, cost: float) -> int:
    """Say after how many nanoseconds `cost` points fit, by the arithmetic turned round; 0 if they fit now."""
    missing = state.level + round(cost * TICKS) - spec.cap * TICKS
    return max(0, -(-missing // spec.decay_hundredths))


def moments(spec: CounterSpec, cost: float, calls: int) -> list[float]:
    """Say when each call goes out if each goes as soon as it fits, in seconds."""
    state, now, sent = EMPTY, 0, []
    for _ in range(calls):
        now += wait_ns(spec, state, cost)
        state = at(spec, state, now)
        assert fits(spec, state, cost)
        state = add(state, cost)
        sent.append(now / SECOND)
    return sent


def test_fifteen_calls_fill_a_starter_counter():
    """Starter takes 15 calls at once; the 16th is refused at 0 s and at 3.00 s and fits after 1/0.33 s."""
    spec, state = STARTER.rest, EMPTY
    for _ in range(15):
        assert fits(spec, state, 1)
        state = add(state, 1)
    assert points(state) == 15
    assert not fits(spec, state, 1)
    after_3s = at(spec, state, 3 * SECOND)
    assert points(after_3s) == 14.01
    assert not fits(spec, after_3s, 1)
    wait = wait_ns(spec, state, 1)
    assert wait == 3_030_303_031
    assert fits(spec, at(spec, state, wait), 1)
    assert not fits(spec, at(spec, state, wait - 1), 1)


def test_a_full_starter_counter_is_empty_after_45_5_seconds():
    """Fifteen points drain in 15/0.33 seconds and not before."""
    full = CounterState(15 * TICKS, 0)
    assert points(at(STARTER.rest, full, 45_400_000_000)) > 0
    assert points(at(STARTER.rest, full, 45_500_000_000)) == 0


@pytest.mark.parametrize(("cost", "at_once", "next_at"), [(2, 10, 2.0), (4, 5, 4.0)])
def test_pro_history_calls(cost, at_once, next_at):
    """Pro: ten history calls of 2 points, or five of 4, go at once; one more after cost/decay seconds."""
    sent = moments(PRO.rest, cost, at_once + 1)
    assert sent[:-1] == [0.0] * at_once
    assert sent[-1] == next_at


@pytest.mark.parametrize(
    ("tier", "cost", "at_once", "last"), [(PRO, 2, 10, 20.0), (PRO, 4, 5, 60.0), (STARTER, 2, 7, 25 / 0.33)]
)
def test_twenty_pages(tier, cost, at_once, last):
    """Reading twenty pages as fast as allowed takes (total cost - cap) / decay seconds."""
    sent = moments(tier.rest, cost, 20)
    assert sent.count(0.0) == at_once
    assert sent[-1] == pytest.approx(last, abs=1e-6)


@pytest.mark.parametrize(("tier", "a_minute"), [(STARTER, 19.8), (INTERMEDIATE, 30), (PRO, 60)])
def test_sustained_rate(tier, a_minute):
    """Beyond the first burst the rate is the decay: 19.8, 30 and 60 one-point calls a minute."""
    sent = moments(tier.rest, 1, tier.rest.cap + 300)
    assert 60 * 300 / sent[-1] == pytest.approx(a_minute)


@pytest.mark.parametrize("tier", Tier)
def test_engine_official_order_life(tier):
    """Add at 0 s, amend at 7 s, cancel at 43 s leaves 1, 3, then 4 points, for decay takes what came before."""
    levels, state = [], EMPTY
    for seconds, action, age in [
        (0, EngineAction.ADD, None),
        (7, EngineAction.AMEND, 7),
        (43, EngineAction.CANCEL, 36),
    ]:
        state = charge(tier.engine, seconds, engine_points(action, age), state)
        levels.append(points(state))
    assert levels == [1, 3, 4]


def test_engine_mixed_orders_on_starter():
    """Four orders added, edited and cancelled at their ages give the worked levels, step by step."""
    life = [
        (0, EngineAction.ADD, None, 1),
        (2, EngineAction.CANCEL, 2, 8),
        (2, EngineAction.ADD, None, 9),
        (10, EngineAction.CANCEL, 8, 7),
        (12, EngineAction.ADD, None, 6),
        (60, EngineAction.CANCEL, 48, 2),
        (61, EngineAction.ADD, None, 2),
        (61.5, EngineAction.EDIT, 0.5, 8.5),
        (400, EngineAction.CANCEL, 338.5, 0),
    ]
    state = EMPTY
    for seconds, action, age, expected in life:
        state = charge(STARTER.engine, seconds, engine_points(action, age), state)
        assert points(state) == expected


def test_engine_quick_cancels_reach_the_starter_cap_in_the_eighth_cycle():
    """Add, cancel a second later, at once again: 8k after cycle k; the eighth cancel no longer fits."""
    spec, state = STARTER.engine, EMPTY
    for cycle in range(1, 8):
        state = charge(spec, cycle - 1, engine_points(EngineAction.ADD), state)
        state = charge(spec, cycle, engine_points(EngineAction.CANCEL, 1), state)
        assert points(state) == 8 * cycle
    state = charge(spec, 7, engine_points(EngineAction.ADD), state)
    assert points(state) == 57
    state = at(spec, state, 8 * SECOND)
    assert not fits(spec, state, engine_points(EngineAction.CANCEL, 1))
    assert wait_ns(spec, state, engine_points(EngineAction.CANCEL, 1)) == 4 * SECOND


def test_engine_adds_on_intermediate():
    """125 adds go at once on Intermediate, then one every 1/2.34 s; 50 adds and 10 s leave 26.6."""
    sent = moments(INTERMEDIATE.engine, 1, 127)
    assert sent.count(0.0) == 125
    assert sent[-1] - sent[-2] == pytest.approx(1 / 2.34, abs=1e-6)
    assert points(at(INTERMEDIATE.engine, CounterState(50 * TICKS, 0), 10 * SECOND)) == 26.6


def test_engine_batches_on_pro():
    """24 batches of 15 orders fill the Pro counter of 180 to the point."""
    state = EMPTY
    for _ in range(24):
        assert fits(PRO.engine, state, 7.5)
        state = add(state, 7.5)
    assert points(state) == 180
    assert not fits(PRO.engine, state, 0.5)


@given(specs, steps, timelines)
def test_levels_agree_with_exact_fractions(spec, step, timeline):
    """Whatever happens when, the whole-number counter equals a naive simulation in fractions, floor at zero."""
    state, now, level, last = EMPTY, 0, Fraction(0), 0
    for pause, cost in timeline:
        now += pause
        moment = now // step * step if step else now
        level = max(Fraction(0), level - Fraction(spec.decay_hundredths, 100) * Fraction(moment - last, SECOND))
        last = moment
        state = at(spec, state, now, step=step)
        assert Fraction(state.level, TICKS) == level
        assert fits(spec, state, cost) == (level + Fraction(cost) <= spec.cap)
        level += Fraction(cost)
        state = add(state, cost)


@given(specs, st.integers(0, 20 * TICKS), costs)
def test_the_wait_is_enough_and_not_a_nanosecond_too_long(spec, level, cost):
    """After `wait_ns` the call fits; a nanosecond earlier it does not, if there was a wait at all."""
    cost = min(cost, spec.cap)
    state = CounterState(level, 0)
    wait = wait_ns(spec, state, cost)
    assert fits(spec, at(spec, state, wait), cost)
    assert (wait == 0) == fits(spec, state, cost)
    assert not wait or not fits(spec, at(spec, state, wait - 1), cost)


@given(specs, timelines)
def test_looking_twice_changes_nothing(spec, timeline):
    """Decaying in many small steps or in one large one ends at the same level."""
    start = CounterState(30 * TICKS, 0)
    state, now = start, 0
    for pause, _cost in timeline:
        now += pause
        state = at(spec, state, now)
    assert state == at(spec, start, now)


@given(specs, steps, st.integers(0, 10**12))
def test_a_clock_that_goes_back_changes_nothing(spec, step, back):
    """A moment before the last known one neither drains nor fills the counter."""
    state = CounterState(7 * TICKS, 10**12)
    assert at(spec, state, 10**12 - back, step=step) == state


def test_stepped_decay_moves_at_the_steps_only():
    """With a step of 2 s a level stands still between the steps and then falls by two seconds' worth."""
    spec, step = PRO.rest, 2 * SECOND
    state = add(at(spec, EMPTY, 3_900_000_000, step=step), 10)
    assert points(at(spec, state, 3_999_999_999, step=step)) == 10
    assert points(at(spec, state, 4_000_000_000, step=step)) == 8
    assert points(at(spec, state, 5_999_999_999, step=step)) == 8
    assert points(at(spec, state, 60_000_000_000, step=step)) == 0


def test_giving_back_never_leaves_less_than_nothing():
    """A refund after the level has drained stops at empty."""
    assert add(CounterState(TICKS, 5), -2) == CounterState(0, 5)

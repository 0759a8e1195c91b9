"""What a call that holds points tells the others when its end is known."""

import asyncio
import math

import pytest

from krakenasync import CounterSpec, RateLimitExceeded, Throttled
from krakenasync.client.gates import Charged, Gate, Hold, throttled_for
from krakenasync.client.queueing import Lane
from krakenasync.state.bucket import Bucket
from krakenasync.testing import VirtualClock


def gate_of(name):
    return Gate(name, Bucket(CounterSpec(2, 100), VirtualClock()))


def held(gate, cost=2.0, fixed=2.0, over=None):
    """Hold the points as the limiter does."""
    assert gate.acquire_nowait(cost)
    return Hold((Charged(gate, cost, fixed, gate.bucket.blocked_until),), 0.0, over)


def stands(gate):
    """What the gate's counter has, and what is held on it."""
    state = gate.bucket.state()
    return state.level, state.held


def test_nobody_passes_those_in_line_though_there_is_room():
    """Cheap calls would keep the dear one, which waits for more, from ever getting through."""
    gate = gate_of("rest")
    assert gate.acquire_nowait(1.0)
    waiter = gate.queue.join(Lane.NORMAL, lambda: 2.0)
    assert not gate.acquire_nowait(1.0)
    gate.queue.leave(waiter)
    assert gate.acquire_nowait(1.0)


@pytest.mark.parametrize(("name", "grace"), [("rest", 10), ("engine:XBTUSD", 10), ("public", 1), ("public:XBTUSD", 1)])
def test_a_public_call_without_an_answer_is_charged_for_a_second(name, grace):
    """A private one for ten: what arrives late at a counter with hardly a point costs one of the next second."""
    gate = gate_of(name)
    held(gate).keep()
    assert gate.bucket.delay(2.0) == pytest.approx(grace + 2)


def test_a_call_goes_back_into_line_when_another_has_been_refused_since():
    """Though its points are held: Kraken has said that they are not there."""
    gate = gate_of("rest")
    hold = held(gate)
    assert not hold.overtaken
    gate.bucket.block(5)
    assert hold.overtaken


def test_a_call_that_waits_for_no_room_does_not_go_back_for_an_overdrawn_counter():
    """Kraken carries it out whatever the counter says; one that waits for room goes back into line."""
    gate = gate_of("engine:XBTUSD")
    gate.reserve(3.0)
    pause = gate.bucket.blocked_until
    assert not Hold((Charged(gate, 3.0, 3.0, pause, waits=False),), 0.0).overtaken
    assert Hold((Charged(gate, 3.0, 3.0, pause),), 0.0).overtaken


@pytest.mark.parametrize(
    "ends",
    [
        lambda hold: hold.refused(RateLimitExceeded("x"), 0.0),
        lambda hold: hold.settle(refused=True),
        Hold.settle,
        Hold.release,
    ],
)
def test_points_that_come_back_let_the_head_look_again(ends):
    """It waits for nothing else: the points that were held do not decay by themselves."""

    async def main():
        gate = gate_of("rest")
        hold = held(gate)
        waiter = gate.queue.join(Lane.NORMAL)
        looks = asyncio.ensure_future(waiter.wait(math.inf))
        await asyncio.sleep(0)
        ends(hold)
        async with asyncio.timeout(2):
            await looks

    asyncio.run(main())


def test_a_call_that_the_engine_refuses_is_charged_its_fixed_part_only():
    """The rest comes back at once, and the fixed part decays."""
    gate = gate_of("engine:XBTUSD")
    held(gate, fixed=0.5).settle(refused=True)
    assert stands(gate) == (0.5, 0.0)


def test_what_is_settled_is_not_given_back_as_well():
    """Releasing the call afterwards returns no points, and does not tell a second time what became of it."""
    gate, told = gate_of("rest"), []
    hold = held(gate, over=told.append)
    hold.settle()
    hold.release()
    assert stands(gate) == (2.0, 0.0)
    assert told == [0.0]


def test_a_call_without_points_tells_once_that_nothing_was_sent():
    """Others may wait to hear of it."""
    told = []
    hold = Hold((), 0.0, told.append)
    hold.release()
    hold.release()
    assert told == [None]


def test_a_refused_call_that_was_charged_nowhere_is_not_repeated_at_once():
    """No counter of ours can tell when there is room again, and Kraken's limit lasts as long as calls go on."""
    error = RateLimitExceeded("x", retry_after=99.0)
    Hold((), 0.0).refused(error, 0.0)
    assert error.retry_after == 5.0
    error = RateLimitExceeded("x", retry_after=99.0)
    held(gate_of("rest")).refused(error, 0.0)
    assert error.retry_after != 99.0


def test_a_call_that_has_ended_names_no_counter():
    """Nor does one that was charged nowhere."""
    hold = held(gate_of("rest"))
    assert hold.counter == "rest"
    hold.release()
    assert hold.counter == Hold((), 0.0).counter == ""


def test_a_call_is_the_engine_s_if_any_of_its_counters_is():
    """After a refused nonce its points are kept: a copy of the request may have been carried out and charged."""
    rest, engine = (
        Charged(gate, 1.0, 1.0, gate.bucket.blocked_until) for gate in (gate_of("rest"), gate_of("engine:XBTUSD"))
    )
    assert [Hold(charges, 0.0).of_engine for charges in ([rest, engine], [rest], [])] == [True, False, False]


@pytest.mark.parametrize(("until", "seconds"), [(1030, 30), (1000, 1), (900, 1), (99_999, 60), ("soon", 5)])
def test_a_throttle_lasts_as_long_as_it_says_within_reason(until, seconds):
    """A second at least, a minute at most; five without a moment that can be read."""
    for stamp in (f" {until}", until, f" [{until}]"):
        assert throttled_for(Throttled(codes=[f"EService: Throttled:{stamp}"]), 1000.0) == seconds


def test_a_call_that_has_become_dearer_goes_back_into_line():
    """Somebody else's amend made its order young while it waited for its turn."""
    gate, costs = gate_of("engine:XBTUSD"), [1.0]
    assert gate.acquire_nowait(1.0)
    hold = Hold((Charged(gate, 1.0, 1.0, gate.bucket.blocked_until, True, lambda: costs[-1]),), 0.0)
    assert not hold.overtaken
    costs.append(0.0)
    assert not hold.overtaken
    costs.append(2.0)
    assert hold.overtaken

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


def held(gate, cost=2.0):
    """Hold the points as the limiter does."""
    assert gate.acquire_nowait(cost)
    return Hold((Charged(gate, cost, cost, gate.bucket.blocked_until),), 0.0)


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

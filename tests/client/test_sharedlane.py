"""The lane of a key between processes, each with a state of its own in front of one store."""

import anyio
import anyio.lowlevel
import pytest

from krakenasync import Lane
from krakenasync.client.sharedgate import SharedGate
from krakenasync.client.sharedlane import SharedLane
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox import SandboxConfig
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Book, Enter, Limit, Refuse
from krakenasync.state.shared import SharedState
from krakenasync.testing import in_process, run


class Counting(InProcessStore):
    """Writes down what it is asked."""

    def __init__(self, clock):
        super().__init__(clock)
        self.asked = []

    async def ask(self, *steps):
        self.asked += steps
        return await super().ask(*steps)


def lanes(store, clock, number, window=0):
    """The lane of one key in so many processes."""
    states = [SharedState(store, clock) for _ in range(number)]
    return [SharedLane(state.nonces("key", "ms"), window, "key", state) for state in states]


def gate_of(state):
    return SharedGate("rest", state.bucket("rest key", Tier.PRO.rest), state)


def test_processes_take_turns():
    """One caller of each stands in the store's line at a time: three calls of one do not keep the other waiting."""
    order = []

    async def call(lane, name):
        assert lane.begin_nowait() is None
        nonce = await lane.begin(Lane.NORMAL)
        order.append((name, nonce))
        await anyio.sleep(0.1)
        if (ending := lane.end(nonce)) is not None:
            await ending

    async def main(clock):
        one, other = lanes(InProcessStore(clock), clock, 2)
        async with anyio.create_task_group() as tasks:
            for lane, name in ((one, "a1"), (one, "a2"), (one, "a3"), (other, "b1")):
                tasks.start_soon(call, lane, name)
                await anyio.lowlevel.checkpoint()

    run(main)
    names, nonces = zip(*order, strict=True)
    assert names.index("b1") <= 2
    assert list(nonces) == sorted(set(nonces))


def test_calls_that_wait_for_the_lane_book_no_slot_yet():
    """A slot booked before the line grows old in it: the call would go back, book again, and perhaps wait for ever."""

    async def main(clock):
        store, order = Counting(clock), []
        exchange = in_process(SandboxConfig(tier=Tier.PRO, latency=0.2), clock=clock)

        async def call(number):
            await client.balance()
            order.append(number)

        async with exchange.client(state=SharedState(store, clock)) as client, anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(call, number)
                await anyio.lowlevel.checkpoint()
        return order, [step for step in store.asked if isinstance(step, Book)]

    order, booked = run(main)
    assert order == list(range(8))
    assert len(booked) == 8


async def ahead(clock, store):
    """A lane with a place that was taken along with a slot."""
    state = SharedState(store, clock)
    lane, gate = SharedLane(state.nonces("key", "ms"), 0, "key", state), gate_of(state)
    lane.end(await lane.begin(Lane.NORMAL, 5.0))
    await gate.acquire(lambda: 1.0, Lane.NORMAL, lane)
    return lane, gate


def test_a_place_taken_ahead_is_used_without_another_question():
    """The call that booked the slot goes off at once, with a nonce above all before."""

    async def main(clock):
        store = Counting(clock)
        lane, _gate = await ahead(clock, store)
        before, last = len(store.asked), lane.nonces.last
        nonce = lane.begin_nowait(5.0)
        assert nonce is not None
        assert nonce > last
        assert len(store.asked) == before
        assert lane.end(nonce) is None

    run(main)


@pytest.mark.parametrize("why", ["it is old", "the attempt lasts longer"])
def test_a_place_that_is_not_good_any_more_is_asked_for_again(why):
    """Its lease would end before the call does."""

    async def main(clock):
        store = Counting(clock)
        lane, _gate = await ahead(clock, store)
        before = len(store.asked)
        clock.advance(1.5 if why == "it is old" else 0)
        lasts = 5.0 if why == "it is old" else 60.0
        assert lane.begin_nowait(lasts) is None
        assert await lane.begin(Lane.NORMAL, lasts) > 0
        (wish,) = [step for step in store.asked[before:] if isinstance(step, Enter)]
        return wish.lease

    assert run(main) == (10.0 if why == "it is old" else 65.0)


def test_a_place_that_is_given_up_is_the_next_ones():
    """The other process does not wait for its lease."""

    async def main(clock):
        store = Counting(clock)
        lane, _gate = await ahead(clock, store)
        (other,) = lanes(store, clock, 1)
        await lane.give_up(lane._ahead)
        await anyio.sleep(0.1)
        began = clock.monotonic()
        assert await other.begin(Lane.NORMAL) > 0
        return clock.monotonic() - began

    assert run(main) < 0.1


def test_who_is_cancelled_in_line_leaves_it():
    """Whoever is behind him does not wait for him."""

    async def main(clock):
        one, other, third = lanes(InProcessStore(clock), clock, 3)
        nonce = await one.begin(Lane.NORMAL)
        with anyio.move_on_after(0.5):
            await other.begin(Lane.NORMAL)
        one.end(nonce)
        await anyio.sleep(0.1)
        began = clock.monotonic()
        await third.begin(Lane.NORMAL)
        return clock.monotonic() - began

    assert run(main) < 0.1


def test_whoever_waits_in_line_hears_of_a_refusal():
    """Another process was refused meanwhile: his own gate is shut before he sends."""

    async def main(clock):
        store = Counting(clock)
        lane, gate = await ahead(clock, store)
        (other,) = lanes(store, clock, 1)
        await lane.give_up(lane._ahead)
        await anyio.lowlevel.checkpoint()
        nonce = await other.begin(Lane.NORMAL, 1.0)

        async def refused():
            await store.ask(Refuse("rest key", Limit(16.0, 1.0), 21.0, 0.0, 12.0))
            other.end(nonce)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(refused)
            await lane.begin(Lane.NORMAL)
        return gate.bucket.blocked_until - clock.monotonic()

    assert run(main) == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize(("window", "at_once"), [(0, 1), (10_000, 3)])
def test_a_window_lets_several_of_one_process_apply(window, at_once):
    """Without one, whoever comes second waits for the first."""

    async def main(clock):
        (lane,) = lanes(InProcessStore(clock), clock, 1, window)
        entered = []

        async def call():
            entered.append(await lane.begin(Lane.NORMAL))

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(call)
            await anyio.sleep(0.5)
            tasks.cancel_scope.cancel()
        return len(entered)

    assert run(main) == at_once

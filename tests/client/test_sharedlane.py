"""The lane of a key between processes, each with a state of its own in front of one store."""

import asyncio

import anyio
import anyio.lowlevel
import pytest

from krakenasync import Lane, StateUnavailable
from krakenasync.client.sharedgate import SharedGate
from krakenasync.client.sharedlane import SharedLane
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox import SandboxConfig
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Book, Enter, Limit, Refuse
from krakenasync.state.shared import SharedState
from krakenasync.testing import VirtualClock, in_process, run


class Counting(InProcessStore):
    """Writes down what it is asked; `away` is how many seconds it takes before it says that it does not answer."""

    def __init__(self, clock):
        super().__init__(clock)
        self.asked = []
        self.away = None

    async def ask(self, *steps):
        self.asked += steps
        answers = await super().ask(*steps)
        if self.away is not None:
            await anyio.sleep(self.away)
            raise StateUnavailable("away")
        return answers

    async def change(self, work):
        await anyio.sleep(0.01)
        return await super().change(work)

    def wishes(self):
        return [step for step in self.asked if isinstance(step, Enter)]


def lanes(store, clock, number, window=0):
    """The lane of one key in so many processes."""
    states = [SharedState(store, clock) for _ in range(number)]
    return [SharedLane(state.nonces("key", "ms"), window, "key", state) for state in states]


def gate_of(state, name="rest"):
    return SharedGate(name, state.bucket(f"{name} key", Tier.PRO.rest), state)


async def turn_of(store, clock):
    """How many seconds another process of the key waits for its turn."""
    (other,) = lanes(store, clock, 1)
    began = clock.monotonic()
    other.end(await other.begin(Lane.NORMAL))
    return clock.monotonic() - began


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


async def ahead(clock, store, state=None):
    """A lane with a place that was taken along with a slot."""
    clock.advance(100)
    state = state or SharedState(store, clock)
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


@pytest.mark.parametrize("waits", [True, False], ids=["for room", "not even for room"])
def test_whoever_waits_in_line_hears_of_a_refusal(waits):
    """Another process was refused meanwhile: his own gate is shut before he sends."""

    async def main(clock):
        store = Counting(clock)
        lane, gate = await ahead(clock, store)
        (other,) = lanes(store, clock, 1)
        await lane.give_up(lane._ahead)
        if not waits:
            gate.over()
            gate.reserve(1.0)
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


def test_before_its_first_turn_a_lane_is_not_applied_for():
    """How long a call may take is not known yet: a lease too short would let another process in beside it."""

    async def main(clock):
        store = Counting(clock)
        state = SharedState(store, clock)
        lane = SharedLane(state.nonces("key", "ms"), 0, "key", state)
        await gate_of(state).acquire(lambda: 1.0, Lane.NORMAL, lane)
        return store.wishes()

    assert run(main) == []


def test_a_place_that_was_given_up_is_not_used_any_more():
    """Another process may have it: a nonce sent from it could overtake."""

    async def main(clock):
        lane, _gate = await ahead(clock, store := Counting(clock))
        before = len(store.wishes())
        await lane.give_up(lane._ahead)
        assert lane.begin_nowait(5.0) is None
        assert await lane.begin(Lane.NORMAL, 5.0) > 0
        return len(store.wishes()) - before

    assert run(main) == 1


def test_who_gives_up_late_does_not_take_the_place_of_the_next_one():
    """The next one would wait behind its own place until that place's lease is over."""

    async def main(clock):
        lane, gate = await ahead(clock, Counting(clock))
        mine = lane._ahead
        await lane.give_up(mine)
        await gate.acquire(lambda: 1.0, Lane.NORMAL, lane)
        await lane.give_up(mine)
        return lane.begin_nowait(5.0)

    assert run(main) is not None


def test_a_call_that_has_to_pause_after_all_keeps_no_place():
    """It was let through and given a place, but a refusal became known meanwhile: other processes go first."""

    async def main(clock):
        lane, gate = await ahead(clock, store := Counting(clock))
        lane.end(lane.begin_nowait(5.0))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gate.acquire, lambda: 1.0, Lane.NORMAL, lane)
            await anyio.sleep(0.005)  # it is asking
            gate.bucket.block(5.0)
            await anyio.sleep(0.1)
            waited = await turn_of(store, clock)
            tasks.cancel_scope.cancel()
        return waited

    assert run(main) < 0.1


@pytest.mark.parametrize("how", ["cancelled", "no answer"])
def test_a_place_of_which_nothing_was_heard_is_left(how):
    """The question may have arrived: the next one does not wait for a lease that nobody uses."""

    async def main(clock):
        lane, gate = await ahead(clock, store := Counting(clock))
        lane.end(lane.begin_nowait(5.0))
        before = len(store.wishes())
        store.away = 1.0
        with anyio.move_on_after(0.5 if how == "cancelled" else 2.0) as scope:
            with pytest.raises(StateUnavailable):
                await gate.acquire(lambda: 1.0, Lane.NORMAL, lane)
            assert how == "no answer"
        assert scope.cancelled_caught == (how == "cancelled")
        store.away = None
        assert len(store.wishes()) == before + 1
        await gate.acquire(lambda: 1.0, Lane.NORMAL)  # whatever is asked next
        return await turn_of(store, clock), lane.free

    waited, free = run(main)
    assert waited < 0.1
    assert free


def test_two_counters_do_not_apply_for_one_lane_at_once():
    """One caller of a process stands in the store's line at a time, whichever counter he comes from."""

    async def main(clock):
        state = SharedState(store := Counting(clock), clock)
        lane, gate = await ahead(clock, store, state)
        lane.end(lane.begin_nowait(5.0))
        before = len(store.wishes())
        async with anyio.create_task_group() as tasks:
            for each in (gate, gate_of(state, "engine")):
                tasks.start_soon(each.acquire, lambda: 1.0, Lane.NORMAL, lane)
            await anyio.sleep(0.1)
            asked = len(store.wishes()) - before
            tasks.cancel_scope.cancel()
        return asked

    assert run(main) == 1


def test_no_slot_is_booked_for_a_call_that_would_wait_for_the_lane():
    """Its points would count for all processes while it waits, and be too old by the time it is sent."""

    async def main(clock):
        lane, gate = await ahead(clock, store := Counting(clock))
        nonce, before = lane.begin_nowait(5.0), len(store.asked)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gate.acquire, lambda: 1.0, Lane.NORMAL, lane)
            await anyio.sleep(0.5)
            assert store.asked[before:] == []
            lane.end(nonce)
            ended = clock.monotonic()
        return clock.monotonic() - ended

    assert run(main) < 0.1


def test_a_slot_that_falls_due_while_another_call_has_the_lane_is_not_asked_for_a_place():
    """It would wait at the store without its turn here, and keep the other processes from theirs."""

    async def main(clock):
        lane, gate = await ahead(clock, store := Counting(clock))
        lane.end(lane.begin_nowait(5.0))
        await gate.acquire(lambda: 17.0, Lane.NORMAL)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gate.acquire, lambda: 1.0, Lane.NORMAL, lane)
            await anyio.sleep(0.1)  # its slot is booked, and due later
            nonce = await lane.begin(Lane.NORMAL, 5.0)
            before = len(store.wishes())
            await anyio.sleep(4.0)
            assert gate.granted == 3  # let through meanwhile
            asked = len(store.wishes()) - before
            lane.end(nonce)
        return asked

    assert run(main) == 0


def test_who_is_cancelled_behind_others_of_the_process_lets_them_go():
    """Whether he is still waiting, or was called up a moment ago and has not run yet."""

    async def main(clock):
        (lane,) = lanes(InProcessStore(clock), clock, 1)
        nonce = await lane.begin(Lane.NORMAL)
        done, scopes = [], []

        async def call(number):
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                mine = await lane.begin(Lane.NORMAL)
                done.append(number)
                lane.end(mine)

        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(call, number)
                await anyio.lowlevel.checkpoint()
            scopes[0].cancel()  # while he waits
            await anyio.sleep(0.1)
            scopes[1].cancel()  # in the step in which he is called
            lane.end(nonce)
        return done, lane.waiting

    assert run(main) == ([2], 0)


def test_who_has_had_a_turn_stands_at_the_end_of_the_line_again():
    """One task that calls without pause does not keep the others of its process waiting."""

    async def main(clock):
        (lane,) = lanes(InProcessStore(clock), clock, 1)
        nonce, order = await lane.begin(Lane.NORMAL), []

        async def call():
            mine = await lane.begin(Lane.NORMAL)
            order.append("the other")
            lane.end(mine)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await anyio.sleep(0.1)
            lane.end(nonce)
            lane.end(await lane.begin(Lane.NORMAL))
            order.append("again")
        return order

    assert run(main) == ["the other", "again"]


def test_several_event_loops_that_share_a_state_are_not_warned_of(caplog):
    """The store keeps their calls in order, as the warning advises."""
    clock = VirtualClock()
    state = SharedState(InProcessStore(clock), clock)
    nonces = state.nonces("key", "ms")

    async def use():
        return SharedLane(nonces, 0, "key", state)

    with asyncio.Runner() as one, asyncio.Runner() as other:
        kept = [runner.run(use()) for runner in (one, other)]
    assert len(kept) == 2
    assert not caplog.records

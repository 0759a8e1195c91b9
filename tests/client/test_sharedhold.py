"""What the store is told of an attempt, whatever became of it."""

import contextlib

import pytest

from krakenasync import RateLimitExceeded
from krakenasync.client.gates import Charged
from krakenasync.client.sharedgate import SharedGate
from krakenasync.client.sharedhold import SharedHold
from krakenasync.protocol.tiers import Tier
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Refuse
from krakenasync.state.shared import SPREAD, SharedState
from krakenasync.testing import run
from krakenasync.testing.questions import adjust, peek


def gate_on(store, clock, tier=Tier.PRO):
    state = SharedState(store, clock)
    return SharedGate("rest", state.bucket("rest key", tier.rest), state)


async def held(clock, cost=4.0, tier=Tier.PRO):
    """A gate, its store, and four points held for a call."""
    store = InProcessStore(clock)
    gate = gate_on(store, clock, tier)
    assert await gate.acquire(lambda: cost, 1) == cost
    return gate, store, SharedHold((Charged(gate, cost, cost, gate.bucket.blocked_until),), clock.monotonic())


@contextlib.contextmanager
def releasing(hold):
    """An attempt, as the road makes it."""
    try:
        yield
    finally:
        hold.release()


async def level(gate, store):
    """What the store counts, once it is told what is owed."""
    await gate._desk.ask()
    return (await adjust(store, "rest key", gate.shared.limit)).level


@pytest.mark.parametrize("slow", [0.0, SPREAD, SPREAD + 3, SPREAD + 9])
def test_a_late_answer_is_counted_from_its_coming(slow):
    """What the store let decay before the answer beyond the spread comes on top; never more than the call cost."""

    async def main(clock):
        gate, store, hold = await held(clock)
        with releasing(hold):
            clock.advance(slow)
            before = (await peek(store, "rest key", gate.shared.limit)).level
            hold.settle()
        assert hold.owing == (slow > SPREAD)
        return await level(gate, store) - before

    assert run(main) == pytest.approx(min(4.0, max(0.0, slow - SPREAD)), abs=0.001)


@pytest.mark.parametrize("others", [0.0, 15.0], ids=["room", "full"])
def test_an_old_grant_is_counted_from_its_turn_on_if_there_is_room(others):
    """Whoever waited long behind other processes is sent, and counted as sent now; else it goes back into line."""

    async def main(clock):
        gate, store, hold = await held(clock)
        with releasing(hold):
            clock.advance(3.0)
            await adjust(store, "rest key", gate.shared.limit, delta=others)
            assert hold.overtaken
            found = await hold.renewed()
            assert not hold.overtaken
            counted = (await peek(store, "rest key", gate.shared.limit)).level
            if found:
                hold.settle()
        return found, counted, await level(gate, store)

    found, counted, after = run(main)
    assert found == (not others)
    assert counted == pytest.approx(4.0 + others, abs=0.001)
    assert after == pytest.approx(4.0 if found else others, abs=0.001)


def test_of_a_call_that_was_not_sent_all_comes_back_that_cannot_have_decayed():
    """The counter must not fall below the calls of others."""

    async def main(clock):
        gate, store, hold = await held(clock)
        with releasing(hold):
            clock.advance(1.5)
        assert gate.granted == 0
        return await level(gate, store)

    assert run(main) == pytest.approx(0.0, abs=0.001)


def test_a_call_without_an_answer_counts_once_more():
    """It may arrive as late as it likes."""

    async def main(clock):
        gate, store, hold = await held(clock)
        with releasing(hold):
            hold.keep()
        return await level(gate, store)

    assert run(main) == pytest.approx(8.0, abs=0.001)


def test_a_refusal_is_told_to_all_that_share_the_counter():
    """Once for those under way together: they pause, and go on more slowly."""

    async def main(clock):
        gate, store, hold = await held(clock)
        _gate, other = gate, SharedHold((Charged(gate, 1.0, 1.0, gate.bucket.blocked_until),), clock.monotonic())
        gate.bucket.reserve(1.0)
        for each in (hold, other):
            with releasing(each):
                each.refused(RateLimitExceeded("no"), 0.0)
        assert hold.owing
        await gate._desk.ask()
        return await peek(store, "rest key", gate.shared.limit)

    found = run(main)
    assert found.blocked_for == pytest.approx(5.0)
    assert found.pace == pytest.approx(0.8)
    assert found.level >= 20


def test_a_grant_that_is_old_is_not_used():
    """The call would arrive too near to those after it: it goes back into line."""

    async def main(clock):
        _gate, _store, hold = await held(clock)
        assert not hold.overtaken
        clock.advance(SPREAD / 2 + 0.01)
        return hold.overtaken

    assert run(main)


def test_of_a_call_that_was_not_sent_the_points_of_others_stay():
    """What has decayed of the slot by then is not given back a second time."""

    async def main(clock):
        gate, store, hold = await held(clock)
        with releasing(hold):
            clock.advance(1.5)
            await adjust(store, "rest key", gate.shared.limit, delta=10.0)
        return await level(gate, store)

    assert run(main) == pytest.approx(10.0, abs=0.001)


def test_of_an_old_grant_only_what_may_have_decayed_is_counted_again():
    """By the counter's own pace: a third of a point a second for the lowest tier."""

    async def main(clock):
        gate, store, hold = await held(clock, tier=Tier.STARTER)
        with releasing(hold):
            clock.advance(3.0)
            before = (await peek(store, "rest key", gate.shared.limit)).level
            assert await hold.renewed()
            hold.settle()
        return (await peek(store, "rest key", gate.shared.limit)).level - before

    assert run(main) == pytest.approx(3.0 * Tier.STARTER.rest.decay, abs=0.001)


def test_an_old_grant_is_not_used_while_all_pause():
    """Another process was refused while this call waited: it goes back into line, and so do those behind it."""

    async def main(clock):
        gate, store, hold = await held(clock)
        with releasing(hold):
            clock.advance(3.0)
            await store.ask(Refuse("rest key", gate.shared.limit, 21.0, 0.0, 12.0))
            assert not await hold.renewed()
        return gate.bucket.blocked_until - clock.monotonic()

    assert run(main) == pytest.approx(5.0)


def test_an_old_grant_is_not_used_if_only_the_margin_has_room_for_it():
    """After several refusals some points are left free: Kraken counts more than we do."""

    async def main(clock):
        store = InProcessStore(clock)
        gate = gate_on(store, clock)
        for _ in range(2):
            await store.ask(Refuse("rest key", gate.shared.limit, 21.0, 0.0, 12.0))
            clock.advance(20.0)
        clock.advance(20.0)
        await gate.acquire(lambda: 4.0, 1)
        hold = SharedHold((Charged(gate, 4.0, 4.0, gate.bucket.blocked_until),), clock.monotonic())
        with releasing(hold):
            clock.advance(3.0)
            now = await peek(store, "rest key", gate.shared.limit)
            assert now.margin == pytest.approx(3.0, abs=0.1)
            await adjust(store, "rest key", gate.shared.limit, delta=16.0 - 3.0 - now.level)
            return await hold.renewed()

    assert run(main) is False

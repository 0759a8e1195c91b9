"""Going on with a share of the limits while the store is away."""

import anyio
import anyio.lowlevel
import pytest

from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.state.fallback import FallbackStore
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Book, Enter, Leave, Limit
from krakenasync.testing import VirtualClock
from krakenasync.testing.questions import adjust, book, enter, give_back, leave, peek, send

LIMIT = Limit(8.0, 2.0)


class Unsteady(InProcessStore):
    """A store that can be taken away, that can be slow to fail, and that can be another program's."""

    away = slow = foreign = False
    starts = 0

    async def start(self):
        self.starts += 1
        if self.away:
            raise StateUnavailable("away")
        if self.foreign:
            raise ConfigurationError("some other program's database")

    async def change(self, work):
        if self.slow:
            await anyio.lowlevel.checkpoint()
        if self.away:
            raise StateUnavailable("away")
        return await super().change(work)


def test_it_goes_on_with_a_share_and_comes_back():
    """While the store is away a quarter of the pace is used, without a burst; a second later it is asked again."""
    clock = VirtualClock()
    store = Unsteady(clock)
    fallback = FallbackStore(store, clock, 0.25)

    async def main():
        store.away = True
        await fallback.start()
        assert fallback.away
        assert (await book(fallback, "counter", LIMIT, 1.0)).wait == pytest.approx(2.0)
        assert (await book(fallback, "counter", LIMIT, 1.0)).wait == pytest.approx(4.0)
        store.away = False
        assert (await book(fallback, "counter", LIMIT, 1.0)).wait > 0
        clock.advance(1.0)
        slot = await book(fallback, "counter", LIMIT, 1.0)
        assert not slot.name.startswith("here")
        assert not fallback.away

    anyio.run(main)


@pytest.mark.parametrize("outage", [1, 2])
@pytest.mark.parametrize("first", ["book", "send"])
def test_no_outage_begins_with_a_burst(outage, first):
    """Whatever is asked first, and however often the store was away: what the others did is not known."""
    clock = VirtualClock()
    store = Unsteady(clock)
    fallback = FallbackStore(store, clock, 0.25)

    async def main():
        slot = await book(fallback, "counter", LIMIT, 1.0)
        for _ in range(outage):
            store.away = False
            clock.advance(60.0)
            await peek(fallback, "counter", LIMIT)
            store.away = True
            if first == "send":
                await send(fallback, slot)
            assert (await book(fallback, "counter", LIMIT, 1.0)).wait == pytest.approx(2.0)

    anyio.run(main)


def test_a_store_that_is_back_knows_nothing_of_what_was_sent_meanwhile():
    """It let its counter decay while the processes went on: it is told to take it for full, and what is still due."""
    clock = VirtualClock()
    store = Unsteady(clock)
    fallback = FallbackStore(store, clock, 1.0)

    async def main():
        store.away = True
        waits = [(await book(fallback, "counter", LIMIT, 1.0)).wait for _ in range(4)]
        assert waits == pytest.approx([0.5, 1.0, 1.5, 2.0])
        store.away = False
        clock.advance(1.25)
        assert (await peek(fallback, "counter", LIMIT)).level == pytest.approx(8.0 + 4.0)
        assert (await book(fallback, "counter", LIMIT, 1.0)).wait == pytest.approx(2.5)
        clock.advance(60.0)
        assert (await peek(fallback, "counter", LIMIT)).level == 0

    anyio.run(main)


def test_a_slot_goes_back_where_it_was_booked():
    """What was booked here while the store was away is not taken off the store's counter, and the other way round."""
    clock = VirtualClock()
    store = Unsteady(clock)
    fallback = FallbackStore(store, clock, 0.5)

    async def main():
        there = await book(fallback, "counter", LIMIT, 3.0)
        store.away = True
        here = await book(fallback, "counter", LIMIT, 2.0)
        await give_back(fallback, there)
        store.away = False
        clock.advance(1.0)
        level = (await peek(fallback, "counter", LIMIT)).level
        await give_back(fallback, here)
        # 8 for what others may have sent while the store was away, and 2 for what is still to be sent from here
        assert (await peek(fallback, "counter", LIMIT)).level == pytest.approx(level) == pytest.approx(10.0)
        assert await send(fallback, here) == 0
        assert await send(fallback, there) == 0
        store.away = True
        assert (await adjust(fallback, "counter", LIMIT, block=2.0)).blocked_for == pytest.approx(2.0)
        assert await send(fallback, there) == pytest.approx(2.0)

    anyio.run(main)


def test_nonces_and_lane_go_on_above_the_last():
    """The caller's last nonce keeps the local ones above; a lane entered here is left here."""
    clock = VirtualClock()
    store = Unsteady(clock)
    fallback = FallbackStore(store, clock, 0.5)

    async def main():
        nonce = await enter(fallback, "key", "me", lease=5.0, unit="ms")
        store.away = True
        await leave(fallback, "key", "me")
        assert await enter(fallback, "key", "me", lease=5.0, unit="ms", floor=nonce + 7) > nonce + 7
        await leave(fallback, "key", "me")
        with anyio.fail_after(0.5):
            await enter(fallback, "key", "you", lease=5.0, unit="ms")

    anyio.run(main)


@pytest.mark.parametrize("asked", [1, 2])
def test_questions_that_fail_together_all_leave_their_notes(asked):
    """One finds the store away while another is still asking it: it is told of both once it is back.

    What was noted before, and was to be told by a question that failed, is not forgotten either.
    """
    clock = VirtualClock()
    store = Unsteady(clock)
    fallback = FallbackStore(store, clock, 1.0)

    async def main():
        await enter(fallback, "key", "me", lease=15.0, unit="ms")
        await enter(fallback, "other", "me too", lease=15.0, unit="ms")
        store.away = store.slow = True
        for _ in range(asked):
            async with anyio.create_task_group() as both:
                both.start_soon(fallback.ask, Leave("key", "me"), Book("counter", LIMIT, 1.0))
                both.start_soon(fallback.ask, Leave("other", "me too"), Book("other counter", LIMIT, 1.0))
            clock.advance(1.0)
        store.away = store.slow = False
        for key, counter in (("key", "counter"), ("other", "other counter")):
            (place,) = await fallback.ask(Enter(key, "you", 15.0, "ms"))
            assert place.nonce  # nobody is in the lane
            assert (await peek(fallback, counter, LIMIT)).level >= LIMIT.cap

    anyio.run(main)


def test_a_store_that_was_away_at_the_start_is_started_once_it_is_back():
    """Until then nothing is asked of it: it may not be usable at all, and is not to be written to unchecked."""
    clock = VirtualClock()
    store = Unsteady(clock)
    fallback = FallbackStore(store, clock, 1.0)

    async def main():
        store.away = True
        await fallback.start()
        store.away, store.foreign = False, True
        clock.advance(1.0)
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="some other program's"):
                await book(fallback, "counter", LIMIT, 1.0)
        store.foreign = False
        assert not (await book(fallback, "counter", LIMIT, 1.0)).name.startswith("here")
        assert store.starts == 4
        await book(fallback, "counter", LIMIT, 1.0)
        assert store.starts == 4

    anyio.run(main)


@pytest.mark.parametrize("share", [0, -1, 1.5, float("nan")])
def test_a_share_that_cannot_work_is_refused(share):
    """All shares together make up the limits: none is above 1 or nothing."""
    with pytest.raises(ConfigurationError, match="share"):
        FallbackStore(InProcessStore(), SYSTEM_CLOCK, share)

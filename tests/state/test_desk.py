"""Where a loop speaks to a store: what is noted goes along with the next question, or off by itself."""

import asyncio

import anyio
import pytest

from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.state.desk import Desk, Report
from krakenasync.state.port import Adjust, Leave, Limit, Peek, Store
from krakenasync.state.shared import SharedState

LIMIT = Limit(4.0, 1.0)
PEEK = Peek("counter", LIMIT)


class Listening(Store):
    """Writes down what it is asked, and answers each step with its place."""

    def __init__(self):
        self.asked = []
        self.away = False
        self.refusal = StateUnavailable("away")
        self.slow = None

    async def start(self):
        """Nothing to do."""

    async def ask(self, *steps):
        self.asked.append(list(steps))
        if self.slow is not None:
            await self.slow.wait()
        if self.away:
            raise self.refusal
        return list(range(len(steps)))

    async def called(self, name, who, longest):
        """Nobody calls."""


class Gate:
    """Has points to tell."""

    def __init__(self, *steps):
        self.steps = list(steps)

    def owed(self):
        steps, self.steps = self.steps, []
        return Report(0.0, steps)

    def unpaid(self, report):
        self.steps += report.steps


def desk_of(store):
    async def opened():
        return store

    return Desk(opened)


def test_what_is_noted_goes_along_with_the_next_question():
    """In one question and before it; the caller gets the answers to his own steps only."""

    async def main():
        desk, gate = desk_of(store := Listening()), Gate(Adjust("counter", LIMIT, 1.0))
        desk.owe(gate)
        desk.leave("key", "me")
        assert desk.tell() is None
        assert await desk.ask(PEEK) == [2]
        await asyncio.sleep(0)
        return store.asked

    assert asyncio.run(main()) == [[Adjust("counter", LIMIT, 1.0), Leave("key", "me"), PEEK]]


def test_what_nobody_takes_along_is_sent_off_by_itself():
    """Once, however often it is said; and nothing at all if there is nothing."""

    async def main():
        desk = desk_of(store := Listening())
        desk.leave("key", "one")
        desk.tell()
        desk.leave("key", "two")
        desk.tell()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        desk.tell()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return store.asked

    assert asyncio.run(main()) == [[Leave("key", "one"), Leave("key", "two")]]


def test_on_trio_telling_is_waited_for():
    """Nothing runs there that nobody waits for; not even a cancelled caller keeps it back."""

    async def main():
        desk = desk_of(store := Listening())
        desk.leave("key", "me")
        with anyio.CancelScope() as scope:
            scope.cancel()
            await desk.tell()
        return store.asked

    assert anyio.run(main, backend="trio") == [[Leave("key", "me")]]


def test_what_an_event_loop_had_no_time_to_tell_the_next_one_does():
    """A program that calls ``asyncio.run`` again and again would wait for its own lease each time."""
    state, store, gate = SharedState(Listening()), Listening(), Gate(Adjust("counter", LIMIT, 1.0))

    async def opened():
        return store

    async def first():
        state.ready = opened
        desk = state.desk()
        assert state.desk() is desk
        desk.owe(gate)
        desk.leave("key", "me")
        desk.tell()

    async def second():
        await state.desk().ask(PEEK)

    asyncio.run(first())
    assert store.asked == []
    asyncio.run(second())
    asyncio.run(second())
    assert store.asked == [[Adjust("counter", LIMIT, 1.0), Leave("key", "me"), PEEK], [PEEK]]
    assert len(state._desks) == 1


def test_a_loop_that_goes_on_tells_for_itself():
    """Only what a loop that is over has left is taken over; also by one that began before it and waits for a lane."""
    state, store = SharedState(Listening()), Listening()

    async def opened():
        return store

    async def note(who):
        state.ready = opened
        desk = state.desk()
        desk.leave("key", who)
        return desk

    with asyncio.Runner() as one, asyncio.Runner() as other:
        mine, theirs = one.run(note("mine")), other.run(note("theirs"))
        one.run(mine.called("key", "me", 1.0))
        assert store.asked == [[Leave("key", "mine")]]
        assert theirs._leaving == [Leave("key", "theirs")]
        other.close()
        one.run(mine.called("key", "me", 1.0))
        assert store.asked[1:] == [[Leave("key", "theirs")]]


@pytest.mark.parametrize("how", ["away", "cancelled"])
def test_what_could_not_be_told_is_told_later(how):
    """Leavings as they are, points as far as their owner takes them back; in the order in which they were noted."""

    async def main():
        desk, gate = desk_of(store := Listening()), Gate(Adjust("counter", LIMIT, 1.0))
        desk.owe(gate)
        desk.leave("key", "first")
        store.away, store.slow = how == "away", asyncio.Event() if how == "cancelled" else None
        asking = asyncio.ensure_future(desk.ask(PEEK))
        await asyncio.sleep(0)
        if how == "cancelled":
            asking.cancel()
        with pytest.raises(asyncio.CancelledError if how == "cancelled" else StateUnavailable):
            await asking
        store.away, store.slow = False, None
        assert gate.steps == [Adjust("counter", LIMIT, 1.0)]
        desk.owe(gate)
        desk.leave("key", "second")
        await desk.ask(PEEK)
        return store.asked[-1]

    leavings = [Leave("key", "first"), Leave("key", "second")]
    assert asyncio.run(main()) == [Adjust("counter", LIMIT, 1.0), *leavings, PEEK]


def test_a_store_that_is_away_is_only_a_warning_to_what_goes_by_itself(caplog):
    """No task fails unheard, and what is kept for later has its bounds."""

    async def main():
        desk = desk_of(store := Listening())
        store.away = True
        for number in range(100):
            desk.leave("key", str(number))
        await desk.drain()
        store.away = False
        await desk.ask(PEEK)
        return store.asked[-1]

    assert len(asyncio.run(main())) == 64 + 1
    assert "told later" in caplog.text


def test_draining_waits_until_all_is_told():
    """Also for what is under way already."""

    async def main():
        desk = desk_of(store := Listening())
        store.slow = asyncio.Event()
        desk.leave("key", "me")
        desk.tell()
        await asyncio.sleep(0)
        draining = asyncio.ensure_future(desk.drain())
        await asyncio.sleep(0.001)
        assert not draining.done()
        store.slow.set()
        await draining
        return store.asked

    assert asyncio.run(main()) == [[Leave("key", "me")]]


def test_what_the_store_forbids_for_a_while_is_told_later(caplog):
    """A password or a permission changed, a file became read-only: nobody waits, so it is logged and not lost."""

    async def main():
        store = Listening()
        desk = desk_of(store)
        store.away, store.refusal = True, ConfigurationError("not allowed")
        desk.leave("key", "me")
        desk.tell()
        await desk.drain()
        store.away = False
        await desk.ask(PEEK)
        return store.asked[-1]

    assert asyncio.run(main()) == [Leave("key", "me"), PEEK]
    assert {(record.name, record.levelname) for record in caplog.records} == {("krakenasync", "WARNING")}


def test_points_alone_are_told_as_well():
    """With no lane to leave: by themselves, and before anyone of a later loop waits for a lane."""
    step = Adjust("counter", LIMIT, 1.0)

    async def by_itself():
        desk = desk_of(store := Listening())
        desk.owe(Gate(step))
        desk.tell()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return store.asked

    assert asyncio.run(by_itself()) == [[step]]

    async def before_a_wait():
        desk = desk_of(store := Listening())
        desk.owe(Gate(step))
        await desk.called("key", "me", 1.0)
        return store.asked

    assert asyncio.run(before_a_wait()) == [[step]]


def test_who_has_nothing_left_to_tell_changes_no_answer():
    """What it had may have gone with another question: the caller's own is asked, and alone nothing is."""

    async def main():
        desk = desk_of(store := Listening())
        desk.owe(Gate())
        assert await desk.ask() == []
        assert store.asked == []
        desk.owe(Gate())
        assert await desk.ask(PEEK, PEEK) == [0, 1]
        return store.asked

    assert asyncio.run(main()) == [[PEEK, PEEK]]


def test_on_trio_a_state_is_left_with_everything_told():
    """Another process need not wait for the lease of a lane that was left in the last moment."""
    state, store = SharedState(Listening()), Listening()

    async def opened():
        return store

    async def main():
        state.ready = opened
        state.join(main)
        desk = state.desk()
        desk.owe(Gate(Adjust("counter", LIMIT, 1.0)))
        desk.leave("key", "me")
        await state.part(main)

    anyio.run(main, backend="trio")
    assert store.asked == [[Adjust("counter", LIMIT, 1.0), Leave("key", "me")]]


def test_on_trio_a_store_that_is_away_keeps_nobody_from_leaving(caplog):
    """What cannot be told is logged; the leases end the rest."""

    async def main():
        desk = desk_of(store := Listening())
        store.away = True
        desk.leave("key", "me")
        await desk.drain()

    anyio.run(main, backend="trio")
    assert "told later" in caplog.text

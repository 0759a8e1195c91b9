"""What every store has to do about nonces and lanes: the second half of `krakenasync.testing.conformance`."""

from __future__ import annotations

from typing import Final

import anyio
import anyio.lowlevel

from krakenasync.state.port import Book, Enter, Leave
from krakenasync.testing.pairs import LATE, SLOW, Check, Make, close, near, new_name, pair
from krakenasync.testing.questions import book, enter, give_back, leave, new_nonce, peek

__all__ = ["LANES"]


async def nonces_rise_for_all(make: Make) -> None:
    """No nonce is issued twice or below an earlier one, whichever client asks and in whichever unit."""
    one, other = await pair(make)
    for unit in ("ms", "us", "ns"):
        name = new_name()
        nonces = [await new_nonce(store, name, unit) for _ in range(5) for store in (one, other)]
        assert nonces == sorted(set(nonces)), f"nonces in {unit} do not rise: {nonces}"
        floor = nonces[-1] + 10**6
        assert await new_nonce(one, name, unit, floor) > floor, "the nonce is not above the floor"
        assert await new_nonce(other, name, unit) > floor, "the other client fell behind the floor"
    await close(one, other)


async def a_lane_holds_one_at_a_time_in_order(make: Make) -> None:
    """Callers of both clients pass one by one, first come, first served, with rising nonces."""
    one, other = await pair(make)
    name = new_name()
    wishes = [Enter(name, f"caller-{number}", 5.0, "ms") for number in range(6)]
    nonces = []
    for number, wish in enumerate(wishes):
        (entry,) = await (one, other)[number % 2].ask(wish)
        nonces.append(entry.nonce)
    assert nonces[0] > 0, "a free lane was not given"
    assert not any(nonces[1:]), "two are in the lane at once"
    for number, wish in enumerate(wishes[1:], 1):
        last = wishes[-1] if number + 1 < len(wishes) else wish
        await leave(one, name, wishes[number - 1].who)
        if last is not wish:
            assert (await other.ask(last))[0].nonce == 0, "the order is not kept"
        (entry,) = await (one, other)[number % 2].ask(wish)
        assert entry.nonce > nonces[0], "the next in line was not let in, or its nonce does not rise"
        nonces[0] = entry.nonce
    await close(one, other)


async def a_window_opens_the_lane_for_all(make: Make) -> None:
    """Within the key's nonce window callers of both clients are in the lane together; one without a window waits."""
    one, other = await pair(make)
    name, wide = new_name(), 3_600_000
    (first,) = await one.ask(Enter(name, "first", 5.0, "ms", 0, wide))
    (second,) = await other.ask(Enter(name, "second", 5.0, "ms", 0, wide))
    assert second.nonce > first.nonce > 0, "the window did not open the lane, or nonces do not rise"
    (far,) = await one.ask(Enter(name, "far", 5.0, "ms", first.nonce + wide, wide))
    assert far.nonce == 0, "a nonce outside of the window was given"
    await leave(one, name, "far")
    assert (await other.ask(Enter(name, "strict", 5.0, "ms")))[0].nonce == 0, "one without window joined others"
    await close(one, other)


async def steps_asked_together_are_one(make: Make) -> None:
    """Leaving, booking and entering take one question; a caller that is not due neither enters nor stands in line."""
    one, other = await pair(make)
    name, key = new_name(), new_name()
    wish = Enter(key, "me", 5.0, "ms", if_due=True)
    _left, booking, entry = await one.ask(Leave(key, "nobody"), Book(name, SLOW, 4.0), wish)
    assert booking.wait == 0, "the slot is due"
    assert entry.nonce > 0, "the slot is due, so the lane is entered"
    booking, entry = await other.ask(Book(name, SLOW, 1.0), wish._replace(who="you"))
    assert booking.wait > 0, "the counter is full"
    assert entry.nonce == 0, "the lane was entered though the slot is not due"
    assert entry.wait < 0, "a caller that is not due stands in line"
    _left, entry = await other.ask(Leave(key, "me"), Enter(key, "third", 5.0, "ms"))
    assert entry.nonce > 0, "a caller stands in line that should not"
    await close(one, other)


async def who_gives_up_is_out_of_line(make: Make) -> None:
    """A cancelled caller does not hold up those behind."""
    one, other = await pair(make)
    name = new_name()
    await enter(one, name, "holder", lease=5.0, unit="ms")
    with anyio.move_on_after(0.01):
        await enter(other, name, "impatient", lease=5.0, unit="ms")
    await leave(one, name, "holder")
    with anyio.fail_after(0.5):
        await enter(one, name, "next", lease=5.0, unit="ms")
    await leave(one, name, "next")
    await close(one, other)


async def who_is_killed_in_the_lane_loses_it(make: Make) -> None:
    """After the lease the next in line gets the lane, and the dead caller's leaving no longer changes anything."""
    one, other = await pair(make)
    name = new_name()
    nonce = await enter(one, name, "killed", lease=0.05, unit="ms")
    with anyio.fail_after(1.0):
        assert await enter(other, name, "heir", lease=5.0, unit="ms") > nonce, "the nonce does not rise"
    await leave(one, name, "killed")
    with anyio.move_on_after(0.03) as waiting:
        await enter(one, name, "third", lease=5.0, unit="ms")
    assert waiting.cancelled_caught, "the dead one's leaving took the lane from its heir"
    await leave(other, name, "heir")
    await close(one, other)


async def names_do_not_disturb_each_other(make: Make) -> None:
    """Counters and lanes of different names are independent."""
    one, other = await pair(make)
    full, name = new_name(), new_name()
    await book(one, full, SLOW, 4.0)
    await enter(one, full, "holder", lease=5.0, unit="ms")
    assert (await book(other, name, SLOW, 4.0)).wait == 0, "another counter is charged"
    with anyio.fail_after(0.5):
        await enter(other, name, "me", lease=5.0, unit="ms")
    await close(one, other)


async def a_cancelled_question_leaves_nothing(make: Make) -> None:
    """A caller that is cancelled while it asks leaves behind neither slot nor place."""
    one, other = await pair(make)
    name, key = new_name(), new_name()

    async def ask() -> None:
        booking, entry = await one.ask(Book(name, SLOW, 4.0), Enter(key, "gone", 5.0, "ms", if_due=True))
        with anyio.CancelScope(shield=True):  # the answer came before the cancellation: the caller must use it
            await give_back(one, booking)
            if entry.nonce:
                await leave(one, key, "gone")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    for _look in range(200):
        if near((await peek(other, name, SLOW)).level, 0.0):
            break
        await anyio.sleep(LATE / 200)  # the answer may still be on its way
    assert near((await peek(other, name, SLOW)).level, 0.0), "the slot was not given back"
    with anyio.move_on_after(LATE) as waiting:
        await enter(other, key, "next", lease=5.0, unit="ms")
    assert not waiting.cancelled_caught, "the place was not left"
    await close(one, other)


LANES: Final[tuple[Check, ...]] = (
    nonces_rise_for_all,
    a_lane_holds_one_at_a_time_in_order,
    a_window_opens_the_lane_for_all,
    steps_asked_together_are_one,
    who_gives_up_is_out_of_line,
    who_is_killed_in_the_lane_loses_it,
    names_do_not_disturb_each_other,
    a_cancelled_question_leaves_nothing,
)
"""The checks of this module."""

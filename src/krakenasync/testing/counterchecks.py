"""What every store has to do about counters: the first half of `krakenasync.testing.conformance`."""

from __future__ import annotations

from typing import Final

import anyio

from krakenasync.state.port import Adjust, Book, Booking, Limit, Refuse, Standing, Store
from krakenasync.testing.pairs import FAST, LATE, SLOW, Check, Make, close, near, new_name, pair
from krakenasync.testing.questions import adjust, book, give_back, peek, send

__all__ = ["COUNTERS", "peak"]


def peak(slots: list[tuple[int, float]], decay: float, initial: float = 0.0) -> float:
    """The highest level of a counter that is charged at these moments (microseconds, points)."""
    level = highest = initial
    last = min(slots)[0] if slots else 0
    for at, cost in sorted(slots):
        level = max(0.0, level - (at - last) * decay / 1e6) + cost
        highest, last = max(highest, level), at
    return highest


async def a_slot_within_the_cap_is_due_at_once(make: Make) -> None:
    """Points that fit are charged and due now; both clients see them."""
    one, other = await pair(make)
    name = new_name()
    booking = await book(one, name, SLOW, 3.0)
    assert booking.made, "nothing was booked though it fits"
    assert booking.wait == 0, "the wait is 0 while there is room"
    assert near((await peek(other, name, SLOW)).level, 3.0), "the other client sees another level"
    await close(one, other)


async def beyond_the_cap_the_wait_is_what_has_to_decay(make: Make) -> None:
    """The wait is the missing points divided by the decay, and the next caller waits behind."""
    one, other = await pair(make)
    name, limit = new_name(), Limit(4.0, 2.0)
    full = await book(one, name, limit, 4.0)
    second, third = await book(other, name, limit, 2.0), await book(one, name, limit, 1.0)
    # Moments of the store's own clock: however long the questions took.
    assert near((second.due - full.due) / 1e6, 1.0), "2 points at 2 a second take 1 s"
    assert near((third.due - full.due) / 1e6, 1.5), "a later caller waits behind"
    await close(one, other)


async def a_wait_that_is_too_long_books_nothing(make: Make) -> None:
    """The caller is told the wait; the counter stays as it was."""
    one, other = await pair(make)
    name = new_name()
    await book(one, name, SLOW, 4.0)
    booking = await book(other, name, SLOW, 1.0, longest=5.0)
    assert not booking.made, "a slot was booked that is due too late"
    assert booking.wait > 5.0, "the wait is reported anyway"
    assert near((await peek(one, name, SLOW)).level, 4.0), "a slot that was not booked was charged"
    await close(one, other)


async def a_counter_never_seen_begins_where_it_is_told(make: Make) -> None:
    """The initial level counts once, on the first booking."""
    one, other = await pair(make)
    name = new_name()
    await book(one, name, SLOW, 1.0, initial=2.0)
    await book(other, name, SLOW, 1.0, initial=2.0)
    assert near((await peek(one, name, SLOW)).level, 4.0), "initial 2, then twice 1"
    await close(one, other)


async def a_slot_given_back_before_it_is_due_comes_back_whole(make: Make) -> None:
    """The next caller gets what was given back."""
    one, other = await pair(make)
    name, limit = new_name(), Limit(4.0, 1.0)
    full = await book(one, name, limit, 4.0)
    booking = await book(one, name, limit, 3.0)
    await give_back(one, booking)
    assert near(((await book(other, name, limit, 1.0)).due - full.due) / 1e6, 1.0), "the slot did not come back"
    await close(one, other)


async def a_slot_given_back_late_has_decayed(make: Make) -> None:
    """Only points that cannot have decayed yet come back, because the calls of others must stay counted."""
    one, other = await pair(make)
    name, limit = new_name(), Limit(100.0, 100.0)
    booking = await book(one, name, limit, 1.0)
    await anyio.sleep(0.02)  # long enough for all of it
    still = Limit(100.0, 0.001)
    before = (await adjust(other, name, still, floor=50.0)).level
    await give_back(one, booking)
    level = (await peek(other, name, still)).level
    # What decays between the two looks does so at the booking's own pace: leave it some milliseconds.
    assert level > before - 0.9, f"a slot that had decayed was given back: {before} fell to {level}"
    await close(one, other)


async def a_refusal_puts_all_booked_callers_off(make: Make) -> None:
    """A block set by one client applies to all, booked or not."""
    one, other = await pair(make)
    name = new_name()
    await book(one, name, FAST, 4.0)
    booking = await book(one, name, FAST, 1.0)
    assert await send(one, booking) == 0, "nobody was refused so far"
    standing = await adjust(other, name, FAST, floor=4.0, block=5.0)
    assert near(standing.blocked_for, 5.0, LATE), "the block is not reported"
    assert near(await send(one, booking), 5.0, LATE), "a booked caller sends though all are blocked"
    assert near((await book(one, name, FAST, 1.0)).wait, 5.0, LATE), "a newcomer is not blocked"
    await close(one, other)


async def what_no_slot_foresaw_voids_those_booked_before(make: Make) -> None:
    """After a block, a refusal or a call that does not wait for room, slots booked before must be booked again."""
    one, other = await pair(make)
    events = (
        lambda name: adjust(other, name, SLOW, delta=3.0, overdraws=True),
        lambda name: adjust(other, name, SLOW, block=0.001),
        lambda name: other.ask(Refuse(name, SLOW, 5.0, 0.0, 0.0)),
    )
    for event in events:
        name = new_name()
        before = await book(one, name, SLOW, 1.0)
        await adjust(other, name, SLOW, delta=1.0)
        assert await send(one, before) == 0, "a mere correction voids a slot"
        await event(name)
        await anyio.sleep(0.01)
        assert await send(one, before) > 0, "a slot may be used though what it relied on is used up"
        await anyio.sleep(0.01)
        after = await book(one, name, SLOW, 1.0)
        blocked = (await peek(one, name, SLOW)).blocked_for
        assert near(await send(one, after), blocked, LATE), "a slot that was booked afterwards is void as well"
    await close(one, other)


async def a_void_slot_comes_back_unless_the_level_was_set_without_it(make: Make) -> None:
    """A slot voided by an overdraw is given back in full; after a refusal the level is Kraken's, and stays."""
    one, other = await pair(make)
    name, still = new_name(), Limit(4.0, 0.001)
    slot = await book(one, name, still, 3.0)
    _standing, same = await other.ask(
        Adjust(name, still, 3.0, overdraws=True), Book(name, still, 1.0)
    )  # booked after it, if in one breath
    assert await send(other, same) == 0, "a slot that was booked after an overdraw is void"
    await anyio.sleep(0.01)
    assert await send(one, slot) > 0, "the slot is not void"
    await give_back(one, slot)
    assert near((await peek(one, name, still)).level, 4.0, 0.1), "its points did not come back"
    slot = await book(one, name, still, 3.0)
    await anyio.sleep(0.01)
    await other.ask(Refuse(name, still, 9.0, 0.0, 0.0))
    await give_back(one, slot)
    assert (await peek(one, name, still)).level > 8.9, "the level fell below what Kraken's must be"
    await close(one, other)


async def a_block_is_never_made_shorter(make: Make) -> None:
    """A second, shorter block changes nothing."""
    one, other = await pair(make)
    name = new_name()
    await adjust(one, name, FAST, block=5.0)
    await adjust(other, name, FAST, block=1.0)
    assert (await peek(one, name, FAST)).blocked_for > 4.0, "the block was made shorter"
    await close(one, other)


async def a_level_is_corrected(make: Make) -> None:
    """Points are added and removed, a floor raises the level; the level never falls below 0."""
    one, other = await pair(make)
    name = new_name()
    assert near((await adjust(one, name, SLOW, delta=2.0)).level, 2.0), "2 points were added"
    assert near((await adjust(other, name, SLOW, floor=3.5)).level, 3.5), "the floor lifts"
    assert near((await adjust(one, name, SLOW, floor=1.0)).level, 3.5), "the floor pulls down"
    assert (await adjust(other, name, SLOW, delta=-9.0)).level == 0, "a level below 0"
    await close(one, other)


async def looking_changes_nothing(make: Make) -> None:
    """Looking at a counter leaves it as it is, and a counter never seen is empty."""
    one, other = await pair(make)
    name = new_name()
    assert (await peek(one, name, SLOW)) == Standing(0.0, 0.0), "a counter never seen is empty"
    await book(other, name, SLOW, 1.0, initial=2.0)
    assert near((await peek(one, name, SLOW)).level, 3.0), "looking made the counter"
    await close(one, other)


async def many_at_once_never_pass_the_cap(make: Make) -> None:
    """Slots booked by many tasks of two clients, replayed at the store's own moments, stay below the cap."""
    one, other = await pair(make)
    name, slots = new_name(), list[Booking]()

    async def ask(store: Store, cost: float) -> None:
        slots.extend([await book(store, name, FAST, cost) for _ in range(10)])

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(ask, (one, other)[number % 2], 1.0 + number % 3)
    highest = peak([(slot.due, slot.cost) for slot in slots], FAST.decay)
    assert highest <= FAST.cap + 0.01, f"the counter would stand at {highest}"
    spread = (max(slot.due for slot in slots) - min(slot.due for slot in slots)) / 1e6
    booked = sum(slot.cost for slot in slots)
    assert booked >= 0.9 * FAST.decay * spread, "slots are further apart than they need to be"
    await close(one, other)


async def a_refusal_slows_all_down(make: Make) -> None:
    """The pause doubles, pace and margin follow the rule of caution; refusals under way together are one episode."""
    one, other = await pair(make)
    name, limit = new_name(), Limit(16.0, 100.0)
    refuse = Refuse(name, limit, 21.0, 0.0, 12.0)
    (found,) = await one.ask(refuse)
    assert near(found.blocked_for, 5.0, 0.001), "the first pause is 5 s"
    assert near(found.pace, 0.8, 0.001), "the pace falls to 0.8"
    (found,) = await other.ask(refuse._replace(ago=10.0))
    assert found.blocked_for <= 5.0, "a refusal of the same episode counted again"
    (found,) = await other.ask(refuse)
    assert near(found.blocked_for, 10.0, 0.001), "the second pause is 10 s"
    assert near(found.pace, 0.64, 0.001), "the pace falls to 0.8 of 0.8"
    assert near(found.margin, 3.0, 0.001), "3 points stay free"
    assert near((await peek(one, name, limit)).pace, 0.64, 0.001), "the other client goes on faster"
    await close(one, other)


COUNTERS: Final[tuple[Check, ...]] = (
    a_slot_within_the_cap_is_due_at_once,
    beyond_the_cap_the_wait_is_what_has_to_decay,
    a_wait_that_is_too_long_books_nothing,
    a_counter_never_seen_begins_where_it_is_told,
    a_slot_given_back_before_it_is_due_comes_back_whole,
    a_slot_given_back_late_has_decayed,
    a_refusal_puts_all_booked_callers_off,
    what_no_slot_foresaw_voids_those_booked_before,
    a_void_slot_comes_back_unless_the_level_was_set_without_it,
    a_block_is_never_made_shorter,
    a_level_is_corrected,
    looking_changes_nothing,
    many_at_once_never_pass_the_cap,
    a_refusal_slows_all_down,
)
"""The checks of this module."""

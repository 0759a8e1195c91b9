"""What every store of shared counters, nonces and lanes has to do, as checks to run over one's own store.

    @pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
    def test_my_store(check, tmp_path):
        anyio.run(check, lambda: MyStore(tmp_path / "state"))

Each check makes two clients of one state, as two processes would, and uses names of its own, so that one server serves
them all. They take real time, but only milliseconds of it.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import anyio

from krakenasync.state.port import Book, Booking, Enter, Leave, Limit, Refuse, Standing, Store

__all__ = ["CHECKS", "Check", "Make", "peak"]

Make: TypeAlias = Callable[[], Store]
Check: TypeAlias = Callable[[Make], Awaitable[None]]

SLOW: Final = Limit(4.0, 0.001)
"""Decays so slowly that nothing drains away during a check."""
FAST: Final = Limit(4.0, 1000.0)
_LATE: Final = 2.0
"""Seconds that a busy machine may take for a few questions."""


_PATIENCE: Final = 10.0
"""Seconds after which a check has failed: a lane that nobody gets would keep it for ever."""


def _bounded(check: Check) -> Check:
    @functools.wraps(check)
    async def run(make: Make) -> None:
        with anyio.fail_after(_PATIENCE):
            await check(make)

    return run


def _name() -> str:
    return f"check {uuid.uuid4()}"


def _near(found: float, wanted: float, within: float = 0.01) -> bool:
    return abs(found - wanted) <= within


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
    one, other = await _pair(make)
    name = _name()
    booking = await one.book(name, SLOW, 3.0)
    assert booking.made, "nothing was booked though it fits"
    assert booking.wait == 0, "the wait is 0 while there is room"
    assert _near((await other.peek(name, SLOW)).level, 3.0), "the other client sees another level"
    await _close(one, other)


async def beyond_the_cap_the_wait_is_what_has_to_decay(make: Make) -> None:
    """The wait is the missing points over the decay, and the next one waits behind."""
    one, other = await _pair(make)
    name, limit = _name(), Limit(4.0, 2.0)
    full = await one.book(name, limit, 4.0)
    second, third = await other.book(name, limit, 2.0), await one.book(name, limit, 1.0)
    # Moments of the store's own clock: however long the questions took.
    assert _near((second.due - full.due) / 1e6, 1.0), "2 points at 2 a second take 1 s"
    assert _near((third.due - full.due) / 1e6, 1.5), "whoever asks later waits behind"
    await _close(one, other)


async def a_wait_that_is_too_long_books_nothing(make: Make) -> None:
    """The caller learns the wait; the counter stays as it was."""
    one, other = await _pair(make)
    name = _name()
    await one.book(name, SLOW, 4.0)
    booking = await other.book(name, SLOW, 1.0, longest=5.0)
    assert not booking.made, "a slot was booked that is due too late"
    assert booking.wait > 5.0, "the wait is told all the same"
    assert _near((await one.peek(name, SLOW)).level, 4.0), "a slot that was not booked was charged"
    await _close(one, other)


async def headroom_is_left_to_others(make: Make) -> None:
    """A caller with headroom waits where one without does not."""
    one, other = await _pair(make)
    name = _name()
    await one.book(name, SLOW, 2.0)
    assert not (await one.book(name, SLOW, 1.0, headroom=2.0, longest=1.0)).made, "it took what is left to others"
    assert (await other.book(name, SLOW, 1.0)).wait == 0, "the headroom was not left"
    await _close(one, other)


async def a_counter_never_seen_begins_where_it_is_told(make: Make) -> None:
    """The initial level counts once, on the first booking."""
    one, other = await _pair(make)
    name = _name()
    await one.book(name, SLOW, 1.0, initial=2.0)
    await other.book(name, SLOW, 1.0, initial=2.0)
    assert _near((await one.peek(name, SLOW)).level, 4.0), "initial 2, then twice 1"
    await _close(one, other)


async def a_slot_given_back_before_it_is_due_comes_back_whole(make: Make) -> None:
    """The next caller gets what was given back."""
    one, other = await _pair(make)
    name, limit = _name(), Limit(4.0, 1.0)
    full = await one.book(name, limit, 4.0)
    booking = await one.book(name, limit, 3.0)
    await one.give_back(booking)
    assert _near(((await other.book(name, limit, 1.0)).due - full.due) / 1e6, 1.0), "the slot did not come back"
    await _close(one, other)


async def a_slot_given_back_late_has_decayed(make: Make) -> None:
    """Only what cannot have drained away comes back, for the calls of others must stay counted."""
    one, other = await _pair(make)
    name, limit = _name(), Limit(100.0, 100.0)
    booking = await one.book(name, limit, 1.0)
    await anyio.sleep(0.02)  # long enough for all of it
    still = Limit(100.0, 0.001)
    before = (await other.adjust(name, still, floor=50.0)).level
    await one.give_back(booking)
    level = (await other.peek(name, still)).level
    # What decays between the two looks does so at the booking's own pace: leave it some milliseconds.
    assert level > before - 0.9, f"a slot that had decayed was given back: {before} fell to {level}"
    await _close(one, other)


async def a_refusal_puts_all_booked_callers_off(make: Make) -> None:
    """Whoever is blocked by one client is blocked for all, booked or not."""
    one, other = await _pair(make)
    name = _name()
    await one.book(name, FAST, 4.0)
    booking = await one.book(name, FAST, 1.0)
    assert await one.send(booking) == 0, "nobody was refused so far"
    standing = await other.adjust(name, FAST, floor=4.0, block=5.0)
    assert _near(standing.blocked_for, 5.0, _LATE), "the block is told"
    assert _near(await one.send(booking), 5.0, _LATE), "a booked caller sends though all are blocked"
    assert _near((await one.book(name, FAST, 1.0)).wait, 5.0, _LATE), "a newcomer is not blocked"
    await _close(one, other)


async def a_block_is_never_made_shorter(make: Make) -> None:
    """A second, shorter block changes nothing."""
    one, other = await _pair(make)
    name = _name()
    await one.adjust(name, FAST, block=5.0)
    await other.adjust(name, FAST, block=1.0)
    assert (await one.peek(name, FAST)).blocked_for > 4.0, "the block was made shorter"
    await _close(one, other)


async def a_level_is_corrected(make: Make) -> None:
    """Points are added and taken off, a floor lifts; the level never falls below 0."""
    one, other = await _pair(make)
    name = _name()
    assert _near((await one.adjust(name, SLOW, delta=2.0)).level, 2.0), "2 points were added"
    assert _near((await other.adjust(name, SLOW, floor=3.5)).level, 3.5), "the floor lifts"
    assert _near((await one.adjust(name, SLOW, floor=1.0)).level, 3.5), "the floor pulls down"
    assert (await other.adjust(name, SLOW, delta=-9.0)).level == 0, "a level below 0"
    await _close(one, other)


async def looking_changes_nothing(make: Make) -> None:
    """A counter that is looked at stays, and one never seen is empty."""
    one, other = await _pair(make)
    name = _name()
    assert (await one.peek(name, SLOW)) == Standing(0.0, 0.0), "a counter never seen is empty"
    await other.book(name, SLOW, 1.0, initial=2.0)
    assert _near((await one.peek(name, SLOW)).level, 3.0), "looking made the counter"
    await _close(one, other)


async def many_at_once_never_pass_the_cap(make: Make) -> None:
    """Slots booked by many tasks of two clients, replayed at the store's own moments, stay below the cap."""
    one, other = await _pair(make)
    name, slots = _name(), list[Booking]()

    async def ask(store: Store, cost: float) -> None:
        slots.extend([await store.book(name, FAST, cost) for _ in range(10)])

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(ask, (one, other)[number % 2], 1.0 + number % 3)
    highest = peak([(slot.due, slot.cost) for slot in slots], FAST.decay)
    assert highest <= FAST.cap + 0.01, f"the counter would stand at {highest}"
    spread = (max(slot.due for slot in slots) - min(slot.due for slot in slots)) / 1e6
    booked = sum(slot.cost for slot in slots)
    assert booked >= 0.9 * FAST.decay * spread, "slots lie further apart than they need to"
    await _close(one, other)


async def nonces_rise_for_all(make: Make) -> None:
    """No nonce is handed out twice or below an earlier one, whoever asks and in which unit."""
    one, other = await _pair(make)
    for unit in ("ms", "us", "ns"):
        name = _name()
        nonces = [await store.nonce(name, unit) for _ in range(5) for store in (one, other)]
        assert nonces == sorted(set(nonces)), f"nonces in {unit} do not rise: {nonces}"
        floor = nonces[-1] + 10**6
        assert await one.nonce(name, unit, floor) > floor, "the nonce is not above the floor"
        assert await other.nonce(name, unit) > floor, "the other client fell behind the floor"
    await _close(one, other)


async def a_lane_holds_one_at_a_time_in_order(make: Make) -> None:
    """Callers of both clients pass one by one, first come, first served, their nonces rising."""
    one, other = await _pair(make)
    name = _name()
    wishes = [Enter(name, f"caller-{number}", 5.0, "ms") for number in range(6)]
    nonces = []
    for number, wish in enumerate(wishes):
        (entry,) = await (one, other)[number % 2].ask(wish)
        nonces.append(entry.nonce)
    assert nonces[0] > 0, "a free lane was not given"
    assert not any(nonces[1:]), "two are in the lane at once"
    for number, wish in enumerate(wishes[1:], 1):
        last = wishes[-1] if number + 1 < len(wishes) else wish
        await one.leave(name, wishes[number - 1].who)
        if last is not wish:
            assert (await other.ask(last))[0].nonce == 0, "the order is not kept"
        (entry,) = await (one, other)[number % 2].ask(wish)
        assert entry.nonce > nonces[0], "the next in line was not let in, or its nonce does not rise"
        nonces[0] = entry.nonce
    await _close(one, other)


async def a_window_opens_the_lane_for_all(make: Make) -> None:
    """Within the key's nonce window callers of both clients are under way side by side; one without waits."""
    one, other = await _pair(make)
    name, wide = _name(), 3_600_000
    (first,) = await one.ask(Enter(name, "first", 5.0, "ms", 0, wide))
    (second,) = await other.ask(Enter(name, "second", 5.0, "ms", 0, wide))
    assert second.nonce > first.nonce > 0, "the window did not open the lane, or nonces do not rise"
    (far,) = await one.ask(Enter(name, "far", 5.0, "ms", first.nonce + wide, wide))
    assert far.nonce == 0, "a nonce outside of the window was given"
    await one.leave(name, "far")
    assert (await other.ask(Enter(name, "strict", 5.0, "ms")))[0].nonce == 0, "one without window joined others"
    await _close(one, other)


async def steps_asked_together_are_one(make: Make) -> None:
    """Leaving, booking and entering go in one question; who is not due does not enter, nor stand in line."""
    one, other = await _pair(make)
    name, key = _name(), _name()
    wish = Enter(key, "me", 5.0, "ms", if_due=True)
    _left, booking, entry = await one.ask(Leave(key, "nobody"), Book(name, SLOW, 4.0), wish)
    assert booking.wait == 0, "the slot is due"
    assert entry.nonce > 0, "the slot is due, so the lane is entered"
    booking, entry = await other.ask(Book(name, SLOW, 1.0), wish._replace(who="you"))
    assert booking.wait > 0, "the counter is full"
    assert entry.nonce == 0, "the lane was entered though the slot is not due"
    assert entry.wait < 0, "who is not due stands in line"
    _left, entry = await other.ask(Leave(key, "me"), Enter(key, "third", 5.0, "ms"))
    assert entry.nonce > 0, "somebody stands in line who should not"
    await _close(one, other)


async def a_refusal_slows_all_down(make: Make) -> None:
    """The pause doubles, pace and margin follow the rule of caution; refusals under way together are one episode."""
    one, other = await _pair(make)
    name, limit = _name(), Limit(16.0, 100.0)
    refuse = Refuse(name, limit, 21.0, 0.0, 12.0)
    (found,) = await one.ask(refuse)
    assert _near(found.blocked_for, 5.0, 0.001), "the first pause is 5 s"
    assert _near(found.pace, 0.8, 0.001), "the pace falls to 0.8"
    (found,) = await other.ask(refuse._replace(ago=10.0))
    assert found.blocked_for <= 5.0, "a refusal of the same episode counted again"
    (found,) = await other.ask(refuse)
    assert _near(found.blocked_for, 10.0, 0.001), "the second pause is 10 s"
    assert _near(found.pace, 0.64, 0.001), "the pace falls to 0.8 of 0.8"
    assert _near(found.margin, 3.0, 0.001), "3 points stay free"
    assert _near((await one.peek(name, limit)).pace, 0.64, 0.001), "the other client goes on faster"
    await _close(one, other)


async def who_gives_up_is_out_of_line(make: Make) -> None:
    """A cancelled caller does not hold up those behind."""
    one, other = await _pair(make)
    name = _name()
    await one.enter(name, "holder", lease=5.0, unit="ms")
    with anyio.move_on_after(0.01):
        await other.enter(name, "impatient", lease=5.0, unit="ms")
    await one.leave(name, "holder")
    with anyio.fail_after(0.5):
        await one.enter(name, "next", lease=5.0, unit="ms")
    await one.leave(name, "next")
    await _close(one, other)


async def who_is_killed_in_the_lane_loses_it(make: Make) -> None:
    """After its lease the next in line gets the lane, and the dead one's leaving changes nothing any more."""
    one, other = await _pair(make)
    name = _name()
    nonce = await one.enter(name, "killed", lease=0.05, unit="ms")
    with anyio.fail_after(1.0):
        assert await other.enter(name, "heir", lease=5.0, unit="ms") > nonce, "the nonce does not rise"
    await one.leave(name, "killed")
    with anyio.move_on_after(0.03) as waiting:
        await one.enter(name, "third", lease=5.0, unit="ms")
    assert waiting.cancelled_caught, "the dead one's leaving took the lane from its heir"
    await other.leave(name, "heir")
    await _close(one, other)


async def names_do_not_disturb_each_other(make: Make) -> None:
    """Counters and lanes of other names stand alone."""
    one, other = await _pair(make)
    full, name = _name(), _name()
    await one.book(full, SLOW, 4.0)
    await one.enter(full, "holder", lease=5.0, unit="ms")
    assert (await other.book(name, SLOW, 4.0)).wait == 0, "another counter is charged"
    with anyio.fail_after(0.5):
        await other.enter(name, "me", lease=5.0, unit="ms")
    await _close(one, other)


async def _pair(make: Make) -> tuple[Store, Store]:
    """Two clients of one state."""
    stores = make(), make()
    for store in stores:
        await store.start()
    return stores


async def _close(*stores: Store) -> None:
    for store in stores:
        await store.aclose()


CHECKS: Final[tuple[Check, ...]] = tuple(
    _bounded(check)
    for check in (
        a_slot_within_the_cap_is_due_at_once,
        beyond_the_cap_the_wait_is_what_has_to_decay,
        a_wait_that_is_too_long_books_nothing,
        headroom_is_left_to_others,
        a_counter_never_seen_begins_where_it_is_told,
        a_slot_given_back_before_it_is_due_comes_back_whole,
        a_slot_given_back_late_has_decayed,
        a_refusal_puts_all_booked_callers_off,
        a_block_is_never_made_shorter,
        a_level_is_corrected,
        looking_changes_nothing,
        many_at_once_never_pass_the_cap,
        nonces_rise_for_all,
        a_lane_holds_one_at_a_time_in_order,
        a_window_opens_the_lane_for_all,
        steps_asked_together_are_one,
        a_refusal_slows_all_down,
        who_gives_up_is_out_of_line,
        who_is_killed_in_the_lane_loses_it,
        names_do_not_disturb_each_other,
    )
)
"""All checks; each is a coroutine function that takes a function which makes a client of the state."""

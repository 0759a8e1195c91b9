"""One question at a time to a store, for the checks and tests: each asks a single step and returns its answer."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import anyio

from krakenasync.errors import StateUnavailable
from krakenasync.state.port import (
    Adjust,
    Book,
    Booking,
    Enter,
    GiveBack,
    Leave,
    Limit,
    Nonce,
    Peek,
    Send,
    Standing,
    Store,
)

__all__ = ["adjust", "book", "enter", "give_back", "leave", "new_nonce", "peek", "send"]

_SHORTEST_NAP: Final = 0.001


async def book(
    store: Store, name: str, limit: Limit, cost: float, *, longest: float = 1e9, initial: float = 0.0
) -> Booking:
    """Ask one `Book`."""
    booking: Booking
    (booking,) = await store.ask(Book(name, limit, cost, longest, initial))
    return booking


async def send(store: Store, booking: Booking) -> float:
    """Ask one `Send`."""
    wait: float
    (wait,) = await store.ask(Send(booking.name, booking.limit, booking.booked))
    return wait


async def give_back(store: Store, booking: Booking) -> None:
    """Ask one `GiveBack`, if anything was booked."""
    if booking.made:
        await store.ask(GiveBack(booking.name, booking.limit, booking.cost, booking.due, booking.booked))


async def adjust(
    store: Store,
    name: str,
    limit: Limit,
    *,
    delta: float = 0.0,
    floor: float = 0.0,
    block: float = 0.0,
    overdraws: bool = False,
) -> Standing:
    """Ask one `Adjust`."""
    standing: Standing
    (standing,) = await store.ask(Adjust(name, limit, delta, floor, block, overdraws))
    return standing


async def peek(store: Store, name: str, limit: Limit) -> Standing:
    """Ask one `Peek`."""
    standing: Standing
    (standing,) = await store.ask(Peek(name, limit))
    return standing


async def new_nonce(store: Store, name: str, unit: str, floor: int = 0) -> int:
    """Ask one `Nonce`."""
    nonce: int
    (nonce,) = await store.ask(Nonce(name, unit, floor))
    return nonce


async def enter(store: Store, name: str, who: str, *, lease: float, unit: str, floor: int = 0, window: int = 0) -> int:
    """Wait for a place in the lane and return the nonce to send; a cancelled caller leaves the line."""
    step = Enter(name, who, lease, unit, floor, window)
    try:
        while True:
            (entry,) = await store.ask(step)
            if entry.nonce:
                nonce: int = entry.nonce
                return nonce
            await store.called(name, who, max(entry.wait, _SHORTEST_NAP))
    except BaseException:
        with anyio.CancelScope(shield=True), suppress(StateUnavailable):
            await leave(store, name, who)
        raise


async def leave(store: Store, name: str, who: str) -> None:
    """Ask one `Leave`."""
    await store.ask(Leave(name, who))

"""What happens while a shared store is away, for those who would rather go on with a share of the limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from krakenasync.clock import Clock
from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Booking, Limit, Standing, Store

__all__ = ["FallbackStore"]

A = TypeVar("A")

_HERE: Final = "here: "
"""Marks what was booked in this process: it must not be given back to the store."""
_AGAIN: Final = 1.0
"""Seconds after which a store that was away is asked again."""


class FallbackStore:
    """Asks a store; while it is away, counts in this process by a share of each limit.

    All clients of a key together stay within its limits if their shares add up to at most 1. Nonces then come from
    this process's calendar, and calls of several processes may overtake each other: some may be refused for their
    nonce and repeated.

    Args:
        store: The shared store.
        clock: Where time comes from.
        share: This process's part of every limit meanwhile.
    """

    def __init__(self, store: Store, clock: Clock, share: float) -> None:
        if not 0 < share <= 1:
            raise ConfigurationError(f"share={share}", hint="this process's part of the limits: above 0, at most 1")
        self.store = store
        self._clock = clock
        self._share = share
        self._local = InProcessStore(clock)
        self._away_until = float("-inf")
        self._entered: dict[str, Store] = {}

    @property
    def away(self) -> bool:
        """Whether the store did not answer when it was last asked."""
        return self._clock.monotonic() < self._away_until

    async def _either(self, ask: Callable[[Store], Awaitable[A]], instead: Callable[[], Awaitable[A]]) -> A:
        if not self.away:
            try:
                return await ask(self.store)
            except StateUnavailable:
                self._away_until = self._clock.monotonic() + _AGAIN
        return await instead()

    def _part(self, limit: Limit, cost: float = 0.0) -> Limit:
        """This process's share; the dearest call must still fit."""
        return Limit(max(limit.cap * self._share, cost), limit.decay * self._share)

    async def start(self) -> None:
        """Start the store; one that does not answer now may do so later."""
        await self._either(lambda store: store.start(), self._local.start)

    async def book(self, name: str, limit: Limit, cost: float, *, longest: float = 1e9, **how: Any) -> Booking:
        """Charge `cost` points and say when the call may be sent."""
        part = self._part(limit, cost)
        return await self._either(
            lambda store: store.book(name, limit, cost, longest=longest, **how),
            # What others did meanwhile is not known: no burst.
            lambda: self._local.book(_HERE + name, part, cost, longest=longest, initial=part.cap),
        )

    async def send(self, booking: Booking) -> float:
        """Ask at the due time whether to send now; where it was booked, or here if that is away."""
        if booking.name.startswith(_HERE):
            return await self._local.send(booking)
        here = booking._replace(name=_HERE + booking.name)
        return await self._either(lambda store: store.send(booking), lambda: self._local.send(here))

    async def give_back(self, booking: Booking) -> None:
        """Give a slot back where it was booked; if that is away, it is lost."""
        if booking.name.startswith(_HERE):
            return await self._local.give_back(booking)

        async def never() -> None:
            return None

        return await self._either(lambda store: store.give_back(booking), never)

    async def adjust(self, name: str, limit: Limit, **how: float) -> Standing:
        """Correct a counter by what Kraken's answers tell."""
        return await self._either(
            lambda store: store.adjust(name, limit, **how),
            lambda: self._local.adjust(_HERE + name, self._part(limit), **how),
        )

    async def peek(self, name: str, limit: Limit) -> Standing:
        """Look at a counter, without changing it."""
        return await self._either(
            lambda store: store.peek(name, limit), lambda: self._local.peek(_HERE + name, self._part(limit))
        )

    async def nonce(self, name: str, unit: str, floor: int = 0) -> int:
        """Return a nonce above `floor`."""
        return await self._either(
            lambda store: store.nonce(name, unit, floor), lambda: self._local.nonce(name, unit, floor)
        )

    async def enter(self, name: str, who: str, *, lease: float, unit: str, floor: int = 0) -> int:
        """Wait for the lane of a key and return the nonce to send."""

        async def enter(store: Store) -> int:
            nonce = await store.enter(name, who, lease=lease, unit=unit, floor=floor)
            self._entered[who] = store
            return nonce

        return await self._either(enter, lambda: enter(self._local))

    async def leave(self, name: str, who: str) -> None:
        """Leave the lane where it was entered."""
        where = self._entered.pop(who, self.store)
        try:
            await where.leave(name, who)
        except StateUnavailable:
            self._away_until = self._clock.monotonic() + _AGAIN

    async def aclose(self) -> None:
        """Close the store."""
        await self.store.aclose()

    def __repr__(self) -> str:
        return f"<FallbackStore {self.store!r}{' is away' if self.away else ''}>"

"""Kraken's clock, read when needed."""

from __future__ import annotations

import copy
import logging
from typing import Final

import anyio

from krakenasync.client.lookup import Sender
from krakenasync.client.loops import PerLoop
from krakenasync.client.queueing import Lane
from krakenasync.clock import Clock
from krakenasync.errors import KrakenError, RateLimitTimeout
from krakenasync.protocol.servertime import SECOND, ServerTime
from krakenasync.spot.market import Time

__all__ = ["ServerClock"]

LOG: Final = logging.getLogger("krakenasync")
_READINGS: Final = 3
"""The most readings at one time, when answers are slow."""


class ServerClock:
    """Kraken's clock, shared by all orders of a client: however many are placed at once, it is read once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reading: ServerTime | None = None
        self._failed: tuple[tuple[float, int], KrakenError] | None = None
        """The last failure, and the patience of the one who had it."""
        self._locks: PerLoop[anyio.Lock] = PerLoop()

    def at_least(self) -> int:
        """Return the least that Kraken's clock can show, in nanoseconds since the unix epoch."""
        return self._known().at_least(self._steady())

    def likely(self) -> int:
        """Return what Kraken's clock most likely shows, in nanoseconds since the unix epoch."""
        return self._known().likely(self._steady())

    def bounds(self) -> tuple[int, int] | None:
        """Return the bounds of Kraken's clock, in nanoseconds since the unix epoch; None without a fresh reading."""
        if self._reading is None or self._stale(self._reading):
            return None
        return self._reading.at_least(self._steady()), self._reading.at_most(self._steady())

    def calendar(self) -> tuple[int, int]:
        """Return the same bounds by this machine's calendar, which may be wrong by minutes or hours."""
        wall = self._clock.wall_ns()
        return wall, wall

    async def sleep_until(self, moment: int) -> None:
        """Sleep until Kraken's clock has certainly passed `moment`."""
        while (left := moment - self.at_least()) > 0:  # noqa: ASYNC110 - a sleep may end early, time is not an event
            await anyio.sleep(left / SECOND)

    async def refresh(self, sender: Sender, *, anew: bool = False) -> None:
        """Read Kraken's clock if the last reading is no longer good enough.

        An old reading is kept if no new one can be had: its lower bound is still true.

        Raises:
            KrakenError: The clock was never read, and cannot be read now.
        """
        seen, failed = self._reading, self._failed
        async with self._locks.get((id(self), "server clock"), anyio.Lock):
            reading = self._reading
            if reading is not None and (reading is not seen or not (anew or self._stale(reading))):
                return  # it is good enough, or another caller has read it meanwhile
            if self._failed is not failed and (failure := self._failure_for(sender)) is not None:
                if reading is None:
                    raise failure
                return
            try:
                self._reading = await self._read(sender)
            except KrakenError as error:
                if not isinstance(error, RateLimitTimeout):  # that concerns only this caller's deadline
                    self._failed = sender.patience, copy.copy(error)  # a copy has no frames to keep alive
                if reading is None:
                    raise
                LOG.info("reading Kraken's clock failed, the last reading serves on: %s", error)

    def _failure_for(self, sender: Sender) -> KrakenError | None:
        """Return the last failure for a caller who waited for it; None if it would have been more patient."""
        if self._failed is None:
            return None
        (seconds, attempts), error = self._failed
        longest, most = sender.patience
        return copy.copy(error) if seconds >= longest and attempts >= most else None

    async def _read(self, sender: Sender) -> ServerTime:
        # Whatever the caller's lane, orders may come to wait for the answer; and an old one is about another moment.
        first = sender.with_options(lane=Lane.URGENT, max_age=None)
        reading = await self._read_once(first)
        for _ in range(_READINGS - 1):
            if not reading.vague:
                break
            reading = reading.narrowed(await self._read_once(first))
        return reading

    async def _read_once(self, sender: Sender) -> ServerTime:
        sent = self._steady()
        seconds = (await sender.send(Time())).result.unixtime
        return ServerTime.read(seconds, sent=sent, received=self._steady(), wall=self._clock.wall_ns())

    def _stale(self, reading: ServerTime) -> bool:
        return reading.stale(self._steady(), self._clock.wall_ns())

    def _known(self) -> ServerTime:
        assert self._reading is not None, "read it first"  # noqa: S101 - callers have called `refresh`
        return self._reading

    def _steady(self) -> int:
        return round(self._clock.monotonic() * SECOND)

"""Answers that can be reused: a read that is on its way, or whose answer is recent enough, is not sent twice."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final

import anyio

from krakenasync.client.loops import running_loop
from krakenasync.client.queueing import Lane
from krakenasync.client.road import Call
from krakenasync.clock import Clock, Instant, age, instant
from krakenasync.errors import KrakenError, RateLimitTimeout
from krakenasync.protocol import wire
from krakenasync.protocol.bodies import form

__all__ = ["Recent"]

_KEEP: Final = 256
"""Answers kept; the one that was requested longest ago goes first."""


class _Entry:
    """One question: on its way, answered, or failed."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.loop = running_loop()
        self.done = anyio.Event()
        self.body: bytes | None = None
        self.at = Instant(0.0, 0)
        self.error: KrakenError | None = None


class Recent:
    """The last answers of one client, by endpoint and parameters."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    async def get(
        self, call: Call, max_age: float, lane: Lane, ask: Callable[[], Awaitable[wire.Answer[Any]]]
    ) -> wire.Answer[Any]:
        """Return an answer not older than `max_age` seconds, asking only if there is none, and none on its way.

        Every caller gets objects of its own, read from the same bytes. No caller waits for a request of lower priority
        than its own: a background poll may be queued for a long time.

        Raises:
            KrakenError: The shared request failed.
        """
        key = (call.spec.path, form(call.params))
        while (entry := self._entries.get(key)) is not None:
            if not entry.done.is_set():
                if entry.loop is not running_loop() or entry.lane > lane:
                    break  # nothing would wake us from there, or not in time
                await entry.done.wait()
                if entry.error is not None:
                    raise copy.copy(entry.error) from entry.error
                if entry.body is not None:
                    return call.read(200, entry.body)
                continue  # the first caller was cancelled or had no time left: ask in its place
            if entry.body is not None and age(self._clock, entry.at) <= max_age:
                return call.read(200, entry.body)
            break
        return await self._lead(key, lane, ask)

    async def _lead(
        self, key: tuple[str, str], lane: Lane, ask: Callable[[], Awaitable[wire.Answer[Any]]]
    ) -> wire.Answer[Any]:
        """Ask, and share the answer with the others."""
        entry = self._entries[key] = _Entry(lane)
        self._entries.move_to_end(key)
        if len(self._entries) > _KEEP:
            self._entries.popitem(last=False)
        try:
            answer = await ask()
            entry.body, entry.at = answer.raw, instant(self._clock)
        except RateLimitTimeout:
            raise  # concerns only that caller's deadline, not the others
        except KrakenError as error:
            entry.error = error
            raise
        else:
            return answer
        finally:
            if entry.body is None and self._entries.get(key) is entry:
                del self._entries[key]
            entry.done.set()

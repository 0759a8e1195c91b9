"""The connections to one origin: kept alive, bounded in number, lent out first come, first served. Needs asyncio.

Everything is decided as soon as it is known; only a place, a connection or an answer is ever awaited.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from krakenasync.client.connections import Connection
from krakenasync.client.exchanges import (
    NEVER,
    Broken,
    ConnectFailed,
    ConnectTimeout,
    Outgoing,
    PoolTimeout,
    Timeouts,
    earliest,
)
from krakenasync.client.frames import at_any_time
from krakenasync.client.http1 import BadResponse, Bounds, Response
from krakenasync.client.origin import Origin
from krakenasync.client.reaching import connected

__all__ = ["Express", "Statistics"]

_GRAIN: Final = 0.005
"""Seconds by which a timeout may come late, so that many of them share one timer."""

_WARY: Final = 60.0
"""Seconds for which the keep-alive stays shortened after a peer has closed a connection instead of answering."""

_SOON: Final = 1.0
"""The shortest keep-alive after a first such end: a peer that shuts down also closes what has just become idle."""

_AT_ONCE: Final = 0.5
"""An error within this many seconds of a request means that the peer had closed the connection before."""

_LETTING_GO: Final = 1.0
"""Seconds to wait for closed connections to be gone."""


class Statistics(NamedTuple):
    """How many places and requests there are at one moment.

    Attributes:
        active: Places that requests hold: each on a connection, or about to open one.
        idle: Connections that are kept for the next request.
        waiting: Requests in line for a place.
    """

    active: int
    idle: int
    waiting: int


class _Waiter:
    """A request that waits for a connection: it gets one, or None for the right to open one."""

    __slots__ = ("deadline", "turn")

    def __init__(self, turn: asyncio.Future[Connection | None], deadline: float) -> None:
        self.turn = turn
        self.deadline = deadline


class Express:
    """Connections to one origin on one event loop.

    The one used last is used next, so that those not needed can expire. Each connection takes a place, and so does each
    attempt to open one; a place that is given back goes to the first in line.

    Args:
        origin: Where the connections lead.
        tls: Returns the TLS context when a connection is opened, if the origin uses TLS.
        connections: How many there may be at once.
        keep_alive: Seconds that an idle one is kept; fewer for a while after the peer has closed one sooner.
        bounds: How large an answer may be.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        connections: int = 100,
        keep_alive: float = 15.0,
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._origin, self._tls = origin, tls
        self._most = connections
        self._keep_alive = self._longest = keep_alive
        self._wary: asyncio.TimerHandle | None = None
        self._learnt = 0.0
        self._bounds = bounds
        self._taken = 0
        self._open: set[Connection] = set()
        self._idle: list[Connection] = []
        self._waiting: deque[_Waiter] = deque()
        self._connecting: set[asyncio.Timeout] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER
        self._closed = False
        self._emptied = asyncio.Event()

    async def exchange(self, request: Outgoing, timeouts: Timeouts) -> Response:
        """Send a request over a connection of its own and return the answer.

        With an idle connection at hand the request is written before anything is awaited.

        Raises:
            ExchangeFailed: No answer came; see its subclasses. `request.left` shows whether a byte was written.
            BadResponse: What was received is not a whole answer.
        """
        now = self._loop.time()
        until = NEVER if timeouts.whole is None else now + timeouts.whole
        rested = self._rested(now)
        connection = rested or await self._next(timeouts, until)
        try:
            answer = connection.begin(request, timeouts, until)
            if connection.deadline < self._timer_at:
                self.watch(connection.deadline)
            return await answer
        except (Broken, BadResponse):
            at_once = self._loop.time() - now < _AT_ONCE
            if rested is not None and rested.silent and at_once and not self._closed:
                self._keep_less(rested, now - rested.idle_since)
            raise
        finally:
            self._return(connection)

    def _rested(self, now: float) -> Connection | None:
        """Take the idle connection that was used last, if it is still good.

        A peer may close the connection right after an answer that did not announce it, and an order written to it would
        then have an unknown outcome. So each one is checked first, which takes less than a microsecond.
        """
        while self._idle:
            connection = self._idle.pop()
            if now - connection.idle_since < self._keep_alive and not connection.stale():
                return connection
            connection.abort()
            self._taken -= 1
        return None

    def _keep_less(self, connection: Connection, rested: float) -> None:
        """Learn how long the peer keeps connections: it has silently closed one after `rested` idle seconds."""
        again = self._wary is not None and connection.opened > self._learnt
        self._keep_alive = min(self._keep_alive, rested / 2 if again else max(rested / 2, _SOON))
        self._learnt = self._loop.time()
        if self._wary is not None:
            self._wary.cancel()
        self._wary = self._loop.call_later(_WARY, self._keep_longest)

    def _keep_longest(self) -> None:
        self._keep_alive, self._wary = self._longest, None

    async def _next(self, timeouts: Timeouts, until: float) -> Connection:
        """Open a connection, or wait for one to come back or a place to become free."""
        if self._closed:
            raise ConnectFailed("this client is closed")
        if self._taken < self._most:
            self._taken += 1
        else:
            connection = await self._queue(timeouts, until)
            if connection is not None and not connection.stale():
                return connection
            if connection is not None:
                connection.abort()
        # From here on we have a place, still without a connection.
        try:
            return await self._connect(timeouts, until)
        except BaseException:
            self._vacate()
            raise

    async def _queue(self, timeouts: Timeouts, until: float) -> Connection | None:
        waiter = _Waiter(self._loop.create_future(), earliest(self._loop.time(), timeouts.pool, until))
        self._waiting.append(waiter)
        self.watch(waiter.deadline)
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled() and waiter.turn.exception() is None:
                self._return(waiter.turn.result())  # our turn came, but too late
            raise

    async def _connect(self, timeouts: Timeouts, until: float) -> Connection:
        options: dict[str, Any] = {}
        host, port = self._origin.host, self._origin.port
        if self._origin.secure:
            options = {"ssl": self._tls(), "server_hostname": host}
        deadline = earliest(self._loop.time(), timeouts.connect, until)
        scope = asyncio.timeout_at(None if deadline == NEVER else deadline)
        try:
            async with scope:
                self._connecting.add(scope)
                connection = await connected(lambda: Connection(self, self._bounds, self._loop), host, port, **options)
        except TimeoutError:
            if self._closed:
                raise ConnectFailed("this client was closed") from None
            raise ConnectTimeout("no connection in time") from None
        except (OSError, UnicodeError) as error:
            raise ConnectFailed(str(error)) from error
        finally:
            self._connecting.discard(scope)
        if self._closed or not connection.usable():
            connection.abort()
            raise ConnectFailed("the connection was closed as soon as it was open")
        self._open.add(connection)
        return connection

    def _return(self, connection: Connection | None) -> None:
        """Give a connection, or a place without one, to the first in line; if no one waits, keep it idle."""
        if connection is None or not connection.ready or self._closed:
            if connection is not None:
                connection.abort()
            self._vacate()
        elif self._waiting and (waiter := self._first()) is not None:
            waiter.turn.set_result(connection)
        else:
            connection.idle_since = now = self._loop.time()
            self._idle.append(connection)
            if now + self._keep_alive < self._timer_at:
                self.watch(now + self._keep_alive)

    def drop_idle(self) -> None:
        """Close the idle connections: an answer did not belong to its request, so the next one might not either."""
        while self._idle:
            self._idle.pop().abort()
            self._taken -= 1

    def _vacate(self) -> None:
        """Give a place without a connection to the first in line."""
        if (waiter := self._first()) is not None:
            waiter.turn.set_result(None)
        else:
            self._taken -= 1

    def _first(self) -> _Waiter | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.turn.done():  # cancelled and late ones are dropped here
                return waiter
        return None

    # What connections call.

    def unusable(self, connection: Connection) -> None:
        """Drop an idle connection that the peer has ended; one that is lent out comes back anyway."""
        if connection in self._idle:
            self._idle.remove(connection)
            self._vacate()

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self._open.discard(connection)
        if self._closed and not self._open:
            self._emptied.set()

    def watch(self, deadline: float) -> None:
        """Check deadlines at that time. One timer serves all: most deadlines pass long after they have been met."""
        if deadline < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            self._timer = self._loop.call_at(deadline, self._look_around)

    def _look_around(self) -> None:
        """End what is late, and set the timer for the next look."""
        self._timer, self._timer_at = None, NEVER
        now, soonest = self._loop.time(), NEVER
        for connection in tuple(self._open):
            if connection.deadline <= now and not connection.spared(now + _GRAIN):
                connection.expire()
            else:
                soonest = min(soonest, connection.deadline)
        self._waiting = deque(waiter for waiter in self._waiting if not waiter.turn.done())
        for waiter in self._waiting:
            if waiter.deadline <= now:
                waiter.turn.set_exception(PoolTimeout("no connection became free in time"))
            else:
                soonest = min(soonest, waiter.deadline)
        while self._idle and self._idle[0].idle_since + self._keep_alive <= now:
            self._idle.pop(0).abort()
            self._vacate()
        if self._idle:
            soonest = min(soonest, self._idle[0].idle_since + self._keep_alive)
        if soonest < NEVER:
            self.watch(max(soonest, now + _GRAIN))

    async def aclose(self) -> None:
        """Close all connections; what is under way ends with an error."""
        self._closed = True
        self._taken -= len(self._idle)
        self._idle.clear()
        for waiter in self._waiting:
            if not waiter.turn.done():
                waiter.turn.set_exception(ConnectFailed("this client was closed"))
        self._waiting.clear()
        for scope in self._connecting:
            if not scope.expired():
                scope.reschedule(self._loop.time())
        for timer in (self._timer, self._wary):
            if timer is not None:
                timer.cancel()
        self._timer = self._wary = None
        for connection in tuple(self._open):
            connection.fail(Broken("this client was closed"))
        if self._open:  # the loop releases a closed socket in one of its next steps
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LETTING_GO):
                    await self._emptied.wait()

    def statistics(self) -> Statistics:
        """How much there is to do just now."""
        idle = len(self._idle)
        return Statistics(self._taken - idle, idle, sum(not waiter.turn.done() for waiter in self._waiting))

    @at_any_time
    def __repr__(self) -> str:
        active, idle, waiting = self.statistics()
        return f"<Express {self._origin.base_url} {active} active, {idle} idle, {waiting} waiting>"

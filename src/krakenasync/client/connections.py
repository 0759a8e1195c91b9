"""One connection to the exchange: bytes out, an answer in, one at a time. Needs asyncio, knows nothing of httpx.

`krakenasync.client.express` keeps connections, `krakenasync.client.http1` reads what comes over them.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import Final, Protocol, cast

from krakenasync.client.exchanges import (
    NEVER,
    Broken,
    ConnectFailed,
    Outgoing,
    ReadTimeout,
    Timeouts,
    WriteTimeout,
    earliest,
)
from krakenasync.client.http1 import BadResponse, Bounds, Reader, Response, plain

__all__ = ["Connection", "Keeper"]

_READ_SIZE: Final = 64 * 1024


class Keeper(Protocol):
    """Who keeps connections, as they see it."""

    def unusable(self, connection: Connection) -> None:
        """Never lend it again."""

    def closed(self, connection: Connection) -> None:
        """Forget it."""

    def watch(self, deadline: float) -> None:
        """Call `expire` on what is late at that time."""


class Connection(asyncio.BufferedProtocol):
    """One connection, which carries one request at a time.

    It is borrowed for an exchange and may be borrowed again only if `ready` says so afterwards: one that was cancelled,
    timed out, answered too much or too soon is closed instead.

    Attributes:
        deadline: When the running exchange is late, in the loop's time.
        opened: When it was made.
        idle_since: When it became idle.
    """

    __slots__ = (
        "_answer",
        "_buffer",
        "_fresh",
        "_keeper",
        "_loop",
        "_most",
        "_poll",
        "_read_within",
        "_reader",
        "_spared",
        "_transport",
        "_until",
        "_writing",
        "deadline",
        "idle_since",
        "opened",
        "ready",
    )

    def __init__(self, keeper: Keeper, bounds: Bounds, loop: asyncio.AbstractEventLoop) -> None:
        self._keeper = keeper
        self._loop = loop
        self._reader = Reader(bounds)
        self._most = bounds.body
        self._buffer = memoryview(bytearray(_READ_SIZE))
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._poll: Callable[[int], object] | None = None
        self._fresh = True
        self._writing = self._spared = False
        self._read_within: float | None = None
        self._until = self.deadline = NEVER
        self.opened = self.idle_since = loop.time()
        self.ready = False

    def begin(self, request: Outgoing, timeouts: Timeouts, until: float) -> asyncio.Future[Response]:
        """Write a request, on a connection just found `usable`, and return what its answer comes in.

        The `deadline` is the caller's to watch from then on.

        Args:
            request: What to write; its `left` is set just before.
            timeouts: For the stages.
            until: The latest end, in the loop's time.

        Raises:
            ConnectFailed: The connection was gone; nothing was written.
            WriteTimeout: The peer did not take the request in time.
            ReadTimeout: It did not answer in time.
            Broken: The connection broke.
            BadResponse: What came is not a whole answer.
        """
        transport = self._transport
        if transport is None or not self.ready:
            raise ConnectFailed("the connection was closed before the request was written")
        self.ready = False
        self._fresh, self._spared = True, False
        self._read_within, self._until = timeouts.read, until
        answer = self._answer = self._loop.create_future()
        request.left = True
        transport.write(request.data)
        within = timeouts.write if self._writing else timeouts.read
        self.deadline = until if within is None else earliest(self._loop.time(), within, until)
        return answer

    def spared(self, until: float) -> bool:
        """Whether a late exchange gets one short extension: its answer has arrived but was not read yet.

        That happens after the process was suspended: the loop runs its timers before it looks at the sockets.
        """
        if self._spared or self._writing or self._poll is None or not self._poll(0):
            return False
        self._spared, self.deadline = True, until
        return True

    def expire(self) -> None:
        """End an exchange that is late."""
        if self._writing:
            self.fail(WriteTimeout("the peer does not take the request"))
        else:
            self.fail(ReadTimeout("no answer in time"))

    def fail(self, error: Exception) -> None:
        """End the running exchange with an error, if there is one, and the connection."""
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
        self.abort()

    def abort(self) -> None:
        """Close at once, without waiting for what is unsent. May be called again."""
        self.ready = False
        self.deadline = NEVER
        if self._transport is not None:
            self._transport.abort()

    def usable(self) -> bool:
        """Whether a request can be written: a transport may be on its way out before it says so."""
        return self.ready and (transport := self._transport) is not None and not transport.is_closing()

    @property
    def silent(self) -> bool:
        """Whether not a byte of an answer to the last request has come."""
        return self._fresh

    def stale(self) -> bool:
        """Look whether something came that the loop has not handed over yet: an end, or bytes nobody asked for."""
        transport = self._transport
        if not self.ready or transport is None or transport.is_closing():
            return True
        return self._poll is not None and bool(self._poll(0))

    def _finish(self, answer: asyncio.Future[Response], response: Response) -> None:
        """Hand over the answer; a peer that answered before it had read the whole request gets no further one."""
        self.ready = response.reusable and not self._writing
        self.deadline = NEVER
        self._answer = None
        answer.set_result(response)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        stream = self._transport = cast("asyncio.Transport", transport)  # by its methods; uvloop's is not one by class
        stream.set_write_buffer_limits(high=1, low=0)  # so that a pause means: part of the request is still here
        socket = stream.get_extra_info("socket")
        if socket is not None and hasattr(select, "poll"):  # not on Windows
            poll = select.poll()
            poll.register(socket.fileno(), select.POLLIN)
            self._poll = poll.poll
        self.ready = True

    def pause_writing(self) -> None:
        """Part of the request waits for the peer to read."""
        self._writing = True

    def resume_writing(self) -> None:
        """All of the request has left: the time to answer begins."""
        self._writing = False
        if self._answer is not None and not self._answer.done():
            self.deadline = earliest(self._loop.time(), self._read_within, self._until)
            self._keeper.watch(self.deadline)

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Lend the place where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what came."""
        answer = self._answer
        if answer is None or answer.done():
            self._lost_for_good()
            self.abort()
            return
        came = self._buffer[:nbytes]
        try:
            # Most answers are plain ones that come whole in one piece, and need no parser.
            response = (plain(came, self._most) if self._fresh else None) or self._read(came)
        except BadResponse as error:
            self.fail(error)
            return
        if response is not None:
            self._finish(answer, response)
        elif self._read_within is not None and not self._writing:
            self.deadline = earliest(self._loop.time(), self._read_within, self._until)

    def _read(self, came: memoryview) -> Response | None:
        if self._fresh:
            self._fresh = False
            self._reader.start()
        return self._reader.feed(came)

    def eof_received(self) -> None:
        """Take note that the peer will say no more; the transport then closes itself."""
        self._ended(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Take note that the connection is gone."""
        self._ended(error)
        self._transport = None
        self._keeper.closed(self)

    def _ended(self, error: Exception | None) -> None:
        """End the running exchange, well if the end of the connection is the end of the answer."""
        self._lost_for_good()
        answer = self._answer
        if answer is None or answer.done():
            return
        if error is not None:
            broken = Broken(str(error))
            # Without its frames: one of them is asyncio's that wrote, whose local is the request.
            broken.__cause__ = error.with_traceback(None)
            self.fail(broken)
            return
        if self._fresh:
            self._reader.start()
        try:
            self._finish(answer, self._reader.eof())
        except BadResponse as cut:
            self.fail(cut)

    def _lost_for_good(self) -> None:
        if self.ready:
            self.ready = False
            self._keeper.unusable(self)

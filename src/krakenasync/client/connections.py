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
    """The owner of connections, as they see it."""

    def unusable(self, connection: Connection) -> None:
        """Stop lending this connection."""

    def closed(self, connection: Connection) -> None:
        """Forget this connection."""

    def watch(self, deadline: float) -> None:
        """Call `expire` on what is late at that time."""


class Connection(asyncio.BufferedProtocol):
    """One connection, which carries one request at a time.

    It is borrowed for an exchange and may be borrowed again only if it is `ready` afterwards: after a cancellation, a
    timeout, or an answer that was too long or too early it is closed instead.

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
        """Write a request, on a connection just found `usable`, and return a future of its answer.

        From then on the caller has to watch the `deadline`.

        Args:
            request: What to write; its `left` is set just before.
            timeouts: The timeouts of the stages.
            until: The latest end, in the loop's time.

        Raises:
            ConnectFailed: The connection was gone; nothing was written.
            WriteTimeout: The peer did not take the request in time.
            ReadTimeout: The peer did not answer in time.
            Broken: The connection broke.
            BadResponse: What was received is not a whole answer.
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
        """Whether a late exchange gets one short extension: its answer has arrived but has not been read yet.

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
        """End the running exchange, if any, with an error, and close the connection."""
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
        self.abort()

    def abort(self) -> None:
        """Close at once, without waiting for unsent bytes. May be called more than once."""
        self.ready = False
        self.deadline = NEVER
        if self._transport is not None:
            self._transport.abort()

    def usable(self) -> bool:
        """Whether a request can be written: a transport may be closing before it reports that."""
        return self.ready and (transport := self._transport) is not None and not transport.is_closing()

    @property
    def silent(self) -> bool:
        """Whether not one byte of an answer to the last request has arrived."""
        return self._fresh

    def stale(self) -> bool:
        """Check for input that the loop has not delivered yet: the end, or bytes that answer no request."""
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
        """Begin to use the transport."""
        stream = self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass, but has the methods
        stream.set_write_buffer_limits(high=1, low=0)  # so a pause means that part of the request is unsent
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
        """Return the buffer for the next bytes."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Process the bytes that arrived."""
        answer = self._answer
        if answer is None or answer.done():
            self._lost_for_good()
            self.abort()
            return
        came = self._buffer[:nbytes]
        try:
            # Most answers are plain ones that arrive in one piece and need no parser.
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
        """Record that the peer will send no more; the transport then closes itself."""
        self._ended(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Record that the connection is gone."""
        self._ended(error)
        self._transport = None
        self._keeper.closed(self)

    def _ended(self, error: Exception | None) -> None:
        """End the running exchange, successfully if the answer ends where the connection does."""
        self._lost_for_good()
        answer = self._answer
        if answer is None or answer.done():
            return
        if error is not None:
            broken = Broken(str(error))
            # Without its frames: one of them is asyncio's write, whose locals include the request.
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

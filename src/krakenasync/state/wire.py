"""One connection to a Redis server for many callers at once: questions are sent as they come, answered in that order.

redis-py's own client takes a connection from a pool for each command and reads through a stream and a task, which costs
more than the command. This lets redis-py make a connection (address, TLS, login, database), then reads it directly.

Works on asyncio only, like redis-py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from krakenasync.errors import ConfigurationError
from krakenasync.state.rediserrors import redis_errors, refusal

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection, ConnectionPool

__all__ = ["PATIENCE", "Orphaned", "Wire", "packed", "packed_word", "place_of", "pool_of"]

PATIENCE: Final = 2.0
"""Seconds to wait for a connection or an answer."""

Orphaned = Callable[[Any], None]
"""Called with the answer to a question whose caller was cancelled meanwhile."""


def packed(*words: str | bytes, more: int = 0) -> bytes:
    """Encode a command for the wire, or its beginning if `more` words follow.

    Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
    """
    return b"*%d\r\n" % (len(words) + more) + b"".join(map(packed_word, words))


def packed_word(word: str | bytes) -> bytes:
    """Encode one word of a command."""
    text = word if isinstance(word, bytes) else word.encode()
    return b"$%d\r\n%b\r\n" % (len(text), text)


def pool_of(url: str) -> ConnectionPool:
    """Make a pool of connections; none is opened yet.

    Raises:
        ConfigurationError: The URL cannot be read, or redis-py is not installed.
    """
    try:
        from redis.asyncio import ConnectionPool  # noqa: PLC0415 - only for users of Redis
        from redis.asyncio.retry import Retry  # noqa: PLC0415 - the same
        from redis.backoff import ExponentialBackoff  # noqa: PLC0415 - the same
        from redis.exceptions import ConnectionError as LostConnection  # noqa: PLC0415 - the same
    except ImportError:
        raise ConfigurationError("a Redis state needs redis-py", hint="pip install 'krakenasync[redis]'") from None
    unreadable: tuple[type[Exception], ...] = (ValueError, TypeError, *redis_errors())
    try:
        _port = urlsplit(url).port
    except ValueError:  # which would repeat what may be a piece of a password
        hint = "in a password write / # ? @ % as %2F %23 %3F %40 %25"
        raise ConfigurationError("the state's URL cannot be read", hint=hint) from None
    try:
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            # A restarted server is found again; one that does not answer is not asked twice.
            retry=Retry(ExponentialBackoff(cap=0.3, base=0.02), 4, (LostConnection,)),
        )
        pool.connection_kwargs["decode_responses"] = False
        pool.connection_class(**pool.connection_kwargs)  # an unknown option fails only here
    except unreadable as error:
        raise ConfigurationError(
            f"the state's URL cannot be read: {error}", hint="like redis://127.0.0.1:6379/0"
        ) from None
    return pool


def place_of(pool: ConnectionPool) -> str:
    """Return the name of the server that a pool connects to, without user and password."""
    how = pool.connection_kwargs
    return str(how.get("path") or f"{how.get('host', 'localhost')}:{how.get('port', 6379)}")


class _Asked(NamedTuple):
    """A question under way: its answer's future, when it was sent, and what gets the answer if the caller is gone."""

    answer: asyncio.Future[Any]
    at: float
    orphaned: Orphaned | None


class Wire:
    """Sends commands over one connection, on one event loop.

    If the connection is lost, all who wait for an answer fail; the next command opens another.

    Args:
        pool: Makes the connections.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._line: _Line | None = None
        self._opening = asyncio.Lock()

    async def ask(self, command: bytes, orphaned: Orphaned | None = None) -> Any:
        """Send a packed command and return its answer.

        Args:
            command: What to send.
            orphaned: Called with the answer if the caller is cancelled while it is on its way.

        Raises:
            RedisError: The server refused, or there is no connection.
            OSError: There is no connection, or it was lost.
        """
        line = self._line
        if line is None or line.over:
            line = await self._open()
        answer = line.ask(command, orphaned)
        try:
            return await answer
        except asyncio.CancelledError:
            # The answer may have come in the very moment in which the caller was cancelled.
            if orphaned is not None and not answer.cancelled() and answer.exception() is None:
                orphaned(answer.result())
            raise

    async def _open(self) -> _Line:
        async with self._opening:
            if self._line is None or self._line.over:
                connection = self._pool.connection_class(**self._pool.connection_kwargs)
                await connection.connect()  # type: ignore[no-untyped-call]  # redis-py's own has no types
                self._line = _Line(connection)
            return self._line

    async def aclose(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.end(ConnectionError("closed"))
            await self._line.ended()


class _Line(asyncio.Protocol):
    """A connection that redis-py has made, as long as it lasts."""

    def __init__(self, connection: AbstractConnection) -> None:
        import hiredis  # noqa: PLC0415 - only for users of Redis

        writer = getattr(connection, "_writer", None)
        if writer is None:
            raise ConfigurationError("this version of redis-py keeps its connections to itself", hint="install redis<9")
        self.over = False
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._read = hiredis.Reader(replyError=refusal)
        self._garbled = hiredis.ProtocolError, IndexError  # an answer to no question
        self._pushed = getattr(hiredis, "PushNotification", ())
        self._asked: deque[_Asked] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._way: asyncio.Transport = writer.transport
        self._way.set_protocol(self)

    def ask(self, command: bytes, orphaned: Orphaned | None) -> asyncio.Future[Any]:
        """Send at once, so that the order of the answers is that of the questions."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._asked.append(_Asked(answer, self._loop.time(), orphaned))
        if self._timer is None:
            self._timer = self._loop.call_later(PATIENCE, self._look)
        self._way.write(command)
        return answer

    def data_received(self, data: bytes) -> None:
        """Hand out the answers as they come."""
        self._read.feed(data)
        try:
            while (found := self._read.gets()) is not False:
                if isinstance(found, self._pushed):
                    continue  # a message from the server, not an answer
                answer, _at, orphaned = self._asked.popleft()
                if not answer.done():
                    if isinstance(found, Exception):
                        answer.set_exception(found)
                    else:
                        answer.set_result(found)
                elif orphaned is not None and not isinstance(found, Exception):
                    orphaned(found)
                if type(found).__name__ == "ReadOnlyError":
                    self.end(ConnectionError("the server is a replica now"))  # look for its successor
        except self._garbled as error:
            self.end(ConnectionError(f"the server's answer is not understood: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail all who wait."""
        self.end(ConnectionError(f"the connection is lost: {exc}"))

    def _look(self) -> None:
        """Check whether an answer is late: then none of those after it will come either."""
        self._timer = None
        if self._asked:
            left = self._asked[0].at + PATIENCE - self._loop.time()
            if left <= 0:
                self.end(TimeoutError("no answer in time"))
            else:
                self._timer = self._loop.call_later(left, self._look)

    def end(self, error: Exception) -> None:
        """Release the connection and fail all who wait for an answer."""
        if self.over:
            return
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
        while self._asked:
            answer = self._asked.popleft().answer
            if not answer.done():
                answer.set_exception(error)
        self._way.abort()
        self._ending = self._loop.create_task(self._end())

    async def _end(self) -> None:
        with suppress(Exception):
            await self._connection.disconnect(nowait=True)

    async def ended(self) -> None:
        """Wait until the connection is fully closed."""
        if self._ending is not None:
            await self._ending

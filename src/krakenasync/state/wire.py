"""One connection to a Redis server that many callers use at once: questions go out as they come, answers in that order.

redis-py's own client takes a connection from a pool for each command, which costs as much again as the command. This
drives one of redis-py's connections directly: it still connects, logs in, speaks TLS and reads the protocol.

Works on asyncio; redis-py has no other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection, ConnectionPool

__all__ = ["PATIENCE", "Wire", "packed"]

PATIENCE: Final = 2.0
"""Seconds to wait for a connection or an answer."""


def packed(*words: str | bytes) -> bytes:
    """Spell a command for the wire.

    Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
    """
    encoded = [word if isinstance(word, bytes) else word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded])


class Wire:
    """Sends commands over one connection, on one event loop.

    A connection that is lost fails everybody who waits for an answer; the next command opens another.

    Args:
        pool: Makes the connections.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._connection: AbstractConnection | None = None
        self._opening = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._closing: asyncio.Future[None] | None = None

    async def ask(self, command: bytes) -> asyncio.Future[Any]:
        """Send a packed command; its answer comes as the result of what is returned.

        Raises:
            RedisError: There is no connection.
            OSError: The same.
        """
        connection = self._connection
        if connection is None or not connection.is_connected:
            connection = await self._open()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append(answer)
        timer = loop.call_later(PATIENCE, self._silent, answer)
        answer.add_done_callback(lambda _answer: timer.cancel())
        # Written before anything is awaited: the order of the answers is that of the questions.
        await connection.send_packed_command(command, check_health=False)
        return answer

    async def _open(self) -> AbstractConnection:
        async with self._opening:
            if self._connection is not None and not self._connection.is_connected:
                await self._lose(self._connection, ConnectionError("the connection is lost"))
            if self._connection is None:
                connection = self._pool.connection_class(**self._pool.connection_kwargs)
                await connection.connect()  # type: ignore[no-untyped-call]  # redis-py's own has no types
                # From here on our own timer watches, for all answers together.
                connection.socket_timeout = None
                self._connection = connection
                self._reader = asyncio.create_task(self._read(connection))
            return self._connection

    async def _read(self, connection: AbstractConnection) -> None:
        """Hand out the answers as they come, until the connection is lost."""
        from redis.exceptions import ResponseError  # noqa: PLC0415 - only for those who use it

        try:
            while True:
                try:
                    found: Any = await connection.read_response(disconnect_on_error=False)
                except ResponseError as error:
                    found = error
                answer = self._waiting.popleft()
                if answer.done():
                    continue
                if isinstance(found, Exception):
                    answer.set_exception(found)
                else:
                    answer.set_result(found)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait have to learn it
            await self._lose(connection, error)

    def _silent(self, answer: asyncio.Future[Any]) -> None:
        """An answer did not come in time: none of those behind it will."""
        connection, reader = self._connection, self._reader
        if connection is None or answer.done():
            return
        if reader is not None:
            reader.cancel()
        self._closing = asyncio.ensure_future(self._lose(connection, TimeoutError("no answer in time")))

    async def _lose(self, connection: AbstractConnection, error: Exception) -> None:
        if self._connection is connection:
            self._connection, waiting, self._waiting = None, self._waiting, deque()
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
                    answer.exception()  # the caller may be gone
        with suppress(Exception):
            await connection.disconnect(nowait=True)

    async def aclose(self) -> None:
        """Close the connection."""
        connection, reader = self._connection, self._reader
        if reader is not None:
            reader.cancel()
            await asyncio.wait([reader])
        if connection is not None:
            await self._lose(connection, ConnectionError("closed"))

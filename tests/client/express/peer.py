"""A peer that says which of its connections served a request, and what asks it."""

import asyncio
import contextlib
import os
import socket

import pytest

from krakenasync.client.exchanges import Outgoing, Timeouts
from krakenasync.client.express import Express
from krakenasync.client.http1 import BadResponse
from krakenasync.client.origin import Origin
from krakenasync.client.transport import Delivery
from krakenasync.protocol.messages import Message

OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
GET = Message("GET", "/0/public/Time", {}, b"")
POST = Message("POST", "/0/private/Balance", {"API-Key": "k"}, b"nonce=1")


class Exchange:
    """Answers each request with the number of its connection, when `gate` is open."""

    def __init__(self, answer=None):
        self.gate = asyncio.Event()
        self.gate.set()
        self.answer = answer
        self.order, self.requests, self._tasks = [], [], set()
        self.accepted = self.held = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_error):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def asked(self, number):
        """Wait until so many requests have come."""
        while len(self.requests) < number:  # noqa: ASYNC110 - step by step, as the loop goes
            await asyncio.sleep(0)

    async def holds(self, number):
        """Wait until it has so many connections whose end it has not seen."""
        await settle()
        async with asyncio.timeout(2):
            while self.held != number:  # noqa: ASYNC110 - the other side ends them
                await asyncio.sleep(0.001)

    def hang_up(self):
        """End the last connection, in this very step."""
        with socket.socket(fileno=os.dup(self._last.get_extra_info("socket").fileno())) as twin:
            twin.shutdown(socket.SHUT_WR)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self._last = writer
        self.accepted += 1
        self.held += 1
        number = b"%d" % self.accepted
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head)
                if b"Content-Length: 7" in head:
                    await reader.readexactly(7)
                self.order.append(head.split()[1].decode())
                await self.gate.wait()
                writer.write(self.answer or OK % (len(number), number))
        self.held -= 1
        writer.transport.abort()


def asking(target="/"):
    return Outgoing(b"GET %s HTTP/1.1\r\n\r\n" % target.encode())


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def ended(*tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def with_exchange(test, **settings):
    """Run a test with an exchange and connections to it; who waits for a place that was lost would wait for ever."""

    async def main():
        async with Exchange() as exchange, asyncio.timeout(10):
            pool = Express(Origin(exchange.url), **settings)
            await test(exchange, pool)
            await pool.aclose()

    asyncio.run(main())


def lend(pool):
    """Take the idle connection, as a request does."""
    return pool._rested(asyncio.get_running_loop().time())


def give_back(pool, connection):
    """Do as a request does that has its answer; with None, as one that could not connect."""
    pool._return(connection)


async def hung_up_on(exchange, pool, *, rested=0.05):
    """Ask over a connection that has rested so long; the peer closes it in place of an answer."""
    await pool.exchange(asking(), Timeouts())
    await asyncio.sleep(rested)
    exchange.gate.clear()
    before = len(exchange.requests)
    task = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
    await exchange.asked(before + 1)
    exchange.hang_up()
    with pytest.raises(BadResponse):
        await task
    exchange.gate.set()


async def deliver(transport, message=POST, within=2.0):
    delivery = Delivery(message=message)
    try:
        answer = await transport.deliver(delivery, within)
        return answer.status, answer.body, delivery.left
    finally:
        await transport.aclose()

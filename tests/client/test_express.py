"""Who gets which connection, what a cancelled call leaves behind, and when our connections serve at all."""

import asyncio
import contextlib
import functools
import gzip
import json
import logging
import os
import pkgutil
import socket
import time
import unittest.mock

import anyio
import httpx
import pytest
import respx

from krakenasync import (
    ConfigurationError,
    CounterSpec,
    KrakenClient,
    LimitsConfig,
    NotSent,
    ProtocolError,
    Unanswered,
)
from krakenasync.client import express
from krakenasync.client.exchanges import (
    Broken,
    ConnectFailed,
    ConnectTimeout,
    Outgoing,
    PoolTimeout,
    ReadTimeout,
    Timeouts,
)
from krakenasync.client.express import Express
from krakenasync.client.http1 import BadResponse
from krakenasync.client.origin import Origin
from krakenasync.client.over_httpx import ExpressTransport
from krakenasync.client.queueing import Lane
from krakenasync.client.transport import Delivery, Transport
from krakenasync.protocol.messages import Message
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import serving

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
        self.accepted = 0

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

    def hang_up(self):
        """End the last connection, in this very step."""
        with socket.socket(fileno=os.dup(self._last.get_extra_info("socket").fileno())) as twin:
            twin.shutdown(socket.SHUT_WR)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self._last = writer
        self.accepted += 1
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
    """Run a test with an exchange and connections to it."""

    async def main():
        async with Exchange() as exchange:
            pool = Express(Origin(exchange.url), **settings)
            await test(exchange, pool)
            await pool.aclose()

    asyncio.run(main())


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


@pytest.mark.parametrize(("wary", "connections"), [(60, 4), (0.01, 3)])
def test_a_peer_that_hangs_up_on_rested_connections_gets_fresh_ones_for_a_while(monkeypatch, wary, connections):
    """Twice one that rested 50 ms was closed in place of an answer: none is kept for 40 ms, until it is tried again."""
    monkeypatch.setattr(express, "_WARY", wary)

    async def test(exchange, pool):
        for _ in range(2):
            await hung_up_on(exchange, pool)
        assert exchange.accepted == 2
        await pool.exchange(asking(), Timeouts())
        await asyncio.sleep(0.04)
        await pool.exchange(asking(), Timeouts())
        assert exchange.accepted == connections

    with_exchange(test)


def test_one_end_of_a_connection_that_just_came_to_rest_teaches_little():
    """The peer may have been started anew: connections are used again all the same, if not for as long as usual."""

    async def test(exchange, pool):
        await hung_up_on(exchange, pool, rested=0)
        assert pool._keep_alive == 1.0
        for _ in range(3):
            await pool.exchange(asking(), Timeouts())
            await asyncio.sleep(0.01)
        assert exchange.accepted == 2

    with_exchange(test)


def test_closing_while_an_answer_is_awaited_leaves_no_timer():
    """It was us who hung up."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        exchange.gate.clear()
        task = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        await exchange.asked(2)
        await pool.aclose()
        with pytest.raises(Broken):
            await task
        assert pool._wary is pool._timer is None

    with_exchange(test)


def test_closing_after_a_hang_up_leaves_no_timer():
    """What was learnt is forgotten with the connections."""

    async def test(exchange, pool):
        await hung_up_on(exchange, pool)
        assert pool._wary is not None
        await pool.aclose()
        assert pool._wary is None

    with_exchange(test)


def test_a_connection_that_fails_otherwise_teaches_nothing():
    """One that did not rest, and one whose answer had begun."""

    async def test(exchange, pool):
        for number in (1, 2):
            exchange.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf"
            task = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
            await exchange.asked(2 * number - 1)
            await asyncio.sleep(0.01)
            exchange.hang_up()
            with pytest.raises(BadResponse):
                await task
            assert pool._keep_alive == pool._longest
            exchange.answer = None
            await pool.exchange(asking(), Timeouts())  # the next one goes over a connection that has rested

    with_exchange(test)


def test_the_connection_used_last_is_used_next():
    """So what is not needed rests, and can expire."""

    async def test(exchange, pool):
        exchange.gate.clear()
        tasks = [asyncio.ensure_future(pool.exchange(asking(), Timeouts())) for _ in range(3)]
        await exchange.asked(3)
        assert repr(pool) == f"<Express {exchange.url} 3 active, 0 idle, 0 waiting>"
        exchange.gate.set()
        await asyncio.gather(*tasks)
        last = pool._idle[-1]
        for _ in range(3):
            await pool.exchange(asking(), Timeouts())
            assert pool._idle[-1] is last
        assert exchange.accepted == 3
        assert repr(pool) == f"<Express {exchange.url} 0 active, 3 idle, 0 waiting>"

    with_exchange(test)


def test_those_who_wait_are_served_in_order():
    """First come, first served; whoever gives up leaves the line without a trace, and nobody overtakes."""

    async def test(exchange, pool):
        tasks = [asyncio.ensure_future(pool.exchange(asking(f"/{n}"), Timeouts())) for n in range(20)]
        await asyncio.sleep(0)
        tasks[7].cancel()
        tasks[11].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert exchange.order == [f"/{n}" for n in range(20) if n not in {7, 11}]
        assert exchange.accepted == 1

    with_exchange(test, connections=1)


def test_a_cancelled_request_closes_its_connection_and_makes_room():
    """Its place goes to the next in line, on a connection of its own."""

    async def test(exchange, pool):
        exchange.gate.clear()
        request = asking("/first")
        first = asyncio.ensure_future(pool.exchange(request, Timeouts()))
        second = asyncio.ensure_future(pool.exchange(asking("/second"), Timeouts()))
        await exchange.asked(1)
        assert request.left
        await ended(first)
        exchange.gate.set()
        assert (await second).body == b"2"
        assert (pool._taken, len(pool._idle)) == (1, 1)

    with_exchange(test, connections=1)


def test_a_connection_that_opens_after_the_end():
    """Closed while it was opening: nothing is written, and it is let go of."""

    async def test(exchange, pool):
        request = asking()
        task = asyncio.ensure_future(pool.exchange(request, Timeouts()))
        await asyncio.sleep(0)
        await pool.aclose()
        with pytest.raises(ConnectFailed):
            await task
        assert not request.left
        assert not pool._open

    with_exchange(test)


@pytest.mark.parametrize("steps", range(12))
def test_a_cancellation_at_every_step(steps):
    """Cancelled while it connects, writes or waits: no place is lost, and the next request is served."""

    async def test(exchange, pool):
        request = asking("/cancelled")
        task = asyncio.ensure_future(pool.exchange(request, Timeouts()))
        waiting = asyncio.ensure_future(pool.exchange(asking("/waiting"), Timeouts()))
        for _ in range(steps):
            await asyncio.sleep(0)
        await ended(task)
        assert request.left or "/cancelled" not in exchange.order
        assert (await waiting).status == 200
        assert pool._taken == len(pool._idle) == 1
        await settle()
        assert len(pool._open) == 1

    with_exchange(test, connections=1)


def test_a_turn_that_comes_with_the_cancellation_is_passed_on():
    """Cancelled in the very step in which the connection was handed over: the next in line gets it."""

    async def test(_exchange, pool):
        await pool.exchange(asking(), Timeouts())
        connection = pool._rested(asyncio.get_running_loop().time())
        for given in (connection, None):
            tasks = [asyncio.ensure_future(pool.exchange(asking(), Timeouts())) for _ in range(2)]
            await asyncio.sleep(0)
            pool._return(given)
            tasks[0].cancel()
            assert (await tasks[1]).status == 200
            connection = pool._rested(asyncio.get_running_loop().time())
        pool._vacate()
        assert pool._taken == 0

    with_exchange(test, connections=1)


def test_a_connection_that_dies_on_its_way_to_the_next_in_line():
    """Nothing was written to it, so the next in line simply opens another one."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        connection = pool._rested(asyncio.get_running_loop().time())
        task = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        await asyncio.sleep(0)
        pool._return(connection)
        connection.abort()
        assert (await task).body == b"2"
        assert pool._taken == 1

    with_exchange(test, connections=1)


def test_an_idle_connection_expires():
    """What is idle too long is closed, by the timer or when it is next asked for."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        await asyncio.sleep(0.03)
        assert not pool._open
        assert pool._taken == 0
        await pool.exchange(asking(), Timeouts())
        pool._idle[0].idle_since -= 1.0
        assert pool._rested(asyncio.get_running_loop().time()) is None
        assert pool._taken == 0
        assert exchange.accepted == 2

    with_exchange(test, keep_alive=0.01)


def test_a_connection_is_looked_at_before_it_is_used():
    """The peer hung up, and the loop has not had time to notice: nothing is written into the void."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        await pool.exchange(asking(), Timeouts())
        assert exchange.accepted == 1
        exchange.hang_up()
        assert pool._idle[0].ready
        request = asking()
        assert (await pool.exchange(request, Timeouts())).body == b"2"
        assert pool._taken == 1

    with_exchange(test)


def test_a_connection_is_looked_at_before_the_next_in_line_uses_it():
    """The peer hung up with the answer to the one before: the next opens a connection of its own."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        connection = pool._rested(asyncio.get_running_loop().time())
        task = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        await asyncio.sleep(0)
        exchange.hang_up()
        pool._return(connection)
        assert connection.ready
        assert (await task).body == b"2"
        assert pool._taken == 1

    with_exchange(test, connections=1)


def test_timeouts():
    """For a place, for a connection, for an answer, and over all of them."""

    async def test(exchange, pool):
        exchange.gate.clear()
        held = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        await exchange.asked(1)
        for limits in (Timeouts(pool=0.01), Timeouts(whole=0.01)):
            request = asking()
            with pytest.raises(PoolTimeout):
                await pool.exchange(request, limits)
            assert not request.left
        await ended(held)
        for limits in (Timeouts(read=0.01), Timeouts(whole=0.01)):
            request = asking()
            with pytest.raises(ReadTimeout):
                await pool.exchange(request, limits)
            assert request.left
        assert pool._taken == 0
        request = asking()
        with pytest.raises(ConnectTimeout):
            await pool.exchange(request, Timeouts(connect=-1.0))
        assert not request.left
        exchange.gate.set()
        assert (await pool.exchange(request, Timeouts(whole=5.0))).status == 200

    with_exchange(test, connections=1)


def test_one_timer_serves_all():
    """A shorter deadline than the one waited for moves the timer, a longer one does not make another."""

    async def test(_exchange, pool):
        await pool.exchange(asking(), Timeouts(whole=10.0))
        timer = pool._timer
        for _ in range(3):
            await pool.exchange(asking(), Timeouts(whole=10.0))
        assert pool._timer is timer
        await pool.exchange(asking(), Timeouts(whole=5.0))
        assert pool._timer is not timer
        assert timer.cancelled()

    with_exchange(test)


def test_closing_ends_everything():
    """What waits and what is under way ends with an error, and no socket is left."""

    async def test(exchange, pool):
        exchange.gate.clear()
        requests = [asking() for _ in range(2)]
        tasks = [asyncio.ensure_future(pool.exchange(request, Timeouts())) for request in requests]
        await exchange.asked(1)
        await pool.aclose()
        await pool.aclose()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result).__name__ for result in results] == ["Broken", "ConnectFailed"]
        assert [request.left for request in requests] == [True, False]
        assert not pool._open
        with pytest.raises(ConnectFailed):
            await pool.exchange(asking(), Timeouts())

    with_exchange(test, connections=1)


# The choice between our connections and httpx's.


async def deliver(transport, message=POST, within=2.0):
    delivery = Delivery(message=message)
    try:
        answer = await transport.deliver(delivery, within)
        return answer.status, answer.body, delivery.left
    finally:
        await transport.aclose()


@pytest.mark.parametrize("kind", ["express", "httpx"])
def test_the_bytes_of_a_delivery(kind):
    """Both ways carry the same request; ours asks for compression only where answers are large."""

    async def main():
        async with Exchange() as exchange:
            prefixed = f"{exchange.url}/some%20where"
            assert await deliver(Transport(prefixed, kind=kind)) == (200, b"1", True)
            assert await deliver(Transport(prefixed, kind=kind), GET) == (200, b"2", True)
            for head in exchange.requests:
                assert b"Host: 127.0.0.1:%d\r\n" % exchange.port in head
                assert b"User-Agent: krakenasync/" in head
            post, get = exchange.requests
            assert post.startswith(b"POST /some%20where/0/private/Balance HTTP/1.1\r\n")
            assert b"API-Key: k\r\n" in post
            assert get.startswith(b"GET /some%20where/0/public/Time HTTP/1.1\r\n")
            assert b"Accept-Encoding: gzip, deflate\r\n" in get

    asyncio.run(main())


def test_a_compressed_answer():
    """It is taken apart; one that is cut short is an error, where httpx hands out the part."""
    packed = gzip.compress(b"hello" * 100, mtime=0)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"

    async def main():
        async with Exchange(head % len(packed) + packed) as exchange:
            assert (await deliver(Transport(exchange.url), GET))[1] == b"hello" * 100
            exchange.answer = head % 20 + packed[:20]
            with pytest.raises(ProtocolError, match="cut short"):
                await deliver(Transport(exchange.url), GET)

    asyncio.run(main())


def test_what_is_known_about_a_failed_delivery():
    """No byte left: not sent. A byte left: unanswered."""

    async def main():
        async with Exchange(b"nonsense") as exchange:
            with pytest.raises(Unanswered, match="no whole answer: an answer does not begin with HTTP/"):
                await deliver(Transport(exchange.url))
            exchange.gate.clear()
            with pytest.raises(Unanswered, match=r"no whole answer within 0\.01 s"):
                await deliver(Transport(exchange.url), within=0.01)
        with pytest.raises(NotSent, match=f"could not reach 127.0.0.1:{exchange.port}: connection refused"):
            await deliver(Transport(exchange.url))
        with pytest.raises(NotSent, match="the request cannot be written"):
            await deliver(Transport(exchange.url), Message("POST", "/0/private/x", {"API-Key": "a\r\nb: c"}, b"x"))

    asyncio.run(main())


def test_a_cancelled_delivery_knows_whether_it_left():
    """Cancelled while it connects nothing left, cancelled while it waits for the answer it did."""

    async def main():
        async with Exchange() as exchange:
            exchange.gate.clear()
            transport = Transport(exchange.url)
            early, late = Delivery(message=POST), Delivery(message=POST)
            task = asyncio.ensure_future(transport.deliver(early, 2.0))
            await asyncio.sleep(0)
            await ended(task)
            assert not early.left
            task = asyncio.ensure_future(transport.deliver(late, 2.0))
            await exchange.asked(1)
            await ended(task)
            assert late.left
            await transport.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["express", "httpx"])
def test_loops_that_are_over_leave_nothing(kind):
    """A client that is used under one `asyncio.run` after the other does not gather the connections of each."""
    transport, kept = Transport("http://127.0.0.1:1", kind=kind), []
    transport._theirs()

    async def main():
        async with Exchange(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1") as exchange:
            transport._origin, transport._over_httpx._base_url = Origin(exchange.url), exchange.url
            assert (await transport.deliver(Delivery(message=GET), 2.0)).body == b"1"
            await settle()
            by_loop = transport._express if kind == "express" else transport._over_httpx._own
            kept.append(len(by_loop))

    for _ in range(3):
        asyncio.run(main())
    assert kept == [1, 1, 1]


@pytest.mark.parametrize("second", ["asyncio", "trio"])
def test_places_are_of_one_loop(second):
    """Who waits for a place can be woken on its own loop only, so each loop has its own; on trio as on asyncio."""
    transport = Transport("http://127.0.0.1:1", connections=1)

    async def main():
        places = transport.places()
        assert (places.begin_nowait(), transport.places().begin_nowait()) == (0, None)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(transport.places().begin, Lane.NORMAL)
            await anyio.wait_all_tasks_blocked()
            places.end(0)

    anyio.run(main)  # and the second place is never given back
    anyio.run(main, backend=second)


def test_repr_shows_the_choice(monkeypatch):
    """A glance tells which connections a client uses."""
    assert repr(KrakenClient()).endswith("express>")
    assert repr(KrakenClient(transport="httpx")).endswith("httpx>")
    with pytest.raises(ConfigurationError, match="no transport 'pigeon'"):
        KrakenClient(transport="pigeon")
    given = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: httpx.Response(200)))
    assert repr(KrakenClient(http_client=given)).endswith("httpx>")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    assert repr(KrakenClient()).endswith("httpx>")
    assert repr(KrakenClient(base_url="http://127.0.0.1:1")).endswith("express>")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.test:3128")
    assert repr(KrakenClient(base_url="http://kraken.test:1")).endswith("httpx>")
    for here in ("127.0.0.1:1", "127.1.2.3", "[::1]:1", "localhost:1", "kraken.localhost"):
        assert repr(KrakenClient(base_url=f"http://{here}")).endswith("express>")
    monkeypatch.setenv("NO_PROXY", "kraken.com,other.test")
    assert repr(KrakenClient()).endswith("express>")
    assert repr(KrakenClient(base_url="http://kraken.test:1")).endswith("httpx>")


@pytest.mark.parametrize("kind", ["express", "httpx"])
def test_what_runs_on_this_machine_is_asked_over_no_proxy(kind, monkeypatch):
    """A sandbox behind a company's proxy: nothing of it is the proxy's business."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def main():
        async with serving(SandboxConfig()) as exchange, exchange.client(transport=kind) as kraken:
            assert await kraken.balance()
        async with serving(SandboxConfig()) as exchange, exchange.clients() as clients:
            assert [await kraken.balance() for kraken in clients.values()]

    asyncio.run(main())


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
@pytest.mark.parametrize("kind", ["express", "httpx"])
def test_a_mock_sees_the_default_client(using, kind):
    """What respx stands in for is not gone around, whether it comes before or after the first call."""

    async def main():
        async with Exchange() as exchange:
            transport = Transport(exchange.url, kind=kind)
            for _ in range(2):
                assert (await transport.deliver(Delivery(message=POST), 2.0)).body == b"1"
                with respx.mock(using=using) as mock:
                    route = mock.post(f"{exchange.url}/0/private/Balance").respond(text="mocked")
                    assert (await transport.deliver(Delivery(message=POST), 2.0)).body == b"mocked"
                    assert route.called
            await transport.aclose()
            assert exchange.accepted == 1

    asyncio.run(main())


def test_an_instrument_on_the_stock_transport_is_not_gone_around(monkeypatch, caplog):
    """Tools that wrap httpx's transport class see the requests as well; one sees that they do, and is told once."""
    stock, seen = httpx.AsyncHTTPTransport.handle_async_request, []
    package = __name__.partition(".")[0]

    async def watched(self, request):
        seen.append(request.url.path)
        return await stock(self, request)

    async def main():
        async with Exchange() as exchange:
            transport = Transport(exchange.url)
            assert repr(transport) == f"<Transport express {exchange.url}>"
            monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", functools.wraps(stock)(watched))
            assert repr(transport) == f"<Transport httpx for {package} {exchange.url}>"
            assert repr(KrakenClient(transport=transport)).endswith(f" httpx for {package}>")
            with caplog.at_level(logging.INFO, logger="krakenasync"):
                for _ in range(2):
                    await transport.deliver(Delivery(message=POST), 2.0)
            await transport.aclose()

    asyncio.run(main())
    assert seen == ["/0/private/Balance"] * 2
    assert [record.getMessage() for record in caplog.records if record.name == "krakenasync"] == [
        f"calls go over httpx for {package}, which has replaced a part of it"
    ]


def test_what_is_not_ours_to_serve():
    """Another origin, HEAD and streamed uploads go httpx's own way, through the same client."""

    async def main():
        async with Exchange() as home, Exchange() as abroad:
            express = ExpressTransport(home.url)
            async with httpx.AsyncClient(transport=express) as client:

                async def stream():
                    yield b"x"

                assert (await client.get(f"{abroad.url}/a")).text == "1"
                await client.head(f"{home.url}/b")
                assert express._express is None
                assert (await client.get(f"{home.url}/c")).text == "2"
                assert repr(express._express).endswith("0 active, 1 idle, 0 waiting>")
                with pytest.raises(httpx.LocalProtocolError):
                    await client.post(home.url, content=b"xy", headers={"Content-Length": "1"})
                with pytest.raises(httpx.LocalProtocolError):
                    await client.get(home.url, headers={"X": "a\nb"})
                assert express._serves(client.build_request("POST", home.url, content=b"x"))
                assert not express._serves(client.build_request("POST", home.url, content=stream()))

    asyncio.run(main())


def test_an_answer_that_came_while_the_process_stood_still_is_no_timeout():
    """Timers hear of the time before anybody looks at the socket: what lies there is read first, if only once."""

    def serve(server, answers):
        connection, _peer = server.accept()
        with connection:
            for answer in answers:
                connection.recv(65536)
                connection.sendall(answer)
            with contextlib.suppress(ConnectionResetError):  # as a peer does that leaves an answer unread
                while connection.recv(65536):
                    pass

    async def main(*answers, looks=1):
        with socket.create_server(("127.0.0.1", 0)) as server:
            pool = Express(Origin(f"http://127.0.0.1:{server.getsockname()[1]}"))
            serving = asyncio.get_running_loop().run_in_executor(None, serve, server, [OK % (1, b"0"), *answers])
            await pool.exchange(asking(), Timeouts())
            task = asyncio.ensure_future(pool.exchange(asking(), Timeouts(whole=0.05)))
            await asyncio.sleep(0)
            for _ in range(looks):
                time.sleep(0.2)  # noqa: ASYNC251 - the process stands still
                pool._look_around()
            try:
                return (await task).body
            finally:
                await pool.aclose()
                await serving

    assert asyncio.run(main(OK % (1, b"1"))) == b"1"
    for answers, looks in (([], 1), ([(OK % (1, b"1"))[:-1]], 1), ([OK % (1, b"1")], 2)):
        with pytest.raises(ReadTimeout):
            asyncio.run(main(*answers, looks=looks))


def test_on_trio_it_is_httpx():
    """Our connections need asyncio; on trio the same client works all the same."""

    def serve(server):
        with contextlib.suppress(OSError):
            connection, _peer = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(OK % (4, b"trio"))
                connection.recv(65536)

    async def main():
        with socket.create_server(("127.0.0.1", 0)) as server:
            transport = Transport(f"http://127.0.0.1:{server.getsockname()[1]}")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anyio.to_thread.run_sync, serve, server)
                assert (await transport.deliver(Delivery(message=GET), 2.0)).body == b"trio"
                await transport.aclose()

    anyio.run(main, backend="trio")


def test_an_instrument_that_claims_to_equal_what_it_wraps_is_seen(monkeypatch):
    """As wrapt's proxies do: switched on after the first call, and off again."""

    class Proxy:
        def __init__(self, wrapped):
            self.wrapped = wrapped

        def __eq__(self, other):
            return other is self.wrapped

        def __hash__(self):
            return hash(self.wrapped)

    transport = Transport("http://127.0.0.1:1")
    assert "express" in repr(transport)
    with monkeypatch.context() as on:
        on.setattr(
            httpx.AsyncHTTPTransport, "handle_async_request", Proxy(httpx.AsyncHTTPTransport.handle_async_request)
        )
        assert "httpx for tests" in repr(transport)
    assert "express" in repr(transport)


def test_what_stands_in_httpx_s_place_may_be_from_nowhere():
    """A function that was made in a bare dictionary has no module."""
    made = {}
    exec("async def send(self, request, **options): ...", made)
    made.pop("__name__", None)
    with unittest.mock.patch.object(httpx.AsyncClient, "send", made["send"]):
        assert "httpx for" in repr(Transport("http://127.0.0.1:1"))
    with unittest.mock.patch.object(httpx.AsyncClient, "send", autospec=True):
        assert "httpx for" in repr(Transport("http://127.0.0.1:1"))


def test_a_transport_of_the_caller_s_may_send_a_request_again():
    """It has the whole body each time."""
    bodies = []

    class Again(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            bodies.extend([[part async for part in request.stream] for _ in range(2)])
            return httpx.Response(200, content=b"1")

    async def main():
        async with httpx.AsyncClient(transport=Again()) as http:
            answer = await Transport("http://kraken.test", http).deliver(Delivery(message=POST), 2.0)
            assert answer.body == b"1"

    asyncio.run(main())
    assert bodies == [[POST.body]] * 2


@pytest.mark.parametrize("message", ["GET", "POST"])
@pytest.mark.parametrize(("backend", "connects"), [("asyncio", "anyio.connect_tcp"), ("trio", "trio.open_tcp_stream")])
def test_after_closing_nothing_leaves_on_httpx_s_way_either(backend, connects, message, monkeypatch):
    """What was still connecting is not sent, not even its head with key and signature; its connection is closed."""
    reached = []

    async def slowly(*args, **kwargs):
        await anyio.sleep(0.05)
        reached.append(await connect(*args, **kwargs))
        return reached[-1]

    connect = pkgutil.resolve_name(connects)
    monkeypatch.setattr(connects, slowly)

    async def main():
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            kraken = KrakenClient("key", "c2VjcmV0", base_url=url, transport="httpx")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(refused, kraken)
                await anyio.sleep(0.01)
                await kraken.aclose()
            connection, _peer = server.accept()
            with connection:
                connection.settimeout(2)
                assert connection.recv(65536) == b""
        assert len(reached) == 1

    async def refused(kraken):
        with pytest.raises(ConfigurationError, match="closed"):
            await (kraken.cancel_all() if message == "POST" else kraken.server_time())

    anyio.run(main, backend=backend)


def test_after_an_answer_of_another_shape_no_connection_is_trusted():
    """A copy of an earlier answer shifts all that follow on its connection: each would be taken for the next call's."""
    answers = {"Time": {"unixtime": 1780000000}, "SystemStatus": {"status": "online"}}

    async def serve(reader, writer):
        late = None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                name = head.split()[1].decode().rpartition("/")[2]
                mine = json.dumps({"error": [], "result": answers[name]}).encode()
                body, late = late or mine, mine
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        limits = LimitsConfig(public=CounterSpec(99, 9900))
        async with KrakenClient(base_url=url, max_attempts=1, limits=limits) as kraken:
            assert (await kraken.server_time()).unixtime == 1780000000
            with pytest.raises(ProtocolError):
                await kraken.system_status()
            assert (await kraken.server_time()).unixtime == 1780000000
        server.close()

    asyncio.run(main())


def test_an_expired_connection_is_closed_when_it_is_met():
    """Its timer may come late."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        pool._idle[0].idle_since -= 99
        await pool.exchange(asking(), Timeouts())
        await settle()
        assert (exchange.accepted, len(pool._open), pool._taken) == (2, 1, 1)

    with_exchange(test)


@pytest.mark.parametrize("handed", [False, True])
def test_a_connection_that_looks_stale_and_never_says_more_is_closed(handed):
    """As after a TLS record that carries no data; met at rest, or handed over by the call before."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        rested = pool._idle[0]
        if handed:
            rested = pool._rested(asyncio.get_running_loop().time())
        rested._poll = lambda _timeout: [1]
        task = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        if handed:
            await asyncio.sleep(0)
            pool._return(rested)
        assert (await task).body == b"2"
        await settle()
        assert len(pool._open) == 1

    with_exchange(test, connections=1)


def test_two_that_one_restart_ended_teach_as_one():
    """Only a connection opened since the last lesson teaches another; no lesson makes the time longer."""

    async def test(exchange, pool):
        exchange.gate.clear()
        both = [asyncio.ensure_future(pool.exchange(asking(), Timeouts())) for _ in range(2)]
        await exchange.asked(2)
        exchange.gate.set()
        await asyncio.gather(*both)
        first, second = pool._idle
        pool._keep_less(first, 0.0)
        pool._keep_less(second, 0.0)
        assert pool._keep_alive == 1.0
        pool._keep_alive = 0.25
        pool._keep_less(second, 10.0)
        assert pool._keep_alive == 0.25

    with_exchange(test)


def test_a_hang_up_long_after_the_request_teaches_nothing(monkeypatch):
    """The peer was there when it was asked: it has not closed a connection for its rest."""
    monkeypatch.setattr(express, "_AT_ONCE", 0.0)

    async def test(exchange, pool):
        await hung_up_on(exchange, pool)
        assert pool._keep_alive == pool._longest

    with_exchange(test)


def test_what_is_learnt_anew_lasts_from_then_on():
    """The timer of the lesson before does not end it."""

    async def test(exchange, pool):
        await hung_up_on(exchange, pool)
        first = pool._wary
        await hung_up_on(exchange, pool)
        assert first.cancelled()
        assert not pool._wary.cancelled()

    with_exchange(test)


def test_a_cancellation_in_the_step_in_which_the_wait_fails():
    """The caller is cancelled, whatever else has just become of its turn."""

    async def test(exchange, pool):
        exchange.gate.clear()
        first = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        waits = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        await exchange.asked(1)
        pool._waiting[0].turn.set_exception(PoolTimeout("late"))
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        await ended(first)

    with_exchange(test, connections=1)


def test_a_connection_that_is_on_its_way_out_as_soon_as_it_is_open(monkeypatch):
    """Nothing is written into it, and its place is free again."""

    async def test(_exchange, pool):
        loop = asyncio.get_running_loop()
        connect = loop.create_connection

        async def closing(*args, **options):
            transport, protocol = await connect(*args, **options)
            transport.close()
            return transport, protocol

        monkeypatch.setattr(loop, "create_connection", closing)
        request = asking()
        with pytest.raises(ConnectFailed):
            await pool.exchange(request, Timeouts())
        assert not request.left
        assert pool._taken == 0

    with_exchange(test)


def test_places_of_dropped_connections_are_free_again():
    """Else a few odd answers would leave no place to anybody."""

    async def test(_exchange, pool):
        for _ in range(3):
            await pool.exchange(asking(), Timeouts(pool=0.05))
            pool.drop_idle()
            assert pool._taken == 0

    with_exchange(test, connections=1)


def test_a_later_deadline_is_looked_after_when_an_earlier_one_was():
    """One timer serves all, of those under way and of those who wait; who gave up is not kept."""

    async def test(exchange, pool):
        exchange.gate.clear()
        async with asyncio.timeout(2):
            answers = (pool.exchange(asking(), Timeouts(read=wait)) for wait in (0.02, 0.06))
            found = await asyncio.gather(*answers, return_exceptions=True)
        assert [type(each) for each in found] == [ReadTimeout] * 2
        full = [asyncio.ensure_future(pool.exchange(asking(), Timeouts())) for _ in range(2)]
        await exchange.asked(4)
        async with asyncio.timeout(2):
            turns = (pool.exchange(asking(), Timeouts(pool=wait)) for wait in (0.02, 0.06))
            found = await asyncio.gather(*turns, return_exceptions=True)
        assert [type(each) for each in found] == [PoolTimeout] * 2
        pool._look_around()
        assert not pool._waiting
        await ended(*full)

    with_exchange(test, connections=2)


def test_what_rests_expires_though_something_else_was_late_before():
    """Looking around for the one does not forget the other."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        rested = pool._idle.pop()
        exchange.gate.clear()
        task = asyncio.ensure_future(pool.exchange(asking(), Timeouts(read=0.02)))
        await exchange.asked(2)
        pool._return(rested)
        with pytest.raises(ReadTimeout):
            await task
        async with asyncio.timeout(2):
            while pool._open:  # noqa: ASYNC110 - a timer of the pool's ends it
                await asyncio.sleep(0.01)
        assert pool._taken == 0

    with_exchange(test, keep_alive=0.1)


def test_a_deadline_ends_with_its_exchange():
    """A connection at rest is not late."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts(read=0.02))
        await asyncio.sleep(0.08)
        await pool.exchange(asking(), Timeouts(read=1))
        assert exchange.accepted == 1

    with_exchange(test)


def test_closing_ends_who_is_still_connecting(monkeypatch):
    """At once, not after the time that they had left."""

    async def test(_exchange, pool):
        async def never(*_args, **_options):
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
        task = asyncio.ensure_future(pool.exchange(asking(), Timeouts(whole=60)))
        await settle()
        await pool.aclose()
        async with asyncio.timeout(2):
            with pytest.raises(ConnectFailed, match="closed"):
                await task

    with_exchange(test)


def test_a_request_that_wants_the_connection_closed_goes_httpx_s_way():
    """Ours would keep it; the peer, which does as it was asked, would hang up on the next request."""

    async def test(exchange, pool):
        async with httpx.AsyncClient(transport=ExpressTransport(exchange.url)) as http:
            for _ in range(2):
                assert (await http.get(exchange.url, headers={"Connection": "close"})).status_code == 200
            assert exchange.accepted == 2

    with_exchange(test)

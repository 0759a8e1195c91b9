"""A request as it leaves over either way, and what is known of it when no answer came."""

import asyncio
import contextlib
import gzip
import json

import anyio
import httpx
import pytest

from krakenasync import CounterSpec, KrakenClient, LimitsConfig, NotSent, ProtocolError, Unanswered
from krakenasync.client.queueing import Lane
from krakenasync.client.transport import Delivery, Transport
from krakenasync.protocol.messages import Message

from .peer import GET, POST, Exchange, deliver, ended


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

"""Closing ends what is under way, waits, connects or rests, and leaves neither socket nor timer."""

import asyncio
import pkgutil
import socket

import anyio
import pytest

from krakenasync import ConfigurationError, KrakenClient
from krakenasync.client.exchanges import Broken, ConnectFailed, Timeouts
from krakenasync.client.origin import Origin
from krakenasync.client.transport import Delivery, Transport

from .peer import GET, Exchange, asking, hung_up_on, settle, with_exchange


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
        await exchange.holds(0)
        assert pool.statistics() == (0, 0, 0)

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
        assert pool.statistics() == (0, 0, 0)
        exchange.gate.set()
        await exchange.holds(0)
        with pytest.raises(ConnectFailed):
            await pool.exchange(asking(), Timeouts())

    with_exchange(test, connections=1)


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

"""When our own connections serve, and when httpx does: proxies, mocks, instruments, trio."""

import asyncio
import contextlib
import functools
import logging
import socket
import unittest.mock

import anyio
import httpx
import pytest
import respx

from krakenasync import ConfigurationError, KrakenClient
from krakenasync.client.over_httpx import ExpressTransport
from krakenasync.client.transport import Delivery, Transport
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import serving

from .peer import GET, OK, POST, Exchange, with_exchange


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
                assert express._express.statistics() == (0, 1, 0)
                with pytest.raises(httpx.LocalProtocolError):
                    await client.post(home.url, content=b"xy", headers={"Content-Length": "1"})
                with pytest.raises(httpx.LocalProtocolError):
                    await client.get(home.url, headers={"X": "a\nb"})
                assert express._serves(client.build_request("POST", home.url, content=b"x"))
                assert not express._serves(client.build_request("POST", home.url, content=stream()))

    asyncio.run(main())


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

    transport, ours = Transport("http://127.0.0.1:1"), "<Transport express http://127.0.0.1:1>"
    assert repr(transport) == ours
    with monkeypatch.context() as on:
        on.setattr(
            httpx.AsyncHTTPTransport, "handle_async_request", Proxy(httpx.AsyncHTTPTransport.handle_async_request)
        )
        assert repr(transport).startswith("<Transport httpx for ")
    assert repr(transport) == ours


def test_what_stands_in_httpx_s_place_may_be_from_nowhere():
    """A function that was made in a bare dictionary has no module."""
    made = {}
    exec("async def send(self, request, **options): ...", made)
    made.pop("__name__", None)
    with unittest.mock.patch.object(httpx.AsyncClient, "send", made["send"]):
        assert "httpx for" in repr(Transport("http://127.0.0.1:1"))
    with unittest.mock.patch.object(httpx.AsyncClient, "send", autospec=True):
        assert "httpx for" in repr(Transport("http://127.0.0.1:1"))


def test_a_request_that_wants_the_connection_closed_goes_httpx_s_way():
    """Ours would keep it; the peer, which does as it was asked, would hang up on the next request."""

    async def test(exchange, pool):
        async with httpx.AsyncClient(transport=ExpressTransport(exchange.url)) as http:
            for _ in range(2):
                assert (await http.get(exchange.url, headers={"Connection": "close"})).status_code == 200
            assert exchange.accepted == 2

    with_exchange(test)

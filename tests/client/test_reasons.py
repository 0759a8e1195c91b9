"""Why the network failed, in words."""

import asyncio
import base64
import errno
import socket
import ssl
import sys

import anyio
import httpx
import pytest
import trustme

from krakenasync import ConfigurationError, KrakenClient, NotSent, OrderNotPlaced, Unanswered
from krakenasync.client import exchanges as ours
from krakenasync.client.delivery import Delivery
from krakenasync.client.http1 import BadRequest, BadResponse
from krakenasync.client.reasons import unanswered, unreached
from krakenasync.client.transport import Transport
from krakenasync.protocol.messages import Message

GET = Message("GET", "/0/public/Time", {}, b"")
SECRET = base64.b64encode(b"s" * 64).decode()
PROXIED = "api.kraken.com:443 over a proxy"
INNER = ("Error", "Failed", "Errno", "Timeout", "Exception", "ssl.c", "errno")
"""What only a programmer of ours would want to read."""


def caused(error, cause):
    error.__cause__ = cause
    return error


def refused(*addresses):
    """What asyncio raises when each of several addresses refuses."""
    return OSError(
        "Multiple exceptions: " + ", ".join(f"[Errno {errno.ECONNREFUSED}] Connect call failed {a}" for a in addresses)
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "connection refused"),
        (caused(ours.ConnectFailed("x"), refused("::1", "127.0.0.1")), "connection refused"),
        (caused(httpx.ConnectError("x"), ExceptionGroup("all", [refused("::1")])), "connection refused"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no route to it"),
        (OSError(errno.EMFILE, "Too many open files"), "too many files"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "no host has that name"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "cannot be resolved just now"),
        (ours.ConnectTimeout("no connection in time"), "no connection within 5 s"),
        (caused(httpx.ConnectTimeout(""), TimeoutError()), "no connection within 5 s"),
        (ssl.SSLError(1, "made by hand"), "TLS failed"),
        (ours.ConnectFailed("this client was closed"), "this client was closed"),
        (httpx.ConnectError(""), "no reason given"),
    ],
    ids=repr,
)
def test_why_nothing_was_sent(error, said):
    """The reason is found in whatever the layers have made of it; host and port are named, the layers are not."""
    reason = unreached(error, "kraken.test:443", 5.0)
    assert reason.said.startswith("could not reach kraken.test:443: ")
    assert said in reason.said
    assert not any(word in reason.said for word in INNER)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ours.PoolTimeout("x"), "no connection to kraken.test:443 became free within 5 s"),
        (httpx.PoolTimeout(""), "no connection to kraken.test:443 became free within 5 s"),
        (BadRequest("a fragment"), "the request cannot be written: a fragment"),
        (httpx.ProxyError("407 Proxy Authentication Required"), "the proxy says 407"),
    ],
    ids=repr,
)
def test_what_is_not_the_hosts_fault(error, said):
    """A full pool, a request that is none, a proxy: the host is not blamed."""
    assert said in unreached(error, "kraken.test:443", 5.0).said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ours.ReadTimeout("x"), "h:1 gave no whole answer within 5 s"),
        (httpx.WriteTimeout(""), "h:1 gave no whole answer within 5 s"),
        (TimeoutError(), "h:1 gave no whole answer within 5 s"),
        (BadResponse("cut short"), "h:1 gave no whole answer: cut short"),
        (
            caused(ours.Broken("x"), ConnectionResetError(errno.ECONNRESET, "reset")),
            "the connection to h:1 broke before the answer arrived: it closed the connection",
        ),
        (httpx.ReadError(""), "the connection to h:1 broke before the answer arrived: no reason given"),
    ],
    ids=repr,
)
def test_why_no_answer_came(error, said):
    """The same of what was sent."""
    assert unanswered(error, "h:1", 5.0).said == said


def test_a_cause_that_leads_back_to_itself_ends():
    """Chains of causes may be circles."""
    error = httpx.ConnectError("round")
    caused(error, caused(OSError("and round"), error))
    assert "and round" in unreached(error, "h:1", 5.0).said


async def _failure(url, kind, within=2.0):
    transport = Transport(url, kind=kind)
    try:
        await transport.deliver(Delivery(message=GET), within)
    except (NotSent, Unanswered) as error:
        return error
    finally:
        await transport.aclose()
    raise AssertionError("it was answered")


@pytest.mark.parametrize("kind", ["express", "httpx"])
def test_real_failures_read_the_same_over_both_ways(kind, monkeypatch):
    """Refused, spoken to in the wrong language, not trusted: by our own connections and by httpx's."""
    monkeypatch.setenv("no_proxy", "*")
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(server_tls)

    async def plain(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def main():
        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        secure = await asyncio.start_server(plain, "localhost", 0, family=socket.AF_INET, ssl=server_tls)
        port, secure_port = (each.sockets[0].getsockname()[1] for each in (server, secure))
        async with server, secure:
            wrong = await _failure(f"https://127.0.0.1:{port}", kind)
            assert wrong.message == f"could not reach 127.0.0.1:{port}: it does not speak TLS"
            assert "begins with http://" in wrong.hint
            strange = await _failure(f"https://localhost:{secure_port}", kind)
            assert strange.message.startswith(
                f"could not reach localhost:{secure_port}: its certificate is not trusted"
            )
            assert "SSL_CERT_FILE" in strange.hint
        gone = await _failure(f"http://127.0.0.1:{port}", kind)
        assert gone.message == f"could not reach 127.0.0.1:{port}: connection refused"
        assert "is the address right" in gone.hint
        assert all(each.effect == "none" for each in (wrong, strange, gone))

    asyncio.run(main())


def test_trio_reads_the_same():
    """On trio, where httpx serves."""

    async def main():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        return (await _failure(f"http://127.0.0.1:{port}", "express")).message, port

    message, port = anyio.run(main, backend="trio")
    assert message == f"could not reach 127.0.0.1:{port}: connection refused"


def test_an_order_that_could_not_begin_tells_what_to_do_as_well():
    """Kraken's clock is read before anything is sent; what is wrong then is wrong with the way there."""

    async def main():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        async with KrakenClient("key", SECRET, base_url=f"http://127.0.0.1:{port}", max_attempts=1) as kraken:
            with pytest.raises(OrderNotPlaced) as caught:
                await kraken.place_order(pair="XBTUSD", type="buy", ordertype="market", volume="1", deadline=10)
        assert "connection refused" in caught.value.message
        assert "is anything running there?" in caught.value.hint

    asyncio.run(main())


def test_a_proxy_that_is_not_there_is_named():
    """Not the exchange's address is to be looked at then."""
    reason = unreached(OSError(errno.ECONNREFUSED, "refused"), PROXIED, 1.0)
    assert reason.hint is not None
    assert "HTTPS_PROXY" in reason.hint


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        (unreached(httpx.ProxyError("407 Proxy Authentication Required"), PROXIED, 1.0), "http://user:password@host"),
        (unreached(httpx.ProxyError("403 Forbidden"), PROXIED, 1.0), "does the proxy allow this host?"),
        (unanswered(httpx.ReadTimeout(""), PROXIED, 1.0), "does the proxy allow this host?"),
        (unanswered(httpx.RemoteProtocolError("disconnected"), PROXIED, 1.0), "does the proxy allow this host?"),
    ],
    ids=["password", "forbidden", "hangs", "hangs up"],
)
def test_a_proxy_that_does_not_let_pass_is_named(reason, hint):
    """It may want a password, forbid the host, or simply say nothing; neither TLS nor the address is to blame then."""
    assert hint in reason.hint
    assert "HTTPS_PROXY" in reason.hint


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "htp://127.0.0.1:9", "http://127.0.0.1:port"])
def test_a_proxy_that_cannot_be_used_is_an_error_of_ours(monkeypatch, proxy):
    """Not httpx's ImportError or ValueError, which nobody expects of a call."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy" if proxy.startswith("ht") else "all_proxy", proxy)
    monkeypatch.setitem(sys.modules, "socksio", None)

    async def main():
        async with KrakenClient(base_url="http://kraken.test", max_attempts=1) as kraken:
            with pytest.raises(ConfigurationError, match="the proxy that the environment names cannot be used"):
                await kraken.server_time()

    asyncio.run(main())

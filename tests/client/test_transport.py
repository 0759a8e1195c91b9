"""Bytes out, bytes in: every odd answer and every broken connection is a typed error, and nothing hangs."""

import asyncio
import socket
import traceback
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import anyio
import httpx
import pytest
import respx
from rich.pretty import pretty_repr

import krakenasync
from krakenasync import (
    ConfigurationError,
    InvalidArguments,
    KrakenClient,
    KrakenError,
    NotSent,
    ProtocolError,
    ServiceUnavailable,
    Unanswered,
)
from krakenasync.client.http1 import Response
from krakenasync.client.over_httpx import shared_tls
from krakenasync.client.queueing import Lane
from krakenasync.client.transport import Delivery, Transport
from krakenasync.errors import PermissionDenied, RateLimitExceeded
from krakenasync.protocol.messages import Message
from krakenasync.testing import run

GET = Message("GET", "/0/public/Time", {}, b"")
POST = Message("POST", "/0/private/Balance", {"API-Key": "k"}, b"nonce=1")

ODD = {
    "html": (httpx.Response(200, html="<!DOCTYPE html><html>Just a moment...</html>"), ProtocolError, "HTML"),
    "truncated": (httpx.Response(200, text='{"error":[],"result":{"ZUSD":"1'), ProtocolError, "envelope"),
    "empty": (httpx.Response(200, content=b""), ProtocolError, "empty body"),
    "null": (httpx.Response(200, text="null"), ProtocolError, "envelope"),
    "no result": (httpx.Response(200, text='{"error":["WGeneral:Careful"]}'), ProtocolError, "no result"),
    "another shape": (httpx.Response(200, text='{"error":[],"result":[1]}'), ProtocolError, "another shape"),
    "not utf-8": (httpx.Response(200, content=b'{"error":["\xff\xfe"]}'), ProtocolError, "envelope"),
    "deep": (httpx.Response(200, content=b"[" * 100_000), ProtocolError, "envelope"),
    "redirect": (httpx.Response(302, headers={"Location": "https://evil.test/"}), ProtocolError, "never followed"),
    "520": (
        httpx.Response(520, html="<html>Web server is returning an unknown error</html>"),
        ServiceUnavailable,
        "520",
    ),
    "500": (httpx.Response(500), ServiceUnavailable, "500"),
    "403": (httpx.Response(403, html="<html>Attention Required!</html>"), ProtocolError, "403"),
    "429": (httpx.Response(429), RateLimitExceeded, "429"),
    "refused with 403": (
        httpx.Response(403, json={"error": ["EGeneral:Permission denied"]}),
        PermissionDenied,
        "Permission denied",
    ),
    "badly zipped": (
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")),
        ProtocolError,
        "the answer cannot be read",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_is_a_typed_error(naive_kraken, name):
    """What is not Kraken's envelope is an error of its own kind that says what came instead."""
    response, error, says = ODD[name]

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", response)]
        with pytest.raises(error, match=says) as caught:
            await exchange.client(max_attempts=1).balance()
        assert caught.value.endpoint == "Balance"
        assert len(exchange.seen) == 1

    run(main)


@pytest.mark.parametrize("follows", [False, True])
def test_a_redirect_is_never_followed(naive_kraken, follows):
    """A redirect would hand the signed call to another host, so it is an error whatever the given client would do."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [
            ("Balance", httpx.Response(307, headers={"Location": "https://evil.test/0/private/Balance"}))
        ]
        given = httpx.AsyncClient(transport=httpx.MockTransport(exchange), follow_redirects=follows)
        with pytest.raises(ProtocolError) as caught:
            await exchange.client(http_client=given).balance()
        assert caught.value.status == 307
        assert [request.url.host for request in exchange.seen] == ["kraken.test"]

    run(main)


def test_a_slow_drip_is_cut_off():
    """An answer that comes byte by byte, each in time, still ends with the timeout."""

    class Drip(httpx.AsyncByteStream):
        async def __aiter__(self):
            while True:
                yield b" "
                await anyio.sleep(1.0)

    async def main(clock):
        given = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: httpx.Response(200, stream=Drip())))
        transport = Transport("http://kraken.test", http_client=given)
        with pytest.raises(Unanswered, match="no whole answer within 5 s"):
            await transport.deliver(Delivery(message=POST), 5.0)
        assert clock.monotonic() == pytest.approx(5.0)

    run(main)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (httpx.ConnectError("no route"), NotSent),
        (httpx.ConnectTimeout(""), NotSent),
        (httpx.PoolTimeout(""), NotSent),
        (httpx.ProxyError("407"), NotSent),
        (httpx.ReadTimeout(""), Unanswered),
        (httpx.WriteTimeout(""), Unanswered),
        (httpx.ReadError(""), Unanswered),
        (httpx.RemoteProtocolError("Server disconnected"), Unanswered),
        (httpx.DecodingError("gzip"), ProtocolError),
    ],
    ids=repr,
)
def test_every_network_failure_is_one_of_ours(raised, expected):
    """httpx's errors are told apart by whether Kraken can have seen the request, and kept as the cause."""

    async def main(_clock):
        def fails(_request):
            raise raised

        given = httpx.AsyncClient(transport=httpx.MockTransport(fails))
        with pytest.raises(expected) as caught:
            await Transport("http://kraken.test", http_client=given).deliver(Delivery(message=POST), 1.0)
        assert caught.value.__cause__ is raised
        assert type(raised).__name__ not in str(caught.value)
        assert str(caught.value)
        assert caught.value.effect == ("none" if expected is NotSent else "unknown")

    run(main)


def test_a_body_that_was_not_asked_for_was_not_sent():
    """When the connection breaks before the body is written, no whole request can have arrived."""

    class BreaksAtTheHead(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            raise httpx.WriteError("broken pipe", request=request)

    async def main(_clock):
        given = httpx.AsyncClient(transport=BreaksAtTheHead())
        transport = Transport("http://kraken.test", http_client=given)
        with pytest.raises(NotSent):
            await transport.deliver(Delivery(message=POST), 1.0)
        with pytest.raises(Unanswered):  # a GET is whole with its head
            await transport.deliver(Delivery(message=GET), 1.0)

    run(main)


@contextmanager
def listening(answer):
    """Listen on a loopback port and treat each connection as told."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _peer = server.accept()
            except OSError:
                return
            with connection:
                answer(connection)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def read_all(connection):
    """Read a request with its body and hang up."""
    data = b""
    while b"nonce=1" not in data:
        data += connection.recv(4096)


def test_a_refused_connection_was_not_sent():
    """Nobody listens: nothing was done."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

    async def main():
        transport = Transport(url)
        with pytest.raises(NotSent):
            await transport.deliver(Delivery(message=POST), 5.0)
        await transport.aclose()

    anyio.run(main)


def test_a_connection_closed_after_the_request_leaves_it_open():
    """The server took the whole request and hung up: it may have been carried out."""

    async def main(url):
        transport = Transport(url)
        with pytest.raises(Unanswered):
            await transport.deliver(Delivery(message=POST), 5.0)
        await transport.aclose()

    with listening(read_all) as url:
        anyio.run(main, url)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_transport_in_one_loop_after_the_other(backend):
    """A client that outlives an event loop works in the next one, with connections of that loop."""

    def answers(connection):
        read_all(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        while True:
            if not connection.recv(4096):
                return

    async def main(transport):
        assert (await transport.deliver(Delivery(message=POST), 5.0)).body == b"{}"
        await (transport._ours() or transport._theirs()).aclose()

    def once_more(transport):
        anyio.run(main, transport, backend=backend)

    with listening(answers) as url:
        transport = Transport(url)
        once_more(transport)
        once_more(transport)


def test_a_closed_client_says_so(naive_kraken):
    """After aclose a call is an error that says what to do."""

    async def main(clock):
        kraken = naive_kraken(clock).client()
        await kraken.aclose()
        await kraken.aclose()
        with pytest.raises(ConfigurationError, match="closed"):
            await kraken.server_time()

    run(main)


def test_a_given_client_is_not_closed(naive_kraken):
    """Whoever hands an httpx client in closes it; one that is closed already is a clear error."""

    async def main(clock):
        exchange = naive_kraken(clock)
        async with httpx.AsyncClient(transport=httpx.MockTransport(exchange)) as given:
            async with exchange.client(http_client=given) as kraken:
                await kraken.server_time()
            assert not given.is_closed
            other = exchange.client(http_client=given)
        with pytest.raises(ConfigurationError, match="http_client"):
            await other.server_time()

    run(main)


def test_a_prefix_of_the_base_url_is_not_signed(naive_kraken):
    """With a proxy's path prefix the URL grows, the signature stays over /0/...; bytes sent are the bytes signed."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client(base_url="http://proxy.test/kraken/")
        await kraken.balance()
        request = exchange.seen[0]
        assert str(request.url) == "http://proxy.test/kraken/0/private/Balance"
        nonce = exchange.sent()["nonce"]
        signed = kraken._road.credentials.signer.sign("/0/private/Balance", nonce, request.content)
        assert request.headers["API-Sign"] == signed

    run(main)


def test_the_stock_transport_is_used(respx_mock):
    """Without a client of the caller's, httpx's own transport carries the call, with our name on it."""
    route = respx_mock.get("https://api.kraken.com/0/public/Time").respond(
        json={"error": [], "result": {"unixtime": 1780000000, "rfc1123": "Thu, 28 May 26 20:26:40 +0000"}}
    )

    async def main():
        async with KrakenClient() as kraken:
            await kraken.server_time()

    anyio.run(main)
    assert route.calls.last.request.headers["User-Agent"].startswith("krakenasync/")
    assert "API-Key" not in route.calls.last.request.headers
    assert isinstance(respx_mock, respx.MockRouter)


@pytest.mark.parametrize(
    "url",
    ["api.kraken.com", "", "ftp://api.kraken.com", "http://", "http://x:99999", "https://x/?a=1", "https://u@x", None],
)
def test_a_base_url_that_cannot_work(url):
    """A base URL without scheme or host, or with parts that make no sense, is refused when the client is made."""
    with pytest.raises(ConfigurationError, match="base_url"):
        Transport(url)


def test_many_public_calls_wait_for_a_place_and_not_in_the_pool():
    """No more than a hundred public requests are handed to httpx at once."""
    flying = []

    async def slow(_request):
        flying.append(1)
        await anyio.sleep(1.0)
        return httpx.Response(200, text="{}")

    async def main(clock):
        transport = Transport(
            "http://kraken.test", http_client=httpx.AsyncClient(transport=httpx.MockTransport(slow)), connections=3
        )

        async def call():
            places = transport.places()
            if places.begin_nowait() is None:
                await places.begin(Lane.NORMAL)
            await transport.deliver(Delivery(message=GET), 10.0)
            places.end(0)

        async with anyio.create_task_group() as tasks:
            for _ in range(9):
                tasks.start_soon(call)
            await anyio.sleep(0.5)
            assert len(flying) == 3
        assert clock.monotonic() == pytest.approx(3.0)
        assert repr(transport) == "<Transport httpx http://kraken.test>"

    run(main)


def test_a_glance_at_a_reply_does_not_show_its_body():
    """It may be a token."""
    answer = Response(200, [], b"secret", reusable=True)
    assert repr(answer) == "<Response 200, 6 bytes>"
    assert pretty_repr(answer) == "Response(status=200)"


@pytest.mark.parametrize(("asked_for", "error"), [(True, Unanswered), (False, NotSent)])
def test_a_protocol_that_breaks_halfway(asked_for, error):
    """httpx calls it the client's fault; over HTTP/2 also when the request had left already, and was carried out."""

    class Breaking(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            if asked_for:
                await request.aread()
            raise httpx.LocalProtocolError("invalid frame")

    async def main():
        transport = Transport("http://kraken.test", http_client=httpx.AsyncClient(transport=Breaking()))
        with pytest.raises(error, match="invalid frame"):
            await transport.deliver(Delivery(message=POST), 1.0)

    anyio.run(main)


@pytest.mark.parametrize("kind", ["express", "httpx"])
def test_a_store_of_certificates_that_cannot_be_read(monkeypatch, kind):
    """The environment may name another one; if it is not there, the error says which, and nothing is sent."""
    shared_tls.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", "/not/there.pem")

    async def main():
        with pytest.raises(ConfigurationError, match="cannot be loaded"):
            await Transport("https://127.0.0.1:1", kind=kind).deliver(Delivery(message=POST), 1.0)

    anyio.run(main)


@pytest.mark.parametrize("kind", ["express", "httpx"])
@pytest.mark.parametrize("answer", [b"", b"nonsense"])
def test_a_traceback_with_locals_tells_no_secret(secrets_of_the_key, kind, answer):
    """Some tools show the local variables of each frame: neither key nor signature nor second factor is among ours."""
    key, secret, *_ = secrets = (*secrets_of_the_key, "246813", "API-Sign")

    def hang_up(connection):
        connection.recv(65536)
        connection.sendall(answer)

    async def ask(url):
        kraken = KrakenClient(key, secret, base_url=url, transport=kind, otp="246813", max_attempts=1)
        try:
            await kraken.balance()
        finally:
            await kraken.aclose()

    with listening(hang_up) as url, pytest.raises(Unanswered) as caught:
        anyio.run(ask, url)
    ours = frames_of(caught.value)
    assert {frame.name for frame in ours} >= {"travel", "_attempt", "_deliver", "deliver"}
    assert not [word for word in secrets for frame in ours if word in str(frame.locals)]


@pytest.mark.parametrize(
    "told", ['{"error":[],"result":{"token":"SEC","expires":"?"}}', '{"error":["E:x"],"token":"SEC"}']
)
def test_a_traceback_over_an_answer_tells_no_token(told):
    """An answer that cannot be used may hold one all the same."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: httpx.Response(200, text=told)))

    async def ask():
        kraken = KrakenClient("key", "c2VjcmV0", base_url="http://kraken.test", http_client=http, max_attempts=1)
        await kraken.get_websockets_token()

    with pytest.raises(KrakenError) as caught:
        anyio.run(ask)
    assert not [frame for frame in frames_of(caught.value) if "SEC" in str(frame.locals)]


def frames_of(error):
    """Our own frames below an error and its causes, with their locals."""
    told, ours = traceback.TracebackException.from_exception(error, capture_locals=True), []
    while told is not None:
        ours += [
            frame for frame in told.stack if Path(frame.filename).is_relative_to(Path(krakenasync.__file__).parent)
        ]
        told = told.__cause__
    return ours


@pytest.mark.parametrize("kind", ["express", "httpx"])
@pytest.mark.parametrize("otp", ["246813\u2192", "246813\r\nX: y", "246813\udcff"])
def test_a_second_factor_that_no_header_can_hold(secrets_of_the_key, kind, otp):
    """It is refused before anything is sent, in words, and no frame of ours tells it."""
    key, secret, *_ = secrets = (*secrets_of_the_key, "246813", "API-Sign")

    async def ask():
        kraken = KrakenClient(key, secret, base_url="http://127.0.0.1:1", transport=kind, otp=otp, max_attempts=1)
        try:
            await kraken.funding_beta_addresses_list()
        finally:
            await kraken.aclose()

    with pytest.raises(InvalidArguments) as caught:
        anyio.run(ask)
    assert "246813" not in str(caught.value)
    assert not [word for word in secrets for frame in frames_of(caught.value) if word in str(frame.locals)]


def test_nothing_that_led_to_the_refusal_tells_a_second_factor(secrets_of_the_key, all_told):
    """Not the suppressed error either, whose frames hold the body and whose own words the text."""
    key, secret, *_ = secrets_of_the_key
    kraken = KrakenClient(key, secret, base_url="http://127.0.0.1:1", otp="246813\udcff", max_attempts=1)
    with pytest.raises(InvalidArguments, match="lone surrogate") as caught:
        anyio.run(kraken.balance)
    assert not [text for text in all_told(caught.value) if "246813" in text]


def test_an_error_nobody_expected_while_signing_shows_no_secret(secrets_of_the_key, monkeypatch, all_told):
    """What composes a message holds the second factor; where the bug is, a note says."""
    kraken = KrakenClient(*secrets_of_the_key[:2], base_url="http://127.0.0.1:1", otp="246813", max_attempts=1)
    monkeypatch.setattr("krakenasync.protocol.messages.encode", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        anyio.run(kraken.balance)
    assert not shows(all_told(caught.value), secrets_of_the_key)
    assert "in compose" in str(caught.value.__notes__)


def shows(texts, secrets):
    """Those texts that hold a part of a signed request: either half of the key, second factor, signature, body."""
    return [text for text in texts if any(word in text for word in (*secrets, "246813", "API-Sign", "nonce="))]


@pytest.fixture
def refusing(monkeypatch):
    """A system that takes no signed request: its connection was reset a moment ago."""
    send = socket.socket.send

    def refuse(self, data, *flags):
        if b"API-Sign" in data or b"nonce=" in data:
            raise ConnectionResetError(104, "Connection reset by peer")
        return send(self, data, *flags)

    monkeypatch.setattr(socket.socket, "send", refuse)


@pytest.mark.parametrize("kind", ["express", "httpx"])
@pytest.mark.parametrize("call", ["balance", "cancel_all"])
def test_a_write_that_the_system_refuses_shows_no_request(secrets_of_the_key, refusing, kind, call, all_told):
    """The frames that wrote hold it whole; what the system said stays."""

    async def ask(kraken):
        try:
            await getattr(kraken, call)()
        finally:
            await kraken.aclose()

    with listening(lambda connection: connection.recv(1)) as url:
        kraken = KrakenClient(*secrets_of_the_key[:2], base_url=url, transport=kind, otp="246813", max_attempts=1)
        with pytest.raises(KrakenError) as caught:
            anyio.run(ask, kraken)
    shown = all_told(caught.value)
    assert not shows(shown, secrets_of_the_key)
    assert any("ConnectionResetError(104, 'Connection reset by peer')" in text for text in shown)


class Failing(httpx.AsyncBaseTransport):
    """Takes a request apart, as httpx's own transport does on its way out, and fails."""

    def __init__(self, error):
        self.error = error

    async def handle_async_request(self, request):
        body, head = await request.aread(), dict(request.headers)
        try:
            self.write(head, body)
        except OSError as error:
            raise self.error from error

    def write(self, _head, _body):
        raise OSError("below")


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("x"),
        httpx.ReadError("x"),
        httpx.WriteTimeout("x"),
        httpx.DecodingError("x"),
        TimeoutError("x"),
        ZeroDivisionError("x"),
        anyio.BrokenResourceError("x"),
        KeyboardInterrupt("x"),
    ],
    ids=repr,
)
def test_what_fails_below_a_given_client_shows_no_request(secrets_of_the_key, error, all_told):
    """Whatever it is, expected or not: httpx and a transport hold head and body in their frames."""
    given = httpx.AsyncClient(transport=Failing(error))
    kraken = KrakenClient(*secrets_of_the_key[:2], base_url="http://kraken.test", http_client=given, otp="246813")
    with pytest.raises((KrakenError, type(error))) as caught:
        anyio.run(kraken.with_options(max_attempts=1).balance)
    assert not shows(all_told(caught.value), secrets_of_the_key)
    if isinstance(error, (ZeroDivisionError, anyio.BrokenResourceError)):
        assert "in handle_async_request" in str(error.__notes__), "where the bug is"


def test_a_cancellation_shows_no_request(secrets_of_the_key, all_told):
    """It comes up through all frames of httpx that were at work."""

    class Waiting(Failing):
        async def handle_async_request(self, request):
            body, head = await request.aread(), dict(request.headers)
            self.error.set()
            await anyio.sleep_forever()
            return body, head

    async def ask(kraken, began):
        call = asyncio.ensure_future(kraken.balance())
        await began.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await call
        return caught.value

    async def main(*key):
        began = asyncio.Event()
        given = httpx.AsyncClient(transport=Waiting(began))
        return await ask(KrakenClient(*key, base_url="http://kraken.test", http_client=given, otp="246813"), began)

    assert not shows(all_told(asyncio.run(main(*secrets_of_the_key[:2]))), secrets_of_the_key)


@pytest.mark.parametrize("kind", ["express", "httpx"])
def test_what_the_caller_was_handling_keeps_its_traceback(secrets_of_the_key, refusing, kind):
    """A call made while an error is handled may fail, with that error in its chain: it is the caller's."""

    def fail():
        raise LookupError("the caller's")

    async def ask(kraken):
        try:
            fail()
        except LookupError as handled:
            with pytest.raises(Unanswered):
                await kraken.balance()
            return handled
        finally:
            await kraken.aclose()

    with listening(lambda connection: connection.recv(1)) as url:
        kraken = KrakenClient(*secrets_of_the_key[:2], base_url=url, transport=kind, max_attempts=1)
        handled = anyio.run(ask, kraken)
    assert [frame.name for frame in traceback.extract_tb(handled.__traceback__)] == ["ask", "fail"]


def test_a_message_that_cannot_be_written_is_not_shown():
    """What cannot stand in a head is refused as not sent; the frames that wrote it are not kept."""

    async def main():
        message = Message("POST", "/0/private/x", {"API-OTP": "a\r\nb: c"}, b"x", "KEY", "SIGN", "text/plain")
        with pytest.raises(NotSent, match="HTTP does not allow") as caught:
            await Transport("http://127.0.0.1:1").deliver(Delivery(message=message), 1.0)
        assert {frame.name for frame in frames_of(caught.value)} == {"deliver"}

    anyio.run(main)


def test_points_of_a_body_that_was_read_are_not_given_back():
    """A transport of the caller's may have sent it before it failed to connect once more."""

    async def main(_clock):
        given = httpx.AsyncClient(transport=httpx.MockTransport(raising(httpx.ConnectError("again"))))
        for message, left in ((POST, True), (GET, False)):
            delivery = Delivery(message=message)
            with pytest.raises(NotSent):
                await Transport("http://kraken.test", http_client=given).deliver(delivery, 1.0)
            assert delivery.left is left

    run(main)


def raising(error):
    """Answer a request with an error."""

    def answer(_request):
        raise error

    return answer

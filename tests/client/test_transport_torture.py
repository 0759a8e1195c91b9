"""Our connections and httpx's own, side by side before a server that misbehaves: the same results, the same errors.

Where the two differ on purpose, the case says why.
"""

import asyncio
import contextlib
import datetime as dt
import gc
import gzip
import random
import socket
import ssl
import struct
import zlib

import httpx
import pytest
import trustme

from krakenasync.client.http1 import Bounds
from krakenasync.client.over_httpx import ExpressTransport

BOTH = pytest.mark.parametrize("kind", ["express", "httpx"])
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
HEADS_LIMIT = 100 * 1024


def transport(kind, url, *, connections=10, tls=None):
    """Make one of the two."""
    if kind == "express":
        return ExpressTransport(url, connections=connections, tls=(lambda: tls) if tls else None)
    return httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=connections), verify=tls or False)


class Peer:
    """A server that does what the test says with each connection: `await script(peer, reader, writer)`."""

    def __init__(self, script, *, tls=None):
        self.script, self.tls = script, tls
        self.accepted = 0
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls, limit=2**25)
        scheme = "https" if self.tls else "http"
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_error):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self.accepted += 1
        self._tasks.add(asyncio.current_task())
        try:
            # Cancelled is a script that the test no longer needs.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.script(self, reader, writer)
        finally:
            writer.transport.abort()


async def whole_request(reader):
    """Read a request to its end and return its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return await reader.readexactly(int(length or 0))


async def gone(reader):
    """Wait until the client hangs up."""
    while await reader.read(2**16):
        pass


async def pause():
    """Let everybody else do what can be done now."""
    for _ in range(3):
        await asyncio.sleep(0)


async def hang_up(writer):
    """Send what is left, then the end."""
    writer.write_eof()


def reset(writer):
    """Break the connection off."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def says(*parts, ends=False):
    """Make a script: answer each request with these parts, one read for each, then hang up or go on."""

    async def script(_peer, reader, writer):
        while True:
            await whole_request(reader)
            for part in parts:
                writer.write(part)
                await pause()
            if ends:
                await hang_up(writer)
                await gone(reader)
                return

    return script


async def ask(client, url, body=b"nonce=1", **settings):
    """Make a request; return what a caller sees of the answer, or the error's class."""
    try:
        response = await client.post(url, content=body, **settings)
    except httpx.HTTPError as error:
        return type(error)
    return response.status_code, response.content


async def outcome(kind, script, **settings):
    async with Peer(script) as peer, httpx.AsyncClient(transport=transport(kind, peer.url)) as client:
        return await ask(client, peer.url, **{"timeout": 2.0, **settings})


def heads(rest, body=b"hello"):
    return b"HTTP/1.1 200 OK\r\n" + rest + b"\r\n\r\n" + body


OK = (200, b"hello")
BAD = httpx.RemoteProtocolError
ANSWERS = {  # name -> what is sent, whether the end follows, what comes of it with us [, with httpx and why]
    "plain": (PLAIN, False, OK),
    "chunked": (CHUNKED, False, OK),
    "chunk extension and trailer": (
        CHUNKED.replace(b"3\r\n", b"3;a=b\r\n").replace(b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n"),
        False,
        OK,
    ),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", False, (204, b"")),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", False, (304, b"")),
    "no reason": (b"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello", False, OK),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + PLAIN, False, OK),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", True, OK),
    "close": (heads(b"Connection: close\r\nContent-Length: 5"), True, OK),
    "ends with the connection": (heads(b"Server: x"), True, OK),
    "502": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nhello", False, (502, b"hello")),
    "gzip": (heads(b"Content-Encoding: gzip\r\nContent-Length: 25", gzip.compress(b"hello", mtime=0)), False, OK),
    "deflate": (heads(b"Content-Encoding: deflate\r\nContent-Length: 13", zlib.compress(b"hello")), False, OK),
    "broken gzip": (heads(b"Content-Encoding: gzip\r\nContent-Length: 5"), False, httpx.DecodingError),
    "garbage behind": (PLAIN + b"garbage", False, OK),
    "an answer behind": (PLAIN + PLAIN, False, OK),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n", True, BAD),
    "a TLS alert": (b"\x15\x03\x01\x00\x02\x02\x28", True, BAD),
    "nothing": (b"", True, BAD),
    "half a body": (heads(b"Content-Length: 6"), True, BAD),
    "endless head": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (HEADS_LIMIT + 2**17), False, BAD),
    "endless headers": (b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 40_000, False, BAD),
    "two lengths": (heads(b"Content-Length: 5\r\nContent-Length: 6"), False, BAD),
    "negative length": (heads(b"Content-Length: -5"), False, BAD),
    "signed length": (heads(b"Content-Length: +5"), False, BAD),
    "hexadecimal length": (heads(b"Content-Length: 0x5"), False, BAD),
    "empty length": (heads(b"Content-Length:"), False, BAD),
    "coding besides chunked": (heads(b"Transfer-Encoding: gzip, chunked"), False, BAD),
    "coding after chunked": (heads(b"Transfer-Encoding: chunked, gzip"), False, BAD),
    "chunked twice": (
        heads(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        False,
        BAD,
    ),
    "coding in a trailer": (
        heads(b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n"),
        False,
        BAD,
    ),
    "length in a trailer": (
        heads(b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"),
        False,
        BAD,
        (OK, "h11 passes over it; no sender may write it, RFC 9110, 6.5.1"),
    ),
    "chunk longer than said": (heads(b"Transfer-Encoding: chunked", b"5\r\nhelloX\r\n0\r\n\r\n"), False, BAD),
    "negative chunk": (heads(b"Transfer-Encoding: chunked", b"-5\r\nhello\r\n0\r\n\r\n"), False, BAD),
    "chunk that is no number": (heads(b"Transfer-Encoding: chunked", b"g\r\nhello\r\n0\r\n\r\n"), False, BAD),
    "huge chunk": (heads(b"Transfer-Encoding: chunked", b"f" * 30 + b"\r\nhello"), False, BAD),
    "no last chunk": (heads(b"Transfer-Encoding: chunked", b"5\r\nhello\r\n"), True, BAD),
    "space before the colon": (heads(b"Content-Length : 5"), False, BAD),
    "a zero in a header": (heads(b"X: \0\r\nContent-Length: 5"), False, BAD),
    "status of four digits": (b"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello", False, BAD),
    "an upgrade": (b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", False, BAD),
    "length and chunked": (
        heads(b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        False,
        BAD,
        (OK, "h11 lets chunked win; a proxy between may have let the length win, RFC 9112, 6.3"),
    ),
    "the same length twice": (
        heads(b"Content-Length: 5\r\nContent-Length: 5"),
        False,
        BAD,
        (OK, "h11 takes one for the other, as RFC 9110, 8.6, allows; llhttp refuses, which it allows too"),
    ),
    "lengths in a list": (
        heads(b"Content-Length: 5, 5"),
        False,
        BAD,
        (OK, "as above"),
    ),
    "huge length": (
        heads(b"Content-Length: 99999999999999999999999999"),
        True,
        BAD,
        (BAD, "both refuse: httpx when the body ends, we at the head"),
    ),
    "bare line feeds": (
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        False,
        BAD,
        (OK, "RFC 9112, 2.2, lets a reader choose; whoever takes them may disagree with one who does not"),
    ),
    "folded header": (
        heads(b"X: a\r\n b\r\nContent-Length: 5"),
        False,
        BAD,
        (OK, "obsolete since 2014, RFC 9112, 5.2"),
    ),
    "gzip cut short": (
        heads(b"Content-Encoding: gzip\r\nContent-Length: 20", gzip.compress(b"hello" * 99, mtime=0)[:20]),
        False,
        None,  # decoded by httpx in both: what `deliver` makes of it is in test_connections.py
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(name):
    """What a server may send, and must not, comes to the same with both."""
    data, ends, expected, *other = ANSWERS[name]

    async def main():
        mine = await outcome("express", says(data, ends=ends))
        stock = await outcome("httpx", says(data, ends=ends))
        if expected is None:
            assert mine == stock
        else:
            assert mine == expected
            assert stock == (other[0][0] if other else expected)

    asyncio.run(main())


@BOTH
@pytest.mark.parametrize("data", [PLAIN, CHUNKED], ids=["plain", "chunked"])
def test_every_split_into_two_reads(kind, data):
    """Wherever the network cuts an answer in two, it is the same answer."""
    cuts = iter(range(1, len(data)))

    async def script(_peer, reader, writer):
        for at in cuts:
            await whole_request(reader)
            writer.write(data[:at])
            await pause()
            writer.write(data[at:])
        await gone(reader)

    async def main():
        async with Peer(script) as peer, httpx.AsyncClient(transport=transport(kind, peer.url)) as client:
            for _ in range(1, len(data)):
                assert await ask(client, peer.url) == OK
            assert peer.accepted == 1

    asyncio.run(main())


@BOTH
@pytest.mark.parametrize("data", [PLAIN, CHUNKED], ids=["plain", "chunked"])
def test_a_slow_drip(kind, data):
    """An answer that comes byte by byte is the same answer."""

    async def main():
        assert await outcome(kind, says(*[data[at : at + 1] for at in range(len(data))])) == OK

    asyncio.run(main())


@BOTH
@pytest.mark.parametrize("data", [PLAIN, CHUNKED], ids=["plain", "chunked"])
@pytest.mark.parametrize("how", ["end", "reset"])
def test_a_connection_that_ends_at_each_byte(kind, data, how):
    """A part of an answer is never taken for an answer."""
    ends = iter(range(len(data)))

    async def script(_peer, reader, writer):
        await whole_request(reader)
        writer.write(data[: next(ends)])
        await pause()
        if how == "reset":
            reset(writer)
        else:
            await hang_up(writer)
            await gone(reader)

    async def main():
        expected = httpx.ReadError if how == "reset" else httpx.RemoteProtocolError
        async with Peer(script) as peer, httpx.AsyncClient(transport=transport(kind, peer.url)) as client:
            for _ in range(len(data)):
                assert await ask(client, peer.url) is expected
            assert peer.accepted == len(data)

    asyncio.run(main())


@BOTH
def test_a_peer_that_has_said_all_it_will_say(kind):
    """A whole answer with the end behind it is an answer; the next request takes another connection."""

    async def main():
        async with (
            Peer(says(PLAIN, ends=True)) as peer,
            httpx.AsyncClient(transport=transport(kind, peer.url)) as client,
        ):
            for _ in range(3):
                assert await ask(client, peer.url) == OK
                await asyncio.sleep(0.01)
            assert peer.accepted == 3

    asyncio.run(main())


def test_what_follows_an_answer_is_not_taken_for_the_next_one():
    """A second answer behind the first one: ours never reads from that connection again.

    httpx's own keeps the bytes and hands them out as the answer to the next request: a difference that is wanted.
    """
    poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

    async def second(kind, *parts):
        async with (
            Peer(says(*parts)) as peer,
            httpx.AsyncClient(transport=transport(kind, peer.url)) as client,
        ):
            assert await ask(client, peer.url) == OK
            await pause()
            return await ask(client, peer.url), peer.accepted

    async def main():
        assert await second("express", PLAIN + poison) == (OK, 2)
        assert await second("express", PLAIN, poison) == (OK, 2)
        assert await second("httpx", PLAIN + poison) == ((200, b"poison"), 1)

    asyncio.run(main())


@BOTH
def test_a_connection_that_died_at_rest(kind):
    """A kept connection that the peer has closed is not used again, and nobody notices."""

    async def script(_peer, reader, writer):
        await whole_request(reader)
        writer.write(PLAIN)
        await pause()
        reset(writer)

    async def main():
        async with Peer(script) as peer, httpx.AsyncClient(transport=transport(kind, peer.url)) as client:
            for _ in range(3):
                assert await ask(client, peer.url) == OK
                await asyncio.sleep(0.01)
            assert peer.accepted == 3

    asyncio.run(main())


@BOTH
def test_an_answer_before_the_request_is_complete(kind):
    """A server that refuses a large body halfway is heard; ours then stops sending, httpx's sends it to the end."""
    body = b"x" * 20_000_000

    async def script(_peer, reader, writer):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nhello")
            await reader.readexactly(len(body))

    async def main():
        async with Peer(script) as peer, httpx.AsyncClient(transport=transport(kind, peer.url)) as client:
            for _ in range(2):
                assert await ask(client, peer.url, body, timeout=5.0) == (413, b"hello")
            assert peer.accepted == (2 if kind == "express" else 1)

    asyncio.run(main())


@BOTH
def test_a_server_that_refuses_a_large_body_and_hangs_up(kind):
    """What it said before it closed the connection is the answer, not the broken pipe."""

    async def script(_peer, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
        await hang_up(writer)
        await gone(reader)

    async def main():
        assert await outcome(kind, script, body=b"x" * 20_000_000, timeout=5.0) == (413, b"hello")

    asyncio.run(main())


async def never(_peer, reader, _writer):
    """Read and say nothing."""
    await gone(reader)


async def deaf(_peer, _reader, writer):
    """Neither read nor say anything."""
    writer.transport.pause_reading()
    await asyncio.sleep(60)


@BOTH
def test_timeouts(kind):
    """Each stage that takes too long has its own error."""

    async def main():
        assert await outcome(kind, never, timeout=httpx.Timeout(2.0, read=0.02)) is httpx.ReadTimeout
        slow_upload = {"body": b"x" * 20_000_000, "timeout": httpx.Timeout(2.0, write=0.02)}
        assert await outcome(kind, deaf, **slow_upload) is httpx.WriteTimeout
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            url = f"https://127.0.0.1:{nobody.getsockname()[1]}"
            async with httpx.AsyncClient(transport=transport(kind, url)) as client:
                assert await ask(client, url, timeout=httpx.Timeout(2.0, connect=0.02)) is httpx.ConnectTimeout
        url = f"http://127.0.0.1:{nobody.getsockname()[1] if nobody.fileno() >= 0 else 1}"
        async with httpx.AsyncClient(transport=transport(kind, url)) as client:
            assert await ask(client, url) is httpx.ConnectError

    asyncio.run(main())


@BOTH
def test_no_connection_becomes_free(kind):
    """At the cap a request waits for a connection, and not for ever."""

    async def main():
        async with (
            Peer(never) as peer,
            httpx.AsyncClient(transport=transport(kind, peer.url, connections=1)) as client,
        ):
            first = asyncio.ensure_future(ask(client, peer.url, timeout=2.0))
            await asyncio.sleep(0.01)
            assert await ask(client, peer.url, timeout=httpx.Timeout(2.0, pool=0.02)) is httpx.PoolTimeout
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            assert peer.accepted == 1

    asyncio.run(main())


@BOTH
def test_a_read_timeout_begins_anew_with_every_read(kind):
    """httpx's read timeout is for the silence between two reads, not for the whole answer."""

    async def script(_peer, reader, writer):
        await whole_request(reader)
        for at in range(len(PLAIN)):
            writer.write(PLAIN[at : at + 1])
            await asyncio.sleep(0.004)

    async def main():
        assert await outcome(kind, script, timeout=httpx.Timeout(2.0, read=0.1)) == OK

    asyncio.run(main())


CA = trustme.CA()
STRANGER = trustme.CA()


def secured(certificate):
    """Make a server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def trusting(authority):
    """Make a client's context."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
CERTIFICATES = {
    "good": (CA, ["127.0.0.1"], {}, OK),
    "another host": (CA, ["api.kraken.test"], {}, httpx.ConnectError),
    "expired": (CA, ["127.0.0.1"], {"not_after": YESTERDAY}, httpx.ConnectError),
    "unknown authority": (STRANGER, ["127.0.0.1"], {}, httpx.ConnectError),
}


@BOTH
@pytest.mark.parametrize("name", CERTIFICATES)
def test_tls(kind, name):
    """Only a valid certificate for this very host, from a trusted authority, gets to see a request."""
    authority, hosts, terms, expected = CERTIFICATES[name]
    seen = []

    async def script(_peer, reader, writer):
        while True:
            seen.append(await whole_request(reader))
            writer.write(PLAIN)

    async def main():
        tls = secured(authority.issue_cert(*hosts, **terms))
        async with (
            Peer(script, tls=tls) as peer,
            httpx.AsyncClient(transport=transport(kind, peer.url, tls=trusting(CA))) as client,
        ):
            for _ in range(2):
                assert await ask(client, peer.url) == expected
        assert len(seen) == (2 if expected == OK else 0)

    asyncio.run(main())


@BOTH
def test_tls_that_ends_at_some_bytes(kind):
    """Over TLS, too, a part of an answer is never taken for an answer."""
    ends = iter([0, 1, 20, len(PLAIN) - 1])

    async def script(_peer, reader, writer):
        await whole_request(reader)
        writer.write(PLAIN[: next(ends)])
        await pause()
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), 1)

    async def main():
        async with (
            Peer(script, tls=secured(CA.issue_cert("127.0.0.1"))) as peer,
            httpx.AsyncClient(transport=transport(kind, peer.url, tls=trusting(CA))) as client,
        ):
            for _ in range(4):
                assert await ask(client, peer.url, timeout=2.0) is httpx.RemoteProtocolError

    asyncio.run(main())


def echoing(chance):
    """Make a script that sends each request's body back, in two parts, now or a little later; some hang up then."""

    async def script(_peer, reader, writer):
        while True:
            body = await whole_request(reader)
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            cut = chance.randrange(len(body))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:cut])
            for _ in range(chance.randrange(2)):
                await asyncio.sleep(0)
            writer.write(body[cut:])
            if chance.random() < 0.05:
                return

    return script


async def at_random_cancelled(chance, calls):
    """Run the calls at once, cancel some of them at any step, and return the others' results."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        if chance.random() < 0.3:
            chance.choice(tasks).cancel()
    return [task.result() for task in tasks if not task.cancelled()]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_random_cancellation(secure):
    """Of 10,000 requests, half of them here, some are cancelled at any step: no answer and no place is lost."""
    chance = random.Random(7)
    tls = secured(CA.issue_cert("127.0.0.1")) if secure else None

    async def main():
        async with Peer(echoing(chance), tls=tls) as peer:
            express = transport("express", peer.url, connections=8, tls=trusting(CA) if secure else None)
            client = httpx.AsyncClient(transport=express, timeout=5.0)

            async def call(number):
                body = b"id=%d" % number
                result = await ask(client, peer.url, body)
                # A peer that hangs up after an answer may do so under the next request.
                assert result in {(200, body), httpx.RemoteProtocolError, httpx.ReadError}
                return result

            results = []
            for first in range(0, 5_000, 100):
                results += await at_random_cancelled(chance, map(call, range(first, first + 100)))
            answered = sum(isinstance(result, tuple) for result in results)
            assert 750 < answered <= len(results) < 5_000
            pool = express._express
            active, idle, waiting = pool.statistics()
            assert (active, waiting) == (0, 0)
            assert idle <= 8
            await client.aclose()
            assert not pool._open

    asyncio.run(main())
    gc.collect()  # a socket that nobody closed would warn now


def test_a_body_greater_than_the_bound():
    """What would fill the memory is refused, at the head if it says so and at the bound if not."""

    async def refused(data):
        async with Peer(says(data, ends=True)) as peer:
            express = ExpressTransport(peer.url, bounds=Bounds(body=4))
            async with httpx.AsyncClient(transport=express) as client:
                return await ask(client, peer.url)

    async def main():
        assert await refused(PLAIN) is httpx.RemoteProtocolError
        assert await refused(CHUNKED) is httpx.RemoteProtocolError
        assert await refused(heads(b"Server: x")) is httpx.RemoteProtocolError

    asyncio.run(main())

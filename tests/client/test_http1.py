"""HTTP/1.1 without a network: what is read, what is refused, and that nothing makes the reader crash or hang."""

import itertools

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from krakenasync.client.http1 import (
    BadRequest,
    BadResponse,
    Bounds,
    Reader,
    Response,
    plain,
    request,
)

SMALL = Bounds(head=300, body=1000)
PLAIN = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n3;why=not\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: t\r\n\r\n"
)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + PLAIN
NO_CONTENT = b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n"
WHOLE = {"plain": (PLAIN, 200), "chunked": (CHUNKED, 201), "interim": (INTERIM, 200)}
UNENDED = b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello"


def read(*parts, bounds=SMALL):
    """Feed the parts one by one and return what the last one gave."""
    reader, response = Reader(bounds), None
    for part in parts:
        response = reader.feed(memoryview(part))
    return response


def heads(rest, body=b"hello"):
    """Write an answer with other header lines."""
    return b"HTTP/1.1 200 OK\r\n" + rest + b"\r\n\r\n" + body


@pytest.mark.parametrize("name", WHOLE)
def test_every_split_in_two_gives_the_same_answer(name):
    """Where a read ends plays no part, and only the last byte makes the answer whole."""
    data, status = WHOLE[name]
    for at in range(1, len(data)):
        reader = Reader(SMALL)
        assert reader.feed(memoryview(data[:at])) is None
        response = reader.feed(memoryview(data[at:]))
        assert (response.status, response.body, response.reusable) == (status, b"hello", True)


@pytest.mark.parametrize("name", WHOLE)
def test_byte_by_byte(name):
    """The slowest drip gives the same answer, its reason and its headers too."""
    data, status = WHOLE[name]
    assert read(*[data[at : at + 1] for at in range(len(data))]) == read(data)
    assert read(data).status == status


@pytest.mark.parametrize("name", WHOLE)
def test_an_end_at_each_byte_is_an_error(name):
    """An answer cut short is never taken for a shorter one."""
    data, _status = WHOLE[name]
    for at in range(len(data)):
        reader = Reader(SMALL)
        if at:
            assert reader.feed(memoryview(data[:at])) is None
        with pytest.raises(BadResponse, match="disconnected"):
            reader.eof()


def test_an_answer_that_ends_with_the_connection():
    """Without a length, and only then, the end of the connection is the end of the body."""
    reader = Reader(SMALL)
    assert reader.feed(memoryview(UNENDED)) is None
    assert reader.eof() == Response(200, [(b"Server", b"x")], b"hello", False, b"OK")


def test_headers_and_reason_are_kept_as_they_came():
    """Headers keep their order and spelling, trailers are left out."""
    response = read(CHUNKED)
    assert response.headers == [(b"Transfer-Encoding", b"chunked")]
    assert response.reason == b"Made"
    assert read(NO_CONTENT).body == b""


def test_one_answer_after_the_other():
    """The reader serves all the answers of a connection."""
    reader = Reader(SMALL)
    for data in (PLAIN, CHUNKED, INTERIM, NO_CONTENT, PLAIN):
        reader.start()
        assert reader.feed(memoryview(data)).reusable


@pytest.mark.parametrize(
    "data",
    [
        heads(b"Connection: close\r\nContent-Length: 5"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        PLAIN + b"x",
        PLAIN + PLAIN,
        PLAIN + b"HTTP/1.1 200 OK\r\n",
        NO_CONTENT + b"smuggle",
        heads(b"Connection: close\r\nContent-Length: 5") + b"x",
    ],
)
def test_what_ends_a_connection(data):
    """After a farewell, or with bytes that nobody asked for behind it, an answer is good but the last one."""
    response = read(data)
    assert not response.reusable
    assert response.body in {b"hello", b""}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (heads(b"Content-Length: 5\r\nTransfer-Encoding: chunked"), "Transfer-Encoding"),
        (heads(b"Transfer-Encoding: chunked\r\nContent-Length: 5"), "Content-Length"),
        (heads(b"Content-Length: 5\r\nContent-Length: 6"), "Content-Length"),
        (heads(b"Content-Length: 5\r\nContent-Length: 5"), "Content-Length"),
        (heads(b"Content-Length: 5, 5"), "Content-Length"),
        (heads(b"Content-Length: -5"), "Content-Length"),
        (heads(b"Content-Length: +5"), "Content-Length"),
        (heads(b"Content-Length: 0x5"), "Content-Length"),
        (heads(b"Content-Length:"), "Content-Length"),
        (heads(b"Content-Length: 1001"), "a body of 1001 bytes"),
        (heads(b"Content-Length: 99999999999999999999999"), "overflow"),
        (heads(b"Transfer-Encoding: gzip, chunked"), "coding"),
        (heads(b"Transfer-Encoding: chunked, gzip"), "coding"),
        (heads(b"Transfer-Encoding: identity"), "coding"),
        (heads(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"), "coding"),
        (heads(b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\nTransfer-Encoding: x\r\n\r\n"), "trailer"),
        (heads(b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"), "Content-Length"),
        (heads(b"Transfer-Encoding: chunked", b"5\r\nhelloX\r\n0\r\n\r\n"), "chunk"),
        (heads(b"Transfer-Encoding: chunked", b"-5\r\nhello\r\n0\r\n\r\n"), "chunk"),
        (heads(b"Transfer-Encoding: chunked", b"g\r\nhello\r\n0\r\n\r\n"), "chunk"),
        (heads(b"Transfer-Encoding: chunked", b"fffffffffffffffff\r\nhello"), "overflow"),
        (heads(b"Transfer-Encoding: chunked", b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n"), "more than 1000"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001, "more than 1000"),
        (heads(b"Content-Length : 5"), "header"),
        (heads(b"X: a\r\n folded\r\nContent-Length: 5"), "whitespace"),
        (heads(b"X: \0\r\nContent-Length: 5"), "header"),
        (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "CR"),
        (b"HTTP/1.1 099 Low\r\nContent-Length: 5\r\n\r\nhello", "status"),
        (b"HTTP/1.1 2000 High\r\nContent-Length: 5\r\n\r\nhello", "status"),
        (b"HTTP/1.1 200 \0OK\r\nContent-Length: 5\r\n\r\nhello", "reason"),
        (b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "version"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "switches"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "does not begin"),
        (b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "does not begin"),
        (b"GET / HTTP/1.1\r\n\r\n", "does not begin"),
        (b"\x15\x03\x01\x00\x02\x02\x28", "does not begin"),
    ],
)
def test_what_is_refused(data, why):
    """Lengths that two could understand differently, broken chunks and broken heads are refused, however split."""
    with pytest.raises(BadResponse, match=why):
        read(data)
    with pytest.raises(BadResponse, match=why):
        read(*[data[at : at + 1] for at in range(len(data))])


@pytest.mark.parametrize(
    ("start", "drip"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"),
        (b"HTTP/1.1 200 ", b"OK "),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X: x\r\n"),
    ],
)
def test_what_leads_nowhere_ends(start, drip):
    """A head, a chunk's header, a trailer or interim answers without an end are refused after so many bytes."""
    reader = Reader(SMALL)
    if start:
        reader.feed(memoryview(start))
    fed = [b""]

    def feed_on():
        while len(fed) < 1000:
            fed.append(drip)
            assert reader.feed(memoryview(drip)) is None

    with pytest.raises(BadResponse, match="more than 300 bytes"):
        feed_on()


def test_a_long_body_in_small_chunks_is_no_drip_that_leads_nowhere():
    """What the head's bound limits is bytes in a row that are no body."""
    reader = Reader(Bounds(head=60, body=1000))
    reader.feed(memoryview(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
    for _ in range(1000):
        reader.feed(memoryview(b"1\r\nx\r\n"))
    assert reader.feed(memoryview(b"0\r\n\r\n")).body == b"x" * 1000


def test_a_request():
    """Request line, headers, empty line, body."""
    data = request("POST", "/0/private/Balance", [("Host", "x"), ("API-Key", "k=")], b"nonce=1")
    assert data == b"POST /0/private/Balance HTTP/1.1\r\nHost: x\r\nAPI-Key: k=\r\n\r\nnonce=1"


@pytest.mark.parametrize(
    ("method", "target", "name", "value"),
    [
        ("GET", "/", "X", "a\r\nInjected: 1"),
        ("GET", "/", "X", "a\nInjected: 1"),
        ("GET", "/", "X", "a\0"),
        ("GET", "/", "X: y\r\nZ", "a"),
        ("GET", "/", "", "a"),
        ("GET", "/a b", "X", "a"),
        ("GET", "/\r\n", "X", "a"),
        ("GET", "/ü", "X", "a"),
        ("GET", "", "X", "a"),
        ("GET /x HTTP/1.1\r\nX:", "/", "X", "a"),
        ("GET", "/", "X", "\u20ac"),
        ("GET", "/", "X", "a\n"),
    ],
)
def test_a_request_that_would_read_as_another_is_not_written(method, target, name, value):
    """Nothing in a line can begin another line."""
    with pytest.raises(BadRequest):
        request(method, target, [(name, value)])


def witnessed(data):
    """Read an answer with h11, which shares no code with our parser."""
    witness = h11.Connection(h11.CLIENT)
    witness.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    witness.send(h11.EndOfMessage())
    witness.receive_data(data)
    status, body = None, b""
    while True:
        event = witness.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return status, body
        else:
            assert isinstance(event, h11.InformationalResponse), event


PIECES = [b"HTTP/1.1 ", b"HTTP/1.0 ", b"RTSP/1.0 ", b"200", b"204", b"100", b"101", b" OK", b"Connection: close"]
PIECES += [b"\r\n", b"\r\n\r\n", b"\n", b": ", b" ", b";", b"\0", b"\xff", b"5", b"0", b"ffff", b"hello"]
PIECES += [b"Content-Length: ", b"Transfer-Encoding: ", b"chunked", b"gzip", b"3\r\nabc\r\n", b"0\r\n\r\n"]
PIECES += [b"HTTP/1.1 200 OK\r\n", b"Content-Length: 5\r\n\r\n", PLAIN, CHUNKED]
WORDS = st.sampled_from(PIECES)


@given(st.lists(WORDS | st.binary(max_size=4), max_size=30).map(b"".join), st.lists(st.integers(0, 200), max_size=5))
@example(PLAIN + PLAIN, [])
@example(INTERIM, [3, 70])
def test_whatever_comes_is_an_answer_or_an_error(data, cuts):
    """No bytes crash the reader, and what it takes for an answer is one for h11 too, with the same body."""
    cuts = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    reader = Reader(SMALL)
    response = None
    try:
        for start, end in itertools.pairwise(cuts):
            response = reader.feed(memoryview(data[start:end]))
            if response is not None:
                break
    except BadResponse:
        return
    if response is not None:
        assert (response.status, response.body) == witnessed(data)


@given(st.sampled_from([PLAIN, CHUNKED, INTERIM]), st.data())
def test_a_single_change_never_makes_another_reader_see_another_body(data, draw):
    """One byte replaced, taken out or put in: an error, more to come, or what h11 reads as well."""
    at = draw.draw(st.integers(0, len(data) - 1))
    put = draw.draw(st.binary(max_size=2))
    changed = data[:at] + put + data[at + draw.draw(st.integers(0, 1)) :]
    try:
        response = read(changed)
    except BadResponse:
        return
    if response is not None:
        assert (response.status, response.body) == witnessed(changed)


LINES = st.sampled_from(
    [
        b"Server: x",
        b"server:x\t ",
        b"Content-Length: 5",
        b"content-length:  5 ",
        b"Content-Length: 05",
        b"Content-Length: +5",
        b"Content-Length: 4",
        b"X-Content-Length: 5",
        b"Transfer-Encoding: chunked",
        b"Content-Encoding: gzip",
        b"Connection: keep-alive",
        b"Connection: Keep-Alive",
        b"Connection: keep-alive, x",
        b"Connection: close",
        b"Proxy-Connection: close",
        b"Keep-Alive: timeout=5",
        b"Upgrade: h2c",
        b" folded: x",
        b"no colon",
        b"space : x",
        b": empty",
        b"Date: \x80\xff",
        b"Bell: \x07",
        b"Bare: \n x",
        b"Return: \r x",
    ]
)


@given(
    st.lists(LINES, max_size=6),
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 OK", b"HTTP/1.1 200 ", b"http/1.1 200 OK"]),
    st.sampled_from([b"hello", b"hell", b"hellos", b"hello" + PLAIN, b""]),
    st.binary(max_size=3),
    st.integers(0, 60),
)
@example([b"Server: x", b"Content-Length: 5", b"Connection: keep-alive"], b"HTTP/1.1 200 OK", b"hello", b"", 0)
def test_what_needs_no_parser_is_read_as_by_the_parser(lines, first, body, noise, at):
    """The quick way takes fewer answers than the parser, and never reads one differently."""
    data = b"\r\n".join([first, *lines, b"", body])
    data = data[:at] + noise + data[at:]
    quick = plain(memoryview(data), SMALL.body)
    if quick is not None:
        whole = read(data)
        assert [*quick.headers] == whole.headers
        assert (quick.status, quick.body, quick.reusable, quick.reason, quick.version) == (
            whole.status,
            whole.body,
            whole.reusable,
            whole.reason,
            whole.version,
        )


@pytest.mark.parametrize("line", [b"Server: x", b"Connection: keep-alive", b"Set-Cookie: a=b; c"])
def test_the_plainest_answer_needs_no_parser(line):
    """What Kraken's edge sends as a rule goes the quick way; what is greater than allowed does not."""
    data = heads(b"Date: today\r\nContent-Length: 5\r\n" + line)
    assert plain(memoryview(data), 5).body == b"hello"
    assert plain(memoryview(data), 4) is None


DATE = b"Thu, 26 Nov 2026 23:42:07 GMT"


@pytest.mark.parametrize("name", [b"Date", b"date"])
def test_the_date_of_an_answer(name):
    """Whichever way an answer was read, it tells when it was made."""
    data = b"HTTP/1.1 200 OK\r\nServer: edge\r\n%b: %b\r\nContent-Length: 0\r\n\r\n" % (name, DATE)
    for answer in (plain(memoryview(data), 5), read(data)):
        assert answer.date == 1795736527


@pytest.mark.parametrize(
    "told", [b"", b"yesterday", b"-1", DATE.replace(b"26", b"32", 1), DATE.replace(b"GMT", b"+9999")]
)
def test_a_date_that_is_none(told):
    """What cannot be read counts as nothing."""
    assert Response(200, [(b"Date", told)], b"", reusable=True).date is None


def test_a_glance_at_an_answer_does_not_show_its_body():
    """It may be a token."""
    answer = Response(200, [], b"secret", True)
    assert repr(answer) == "<Response 200, 6 bytes>"
    assert pretty_repr(answer) == "Response(status=200)"


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(
    "line",
    [
        b"Transfer-Encoding: chunked",
        b"transfer-encoding: x",
        b"Trailer: x",
        b"TE: x",
        b"Upgrade: h2c",
        b"upgrade: x",
        b"Proxy-Connection: close",
        b"Connection: close",
        b"Content-Encoding: gzip",
        b"Content-Length: 5",
    ],
)
def test_what_plays_a_part_in_framing_is_the_parser_s(line, first):
    """No answer is plain that names a coding, the connection's fate, or its length twice."""
    lines = [line, b"Content-Length: 5"] if first else [b"Content-Length: 5", line]
    assert plain(memoryview(b"HTTP/1.1 200 OK\r\n" + b"\r\n".join(lines) + b"\r\n\r\nhello"), 100) is None


def test_an_interim_answer_leaves_nothing_in_the_final_one():
    """Neither a header nor its reason."""
    found = Reader(Bounds()).feed(memoryview(b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 Gone\r\nX: y\r\n\r\n"))
    assert (found.reason, list(found.headers)) == (b"Gone", [(b"X", b"y")])


def test_the_bound_of_a_head_is_exact():
    """One byte more is too much."""
    reader = Reader(Bounds(head=1000))
    assert reader.feed(memoryview(b"HTTP/1.1 200 OK\r\nX: ".ljust(1000, b"x"))) is None
    with pytest.raises(BadResponse):
        reader.feed(memoryview(b"x"))


def test_a_blank_after_chunked_is_no_part_of_it():
    """RFC 9112, 5; the parser does not take a tab for one."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked%s\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    assert Reader(Bounds()).feed(memoryview(answer % b" ")).body == b"hi"
    with pytest.raises(BadResponse):
        Reader(Bounds()).feed(memoryview(answer % b"\t"))

"""HTTP/1.1 without a network: bytes of a request, and a reader that turns bytes into an answer or refuses them.

Framing follows https://www.rfc-editor.org/rfc/rfc9112 and is stricter where leniency lets two parties disagree about
where an answer ends (section 11.1): such an answer is refused, never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

__all__ = ["BadRequest", "BadResponse", "Bounds", "Reader", "Response", "plain", "request"]


_HEAD: Final = re.compile(r"[A-Z]+ [!-~]+ HTTP/1\.1(?:\r\n[-!#$%&'*+.^_`|~0-9A-Za-z]+: [\t -~\x80-\xff]*)*")

# A header that has no influence on where an answer ends or what may follow it. Headers about framing, codings and the
# connection's fate begin with C, T, U or P; of those names only a few harmless ones are let through.
_PASSING: Final = (
    rb"(?:[-!#$%&'*+.^_`|~0-9ABD-OQRSV-Zabd-oqrsv-z][-!#$%&'*+.^_`|~0-9A-Za-z]*+:[ -~]*+"
    rb"|[Cc](?:(?:ontent-[Tt]ype|ache-[Cc]ontrol|[Ff]-[-A-Za-z]++):[ -~]*+|onnection: [Kk]eep-[Aa]live))\r\n"
)
# No possessive groups of such lines: Python 3.11.2, which Debian 12 has, fails to match them. A line can be read in one
# way only, so there is no backtracking.
_PLAIN: Final = re.compile(
    rb"HTTP/1\.1 200 OK\r\n((?:" + _PASSING + rb")*[Cc]ontent-[Ll]ength: ([0-9]{1,9})\r\n(?:" + _PASSING + rb")*)\r\n"
).match
_REASON: Final = re.compile(rb"[\t -~\x80-\xff]*")
_OPENING: Final = b"HTTP/"  # httptools would take RTSP/ and ICE/ as well
_FRAMING: Final = {b"content-length", b"transfer-encoding"}
_CONTENT_LENGTH: Final = len(b"content-length")
_TRANSFER_ENCODING: Final = len(b"transfer-encoding")
_LOWEST, _SWITCHING, _FINAL = 100, 101, 200


class BadRequest(Exception):
    """A request that cannot be written as HTTP."""


class BadResponse(Exception):
    """What the peer sent is not a whole HTTP answer."""


class Bounds(msgspec.Struct, frozen=True):
    """How much is accepted from a peer, in bytes."""

    head: int = 100 * 1024
    """Received without the end of the head, a byte of the body, or the end of the answer."""
    body: int = 128 * 1024 * 1024
    """In a body, both as received and decoded."""


class Response(msgspec.Struct):
    """A whole answer.

    Attributes:
        fields: Names and values of its headers, or none yet.
        reusable: Whether another request may follow on the connection.
        plain_head: The headers of a plain answer as received, parsed only on request, which the client seldom makes.
            Empty for any other answer.
    """

    status: int
    fields: Sequence[tuple[bytes, bytes]]
    body: bytes
    reusable: bool
    reason: bytes = b""
    version: str = "1.1"
    plain_head: bytes = b""

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """Names and values."""
        lines = [line.partition(b":") for line in self.plain_head.split(b"\r\n")[:-1]]
        return [(name, value.strip(b" \t")) for name, _colon, value in lines] or self.fields

    @property
    def date(self) -> float | None:
        """When the answer was made, by the peer's clock, in whole unix seconds; None if it does not say.

        Source: https://www.rfc-editor.org/rfc/rfc9110 (section 6.6.1)
        """
        from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 3 to 5 ms, for one endpoint

        told = next((value for name, value in self.headers if name.lower() == b"date"), b"")
        try:
            return parsedate_to_datetime(told.decode("latin-1")).timestamp()
        except (ValueError, OverflowError):
            return None

    def __repr__(self) -> str:
        """Hide the body, which may contain a token."""
        return f"<Response {self.status}, {len(self.body)} bytes>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show no more to rich, which does not call `__repr__`."""
        return [("status", self.status)]


def plain(came: memoryview, most: int) -> Response | None:
    """Read an answer of the plainest kind, whole in one piece; return None for any other, which needs the parser.

    That is: 200, HTTP/1.1, its length named once, nothing coded, the connection kept. Whatever it accepts, the parser
    reads in the same way, which a test ensures.

    Args:
        came: The first bytes after a request.
        most: Bytes a body may have.
    """
    data = came.tobytes()
    found = _PLAIN(data)
    if found is None:
        return None
    head, length = found.groups()
    body = data[found.end() :]
    if len(body) != int(length) or len(body) > most:
        return None
    return Response(200, (), body, True, b"OK", "1.1", head)


def request(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """Write a request; its headers name the body's length.

    Raises:
        BadRequest: A part of it would read as more than one line, or cannot be in a line at all.
    """
    lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in headers]]
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or _HEAD.fullmatch(head) is None:
        raise BadRequest("method, target or a header contains a character that HTTP does not allow there")
    return head.encode("latin-1") + b"\r\n\r\n" + body


class Reader:
    """Reads the answers of one connection, one after the other.

    Feed it what was received; it returns each answer once it is whole. After a refusal neither it nor the connection
    can be used again. The methods called ``on_...`` are httptools' callbacks.
    """

    __slots__ = (
        "_body",
        "_bounds",
        "_errors",
        "_excess",
        "_fruitless",
        "_head_done",
        "_headers",
        "_lead",
        "_parser",
        "_progress",
        "_reason",
        "_refusal",
        "_response",
        "_size",
        "_status",
    )

    def __init__(self, bounds: Bounds) -> None:
        import httptools  # noqa: PLC0415 - a fortieth of our time to import

        self._bounds = bounds
        self._parser = httptools.HttpResponseParser(self)
        self._errors = (httptools.HttpParserError, httptools.HttpParserUpgrade)
        self.start()

    def start(self) -> None:
        """Get ready for the answer to the next request."""
        self._lead = b""
        self._refusal = ""
        self._fruitless = self._progress = 0
        self._response: Response | None = None
        self._excess = False
        self._forget()

    def _forget(self) -> None:
        self._reason = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: bytes | bytearray = b""
        self._size = self._status = 0
        self._head_done = False

    def feed(self, data: memoryview) -> Response | None:
        """Take what was received; return the answer once it is whole.

        Raises:
            BadResponse: The bytes cannot become an answer.
        """
        if len(self._lead) < len(_OPENING):
            self._lead += bytes(data[: len(_OPENING) - len(self._lead)])
            if not _OPENING.startswith(self._lead):
                raise BadResponse("an answer does not begin with HTTP/")
        progress = self._progress
        try:
            self._parser.feed_data(data)
        except self._errors as error:
            if self._response is None:
                raise BadResponse(self._refusal or str(error)) from None
            self._excess = True
        if self._response is not None:
            self._response.reusable &= not self._excess
            return self._response
        self._fruitless = 0 if self._progress > progress else self._fruitless + len(data)
        if self._fruitless > self._bounds.head:
            raise BadResponse(f"more than {self._bounds.head} bytes of head, chunk header or trailer")
        return None

    def eof(self) -> Response:
        """Record that nothing more will come; return the answer if that marks its end.

        Raises:
            BadResponse: The answer was cut short.
        """
        if not self._lead:
            raise BadResponse("server disconnected without sending an answer")
        framed = any(name.lower() in _FRAMING for name, _ in self._headers)
        if not self._head_done or framed:
            raise BadResponse("server disconnected before the answer was whole")
        return self._whole(reusable=False)

    def _whole(self, *, reusable: bool) -> Response:
        version = self._parser.get_http_version()
        return Response(self._status, self._headers, bytes(self._body), reusable, self._reason, version)

    def _refuse(self, why: str) -> None:
        self._refusal = why
        raise BadResponse(why)  # stops the parser, which raises an error of its own

    def on_message_begin(self) -> None:
        """Detect what follows a whole answer without having been requested."""
        self._excess = self._response is not None

    def on_status(self, reason: bytes) -> None:
        """Take (a part of) the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; refuse a length that is too great and a transfer coding besides chunked."""
        if self._head_done:  # a trailer, or the head of something that was not requested
            if self._response is None and name.lower() in _FRAMING:
                self._refuse("a trailer that speaks of the body's length")  # RFC 9110, 6.5.1
            return
        if len(name) == _TRANSFER_ENCODING and name.lower() == b"transfer-encoding":
            # Stated twice it means chunked twice, which RFC 9112, 6.1, forbids and the parser lets pass.
            twice = any(each.lower() == b"transfer-encoding" for each, _ in self._headers)
            if twice or value.rstrip(b" ").lower() != b"chunked":  # a trailing blank is not part of it (section 5)
                self._refuse("a transfer coding besides chunked")
        self._headers.append((name, value))
        if len(name) == _CONTENT_LENGTH and name.lower() == b"content-length" and int(value) > self._bounds.body:
            self._refuse(f"a body of {int(value)} bytes, more than {self._bounds.body}")

    def on_headers_complete(self) -> None:
        """Check the head as a whole."""
        if self._response is not None:
            return
        self._status = self._parser.get_status_code()
        if self._status < _LOWEST or not self._parser.get_http_version().startswith("1."):
            self._refuse("a status or an HTTP version that does not exist")
        if _REASON.fullmatch(self._reason) is None:
            self._refuse("a reason phrase with control characters")
        if self._status == _SWITCHING:
            self._refuse("the peer switches to a protocol that was not requested")
        if self._status >= _FINAL:
            self._head_done = True
            self._progress += 1

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        if self._response is not None:
            return
        self._size += len(part)
        if self._size > self._bounds.body:
            self._refuse(f"a body of more than {self._bounds.body} bytes")
        self._progress += 1
        if not self._body:
            self._body = part  # most bodies come in one part and are never copied
        elif isinstance(self._body, bytes):
            self._body = bytearray(self._body + part)
        else:
            self._body += part

    def on_message_complete(self) -> None:
        """Hand over an answer; an interim one (1xx) is dropped and the next one awaited."""
        if self._response is not None:
            return
        if self._status < _FINAL:
            self._forget()
        else:
            self._response = self._whole(reusable=self._parser.should_keep_alive())

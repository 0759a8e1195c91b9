"""Bytes out, bytes in: the only module that knows httpx.

Every failure is one of two: `NotSent` (Kraken cannot have seen a whole request) or `Unanswered` (it may have).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import anyio
import httpx

from krakenasync import _version
from krakenasync.client.loops import running_loop
from krakenasync.errors import ConfigurationError, KrakenError, NotSent, ProtocolError, Unanswered
from krakenasync.protocol.messages import Message

__all__ = ["Delivery", "HttpClient", "Reply", "Transport"]

HttpClient = httpx.AsyncClient
"""What a caller may bring along."""

USER_AGENT: Final = f"krakenasync/{_version.__version__}"

_KEPT_ALIVE: Final = 15.0
"""Seconds an idle connection is kept: shorter than the edge keeps it, so that we rarely write into a closed one."""

# Most specific first. What stands in the first group happens before a request is written.
_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)


class Reply(NamedTuple):
    """Status and bytes of an answer."""

    status: int
    body: bytes


class _Body(httpx.AsyncByteStream):
    """A body that remembers whether a byte of it was asked for.

    The head goes out first and names the body's length, so until then no whole request can have arrived.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.begun = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.begun = True
        yield self.content


class Delivery:
    """One message on its way; `left` tells, also after a cancellation, whether Kraken may have got it whole."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.body = _Body(message.body)
        self.handed_over = False

    @property
    def left(self) -> bool:
        """Whether a whole request may have left this machine."""
        # A message without a body is whole with its head, and nobody tells when the head went out.
        return self.body.begun if self.message.body else self.handed_over


class Transport:
    """The way to one exchange, over a connection pool of its own or one that is handed in.

    Args:
        base_url: Scheme and host, with a path prefix if need be.
        timeout: Seconds one attempt may take as a whole, from connecting to the last byte.
        http_client: A client of the caller's, which stays the caller's to close.
        connections: How many requests are under way at once; more wait here, in order, not inside httpx's pool,
            whose cost grows with the square of what waits in it.
    """

    def __init__(self, base_url: str, *, http_client: httpx.AsyncClient | None = None, connections: int = 100) -> None:
        self.base_url = _checked(base_url)
        self._given = http_client
        self._own: dict[object, httpx.AsyncClient] = {}
        self._connections = connections
        self._places: anyio.Semaphore | None = None
        self._closed = False

    @property
    def places(self) -> anyio.Semaphore:
        """What public calls enter; private ones come from their key's lane, and nothing may wait after their nonce."""
        if self._places is None:
            self._places = anyio.Semaphore(self._connections, fast_acquire=True)
        return self._places

    async def deliver(self, delivery: Delivery, timeout: float) -> Reply:  # noqa: ASYNC109 - bounds the socket too
        """Send a message and read the whole answer within `timeout` seconds.

        Raises:
            NotSent: Kraken cannot have seen the request.
            Unanswered: It may have, but no whole answer came back in time.
            ProtocolError: The answer's encoding is broken.
        """
        message = delivery.message
        client = self._client()
        try:
            # A limit of ours over all: httpx's timeouts are per read, a slow drip would hold us for ever.
            with anyio.fail_after(timeout):
                request = client.build_request(
                    message.method,
                    self.base_url + message.target,
                    headers={**message.headers, "User-Agent": USER_AGENT, "Content-Length": str(len(message.body))}
                    if message.body
                    else {**message.headers, "User-Agent": USER_AGENT},
                    content=delivery.body if message.body else None,
                    timeout=timeout,
                )
                delivery.handed_over = True
                response = await client.send(request, follow_redirects=False)
        except TimeoutError:
            raise _network_error(f"no whole answer within {timeout:g} s", left=delivery.left) from None
        except _NEVER_SENT as error:
            delivery.handed_over = False
            raise NotSent(_said(error)) from error
        except httpx.DecodingError as error:
            raise ProtocolError(_said(error), effect="unknown", retryable=True) from error
        except httpx.TransportError as error:
            raise _network_error(_said(error), left=delivery.left) from error
        return Reply(response.status_code, response.content)

    def _client(self) -> httpx.AsyncClient:
        if self._closed:
            raise ConfigurationError("this client is closed", hint="make a new one, or keep using it inside its block")
        if self._given is not None:
            if self._given.is_closed:
                raise ConfigurationError("the http_client that was handed in is closed", hint="keep it open, or none")
            return self._given
        loop = running_loop()  # a connection lives and dies with its event loop
        if loop not in self._own:
            # Built on first use: loading the TLS certificates alone takes over ten milliseconds.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=_KEPT_ALIVE)
            self._own[loop] = httpx.AsyncClient(limits=limits)
        return self._own[loop]

    async def aclose(self) -> None:
        """Close the connections, unless they are the caller's."""
        self._closed = True
        owned, self._own = self._own, {}
        # What another event loop opened can only be closed there, and is gone with it.
        if own := owned.get(running_loop()):
            await own.aclose()

    def __repr__(self) -> str:
        return f"<Transport httpx {self.base_url}>"


def _checked(base_url: str) -> str:
    """Refuse a base URL that cannot work, before anything is signed."""
    try:
        parts = urlsplit(base_url)
        host, _port = parts.hostname, parts.port
    except (ValueError, AttributeError, TypeError):
        raise ConfigurationError(f"base_url {base_url!r} is not a URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        hint = "write it with its scheme, like https://api.kraken.com or http://127.0.0.1:8000"
        raise ConfigurationError(f"base_url {base_url!r} has no http(s) scheme or no host", hint=hint)
    if parts.query or parts.fragment or parts.username:
        raise ConfigurationError("base_url may hold scheme, host, port and a path prefix only")
    return base_url.rstrip("/")


def _network_error(message: str, *, left: bool) -> KrakenError:
    return Unanswered(message, effect="unknown") if left else NotSent(message)


def _said(error: Exception) -> str:
    """Put httpx's error into words; some of its errors have none."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

"""The only module that imports httpx. It is loaded when needed, since importing httpx takes as long as all the rest.

It serves trio, proxies, a client that the caller provides, and tests that replace parts of httpx; and it offers our
own connections to an httpx client.
"""

from __future__ import annotations

import functools
import operator
import ssl
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, Self

import anyio
import httpx

from krakenasync.client import exchanges as ours
from krakenasync.client.delivery import Delivery, not_sent, unreadable
from krakenasync.client.express import Express
from krakenasync.client.frames import bare, told
from krakenasync.client.http1 import BadRequest, BadResponse, Bounds, Response
from krakenasync.client.http1 import request as written
from krakenasync.client.loops import forget_closed, on_asyncio, running_loop
from krakenasync.client.origin import USER_AGENT, Origin
from krakenasync.errors import ConfigurationError, KrakenError
from krakenasync.protocol.messages import Message

__all__ = ["ExpressTransport", "HttpClient", "OverHttpx", "mocked", "shared_tls"]

HttpClient = httpx.AsyncClient
"""What a caller may provide."""

_KEPT_ALIVE: Final = 15.0
"""Seconds an idle connection is kept: shorter than the edge keeps it, so that we rarely write into a closed one."""

# Most specific first. Errors of the first group happen before a request is whole.
_NEVER_SENT: Final = (
    ours.ConnectFailed,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

# Our errors as httpx's.
_AS_HTTPX: Final[dict[type[Exception], type[httpx.RequestError]]] = {
    ours.PoolTimeout: httpx.PoolTimeout,
    ours.ConnectTimeout: httpx.ConnectTimeout,
    ours.ConnectFailed: httpx.ConnectError,
    ours.WriteTimeout: httpx.WriteTimeout,
    ours.ReadTimeout: httpx.ReadTimeout,
    ours.Broken: httpx.ReadError,
    BadResponse: httpx.RemoteProtocolError,
}


class ExpressTransport(httpx.AsyncBaseTransport):
    """Connections of our own to one origin, on one asyncio loop, behind httpx's interface.

    What they cannot do (another origin, trio, HEAD, a mocked httpx, ...) is left to httpx's own transport.

    Args:
        base_url: The origin; a path in it is ignored.
        tls: Returns the TLS context when it is first needed; by default one like httpx's, shared by all.
        connections: How many there may be at once.
        bounds: How large an answer may be.
    """

    def __init__(
        self,
        base_url: str,
        *,
        tls: Callable[[], ssl.SSLContext] | None = None,
        connections: int = 100,
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    ) -> None:
        self.origin = Origin(base_url)
        self.bounds = bounds
        self._tls = tls or shared_tls
        self._connections = connections
        self._express: Express | None = None
        self._theirs: httpx.AsyncHTTPTransport | None = None

    async def exchange(self, outgoing: ours.Outgoing, timeouts: ours.Timeouts) -> Response:
        """Send a request that has been written and return the answer, its body still coded.

        Raises:
            httpx.RequestError: As httpx's own transport would; `outgoing.left` shows whether a byte was written.
        """
        if self._express is None:
            most = self._connections
            self._express = Express(self.origin, tls=self._tls, connections=most, bounds=self.bounds)
        try:
            return await self._express.exchange(outgoing, timeouts)
        except (ours.ExchangeFailed, BadResponse) as error:
            raise _AS_HTTPX[type(error)](str(error)) from error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request for an httpx client."""
        if not self._serves(request):
            if self._theirs is None:
                limits = httpx.Limits(max_connections=self._connections, keepalive_expiry=_KEPT_ALIVE)
                self._theirs = httpx.AsyncHTTPTransport(verify=self._tls(), limits=limits)
            return await self._theirs.handle_async_request(request)
        timeouts = ours.Timeouts(**request.extensions.get("timeout", {}))
        response = await self.exchange(ours.Outgoing(await _written(request)), timeouts)
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=httpx.ByteStream(response.body),
            extensions={"http_version": f"HTTP/{response.version}".encode(), "reason_phrase": response.reason},
        )

    def _serves(self, request: httpx.Request) -> bool:
        url, origin = request.url, self.origin
        return (
            url.scheme == origin.scheme
            and url.raw_host.decode("ascii") == origin.host
            and (url.port or (443 if origin.secure else 80)) == origin.port
            and request.method not in {"HEAD", "CONNECT"}
            and not request.headers.keys() & {"transfer-encoding", "upgrade", "expect"}
            and "close" not in request.headers.get("connection", "").lower()
            and request.extensions.keys() <= {"timeout"}
            and on_asyncio()
            and not mocked()
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._express is not None:
            await self._express.aclose()
        if self._theirs is not None:
            await self._theirs.aclose()


class _Body:
    """The body of a message as httpx takes it, piece by piece. Not a generator: trio warns of unfinished ones.

    The head goes out first and names the body's length, so until it is asked for no whole request can have arrived.
    """

    def __init__(self, delivery: Delivery, closed: Callable[[], bool]) -> None:
        self._delivery = delivery
        self._closed = closed
        self._given = False

    def __aiter__(self) -> Self:
        return type(self)(self._delivery, self._closed)  # the caller's own transport may try again

    async def __anext__(self) -> bytes:
        if self._given:
            raise StopAsyncIteration
        if self._closed():
            raise ours.ConnectFailed("this client was closed")
        self._given = self._delivery.left = True
        return self._delivery.message.body


class OverHttpx:
    """The way to one exchange over httpx's own connections, or over a client that the caller provides.

    Args:
        base_url: Scheme and host, optionally with a path prefix.
        given: The caller's own client, which the caller has to close.
        where: The exchange's name in errors.
        direct: Whether to use no proxy, whatever the environment says.
        closed: Returns whether nothing may be sent any more.
    """

    def __init__(
        self,
        base_url: str,
        given: httpx.AsyncClient | None,
        where: str,
        *,
        direct: bool = False,
        closed: Callable[[], bool],
    ) -> None:
        self._base_url = base_url
        self._direct = direct
        self._where = where
        self._given = given
        self._closed = closed
        self._own: dict[object, httpx.AsyncClient] = {}

    async def deliver(self, delivery: Delivery, within: float) -> Response:
        """Send a message and return the whole answer; see `krakenasync.client.transport.Transport.deliver`."""
        client = self._client()
        try:
            return await self._exchange(client, delivery, within)
        # Errors from below are stripped of their frames: there httpx and what it builds on write the request.
        except TimeoutError as error:
            raise delivery.failure(bare(error), self._where, within) from None
        except (
            httpx.InvalidURL
        ) as error:  # ours; or an answer's Location, which httpx reads even if it is not to follow
            told_as = delivery.failure if delivery.left else not_sent
            raise told_as(error, self._where, within) from bare(error)
        except _NEVER_SENT as error:
            # A body that was read, by a mock or by the caller's transport that tries again, counts as under way.
            delivery.left = delivery.left and bool(delivery.message.body)
            raise not_sent(error, self._where, within) from bare(error)
        except httpx.DecodingError as error:
            raise unreadable(error) from bare(error)
        except httpx.TransportError as error:
            raise delivery.failure(error, self._where, within) from bare(error)
        except _HookFailed as error:
            raise delivery.hook_failed(cause := bare(error).__cause__) from cause
        except BaseException as error:  # noqa: BLE001 - a cancellation, a bug in a caller's transport: the same frames
            raise told(error)  # noqa: B904 - it is the same error

    async def _exchange(self, client: httpx.AsyncClient, delivery: Delivery, within: float) -> Response:
        message = delivery.message
        # Our own limit for the whole: httpx's timeouts are per read, so a slow drip would hold us up indefinitely.
        with anyio.fail_after(within):
            request = client.build_request(
                message.method,
                self._base_url + message.target,
                headers=_headers(message),  # never a local of ours: some show those with a traceback
                content=_Body(delivery, self._closed) if message.body else None,
                timeout=within,
                extensions={} if client is self._given else {"trace": self._watch},
            )
            if params := getattr(client, "params", None):  # httpx would replace ours with them
                joint = "&" if "?" in message.target else "?"
                request.url = httpx.URL(f"{self._base_url}{message.target}{joint}{params}")
            # A message without a body is whole with its head, and httpx does not report when the head went out.
            delivery.left = not message.body
            response = await _sent(client, request, delivery)
        return Response(response.status_code, response.headers.raw, _body(response), reusable=True)

    async def _watch(self, event: str, _about: Any) -> None:
        """Send nothing over a connection that was opened while the client was being closed, and end it."""
        if event.endswith("send_request_headers.started") and self._closed():
            raise ours.ConnectFailed("this client was closed")

    def _client(self) -> httpx.AsyncClient:
        if self._given is not None:
            if self._given.is_closed:
                raise ConfigurationError("the http_client that was handed in is closed", hint="keep it open, or none")
            return self._given
        loop = running_loop()  # a connection cannot outlive its event loop
        if loop not in self._own:
            forget_closed(self._own)
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=_KEPT_ALIVE)
            self._own[loop] = _client(limits=limits, verify=shared_tls(), trust_env=not self._direct)
        return self._own[loop]

    async def aclose(self) -> None:
        """Close the connections, unless they are the caller's."""
        owned, self._own = self._own, {}
        # What another event loop opened can only be closed there, and is gone with it.
        if own := owned.get(running_loop()):
            await own.aclose()


def _client(**options: Any) -> httpx.AsyncClient:
    """Make a client; the environment may name a proxy that httpx cannot use."""
    try:
        return httpx.AsyncClient(**options)
    except (ImportError, ValueError, httpx.InvalidURL) as error:  # no package for SOCKS; not an address
        raise ConfigurationError(
            f"the proxy that the environment names cannot be used: {error}",
            hint="ALL_PROXY, HTTPS_PROXY and HTTP_PROXY name one, in capitals or not; NO_PROXY bypasses it; SOCKS "
            "needs pip install 'httpx[socks]'",
        ) from None


class _HookFailed(Exception):
    """A hook of the caller's client raised an error, so what became of the request is not known."""


async def _sent(client: httpx.AsyncClient, request: httpx.Request, delivery: Delivery) -> httpx.Response:
    """Send a request and return the answer, even if a hook raises for its status.

    Raises:
        httpx.RequestError: There is no answer.
        KrakenError: A hook raised it before the request left.
        _HookFailed: A hook raised something that does not say what became of the request: an error about a request of
            its own, one of ours, or one for the status of an answer that was not read.
    """
    try:
        return await client.send(request, follow_redirects=False)
    except httpx.HTTPStatusError as error:
        response = error.response
        # A server error leaves open whether the call was carried out, whatever its body says.
        if _request_of(error) is request and (_body(response) or response.is_server_error):
            return response
        raise _HookFailed from error
    except httpx.RequestError as error:
        # httpx makes an error of its transport name the request; without hooks, a client may have copied it.
        if _request_of(error) is request or not _has_hooks(client):
            raise
        raise _HookFailed from error
    except (httpx.InvalidURL, KrakenError) as error:
        if not _has_hooks(client) or (isinstance(error, KrakenError) and not (delivery.left and delivery.message.body)):
            raise
        raise _HookFailed from error


def _has_hooks(client: httpx.AsyncClient) -> bool:
    return any(getattr(client, "event_hooks", {}).values())


def _request_of(error: httpx.RequestError | httpx.HTTPStatusError) -> httpx.Request | None:
    try:
        return error.request
    except RuntimeError:  # it was raised without one
        return None


def _body(response: httpx.Response) -> bytes:
    try:
        return response.content
    except httpx.ResponseNotRead:
        return b""


def _headers(message: Message) -> dict[str, str]:
    headers = {**message.headers, "User-Agent": USER_AGENT}
    if message.body:
        headers["Content-Length"] = str(len(message.body))
    return headers


async def _written(request: httpx.Request) -> bytes:
    """Return the bytes of an httpx request."""
    body = await request.aread()
    if request.headers.get("Content-Length", str(len(body))) != str(len(body)):
        raise httpx.LocalProtocolError("Content-Length is not the length of the body")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    try:
        return written(request.method, request.url.raw_path.decode("ascii"), headers, body)
    except BadRequest as error:
        raise httpx.LocalProtocolError(str(error)) from error


@functools.cache
def shared_tls() -> ssl.SSLContext:
    """Return httpx's default context. Loading the certificates takes over ten milliseconds: once for all."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # ssl's own errors are among them
        raise ConfigurationError(
            f"the certificates to trust cannot be loaded: {error}",
            hint="SSL_CERT_FILE and SSL_CERT_DIR of the environment name them, if set: a PEM file, a directory",
        ) from error


_UNTOUCHED: Final[list[Any]] = [None] * 4
"""The parts of httpx last found to be its own; most calls find the same."""


def mocked() -> str:
    """Return the package that has replaced a part of httpx, as a mock or instrument does, to see requests; else ""."""
    core = sys.modules.get("httpcore")  # loaded late by httpx, so not by us
    parts = (
        httpx.AsyncClient.send,
        getattr(httpx.AsyncClient, "_transport_for_url", None),  # where respx stands when told using="httpx"
        httpx.AsyncHTTPTransport.handle_async_request,
        core and core.AsyncConnectionPool.handle_async_request,  # where it stands by default
    )
    # By identity: what wraps a function may claim to equal it.
    if all(map(operator.is_, parts, _UNTOUCHED)):
        return ""
    by = next((who for part in parts if part is not None and (who := _owner(part)) not in {"httpx", "httpcore"}), "")
    if not by:
        _UNTOUCHED[:] = parts
    return by


def _owner(part: Any) -> str:
    """Name the package that a function, or what wraps one, was written in."""
    plain = type(part) is FunctionType
    written = part if plain else getattr(part, "_self_wrapper", None)  # where wrapt, for one, keeps what wraps
    # Not `__module__`, which is copied when a function is wrapped.
    module = getattr(getattr(written, "func", written), "__globals__", {}).get("__name__") or type(part).__module__
    package = str(module).partition(".")[0]
    return package if plain or package not in {"httpx", "httpcore"} else "something"

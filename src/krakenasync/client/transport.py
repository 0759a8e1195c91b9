"""Bytes out, bytes in.

Every failure is one of two: `NotSent` (Kraken cannot have seen a whole request) or `Unanswered` (it may have).

On asyncio the bytes go over connections of our own (`krakenasync.client.express`). Those of httpx
(`krakenasync.client.over_httpx`) serve trio, proxies, a client that the caller provides, and tests that replace parts
of httpx.
"""

from __future__ import annotations

import functools
import logging
import ssl
import sys
from typing import TYPE_CHECKING, Any, Final

import anyio

from krakenasync.client.codings import Undecodable, decoded
from krakenasync.client.config import has_methods
from krakenasync.client.delivery import Delivery, not_sent, unreadable
from krakenasync.client.exchanges import ConnectFailed, ExchangeFailed, PoolTimeout, Timeouts
from krakenasync.client.express import Express
from krakenasync.client.frames import at_any_time, bare
from krakenasync.client.http1 import BadRequest, BadResponse, Bounds, Response
from krakenasync.client.loops import PerLoop, forget_closed, on_asyncio, running_loop
from krakenasync.client.origin import Origin
from krakenasync.client.queueing import Lane
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.quoting import quoted

if TYPE_CHECKING:
    from krakenasync.client.over_httpx import HttpClient, OverHttpx

__all__ = ["Delivery", "Transport"]

LOG: Final = logging.getLogger("krakenasync")
_BOUNDS = Bounds()


_within = functools.lru_cache(maxsize=64)(lambda seconds: Timeouts(whole=seconds))
"""Only the whole is bounded."""


class Places:
    """The turns of public calls, as `krakenasync.client.nonces.KeyLane` has a key's: one per connection, no nonces."""

    def __init__(self, number: int) -> None:
        self._free = anyio.Semaphore(number, fast_acquire=True)

    def begin_nowait(self, _lasts: float = 0.0) -> int | None:
        """Take a place if there is one; None: `begin` has to be awaited."""
        if not self._free.value:
            return None
        self._free.acquire_nowait()
        return 0

    async def begin(self, _lane: Lane, _lasts: float = 0.0) -> int:
        """Wait for a place."""
        await self._free.acquire()
        return 0

    def end(self, _nonce: int, *, unanswered: bool = False) -> None:  # noqa: ARG002 - there is no order to be kept
        """Give it back."""
        self._free.release()


class Transport:
    """The way to one exchange, over connections of its own or a client that is handed in.

    Args:
        base_url: Scheme and host, with a path prefix if need be.
        http_client: A client of the caller's, which stays the caller's to close.
        kind: ``"express"`` for connections of our own where they can serve, ``"httpx"`` for httpx's.
        connections: How many requests are under way at once on one event loop; more wait here, in order, not inside
            httpx's pool, whose cost grows with the square of what waits in it.
    """

    def __init__(
        self,
        base_url: str,
        http_client: HttpClient | None = None,
        *,
        kind: str = "express",
        connections: int = 100,
    ) -> None:
        self._origin = Origin(base_url)
        self.base_url = self._origin.base_url
        if kind not in {"express", "httpx"}:
            raise ConfigurationError(f"no transport {quoted(kind)}", hint='"express" or "httpx"')
        if http_client is not None:
            if isinstance(http_client, type):
                raise ConfigurationError("http_client is of type type", hint="an httpx.AsyncClient")
            has_methods("http_client", http_client, "send", "build_request", "aclose", what="an httpx.AsyncClient")
        proxied = self._origin.proxied  # the proxy is httpx's to find: it reads the same environment
        self.kind = "httpx" if http_client is not None or proxied else kind
        self._where = self._origin.where + (" over a proxy" if proxied else "")
        self._given = http_client
        self._express: dict[object, Express] = {}
        self._over_httpx: OverHttpx | None = None
        self._connections = connections
        self._name = (self._origin, "places")  # an id could be another transport's later
        self._places: PerLoop[Places] = PerLoop()  # nobody can be woken from another loop
        self._closed = self._told = False

    def places(self) -> Places:
        """Return the turns of public calls. Private ones wait in their lane instead, before they take a nonce."""
        return self._places.get(self._name, lambda: Places(self._connections))

    async def deliver(self, delivery: Delivery, timeout: float) -> Response:  # noqa: ASYNC109 - bounds the socket too
        """Send a message and return the whole answer, which has to come within `timeout` seconds; its body is plain.

        Raises:
            NotSent: Kraken cannot have seen the request.
            Unanswered: It may have, but no whole answer came back in time.
            ProtocolError: The answer's encoding is broken.
        """
        if self._closed:
            raise ConfigurationError("this client is closed", hint="make a new one, or keep using it inside its block")
        express = self._ours()
        if express is None:
            return await self._theirs().deliver(delivery, timeout)
        try:
            delivery.data = self._origin.write(delivery.message)
            response = await express.exchange(delivery, _within(timeout))
            if not response.plain_head:  # a plain one names no coding
                response.body = decoded(response, _BOUNDS.body)
        # What lies below leaves without its frames, whose locals are the message's secrets.
        except (BadRequest, ConnectFailed, PoolTimeout) as error:
            raise not_sent(error, self._where, timeout) from bare(error)
        except Undecodable as error:
            raise unreadable(error) from bare(error)
        except (ExchangeFailed, BadResponse) as error:
            raise delivery.failure(error, self._where, timeout) from bare(error)
        return response

    def distrust(self) -> None:
        """Close our idle connections; httpx's cannot be reached from here."""
        if (express := self._express.get(running_loop())) is not None:
            express.drop_idle()

    def _ours(self) -> Express | None:
        """Our own connections on the running loop, where a connection lives and dies; None if httpx has to serve."""
        # Not while a mock or an instrument stands where httpx's own parts were; nobody has loaded httpx, as a rule.
        if self.kind != "express" or ("httpx" in sys.modules and _over_httpx().mocked()):
            self._say_why()
            return None
        loop = running_loop()
        found = self._express.get(loop)
        if found is None and on_asyncio():
            forget_closed(self._express)
            found = Express(self._origin, tls=_tls, connections=self._connections, bounds=_BOUNDS)
            self._express[loop] = found
        return found

    @property
    def way(self) -> str:
        """How calls go on asyncio now: ``express``, ``httpx``, or ``httpx for X`` where X has replaced a part of it."""
        by = _over_httpx().mocked() if self.kind == "express" and "httpx" in sys.modules else ""
        return f"httpx for {by}" if by else self.kind

    def _say_why(self) -> None:
        """Say once in the log that calls go another way than was asked for: they take several times as long there."""
        if self.kind == "express" and not self._told:
            self._told = True
            LOG.info("calls go over %s, which has replaced a part of it", self.way)

    def _theirs(self) -> OverHttpx:
        """The way over httpx."""
        if self._over_httpx is None:
            self._over_httpx = _over_httpx().OverHttpx(
                self.base_url, self._given, self._where, direct=self._origin.local, closed=lambda: self._closed
            )
        return self._over_httpx

    async def aclose(self) -> None:
        """Close the connections, unless they are the caller's."""
        self._closed = True
        owned, self._express = self._express, {}
        # What another event loop opened can only be closed there, and is gone with it.
        if own := owned.get(running_loop()):
            await own.aclose()
        if self._over_httpx is not None:
            await self._over_httpx.aclose()

    @at_any_time
    def __repr__(self) -> str:
        return f"<Transport {self.way} {self.base_url}>"


@functools.cache
def _over_httpx() -> Any:
    """Load what knows httpx."""
    from krakenasync.client import over_httpx  # noqa: PLC0415 - loading httpx takes a third of the time of importing us

    return over_httpx


def _tls() -> ssl.SSLContext:
    """Return httpx's default context, so that both ways trust the same."""
    context: ssl.SSLContext = _over_httpx().shared_tls()
    return context

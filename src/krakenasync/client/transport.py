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
"""Bounds the exchange as a whole, not its stages."""


class Places:
    """Turns for public calls, like a key's `krakenasync.client.nonces.KeyLane`: one per connection, without nonces."""

    def __init__(self, number: int) -> None:
        self._free = anyio.Semaphore(number, fast_acquire=True)

    def begin_nowait(self, _lasts: float = 0.0) -> int | None:
        """Take a place if one is free; return None if `begin` has to be awaited."""
        if not self._free.value:
            return None
        self._free.acquire_nowait()
        return 0

    async def begin(self, _lane: Lane, _lasts: float = 0.0) -> int:
        """Wait for a place."""
        await self._free.acquire()
        return 0

    def end(self, _nonce: int, *, unanswered: bool = False) -> None:  # noqa: ARG002 - there is no order to keep
        """Give the place back."""
        self._free.release()


class Transport:
    """The way to one exchange, over connections of its own or a client that the caller provides.

    Args:
        base_url: Scheme and host, optionally with a path prefix.
        http_client: The caller's own client, which the caller has to close.
        kind: ``"express"`` for connections of our own where they can serve, ``"httpx"`` for httpx's.
        connections: How many requests may be under way at once on one event loop; others wait here, in order, not in
            httpx's pool, whose cost grows with the square of the number waiting.
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
        proxied = self._origin.proxied  # httpx finds the proxy itself: it reads the same environment
        self.kind = "httpx" if http_client is not None or proxied else kind
        self._where = self._origin.where + (" over a proxy" if proxied else "")
        self._given = http_client
        self._express: dict[object, Express] = {}
        self._over_httpx: OverHttpx | None = None
        self._connections = connections
        self._name = (self._origin, "places")  # an id could later be another transport's
        self._places: PerLoop[Places] = PerLoop()  # a waiter cannot be woken from another loop
        self._closed = self._told = False

    def places(self) -> Places:
        """Return the turns of public calls. Private ones wait in their lane instead, before they take a nonce."""
        return self._places.get(self._name, lambda: Places(self._connections))

    async def deliver(self, delivery: Delivery, timeout: float) -> Response:  # noqa: ASYNC109 - bounds the socket too
        """Send a message and return the whole answer, decoded, which has to come within `timeout` seconds.

        Raises:
            NotSent: Kraken cannot have seen the request.
            Unanswered: Kraken may have seen it, but no whole answer came back in time.
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
        # Errors from below are stripped of their frames, whose locals include the message's secrets.
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
        """Return our own connections on the running loop, which they cannot leave; None if httpx has to be used."""
        # Not while a mock or an instrument replaces parts of httpx; usually httpx is not even loaded.
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
        """Log once that calls do not go the way that was asked for: over httpx they take several times as long."""
        if self.kind == "express" and not self._told:
            self._told = True
            LOG.info("calls go over %s, which has replaced a part of it", self.way)

    def _theirs(self) -> OverHttpx:
        """Return the way over httpx."""
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
    """Load the module that uses httpx."""
    from krakenasync.client import over_httpx  # noqa: PLC0415 - loading httpx takes a third of the time of importing us

    return over_httpx


def _tls() -> ssl.SSLContext:
    """Return httpx's default context, so that both ways trust the same certificates."""
    context: ssl.SSLContext = _over_httpx().shared_tls()
    return context

"""A running sandbox with what a test or a demonstration needs to talk to it.

There are three ways to run one: `serving` on a loopback port from the running event loop, `serving_in_thread` on a
loopback port from a thread of its own (for any test, synchronous or on any loop), `in_process` without a socket, for
virtual time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Final

import httpx
from anyio.from_thread import start_blocking_portal

from krakenasync.client.client import KrakenClient
from krakenasync.client.limits import LimitsConfig
from krakenasync.client.transport import Transport
from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.protocol.tiers import PUBLIC, CounterSpec
from krakenasync.sandbox import ApiKey, Faults, Sandbox, SandboxConfig, Stats, serve
from krakenasync.state.memory import MemoryState

__all__ = ["KrakenSandbox", "in_process", "serving", "serving_in_thread"]

BOUNDLESS: Final = CounterSpec(10**6, 10**8)
"""A counter that holds nobody up."""
DEAR: Final = 4


class KrakenSandbox:
    """A sandbox that listens, its address, its keys, and clients for it.

    Its clients share counters with each other and with nobody else, so a test never pays for the one before.

    Attributes:
        sandbox: The exchange itself: accounts, market, counters.
        base_url: Where it listens.
    """

    def __init__(self, sandbox: Sandbox, base_url: str, *, http_client: httpx.AsyncClient | None = None) -> None:
        self.sandbox = sandbox
        self.base_url = base_url
        self._http_client = http_client
        self._state = MemoryState(sandbox.clock)
        self._first = next(iter(sandbox.keys.values()))

    @property
    def api_key(self) -> str:
        """The public half of the first account's key."""
        return self._first.api_key

    @property
    def api_secret(self) -> str:
        """Its private half."""
        return self._first.api_secret

    @property
    def faults(self) -> Faults:
        """The faults to play: ``faults.add("Balance", "502", times=2)``."""
        return self.sandbox.faults

    @property
    def stats(self) -> Stats:
        """What the exchange has seen: requests, refusals, faults played."""
        return self.sandbox.stats

    def key(self, label: str | None = None) -> ApiKey:
        """Return the key of that label; without one, the first account's."""
        return self.sandbox.keys[label] if label else self._first

    def client(self, label: str | None = None, **settings: Any) -> KrakenClient:
        """Make a client for one of the keys, with the limits of this sandbox.

        Args:
            label: The key's label, such as ``"bob"``; without one, the first account's.
            settings: Any settings of `KrakenClient`; they override the ones chosen here. ``state=None`` stands for the
                state that this sandbox's clients share.
        """
        key = self.key(label)
        chosen: dict[str, Any] = {
            "api_key": key.api_key,
            "api_secret": key.api_secret,
            "tier": key.account.tier,
            "base_url": self.base_url,
            "limits": _as_counted_by(self.sandbox.config),
            "clock": self.sandbox.clock,
            "nonce_window": key.nonce_window,
            "http_client": self._http_client,
        }
        chosen |= settings
        if chosen.get("state") is None:
            chosen["state"] = self._state
        return KrakenClient(**chosen)

    @asynccontextmanager
    async def clients(self, *labels: str, **settings: Any) -> AsyncIterator[dict[str, KrakenClient]]:
        """Make a client for each label; they share their connections, which close with the block.

        Args:
            labels: The keys' labels; without any, those of all keys.
            settings: As for `client`.
        """
        transport = Transport(self.base_url, self._http_client)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(transport.aclose)
            shared = {"transport": transport, "http_client": None, **settings}
            made = {label: self.client(label, **shared) for label in labels or self.sandbox.keys}
            yield {label: await stack.enter_async_context(client) for label, client in made.items()}

    def __repr__(self) -> str:
        return f"<KrakenSandbox {self.base_url} {self.stats!r}>"


@asynccontextmanager
async def serving(config: SandboxConfig | None = None, *, port: int = 0) -> AsyncIterator[KrakenSandbox]:
    """Serve a sandbox on a loopback port from the running asyncio loop, while the block runs."""
    sandbox = Sandbox(config)
    async with serve(sandbox, port) as url:
        yield KrakenSandbox(sandbox, url)


@contextmanager
def serving_in_thread(config: SandboxConfig | None = None) -> Iterator[KrakenSandbox]:
    """Serve a sandbox on a free loopback port from a thread of its own, while the block runs.

    The caller may be synchronous, on asyncio or on trio.
    """
    sandbox = Sandbox(config)
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(serve(sandbox)) as url:
        yield KrakenSandbox(sandbox, url)


def in_process(config: SandboxConfig | None = None, *, clock: Clock = SYSTEM_CLOCK) -> KrakenSandbox:
    """Make a sandbox that is called directly, without a socket; it runs on any loop and any clock.

    >>> from krakenasync.testing import in_process, run
    >>> async def main(clock):
    ...     async with in_process(clock=clock).client() as kraken:
    ...         for _ in range(25):
    ...             await kraken.balance()
    ...         return clock.monotonic()
    >>> run(main) > 30  # a Starter's counter takes 15 calls at once; the rest waited, in no time at all
    True
    """
    sandbox = Sandbox(config, clock)
    direct = httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app))
    return KrakenSandbox(sandbox, "http://sandbox.invalid", http_client=direct)


def _as_counted_by(config: SandboxConfig) -> LimitsConfig:
    """Return limits that count exactly as the sandbox does."""
    if not config.limits:
        return LimitsConfig(rest=BOUNDLESS, engine=BOUNDLESS, public=BOUNDLESS)
    public = CounterSpec(config.public_burst, PUBLIC.decay_hundredths)
    return LimitsConfig(dear_history=config.history_cost == DEAR, public=public)

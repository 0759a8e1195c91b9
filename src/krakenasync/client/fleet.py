"""Several accounts, each with one or more API keys, in one process: one connection pool, one public counter.

Kraken counts private calls per key, trading per account and pair, public calls per address; so the keys of an account
share its engine counters, and all of them share the public one.

Source: https://docs.kraken.com/exchange/guides/rest/ratelimits
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from krakenasync.client.accounts import Account, by_label
from krakenasync.client.book import Shelf
from krakenasync.client.client import LIVE, KrakenClient
from krakenasync.client.frames import at_any_time, discreet
from krakenasync.client.polling import BalanceSnapshot, poll_accounts
from krakenasync.client.road import Call, Road
from krakenasync.client.serverclock import ServerClock
from krakenasync.client.snapshots import LimitsSnapshot
from krakenasync.client.transport import Transport
from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.specs import Effect
from krakenasync.protocol.wire import Answer
from krakenasync.state.given import state_from

if TYPE_CHECKING:
    from krakenasync.client.over_httpx import HttpClient
    from krakenasync.state.memory import MemoryState
    from krakenasync.state.port import Store

__all__ = ["AccountClient", "Fleet"]


class AccountClient(KrakenClient):
    """A client for one account of a fleet, over all its keys.

    A read uses the key with the most budget left. Changes to the orders of a pair always use the same key, so that they
    arrive in the order in which they were made; an order named only by its id goes by the pair it was seen on. All
    other changes use the account's first key that may make them. `limits` is that of the first key.

    Closing it does nothing: the connections belong to the fleet.

    Args:
        account: The account.
        transport: The fleet's connections.
        server_clock: Kraken's clock, read once for all accounts.
        shelf: The books of names, fetched once for all accounts.
        settings: Other arguments of `KrakenClient`.
    """

    def __init__(
        self, account: Account, transport: Transport, server_clock: ServerClock, shelf: Shelf, **settings: Any
    ) -> None:
        settings |= {"account": account.label, "tier": account.tier, "transport": transport}
        first, *others = account.keys
        super().__init__(**first.settings, **settings)
        more = [KrakenClient(**key.settings, **settings)._road for key in others]  # noqa: SLF001 - a client's own kind
        self._label = account.label
        self._roads = (self._road, *more)
        self._writing = tuple(road for key, road in zip(account.keys, self._roads, strict=True) if not key.reads_only)
        self._server_clock = server_clock
        self._shelf = shelf

    def snapshot(self) -> dict[str, LimitsSnapshot]:
        """Return how the counters stand, by `Key.key_id`."""
        return {road.credentials.key_id: road.limits.snapshot() for road in self._roads if road.credentials}

    async def aclose(self) -> None:
        """Do nothing: connections and state belong to the fleet."""

    async def leave(self) -> None:
        """Give up the state; the fleet calls it."""
        for road in self._roads:
            await self._state.part(road)

    def _travel(self, call: Call) -> Awaitable[Answer[Any]]:
        return self._choose(call).travel(call, self._options)

    def _choose(self, call: Call) -> Road:
        """Choose the key for a call."""
        if call.spec.effect is not Effect.READ:
            return self._choose_to_write(call)
        if len(self._roads) == 1 or not call.spec.private:
            return self._road
        # A key that Kraken refuses uses up no budget, and would attract every read.
        return max(self._roads, key=lambda road: (not road.paused, road.limits.room()))

    def _choose_to_write(self, call: Call) -> Road:
        if not self._writing:
            raise ConfigurationError(
                f"account {self._label!r} has only keys for reading",
                endpoint=call.spec.name,
                hint="give it one without reads_only",
            )
        pair = self.limits.engine.pair_of(call.params)
        if pair is None or len(self._writing) == 1:
            return self._writing[0]
        # Rendezvous hashing: every process picks the same key for a pair, in whatever order the keys are given, and an
        # added key takes over only the pairs that it wins. https://en.wikipedia.org/wiki/Rendezvous_hashing
        return max(self._writing, key=lambda road: _weight(pair, road))

    @at_any_time
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._label!r} {self.tier.name.lower()} {len(self._roads)} keys>"


def _weight(pair: str, road: Road) -> bytes:
    return hashlib.sha256(f"{pair} {road.credentials and road.credentials.key_id}".encode()).digest()


class Fleet(Mapping[str, AccountClient]):
    """Several accounts in one process, by label.

    >>> async with Fleet([Account("alice", Key(k, s)), Account("bob", Key(...), Key(...), tier="pro")]) as fleet:
    ...     await fleet["alice"].balance()  # doctest: +SKIP

    Args:
        accounts: The accounts.
        base_url: As for `KrakenClient`.
        http_client: An httpx client to use instead of our own connections; closing it is up to you.
        transport: As for `KrakenClient`: ``"express"`` or ``"httpx"``.
        connections: How many requests of all accounts together may be under way at once; others wait.
        state: Where counters and nonces live, as for `KrakenClient`.
        clock: The source of time.
        settings: Other arguments of `KrakenClient` (`timeout`, `max_attempts`, `retry`, `limits`, `hooks`), for all.

    Raises:
        ConfigurationError: There is no account, two have one label, a key is given twice, or a setting cannot work.
    """

    @discreet
    def __init__(
        self,
        accounts: Iterable[Account],
        *,
        base_url: str = LIVE,
        http_client: HttpClient | None = None,
        transport: str = "express",
        connections: int = 100,
        state: MemoryState | Store | str | None = None,
        clock: Clock = SYSTEM_CLOCK,
        **settings: Any,
    ) -> None:
        members = by_label(accounts)
        self._transport = Transport(base_url, http_client=http_client, kind=transport, connections=connections)
        self._state = state_from(state, clock)
        settings |= {"state": self._state, "clock": clock}
        server_clock, shelf = ServerClock(clock), Shelf(clock)
        self._clients = {
            label: AccountClient(account, self._transport, server_clock, shelf, **settings)
            for label, account in members.items()
        }

    def __getitem__(self, label: str) -> AccountClient:
        return self._clients[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clients)

    def __len__(self) -> int:
        return len(self._clients)

    def poll_balances(
        self, every: float = 5.0, *, buffer: int = 64
    ) -> AbstractAsyncContextManager[AsyncIterator[BalanceSnapshot]]:
        """Poll all accounts at once, merged into one stream of labelled snapshots; see `poll_accounts`.

        >>> async with fleet.poll_balances(every=5.0) as snapshots:  # doctest: +SKIP
        ...     async for snapshot in snapshots:
        ...         print(snapshot.account, snapshot.changed)

        Args:
            every: Seconds between two polls of one account.
            buffer: Snapshots kept for a slow reader; when it is full, polling waits.
        """
        return poll_accounts(self, every, buffer=buffer)

    def snapshot(self) -> dict[str, dict[str, LimitsSnapshot]]:
        """Return how all counters stand: label -> `Key.key_id` -> counters. ``"public"`` is the same for all."""
        return {label: client.snapshot() for label, client in self._clients.items()}

    async def aclose(self) -> None:
        """Close the connections, unless the caller provided them."""
        await self._transport.aclose()
        for client in self._clients.values():
            await client.leave()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @at_any_time
    def __repr__(self) -> str:
        return f"<Fleet {self._transport.base_url} {len(self)} accounts {self._transport.kind}>"

"""Polling balances: of one account as an async iterator, of many at once as a merged stream."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

import anyio
import msgspec

from krakenasync.client.config import refused
from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.errors import (
    AccountRestricted,
    AuthenticationError,
    ConfigurationError,
    InvalidKey,
    InvalidSignature,
    KrakenError,
    PermissionDenied,
)
from krakenasync.protocol.exact import EXACT

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectSendStream

__all__ = ["BalanceSnapshot", "poll_accounts", "poll_balances"]

_ZERO: Final = Decimal(0)
_SHORTEST, _LONGEST = 0.001, 31_536_000.0
"""Seconds from one poll to the next: with much fewer or more of them, a moment is no longer a number of seconds."""
_HOPELESS: Final = (InvalidKey, InvalidSignature, PermissionDenied, AccountRestricted, ConfigurationError)
"""Failures that only a person can fix; repeated polls would lead to a lockout."""


def _hopeless(error: KrakenError | None, before: KrakenError | None) -> bool:
    """Whether only a person can help. A refusal without a known reason (``EAuth:Failed``) has two chances."""
    return isinstance(error, _HOPELESS) or type(error) is type(before) is AuthenticationError


class BalanceSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The balances of one account at one moment.

    Attributes:
        account: The account's label; empty when only one is polled.
        at: When the answer came, in nanoseconds since the unix epoch.
        number: Counts the account's snapshots, from 1.
        balances: Asset id -> amount. After an error: the last known.
        changed: Asset id -> by how much it changed since the previous snapshot. Empty in the first.
        error: Why there are no new balances, or None.
    """

    account: str = ""
    at: int
    number: int
    balances: dict[str, Decimal]
    changed: dict[str, Decimal]
    error: KrakenError | None = None


def changes(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return by how much each asset changed; unchanged ones are left out."""
    found = {asset: EXACT.subtract(after.get(asset, _ZERO), before.get(asset, _ZERO)) for asset in (*before, *after)}
    return {asset: difference for asset, difference in found.items() if difference}


async def poll_balances(
    ask: Callable[[], Awaitable[dict[str, Decimal]]],
    every: float,
    *,
    account: str = "",
    clock: Clock = SYSTEM_CLOCK,
    on_error: str = "raise",
) -> AsyncGenerator[BalanceSnapshot, None]:
    """Yield the balances at a fixed interval, without end.

    A slow answer shortens the pause after it; a poll that was missed is skipped, not made up for.

    Args:
        ask: Gets the balances, such as ``kraken.balance``.
        every: Seconds from one poll to the next.
        account: The label of the snapshots.
        clock: The source of time.
        on_error: ``"raise"`` ends the iteration with the error; ``"yield"`` reports it in a snapshot and continues,
            unless retrying cannot help (a wrong key, a missing permission): then that snapshot is the last.

    Raises:
        ConfigurationError: `every` is not a number from 0.001 to a year, or `on_error` is neither ``"raise"`` nor
            ``"yield"``.
        KrakenError: A poll failed.
    """
    _check_every(every)
    if not isinstance(on_error, str) or on_error not in {"raise", "yield"}:
        raise refused("on_error", on_error, "'raise' or 'yield'")
    last: dict[str, Decimal] | None = None
    number = 0
    beat = clock.monotonic()
    error: KrakenError | None = None
    while True:
        before, error = error, None
        balances: dict[str, Decimal] | None
        try:
            balances = await ask()
        except KrakenError as failure:
            if on_error == "raise":
                raise
            balances, error = last, failure
        number += 1
        changed = changes(last, balances) if last is not None and balances is not None else {}
        last = balances
        known = dict(balances or {})
        yield BalanceSnapshot(
            account=account, at=clock.wall_ns(), number=number, balances=known, changed=changed, error=error
        )
        if _hopeless(error, before):
            return
        now = clock.monotonic()
        beat += every * max(1, math.ceil((now - beat) / every))
        await anyio.sleep(beat - now)


def _check_every(every: object) -> None:
    if isinstance(every, bool) or not isinstance(every, (int, float)) or not _SHORTEST <= every <= _LONGEST:
        raise refused("every", every, "seconds, from 0.001 to a year")


class Polled(Protocol):
    """What can be polled: a client."""

    def poll_balances(self, every: float, *, on_error: str) -> AsyncIterator[BalanceSnapshot]:
        """Yield the balances every `every` seconds."""
        ...


@asynccontextmanager
async def poll_accounts(
    clients: Mapping[str, Polled], every: float = 5.0, *, buffer: int = 64
) -> AsyncIterator[AsyncIterator[BalanceSnapshot]]:
    """Poll many accounts at once, merged into one stream of labelled snapshots.

    For clients that you already have; a `Fleet` polls its own clients, which share their connections.

    An account that fails reports it in its own snapshots and never holds up the others; polling it continues, unless
    that cannot help (see `poll_balances`).

    >>> async with poll_accounts({"alice": a, "bob": b}, every=2.0) as snapshots:  # doctest: +SKIP
    ...     async for snapshot in snapshots:
    ...         print(snapshot.account, snapshot.balances)

    Args:
        clients: Label -> client.
        every: Seconds between two polls of one account.
        buffer: Snapshots kept for a slow reader; when it is full, polling waits.

    Raises:
        ConfigurationError: `every` is not a number from 0.001 to a year, or `buffer` is not a whole number, 0 or more.
    """
    _check_every(every)
    if isinstance(buffer, bool) or not isinstance(buffer, int) or buffer < 0:
        raise refused("buffer", buffer, "a whole number, 0 or more")
    send, receive = anyio.create_memory_object_stream[BalanceSnapshot](buffer)
    failure: Exception | None = None
    # Not the group's own scope, in which the caller's block runs: see `dead_man_switch`.
    scopes = [anyio.CancelScope() for _ in clients]
    async with anyio.create_task_group() as tasks:
        with receive:
            async with send:
                for scope, (label, client) in zip(scopes, clients.items(), strict=True):
                    tasks.start_soon(_forward, scope, label, client, every, send.clone())
            try:
                yield receive
            except Exception as error:  # noqa: BLE001 - raised below: the caller's own error, without a group
                failure = error
            for scope in scopes:
                scope.cancel()
    if failure is not None:
        raise failure


async def _forward(
    scope: anyio.CancelScope, label: str, client: Polled, every: float, to: MemoryObjectSendStream[Any]
) -> None:
    """Put one account's snapshots into the common stream."""
    async with to:
        with scope:
            async for snapshot in client.poll_balances(every, on_error="yield"):
                await to.send(msgspec.structs.replace(snapshot, account=label))

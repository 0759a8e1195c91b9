"""``krakenasync demo``: several accounts polled at once over real HTTP, with neither keys nor network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import cycle
from typing import Annotated, Final

import anyio
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.live import Live

from krakenasync.cli.demo_view import NARROWEST, Account, Calls, as_line, as_record, as_table, summarise
from krakenasync.cli.exits import Exit
from krakenasync.cli.rendering import emit, lively, say, screen
from krakenasync.client.client import KrakenClient
from krakenasync.client.polling import BalanceSnapshot, poll_accounts
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing.sandboxes import KrakenSandbox, serving

__all__ = ["demo"]

TIERS: Final = {"alice": Tier.STARTER, "bob": Tier.INTERMEDIATE, "carol": Tier.PRO, "dave": Tier.STARTER}
"""The accounts that are polled, each of its own tier."""

TRADES: Final = {"alice": ("XBTUSD", "0.01"), "bob": ("ETHEUR", "0.5"), "carol": ("XBTUSD", "0.25")}
"""Which accounts trade what meanwhile, so that there is something to see."""

EVERY: Final = 0.25
"""Seconds between two calls for one account: faster than any tier allows for long, so the limiter has work."""

PAUSE: Final = 0.6
"""Seconds between two trades of an account."""

REFRESH: Final = 0.1
"""Seconds between two redraws of a terminal: the budget changes even when nothing else does."""

NETWORK: Final = SandboxConfig(latency=0.005, jitter=0.02)
"""The sandbox, with the latency of a nearby exchange."""


async def demo(
    *, seconds: Annotated[float, Parameter(validator=Number(gt=0, lte=3600))] = 8.0, json: bool = False
) -> int:
    """Poll the balances of several accounts at once: no keys, no network, nothing to set up.

    Starts the sandbox on a port of this machine and asks it for balances faster than Kraken would allow; the limiter
    makes sure that no call is refused.

    Args:
        seconds: How long to run.
        json: Print one JSON object per line instead of a table.
    """
    calls = Calls()
    async with serving(NETWORK) as exchange:
        for name, tier in TIERS.items():
            exchange.sandbox.accounts[name].tier = tier
        began = SYSTEM_CLOCK.monotonic()
        async with _busy(exchange, calls) as (accounts, snapshots):
            with anyio.move_on_after(seconds):
                await _present(accounts, snapshots, exchange, json=json)
        tally = summarise(accounts.values(), calls, exchange.stats, SYSTEM_CLOCK.monotonic() - began)
    if json:
        emit(tally.record())
    else:
        screen().print(tally.text())
    return Exit.OK if tally.promise_kept else Exit.REFUSED


@asynccontextmanager
async def _busy(
    exchange: KrakenSandbox, calls: Calls
) -> AsyncIterator[tuple[Mapping[str, Account], AsyncIterator[BalanceSnapshot]]]:
    """Poll all accounts, over shared connections, while some of them trade."""
    async with exchange.clients(*TIERS, hooks=[calls]) as clients, anyio.create_task_group() as traders:
        accounts = {name: Account(name, TIERS[name], client.limits) for name, client in clients.items()}
        for name, (pair, volume) in TRADES.items():
            traders.start_soon(_trade, clients[name], pair, Decimal(volume))
        async with poll_accounts(clients, every=EVERY) as snapshots:
            yield accounts, snapshots
        traders.cancel_scope.cancel()


async def _trade(client: KrakenClient, pair: str, volume: Decimal) -> None:
    """Buy and sell alternately, at the market price."""
    for side in cycle(("buy", "sell")):
        await anyio.sleep(PAUSE)
        await client.add_order(pair=pair, type=side, ordertype="market", volume=volume)


async def _present(
    accounts: Mapping[str, Account], snapshots: AsyncIterator[BalanceSnapshot], exchange: KrakenSandbox, *, json: bool
) -> None:
    """Show what comes in: JSON, a live table on a terminal with room for it, plain lines elsewhere."""
    on_terminal = not json and lively() and screen().width >= NARROWEST
    async with anyio.create_task_group() as painting:
        if on_terminal:
            painting.start_soon(_paint, accounts, exchange)
        async for snapshot in snapshots:
            account = accounts[snapshot.account]
            account.take(snapshot)
            if json:
                emit(as_record(account, snapshot))
            elif not on_terminal and (line := as_line(account, snapshot)):
                say(line)


async def _paint(accounts: Mapping[str, Account], exchange: KrakenSandbox) -> None:
    """Keep the live table up to date."""
    with Live(console=screen(), auto_refresh=False) as live:
        while True:
            refusals, width = exchange.stats.refusals(), live.console.width
            live.update(as_table(accounts.values(), exchange.base_url, refusals, width), refresh=True)
            await anyio.sleep(REFRESH)

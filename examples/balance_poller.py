"""Poll the balances of several accounts and print what changes.

    python examples/balance_poller.py keys.json        where keys.json is {"alice": ["key", "secret"], ...}

Address and tier come from the environment, as for every client.
"""
# ruff: noqa: INP001, T201 - a program to read and run: no package, and it prints

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import httpx

from krakenasync import BalanceSnapshot, KrakenClient, poll_accounts


def describe(snapshot: BalanceSnapshot) -> list[str]:
    """Say what is new: everything at first, later what changed, or why there is no answer."""
    if snapshot.error:
        return [f"{snapshot.account}: no answer, {snapshot.error}"]
    if snapshot.number == 1:
        return [f"{snapshot.account}: {asset} {amount}" for asset, amount in snapshot.balances.items()]
    return [f"{snapshot.account}: {asset} {change:+}" for asset, change in snapshot.changed.items()]


async def poll(clients: Mapping[str, KrakenClient], every: float = 5.0) -> None:
    """Print for ever; an account that fails does not hold up the others."""
    async with poll_accounts(clients, every=every) as snapshots:
        async for snapshot in snapshots:
            for line in describe(snapshot):
                print(line, flush=True)


async def main(keys: Mapping[str, tuple[str, str]]) -> None:
    """Make a client for each key, over one pool of connections."""
    async with httpx.AsyncClient() as pool, AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(
                KrakenClient.from_env(api_key=key, api_secret=secret, http_client=pool)
            )
            for name, (key, secret) in keys.items()
        }
        await poll(clients)


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - this program and the file
        sys.exit(__doc__)
    with suppress(KeyboardInterrupt):  # Ctrl-C is how it is stopped
        asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))

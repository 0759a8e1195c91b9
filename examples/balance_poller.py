"""Poll the balances of several accounts and print what changes.

    python examples/balance_poller.py keys.json        where keys.json is {"alice": ["key", "secret"], ...}

Address and tier come from the environment: KRAKEN_BASE_URL and KRAKEN_TIER.
"""
# ruff: noqa: INP001, T201 - a program to read and run: no package, and it prints

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from krakenasync import LIVE, Account, BalanceSnapshot, Fleet, Key


def describe(snapshot: BalanceSnapshot) -> list[str]:
    """Say what is new: everything at first, later what changed, or why there is no answer."""
    if snapshot.error:
        return [f"{snapshot.account}: no answer, {snapshot.error}"]
    if snapshot.number == 1:
        return [f"{snapshot.account}: {asset} {amount}" for asset, amount in snapshot.balances.items()]
    return [f"{snapshot.account}: {asset} {change:+}" for asset, change in snapshot.changed.items()]


async def poll(fleet: Fleet, every: float = 5.0) -> None:
    """Print forever; an account that fails does not hold up the others."""
    async with fleet.poll_balances(every=every) as snapshots:
        async for snapshot in snapshots:
            for line in describe(snapshot):
                print(line, flush=True)


async def main(keys: Mapping[str, tuple[str, str]]) -> None:
    """Make a client for each key; the fleet has them share their connections."""
    where, tier = os.environ.get("KRAKEN_BASE_URL", LIVE), os.environ.get("KRAKEN_TIER", "starter")
    accounts = [Account(label, Key(*halves), tier=tier) for label, halves in keys.items()]
    async with Fleet(accounts, base_url=where) as fleet:
        await poll(fleet)


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - this program and the file
        sys.exit(__doc__)
    with suppress(KeyboardInterrupt):  # Ctrl-C is how it is stopped
        asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))

"""Watch an escrow account's EUR and BCH: report what comes in or goes out, and alert when there is too little.

    KRAKEN_API_KEY=... KRAKEN_API_SECRET=... python examples/escrow.py

The key needs "Query funds" and nothing else.
"""
# ruff: noqa: INP001, T201 - a program to read and run: no package, and it prints

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal

from krakenasync import BalanceSnapshot, KrakenClient

OWED = {"ZEUR": Decimal(10_000), "BCH": Decimal(5)}
"""What must be there, under Kraken's names of the assets."""


def alert(text: str) -> None:
    """Put your pager, mail or chat here."""
    print(f"ALERT {text}", file=sys.stderr, flush=True)


def check(snapshot: BalanceSnapshot, owed: Mapping[str, Decimal]) -> list[str]:
    """Return what is worth an alert."""
    if snapshot.error:
        return [f"the balance cannot be read: {snapshot.error}"]
    found = []
    for asset, least in owed.items():
        amount = snapshot.balances.get(asset, Decimal(0))
        if change := snapshot.changed.get(asset):
            found.append(f"{asset} {change:+}, now {amount}")
        if amount < least and (snapshot.number == 1 or asset in snapshot.changed):
            found.append(f"{asset} stands at {amount}, {least - amount} short of {least}")
    return found


async def watch(kraken: KrakenClient, owed: Mapping[str, Decimal] = OWED, every: float = 10.0) -> None:
    """Watch forever, even if the network fails; an error that only a person can fix ends it with an alert."""
    async for snapshot in kraken.poll_balances(every, on_error="yield"):
        for text in check(snapshot, owed):
            alert(text)


async def main() -> None:
    """Watch the account of the environment."""
    async with KrakenClient.from_env() as kraken:
        await watch(kraken)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # Ctrl-C is how it is stopped
        asyncio.run(main())
        sys.exit(1)  # nobody is watching any more: let the caller know

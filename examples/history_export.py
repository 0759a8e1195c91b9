"""Keep ledgers, trades and closed orders in CSV files: run it every night, or again after it was interrupted.

    KRAKEN_API_KEY=... KRAKEN_API_SECRET=... python examples/history_export.py folder

The key needs "Query ledger entries" and "Query closed orders & trades".
"""
# ruff: noqa: INP001, T201 - a program to read and run: no package, and it prints

import asyncio
import sys
from pathlib import Path

from krakenasync import KrakenClient
from krakenasync.archive import Progress, download


def tell(progress: Progress) -> None:
    """Print how far it is, with the limiter's estimate of the time left."""
    print(f"  {progress.seen} of {progress.count}, {progress.seconds_left:.0f} s left", flush=True)


async def export(kraken: KrakenClient, folder: Path) -> bool:
    """Bring each list up to date; return whether all agree with Kraken's counts."""
    complete = True
    for kind in ("ledgers", "trades", "closed-orders"):
        report = await download(kraken.with_options(lane="background"), kind, folder / f"{kind}.csv", on_progress=tell)
        print(f"{kind}: {report.new} new, {report.rows} in all", flush=True)
        complete = complete and report.complete
    return complete


async def main(folder: Path) -> int:
    """Export the account of the environment."""
    async with KrakenClient.from_env() as kraken:
        return 0 if await export(kraken, folder) else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - this program and the folder
        sys.exit(__doc__)
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    sys.exit(asyncio.run(main(target)))

"""What does it cost to read a large answer into types, with Decimals?

    python benchmarks/bulk.py [--rounds 15]

The event loop is blocked while an answer is read, so the time of one reading is the longest stall it causes; the last
column is the worst of all rounds.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from _answers import BODIES
from _bench import headline, middle, table
from krakenasync.protocol.requests import result_type
from krakenasync.protocol.wire import decode
from krakenasync.spot.market import AssetPairs, Ticker
from krakenasync.spot.trades import OHLC, Trades

TYPES = {"AssetPairs": AssetPairs, "Trades": Trades, "OHLC": OHLC, "Ticker": Ticker}

COLUMNS = {"Trades": slice(0, 2), "OHLC": slice(1, 7)}
"""The columns of a table's rows that are amounts of money."""


def timed(read: Callable[[], Any]) -> float:
    """Return the milliseconds that one reading takes, with the garbage of earlier ones collected first."""
    gc.collect()
    began = time.perf_counter()
    read()
    return (time.perf_counter() - began) * 1e3


def fees(body: bytes) -> int:
    """Read the pairs and all their fee tables, which are otherwise read on first access."""
    pairs = decode(result_type(AssetPairs), 200, body, endpoint="AssetPairs").result
    return sum(len(pair.fees) + len(pair.fees_maker) for pair in pairs.values())


def by_hand(body: bytes, columns: slice) -> list[list[Any]]:
    """Read a table as a user would without types: amounts become Decimals, times stay as they came."""
    (rows,) = (value for value in json.loads(body)["result"].values() if isinstance(value, list))
    for row in rows:
        row[columns] = map(Decimal, row[columns])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    headline("how long does reading a large answer take?", "json.loads into plain dicts, floats and strings")
    rows = []
    for name, request in TYPES.items():
        body, kind = BODIES[name], result_type(request)
        reads: dict[str, Callable[[], Any]] = {
            "json.loads": lambda body=body: json.loads(body),
            "typed": lambda body=body, kind=kind, name=name: decode(kind, 200, body, endpoint=name),
        }
        if name in COLUMNS:
            reads["json.loads, then Decimals"] = lambda body=body, name=name: by_hand(body, COLUMNS[name])
        if name == "AssetPairs":
            reads["typed, all fees touched"] = lambda body=body: fees(body)
        runs: dict[str, list[float]] = {way: [] for way in reads}
        for _ in range(rounds):
            for way, read in reads.items():
                runs[way].append(timed(read))
        base = middle(runs["json.loads"])
        rows += [
            (f"{name}, {len(body) / 1e3:.0f} KB", way, f"{middle(r):.3f}", f"{middle(r) / base:.2f}", f"{max(r):.3f}")
            for way, r in runs.items()
        ]
    table(("answer", "way", "ms", "to json.loads", "longest stall ms"), rows)


if __name__ == "__main__":
    main()

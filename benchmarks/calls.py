"""What does a whole call cost, compared with other clients?

    python benchmarks/calls.py [--tls] [--uvloop] [--calls 500] [--rounds 15] [--wide 1 16 64] [--endpoints Balance ...]
    MALLOC_TOP_PAD_=67108864 MALLOC_MMAP_THRESHOLD_=67108864 python benchmarks/calls.py

The server runs in a process (on a core) of its own and gives canned answers; the clients take turns. The second form
removes, for every client, the page faults that asyncio's large reads cost some clients and not others.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import gc
import os
import tempfile
import time
from importlib import import_module
from pathlib import Path
from statistics import quantiles

import trustme

from _answers import answering
from _bench import headline, middle, table
from _peers import ONLY, WAYS, Ask, say_skipped
from transport import pin

SLOW = {"AssetPairs": 40, "Trades": 8}
"""Endpoint -> the factor by which fewer calls are made."""

Run = tuple[float, float, float, float]
"""CPU us a call, calls a second, median and 99th percentile of the latency in us."""


async def timed(ask: Ask, name: str, calls: int, wide: int) -> Run:
    """Make this many calls, `wide` at once."""
    latencies: list[float] = []

    async def worker() -> None:
        for _ in range(max(1, calls // wide)):
            began = time.perf_counter()
            await ask(name)
            latencies.append(time.perf_counter() - began)

    await asyncio.gather(*[ask(name) for _ in range(wide)])
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*[worker() for _ in range(wide)])
    cpu, wall, made = time.process_time() - cpu, time.perf_counter() - wall, len(latencies)
    cuts = quantiles(latencies, n=100)
    return cpu / made * 1e6, made / wall, cuts[49] * 1e6, cuts[98] * 1e6


async def compare(url: str, name: str, calls: int, wide: int, rounds: int) -> dict[str, list[Run]]:
    """Let all clients take turns; return each one's runs, one a round."""
    async with contextlib.AsyncExitStack() as stack:
        asks: dict[str, Ask] = {}
        for way, opened in WAYS.items():
            if name not in ONLY.get(way, {name}):
                continue
            try:
                asks[way] = await stack.enter_async_context(opened(url, wide))
            except ImportError as error:
                say_skipped(way, str(error))
        runs: dict[str, list[Run]] = {way: [] for way in asks}
        for _ in range(rounds):
            for way, ask in asks.items():
                slower = 4 if way.startswith(("httpx", "krakenex")) else 1
                runs[way].append(await timed(ask, name, calls // SLOW.get(name, 1) // slower, wide))
    return runs


def medians(runs: list[Run]) -> list[float]:
    """Return the median of each column."""
    return [middle(column) for column in zip(*runs, strict=True)]


def beside(runs: list[Run], others: list[Run], column: int) -> float:
    """Return the median of the rounds' ratios: the machine's speed varies, but least within a round."""
    return middle([run[column] / other[column] for run, other in zip(runs, others, strict=True)])


def show(found: dict[str, list[Run]]) -> None:
    """Print one comparison."""
    least, mine = found["bare Protocol"], found["krakenasync"]
    rows = []
    for way, runs in found.items():
        cpu, rate, p50, p99 = medians(runs)
        to_bare, to_ours, faster = beside(runs, least, 0), beside(runs, mine, 0), beside(mine, runs, 1)
        cells = (f"{cpu:.0f}", f"{to_bare:.2f}", f"{to_ours:.2f}", f"{rate:.0f}", f"{faster:.2f}x")
        rows.append((way, *cells, f"{p50:.0f}", f"{p99:.0f}"))
    table(("client", "CPU us", "to bare", "to ours", "calls/s", "ours is", "p50 us", "p99 us"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--wide", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--endpoints", nargs="*", default=["Balance", "Ticker", "AssetPairs", "Trades"])
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--uvloop", action="store_true")
    asked = parser.parse_args()
    headline("what does a whole call cost?", "a bare asyncio Protocol that writes prepared bytes and decodes nothing")
    padded = "MALLOC_TOP_PAD_" in os.environ
    how = ("TLS 1.3" if asked.tls else "plain TCP", "uvloop" if asked.uvloop else "asyncio", "MALLOC_* set" * padded)
    print(f"{', '.join(word for word in how if word)}; load at the start {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        certificate = None
        if asked.tls:
            certificate, trusted = str(Path(folder, "server.pem")), str(Path(folder, "authority.pem"))
            authority = trustme.CA()
            authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
            authority.cert_pem.write_to_path(trusted)
            os.environ |= {"SSL_CERT_FILE": trusted, "REQUESTS_CA_BUNDLE": trusted}
        with answering(certificate, core=functools.partial(pin, 1)) as url:
            pin(0)
            make = import_module("uvloop").new_event_loop if asked.uvloop else asyncio.new_event_loop
            for name in asked.endpoints:
                for wide in asked.wide:
                    print(f"\n{name}, {wide} at once")
                    with asyncio.Runner(loop_factory=make) as runner:
                        show(runner.run(compare(url, name, asked.calls, wide, asked.rounds)))


if __name__ == "__main__":
    main()

"""How much memory do waiting calls take, and does it grow while a client polls?

    python benchmarks/memory.py [--waiting 10000] [--hours 1]

The first part lets calls wait for a counter that is full; the second polls balances in virtual time, four accounts
every two seconds. An hour of it takes about 20 seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import tracemalloc
from typing import Any

import anyio

from _bench import headline, table
from krakenasync import CounterSpec, KrakenClient, LimitsConfig
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.sandbox import SandboxConfig
from krakenasync.state.memory import MemoryState
from krakenasync.testing import in_process, run

NOT_OURS = tracemalloc.Filter(inclusive=False, filename_pattern="*sandbox*", all_frames=True)
"""The sandbox keeps the trades of its market."""


def held() -> int:
    """Return the bytes that Python has allocated now."""
    gc.collect()
    kept = tracemalloc.take_snapshot().filter_traces([NOT_OURS])
    return sum(each.size for each in kept.statistics("filename"))


async def waiting(calls: int, *, ours: bool) -> float:
    """Return bytes per waiting call, for ours or for a task with a bare future."""
    limits = LimitsConfig(rest=CounterSpec(20, 1), initial="full")
    kraken = KrakenClient("key", "c2VjcmV0", limits=limits, state=MemoryState(SYSTEM_CLOCK))
    loop = asyncio.get_running_loop()

    async def bare() -> None:
        await loop.create_future()

    ask = kraken.balance if ours else bare
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    tasks = [asyncio.ensure_future(ask()) for _ in range(calls)]
    for _ in range(5):
        await asyncio.sleep(0)
    taken = tracemalloc.get_traced_memory()[0] - before
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await kraken.aclose()
    return taken / calls


def polling(hours: float) -> list[int]:
    """Return the bytes allocated after each tenth of the time, without those of the sandbox."""
    found: list[int] = []

    async def main(clock: Any) -> None:
        exchange = in_process(SandboxConfig(tier="pro"), clock=clock)
        async with exchange.client() as kraken, anyio.create_task_group() as tasks:

            async def poll() -> None:
                async for _ in kraken.poll_balances(2.0):
                    pass

            for _ in range(4):
                tasks.start_soon(poll)
            held()  # the first look makes things that tracemalloc keeps
            for _ in range(11):
                await anyio.sleep(hours * 360)
                found.append(held())
            tasks.cancel_scope.cancel()

    with contextlib.suppress(asyncio.CancelledError):
        run(main)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=1.0)
    asked = parser.parse_args()
    headline("how much memory does waiting and polling take?", "a task that waits for a bare future")
    tracemalloc.start()
    bare, ours = [asyncio.run(waiting(asked.waiting, ours=each)) for each in (False, True)]
    table(("waiting call", "bytes each"), [("balance()", f"{ours:.0f}"), ("bare future in a task", f"{bare:.0f}")])
    tracemalloc.stop()
    tracemalloc.start(3)
    first, *rest = polling(asked.hours)
    print(f"\nheld after each tenth of {asked.hours:g} h of polling, KB beside the first:")
    print(" ".join(f"{(each - first) / 1e3:+.1f}" for each in rest))


if __name__ == "__main__":
    main()

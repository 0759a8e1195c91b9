"""What do a thousand accounts in one process cost, and are any of their calls refused?

python benchmarks/fleet.py                   1,000 Pro accounts, over sockets on this machine, in real time
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import time
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Any

import anyio

from _bench import headline, table
from krakenasync import Account, Fleet, Key, KrakenClient
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.sandbox import Sandbox, SandboxConfig, serve
from krakenasync.state.memory import MemoryState

BURST = 18
"""Calls that an account's counter accepts at once, with room for the round that comes before them."""


def exchange(accounts: int, step: float, pipe: Connection) -> None:
    """Serve a sandbox from a process of its own until told to stop; then report what it has seen."""

    async def main() -> None:
        sandbox = Sandbox(SandboxConfig(tier="pro", step=step))
        keys = []
        for number in range(accounts):
            sandbox.open_account(f"trader-{number}", {"ZUSD": "1000", "XXBT": "1"})
            key = sandbox.add_key(f"trader-{number}")
            keys.append((key.account.name, key.api_key, key.api_secret))
        async with serve(sandbox) as url:
            pipe.send((url, keys))
            await anyio.to_thread.run_sync(pipe.recv)
        pipe.send((sandbox.stats.requests["Balance"], sandbox.stats.refusals()))

    asyncio.run(main())


Work = Callable[[Fleet], Awaitable[tuple[int, float]]]


async def burst(fleet: Fleet) -> tuple[int, float]:
    """Make as many calls at once for every account as its counter accepts."""

    async def ask(client: KrakenClient) -> None:
        for _ in range(BURST):
            await client.balance()

    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for client in fleet.values():
            tasks.start_soon(ask, client)
    return BURST * len(fleet), time.perf_counter() - began


def polling(every: float, seconds: float) -> Work:
    """Poll every account at a fixed interval."""

    async def work(fleet: Fleet) -> tuple[int, float]:
        seen: Counter[str] = Counter()
        began = time.perf_counter()
        async with fleet.poll_balances(every=every) as snapshots:
            with anyio.move_on_after(seconds):
                async for snapshot in snapshots:
                    assert snapshot.error is None, snapshot.error
                    seen[snapshot.account] += 1
        assert len(seen) == len(fleet), "an account was left out"
        return seen.total(), time.perf_counter() - began

    return work


def memory(url: str, accounts: list[Account], settings: dict[str, Any]) -> list[float]:
    """Return bytes per account: when made, and after one call for every account."""

    async def main() -> list[float]:
        gc.collect()
        tracemalloc.start()
        async with Fleet(accounts, base_url=url, state=MemoryState(SYSTEM_CLOCK), **settings) as fleet:
            made = tracemalloc.get_traced_memory()[0]
            async with anyio.create_task_group() as tasks:
                for client in fleet.values():
                    tasks.start_soon(client.balance)
            gc.collect()
            asked = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return [made / len(accounts), asked / len(accounts)]

    return asyncio.run(main())


def measure(work: Work | None, count: int, step: float) -> tuple[list[float], int, int]:
    """Do one piece of work against an exchange of its own; return the figures, the requests it saw and refused."""
    context = multiprocessing.get_context("spawn")
    pipe, far_end = context.Pipe()
    process = context.Process(target=exchange, args=(count, step, far_end), daemon=True)
    process.start()
    url, keys = pipe.recv()
    accounts = [Account(name, Key(api_key, secret), tier="pro") for name, api_key, secret in keys]
    settings: dict[str, Any] = {"timeout": 30.0}

    async def main(work: Work) -> list[float]:
        async with Fleet(accounts, base_url=url, state=MemoryState(SYSTEM_CLOCK), **settings) as fleet:
            calls, seconds = await work(fleet)
            return [calls, seconds]

    try:
        figures = memory(url, accounts, settings) if work is None else asyncio.run(main(work))
    finally:
        pipe.send(None)
        requests, refusals = pipe.recv()
        process.join()
    return figures, requests, refusals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--every", type=float, default=2.0, help="the beat of the polls")
    parser.add_argument("--step", type=float, default=2.0, help="seconds between two reductions of a counter")
    options = parser.parse_args()
    count = options.accounts
    headline(
        f"{count} accounts in one process: memory per account, calls a second, refusals?",
        "none; the sandbox in a process of its own on the same machine is the slower half",
    )
    rows = []
    for name, work in (
        (f"burst of {BURST} each", burst),
        (f"polled every {options.every:g} s", polling(options.every, options.seconds)),
    ):
        (calls, seconds), requests, refusals = measure(work, count, options.step)
        rows.append((name, f"{calls:,.0f}", requests, f"{seconds:.1f}", f"{calls / seconds:,.0f}", refusals))
    table(("work", "answers", "requests seen", "seconds", "answers a second", "refused"), rows)
    (made, asked), _requests, _refusals = measure(None, count, options.step)
    print(f"\nmemory per account: {made / 1024:.1f} KiB made, {asked / 1024:.1f} KiB after its first call")
    print("(Python's own allocations, the shared connections included)")


if __name__ == "__main__":
    main()

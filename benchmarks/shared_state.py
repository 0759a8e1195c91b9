"""What does it cost to share limits between processes, and how exactly and fairly is it done?

python benchmarks/shared_state.py                                     a file, and a Redis server that is started for it
python benchmarks/shared_state.py --redis redis://127.0.0.1:6379/0    a server of your own
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from redis.asyncio import Redis

from _answers import answering
from _bench import headline, middle, table
from krakenasync import CounterSpec, KrakenClient, LimitsConfig
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Limit, Store
from krakenasync.state.urls import open_store
from krakenasync.testing.hammer import hammer
from krakenasync.testing.questions import book, enter, leave

ROOM = Limit(1e12, 1.0)
SECRET = base64.b64encode(bytes(64)).decode()
YARDSTICK = "one plain EVALSHA"
QUESTION, ANSWER = 260, 62
"""Bytes of the usual question to our script, and of its answer."""
ENDLESS = LimitsConfig(rest=CounterSpec(10**9, 10**9))


@contextlib.contextmanager
def server() -> Iterator[str | None]:
    """A Redis server for a while, if one is installed."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        running.kill()
        running.wait()


async def _each(what: Callable[[], Awaitable[object]], times: int, rounds: int = 5) -> float:
    """Return microseconds per call of a function, the median of several rounds."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(times):
            await what()
        found.append((time.perf_counter() - began) / times * 1e6)
    return middle(found)


async def _questions(store: Store, times: int) -> tuple[float, float]:
    """Return microseconds for a slot, and for a turn in the lane with its nonce."""
    await store.start()
    name = f"bench {uuid.uuid4()}"

    async def turn() -> None:
        await enter(store, name, "me", lease=5.0, unit="us")
        await leave(store, name, "me")

    try:
        return await _each(lambda: book(store, name, ROOM, 1.0), times), await _each(turn, times)
    finally:
        await store.aclose()


async def _added(base: str, states: Mapping[str, str | None], times: int) -> dict[str, tuple[float, float]]:
    """Return microseconds of a whole private call for each store, in turns: median and 10th percentile.

    The yardstick is the least that any shared state needs: a call without a store, and before it one command to the
    server through redis-py, a script that does nothing but answer, with as many bytes each way as ours.
    """
    clients = {
        kind: KrakenClient(f"key of {kind}", SECRET, base_url=base, state=url, limits=ENDLESS, nonce_unit="us")
        for kind, url in states.items()
    }
    ways: dict[str, Callable[[], Awaitable[object]]] = {kind: kraken.balance for kind, kraken in clients.items()}
    async with contextlib.AsyncExitStack() as stack:
        if url := states.get("redis"):
            plain = await stack.enter_async_context(Redis.from_url(url))
            digest = await plain.script_load(f"return string.sub(ARGV[1], 1, {ANSWER})")
            keys, question = [f"bench:{{{uuid.uuid4()}}}:{number}" for number in range(2)], b"x" * QUESTION

            async def yardstick() -> None:
                await plain.evalsha(digest, 2, *keys, question)
                await clients["in process"].balance()

            ways[YARDSTICK] = yardstick
        found: dict[str, list[float]] = {kind: [] for kind in ways}
        for number in range(times // 20 + 1):
            for kind, way in ways.items():
                for _ in range(20):
                    began = time.perf_counter()
                    await way()
                    if number:  # the first round opens connections
                        found[kind].append((time.perf_counter() - began) * 1e6)
        for kraken in clients.values():
            await kraken.aclose()
    return {kind: (middle(values), sorted(values)[len(values) // 10]) for kind, values in found.items()}


def _more(call: tuple[float, float], bare: tuple[float, float]) -> tuple[str, str, str]:
    """Write how long a call takes, and how much longer than a bare one: median and 10th percentile."""
    return f"{call[0]:.0f}", f"{call[0] - bare[0]:+.0f}", f"{call[1] - bare[1]:+.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redis", help="URL of a server to use instead of one of our own")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--times", type=int, default=400)
    options = parser.parse_args()
    headline(
        f"4 processes x 8 tasks share a counter (cap 20, 50 a second) for {options.seconds:g} s, one call in four "
        "costs 2: what does a slot cost, how fair is it, is the cap kept, is the pace used?",
        "no store: counters of this process alone",
    )
    with tempfile.TemporaryDirectory() as folder, server() as ours:
        urls = {"sqlite": f"sqlite:///{Path(folder) / 'state.db'}", "redis": options.redis or ours}
        urls = {kind: url for kind, url in urls.items() if url}
        with answering() as base:
            calls = asyncio.run(_added(base, {"in process": None} | urls, options.times))
        bare = calls["in process"]
        slot, turn = asyncio.run(_questions(InProcessStore(), options.times))
        rows = [("in process", f"{slot:.0f}", f"{turn:.0f}", f"{bare[0]:.0f}", "", "", "")]
        if YARDSTICK in calls:
            rows.append((YARDSTICK, "", "", *_more(calls[YARDSTICK], bare), "1.00"))
        for kind, url in urls.items():
            slot, turn = asyncio.run(_questions(open_store(url), options.times))
            ratio = (calls[kind][0] - bare[0]) / (calls[YARDSTICK][0] - bare[0]) if YARDSTICK in calls else None
            rows.append(
                (kind, f"{slot:.0f}", f"{turn:.0f}", *_more(calls[kind], bare), f"{ratio:.2f}" if ratio else "")
            )
        columns = ("us a slot", "us a turn in the lane", "us a call", "added, median", "10th percentile", "ratio")
        table(("store", *columns), rows)
        print("\none caller at a time; calls go to a server in a process of its own, the clients in turns")
        print(f"{YARDSTICK}: a call without store after one trivial script through redis-py, as many bytes each way\n")
        rows = []
        for kind, url in urls.items():
            outcome = hammer(url, Limit(20.0, 50.0), seconds=options.seconds)
            rows.append(
                (
                    kind,
                    outcome.grants,
                    f"{outcome.calls_per_grant:.2f}" if outcome.calls_per_grant else "-",
                    f"{outcome.fairness:.4f}",
                    f"{outcome.peak:.3f}",
                    f"{outcome.used:.2%}",
                    f"{outcome.waits[0] * 1000:.0f} / {outcome.waits[1] * 1000:.0f}",
                )
            )
        columns = ("store", "grants", "questions each", "Jain", "highest level", "used", "ms waited at cost 1 / 2")
        table(columns, rows)
        print("\nlevels replayed from the store's own moments; used: share of cap + decay * t")


if __name__ == "__main__":
    main()

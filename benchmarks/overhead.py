"""What does a call cost apart from the network?"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from unittest import mock

import httpx
import msgspec

from _bench import PlainClient, headline, middle, table
from krakenasync import CounterSpec, KrakenClient, LimitsConfig
from krakenasync.client import road
from krakenasync.client.config import Options
from krakenasync.client.http1 import Response
from krakenasync.client.road import Call
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.protocol.messages import Message
from krakenasync.protocol.wire import Answer
from krakenasync.spot.account import Balance
from krakenasync.state.memory import MemoryState

BOUNDLESS = LimitsConfig(rest=CounterSpec(10**6, 10**8))
ANSWER = (
    b'{"error":[],"result":{"ZUSD":"250000.0000","ZEUR":"40000.0000","XXBT":"3.5000000000","XETH":"25.0000000000"}}'
)
TARGET = 30.0

Ask = Callable[[], Awaitable[object]]


@contextlib.contextmanager
def server() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Run a sandbox without limits in a process of its own; yield its address and keys."""
    words = [sys.executable, "-m", "krakenasync", "sandbox", "--no-limits"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stdout.readline, "")
            facts = msgspec.json.decode(next(line for line in lines if line.startswith("{")))
            yield facts["base_url"], facts["keys"]
        finally:
            process.terminate()


def our_client(url: str, key: dict[str, str]) -> KrakenClient:
    """Make a client that the limiter never holds up, with counters of its own."""
    state = MemoryState(SYSTEM_CLOCK)
    return KrakenClient(key["api_key"], key["api_secret"], base_url=url, limits=BOUNDLESS, state=state)


async def timed(ask: Ask, calls: int) -> tuple[float, float]:
    """Return CPU and median latency of a call, in microseconds."""
    for _ in range(20):
        await ask()
    gc.collect()
    latencies, cpu = [], time.process_time()
    for _ in range(calls):
        began = time.perf_counter()
        await ask()
        latencies.append(time.perf_counter() - began)
    return (time.process_time() - cpu) / calls * 1e6, middle(latencies) * 1e6


async def over_the_wire(url: str, keys: list[dict[str, str]], calls: int, runs: int) -> list[tuple[object, ...]]:
    """Compare whole calls, one at a time, the runs interleaved; each way has a key of its own for its nonces."""
    async with httpx.AsyncClient() as http, our_client(url, keys[1]) as kraken:
        plain = PlainClient(url, keys[0]["api_key"], keys[0]["api_secret"], http)
        ways: dict[str, Ask] = {"bare httpx": plain.balance, "krakenasync": kraken.balance}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, ask in ways.items():
                found[name].append(await timed(ask, calls))
    medians = {name: [middle(column) for column in zip(*results, strict=True)] for name, results in found.items()}
    base = medians["bare httpx"]
    return [
        (name, f"{cpu:.0f}", f"{cpu - base[0]:+.0f}", f"{latency:.0f}", f"{latency - base[1]:+.0f}")
        for name, (cpu, latency) in medians.items()
    ]


async def without_the_wire(calls: int, runs: int) -> list[tuple[object, ...]]:
    """Time our own steps: first the network answers at once, then composing and reading take no time either."""
    key = {"api_key": "benchmark", "api_secret": "c2VjcmV0"}
    async with our_client("http://benchmark.invalid", key) as kraken:

        async def deliver(_delivery: Any, _timeout: float) -> Response:
            return Response(200, [], ANSWER, reusable=True)

        kraken._road.transport.deliver = deliver  # type: ignore[method-assign]  # noqa: SLF001 - the wire is not measured
        message, answer = Message("POST", Balance.spec.path, {}, b"nonce=1"), Answer({}, (), ANSWER)
        call = Call(Balance.spec, {}, lambda _status, _body: answer)
        travel, options = kraken._road.travel, Options()  # noqa: SLF001 - the road itself is what is measured

        def composed(*_: Any, **__: Any) -> Message:  # a mock would take as long as what is measured
            return message

        whole, bare = [], []
        for _ in range(runs):
            whole.append(await timed(kraken.balance, calls))
            with mock.patch.object(road, "compose", composed):
                bare.append(await timed(lambda: travel(call, options), calls))
    whole_cpu, bare_cpu = (middle([cpu for cpu, _ in results]) for results in (whole, bare))
    verdict = "reached" if bare_cpu <= TARGET else "missed"
    return [
        ("gate + nonce + lane + retry decision + hooks", f"{bare_cpu:.1f}", f"target {TARGET:.0f}: {verdict}"),
        ("parameters, body, signature, decoding", f"{whole_cpu - bare_cpu:.1f}", ""),
        ("all of ours, without the network", f"{whole_cpu:.1f}", ""),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    headline(
        "what does balance() cost beside the network, in CPU and in latency?",
        "bare httpx posting the same signed body to the same server, which runs in another process and counts nothing",
    )
    with server() as (url, keys):
        rows = asyncio.run(over_the_wire(url, keys, options.calls, options.runs))
    table(("client", "CPU us", "beside bare", "latency us", "beside bare"), rows)
    print()
    table(("step", "CPU us", ""), asyncio.run(without_the_wire(options.calls, options.runs)))
    print(f"\none call at a time, {options.runs} runs of {options.calls} calls, medians; runs interleaved")


if __name__ == "__main__":
    main()

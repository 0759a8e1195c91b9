"""How many concurrent private calls are refused because of their nonce, depending on what the lock covers?"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from _bench import PlainClient, headline, middle, table, way_to
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import KrakenSandbox, serving

CALLS = (10, 50, 200)
JITTER = 0.03

Burst = Callable[[KrakenSandbox, int], Awaitable[None]]


async def no_lock(exchange: KrakenSandbox, calls: int) -> None:
    """The nonce is the time in milliseconds; calls are sent as they come."""
    async with way_to(exchange) as http:
        client = PlainClient(exchange.base_url, exchange.api_key, exchange.api_secret, http, monotonic=False)
        await asyncio.gather(*(client.balance() for _ in range(calls)))


async def around_the_nonce(exchange: KrakenSandbox, calls: int) -> None:
    """No two calls get the same nonce or one out of order, but they may overtake each other."""
    async with way_to(exchange) as http:
        client = PlainClient(exchange.base_url, exchange.api_key, exchange.api_secret, http)
        await asyncio.gather(*(client.balance() for _ in range(calls)))


async def around_the_round_trip(exchange: KrakenSandbox, calls: int) -> None:
    """Ours: the lane covers nonce, signature, request and answer. No call is repeated, so none can hide a refusal."""
    async with exchange.client(max_attempts=1) as kraken:
        await asyncio.gather(*(kraken.balance() for _ in range(calls)), return_exceptions=True)


async def refused(burst: Burst, calls: int, seed: int) -> tuple[int, float]:
    """Return the refused nonces of one burst, and the seconds it took."""
    config = SandboxConfig(limits=False, jitter=JITTER, seed=seed)
    async with serving(config) as exchange:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await burst(exchange, calls)
        took = loop.time() - began
        if exchange.stats.requests["Balance"] != calls:
            raise RuntimeError(f"{exchange.stats.requests['Balance']} calls arrived instead of {calls}")
        return exchange.stats.refusals("EAPI:Invalid nonce"), took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    headline(
        f"N private calls at once, each leg delayed by 0-{JITTER * 1000:.0f} ms at random, nonce window 0: "
        "how many are refused for their nonce?",
        "bare httpx with the time as nonce, and with a lock around making the nonce only",
    )
    rows = []
    for name, burst in (
        ("no lock", no_lock),
        ("lock around the nonce", around_the_nonce),
        ("round trip (krakenasync)", around_the_round_trip),
    ):
        for calls in CALLS:
            results = [asyncio.run(refused(burst, calls, seed)) for seed in seeds]
            counts, seconds = zip(*results, strict=True)
            share = middle(counts) / calls
            rows.append((name, calls, f"{middle(counts):g}", f"{share:.0%}", max(counts), f"{middle(seconds):.2f}"))
    table(("lock", "calls", "refused", "share", "at most", "seconds"), rows)
    print(f"\nreal time over loopback, medians over {len(seeds)} seeds; counted by the sandbox")


if __name__ == "__main__":
    main()

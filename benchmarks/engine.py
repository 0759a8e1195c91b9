"""How many orders can be added and cancelled on one pair, of those that the matching engine's counter allows?

Two strategies, in virtual time, against the sandbox's counter with answers that take 0 to 200 ms:

* quick: one order at a time, cancelled as soon as possible. A cycle costs 1 point to add and p(a) to cancel at age a: 8
  below 5 s, 6 below 10 s. With a decay of d points a second, cycles settle to a length L of (1 + p(L)) / d seconds, the
  age at which the order is cancelled: Starter (d = 1) settles to 7 points a cycle, because 9 points take longer than
  5 s; the other tiers to 9. In T seconds the counter gives cap + d T points: at most (cap + d T) / 7, or / 9, cycles.
* patient: as many orders at once as needed, each cancelled when it is 45 s old, which costs 2. A cycle costs 3 points,
  so there are at most (cap + d T) / 3 cycles.

Neither bound can be reached exactly: the first cycles of the quick strategy cost 9 on Starter too, and at the end some
orders are still open. A client can pass it only by being late: an order that could not be cancelled when intended
grows older and cheaper. So the last columns show how late cancels were, from the intended time to the answer.

python benchmarks/engine.py             an hour of trading for each cell, in about a minute
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import anyio

from _bench import FORM, PlainClient, backoff, headline, middle, table, way_to
from krakenasync import Tier
from krakenasync.protocol.signing import decode_secret, sign
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import KrakenSandbox, in_process, run

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "1000", "volume": "0.001"}
REFUSAL = "EOrder:Rate limit exceeded"
JITTER = 0.1
PATIENCE = 45.1

Cycle = Callable[[float], Awaitable[float]]
"""Adds an order, cancels it at that age, and returns the seconds that the cancel took."""


def ours(exchange: KrakenSandbox, http: Any) -> Cycle:
    """Our client: it waits for the engine's counter by itself."""
    kraken = exchange.client(http_client=http)

    async def cycle(age: float) -> float:
        placed = await kraken.add_order(**ORDER)
        await anyio.sleep(age)
        began = anyio.current_time()
        await kraken.cancel_order(txid=placed.txid[0])
        return anyio.current_time() - began

    return cycle


class Plain(PlainClient):
    """A client without an engine counter: it tries, and backs off while it is refused."""

    async def insist(self, name: str, **params: str) -> Any:
        """Repeat a call until the counter no longer refuses it, and return the result."""
        refusals = 0
        while (answer := await self.call(name, params))["error"] == [REFUSAL]:
            refusals += 1
            await anyio.sleep(backoff(refusals))
        return answer["result"]

    async def call(self, name: str, params: dict[str, str]) -> Any:
        """Sign and send one call, and return Kraken's envelope."""
        async with self.serial or contextlib.nullcontext():
            nonce, path = str(self.nonce()), f"/0/private/{name}"
            body = urlencode({"nonce": nonce, **params}).encode()
            signature = sign(decode_secret(self.api_secret), path, nonce, body)
            headers = FORM | {"API-Key": self.api_key, "API-Sign": signature}
            return (await self.http.post(self.base_url + path, content=body, headers=headers)).json()


def plain(exchange: KrakenSandbox, http: Any) -> Cycle:
    """The baseline."""
    now_ns = exchange.sandbox.clock.wall_ns
    client = Plain(exchange.base_url, exchange.api_key, exchange.api_secret, http, asyncio.Lock(), now_ns=now_ns)

    async def cycle(age: float) -> float:
        placed = await client.insist("AddOrder", **ORDER)
        await anyio.sleep(age)
        began = anyio.current_time()
        await client.insist("CancelOrder", txid=placed["txid"][0])
        return anyio.current_time() - began

    return cycle


def measure(
    make: Callable[[KrakenSandbox, Any], Cycle], tier: Tier, age: float, loops: int, seconds: float
) -> tuple[list[float], int]:
    """Run this many loops; return how long each cycle's cancel took, and the refusals."""

    async def main(clock: Any) -> tuple[list[float], int]:
        exchange = in_process(SandboxConfig(tier=tier, jitter=JITTER), clock=clock)
        delays: list[float] = []
        async with way_to(exchange) as http:
            cycle = make(exchange, http)

            async def repeat() -> None:
                while True:
                    delays.append(await cycle(age))

            async with anyio.create_task_group() as tasks:
                for _ in range(loops):
                    tasks.start_soon(repeat)
                await anyio.sleep(seconds)
                tasks.cancel_scope.cancel()
        return delays, exchange.stats.refusals(REFUSAL)

    return run(main)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600.0, help="of virtual time, for each cell")
    seconds = parser.parse_args().seconds
    headline(
        "how many add-cancel cycles on one pair, of those that the engine's counter allows, and how many refusals?",
        "a client without an engine counter, which backs off while it is refused (2 s doubling to 30 s, full jitter)",
    )
    rows = []
    for tier in Tier:
        counter = tier.engine
        points = counter.cap + counter.decay * seconds
        patient = math.ceil(counter.decay / 3 * PATIENCE * 1.2)
        quick_cost = 7 if tier is Tier.STARTER else 9
        for strategy, age, loops, cost in (("quick", 0.0, 1, quick_cost), ("patient", PATIENCE, patient, 3)):
            for name, make in (("ours", ours), ("no counter", plain)):
                delays, refusals = measure(make, tier, age, loops, seconds)
                reached = f"{len(delays) * cost / points:.1%}"
                late = (f"{middle(delays):.1f} s", f"{max(delays):.1f} s")
                rows.append(
                    (tier.name.lower(), strategy, name, round(points / cost), len(delays), reached, refusals, *late)
                )
    table(("tier", "strategy", "client", "bound", "cycles", "reached", "refusals", "median delay", "worst"), rows)


if __name__ == "__main__":
    main()

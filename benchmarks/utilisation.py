"""How much of Kraken's allowance is used, and how many calls are refused?

python benchmarks/utilisation.py             in virtual time: an hour of waiting in seconds
python benchmarks/utilisation.py --real      in real time, over sockets on this machine
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Awaitable, Callable

import anyio
from aiolimiter import AsyncLimiter

from _bench import PlainClient, backoff, headline, middle, table, way_to
from krakenasync import Tier
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import KrakenSandbox, VirtualClock, in_process, run, serving

TASKS = 20
JITTER = 0.2
STEP = 2.0

Work = Callable[[KrakenSandbox, float], Awaitable[None]]


async def ours(exchange: KrakenSandbox, seconds: float) -> None:
    """Ask for balances from twenty tasks without pause."""
    async with exchange.client() as kraken:

        async def ask() -> None:
            while True:
                await kraken.balance()

        await _for(seconds, ask)


async def plain_limiter(exchange: KrakenSandbox, seconds: float) -> None:
    """Do the same through a plain aiolimiter, debited when the call is sent; a refused call backs off."""
    rest = exchange.key().account.tier.rest
    await _plain(exchange, seconds, AsyncLimiter(rest.cap, rest.cap / rest.decay))


async def no_limiter(exchange: KrakenSandbox, seconds: float) -> None:
    """Do the same without a limiter; a refused call backs off."""
    await _plain(exchange, seconds, None)


async def _plain(exchange: KrakenSandbox, seconds: float, limiter: AsyncLimiter | None) -> None:
    async with way_to(exchange) as http:
        client = PlainClient(
            exchange.base_url,
            exchange.api_key,
            exchange.api_secret,
            http,
            asyncio.Lock(),
            limiter,
            now_ns=exchange.sandbox.clock.wall_ns,
        )

        async def ask() -> None:
            refused = 0
            while True:
                refused = refused + 1 if await client.balance() else 0
                if refused:
                    await anyio.sleep(backoff(refused))

        await _for(seconds, ask)


async def _for(seconds: float, ask: Callable[[], Awaitable[None]]) -> None:
    """Run the tasks for this long. They do not know the end: a client that saw a deadline would not wait beyond it."""
    async with anyio.create_task_group() as tasks:
        for _ in range(TASKS):
            tasks.start_soon(ask)
        await anyio.sleep(seconds)
        tasks.cancel_scope.cancel()


def measure(exchange: KrakenSandbox, seconds: float) -> tuple[float, int]:
    """Return the share of the allowance that was used, and the refusals."""
    rest = exchange.key().account.tier.rest
    refused = exchange.stats.refusals()
    granted = exchange.stats.requests["Balance"] - refused
    return granted / (rest.cap + rest.decay * seconds), refused


class Ticking(VirtualClock):
    """Virtual time in which a look at the clock takes a nanosecond.

    If it took none, a plain aiolimiter could wait for a remainder too small to change a float, and so forever.
    """

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        self.advance(1e-9)
        return super().monotonic()


def virtual(work: Work, config: SandboxConfig, seconds: float) -> tuple[float, int]:
    async def main(clock) -> tuple[float, int]:
        exchange = in_process(config, clock=clock)
        await work(exchange, seconds)
        return measure(exchange, seconds)

    random.seed(config.seed)
    return run(main, Ticking())


def real(work: Work, config: SandboxConfig, seconds: float) -> tuple[float, int]:
    async def main() -> tuple[float, int]:
        async with serving(config) as exchange:
            await work(exchange, seconds)
            return measure(exchange, seconds)

    return asyncio.run(main())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", action="store_true", help="in real time, over sockets; one seed")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    headline(
        f"{TASKS} tasks ask for balances without pause for {options.seconds:g} s, "
        f"0-{JITTER * 1000:.0f} ms each way at random: what share of cap + decay * t is used, how many are refused?",
        "bare httpx with one call in flight, behind a plain aiolimiter debited at the send, and behind none; "
        "both back off after a refusal (1 s doubling to 30 s, full jitter)",
    )
    seeds = range(1 if options.real else options.seeds)
    rows = []
    for step, decay in ((0.0, "continuous"), (STEP, f"steps of {STEP:g} s")):
        for tier in Tier:
            for name, work in (("krakenasync", ours), ("plain aiolimiter", plain_limiter), ("no limiter", no_limiter)):
                results = [
                    (real if options.real else virtual)(
                        work, SandboxConfig(tier=tier, seed=seed, jitter=JITTER, step=step), options.seconds
                    )
                    for seed in seeds
                ]
                shares, refusals = zip(*results, strict=True)
                rows.append(
                    (name, tier.name.lower(), decay, f"{middle(shares):.1%}", f"{middle(refusals):g}", max(refusals))
                )
    table(("client", "tier", "decay", "used", "refused", "refused at most"), rows)
    print(f"\n{'real' if options.real else 'virtual'} time, medians over {len(seeds)} seeds; counted by the sandbox")


if __name__ == "__main__":
    main()

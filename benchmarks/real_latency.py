"""How much does a client's own work add when the answer takes a while, as it does over the internet?

python benchmarks/real_latency.py [--pause 0.02] [--calls 100]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools

from _answers import answering
from _bench import headline, middle, table
from _peers import WAYS, Ask, say_skipped
from calls import Run, timed
from transport import pin


async def measure(url: str, calls: int, rounds: int) -> dict[str, Run]:
    """Let the clients take turns, one call at a time."""
    async with contextlib.AsyncExitStack() as stack:
        asks: dict[str, Ask] = {}
        for way, opened in WAYS.items():
            try:
                asks[way] = await stack.enter_async_context(opened(url, 1))
            except ImportError as error:
                say_skipped(way, str(error))
        runs: dict[str, list[Run]] = {way: [] for way in asks}
        for _ in range(rounds):
            for way, ask in asks.items():
                runs[way].append(await timed(ask, "Balance", calls, 1))
    return {way: tuple(middle(column) for column in zip(*each, strict=True)) for way, each in runs.items()}  # type: ignore[misc] # four columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pause", type=float, default=0.02, help="seconds before each answer")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    headline(
        f"what remains visible of a client when each answer takes {asked.pause * 1e3:g} ms?",
        "a bare asyncio Protocol that writes prepared bytes and decodes nothing",
    )
    with answering(pause=asked.pause, core=functools.partial(pin, 1)) as url:
        pin(0)
        found = asyncio.run(measure(url, asked.calls, asked.rounds))
    least = found["bare Protocol"][2]
    rows = [(way, f"{p50:.0f}", f"{p50 - least:+.0f}", f"{p99:.0f}") for way, (_, _, p50, p99) in found.items()]
    table(("client", "p50 us", "beside bare", "p99 us"), rows)


if __name__ == "__main__":
    main()

"""How long does `import krakenasync` take, compared with its parts and its peers?

    python benchmarks/import_time.py [--rounds 20]

Each import happens in a fresh interpreter, the modules in turn, after one round that is not counted: it writes the
bytecode, as an installation does. The last column is the median of the rounds' quotients, for machines whose speed
varies. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from _bench import headline, middle, table

NAMES = (
    "asyncio",
    "asyncio, msgspec, anyio, aiolimiter",
    "krakenasync",
    "httpx",
    "aiohttp",
    "kraken.spot",
    "ccxt.async_support",
)
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
TIMED = (
    "import time; wall, cpu = time.perf_counter(), time.process_time(); import {}; "
    "print(time.perf_counter() - wall, time.process_time() - cpu)"
)


def timed(name: str) -> tuple[float, float] | None:
    """Import a module in an interpreter of its own; return wall and CPU milliseconds, None if it is absent."""
    words = [sys.executable, "-c", TIMED.format(name)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    if done.returncode:
        return None
    wall, cpu = done.stdout.split()
    return float(wall) * 1e3, float(cpu) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    headline("how long does an import take?", "the standard library's asyncio, which all of them need")
    present = [name for name in NAMES if timed(name)]
    runs = [{name: found for name in present if (found := timed(name))} for _ in range(rounds)]
    rows = []
    for name in present:
        wall, cpu = (middle([each[name][which] for each in runs]) for which in (0, 1))
        beside = middle([each[name][0] / each["asyncio"][0] for each in runs])
        rows.append((name, f"{wall:.0f}", f"{cpu:.0f}", f"{beside:.2f}"))
    table(("module", "wall ms", "CPU ms", "to asyncio"), rows)


if __name__ == "__main__":
    main()

"""How long does `import krakenasync` take, beside its parts and its peers?

    python benchmarks/import_time.py [--rounds 9]

Each import happens in a fresh interpreter; peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from _bench import headline, middle, table

NAMES = ("asyncio", "httpx", "aiolimiter", "krakenasync", "aiohttp", "kraken.spot", "ccxt.async_support")
TIMED = (
    "import time; wall, cpu = time.perf_counter(), time.process_time(); import {}; "
    "print(time.perf_counter() - wall, time.process_time() - cpu)"
)


def timed(name: str) -> tuple[float, float] | None:
    """Import a module in an interpreter of its own; return wall and CPU milliseconds, None if it is absent."""
    words = [sys.executable, "-c", TIMED.format(name)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    wall, cpu = done.stdout.split()
    return float(wall) * 1e3, float(cpu) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    headline("how long does an import take?", "the standard library's asyncio, which all of them need")
    runs = {name: [timed(name) for _ in range(rounds)] for name in NAMES}
    present = {name: [each for each in results if each] for name, results in runs.items()}
    rows = [
        (name, *(f"{middle(column):.0f}" for column in zip(*results, strict=True)))
        for name, results in present.items()
        if results
    ]
    table(("module", "wall ms", "CPU ms"), rows)


if __name__ == "__main__":
    main()

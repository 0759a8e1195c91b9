"""Turns what a benchmark prints into a chart for the docs.

python benchmarks/utilisation.py | python benchmarks/report.py --out docs/figures/utilisation.svg
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from krakenasync.plots import bars

RULE = re.compile(r"-+(  -+)+")
NUMBER = re.compile(r"([+-]?[\d,]+(?:\.\d+)?)\s*[%a-zµ/]*")


def read_table(lines: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Find the first table and return its columns and rows: the line of dashes says where the columns are."""
    for above, (title, rule) in enumerate(pairwise(lines)):
        if RULE.fullmatch(rule):
            edges = [match.span() for match in re.finditer(r"-+", rule)]
            rows = []
            for line in lines[above + 2 :]:
                if not line.strip():
                    break
                rows.append([line[start:end].strip() for start, end in edges])
            return [title[start:end].strip() for start, end in edges], rows
    raise ValueError("no table: pipe in what a benchmark prints")


def number(cell: str) -> float | None:
    """Read a cell as a number, with or without its unit."""
    match = NUMBER.fullmatch(cell)
    return float(match[1].replace(",", "")) if match else None


def chart(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, dict[str, float]]:
    """Return column -> row -> number; the columns that hold words name the rows."""
    numeric = [place for place in range(1, len(columns)) if all(number(row[place]) is not None for row in rows)]
    names = [", ".join(cell for place, cell in enumerate(row) if place not in numeric) for row in rows]
    return {
        columns[place]: {name: number(row[place]) or 0.0 for name, row in zip(names, rows, strict=True)}
        for place in numeric
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the chart: .svg or .png")
    parser.add_argument("--title", default="")
    options = parser.parse_args()
    try:
        lines = sys.stdin.read().splitlines()
        machine = next((line.partition(":")[2].strip() for line in lines if line.startswith("Machine:")), "")
        bars(options.out, "\n".join(filter(None, (options.title, machine))), chart(*read_table(lines)))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

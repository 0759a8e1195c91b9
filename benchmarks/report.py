"""Turns what a benchmark prints into a chart for the docs, with its machine, its date and its baseline.

python benchmarks/utilisation.py | python benchmarks/report.py --out docs/figures/utilisation.svg
python benchmarks/bulk.py | python benchmarks/report.py --to json.loads --out bulk.png
python benchmarks/calls.py --wide 16 | python benchmarks/report.py --only "CPU us" calls/s --without httpx --out c.svg
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from krakenasync.plots import Panel, bars

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


def baselines(rows: Sequence[Sequence[str]], naming: Sequence[int], to: str) -> list[Sequence[str] | None]:
    """Return for each row the one it is compared with: it has `to` in one cell, and the other names are the same.

    Raises:
        ValueError: No row has it.
    """
    if not any(to in row for row in rows):
        raise ValueError(f"no row is named {to!r}")
    (where,) = {place for row in rows for place, cell in enumerate(row) if cell == to}
    same = [place for place in naming if place != where]
    kin = {tuple(row[place] for place in same): row for row in rows if row[where] == to}
    return [kin.get(tuple(row[place] for place in same)) for row in rows]


def chart(columns: Sequence[str], rows: Sequence[Sequence[str]], to: str = "") -> tuple[list[str], list[Panel]]:
    """Return the names of the rows and a panel for each column of numbers.

    Args:
        columns: Their names.
        rows: Cells; those with words name the row, and numbers too as long as two rows would have the same name.
        to: The cell that marks the rows to compare with; each bar then says how many times theirs it is.
    """
    numeric = [place for place in range(1, len(columns)) if all(number(row[place]) is not None for row in rows)]
    naming = [place for place in range(len(columns)) if place not in numeric]
    while len({tuple(row[place] for place in naming) for row in rows}) < len(rows) and numeric:
        naming.append(numeric.pop(0))
    bases = baselines(rows, naming, to) if to else [None] * len(rows)
    panels = []
    for place in numeric:
        values = [number(row[place]) or 0.0 for row in rows]
        labels = []
        for row, value, base in zip(rows, values, bases, strict=True):
            least = number(base[place]) if base else None
            labels.append(f"{row[place]} ({value / least:.2f}x)" if least else row[place])
        panels.append(Panel(columns[place], values, labels))
    return [", ".join(row[place] for place in naming) for row in rows], panels


def narrowed(
    columns: Sequence[str], rows: Sequence[Sequence[str]], only: Sequence[str], without: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Leave out all columns of numbers but `only` these, if any are named, and the rows named `without`.

    Raises:
        ValueError: No column or row has such a name.
    """
    named = {cell for row in rows for cell in row if number(cell) is None}
    missing = [*(name for name in only if name not in columns), *(name for name in without if name not in named)]
    if missing:
        raise ValueError(f"nothing is named {', '.join(map(repr, missing))}")
    words = [any(number(row[place]) is None for row in rows) for place in range(len(columns))]
    places = [place for place, name in enumerate(columns) if not only or name in only or words[place] or place == 0]
    kept = [row for row in rows if not set(row) & set(without)]
    return [columns[place] for place in places], [[row[place] for place in places] for row in kept]


def heading(lines: Sequence[str], title: str) -> str:
    """Write the chart's heading: title, baseline, machine and date."""
    found = {name: rest.strip() for name, _, rest in (line.partition(":") for line in lines[:4])}
    baseline = f"Baseline: {found['Baseline']}" if "Baseline" in found else ""
    said = (title or found.get("Question", ""), baseline, found.get("Machine", ""))
    return "\n".join(line for part in said for line in textwrap.wrap(part, 110))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the chart: .svg or .png")
    parser.add_argument("--title", default="", help="instead of the benchmark's question")
    parser.add_argument("--to", default="", help="the name of the rows that the others are compared with")
    parser.add_argument("--only", nargs="+", default=[], metavar="COLUMN", help="the columns to show, instead of all")
    parser.add_argument("--without", nargs="+", default=[], metavar="ROW", help="rows to leave out")
    options = parser.parse_args()
    try:
        lines = sys.stdin.read().splitlines()
        rows, panels = chart(*narrowed(*read_table(lines), options.only, options.without), options.to)
        bars(options.out, heading(lines, options.title), rows, panels)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

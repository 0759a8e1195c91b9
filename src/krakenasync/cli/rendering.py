"""What commands print: tables for people, NDJSON and CSV for programs."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NoReturn, TextIO

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from krakenasync.cli.words import voice
from krakenasync.errors import InvalidArguments

__all__ = [
    "AS_TABLE",
    "Output",
    "Screen",
    "Sheet",
    "amount",
    "emit",
    "lively",
    "moment",
    "remark",
    "say",
    "screen",
    "show",
    "table_of",
    "to_nowhere",
    "write_csv",
]

_PIPED_WIDTH = 160


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Output:
    """The form of the result."""

    json: bool = False
    """One JSON object per line instead of a table."""

    csv: bool = False
    """Comma-separated values instead of a table."""

    def __post_init__(self) -> None:
        """Refuse two forms at once."""
        if self.json and self.csv:
            raise InvalidArguments("--json and --csv exclude each other", hint="give one of them")


AS_TABLE = Output()


@dataclass(frozen=True)
class Sheet:
    """A result in rows.

    Attributes:
        title: Stands above the table.
        columns: The names of the columns; `right` lists those that are aligned to the right.
        rows: A value for each column.
        header: Whether CSV begins with the names of the columns: not when this continues the sheet before.
        sparse: Whether a table leaves out columns without any value; programs always get all.
    """

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[str]]
    right: frozenset[str] = frozenset()
    header: bool = True
    sparse: bool = False


class Screen(Console):
    """The console of a command. If the reader went away, `krakenasync.cli.exits` ends the command."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise an error instead of ending the process."""
        raise BrokenPipeError


def screen() -> Screen:
    """Return standard output as it is now: tables are not folded when no terminal sets the width."""
    return Screen(width=None if sys.stdout.isatty() else _PIPED_WIDTH, highlight=False)


def lively() -> bool:
    """Whether there is a terminal on which a new picture can replace the one before."""
    return sys.stdout.isatty() and not screen().is_dumb_terminal


def say(text: str) -> None:
    """Print a line of the result, however long."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def remark(text: str, *, style: str = "") -> None:
    """Print something for the user on standard error; with --quiet only errors are printed.

    If that is impossible, because the disk is full or the reader went away, the command goes on: its exit code still
    says how it ended.
    """
    if voice().quiet and not style.endswith("red"):
        return
    try:
        Screen(stderr=True, highlight=False, soft_wrap=True).print(Text(harmless(text), style=style))
    except OSError:
        to_nowhere(sys.stderr)


def harmless(text: str) -> str:
    r"""Escape characters that control a terminal: a text may come from a server that abuses them.

    >>> harmless("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join([each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text])


def to_nowhere(stream: TextIO) -> None:
    """Discard what is left in a stream: Python flushes it once more when it exits."""
    with contextlib.suppress(OSError):  # it is not a file, as under a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def show(sheet: Sheet, output: Output) -> None:
    """Print a sheet in the form that was asked for."""
    if output.json:
        for row in sheet.rows:
            emit(dict(zip(sheet.columns, row, strict=True)))
    elif output.csv:
        write_csv([*([sheet.columns] if sheet.header else []), *sheet.rows])
    else:
        console = screen()
        console.print(table_of(sheet, console))


def table_of(sheet: Sheet, console: Console) -> Table:
    """Lay a sheet out for people: as a table, or field below field where a table would cut numbers short."""
    # At least as wide as its title, which would be folded otherwise.
    table = Table(title=Text(sheet.title, style="bold"), title_justify="left", min_width=len(sheet.title))
    rows = list(sheet.rows)
    sparse = sheet.sparse and rows
    shown = [place for place in range(len(sheet.columns)) if not sparse or any(row[place] for row in rows)]
    for place in shown:
        aligned, least = sheet.columns[place] in sheet.right, _least(sheet, rows, place)
        side: Literal["left", "right"] = "right" if aligned else "left"
        table.add_column(sheet.columns[place], justify=side, no_wrap=aligned, min_width=least)
    for row in rows:
        table.add_row(*(Text(harmless(row[place])) for place in shown))
    if sum(_least(sheet, rows, place) + 3 for place in shown) + 1 <= console.width:
        return table
    stacked = Table(title=Text(sheet.title, style="bold"), title_justify="left", show_header=False)
    stacked.add_column(no_wrap=True)
    stacked.add_column(overflow="fold")
    if not rows:
        stacked.add_row("none", "")
    for row in rows:
        for place in shown:
            stacked.add_row(Text(sheet.columns[place]), Text(harmless(row[place])), end_section=place == shown[-1])
    return stacked


def _least(sheet: Sheet, rows: Sequence[Sequence[str]], place: int) -> int:
    """Return the characters that a column needs so that no number and no word of it is cut."""
    texts = [sheet.columns[place], *(row[place] for row in rows)]
    whole = sheet.columns[place] in sheet.right
    return max(len(part) for text in texts for part in ([text] if whole else text.split() or [""]))


def write_csv(rows: Iterable[Sequence[str]]) -> None:
    """Write rows as comma-separated values."""
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
    sys.stdout.flush()


def emit(record: Mapping[str, Any]) -> None:
    """Write one object as a line of JSON. Decimals are written as text, so that no reader rounds them."""
    say(msgspec.json.encode(record).decode())


def amount(value: Decimal, *, signed: bool = False) -> str:
    """Write an amount out in full, without an exponent.

    >>> amount(Decimal("0E-10")), amount(Decimal("1.50"), signed=True)
    ('0.0000000000', '+1.50')
    """
    return f"{value:+f}" if signed else f"{value:f}"


def moment(wall_ns: int) -> str:
    """Write a moment, given in nanoseconds since the unix epoch, in UTC.

    >>> moment(1_780_000_000_250_000_000)
    '2026-05-28T20:26:40.250Z'
    """
    return datetime.fromtimestamp(wall_ns // 10**6 / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"

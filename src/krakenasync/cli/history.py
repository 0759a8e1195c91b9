"""``krakenasync history``: long lists in a file, resumed where they stopped and kept up to date."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from krakenasync.archive import KINDS, Report, download
from krakenasync.archive import Progress as Reached
from krakenasync.cli.connection import ENVIRONMENT, Where, connect, suggesting
from krakenasync.cli.exits import Exit
from krakenasync.cli.moments import when
from krakenasync.cli.rendering import AS_TABLE, Output, Sheet, remark, say, show
from krakenasync.errors import InvalidArguments
from krakenasync.spot.values import CandleInterval, CandleMinutes

__all__ = ["history"]

Kept = Literal["ledgers", "trades", "closed-orders", "public-trades", "ohlc"]
OF_PAIR = frozenset({"public-trades", "ohlc"})


async def history(
    kind: Kept,
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    pair: str | None = None,
    interval: CandleMinutes | None = None,
    since: str | None = None,
    adopt: bool = False,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> Exit:
    """Keep a long list in a file.

    After an interruption, even a power cut, the same command continues where it stopped; on a finished list, it adds
    what is new. A small file beside the list records how far it got. (Each --sandbox is another exchange: to continue
    its file, start krakenasync sandbox and give its address as --base-url.)

    For instance: krakenasync history ledgers --out ledgers.csv

    Args:
        kind: What to fetch.
        out: The file. Its suffix decides the format: .csv, .ndjson, .jsonl or .parquet.
        pair: The pair of public-trades or ohlc.
        interval: Minutes of a candle of ohlc.
        since: Where to begin: 2026-01-31, 2026-01-31T12:00 or unix seconds; in UTC. By default at the very beginning.
        adopt: Continue a file that was fetched with another key or from another address, if the account is the same.
        where: Kraken or a sandbox, and with which key.
        output: The form of the report on how many rows there are.
    """
    filters = _filters(kind, pair, interval, when("--since", since))
    pairs = (pair,) if pair else ()
    async with connect(where, private=KINDS[kind].private) as connection, suggesting(connection.client, *pairs):
        with _bar() as bar:
            task = bar.add_task(f"{kind} - {connection.source}", total=None, left="")
            report = await download(
                connection.client,
                kind,
                out,
                on_progress=lambda reached: _advance(bar, task, reached),
                adopt=adopt,
                **filters,
            )
    return _conclude(kind, out, report, output)


def _filters(kind: Kept, pair: str | None, interval: CandleInterval | None, since: datetime | None) -> dict[str, Any]:
    """Check which options this kind of list takes, and return them under the client's names."""
    if (kind in OF_PAIR) is (pair is None):
        if pair is None:
            raise InvalidArguments(f"{kind} needs --pair", hint="such as --pair XBTUSD")
        raise InvalidArguments(f"{kind} takes no --pair", hint="only public-trades and ohlc do")
    if interval is not None and kind != "ohlc":
        raise InvalidArguments(f"{kind} takes no --interval", hint="only ohlc does")
    given = {"pair": pair, "interval": interval, "since" if kind in OF_PAIR else "start": since}
    return {name: value for name, value in given.items() if value is not None}


def _bar() -> Progress:
    """Make the progress bar, on standard error and only on a terminal."""
    console = Console(stderr=True)
    said = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:g} rows {task.fields[left]}"))
    return Progress(*said, console=console, transient=True, disable=not console.is_terminal)


def _advance(bar: Progress, task: TaskID, reached: Reached) -> None:
    """Move the bar, with the limiter's estimate of the time left."""
    left = "" if reached.seconds_left is None else f"of {reached.count}, {_duration(reached.seconds_left)} left"
    bar.update(task, completed=reached.seen, total=reached.count, left=left)


def _duration(seconds: float) -> str:
    """Write seconds as people say them.

    >>> _duration(5.2), _duration(75)
    ('6 s', '1:15 min')
    """
    whole = int(-(-seconds // 1))
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02} min"  # noqa: PLR2004 - a minute


def _conclude(kind: Kept, out: Path, report: Report, output: Output = AS_TABLE) -> Exit:
    """Report how many rows there are now, and whether Kraken counts as many."""
    checked = "" if report.count is None else f", Kraken counts {report.count} in this run"
    if output.json or output.csv:
        counted = "" if report.count is None else str(report.count)
        row = (str(out), kind, str(report.new), str(report.rows), counted)
        show(Sheet("", ("file", "kind", "new", "rows", "kraken counts"), [row]), output)
    else:
        say(f"{out}: {report.new} new rows of {kind}, {report.rows} in all{checked}")
    if report.complete:
        return Exit.OK
    remark(f"error: {report.count} rows were announced and {report.seen} came", style="bold red")
    remark("hint: move the file and its position file away, and fetch it again")
    return Exit.REFUSED

"""``krakenasync history``: long lists in a file, resumed where they stood and kept up to date."""

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

    Interrupted, even by a power cut, the same command goes on where it stood; finished, it adds what is new. What it
    needs to know for that is in a small file beside it. (Each --sandbox is another exchange: to go on with its file,
    start krakenasync sandbox and give its address as --base-url.)

    For instance: krakenasync history ledgers --out ledgers.csv

    Args:
        kind: What to fetch.
        out: The file. Its ending says the format: .csv, .ndjson, .jsonl or .parquet.
        pair: The pair of public-trades or ohlc.
        interval: Minutes of a candle of ohlc.
        since: Begin here: 2026-01-31, 2026-01-31T12:00 or unix seconds; in UTC. Without it, at the very beginning.
        adopt: Go on with a file that was fetched with another key or from another address: the same account's new key.
        where: Kraken or a sandbox, and with which key.
        output: In which form it is told how many rows there are.
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
    """Check what belongs to what, and name it as the client does."""
    if (kind in OF_PAIR) is (pair is None):
        if pair is None:
            raise InvalidArguments(f"{kind} needs --pair", hint="such as --pair XBTUSD")
        raise InvalidArguments(f"{kind} takes no --pair", hint="only public-trades and ohlc do")
    if interval is not None and kind != "ohlc":
        raise InvalidArguments(f"{kind} takes no --interval", hint="only ohlc does")
    given = {"pair": pair, "interval": interval, "since" if kind in OF_PAIR else "start": since}
    return {name: value for name, value in given.items() if value is not None}


def _bar() -> Progress:
    """Make the bar: on standard error, and only where someone is looking."""
    console = Console(stderr=True)
    said = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:g} rows {task.fields[left]}"))
    return Progress(*said, console=console, transient=True, disable=not console.is_terminal)


def _advance(bar: Progress, task: TaskID, reached: Reached) -> None:
    """Move the bar; how long it will take, the limiter knows."""
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
    """Say what is there now, and whether that is what Kraken counts."""
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
    remark("hint: move the file and the one beside it away, and fetch it again")
    return Exit.REFUSED

"""``krakenasync balances``: what the account owns, once or again and again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from decimal import Decimal
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.live import Live

from krakenasync.cli.connection import ENVIRONMENT, Connection, Where, connect
from krakenasync.cli.inline import over_time
from krakenasync.cli.pictures import NO_PICTURE, Picture
from krakenasync.cli.rendering import (
    AS_TABLE,
    Output,
    Sheet,
    amount,
    emit,
    lively,
    moment,
    remark,
    say,
    screen,
    show,
    table_of,
    write_csv,
)
from krakenasync.client.polling import BalanceSnapshot
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.errors import InvalidArguments
from krakenasync.plots import plot_balances

__all__ = ["balances"]

_KEPT = 4000
"""Snapshots kept for a picture: more than it can show."""


async def balances(
    *,
    watch: bool = False,
    every: Annotated[float, Parameter(validator=Number(gt=0))] = 5.0,
    picture: Picture = NO_PICTURE,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> None:
    """Show the balances of the account in the environment.

    Reads KRAKEN_API_KEY and KRAKEN_API_SECRET, or files named by KRAKEN_API_KEY_FILE and KRAKEN_API_SECRET_FILE.

    Args:
        watch: Go on asking until interrupted, and show what changes.
        every: Seconds between two calls.
        picture: The balances over time: with --watch; a file is written when that is interrupted.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    if picture and not watch:
        raise InvalidArguments("a picture shows balances over time", hint="add --watch; Ctrl-C ends it")
    if picture.chart and not lively():
        raise InvalidArguments("--chart with --watch is for a terminal", hint="--plot FILE.png works everywhere")
    picture.check(output)
    async with connect(where) as connection:
        if watch:
            await _recorded(connection, every, output, picture)
        else:
            _once(connection.source, await connection.client.balance(), output)


def _once(source: str, owned: Mapping[str, Decimal], output: Output) -> None:
    """Print the balances of one moment."""
    if output.json:
        at = moment(SYSTEM_CLOCK.wall_ns())
        emit({"at": at, "source": source, "balances": _texts(owned)})
    else:
        show(_sheet(source, owned), output)


async def _recorded(connection: Connection, every: float, output: Output, picture: Picture) -> None:
    """Watch the balances and draw them: continuously on the terminal, or at the end into a file."""
    seen: list[BalanceSnapshot] = []
    try:
        await _watch(connection, every, output, picture, seen)
    finally:
        if picture.plot is not None and seen:
            plot_balances(picture.plot, seen, f"Balances - {connection.source}")
            remark(f"{picture.plot} is written")


async def _kept(
    snapshots: AsyncIterator[BalanceSnapshot], seen: list[BalanceSnapshot]
) -> AsyncGenerator[BalanceSnapshot, None]:
    """Pass snapshots on and keep them for a picture; when there are too many, drop every second one."""
    async for snapshot in snapshots:
        if len(seen) >= _KEPT:
            del seen[1::2]
        seen.append(snapshot)
        yield snapshot


async def _watch(
    connection: Connection, every: float, output: Output, picture: Picture, seen_all: list[BalanceSnapshot]
) -> None:
    """Print the balances again and again."""
    good = _good(connection.client.poll_balances(every, on_error="yield"))
    snapshots = _kept(good, seen_all) if picture else good
    async with aclosing(good), aclosing(snapshots):
        if output.json:
            async for seen in snapshots:
                emit(_record(connection.source, seen))
        elif output.csv:
            write_csv([("at", "asset", "balance", "change")])
            async for seen in snapshots:
                write_csv((moment(seen.at), *row) for row in _news(seen))
        elif lively():
            with Live(console=screen(), auto_refresh=False) as live:
                async for seen in snapshots:
                    if picture.chart:
                        live.update(over_time(screen(), seen_all, f"Balances - {connection.source}"), refresh=True)
                        continue
                    sheet = _sheet(f"{connection.source} {moment(seen.at)}", seen.balances, seen.changed)
                    live.update(table_of(sheet, live.console), refresh=True)
        else:
            async for seen in snapshots:
                for asset, owned, change in _news(seen):
                    say(f"{connection.source} {moment(seen.at)}  {asset:<8} {owned:>22}  {change}")


async def _good(snapshots: AsyncIterator[BalanceSnapshot]) -> AsyncGenerator[BalanceSnapshot, None]:
    """Pass on snapshots that have balances; report a transient failure, and end with any other.

    Raises:
        KrakenError: The first call failed, or repeating it is pointless.
    """
    async for seen in snapshots:
        if seen.error is None:
            yield seen
        elif seen.number == 1 or not seen.error.retryable:
            raise seen.error
        else:
            remark(f"{moment(seen.at)} no answer, still trying: {seen.error}", style="yellow")


def _sheet(source: str, owned: Mapping[str, Decimal], changed: Mapping[str, Decimal] | None = None) -> Sheet:
    """Lay balances out, with a column for changes where there can be some."""
    columns = ["asset", "balance"] if changed is None else ["asset", "balance", "change"]
    rows = [
        [asset, amount(value)] + ([] if changed is None else [_change(changed, asset)])
        for asset, value in sorted(owned.items())
    ]
    return Sheet(f"Balances - {source}", columns, rows, right=frozenset({"balance", "change"}))


def _news(seen: BalanceSnapshot) -> Iterator[tuple[str, str, str]]:
    """Yield (asset, balance, change) of all assets first, later of those that changed."""
    for asset in sorted(seen.balances.keys() | seen.changed.keys()):
        if seen.number == 1 or asset in seen.changed:
            yield asset, amount(seen.balances.get(asset, Decimal(0))), _change(seen.changed, asset)


def _change(changed: Mapping[str, Decimal], asset: str) -> str:
    return amount(changed[asset], signed=True) if asset in changed else ""


def _record(source: str, seen: BalanceSnapshot) -> dict[str, Any]:
    return {
        "at": moment(seen.at),
        "source": source,
        "balances": _texts(seen.balances),
        "changed": _texts(seen.changed),
    }


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {asset: amount(value) for asset, value in amounts.items()}

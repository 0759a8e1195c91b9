"""``krakenasync ticker``, ``ohlc``, ``depth`` and ``trades``: prices, without a key."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated, Final

import anyio
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.live import Live

from krakenasync.cli.completion import pair_names
from krakenasync.cli.connection import ENVIRONMENT, Where, connect, suggesting
from krakenasync.cli.inline import candles
from krakenasync.cli.moments import spoken, when
from krakenasync.cli.pictures import NO_PICTURE, Picture
from krakenasync.cli.rendering import (
    AS_TABLE,
    Output,
    Sheet,
    amount,
    lively,
    moment,
    remark,
    screen,
    show,
    table_of,
)
from krakenasync.client.client import KrakenClient
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.errors import KrakenError
from krakenasync.plots import plot_candles
from krakenasync.spot.books import BookLevel
from krakenasync.spot.market import TickerInfo
from krakenasync.spot.values import CandleMinutes

__all__ = ["Pair", "depth", "ohlc", "ticker", "trades"]

Pair = Annotated[str, Parameter(completer=pair_names)]
_FIGURES: Final = ("bid", "ask", "last", "high 24h", "low 24h", "volume 24h")


async def ticker(
    *pair: Annotated[str, Parameter(completer=pair_names, required=True)],
    watch: bool = False,
    every: Annotated[float, Parameter(validator=Number(gt=0))] = 2.0,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> None:
    """Show the prices of pairs, once or again and again.

    Args:
        pair: Pairs by any of Kraken's names, like XBTUSD or BTC/USD.
        watch: Go on asking until interrupted.
        every: Seconds between two calls.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    async with connect(where, private=False) as connection, suggesting(connection.client, *pair):
        if not watch:
            show(_prices(connection.source, await connection.client.ticker(*pair)), output)
            return
        async with aclosing(_again(connection.client, pair, every)) as answers:
            if lively() and not (output.json or output.csv):
                with Live(console=screen(), auto_refresh=False) as live:
                    async for at, prices in answers:
                        live.update(table_of(_prices(f"{connection.source} {at}", prices), live.console), refresh=True)
            else:
                header = True
                async for at, prices in answers:
                    show(replace(_dated(_prices(connection.source, prices), at), header=header), output)
                    header = False


async def _again(
    client: KrakenClient, pairs: tuple[str, ...], every: float
) -> AsyncGenerator[tuple[str, Mapping[str, TickerInfo]], None]:
    """Ask again and again; report a transient failure, unless it is the first answer.

    Raises:
        KrakenError: The first call failed, or repeating it is pointless.
    """
    first = True
    while True:
        began, at = SYSTEM_CLOCK.monotonic(), moment(SYSTEM_CLOCK.wall_ns())
        try:
            prices = await client.ticker(*pairs)
        except KrakenError as error:
            if first or not error.retryable:
                raise
            remark(f"{at} no answer, still trying: {error}", style="yellow")
        else:
            first = False
            yield at, prices
        await anyio.sleep(max(0.0, every - (SYSTEM_CLOCK.monotonic() - began)))


def _prices(source: str, prices: Mapping[str, TickerInfo]) -> Sheet:
    rows = [
        (
            name,
            *map(amount, (each.bid.price, each.ask.price, each.last.price)),
            *tuple(map(amount, (each.high.last_24h, each.low.last_24h, each.volume.last_24h))),
        )
        for name, each in prices.items()
    ]
    return Sheet(f"Prices - {source}", ("pair", *_FIGURES), rows, right=frozenset(_FIGURES))


def _dated(sheet: Sheet, at: str) -> Sheet:
    """Put the time in front of every row."""
    return replace(sheet, columns=("at", *sheet.columns), rows=[(at, *row) for row in sheet.rows])


async def ohlc(
    pair: Pair,
    /,
    *,
    interval: CandleMinutes = 60,
    since: str | None = None,
    count: Annotated[int, Parameter(validator=Number(gte=1, lte=720))] = 720,
    picture: Picture = NO_PICTURE,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> None:
    """Show the candles of a pair, oldest first; Kraken keeps the newest 720, of which the last is still running.

    Args:
        pair: A pair by any of Kraken's names.
        interval: Minutes of a candle.
        since: Only candles after this moment: 2026-01-31, 2026-01-31T12:00 or unix seconds.
        count: Only this many, the newest.
        picture: Drawn instead of a table.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    columns = ("time", "open", "high", "low", "close", "vwap", "volume", "trades")
    start = when("--since", since)
    picture.check(output)
    async with connect(where, private=False) as connection, suggesting(connection.client, pair):
        found = await connection.client.ohlc(pair, interval=interval, since=start)
    rows = [
        (
            spoken(each.time),
            *map(amount, (each.open, each.high, each.low, each.close, each.vwap, each.volume)),
            str(each.count),
        )
        for each in found.candles[-count:]
    ]
    title = f"{found.pair}, candles of {interval} min - {connection.source}"
    if picture.plot is not None:
        plot_candles(picture.plot, found.candles[-count:], title)
        remark(f"{picture.plot} is written")
    if picture.chart:
        screen().print(candles(screen(), found.candles[-count:], title))
    if picture and not (output.json or output.csv):
        return
    show(Sheet(title, columns, rows, right=frozenset(columns[1:])), output)


async def depth(
    pair: Pair,
    /,
    *,
    count: Annotated[int, Parameter(validator=Number(gte=1, lte=500))] = 10,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> None:
    """Show the order book of a pair: asks above, bids below, the best prices in the middle.

    Args:
        pair: A pair by any of Kraken's names.
        count: Levels on each side, 500 at most.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    async with connect(where, private=False) as connection, suggesting(connection.client, pair):
        book = await connection.client.depth(pair, count=count)
    rows = [_level("ask", each) for each in reversed(book.asks)] + [_level("bid", each) for each in book.bids]
    columns = ("side", "price", "volume", "changed")
    show(Sheet(f"{book.pair}, book - {connection.source}", columns, rows, right=frozenset({"price", "volume"})), output)


def _level(side: str, level: BookLevel) -> tuple[str, ...]:
    return side, amount(level.price), amount(level.volume), spoken(level.time)


async def trades(
    pair: Pair,
    /,
    *,
    since: str | None = None,
    count: Annotated[int, Parameter(validator=Number(gte=1, lte=1000))] = 50,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> None:
    """Show trades of a pair, oldest first: the newest, or those from a moment on.

    Args:
        pair: A pair by any of Kraken's names.
        since: The moment to begin at: 2026-01-31, 2026-01-31T12:00 or unix seconds.
        count: How many at most, up to 1,000.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    columns = ("time", "side", "price", "volume", "order", "id")
    start = when("--since", since)
    async with connect(where, private=False) as connection, suggesting(connection.client, pair):
        found = await connection.client.trades(pair, since=start, count=count)
    rows = [
        (
            spoken(each.time),
            {"b": "buy", "s": "sell"}.get(each.side, each.side),
            amount(each.price),
            amount(each.volume),
            {"m": "market", "l": "limit"}.get(each.ordertype, each.ordertype),
            str(each.trade_id),
        )
        for each in found.trades
    ]
    show(
        Sheet(f"{found.pair}, trades - {connection.source}", columns, rows, right=frozenset({"price", "volume"})),
        output,
    )

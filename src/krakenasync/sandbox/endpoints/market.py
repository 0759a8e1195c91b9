"""Market data: assets, pairs, prices, trades. The books are in `books`.

Source: https://docs.kraken.com/api/docs/category/rest-api/market-data
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from krakenasync.sandbox.arguments import Arguments, as_number
from krakenasync.sandbox.chart import candles, statistics
from krakenasync.sandbox.clocks import NANOS, timestamp
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.listings import ASSETS, PAIRS, Asset, Pair, find_asset, find_pair, public_name
from krakenasync.sandbox.market import PublicTrade
from krakenasync.sandbox.pit import Pit
from krakenasync.sandbox.refusals import INVALID_ARGUMENTS, Refusal, invalid
from krakenasync.spot.values import CandleInterval, PairInfo, Venues, words

__all__ = ["HANDLERS", "level_text", "named_pair", "pair_key"]

INTERVALS: Final = words(CandleInterval)
VENUES: Final = words(Venues)
MOST_TRADES: Final = 1000
LEAST_SHOWN: Final = Decimal("0.001")
NANOSECONDS_FROM: Final = 10**14
"""A `since` below this counts seconds, above it nanoseconds."""
SLICES: Final = {
    "leverage": ("leverage_buy", "leverage_sell"),
    "fees": ("fees", "fees_maker", "fee_volume_currency"),
    "margin": ("margin_call", "margin_stop"),
}
"""The columns of the narrower views of AssetPairs."""
RENAMED: Final = {"margin_stop": "margin_level"}
"""What the columns are called there, as the authors of typed-kraken 0.5.0 saw in the exchange's answers."""


def time(context: Context) -> dict[str, Any]:
    """Return the time, in two forms."""
    moment = datetime.fromtimestamp(context.now // NANOS, UTC)
    return {"unixtime": context.now // NANOS, "rfc1123": moment.strftime(f"%a, {moment.day:2d} %b %y %H:%M:%S +0000")}


def system_status(context: Context) -> dict[str, Any]:
    """Report that the exchange is online."""
    said = {"status": "online", "timestamp": timestamp(context.now)}
    return {**said, "upcoming_maintenance": [], "emergency": []}


def maintenance_schedule(_context: Context) -> dict[str, Any]:
    """List planned maintenance: none."""
    return {"events": []}


def assets(context: Context) -> dict[str, Any]:
    """List assets."""
    arguments = context.arguments
    if arguments.text("aclass", "currency") != "currency":
        return {}
    wanted = [find_asset(name) for name in arguments.names("asset")] or list(ASSETS.values())
    return {_asset_key(asset, arguments): asset.row() for asset in wanted}


def asset_pairs(context: Context) -> dict[str, Any]:
    """List pairs, with whole rows or one part of each."""
    arguments = context.arguments
    if arguments.text("aclass_base", "currency") != "currency":
        return {}
    view = arguments.word("info", words(PairInfo), "info")
    venues = set(arguments.names("execution_venue"))
    if not venues <= VENUES:
        raise invalid("execution_venue")
    if venues and "international" not in venues:  # everything listed here is traded there
        return {}
    rows = {pair_key(pair, arguments): pair.row(public=_public(arguments)) for pair in _pairs(arguments)}
    if view == "info":
        return rows
    return {name: {RENAMED.get(column, column): row[column] for column in SLICES[view]} for name, row in rows.items()}


def ticker(context: Context) -> dict[str, Any]:
    """Quote pairs, all of them unless some are named."""
    arguments = context.arguments
    if arguments.text("asset_class", "forex") != "forex":
        return {}
    return {pair_key(pair, arguments): _quoted(context, pair) for pair in _pairs(arguments)}


def named_pair(arguments: Arguments) -> Pair:
    """Find the pair that a call is about.

    Raises:
        Refusal: The call names no pair, or one that is not listed.
    """
    if not arguments.given("pair"):
        raise Refusal(INVALID_ARGUMENTS)  # without the name: https://github.com/dominiktraxl/pykrakenapi/issues/82
    return find_pair(arguments.text("pair"))


def ohlc(context: Context) -> dict[str, Any]:
    """List up to 720 candles, the running one last."""
    arguments = context.arguments
    pair = named_pair(arguments)
    interval = arguments.whole("interval", 1, 1, max(INTERVALS))
    if interval not in INTERVALS:
        raise invalid("interval")
    since = int(as_number("since", arguments.text("since", "0")))
    rows = candles(context.world.market, context.world.exchange.pit(pair), interval)
    committed = rows[-2][0] if len(rows) > 1 else rows[-1][0]
    shown = [row for row in rows if row[0] > since] or rows[-1:]
    return {pair_key(pair, arguments): shown, "last": committed}


def trades(context: Context) -> dict[str, Any]:
    """List trades after a moment, oldest first, or the newest ones."""
    arguments = context.arguments
    pair = named_pair(arguments)
    most = arguments.whole("count", MOST_TRADES, 1, MOST_TRADES)
    since = _cursor(arguments.text("since", "")) if arguments.given("since") else -1
    pit = context.world.exchange.pit(pair)
    found = pit.tape.trades(since, pit.beat, most)
    last = found[-1].at if found else max(since, 0)
    return {pair_key(pair, arguments): [_trade_row(pair, trade) for trade in found], "last": str(last)}


def _quoted(context: Context, pair: Pair) -> dict[str, Any]:
    """Write a pair's row in Ticker."""
    pit, text = context.world.exchange.pit(pair), pair.long_price_text
    days = statistics(context.world.market, pit)
    last = pit.tape.last(pit.beat)
    return {
        "a": _best(pit, buy=False),
        "b": _best(pit, buy=True),
        "c": [text(last.price), f"{last.volume:.8f}"],
        "v": [f"{day.volume:.8f}" for day in days],
        "p": [text(day.mean) for day in days],
        "t": [day.trades for day in days],
        "l": [text(day.low) for day in days],
        "h": [text(day.high) for day in days],
        "o": text(days[0].opened),
    }


def _best(pit: Pit, *, buy: bool) -> list[str]:
    """Write the best price of a side: price, whole lots, volume."""
    offers = pit.offers(buy=buy)
    first = next(offers, None)
    if first is None:
        return [pit.pair.long_price_text(Decimal(0)), "0", "0.000"]
    others = itertools.takewhile(lambda offer: offer.price == first.price, offers)
    volume = sum((offer.volume for offer in others), first.volume)
    return [pit.pair.long_price_text(first.price), str(max(1, int(volume))), level_text(volume)]


def level_text(volume: Decimal) -> str:
    """Write the volume at a price of the book: to three digits, but never as zero."""
    return f"{max(volume, LEAST_SHOWN):.3f}"


def _trade_row(pair: Pair, trade: PublicTrade) -> list[Any]:
    return [
        pair.long_price_text(trade.price),
        f"{trade.volume:.8f}",
        trade.at // 100 / 10**7,
        "b" if trade.buy else "s",
        "m" if trade.market else "l",
        "",
        trade.number,
    ]


def _cursor(text: str) -> int:
    """Read a `since`, in seconds or nanoseconds, as nanoseconds."""
    number = as_number("since", text)
    return int(number if number >= NANOSECONDS_FROM else number * Decimal(NANOS))


def _pairs(arguments: Arguments) -> list[Pair]:
    return [find_pair(name) for name in arguments.names("pair")] or list(PAIRS.values())


def pair_key(pair: Pair, arguments: Arguments) -> str:
    """Return the key of a pair in an answer."""
    return public_name(pair) if _public(arguments) else pair.name


def _asset_key(asset: Asset, arguments: Arguments) -> str:
    return asset.called if _public(arguments) else asset.name


def _public(arguments: Arguments) -> bool:
    """Whether the caller asks for the names that people use."""
    return arguments.text("assetVersion", "0") == "1"


HANDLERS: Final[Mapping[str, Handler]] = {
    "Time": time,
    "SystemStatus": system_status,
    "MaintenanceSchedule": maintenance_schedule,
    "Assets": assets,
    "AssetPairs": asset_pairs,
    "Ticker": ticker,
    "OHLC": ohlc,
    "Trades": trades,
}

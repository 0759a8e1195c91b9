"""Pre- and post-trade data of the seeded market.

Source: https://docs.kraken.com/api/docs/category/rest-api/transparency
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.listings import PAIRS, Pair, find_pair, public_name
from krakenasync.sandbox.market import Market, PublicTrade
from krakenasync.sandbox.refusals import invalid

__all__ = ["HANDLERS"]

LEVELS: Final = 10
MOST: Final = 1000
VENUE: Final = "PGSL"
NAMES: Final = {
    "ADA": "Cardano",
    "BCH": "Bitcoin Cash",
    "BTC": "Bitcoin",
    "DOGE": "Dogecoin",
    "ETH": "Ether",
    "EUR": "Euro",
    "SOL": "Solana",
    "USD": "US Dollar",
    "USDT": "Tether USD",
}
TOKENS: Final = {"BTC": "4H95J0R2X"}
"""Codes of digital tokens (ISO 24165), as far as Kraken's examples name them."""
PRECISE: Final = re.compile(r"(.*?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
"""ISO 8601 with up to nanoseconds, which `datetime` would cut."""


def pre_trade(context: Context) -> dict[str, Any]:
    """Show ten levels a side of a pair's book."""
    pair = find_pair(context.arguments.text("symbol"))
    return {
        "symbol": public_name(pair),
        **_assets(pair, "NOML"),
        **_identifiers(pair),
        "venue": VENUE,
        "system": "CLOB",
        "bids": _levels(context, pair, buy=True),
        "asks": _levels(context, pair, buy=False),
    }


def post_trade(context: Context) -> dict[str, Any]:
    """List trades of a pair or of all, oldest first; ``from_ts`` is excluded, ``to_ts`` included."""
    arguments, exchange = context.arguments, context.world.exchange
    most = arguments.whole("count", MOST, 1, MOST)
    start, end = _moment(context, "from_ts", -1), _moment(context, "to_ts", context.now)
    pairs = [find_pair(arguments.text("symbol"))] if arguments.given("symbol") else list(PAIRS.values())
    found = [
        (pair, trade)
        for pair, pit in ((pair, exchange.pit(pair)) for pair in pairs)
        for trade in pit.tape.trades(start, min(pit.beat, context.world.market.beat(end)), most)
        if trade.at <= end
    ]
    found.sort(key=lambda each: each[1].at)
    # Without a start the call asks for the newest.
    found = found[:most] if start >= 0 else found[-most:]
    return {
        "last_ts": _text(found[-1][1].at) if found else None,
        "count": len(found),
        "trades": [_row(pair, trade, context.world.market) for pair, trade in found],
    }


def _levels(context: Context, pair: Pair, *, buy: bool) -> list[dict[str, Any]]:
    """Write one side of the book, from the best price outwards."""
    offers = context.world.exchange.pit(pair).offers(buy=buy)
    levels = []
    for price, group in islice(itertools.groupby(offers, key=lambda offer: offer.price), LEVELS):
        there = list(group)
        levels.append(
            {
                "side": "BUY" if buy else "SELL",
                "price": pair.price_text(price),
                "qty": f"{sum((offer.volume for offer in there), Decimal(0)):.8f}",
                "count": len(there),
                "submission_ts": _text(max(offer.since for offer in there)),
                "publication_ts": _text(context.now),
            }
        )
    return levels


def _row(pair: Pair, trade: PublicTrade, market: Market) -> dict[str, Any]:
    return {
        "trade_id": market.trade_id(pair, trade.number),
        "price": pair.price_text(trade.price),
        "quantity": f"{trade.volume:.8f}",
        "symbol": public_name(pair),
        **_assets(pair, "UNIT"),
        "trade_venue": VENUE,
        "trade_ts": _text(trade.at),
        "publication_venue": VENUE,
        "publication_ts": _text(trade.at),
    }


def _assets(pair: Pair, notation: str) -> dict[str, str]:
    base, _, quote = public_name(pair).partition("/")
    return {
        "description": f"{NAMES.get(base, base)} / {NAMES.get(quote, quote)}",
        "base_asset": base,
        "base_notation": notation,
        "quote_asset": quote,
        "quote_notation": "MONE",
    }


def _identifiers(pair: Pair) -> dict[str, str]:
    """Return both assets' codes in the registry of digital tokens, where fiat currencies have no code."""
    base, _, quote = public_name(pair).partition("/")
    return {
        f"{side}_dti_{part}": text
        for side, name in (("base", base), ("quote", quote))
        for part, text in (("code", TOKENS.get(name, "")), ("short_name", name if name in TOKENS else ""))
    }


def _moment(context: Context, name: str, default: int) -> int:
    """Read a time to the nanosecond; without a zone it is UTC."""
    if not context.arguments.given(name):
        return default
    parts = PRECISE.fullmatch(context.arguments.text(name))
    if parts is None:
        raise invalid(name)
    whole, digits, zone = parts.groups()
    try:
        second = datetime.fromisoformat(f"{whole}{zone or 'Z'}")
        return int(second.timestamp()) * NANOS + int(f"{digits or '0':0<9}")
    except (ValueError, OverflowError):
        raise invalid(name) from None


def _text(at: int) -> str:
    """Write unix nanoseconds as RFC 3339."""
    second, rest = divmod(at, NANOS)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


HANDLERS: Final[Mapping[str, Handler]] = {"PreTrade": pre_trade, "PostTrade": post_trade}

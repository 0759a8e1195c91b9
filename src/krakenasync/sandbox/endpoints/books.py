"""Order books: by level, grouped, by single order; and the recent best prices.

Source: https://docs.kraken.com/api/docs/category/rest-api/market-data
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from krakenasync.sandbox.arguments import as_number
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.endpoints.market import level_text, named_pair, pair_key
from krakenasync.sandbox.listings import Pair, public_name
from krakenasync.sandbox.market import Market
from krakenasync.sandbox.pit import MARKS, Mark, Offer, Pit
from krakenasync.sandbox.refusals import invalid
from krakenasync.spot.values import BookDepth, Grouping, Level3Depth, words

__all__ = ["HANDLERS"]

MOST_LEVELS: Final = 500
MOST_ASKED: Final = 2**31 - 1


def depth(context: Context) -> dict[str, Any]:
    """Show the book, price by price. Existing clients ask for 1,000 levels and get what there is."""
    pair = named_pair(context.arguments)
    count = min(MOST_LEVELS, context.arguments.whole("count", 100, 1, MOST_ASKED))
    pit = context.world.exchange.pit(pair)
    sides = {
        name: [
            [pair.long_price_text(price), level_text(volume), since // NANOS]
            for price, volume, since in itertools.islice(_levels(pit.offers(buy=name == "bids")), count)
        ]
        for name in ("asks", "bids")
    }
    return {pair_key(pair, context.arguments): sides}


def grouped_book(context: Context) -> dict[str, Any]:
    """Show the book in coarser steps: asks are rounded up, bids down."""
    pair = named_pair(context.arguments)
    count = _one_of(context, "depth", words(BookDepth), 10)
    grouping = _one_of(context, "grouping", words(Grouping), 1)
    pit, step = context.world.exchange.pit(pair), grouping * pair.tick_size
    sides = {
        name: [
            {"price": pair.long_price_text(price), "qty": f"{volume:.8f}"}
            for price, volume in itertools.islice(_grouped(pit.offers(buy=name == "bids"), step, name), count)
        ]
        for name in ("bids", "asks")
    }
    return {"pair": public_name(pair), "grouping": grouping, **sides}


def level3(context: Context) -> dict[str, Any]:
    """Show every visible order."""
    pair = named_pair(context.arguments)
    count = _one_of(context, "depth", words(Level3Depth), 100)
    pit = context.world.exchange.pit(pair)
    sides = {
        name: [
            {
                "price": pair.long_price_text(offer.price),
                "qty": f"{offer.volume:.8f}",
                "order_id": _order_id(offer, pair, context.world.market),
                "timestamp": offer.since,
            }
            for offer in _first_levels(pit.offers(buy=name == "bids"), count)
        ]
        for name in ("bids", "asks")
    }
    return {"pair": public_name(pair), **sides}


def spread(context: Context) -> dict[str, Any]:
    """List the recent best bids and asks, including those of the second that `since` names.

    Source: https://github.com/dominiktraxl/pykrakenapi, which quotes Kraken's older documentation
    """
    pair = named_pair(context.arguments)
    since = int(as_number("since", context.arguments.text("since", "0")))
    found = list(_spreads(context.world.market, context.world.exchange.pit(pair)))
    rows = [
        [at // NANOS, pair.long_price_text(bid), pair.long_price_text(ask)]
        for at, bid, ask in found[-MARKS:]
        if at // NANOS >= since
    ]
    return {pair_key(pair, context.arguments): rows, "last": found[-1][0] // NANOS}


def _levels(offers: Iterable[Offer]) -> Iterator[tuple[Decimal, Decimal, int]]:
    """Combine the offers at one price: price, volume, time of the last change."""
    for price, group in itertools.groupby(offers, key=lambda offer: offer.price):
        there = list(group)
        yield price, sum((offer.volume for offer in there), Decimal(0)), max(offer.since for offer in there)


def _grouped(offers: Iterable[Offer], step: Decimal, side: str) -> Iterator[tuple[Decimal, Decimal]]:
    """Combine the offers in one step."""
    rounding = ROUND_FLOOR if side == "bids" else ROUND_CEILING

    def edge(offer: Offer) -> Decimal:
        return (offer.price / step).to_integral_value(rounding) * step

    for price, group in itertools.groupby(offers, key=edge):
        yield price, sum((offer.volume for offer in group), Decimal(0))


def _first_levels(offers: Iterable[Offer], count: int) -> Iterator[Offer]:
    """Yield the offers at the best `count` prices; at all prices if it is 0."""
    groups = itertools.groupby(offers, key=lambda offer: offer.price)
    for _, group in itertools.islice(groups, count or None):
        yield from group


def _order_id(offer: Offer, pair: Pair, market: Market) -> str:
    return offer.order.txid if offer.order else market.order_id(pair, offer.since)


def _spreads(market: Market, pit: Pit) -> Iterator[tuple[int, Decimal, Decimal]]:
    """Yield (unix nanoseconds, bid, ask) at each of the maker's last moves and whenever an account changed them."""
    marks = list(pit.marks)
    first = max(0, pit.beat + 1 - MARKS)
    moments = sorted(
        [(market.ripe(beat), beat) for beat in range(first, pit.beat + 1)] + [(mark.at, -1) for mark in marks]
    )
    own = Mark(0, None, None, None, None)
    following = iter(marks)
    for at, beat in moments:
        if beat < 0:
            own = next(following)
            if own.bid is not None and own.ask is not None:
                yield at, own.bid, own.ask
        else:
            quote = market.quote(pit.pair, beat)
            yield at, max(quote.bid, own.own_bid or quote.bid), min(quote.ask, own.own_ask or quote.ask)


def _one_of(context: Context, name: str, values: frozenset[int], default: int) -> int:
    number = context.arguments.whole(name, default, min(values), max(values))
    if number not in values:
        raise invalid(name)
    return number


HANDLERS: Final[Mapping[str, Handler]] = {
    "Depth": depth,
    "GroupedBook": grouped_book,
    "Level3": level3,
    "Spread": spread,
}

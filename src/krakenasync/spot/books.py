"""Order books: by level, grouped, and by single order.

Source: https://docs.kraken.com/api/docs/category/rest-api/market-data
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self, TypeVar

import msgspec

from krakenasync.protocol.fields import Range
from krakenasync.protocol.requests import Request, Reshaped
from krakenasync.protocol.specs import Need, Spec, private_call, public_call
from krakenasync.spot.market import OfPair
from krakenasync.spot.values import BookDepth, Grouping, Level3Depth, PairName, TokenizedClass, from_nanoseconds

__all__ = [
    "Book",
    "BookLevel",
    "Depth",
    "GroupedBook",
    "GroupedBookLevels",
    "GroupedLevel",
    "Level3",
    "Level3Book",
    "Level3Order",
]

R = TypeVar("R")


class BookLevel(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A price, the volume there, and when it last changed."""

    price: Decimal
    volume: Decimal
    time: datetime


class _Sides(msgspec.Struct):
    asks: list[BookLevel]
    bids: list[BookLevel]


class Book(Reshaped, msgspec.Struct, frozen=True):
    """The order book of a pair, best prices first.

    Attributes:
        pair: The pair's id.
    """

    arrives_as: ClassVar[Any] = dict[str, _Sides]

    pair: str
    asks: list[BookLevel]
    bids: list[BookLevel]

    @classmethod
    def from_wire(cls, arrived: dict[str, _Sides]) -> Self:
        """Take the book out of the object that is keyed by its pair."""
        if len(arrived) != 1:
            raise msgspec.ValidationError("expected the book of one pair")
        ((pair, sides),) = arrived.items()
        return cls(pair, sides.asks, sides.bids)


class Depth(OfPair[Book], frozen=True, kw_only=True):
    """The order book of a pair; `count` levels a side, 100 if left out."""

    spec: ClassVar[Spec] = public_call("Depth", "market", "get-order-book")

    count: Annotated[int, Range(1, 500)] | None = None
    asset_class: TokenizedClass | None = None


class OfBook(Request[R], frozen=True):
    """A call about the book of one pair, which these endpoints' examples name ``BTC/USD``."""

    pair: PairName


class GroupedLevel(msgspec.Struct, frozen=True, gc=False):
    """A price, and the volume of the ticks that were merged into it."""

    price: Decimal
    qty: Decimal


class GroupedBookLevels(msgspec.Struct, frozen=True):
    """A book in coarser levels: asks are rounded up, bids down."""

    pair: str
    grouping: int
    bids: list[GroupedLevel]
    asks: list[GroupedLevel]


class GroupedBook(OfBook[GroupedBookLevels], frozen=True, kw_only=True):
    """The order book of a pair, `grouping` ticks per level."""

    spec: ClassVar[Spec] = public_call("GroupedBook", "market", "get-grouped-order-book")

    depth: BookDepth | None = None
    grouping: Grouping | None = None


class Level3Order(msgspec.Struct, frozen=True, gc=False):
    """An order in the book.

    Attributes:
        timestamp: Nanoseconds; `time` is the same as a datetime.
    """

    price: Decimal
    qty: Decimal
    order_id: str
    timestamp: int

    @property
    def time(self) -> datetime:
        """When the order came into the book."""
        return from_nanoseconds(self.timestamp)


class Level3Book(msgspec.Struct, frozen=True):
    """Every visible order: no untriggered stops, no hidden part of icebergs."""

    pair: str
    bids: list[Level3Order]
    asks: list[Level3Order]


class Level3(OfBook[Level3Book], frozen=True, kw_only=True):
    """The single orders of a pair's book; market data, but an API key is needed."""

    spec: ClassVar[Spec] = private_call("Level3", "market", "get-level-3-order-book", need=Need(("query-open-trades",)))

    depth: Level3Depth | None = None

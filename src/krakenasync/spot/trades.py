"""Market data in rows: candles, trades, spreads.

Source: https://docs.kraken.com/api/docs/category/rest-api/market-data
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self, TypeVar

import msgspec

from krakenasync.protocol.charges import PER_IP_AND_PAIR
from krakenasync.protocol.fields import Range
from krakenasync.protocol.requests import Reshaped
from krakenasync.protocol.specs import Spec, public_call
from krakenasync.spot.market import OfPair
from krakenasync.spot.values import CandleInterval, CursorMoment, TokenizedClass, WholeMoment

__all__ = ["OHLC", "Candle", "CandleTable", "PublicTrade", "Spread", "SpreadRow", "SpreadTable", "TradeTable", "Trades"]

Row = TypeVar("Row")

_Beside = dict[str, Any] | str | int | float | bool | None
"""What may come with the rows: their cursor, and whatever Kraken may add; anything but another list."""


def _split(arrived: dict[str, list[Row] | _Beside]) -> tuple[str, list[Row], int | None]:
    """Take apart an answer whose cursor `last` is next to the pair's rows, in the same object.

    The rows are the only list in it; what else Kraken may add is ignored.
    """
    tables = [(name, rows) for name, rows in arrived.items() if isinstance(rows, list)]
    if len(tables) != 1:
        raise msgspec.ValidationError("expected the rows of one pair")
    ((pair, rows),) = tables
    last = arrived.get("last")
    # Trades end with an empty cursor, according to Kraken's own Rust SDK.
    return pair, rows, None if last is None or last == "" else msgspec.convert(last, int, strict=False)


class Candle(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was traded in one interval. `time` is when it begins."""

    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    vwap: Decimal
    volume: Decimal
    count: int


class CandleTable(Reshaped, msgspec.Struct, frozen=True):
    """Candles of a pair, oldest first; the last one is still running.

    Attributes:
        pair: The pair's id.
        last: Unix seconds, for the next call's `since`.
    """

    arrives_as: ClassVar[Any] = dict[str, list[Candle] | _Beside]

    pair: str
    candles: list[Candle]
    last: int | None = None

    @classmethod
    def from_wire(cls, arrived: dict[str, list[Candle] | _Beside]) -> Self:
        """Separate the pair's rows from `last`."""
        return cls(*_split(arrived))


class OHLC(OfPair[CandleTable], frozen=True, kw_only=True):
    """Candles of a pair: never more than the newest 720, whatever `since` says."""

    spec: ClassVar[Spec] = public_call("OHLC", "market", "get-ohlc-data", charge=PER_IP_AND_PAIR)

    interval: CandleInterval | None = None
    since: WholeMoment | None = None
    asset_class: TokenizedClass | None = None


class PublicTrade(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Anyone's trade.

    Attributes:
        side: The taker's side: ``b`` or ``s``.
        ordertype: The taker's order: ``m`` (market) or ``l`` (limit).
    """

    price: Decimal
    volume: Decimal
    time: datetime
    side: str
    ordertype: str
    misc: str
    trade_id: int = 0


class TradeTable(Reshaped, msgspec.Struct, frozen=True):
    """Trades of a pair, oldest first.

    Attributes:
        pair: The pair's id.
        last: Nanoseconds, for the next call's `since`; None at the end.
    """

    arrives_as: ClassVar[Any] = dict[str, list[PublicTrade] | _Beside]

    pair: str
    trades: list[PublicTrade]
    last: int | None = None

    @classmethod
    def from_wire(cls, arrived: dict[str, list[PublicTrade] | _Beside]) -> Self:
        """Separate the pair's rows from `last`."""
        return cls(*_split(arrived))


class Trades(OfPair[TradeTable], frozen=True, kw_only=True):
    """Trades of a pair, up to 1,000 a page, from the newest or from `since` on (0: the first ever)."""

    spec: ClassVar[Spec] = public_call("Trades", "market", "get-recent-trades", charge=PER_IP_AND_PAIR)

    since: CursorMoment | None = None
    count: Annotated[int, Range(1, 1000)] | None = None
    asset_class: TokenizedClass | None = None


class SpreadRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The best bid and ask at a moment."""

    time: datetime
    bid: Decimal
    ask: Decimal


class SpreadTable(Reshaped, msgspec.Struct, frozen=True):
    """Best bids and asks of a pair, oldest first.

    Attributes:
        pair: The pair's id.
        last: Unix seconds, for the next call's `since`.
    """

    arrives_as: ClassVar[Any] = dict[str, list[SpreadRow] | _Beside]

    pair: str
    spreads: list[SpreadRow]
    last: int | None = None

    @classmethod
    def from_wire(cls, arrived: dict[str, list[SpreadRow] | _Beside]) -> Self:
        """Separate the pair's rows from `last`."""
        return cls(*_split(arrived))


class Spread(OfPair[SpreadTable], frozen=True, kw_only=True):
    """Best bids and asks of a pair: about the newest 200."""

    spec: ClassVar[Spec] = public_call("Spread", "market", "get-recent-spreads")

    since: WholeMoment | None = None
    asset_class: TokenizedClass | None = None

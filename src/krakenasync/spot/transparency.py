"""Transparency: pre- and post-trade data as European rules ask for it. Pairs are named ``BTC/USD`` here.

Source: https://docs.kraken.com/api/docs/category/rest-api/transparency
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar

import msgspec

from krakenasync.protocol.fields import Range, Text
from krakenasync.protocol.requests import Request
from krakenasync.protocol.specs import Spec, public_call
from krakenasync.spot.values import PairName, PreciseMoment

__all__ = ["PostTrade", "PostTradeRow", "PostTrades", "PreTrade", "PreTradeBook", "PreTradeLevel"]


class PreTradeLevel(msgspec.Struct, frozen=True, kw_only=True):
    """A price, the quantity there, and the number of orders."""

    side: str
    price: Decimal
    qty: Decimal
    count: int
    publication_ts: datetime | None = None
    submission_ts: datetime | None = None


class PreTradeBook(msgspec.Struct, frozen=True, kw_only=True):
    """Ten levels a side of a pair's book. The ``dti`` codes are in live answers, documented nowhere."""

    symbol: str
    description: str = ""
    base_asset: str = ""
    base_notation: str = ""
    base_dti_code: str | None = None
    base_dti_short_name: str | None = None
    quote_asset: str = ""
    quote_notation: str = ""
    quote_dti_code: str | None = None
    quote_dti_short_name: str | None = None
    venue: str = ""
    system: str = ""
    bids: list[PreTradeLevel] = []
    asks: list[PreTradeLevel] = []


class OfSymbol(Request[PreTradeBook], frozen=True):
    """A call about one pair."""

    symbol: Annotated[str, Text(pattern=r".{3,32}", what="a pair of 3 to 32 characters, like 'BTC/USD'")]


class PreTrade(OfSymbol, frozen=True, kw_only=True):
    """Ten levels a side of a pair's book."""

    spec: ClassVar[Spec] = public_call("PreTrade", "transparency", "get-pre-trade")


class PostTradeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A trade as published."""

    trade_id: str
    price: Decimal
    quantity: Decimal
    symbol: str
    description: str = ""
    base_asset: str = ""
    base_notation: str = ""
    base_dti_code: str | None = None
    base_dti_short_name: str | None = None
    quote_asset: str = ""
    quote_notation: str = ""
    quote_dti_code: str | None = None
    quote_dti_short_name: str | None = None
    trade_venue: str = ""
    trade_ts: datetime | None = None
    publication_venue: str = ""
    publication_ts: datetime | None = None


class PostTrades(msgspec.Struct, frozen=True, kw_only=True):
    """Published trades, oldest first.

    Attributes:
        last_ts: For the next call's `from_ts`; kept as text, because a datetime would lose its nanoseconds.
    """

    count: int
    last_ts: str | None = None
    trades: list[PostTradeRow] = []


class OfSymbolOrAll(Request[PostTrades], frozen=True):
    """A call about one pair, or about all."""

    symbol: PairName | None = None


class PostTrade(OfSymbolOrAll, frozen=True, kw_only=True):
    """Published trades, 1,000 a page; `from_ts` is excluded, `to_ts` included."""

    spec: ClassVar[Spec] = public_call("PostTrade", "transparency", "get-post-trade")

    from_ts: PreciseMoment | None = None
    to_ts: PreciseMoment | None = None
    count: Annotated[int, Range(1, 1000)] | None = None

"""The lists that can be kept: for each, the key that identifies its rows, and the time that orders them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from krakenasync.client.client import KrakenClient
from krakenasync.client.rows import CandleRow, ClosedOrder, LedgerRow, Rows, TradeRow
from krakenasync.errors import KrakenError
from krakenasync.protocol.moments import CALENDAR_END, Instant
from krakenasync.spot.trades import PublicTrade

__all__ = ["KINDS", "OVERLAP", "Kind"]

OVERLAP: Final = timedelta(seconds=60)
"""How much a later run asks for again: rows may share a time, and some are booked a little late."""

Ask = Callable[..., Rows[Any]]


class Kind(msgspec.Struct, frozen=True):
    """One long list.

    Attributes:
        endpoint: Kraken's name of the call behind it.
        row: The type of its rows.
        begin: Makes the iterator for (client, filters, start time).
        resume: Makes the iterator that continues at (client, cursor).
        key: The column that identifies a row.
        time: The column that orders the rows.
        without: Columns that have no meaning here.
        private: Whether it needs a key.
    """

    endpoint: str
    row: type[msgspec.Struct]
    begin: Callable[[KrakenClient, Mapping[str, Any], datetime | None], Rows[Any]]
    resume: Callable[[KrakenClient, str], Rows[Any]]
    key: str = "id"
    time: str = "time"
    without: frozenset[str] = frozenset()
    private: bool = True


def _later(asked: Any, ended: datetime) -> Any:
    """Return the later of the start that was asked for and of where the last run ended; for an id that is unknown."""
    if asked is None:
        return ended
    try:
        moment = Decimal(Instant(nanoseconds=True).wire("start", asked))
    except (KrakenError, InvalidOperation):
        return ended
    seconds = moment if moment < CALENDAR_END else moment.scaleb(-9)
    return asked if seconds > Decimal(str(ended.timestamp())) else ended


def _kind(
    endpoint: str, row: type[msgspec.Struct], method: str, *, since: str = "start", fixed: Any = None, **more: Any
) -> Kind:
    """Describe a list by the client's method that iterates over it."""
    always: Mapping[str, Any] = fixed or {}

    def begin(client: KrakenClient, filters: Mapping[str, Any], from_when: datetime | None) -> Rows[Any]:
        ask: Ask = getattr(client, method)
        start = {} if from_when is None else {since: _later(filters.get(since), from_when)}
        return ask(**{**filters, **always, **start})

    def resume(client: KrakenClient, cursor: str) -> Rows[Any]:
        ask: Ask = getattr(client, method)
        return ask(cursor=cursor, **{name: value for name, value in always.items() if name == "closed_only"})

    return Kind(endpoint, row, begin, resume, **more)


KINDS: Final[Mapping[str, Kind]] = {
    "ledgers": _kind("Ledgers", LedgerRow, "iter_ledgers"),
    "trades": _kind("TradesHistory", TradeRow, "iter_trades_history"),
    "closed-orders": _kind(
        "ClosedOrders", ClosedOrder, "iter_closed_orders", fixed={"closetime": "close"}, time="closetm"
    ),
    "public-trades": _kind("Trades", PublicTrade, "iter_trades", since="since", key="trade_id", private=False),
    "ohlc": _kind(
        "OHLC",
        CandleRow,
        "iter_ohlc",
        since="since",
        fixed={"closed_only": True},
        key="time",
        without=frozenset({"closed"}),
        private=False,
    ),
}

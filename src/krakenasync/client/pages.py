"""Long lists as async iterators, over the cursors of `krakenasync.protocol.paging`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self, TypeVar, Unpack

from krakenasync.client import rows
from krakenasync.client.config import Changes, LaneName
from krakenasync.client.rows import CandleRow, ClosedOrder, LedgerRow, Reading, Rows, TradeRow
from krakenasync.client.serverclock import ServerClock
from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.moments import Instant
from krakenasync.protocol.paging import Cursor
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.requests import Request
from krakenasync.protocol.wire import Answer
from krakenasync.spot.deposits import Deposit, DepositStatus
from krakenasync.spot.history import Ledgers, TradesHistory
from krakenasync.spot.orders import ClosedOrders
from krakenasync.spot.trades import OHLC, PublicTrade, Trades
from krakenasync.spot.values import (
    AssetClass,
    AssetName,
    AssetNames,
    CandleInterval,
    ClientOrderId,
    CloseTime,
    CursorMoment,
    LedgerType,
    Moment,
    PageSize,
    PairName,
    RebaseMultiplier,
    TokenizedClass,
    TradeType,
    UserRef,
    WholeMoment,
    Word,
)
from krakenasync.spot.withdrawals import Withdrawal, WithdrawStatus

__all__ = ["Pages"]

R = TypeVar("R")


class Pages:
    """Each long list as an iterator over its rows, page after page.

    What is iterated over is fixed at the start: rows that arrive meanwhile cause neither duplicates nor gaps. Every
    iterator has `.cursor`, a text that resumes after the last row handed out, today or next week:
    ``kraken.iter_ledgers(cursor=text)``. It contains the filters, so they need not be given again. `lane` is the
    priority of the page calls (``"background"`` lets all others go first).
    """

    _server_clock: ServerClock

    async def send(self, request: Request[R], late: Callable[[], Mapping[str, Any]] | None = None) -> Answer[R]:
        """Make a call."""
        raise NotImplementedError

    @property
    def patience(self) -> tuple[float, int]:
        """Seconds that an attempt of a call may take, and how many attempts there may be."""
        raise NotImplementedError

    def with_options(self, **changes: Unpack[Changes]) -> Self:
        """Return a view of the client with other options."""
        raise NotImplementedError

    def iter_ledgers(
        self,
        *,
        asset: AssetNames | None = None,
        aclass: AssetClass | None = None,
        type: LedgerType | None = None,  # noqa: A002 - Kraken's spelling
        start: Moment | None = None,
        end: Moment | None = None,
        rebase_multiplier: RebaseMultiplier | None = None,
        cursor: str | None = None,
        lane: LaneName | None = None,
    ) -> Rows[LedgerRow]:
        """Iterate over the ledger, newest first; each entry has its `id`. `start` is excluded, `end` included."""
        request = Ledgers(
            asset=asset, aclass=aclass, type=type, start=start, end=end, rebase_multiplier=rebase_multiplier
        )
        return self._rows(request, rows.ledgers, cursor, lane)

    def iter_trades_history(
        self,
        *,
        type: TradeType | None = None,  # noqa: A002 - Kraken's spelling
        trades: bool | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        consolidate_taker: bool | None = None,
        ledgers: bool | None = None,
        rebase_multiplier: RebaseMultiplier | None = None,
        cursor: str | None = None,
        lane: LaneName | None = None,
    ) -> Rows[TradeRow]:
        """Iterate over the account's trades, newest first; each has its `id`. `start` is excluded, `end` included."""
        request = TradesHistory(
            type=type,
            trades=trades,
            start=start,
            end=end,
            consolidate_taker=consolidate_taker,
            ledgers=ledgers,
            rebase_multiplier=rebase_multiplier,
        )
        return self._rows(request, rows.trades_history, cursor, lane)

    def iter_closed_orders(
        self,
        *,
        trades: bool | None = None,
        userref: UserRef | None = None,
        cl_ord_id: ClientOrderId | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        closetime: CloseTime | None = None,
        consolidate_taker: bool | None = None,
        rebase_multiplier: RebaseMultiplier | None = None,
        cursor: str | None = None,
        lane: LaneName | None = None,
    ) -> Rows[ClosedOrder]:
        """Iterate over closed orders, newest first; each has its `id`. `start` is excluded, `end` included."""
        request = ClosedOrders(
            trades=trades,
            userref=userref,
            cl_ord_id=cl_ord_id,
            start=start,
            end=end,
            closetime=closetime,
            consolidate_taker=consolidate_taker,
            rebase_multiplier=rebase_multiplier,
        )
        return self._rows(request, rows.closed_orders, cursor, lane)

    def iter_deposits(
        self,
        *,
        asset: AssetName | None = None,
        aclass: AssetClass | None = None,
        method: Word | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: PageSize | None = None,
        rebase_multiplier: RebaseMultiplier | None = None,
        cursor: str | None = None,
        lane: LaneName | None = None,
    ) -> Rows[Deposit]:
        """Iterate over deposits, newest first, `limit` a page. `start` and `end` are included."""
        request = DepositStatus(
            asset=asset,
            aclass=aclass,
            method=method,
            start=start,
            end=end,
            limit=limit,
            rebase_multiplier=rebase_multiplier,
        )
        return self._rows(request, rows.deposits, cursor, lane)

    def iter_withdrawals(
        self,
        *,
        asset: AssetName | None = None,
        aclass: AssetClass | None = None,
        method: Word | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: PageSize | None = None,
        rebase_multiplier: RebaseMultiplier | None = None,
        cursor: str | None = None,
        lane: LaneName | None = None,
    ) -> Rows[Withdrawal]:
        """Iterate over withdrawals, newest first, `limit` a page. `start` and `end` are included."""
        request = WithdrawStatus(
            asset=asset,
            aclass=aclass,
            method=method,
            start=start,
            end=end,
            limit=limit,
            rebase_multiplier=rebase_multiplier,
        )
        return self._rows(request, rows.withdrawals, cursor, lane)

    def iter_trades(
        self,
        pair: PairName | None = None,
        *,
        since: CursorMoment | None = None,
        until: Moment | None = None,
        count: int | None = None,
        asset_class: TokenizedClass | None = None,
        cursor: str | None = None,
        lane: LaneName | None = None,
    ) -> Rows[PublicTrade]:
        """Iterate over everyone's trades of a pair, oldest first.

        Args:
            pair: The pair; may be left out only with a cursor.
            since: Where to start: a datetime, unix seconds or nanoseconds. None: at the first trade ever.
            until: Where to end; at the latest when the iteration started.
            count: Trades per page, 1,000 at most.
            asset_class: For xStocks.
            cursor: Resume where an earlier iteration stopped.
            lane: The priority of the page calls.
        """
        request = Trades(pair=_pair(pair, cursor, "Trades"), since=since, count=count, asset_class=asset_class)
        return self._rows(request, rows.trades, cursor, lane, until=until)

    def iter_ohlc(
        self,
        pair: PairName | None = None,
        *,
        interval: CandleInterval | None = None,
        since: WholeMoment | None = None,
        asset_class: TokenizedClass | None = None,
        closed_only: bool = False,
        cursor: str | None = None,
        lane: LaneName | None = None,
    ) -> Rows[CandleRow]:
        """Iterate over candles of a pair, oldest first: only the newest 720, whatever `since` says.

        The last candle is still running, so its `closed` is False, and a cursor taken after it starts with it again.
        With `closed_only` it is left out.
        """
        if not isinstance(closed_only, bool):
            raise InvalidType(f"closed_only must be True or False, not {type(closed_only).__name__}")
        request = OHLC(pair=_pair(pair, cursor, "OHLC"), interval=interval, since=since, asset_class=asset_class)
        return self._rows(request, rows.closed_candles if closed_only else rows.candles, cursor, lane)

    def _rows(
        self,
        request: Request[R],
        read: Callable[[R, Cursor], Reading[Any]],
        cursor: str | None,
        lane: LaneName | None,
        *,
        until: Moment | None = None,
    ) -> Rows[Any]:
        """Make the iterator, from the start or from a cursor."""
        given = request.params()
        end = None if until is None else _moment(until)
        name = request.spec.name
        if cursor is None:
            start = Cursor(endpoint=name, params=given, until=end)
        else:
            start = Cursor.parse(cursor, name)
            other = [key for key, value in given.items() if key != "end" and start.params.get(key) != value]
            if other or end not in {None, start.until}:
                raise InvalidArguments(
                    f"the cursor was made with other values of {', '.join(other) or 'until'}",
                    endpoint=name,
                    hint="leave the filters out, the cursor contains them",
                )
            _check(type(request), start)
        client = self if lane is None else self.with_options(lane=lane)
        return Rows(client, self._server_clock, type(request), read, start)


def _pair(pair: str | None, cursor: str | None, endpoint: str) -> str:
    """Return the pair, if necessary from the cursor."""
    if pair is not None:
        return pair
    if cursor is None:
        raise InvalidArguments("pair is missing", hint="name one, like 'XBTUSD'; only a cursor knows its own")
    known: str = Cursor.parse(cursor, endpoint).params.get("pair", "")
    return known


def _moment(until: datetime | Decimal | float | str) -> Decimal:
    """Read a moment as every parameter of that kind is read; an id is not accepted here."""
    try:
        return Decimal(Instant().wire("until", until))
    except InvalidOperation:
        raise InvalidArguments(
            f"until={quoted(until)} is not a point in time", hint="unix seconds or an aware datetime"
        ) from None


def _check(request: type[Request[Any]], cursor: Cursor) -> None:
    """Refuse a cursor that was written by hand, or by another version, before anything is sent."""
    try:
        request(**cursor.params).params()
    except TypeError:
        raise InvalidArguments("the cursor cannot be read", hint="pass what `.cursor` gave, unchanged") from None

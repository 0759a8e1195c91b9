"""The iterator over rows, page after page, and row types that include the id which keys each row at Kraken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Generic, Self, TypeAlias, TypeVar

import anyio
import msgspec

from krakenasync.client.frames import at_any_time
from krakenasync.client.lookup import Sender
from krakenasync.client.serverclock import ServerClock
from krakenasync.protocol import paging
from krakenasync.protocol.exact import EXACT
from krakenasync.protocol.paging import PAGING, Cursor, Page
from krakenasync.protocol.requests import Request
from krakenasync.spot.deposits import Deposit, DepositsPage
from krakenasync.spot.history import LedgerEntry, LedgersPage, Trade, TradesPage
from krakenasync.spot.orders import ClosedOrdersPage, OrderInfo
from krakenasync.spot.trades import Candle, CandleTable, PublicTrade, TradeTable
from krakenasync.spot.values import EPOCH
from krakenasync.spot.withdrawals import Withdrawal, WithdrawalsPage

__all__ = ["CandleRow", "ClosedOrder", "LedgerRow", "Reading", "Rows", "TradeRow"]

T = TypeVar("T")

Reading: TypeAlias = tuple[Sequence[T], Page]
"""A page's rows, and what the cursor needs to know of them."""


class LedgerRow(LedgerEntry, frozen=True, kw_only=True):
    """A movement on the account, with its id."""

    id: str


class TradeRow(Trade, frozen=True, kw_only=True):
    """One of the account's trades, with its id."""

    id: str


class ClosedOrder(OrderInfo, frozen=True, kw_only=True):
    """A closed order, with its id."""

    id: str


class CandleRow(Candle, frozen=True, array_like=True, gc=False):
    """A candle, and whether its interval is over."""

    closed: bool

    @classmethod
    def of(cls, candle: Candle, *, closed: bool) -> CandleRow:
        """Add whether the candle is closed, which its place in the answer shows."""
        each = candle
        return cls(
            each.time, each.open, each.high, each.low, each.close, each.vwap, each.volume, each.count, closed=closed
        )


def _identified(kind: Callable[..., T], entries: Mapping[str, msgspec.Struct], count: int | None) -> Reading[T]:
    """Add to each row its id, which is its key in the answer."""
    rows = [kind(id=key, **_fields(entry)) for key, entry in entries.items()]
    return rows, Page(list(entries), count=count)


def _fields(entry: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__}


def ledgers(result: LedgersPage, _cursor: Cursor) -> Reading[LedgerRow]:
    """Read a page of Ledgers."""
    return _identified(LedgerRow, result.ledger, result.count)


def trades_history(result: TradesPage, _cursor: Cursor) -> Reading[TradeRow]:
    """Read a page of TradesHistory."""
    return _identified(TradeRow, result.trades, result.count)


def closed_orders(result: ClosedOrdersPage, _cursor: Cursor) -> Reading[ClosedOrder]:
    """Read a page of ClosedOrders."""
    return _identified(ClosedOrder, result.closed, result.count)


def deposits(result: DepositsPage, _cursor: Cursor) -> Reading[Deposit]:
    """Read a page of DepositStatus."""
    return result.deposits, Page([row.refid for row in result.deposits], result.next_cursor)


def withdrawals(result: WithdrawalsPage, _cursor: Cursor) -> Reading[Withdrawal]:
    """Read a page of WithdrawStatus."""
    return result.withdrawals, Page([row.refid for row in result.withdrawals], result.next_cursor)


def trades(result: TradeTable, cursor: Cursor) -> Reading[PublicTrade]:
    """Read a page of Trades; leave out trades after the iteration's end, and end it there."""
    last = EPOCH + timedelta(microseconds=int(EXACT.scaleb(cursor.until or Decimal(0), 6)))
    rows = [trade for trade in result.trades if trade.time <= last]
    onward = result.last if len(rows) == len(result.trades) else None
    return rows, Page([_trade_mark(trade) for trade in rows], onward)


def _trade_mark(trade: PublicTrade) -> str:
    """Identify a trade; in old answers it has no number."""
    return str(trade.trade_id or f"{trade.time.isoformat()} {trade.price} {trade.volume} {trade.side}")


def candles(result: CandleTable, _cursor: Cursor) -> Reading[CandleRow]:
    """Read the candles; only the last one is still running."""
    rows = [CandleRow.of(candle, closed=candle is not result.candles[-1]) for candle in result.candles]
    return rows, Page([row.time.isoformat() for row in rows], result.last, unfinished=True)


def closed_candles(result: CandleTable, cursor: Cursor) -> Reading[CandleRow]:
    """Read the candles without the one that is still running."""
    rows = [row for row in candles(result, cursor)[0] if row.closed]
    return rows, Page([row.time.isoformat() for row in rows], result.last)


class Rows(Generic[T]):
    """An async iterator over the rows of all pages. Nothing is sent before the first row is asked for.

    If the call for a page fails, the iterator stays where it was: the next ``anext`` tries again. Several tasks may
    share one: each row goes to one of them, and `cursor` may be past rows that others still work on.
    """

    def __init__(
        self,
        client: Sender,
        clock: ServerClock,
        request: type[Request[Any]],
        read: Callable[[Any, Cursor], Reading[T]],
        start: Cursor,
    ) -> None:
        self._client = client
        self._clock = clock
        self._request = request
        self._read = read
        self._paging = PAGING[request.spec.name]
        self._stands = start  # after the row handed out last
        self._following: Cursor | None = start  # of the next request; None: there are no more pages
        self._at = start  # of the page below
        self._page = Page(())
        self._rows: Sequence[T] = ()
        self._next = 0
        self._turning = anyio.Lock(fast_acquire=True)

    @property
    def cursor(self) -> str:
        """The position: a text to store, which continues after the row handed out last."""
        return self._stands.text()

    @property
    def count(self) -> int | None:
        """How many rows there are in all; None before the first row, and where Kraken does not say."""
        return self._page.count if self._stands.count is None else self._stands.count

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while self._next >= len(self._rows):
            if self._following is None:
                raise StopAsyncIteration
            async with self._turning:
                if self._next >= len(self._rows) and self._following is not None:  # else another task has got the page
                    await self._turn(self._following)
        index = self._next
        self._next += 1
        self._stands = paging.behind(self._paging, self._at, self._page, index)
        return self._rows[index]

    async def _turn(self, cursor: Cursor) -> None:
        """Get the next page."""
        if cursor.page is None:
            cursor = paging.begin(self._paging, cursor, await self._now())
        answer = await self._client.send(self._request(**paging.parameters(self._paging, cursor)))
        rows, page = self._read(answer.result, cursor)
        following = paging.following(self._paging, cursor, page)
        new = paging.first_new(cursor, page)
        self._at, self._page, self._following = cursor, page, following
        self._rows, self._next = rows, len(rows) if new is None else new

    async def _now(self) -> int:
        """Return the time by Kraken's clock, if the end is pinned by it."""
        if not self._paging.pinned:
            return 0
        await self._clock.refresh(self._client)
        return self._clock.at_least()

    @at_any_time
    def __repr__(self) -> str:
        return f"<Rows of {self._request.spec.name}, {self.cursor}>"

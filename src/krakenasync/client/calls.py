"""The table of calls: one row an endpoint. What a call takes and gives is said by its request type alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Literal, ParamSpec, Protocol, Self, TypeVar, overload

from krakenasync.protocol.requests import Request
from krakenasync.protocol.wire import Answer
from krakenasync.spot import account, books, changes, market, orders, trading, websockets
from krakenasync.spot.trades import OHLC, Spread, Trades
from krakenasync.spot.values import PriceClass

__all__ = ["Calls", "Row"]

P = ParamSpec("P")
R = TypeVar("R")


class Sender(Protocol):
    """Whatever can make a call."""

    async def send(self, request: Request[R]) -> Answer[R]:
        """Make a call and return its result with what came beside it."""
        ...


class Row(Generic[P, R]):
    """One row of the table: ``depth = Row(books.Depth)`` makes ``await kraken.depth("XBTUSD", count=10)``.

    The method takes what the request type takes and returns its result; a type checker sees both.
    """

    def __init__(self, request: Callable[P, Request[R]]) -> None:
        self.request = request
        self.__doc__ = request.__doc__

    @overload
    def __get__(self, client: None, owner: type[object]) -> Self: ...

    @overload
    def __get__(self, client: Sender, owner: type[object]) -> Callable[P, Coroutine[Any, Any, R]]: ...

    def __get__(self, client: Sender | None, owner: type[object]) -> Self | Callable[P, Coroutine[Any, Any, R]]:
        """Bind the row to a client."""
        if client is None:
            return self
        return functools.partial(self._call, client)

    async def _call(self, client: Sender, *args: P.args, **kwargs: P.kwargs) -> R:
        return (await client.send(self.request(*args, **kwargs))).result


class Calls:
    """Every endpoint as a method under its snake-case name, its parameters under Kraken's own."""

    async def send(self, request: Request[R]) -> Answer[R]:
        """Make a call and return its result with what came beside it."""
        raise NotImplementedError

    # Market data
    server_time = Row(market.Time)
    system_status = Row(market.SystemStatus)
    assets = Row(market.Assets)
    asset_pairs = Row(market.AssetPairs)
    ohlc = Row(OHLC)
    depth = Row(books.Depth)
    grouped_book = Row(books.GroupedBook)
    trades = Row(Trades)
    spread = Row(Spread)
    level3 = Row(books.Level3)

    async def ticker(
        self,
        *pair: str,
        asset_class: PriceClass | None = None,
        assetVersion: Literal[1] | None = None,  # noqa: N803 - Kraken's spelling
    ) -> dict[str, market.TickerInfo]:
        """Prices of the named pairs, or of every pair, by pair id."""
        request = market.Ticker(pair=pair or None, asset_class=asset_class, assetVersion=assetVersion)
        return (await self.send(request)).result

    # Account data
    balance = Row(account.Balance)
    balance_ex = Row(account.BalanceEx)
    credit_lines = Row(account.CreditLines)
    trade_balance = Row(account.TradeBalance)
    open_orders = Row(orders.OpenOrders)
    closed_orders = Row(orders.ClosedOrders)
    query_orders = Row(orders.QueryOrders)
    order_amends = Row(orders.OrderAmends)
    get_api_key_info = Row(account.GetApiKeyInfo)

    # Trading
    add_order = Row(trading.AddOrder)
    add_order_batch = Row(trading.AddOrderBatch)
    amend_order = Row(changes.AmendOrder)
    edit_order = Row(changes.EditOrder)
    cancel_order = Row(changes.CancelOrder)
    cancel_all = Row(changes.CancelAll)
    cancel_all_orders_after = Row(changes.CancelAllOrdersAfter)
    cancel_order_batch = Row(changes.CancelOrderBatch)

    # WebSocket
    get_websockets_token = Row(websockets.GetWebSocketsToken)

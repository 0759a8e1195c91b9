"""Looking orders up.

Source: https://docs.kraken.com/api/docs/category/rest-api/account-data
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from krakenasync.protocol.bounds import ORDER_IDS
from krakenasync.protocol.clordid import fold_id
from krakenasync.protocol.paging import PAGING
from krakenasync.sandbox.arguments import Arguments, as_number
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.endpoints.history import consolidates
from krakenasync.sandbox.endpoints.ordering import read_client_id, read_userref
from krakenasync.sandbox.fills import consolidated
from krakenasync.sandbox.orders import Order
from krakenasync.sandbox.paging import moment
from krakenasync.sandbox.refusals import INVALID_ORDER, PERMISSION_DENIED, Refusal, invalid
from krakenasync.spot.values import CloseTime, words

__all__ = ["HANDLERS"]

PAGE: Final = PAGING["ClosedOrders"].rows


def open_orders(context: Context) -> dict[str, Any]:
    """List the orders that rest, newest first."""
    lag = round(context.world.config.open_order_lag * NANOS)
    wanted = _wanted(context.arguments)
    return {
        "open": {
            order.txid: _row(context.arguments, order)
            for order in reversed(context.account.open.values())
            if wanted(order) and order.opened + lag <= context.now
        }
    }


def closed_orders(context: Context) -> dict[str, Any]:
    """List a page of the orders that are done, newest first."""
    arguments = context.arguments
    closetime = arguments.word("closetime", words(CloseTime), "both")
    start, end = _bound(context, "start"), _bound(context, "end")
    wanted = _wanted(arguments)
    offset = arguments.whole("ofs", 0, 0, 2**31 - 1)
    lag = round(context.world.config.open_order_lag * NANOS)
    done = [
        order
        for order in reversed(context.account.orders.values())
        if order.closed and order.closed + lag <= context.now
        if wanted(order) and _within(order, closetime, start, end)
    ]
    # The sort is stable: of several orders with the same time the newest comes first as well.
    done.sort(key=lambda order: -(order.opened if closetime == "open" else order.closed))
    page: dict[str, Any] = {
        "closed": {order.txid: _row(context.arguments, order) for order in done[offset : offset + PAGE]},
    }
    if not arguments.flag("without_count"):
        page["count"] = len(done)
    return page


def query_orders(context: Context) -> dict[str, Any]:
    """Show orders by id; open and closed ones need different permissions."""
    names = context.arguments.names("txid")
    if not 0 < len(names) <= ORDER_IDS:
        raise invalid("txid")
    wanted = _wanted(context.arguments)
    found: dict[str, Any] = {}
    for txid in names:
        order = context.account.orders.get(txid)
        if order is None:
            raise Refusal(INVALID_ORDER)
        if ("query-closed-trades" if order.closed else "query-open-trades") not in context.key.permissions:
            raise Refusal(PERMISSION_DENIED)
        if wanted(order):
            found[txid] = _row(context.arguments, order)
    return found


def _row(arguments: Arguments, order: Order) -> dict[str, Any]:
    if not arguments.flag("trades"):
        return order.row()
    return order.row(consolidated(order.fills) if consolidates(arguments) else [[fill] for fill in order.fills])


def _wanted(arguments: Arguments) -> Callable[[Order], bool]:
    """Read the filters by user reference and client id, and return a test whether an order passes them.

    Raises:
        Refusal: A filter is malformed, even if there is no order to compare it with.
    """
    userref, client_id = read_userref(arguments), read_client_id(arguments)

    def passes(order: Order) -> bool:
        if userref not in (None, order.userref):
            return False
        own = order.cl_ord_id
        return client_id is None or (own is not None and fold_id(own) == fold_id(client_id))

    return passes


def _bound(context: Context, name: str) -> Decimal | None:
    """Read a bound as unix seconds; an order's id stands for its opening time."""
    if not context.arguments.given(name):
        return None
    text = context.arguments.text(name)
    order = context.account.orders.get(text)
    return moment(order.opened) if order is not None else as_number(name, text)


def _within(order: Order, closetime: str, start: Decimal | None, end: Decimal | None) -> bool:
    """Whether one of the order's times is after `start` and not after `end`."""
    times = {"open": (order.opened,), "close": (order.closed,), "both": (order.opened, order.closed)}[closetime]
    return any((start is None or moment(at) > start) and (end is None or moment(at) <= end) for at in times)


HANDLERS: Final[Mapping[str, Handler]] = {
    "OpenOrders": open_orders,
    "ClosedOrders": closed_orders,
    "QueryOrders": query_orders,
}

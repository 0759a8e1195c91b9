"""Placing and cancelling orders.

Source: https://docs.kraken.com/api/docs/category/rest-api/trading
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.endpoints.ordering import check_deadline, describe, read_order
from krakenasync.sandbox.listings import find_pair
from krakenasync.sandbox.orders import NANOS, Order
from krakenasync.sandbox.refusals import DEADLINE_ELAPSED, INVALID_ORDER, UNKNOWN_ORDER, Refusal, invalid

__all__ = ["HANDLERS"]

USERREF: Final = re.compile(r"-?[0-9]{1,10}")
"""A user reference travels in the place of an order id, which never is a number."""


def add_order(context: Context) -> dict[str, Any]:
    """Place an order, or only check it."""
    pair = find_pair(context.arguments.text("pair"))
    context.world.limits.charge_engine(context.account, pair.name, context.engine_cost())
    deadline = check_deadline(context)
    last = context.world.market.price(pair, context.world.market.beat(context.now))
    order = read_order(context.arguments, pair, last, context.now)
    if _only_validate(context):
        return {"descr": describe(order)}
    if deadline is not None and context.now > deadline:
        raise Refusal(DEADLINE_ELAPSED)
    placed = context.world.exchange.place(context.account, order)
    return {"txid": [placed.txid], "descr": describe(placed)}


def cancel_order(context: Context) -> dict[str, Any]:
    """Cancel one order, or all that bear a user reference."""
    orders = _named(context)
    costs: defaultdict[str, float] = defaultdict(float)
    for order in orders:
        costs[order.pair.name] += context.engine_cost((context.now - order.touched) / NANOS)
    for pair, cost in costs.items():
        context.world.limits.charge_engine(context.account, pair, cost)
    return {"count": context.world.exchange.cancel(context.account, orders)}


def cancel_all(context: Context) -> dict[str, Any]:
    """Cancel every order of the account; each pair it has orders on is charged once."""
    orders = list(context.account.open.values())
    for pair in {order.pair.name for order in orders}:
        context.world.limits.charge_engine(context.account, pair, context.engine_cost())
    return {"count": context.world.exchange.cancel(context.account, orders)}


def _only_validate(context: Context) -> bool:
    """Whether the order is only to be checked; some accounts report that ``validate=false`` does that as well."""
    if context.world.config.presence_validates:
        return context.arguments.given("validate")
    return context.arguments.flag("validate")


def _named(context: Context) -> list[Order]:
    """Find the open orders that a cancellation names.

    Raises:
        Refusal: There is none: it is done, or never was.
    """
    account, arguments = context.account, context.arguments
    if arguments.given("cl_ord_id"):
        order = context.world.exchange.find_client_id(account, arguments.text("cl_ord_id"))
        if order is None:
            raise Refusal(UNKNOWN_ORDER)
        return [order]
    if not arguments.given("txid"):
        raise invalid("txid")
    name = arguments.text("txid")
    if name in account.open:
        return [account.open[name]]
    if USERREF.fullmatch(name):
        found = [order for order in account.open.values() if order.userref == int(name)]
        if found:
            return found
        raise Refusal(UNKNOWN_ORDER)
    raise Refusal(UNKNOWN_ORDER if name in account.orders else INVALID_ORDER)


HANDLERS: Final[Mapping[str, Handler]] = {
    "AddOrder": add_order,
    "CancelOrder": cancel_order,
    "CancelAll": cancel_all,
}

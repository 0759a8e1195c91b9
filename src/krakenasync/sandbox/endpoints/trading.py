"""Placing orders, alone and in batches, and cancelling them.

Source: https://docs.kraken.com/api/docs/category/rest-api/trading
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from krakenasync.protocol.bounds import BATCH, CANCELLED_AT_ONCE, LONGEST_SWITCH
from krakenasync.protocol.charges import EngineAction, engine_points
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.clocks import NANOS, timestamp
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.endpoints.ordering import check_deadline, read_order
from krakenasync.sandbox.listings import Pair, find_pair
from krakenasync.sandbox.orders import Order
from krakenasync.sandbox.refusals import DEADLINE_ELAPSED, INVALID_ORDER, UNKNOWN_ORDER, Refusal, invalid

__all__ = ["HANDLERS", "check_in_time", "named_orders", "only_validate"]

USERREF: Final = re.compile(r"-?[0-9]{1,10}")
"""A user reference may take the place of an order id, which is never a number."""


def add_order(context: Context) -> dict[str, Any]:
    """Place an order, or only check it."""
    pair = find_pair(context.arguments.text("pair"))
    context.world.limits.charge_engine(context.account, pair.name, context.engine_cost())
    deadline = check_deadline(context)
    order = _read(context, context.arguments, pair)
    sentences = order.sentences()
    if only_validate(context):
        return {"descr": sentences}
    check_in_time(context, deadline)
    placed = context.world.exchange.place(context.account, order)
    return {"txid": [placed.txid], "descr": sentences}


def add_order_batch(context: Context) -> dict[str, Any]:
    """Place up to fifteen orders on a pair: an invalid one fails the whole batch, one without funds fails alone."""
    pair = find_pair(context.arguments.text("pair"))
    items = _groups(context.arguments, "orders")
    if not BATCH[0] <= len(items) <= BATCH[1]:
        raise invalid("orders")
    points = engine_points(EngineAction.ADD, orders=len(items), batch=True)
    context.world.limits.charge_engine(context.account, pair.name, points)
    deadline = check_deadline(context)
    orders = [_read(context, item, pair) for item in items]
    if only_validate(context):
        return {"orders": [{"descr": order.sentences()} for order in orders]}
    check_in_time(context, deadline)
    return {"orders": [_place_one(context, order) for order in orders]}


def cancel_order(context: Context) -> dict[str, Any]:
    """Cancel one order, or all that have a user reference."""
    orders = named_orders(context)
    for pair, cost in _costs(context, orders).items():
        context.world.limits.charge_engine(context.account, pair, cost)
    return {"count": context.world.exchange.cancel(context.account, orders)}


def cancel_order_batch(context: Context) -> dict[str, Any]:
    """Cancel up to fifty orders by any of their names; it goes through even when the counter is full.

    A form that repeats ``orders`` is refused: https://github.com/veox/python3-krakenex/issues/138
    """
    names = [_name(item) for item in context.arguments.rows("orders")]
    own_names = [_name(item) for item in context.arguments.rows("cl_ord_ids")]
    if not 0 < len(names) + len(own_names) <= CANCELLED_AT_ONCE:
        raise invalid("orders")
    orders: dict[str, Order] = {}
    # The orders may include client ids too: Kraken's own command line puts them there.
    lookups = [{"txid": name} for name in names] + [{"cl_ord_id": name} for name in (*names, *own_names)]
    for lookup in lookups:
        with contextlib.suppress(Refusal):
            orders.update((order.txid, order) for order in named_orders(context, Arguments(lookup)))
    for pair, cost in _costs(context, orders.values()).items():
        context.world.limits.charge_engine(context.account, pair, cost, certain=True)
    return {"count": context.world.exchange.cancel(context.account, orders.values())}


def cancel_all(context: Context) -> dict[str, Any]:
    """Cancel every order of the account; each pair it has orders on is charged once, even when its counter is full.

    No page states its price or whether it can be refused; Kraken's Rust SDK counts a point.
    """
    orders = list(context.account.open.values())
    for pair in {order.pair.name: None for order in orders}:
        context.world.limits.charge_engine(context.account, pair, context.engine_cost(), certain=True)
    return {"count": context.world.exchange.cancel(context.account, orders)}


def cancel_all_orders_after(context: Context) -> dict[str, Any]:
    """Set or reset the dead man's switch, or switch it off."""
    if not context.arguments.given("timeout"):
        raise invalid("timeout")
    timeout = context.arguments.whole("timeout", 0, 0, LONGEST_SWITCH)
    for pair in {order.pair.name: None for order in context.account.open.values()}:
        context.world.limits.charge_engine(context.account, pair, context.engine_cost(), certain=True)
    at = context.world.exchange.set_switch(context.account, timeout)
    return {"currentTime": timestamp(context.now), "triggerTime": timestamp(at) if at else "0"}


def only_validate(context: Context) -> bool:
    """Whether the order is only to be checked; some users report that ``validate=false`` does that as well."""
    if context.world.config.presence_validates:
        return context.arguments.given("validate")
    return context.arguments.flag("validate")


def check_in_time(context: Context, deadline: int | None) -> None:
    """Check that the deadline has not passed on the way.

    Raises:
        Refusal: The deadline has passed.
    """
    if deadline is not None and context.now > deadline:
        raise Refusal(DEADLINE_ELAPSED)


def named_orders(context: Context, arguments: Arguments | None = None, *, by_userref: bool = True) -> list[Order]:
    """Find the open orders that a call names by ``txid`` or ``cl_ord_id``.

    Args:
        context: The call.
        arguments: Those to look at, if not the call's own.
        by_userref: Whether a user reference may take the place of a txid.

    Raises:
        Refusal: There is no such open order: it is done, or never existed.
    """
    account, arguments = context.account, arguments or context.arguments
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
    if by_userref and USERREF.fullmatch(name):
        found = [order for order in account.open.values() if order.userref == int(name)]
        if found:
            return found
        raise Refusal(UNKNOWN_ORDER)
    raise Refusal(UNKNOWN_ORDER if name in account.orders else INVALID_ORDER)


def _read(context: Context, arguments: Arguments, pair: Pair) -> Order:
    return read_order(arguments, pair, context.world.exchange.pit(pair).last, context.now)


def _place_one(context: Context, order: Order) -> dict[str, Any]:
    """Place one order of a batch; a refusal concerns it alone."""
    sentences = order.sentences()
    try:
        placed = context.world.exchange.place(context.account, order)
    except Refusal as refusal:
        return {"descr": sentences, "error": refusal.code}
    return {"txid": placed.txid, "descr": sentences}


def _groups(arguments: Arguments, name: str) -> list[Arguments]:
    """Read a list of nested groups."""
    items = arguments.items(name)
    if not all(isinstance(item, Mapping) for item in items):
        raise invalid(name)
    return [Arguments(item) for item in items]


def _name(item: Any) -> str:
    """Read a name of an order in a list: text, a number, or an object around one, as in Kraken's reference."""
    if isinstance(item, Mapping):
        item = next(iter(item.values()), "")
    return str(item)


def _costs(context: Context, orders: Iterable[Order]) -> dict[str, float]:
    """Add up, by pair, what cancelling orders costs; young ones cost more."""
    costs: defaultdict[str, float] = defaultdict(float)
    for order in orders:
        costs[order.pair.name] += context.engine_cost((context.now - order.touched) / NANOS)
    return costs


HANDLERS: Final[Mapping[str, Handler]] = {
    "AddOrder": add_order,
    "AddOrderBatch": add_order_batch,
    "CancelOrder": cancel_order,
    "CancelOrderBatch": cancel_order_batch,
    "CancelAll": cancel_all,
    "CancelAllOrdersAfter": cancel_all_orders_after,
}

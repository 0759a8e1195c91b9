"""Changing orders: in place, or by replacing them; and the history of such changes.

Sources: https://docs.kraken.com/api/docs/rest-api/amend-order, https://docs.kraken.com/api/docs/rest-api/edit-order,
https://docs.kraken.com/api/docs/rest-api/get-order-amends
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from math import inf
from typing import Any, Final

import msgspec

from krakenasync.protocol.charges import EngineAction, engine_points
from krakenasync.protocol.kinds import LIMITED, TRIGGERED
from krakenasync.sandbox.amending import Change, amend, versions
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.endpoints.ordering import (
    check_deadline,
    check_display,
    check_minimums,
    read_userref,
    read_volume,
)
from krakenasync.sandbox.endpoints.trading import check_in_time, named_orders, only_validate
from krakenasync.sandbox.fills import Amendment
from krakenasync.sandbox.listings import find_pair
from krakenasync.sandbox.orders import Order, Trail
from krakenasync.sandbox.prices import read_price, read_terms, read_trail, with_limit
from krakenasync.sandbox.refusals import (
    INVALID_ORDER,
    ORDER_MINIMUM,
    PERMISSION_DENIED,
    UNKNOWN_ORDER,
    Refusal,
    invalid,
)

__all__ = ["HANDLERS"]

ZERO: Final = Decimal(0)
NANOS_IN_MILLI: Final = 10**6


def amend_order(context: Context) -> dict[str, Any]:
    """Change an order in place."""
    (order,) = named_orders(context, by_userref=False)
    with _charged_all_the_same(context, order):
        deadline = check_deadline(context)
        change = _read_change(context, order)
    age = (context.now - order.touched) / NANOS
    cancels = change.volume is not None and change.volume <= order.filled
    # Source: https://docs.kraken.com/api/docs/guides/spot-amends
    points = engine_points(EngineAction.CANCEL, age) if cancels else context.engine_cost(age)
    context.world.limits.charge_engine(context.account, order.pair.name, points)
    check_in_time(context, deadline)
    return {"amend_id": amend(context.world.exchange, context.account, order, change)}


def edit_order(context: Context) -> dict[str, Any]:
    """Cancel an order and place a changed one instead, with an id of its own."""
    (order, *others) = named_orders(context)
    with _charged_all_the_same(context, order):
        deadline = check_deadline(context)
        _check_editable(context, order, others)
        changed = _edited(context, order)
    age = (context.now - order.touched) / NANOS
    context.world.limits.charge_engine(context.account, order.pair.name, context.engine_cost(age))
    price, price2 = changed.price_texts()
    answer: dict[str, Any] = {
        "status": "ok",
        "originaltxid": order.txid,
        "volume": f"{changed.volume:.8f}",
        "price": price,
        "price2": price2,
        "orders_cancelled": 1,
        "descr": changed.sentences(),
    }
    if changed.userref is not None:
        answer["newuserref"] = str(changed.userref)
    if order.userref is not None:
        answer["olduserref"] = str(order.userref)
    if only_validate(context):
        return {**answer, "orders_cancelled": 0}
    check_in_time(context, deadline)
    placed = context.world.exchange.place(context.account, changed, instead_of=order)
    return {**answer, "txid": placed.txid}


def order_amends(context: Context) -> dict[str, Any]:
    """List the versions of an order, the original first."""
    order = context.account.orders.get(context.arguments.text("order_id"))
    if order is None:
        raise Refusal(INVALID_ORDER)
    if ("query-closed-trades" if order.closed else "query-open-trades") not in context.key.permissions:
        raise Refusal(PERMISSION_DENIED)
    rows = [_row(order, version) for version in versions(order)]
    return {"count": len(rows), "amends": rows}


def _read_change(context: Context, order: Order) -> Change:
    """Read the requested changes to an order.

    Raises:
        Refusal: No change was asked for, or it is not possible for this kind of order.
    """
    arguments, pair = context.arguments, order.pair
    last = context.world.exchange.pit(pair).last
    names = ("order_qty", "display_qty", "limit_price", "trigger_price", "post_only")
    if not any(arguments.given(name) for name in names):
        raise invalid("order_qty")
    if order.close is not None:
        raise invalid("order with conditional close")
    if arguments.given("pair") and find_pair(arguments.text("pair")) is not pair:
        raise invalid("pair")
    volume = read_volume(arguments, "order_qty", pair) if arguments.given("order_qty") else None
    display = read_volume(arguments, "display_qty", pair) if arguments.given("display_qty") else None
    left = (volume or order.volume) - order.filled
    if (display is not None and order.kind != "iceberg") or (volume is not None and volume <= 0):
        raise invalid("display_qty" if display is not None else "order_qty")
    if volume is not None and order.filled < volume < Decimal(pair.ordermin):
        raise Refusal(ORDER_MINIMUM)
    if display is not None and left > 0:
        check_display(min(display, left), left, "display_qty")
    change = Change(volume=volume, display=display, post_only=arguments.flag("post_only"))
    if order.trail is not None:
        return msgspec.structs.replace(change, trail=_read_trail(context, order, order.trail, last))
    limit, trigger = (_read_price(context, order, name, last) for name in ("limit_price", "trigger_price"))
    return msgspec.structs.replace(change, limit=limit, trigger=trigger)


def _read_trail(context: Context, order: Order, trail: Trail, last: Decimal) -> Trail:
    """Read the new distances of a trailing order; those that are not given stay as they are."""
    arguments, pair = context.arguments, order.pair
    if arguments.given("trigger_price"):
        new = read_trail("trigger_price", arguments.text("trigger_price"), pair, last)
        trail = msgspec.structs.replace(trail, offset=new.offset, percent=new.percent)
    if not arguments.given("limit_price"):
        return trail
    if trail.limit_offset is None:
        raise invalid("limit_price")
    return with_limit(trail, "limit_price", arguments.text("limit_price"), pair)


def _read_price(context: Context, order: Order, name: str, last: Decimal) -> Decimal | None:
    """Read a new price, if one is given and the order has such a price to change."""
    if not context.arguments.given(name):
        return None
    fits = order.limit is not None if name == "limit_price" else order.waits
    if not fits:
        raise invalid(name)
    return read_price(name, context.arguments.text(name), order.pair, last, order.kind, buy=order.buy)


@contextmanager
def _charged_all_the_same(context: Context, order: Order) -> Iterator[None]:
    """Charge the fixed part of the cost even if a change is refused before it is tried.

    Source: https://docs.kraken.com/exchange/guides/general/ratelimits
    """
    try:
        yield
    except Refusal:
        context.world.limits.charge_engine(context.account, order.pair.name, context.engine_cost(inf))
        raise


def _check_editable(context: Context, order: Order, others: Sequence[Order]) -> None:
    """Refuse an order that cannot be edited.

    Raises:
        Refusal: Several orders have the user reference, or the order cannot be edited.
    """
    if others:
        raise invalid("txid")
    if find_pair(context.arguments.text("pair")) is not order.pair:
        raise invalid("pair")
    if order.cl_ord_id is not None:
        raise invalid("cl_ord_id")
    if order.close is not None:
        raise invalid("order with conditional close")
    if order.kind in TRIGGERED and order.triggered:
        raise Refusal(UNKNOWN_ORDER)


def _edited(context: Context, order: Order) -> Order:
    """Make the order that replaces another; what was filled stays with the old one."""
    arguments, pair = context.arguments, order.pair
    flags = [flag for flag in arguments.names("oflags") if flag in ("post", *order.oflags)]
    if len(flags) != len(arguments.names("oflags")) or ("post" in flags and order.kind not in LIMITED):
        raise invalid("oflags")
    volume = read_volume(arguments, "volume", pair) if arguments.given("volume") else order.worth or order.volume
    if volume <= order.filled:
        raise invalid("volume")
    last = context.world.exchange.pit(pair).last
    old = order.price_texts()
    texts = [arguments.text(name, text) for name, text in zip(("price", "price2"), old, strict=True)]
    terms = read_terms(order.kind, texts[0], texts[1], pair, last, buy=order.buy)
    changed = Order(
        txid="",
        pair=pair,
        buy=order.buy,
        kind=order.kind,
        volume=volume - order.filled,
        price=terms.price,
        price2=terms.price2,
        trail=terms.trail,
        opened=context.now,
        touched=context.now,
        expires=order.expires,
        starts=order.starts,
        userref=read_userref(arguments),
        oflags=(*(flag for flag in order.oflags if flag != "post"), *(["post"] if "post" in flags else [])),
        time_in_force=order.time_in_force,
        trigger=order.trigger,
        display=order.display,
        stp=order.stp,
        replaced=order.txid,
    )
    check_minimums(changed, last)
    if order.display is not None:
        changed.display = read_volume(arguments, "displayvol", pair) if arguments.given("displayvol") else order.display
        changed.display = min(changed.display, changed.volume)
        check_display(changed.display, changed.volume)
    return changed


def _row(order: Order, version: Amendment) -> dict[str, Any]:
    pair = order.pair
    row: dict[str, Any] = {
        "amend_id": version.amend_id,
        "amend_type": version.kind,
        "order_qty": f"{version.volume:.8f}",
        "remaining_qty": f"{version.left:.8f}",
        "post_only": version.post_only,
        "timestamp": version.at // NANOS_IN_MILLI,  # as clients have seen it; the page shows nanoseconds
    }
    optional = {
        "display_qty": f"{version.display:.8f}" if version.display is not None else None,
        "limit_price": pair.price_text(version.limit) if version.limit is not None else None,
        "trigger_price": pair.price_text(version.trigger) if version.trigger is not None else None,
        "reason": version.reason,
    }
    return {**row, **{name: value for name, value in optional.items() if value is not None}}


HANDLERS: Final[Mapping[str, Handler]] = {
    "AmendOrder": amend_order,
    "EditOrder": edit_order,
    "OrderAmends": order_amends,
}

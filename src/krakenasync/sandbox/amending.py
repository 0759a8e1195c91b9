"""Changing an order in place.

It keeps its place in the queue if only its quantity falls; otherwise it goes to the end of the queue at its price.

Sources: https://docs.kraken.com/api/docs/guides/spot-amends, https://docs.kraken.com/api/docs/rest-api/amend-order
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from krakenasync.protocol.kinds import TRIGGERED
from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.clearing import reservation
from krakenasync.sandbox.exchange import Exchange
from krakenasync.sandbox.fills import Amendment
from krakenasync.sandbox.orders import Order, Trail
from krakenasync.sandbox.refusals import INSUFFICIENT_FUNDS, POST_ONLY, Refusal
from krakenasync.sandbox.triggers import place_trail

__all__ = ["Change", "amend", "versions"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What an order is to become; None leaves things as they are."""

    volume: Decimal | None = None
    limit: Decimal | None = None
    trigger: Decimal | None = None
    trail: Trail | None = None
    display: Decimal | None = None
    post_only: bool = False


def amend(exchange: Exchange, account: Account, order: Order, change: Change) -> str:
    """Change an open order; if its new volume is no more than what has filled, cancel it.

    Returns:
        The id of the change.

    Raises:
        Refusal: The account lacks the funds, or the order would take liquidity and must not.
    """
    now = exchange.now()
    changed = _changed(order, change)
    if changed.left > 0:
        _check(exchange, account, changed, post_only=order.post_only or change.post_only)
    if not order.amends:
        order.amends.append(_version(order, f"T{order.txid[1:]}", order.opened, reason="Order placed"))
    order.amends.append(_version(changed, exchange.new_id("T"), now, post_only=change.post_only))
    if changed.left > 0:
        _carry_out(exchange, order, changed, now)
    else:
        exchange.cancel(account, [order])
    return order.amends[-1].amend_id


def versions(order: Order) -> list[Amendment]:
    """List the original order and all its changes."""
    return order.amends or [_version(order, f"T{order.txid[1:]}", order.opened, reason="Order placed")]


def _changed(order: Order, change: Change) -> Order:
    """Return a copy of an order as it would be after a change."""
    changed = msgspec.structs.replace(order)
    if change.trail is not None:
        changed.trail = change.trail
        place_trail(changed)
    if change.volume is not None:
        changed.volume, changed.worth = change.volume, None  # an amend's is in base
        changed.oflags = tuple(flag for flag in changed.oflags if flag != "viqc")
    if change.display is not None:
        changed.display = change.display
    if change.trigger is not None:
        changed.price = change.trigger
    if change.limit is not None and order.kind.endswith("-limit"):
        changed.price2 = change.limit
    elif change.limit is not None:
        changed.price = change.limit
    price = changed.limit or changed.price
    if price is not None and changed.left > 0:
        changed.hold = reservation(changed, price)[1]
    return changed


def _check(exchange: Exchange, account: Account, changed: Order, *, post_only: bool) -> None:
    """Check what depends on the account and the market."""
    if post_only and not changed.waits and exchange.pit(changed.pair).crosses(changed):
        raise Refusal(POST_ONLY)
    held = account.open[changed.txid].hold
    if changed.hold > account.available(changed.hold_asset) + held:
        raise Refusal(INSUFFICIENT_FUNDS)


def _carry_out(exchange: Exchange, order: Order, changed: Order, now: int) -> None:
    """Apply the change to the order, and let it enter the market again if it loses its place."""
    pit = exchange.pit(order.pair)
    rests = order in pit.side(buy=order.buy)
    anew = rests and (changed.limit != order.limit or changed.volume > order.volume)
    if anew or (order.waits and changed.price != order.price):
        pit.discard(order)
    order.volume, order.display, order.hold = changed.volume, changed.display, changed.hold
    order.worth, order.oflags = changed.worth, changed.oflags
    retriggered = order.waits and order.status == "open" and changed.price != order.price
    order.price, order.price2, order.trail, order.touched = changed.price, changed.price2, changed.trail, now
    if anew or retriggered:
        exchange.enter(order, now)
    elif rests:
        order.shown = min(order.display or order.left, order.left)


def _version(order: Order, amend_id: str, at: int, *, reason: str | None = None, post_only: bool = False) -> Amendment:
    """Describe an order's current state."""
    return Amendment(
        amend_id=amend_id,
        kind="original" if reason else "user",
        at=at,
        volume=order.volume,
        left=order.volume if reason else max(order.left, Decimal(0)),
        limit=order.limit,
        trigger=order.price if order.kind in TRIGGERED else None,
        display=order.display,
        post_only=order.post_only or post_only,
        reason=reason,
    )

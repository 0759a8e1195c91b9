"""``krakenasync orders``: open ones, closed ones, single ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Final

from cyclopts import App, Parameter
from cyclopts.validators import Number

from krakenasync.cli.connection import ENVIRONMENT, Where, connect
from krakenasync.cli.moments import spoken, when
from krakenasync.cli.rendering import AS_TABLE, Output, Sheet, amount, show
from krakenasync.client.client import KrakenClient
from krakenasync.errors import UnknownOrder
from krakenasync.spot.orders import OrderInfo

__all__ = ["ORDERS", "by_name", "sheet_of"]

_TXID: Final = re.compile(r"[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{6}")
_COLUMNS: Final = (
    "id",
    "status",
    "order",
    "volume",
    "filled",
    "average price",
    "fee",
    "opened",
    "closed",
    "cl_ord_id",
    "reason",
)
_RIGHT: Final = frozenset({"volume", "filled", "average price", "fee"})

ORDERS: Final = App(name="orders", help="Show orders: open, closed, or single ones by id. Alone: the open ones.")


@ORDERS.default
@ORDERS.command(name="open")
async def open_orders(*, where: Where = ENVIRONMENT, output: Output = AS_TABLE) -> None:
    """Show the open orders.

    Args:
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    async with connect(where) as connection:
        found = await connection.client.open_orders()
    show(sheet_of(f"Open orders - {connection.source}", found.open), output)


@ORDERS.command
async def closed(
    *,
    count: Annotated[int, Parameter(validator=Number(gte=1))] = 50,
    start: Annotated[str | None, Parameter(alias="--since")] = None,
    end: str | None = None,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> None:
    """Show closed orders, newest first.

    Args:
        count: How many at most.
        start: Only those after this moment: 2026-01-31, 2026-01-31T12:00 or unix seconds.
        end: Only those up to this moment.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    found: dict[str, OrderInfo] = {}
    first, last = when("--start", start), when("--end", end)
    async with connect(where) as connection:
        async for order in connection.client.iter_closed_orders(start=first, end=last):
            found[order.id] = order
            if len(found) >= count:
                break
    show(sheet_of(f"Closed orders - {connection.source}", found), output)


@ORDERS.command(name="show")
async def show_orders(
    *order: Annotated[str, Parameter(required=True)], where: Where = ENVIRONMENT, output: Output = AS_TABLE
) -> None:
    """Show single orders, open or closed.

    Args:
        order: Kraken's id (OABCDE-FGHIJ-KLMNOP) or your cl_ord_id; several if you like.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    async with connect(where) as connection:
        found = await _find(connection.client, order)
    show(sheet_of(f"Orders - {connection.source}", found), output)


def by_name(order: str) -> dict[str, str]:
    """Return an order's id as a parameter: ``txid`` for Kraken's own, ``cl_ord_id`` for the caller's.

    >>> by_name("OABCDE-FGHIJ-KLMNOP"), by_name("my-order-7")
    ({'txid': 'OABCDE-FGHIJ-KLMNOP'}, {'cl_ord_id': 'my-order-7'})
    """
    return {"txid": order} if _TXID.fullmatch(order) else {"cl_ord_id": order}


async def _find(client: KrakenClient, orders: Iterable[str]) -> Mapping[str, OrderInfo]:
    """Look orders up by either kind of id.

    Raises:
        UnknownOrder: There is no order with one of the ids.
    """
    named = [by_name(order) for order in orders]
    found: dict[str, OrderInfo] = {}
    if txids := [each["txid"] for each in named if "txid" in each]:
        found.update(await client.query_orders(txids))
    for cl_ord_id in (each["cl_ord_id"] for each in named if "cl_ord_id" in each):
        opened = (await client.open_orders(cl_ord_id=cl_ord_id)).open
        hits = opened or (await client.closed_orders(cl_ord_id=cl_ord_id)).closed
        if not hits:
            raise UnknownOrder(f"there is no order with the cl_ord_id {cl_ord_id!r}", hint="krakenasync orders closed")
        found.update(hits)
    return found


def sheet_of(title: str, orders: Mapping[str, OrderInfo]) -> Sheet:
    """Lay orders out."""
    return Sheet(f"{title} ({len(orders)})", _COLUMNS, [_row(*item) for item in orders.items()], _RIGHT, sparse=True)


def _row(txid: str, order: OrderInfo) -> tuple[str, ...]:
    return (
        txid,
        order.status,
        order.descr.order,
        amount(order.vol),
        amount(order.vol_exec),
        amount(order.price),
        amount(order.fee),
        spoken(order.opentm),
        spoken(order.closetm),
        order.cl_ord_id or "",
        order.reason or "",
    )

"""``krakenasync order``: buy, sell, amend, cancel. Each order is placed exactly once, whatever the network does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import anyio
from cyclopts import App, Parameter
from cyclopts.validators import Number

from krakenasync.cli.asking import agreed
from krakenasync.cli.connection import ENVIRONMENT, Connection, Where, connect, suggesting
from krakenasync.cli.exits import Exit, complain, exit_for
from krakenasync.cli.market import Pair
from krakenasync.cli.orders import by_name, sheet_of
from krakenasync.cli.rendering import AS_TABLE, Output, Sheet, remark, show
from krakenasync.cli.terms import AT_WILL, CAREFUL, Care, Signed, Terms
from krakenasync.client.orders import Intent, PlacedOrder, PlaceOrder
from krakenasync.errors import AuthenticationError, InvalidArguments, KrakenError
from krakenasync.protocol.requests import Request
from krakenasync.spot.changes import AmendOrder, CancelAll, CancelOrder
from krakenasync.spot.orders import OrderInfo
from krakenasync.spot.trading import AddOrder

__all__ = ["ORDER"]

ORDER = App(name="order", help="Place, change and cancel orders; a real one only after a question, or with --yes.")


_Seconds = Annotated[float, Parameter(validator=Number(gte=3, lte=58))]


@ORDER.command
async def buy(
    pair: Pair,
    volume: str,
    /,
    *,
    terms: Terms = AT_WILL,
    check: bool = False,
    deadline: _Seconds = 5.0,
    care: Care = CAREFUL,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> int:
    """Buy, exactly once.

    For instance: krakenasync order buy XBTUSD 0.01 --price 30000

    Args:
        pair: A pair by any of Kraken's names.
        volume: How much, in base currency (in quote currency with --flags viqc).
        terms: The other fields of the order.
        check: Have Kraken check the order without placing it.
        deadline: Seconds for which Kraken may accept the order, 3 to 58.
        care: What is done before.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    wanted = PlaceOrder(pair=pair, type="buy", volume=volume, deadline=deadline, **terms.named())
    return await _trade(wanted, care, where, output, check=check)


@ORDER.command
async def sell(
    pair: Pair,
    volume: str,
    /,
    *,
    terms: Terms = AT_WILL,
    check: bool = False,
    deadline: _Seconds = 5.0,
    care: Care = CAREFUL,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> int:
    """Sell, exactly once.

    For instance: krakenasync order sell XBTUSD 0.01 --price 90000

    Args:
        pair: A pair by any of Kraken's names.
        volume: How much, in base currency.
        terms: The other fields of the order.
        check: Have Kraken check the order without placing it.
        deadline: Seconds for which Kraken may accept the order, 3 to 58.
        care: What is done before.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    wanted = PlaceOrder(pair=pair, type="sell", volume=volume, deadline=deadline, **terms.named())
    return await _trade(wanted, care, where, output, check=check)


async def _trade(wanted: PlaceOrder, care: Care, where: Where, output: Output, *, check: bool) -> int:
    """Show, check or place an order."""
    if wanted.pair.replace(".", "", 1).isdecimal():
        hint = f"the pair comes first: krakenasync order {wanted.type} {wanted.volume} {wanted.pair}"
        raise InvalidArguments(f"{wanted.pair!r} is not a pair", hint=hint)
    order = wanted.order()
    if care.validate:
        return await _preview(order, where, output, deadline=f"{wanted.deadline:g} s after sending, server time")
    async with connect(where) as connection, suggesting(connection.client, wanted.pair):
        if check:
            return await _checked(order, connection, output)
        if not agreed(f"{_sentence(order)}?", connection.source, yes=care.yes):
            return Exit.INTERRUPTED
        placed = await _place(connection, wanted)
    columns = ("id", "cl_ord_id", "order", "note")
    note = "found at Kraken: its answer was lost" if placed.adopted else ""
    described = placed.description or (placed.order.descr.order if placed.order else "")
    row = (placed.txid, placed.cl_ord_id, described, note)
    show(Sheet(f"Order placed - {connection.source}", columns, [row], sparse=True), output)
    return Exit.OK


async def _place(connection: Connection, wanted: PlaceOrder) -> PlacedOrder:
    """Place an order; if stopped half-way, print that it may exist."""
    sent: list[Intent] = []
    fields = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    try:
        return await connection.client.place_order(**{**fields, "on_intent": sent.append})
    except anyio.get_cancelled_exc_class() as stopped:
        vars(stopped).pop("__notes__", None)  # they say the same in terms of Python
        for intent in sent:
            remark("interrupted: the order may exist nevertheless", style="bold red")
            remark(f"look with: krakenasync orders show {intent.cl_ord_id}", style="red")
        raise


async def _checked(order: AddOrder, connection: Connection, output: Output) -> int:
    """Let Kraken check an order."""
    fields = {name: getattr(order, name) for name in order.__struct_fields__} | {"validate": True}
    found = await connection.client.add_order(**fields)
    rows = [(found.descr.order, found.descr.close or "")]
    show(
        Sheet(f"Kraken would take it; not placed - {connection.source}", ("order", "close"), rows, sparse=True), output
    )
    return Exit.OK


@ORDER.command
async def amend(
    order: str,
    /,
    *,
    volume: str | None = None,
    price: Signed = None,
    trigger_price: Signed = None,
    display: str | None = None,
    post_only: bool = False,
    care: Care = CAREFUL,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> int:
    """Change an open order in place: it keeps its id.

    Args:
        order: Kraken's id (OABCDE-FGHIJ-KLMNOP) or your cl_ord_id.
        volume: The new volume, in base currency.
        price: The new limit.
        trigger_price: The new trigger.
        display: The new visible volume of an iceberg.
        post_only: Do not change it if the new price would trade at once.
        care: What is done before.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    changes = {"order_qty": volume, "limit_price": price, "trigger_price": trigger_price, "display_qty": display}
    if not any(changes.values()):
        raise InvalidArguments("nothing to change", hint="give --volume, --price, --trigger-price or --display")
    request = AmendOrder(**by_name(order), **changes, post_only=post_only or None)
    request.params()
    if care.validate:
        return await _preview(request, where, output)
    said = ", ".join(f"{name} {value}" for name, value in changes.items() if value)
    async with connect(where) as connection:
        if not agreed(f"change order {order} to {said}?", connection.source, yes=care.yes):
            return Exit.INTERRUPTED
        answer = await connection.client.send(request)
    rows = [(order, answer.result.amend_id, said)]
    show(Sheet(f"Order amended - {connection.source}", ("order", "amend id", "now"), rows), output)
    return Exit.OK


@ORDER.command
async def cancel(
    *order: Annotated[str, Parameter(required=True)],
    care: Care = CAREFUL,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> int:
    """Cancel orders, and see how each ended: it may have been filled first.

    Args:
        order: Kraken's ids (OABCDE-FGHIJ-KLMNOP) or your cl_ord_ids.
        care: What is done before; there is no question, since the orders are named.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    requests = [CancelOrder(**by_name(each)) for each in order]
    for request in requests:
        request.params()
    if care.validate:
        for request in requests:
            await _preview(request, where, output)
        return Exit.OK
    async with connect(where) as connection:
        ended, failures = await _cancelled(connection, order)
    if ended:
        show(sheet_of(f"Orders that ended - {connection.source}", ended), output)
    for name, failure in failures.items():
        if len(order) > 1:
            remark(f"{name}:")
        complain(failure)
    return max(map(exit_for, failures.values()), default=Exit.OK)


async def _cancelled(
    connection: Connection, order: Iterable[str]
) -> tuple[dict[str, OrderInfo], dict[str, KrakenError]]:
    """Cancel each order: one that cannot be cancelled must not keep the others in the market."""
    ended: dict[str, OrderInfo] = {}
    failures: dict[str, KrakenError] = {}
    for each in dict.fromkeys(order):
        try:
            ended[each] = await connection.client.ensure_cancelled(**by_name(each))
        except KrakenError as error:
            failures[each] = error
            if isinstance(error, AuthenticationError):
                break  # the key itself is wrong
    return ended, failures


@ORDER.command
async def cancel_all(*, care: Care = CAREFUL, where: Where = ENVIRONMENT, output: Output = AS_TABLE) -> int:
    """Cancel all orders of the account, on every pair.

    Args:
        care: What is done before.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    if care.validate:
        return await _preview(CancelAll(), where, output)
    async with connect(where) as connection:
        if not agreed("cancel all orders of the account?", connection.source, yes=care.yes):
            return Exit.INTERRUPTED
        answer = await connection.client.cancel_all()
    show(Sheet(f"All orders cancelled - {connection.source}", ("cancelled",), [(str(answer.count),)]), output)
    return Exit.OK


async def _preview(request: Request[Any], where: Where, output: Output, **late: str) -> int:
    """Show what would be sent; needs no key, and sends nothing."""
    async with connect(where, private=False) as connection:
        source = connection.source
    sent: Mapping[str, Any] = {"nonce": "made at the moment of sending", **request.params(), **late}
    rows = [(name, str(value)) for name, value in sent.items()]
    title = f"POST {request.spec.path}, not sent - {source}"
    show(Sheet(title, ("parameter", "value"), rows), output)
    return Exit.OK


def _sentence(order: AddOrder) -> str:
    """Write an order as a person would say it."""
    said = f"{order.type} {order.volume} {order.pair} {order.ordertype}"
    extra = ("price", "price2", "trigger", "displayvol", "oflags", "timeinforce", "starttm", "expiretm", "leverage")
    said += "".join(f" {name} {value}" for name in extra if (value := getattr(order, name)) is not None)
    said += " reduce_only" if order.reduce_only else ""
    # A user who typed -1 for a price should see how Kraken will read it.
    prices = {name: str(getattr(order, name)) for name in ("price", "price2")}
    relative = [name for name, price in prices.items() if price[0] in "+-#" or price[-1] == "%"]
    return said + (f" ({' and '.join(relative)} relative to the market)" if relative else "")

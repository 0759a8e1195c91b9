"""``krakenasync order``: buy, sell, amend, cancel. Each order is placed exactly once, whatever the network does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import anyio
from cyclopts import App, Parameter
from cyclopts.validators import Number

from krakenasync.cli.asking import agreed
from krakenasync.cli.connection import ENVIRONMENT, Connection, Where, connect, suggesting
from krakenasync.cli.exits import Exit
from krakenasync.cli.market import Pair
from krakenasync.cli.orders import by_name, sheet_of
from krakenasync.cli.rendering import AS_TABLE, Output, Sheet, remark, show
from krakenasync.client.orders import Intent, PlacedOrder, PlaceOrder
from krakenasync.errors import InvalidArguments
from krakenasync.protocol.requests import Request
from krakenasync.spot.changes import AmendOrder, CancelAll, CancelOrder
from krakenasync.spot.trading import AddOrder

__all__ = ["ORDER"]

ORDER = App(name="order", help="Place, change and cancel orders; a real one only after a question, or with --yes.")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Care:
    """What is done before, or instead of, the real thing."""

    validate: bool = False
    """Show what would be sent, and send nothing."""

    yes: Annotated[bool, Parameter(alias="-y")] = False
    """Do it without a question; needed where nobody can be asked."""


CAREFUL = Care()
Kind = Literal[
    "market",
    "limit",
    "iceberg",
    "stop-loss",
    "take-profit",
    "stop-loss-limit",
    "take-profit-limit",
    "trailing-stop",
    "trailing-stop-limit",
    "settle-position",
]
_Signed = Annotated[str | None, Parameter(allow_leading_hyphen=True)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Terms:
    """What an order may say besides pair and volume."""

    price: _Signed = None
    """The limit of a limit order, the trigger of the others; +5% and the like are relative."""

    type: Kind | None = None
    """The kind of order; with a price alone it is limit."""

    price2: _Signed = None
    """The limit of a triggered limit order."""

    flags: str | None = None
    """post, fcib, fciq, viqc; several with commas."""

    lasting: Literal["GTC", "IOC", "GTD", "FOK"] | None = None
    """How long it lasts: till cancelled, at once or never, till --expires, all at once or never."""

    expires: str | None = None
    """When it expires: +3600 (seconds) or unix seconds."""

    starts: str | None = None
    """When it begins: +3600 (seconds) or unix seconds."""

    display: str | None = None
    """The visible volume of an iceberg."""

    leverage: str | None = None
    """Leverage, like 2; without it the order is paid with what is owned."""

    reduce_only: bool = False
    """Only ever make a margin position smaller."""

    trigger: Literal["last", "index"] | None = None
    """The price that triggers."""

    cl_ord_id: str | None = None
    """An id of your own, new for every order; one is made if you give none."""

    def named(self) -> dict[str, Any]:
        """Return them by Kraken's names.

        Raises:
            InvalidArguments: It is not clear which kind of order is meant.
        """
        if self.type is None and self.price is None:
            raise InvalidArguments(
                "limit or market?", hint="--price PRICE makes a limit order, --type market takes the market's price"
            )
        if self.type in {"market", "settle-position"} and self.price is not None:
            raise InvalidArguments(f"a {self.type} order has no price", hint="leave out --price, or --type")
        spelled = {"flags": "oflags", "lasting": "timeinforce", "expires": "expiretm", "starts": "starttm"}
        spelled |= {"display": "displayvol", "type": "ordertype"}
        given = {"type": "limit", **{name: value for name, value in asdict(self).items() if value not in {None, False}}}
        return {spelled.get(name, name): value for name, value in given.items()}


AT_WILL = Terms()
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
        terms: What the order says besides.
        check: Have Kraken check the order without placing it.
        deadline: Seconds for which Kraken may take the order, 3 to 58.
        care: What is done before.
        where: Whom to ask.
        output: In which form.
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
        terms: What the order says besides.
        check: Have Kraken check the order without placing it.
        deadline: Seconds for which Kraken may take the order, 3 to 58.
        care: What is done before.
        where: Whom to ask.
        output: In which form.
    """
    wanted = PlaceOrder(pair=pair, type="sell", volume=volume, deadline=deadline, **terms.named())
    return await _trade(wanted, care, where, output, check=check)


async def _trade(wanted: PlaceOrder, care: Care, where: Where, output: Output, *, check: bool) -> int:
    """Show, check or place an order."""
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
    note = "found at Kraken: no answer had told of it" if placed.adopted else ""
    described = placed.description or (placed.order.descr.order if placed.order else "")
    row = (placed.txid, placed.cl_ord_id, described, note)
    show(Sheet(f"Order placed - {connection.source}", columns, [row], sparse=True), output)
    return Exit.OK


async def _place(connection: Connection, wanted: PlaceOrder) -> PlacedOrder:
    """Place an order; stopped half-way, say that it may exist."""
    sent: list[Intent] = []
    fields = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    try:
        return await connection.client.place_order(**{**fields, "on_intent": sent.append})
    except anyio.get_cancelled_exc_class():
        for intent in sent:
            remark("interrupted: the order may exist all the same", style="bold red")
            remark(f"krakenasync orders show {intent.cl_ord_id} tells", style="red")
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
    price: _Signed = None,
    trigger_price: _Signed = None,
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
        where: Whom to ask.
        output: In which form.
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
    validate: bool = False,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> int:
    """Cancel orders, and see how each ended: it may have been filled first.

    Args:
        order: Kraken's ids (OABCDE-FGHIJ-KLMNOP) or your cl_ord_ids.
        validate: Show what would be sent, and send nothing.
        where: Whom to ask.
        output: In which form.
    """
    requests = [CancelOrder(**by_name(each)) for each in order]
    for request in requests:
        request.params()
    if validate:
        for request in requests:
            await _preview(request, where, output)
        return Exit.OK
    async with connect(where) as connection:
        ended = {each: await connection.client.ensure_cancelled(**by_name(each)) for each in order}
    show(sheet_of(f"Orders that ended - {connection.source}", ended), output)
    return Exit.OK


@ORDER.command
async def cancel_all(*, care: Care = CAREFUL, where: Where = ENVIRONMENT, output: Output = AS_TABLE) -> int:
    """Cancel all orders of the account, on every pair.

    Args:
        care: What is done before.
        where: Whom to ask.
        output: In which form.
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
    extra = ("price", "price2", "oflags", "timeinforce", "expiretm", "leverage")
    return said + "".join(f" {name} {value}" for name in extra if (value := getattr(order, name)) is not None)

"""Trading: placing orders, alone and in batches, and the parameters they share.

The cost on the REST counter of all but AddOrder and CancelOrder is disputed: 1 according to the docs, 0 according to
the support article and Kraken's Rust SDK. Trading calls are charged to the matching engine's counter only.

Source: https://docs.kraken.com/api/docs/category/rest-api/trading
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, ClassVar, Final

import msgspec

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.bounds import BATCH, EXPIRY, ICEBERG_PARTS
from krakenasync.protocol.charges import Charge, Counter, EngineAction
from krakenasync.protocol.exact import EXACT
from krakenasync.protocol.kinds import LIMITED, takes
from krakenasync.protocol.nested import List, Typed
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.requests import Part, Request, exclusive
from krakenasync.protocol.specs import Body, Effect, Need, Spec, private_call
from krakenasync.spot.values import (
    Amount,
    ClientOrderId,
    CloseOrderType,
    DeadlineAt,
    MarginLeverage,
    Moment,
    Number,
    OrderFlags,
    OrderType,
    PairName,
    RelativePrice,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TokenizedClass,
    Trigger,
    UserRef,
    Validate,
    Word,
    words,
)

__all__ = [
    "ADD",
    "AddOrder",
    "AddOrderBatch",
    "BatchItem",
    "BatchPlaced",
    "Close",
    "Order",
    "OrderPlaced",
    "OrderSentence",
    "check_display",
]

ADD: Final = Charge(Counter.ENGINE, action=EngineAction.ADD)


class Close(Part, frozen=True, kw_only=True):
    """The conditional close order: a separate order of the opposite side, made per fill."""

    ordertype: CloseOrderType
    price: RelativePrice | None = None
    price2: RelativePrice | None = None

    def check(self) -> None:
        """Refuse what cannot close, a price that is missing, and trailing prices that are not offsets."""
        if self.ordertype in {"market", "settle-position"}:
            raise InvalidArguments(f"close[ordertype]={self.ordertype!r} is not a type for a close order")
        _check_prices("close[{}]", self.ordertype, self.price, self.price2)
        _check_trailing(self.ordertype, self.price, self.price2)


class Order(Part, frozen=True, kw_only=True):
    """What AddOrder and each item of AddOrderBatch say about an order.

    `volume` is in base currency, or in quote currency with the flag ``viqc``; ``"0"`` closes a margin position, so it
    goes with `leverage` or ``settle-position``.
    `price` is the limit of limit orders and the trigger of the others, `price2` the limit of triggered limits.
    """

    ordertype: OrderType
    type: Side
    volume: Amount
    userref: UserRef | None = None
    cl_ord_id: ClientOrderId | None = None
    displayvol: Amount | None = None
    price: RelativePrice | None = None
    price2: RelativePrice | None = None
    trigger: Trigger | None = None
    leverage: MarginLeverage | None = None
    reduce_only: bool | None = None
    stptype: SelfTradePrevention | None = None
    oflags: OrderFlags | None = None
    timeinforce: TimeInForce | None = None
    starttm: Moment | None = None
    expiretm: Moment | None = None
    close: Close | None = None

    def check(self) -> None:
        """Refuse what Kraken says cannot go together.

        Source: https://docs.kraken.com/api/docs/rest-api/add-order
        """
        exclusive(self, "userref", "cl_ord_id")
        _check_volume(self)
        _check_flags(self)
        _check_prices("{}", self.ordertype, self.price, self.price2)
        _check_trailing(self.ordertype, self.price, self.price2)
        _check_expiry(self)
        _check_iceberg(self)


def _check_volume(order: Order) -> None:
    """Refuse a volume of 0, except where it stands for a whole margin position."""
    margin = order.leverage not in {None, "none"} or order.reduce_only or order.ordertype == "settle-position"
    if not margin and not Decimal(order.volume):
        raise InvalidArguments(
            f"volume={quoted(order.volume)} buys and sells nothing", hint="say how much; 0 closes a margin position"
        )


def _check_flags(order: Order) -> None:
    """Refuse flags that exclude each other or the kind of order."""
    given = order.oflags or ()
    flags = {flag.strip() for flag in (given.split(",") if isinstance(given, str) else given)}
    if {"fcib", "fciq"} <= flags:
        raise InvalidArguments("oflags: fcib and fciq exclude each other", hint="the fee is paid in one currency")
    if "viqc" in flags and (order.ordertype, order.type) != ("market", "buy"):
        raise InvalidArguments("oflags: viqc is for market buys only", hint="give the volume in base currency")
    if "viqc" in flags and order.leverage not in {None, "none"}:
        raise InvalidArguments("oflags: viqc does not go with leverage")
    if "post" in flags and order.ordertype in {"market", "settle-position"}:
        raise InvalidArguments("oflags: post is for orders that rest, not for market orders")


def _check_prices(spelling: str, ordertype: str, price: Number | None, price2: Number | None) -> None:
    """Require the prices that the kind of order needs; a kind that is not known is left to Kraken."""
    needed = takes(ordertype)
    for name, given in (("price", price), ("price2", price2)):
        if name in needed and given is None:
            what = "limit" if name == "price2" or ordertype in LIMITED else "trigger"
            raise InvalidArguments(
                f"{spelling.format(name)} is missing", hint=f"{quoted(ordertype)} has its {what} price there"
            )


def _check_iceberg(order: Order) -> None:
    """Refuse an iceberg without `displayvol`, and another kind of order that has one."""
    if order.ordertype == "iceberg" and order.displayvol is None:
        raise InvalidArguments("displayvol is missing", hint="an iceberg says how much of it is shown")
    if order.displayvol is not None and order.ordertype in words(OrderType) - {"iceberg"}:
        raise InvalidArguments(f"displayvol is for icebergs, not for {quoted(order.ordertype)}", hint="leave it out")
    check_display(order.displayvol, order.volume)


def _check_trailing(ordertype: str, price: Number | None, price2: Number | None) -> None:
    """Refuse absolute prices for trailing orders: they follow the market at an offset."""
    if not ordertype.startswith("trailing-stop"):
        return
    if price is not None and not str(price).startswith("+"):
        raise InvalidArguments(
            f"price={quoted(price)} is not an offset", hint=f"{quoted(ordertype)} takes one like '+100' or '+5%'"
        )
    if price2 is not None and not str(price2).startswith(("+", "-")):
        raise InvalidArguments(
            f"price2={quoted(price2)} is not an offset", hint="write '+0' for the trigger price itself"
        )


_MOMENT: Final = re.compile(r"\+?\d+(?:\.\d+)?", re.ASCII)
"""How `starttm` and `expiretm` are written: seconds from now, or unix time."""


def _check_expiry(order: Order) -> None:
    """Refuse a GTD order without an end, a start or end that is not a point in time, and an end too near or far."""
    for name in ("starttm", "expiretm"):
        value = getattr(order, name)
        if isinstance(value, str) and not _MOMENT.fullmatch(value):
            hint = "write '+3600' for seconds from now, or unix seconds; or pass an aware datetime"
            raise InvalidArguments(f"{name}={quoted(value)} is not a point in time", hint=hint)
    if order.timeinforce == "GTD" and order.expiretm in {None, 0, "0"}:
        raise InvalidArguments("timeinforce='GTD' needs expiretm", hint="say when it expires, like '+3600'")
    soonest, latest = EXPIRY
    if isinstance(order.expiretm, str) and order.expiretm.startswith("+"):
        ahead = Decimal(order.expiretm)
        if not soonest <= ahead <= latest:
            what = "near" if ahead < soonest else "far"
            hint = f"'+{soonest}' to '+{latest}' seconds from now"
            raise InvalidArguments(f"expiretm={quoted(order.expiretm)} is too {what}", hint=hint)


def check_display(shown: Number | None, volume: Number | None) -> None:
    """Refuse an iceberg that shows less than a fifteenth of itself."""
    if shown is None or volume is None or isinstance(shown, float) or isinstance(volume, float):
        return
    if EXACT.multiply(Decimal(shown), ICEBERG_PARTS) < Decimal(volume):
        raise InvalidArguments(f"displayvol={quoted(shown)} is below volume/{ICEBERG_PARTS}", hint="show more of it")


class OrderSentence(msgspec.Struct, frozen=True):
    """An order, and its conditional close order, as sentences."""

    order: str
    close: str | None = None


class OrderPlaced(msgspec.Struct, frozen=True):
    """An order's ids: usually one, none with `validate`."""

    descr: OrderSentence
    txid: list[str] = []


class AddOrder(Order, Request[OrderPlaced], frozen=True, kw_only=True):
    """Place an order.

    `deadline` lies 2 to 60 seconds ahead, in server time; after it the engine drops the request.
    """

    spec: ClassVar[Spec] = private_call(
        "AddOrder", "trading", "add-order", need=Need(("modify-trades",)), effect=Effect.WRITE, charge=ADD
    )

    pair: PairName
    asset_class: TokenizedClass | None = None
    deadline: DeadlineAt | None = None
    validate: Validate | None = None
    broker: Word | None = None


class BatchItem(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one order of a batch: an id, or an error while the others went through.

    Attributes:
        error: Kraken's string, or None.
        close: The conditional close order as a sentence.
    """

    txid: str | None = None
    descr: OrderSentence | None = None
    close: str | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        """Find the close order in either of the places Kraken's pages show it in."""
        if self.close is None and self.descr is not None:
            msgspec.structs.force_setattr(self, "close", self.descr.close)


class BatchPlaced(msgspec.Struct, frozen=True):
    """What became of the orders of a batch, in the order they were given."""

    orders: list[BatchItem]

    @property
    def failed(self) -> dict[int, str]:
        """Kraken's error by the order's place in the batch; the envelope does not mention these."""
        return {place: item.error for place, item in enumerate(self.orders) if item.error}


class AddOrderBatch(Request[BatchPlaced], frozen=True, kw_only=True):
    """Place 2 to 15 orders on one pair.

    A malformed order makes the whole batch fail; one without funds fails alone: see `BatchPlaced.failed`.
    """

    # JSON, as Kraken's own command line sends it; whether lists in forms are read is not documented.
    spec: ClassVar[Spec] = private_call(
        "AddOrderBatch",
        "trading",
        "add-order-batch",
        need=Need(("modify-trades", "close-trades"), every=True),
        effect=Effect.WRITE,
        charge=ADD,
        body=Body.JSON,
    )

    pair: PairName
    orders: Annotated[Sequence[Order], List(Typed(Order), least=BATCH[0], most=BATCH[1])]
    asset_class: TokenizedClass | None = None
    deadline: DeadlineAt | None = None
    validate: Validate | None = None
    broker: Word | None = None

"""Account data: orders, open and closed, and their amends.

Source: https://docs.kraken.com/api/docs/category/rest-api/account-data
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Self

import msgspec

from krakenasync.protocol.bounds import ORDER_IDS
from krakenasync.protocol.charges import HISTORY_OR_ONE
from krakenasync.protocol.fields import Names, Range
from krakenasync.protocol.requests import Request, Reshaped
from krakenasync.protocol.specs import Need, Spec, private_call
from krakenasync.spot.values import (
    ClientOrderId,
    CloseTime,
    Moment,
    OrderPrice,
    RebaseMultiplier,
    UserRef,
    Word,
    from_unix,
    not_zero,
    priced,
)

__all__ = [
    "Amend",
    "AmendHistory",
    "ClosedOrders",
    "ClosedOrdersPage",
    "OpenOrders",
    "OpenOrdersBook",
    "OrderAmends",
    "OrderDescription",
    "OrderInfo",
    "QueryOrders",
]

_OPEN_OR_CLOSED: Final = Need(("query-open-trades", "query-closed-trades"))


class OrderDescription(msgspec.Struct, frozen=True, kw_only=True):
    """An order in words.

    Attributes:
        pair: Usually the pair's altname.
        price: The limit of limit orders, the trigger of others. A Decimal; the text of an offset (``+5.0000%``) for
            trailing orders.
        price2: The limit of triggered limits, likewise; 0 for others.
        leverage: ``none`` or ``5:1``.
        order: The order as a sentence.
        close: The conditional close order as a sentence, or empty.
    """

    pair: str = ""
    type: str = ""
    ordertype: str = ""
    price: OrderPrice | None = None
    price2: OrderPrice | None = None
    leverage: str = "none"
    order: str = ""
    close: str = ""
    aclass: str | None = None

    def __post_init__(self) -> None:
        """Keep relative prices apart from absolute ones."""
        priced(self, "price", "price2")


class OrderInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An order, open or closed, under Kraken's names.

    Attributes:
        status: ``pending``, ``open``, ``closed``, ``canceled``, ``expired``.
        refid: The order that made this one, or None.
        vol: Volume asked for, in base currency; in quote currency with the flag ``viqc``.
        vol_exec: Volume filled, in base currency.
        cost: What was paid or received for it so far, in quote currency, without the fee.
        fee: In quote currency.
        price: The average price of what filled, in quote currency.
        misc: Comma list: ``stopped``, ``touched``, ``liquidated``, ``partial``, ``amended``.
        trades: Ids of its trades, if asked for.
        displayvol: How much an iceberg shows at a time; `displayvolremain` is how much of that is left.
        link_id: The order that an edit replaced with this one.
        ext_ord_id: An institution's own id.
        closetm: When it closed; None while it is open.
        reason: Why it closed.
    """

    status: str
    opentm: datetime
    descr: OrderDescription
    vol: Decimal
    vol_exec: Decimal
    cost: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    stopprice: Decimal | None = None
    limitprice: Decimal | None = None
    refid: str | None = None
    userref: int | None = None
    cl_ord_id: str | None = None
    starttm: datetime | None = None
    expiretm: datetime | None = None
    trigger: str | None = None
    margin: bool = False
    misc: str = ""
    oflags: str = ""
    trades: list[str] = []
    sender_sub_id: str | None = None
    time_in_force: str | None = None
    reduce_only: bool = False
    displayvol: Decimal | None = None
    displayvolremain: Decimal | None = None
    link_id: str | None = None
    ext_ord_id: str | None = None
    closetm: datetime | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        """Read 0 as "no time", and the text ``None`` as no `refid`."""
        not_zero(self, "starttm", "expiretm", "closetm")
        if self.refid == "None":
            msgspec.structs.force_setattr(self, "refid", None)


class OpenOrdersBook(msgspec.Struct, frozen=True):
    """Open orders by id."""

    open: dict[str, OrderInfo]


class OpenOrders(Request[OpenOrdersBook], frozen=True, kw_only=True):
    """All open orders, not paged. May lag briefly behind a fresh placement."""

    spec: ClassVar[Spec] = private_call("OpenOrders", "account", "get-open-orders", need=Need(("query-open-trades",)))

    trades: bool | None = None
    userref: UserRef | None = None
    cl_ord_id: ClientOrderId | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class ClosedOrdersPage(msgspec.Struct, frozen=True):
    """Up to 50 closed orders by id, newest first.

    Attributes:
        count: How many there are in all; None if the count was not asked for.
    """

    closed: dict[str, OrderInfo]
    count: int | None = None


class ClosedOrders(Request[ClosedOrdersPage], frozen=True, kw_only=True):
    """Closed orders, 50 a page.

    `start` is excluded, `end` included; an order's id stands for the time it was opened.
    """

    spec: ClassVar[Spec] = private_call(
        "ClosedOrders", "account", "get-closed-orders", need=Need(("query-closed-trades",)), charge=HISTORY_OR_ONE
    )

    trades: bool | None = None
    userref: UserRef | None = None
    cl_ord_id: ClientOrderId | None = None
    start: Moment | None = None
    end: Moment | None = None
    ofs: Annotated[int, Range(0, 2**63 - 1)] | None = None
    closetime: CloseTime | None = None
    consolidate_taker: bool | None = None
    without_count: bool | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class OfOrders(Request[dict[str, OrderInfo]], frozen=True):
    """A call about orders by their ids."""

    txid: Annotated[str | Sequence[str], Names(most=ORDER_IDS)]


class QueryOrders(OfOrders, frozen=True, kw_only=True):
    """Orders by their ids, 50 at most, open or closed. Client order ids are not looked up here."""

    spec: ClassVar[Spec] = private_call("QueryOrders", "account", "get-orders-info", need=_OPEN_OR_CLOSED)

    trades: bool | None = None
    userref: UserRef | None = None
    consolidate_taker: bool | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class Amend(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an order.

    Attributes:
        amend_type: ``original``, ``user``, ``restated`` (by the engine).
        timestamp: Milliseconds, as clients have seen it live; Kraken's page shows nanoseconds. `time` reads either.
    """

    amend_id: str
    amend_type: str
    order_qty: Decimal
    remaining_qty: Decimal | None = None
    display_qty: Decimal | None = None
    limit_price: OrderPrice | None = None
    trigger_price: OrderPrice | None = None
    reason: str | None = None
    post_only: bool = False
    timestamp: int = 0

    def __post_init__(self) -> None:
        """Keep relative prices apart from absolute ones."""
        priced(self, "limit_price", "trigger_price")

    @property
    def time(self) -> datetime:
        """When this version was made."""
        return from_unix(self.timestamp)


class _Amends(msgspec.Struct):
    count: int
    amends: list[Amend]


class _AmendsOnTheWire(msgspec.Struct):
    count: int = 0
    amends: list[Amend] | None = None
    response: _Amends | None = None


class AmendHistory(Reshaped, msgspec.Struct, frozen=True):
    """The versions of an order, the original first.

    Attributes:
        count: How many, the original included.
    """

    arrives_as: ClassVar[Any] = _AmendsOnTheWire

    count: int
    amends: list[Amend]

    @classmethod
    def from_wire(cls, arrived: _AmendsOnTheWire) -> Self:
        """Unwrap the extra ``response`` that one of Kraken's examples shows."""
        found = arrived.response or arrived
        if found.amends is None:
            raise msgspec.ValidationError("no amends")
        return cls(found.count, found.amends)


class OfOrder(Request[AmendHistory], frozen=True):
    """A call about one order by its id."""

    order_id: Word


class OrderAmends(OfOrder, frozen=True, kw_only=True):
    """The versions of an order."""

    spec: ClassVar[Spec] = private_call("OrderAmends", "account", "get-order-amends", need=_OPEN_OR_CLOSED)

    rebase_multiplier: RebaseMultiplier | None = None

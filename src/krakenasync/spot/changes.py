"""Trading: changing and cancelling orders.

For the counters these are charged to see `trading`. CancelAll and CancelAllOrdersAfter are in none of Kraken's tables;
its Rust SDK counts one point.

Source: https://docs.kraken.com/api/docs/category/rest-api/trading
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Final

import msgspec

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.bounds import CANCELLED_AT_ONCE, LONGEST_SWITCH
from krakenasync.protocol.charges import Charge, Counter, EngineAction
from krakenasync.protocol.fields import Id, Range
from krakenasync.protocol.nested import List
from krakenasync.protocol.requests import Request, exclusive
from krakenasync.protocol.specs import Body, Effect, Need, Spec, private_call
from krakenasync.spot.trading import OrderSentence, check_display
from krakenasync.spot.values import (
    CLIENT_ORDER_ID,
    Amount,
    ClientOrderId,
    DeadlineAt,
    OrderFlags,
    OrderPrice,
    PairName,
    RelativePrice,
    TokenizedClass,
    UserRef,
    Validate,
    Word,
    not_zero,
    priced,
)

__all__ = [
    "AmendOrder",
    "Amended",
    "BatchCancelled",
    "CancelAll",
    "CancelAllOrdersAfter",
    "CancelOrder",
    "CancelOrderBatch",
    "Cancelled",
    "CancelsAt",
    "EditOrder",
    "Edited",
]

_EITHER: Final = Need(("modify-trades", "close-trades"))
_CANCEL: Final = Charge(Counter.ENGINE, action=EngineAction.CANCEL)
_ONE_POINT: Final = Charge(Counter.ENGINE, 1)
"""On each pair that orders rest on, whatever its counter says."""


class Amended(msgspec.Struct, frozen=True):
    """The amend's id; the order keeps its own."""

    amend_id: str


_AMENDABLE: Final = ("order_qty", "display_qty", "limit_price", "trigger_price", "post_only")
"""What an amend can change."""


class AmendOrder(Request[Amended], frozen=True, kw_only=True):
    """Change an order in place: it keeps its id and, where possible, its place in the queue.

    A quantity below what has filled cancels the rest. Orders with a conditional close cannot be amended.
    """

    spec: ClassVar[Spec] = private_call(
        "AmendOrder",
        "trading",
        "amend-order",
        need=_EITHER,
        effect=Effect.WRITE,
        charge=Charge(Counter.ENGINE, action=EngineAction.AMEND),
    )

    txid: Word | None = None
    cl_ord_id: ClientOrderId | None = None
    order_qty: Amount | None = None
    display_qty: Amount | None = None
    limit_price: RelativePrice | None = None
    trigger_price: RelativePrice | None = None
    pair: PairName | None = None
    post_only: bool | None = None
    deadline: DeadlineAt | None = None

    def check(self) -> None:
        """Require exactly one name of one order, and something to change."""
        exclusive(self, "txid", "cl_ord_id", needed=True)
        if all(getattr(self, name) is None for name in _AMENDABLE):
            raise InvalidArguments("nothing to change", hint=f"give one of {', '.join(_AMENDABLE)}")


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """The order that took the old one's place.

    Attributes:
        status: ``ok`` or ``err``, in upper or lower case; one client's example has none.
        error_message: What went wrong, when `ok` is false.
    """

    status: str = ""
    txid: str | None = None
    originaltxid: str | None = None
    volume: Decimal | None = None
    price: OrderPrice | None = None
    price2: OrderPrice | None = None
    orders_cancelled: int = 0
    descr: OrderSentence | None = None
    newuserref: int | str | None = None
    olduserref: int | str | None = None
    error_message: str | None = None

    def __post_init__(self) -> None:
        """Keep relative prices apart from absolute ones; refuse an answer that does not say how the edit ended."""
        if not (self.status or self.txid or self.error_message):
            raise ValueError("neither a status, nor an order, nor an error")
        priced(self, "price", "price2")

    @property
    def ok(self) -> bool:
        """Whether the order was replaced."""
        return self.status.lower() == "ok" or not (self.status or self.error_message)


class EditOrder(Request[Edited], frozen=True, kw_only=True):
    """Cancel an order and place a changed one, with a new id. AmendOrder is what Kraken recommends.

    `txid` can be a `userref` that only one order has. Not for orders with a `cl_ord_id` or a conditional close.
    """

    spec: ClassVar[Spec] = private_call(
        "EditOrder",
        "trading",
        "edit-order",
        need=Need(("modify-trades", "close-trades"), every=True),
        effect=Effect.WRITE,
        charge=Charge(Counter.ENGINE, action=EngineAction.EDIT),
    )

    txid: Annotated[str | int, Id()]
    pair: PairName
    userref: UserRef | None = None
    volume: Amount | None = None
    displayvol: Amount | None = None
    price: RelativePrice | None = None
    price2: RelativePrice | None = None
    oflags: OrderFlags | None = None
    asset_class: TokenizedClass | None = None
    deadline: DeadlineAt | None = None
    cancel_response: bool | None = None
    validate: Validate | None = None

    def check(self) -> None:
        """Refuse an iceberg that shows too little."""
        check_display(self.displayvol, self.volume)


class Cancelled(msgspec.Struct, frozen=True):
    """How many orders were cancelled.

    Attributes:
        pending: Whether the cancellation is still under way.
    """

    count: int
    pending: bool = False


class OfOneOrder(Request[Cancelled], frozen=True):
    """A call about one order, or about all that have a `userref`."""

    txid: Annotated[str | int, Id()] | None = None


class CancelOrder(OfOneOrder, frozen=True, kw_only=True):
    """Cancel an order by its id, or all that have the `userref` given as `txid`."""

    spec: ClassVar[Spec] = private_call(
        "CancelOrder", "trading", "cancel-order", need=_EITHER, effect=Effect.WRITE, charge=_CANCEL
    )

    cl_ord_id: ClientOrderId | None = None

    def check(self) -> None:
        """Require exactly one name of one order."""
        exclusive(self, "txid", "cl_ord_id", needed=True)


class CancelAll(Request[Cancelled], frozen=True, kw_only=True):
    """Cancel all orders of the account, on every pair."""

    spec: ClassVar[Spec] = private_call(
        "CancelAll", "trading", "cancel-all-orders", need=_EITHER, effect=Effect.WRITE, charge=_ONE_POINT
    )


class CancelsAt(msgspec.Struct, frozen=True, rename="camel"):
    """When all orders will be cancelled.

    Attributes:
        trigger_time: None when the timer is off.
    """

    current_time: datetime
    trigger_time: datetime | None = None

    def __post_init__(self) -> None:
        """Read 0 as "off"."""
        not_zero(self, "trigger_time")


class OfTimeout(Request[CancelsAt], frozen=True):
    """A call that takes seconds, less than a day."""

    timeout: Annotated[int, Range(0, LONGEST_SWITCH)]


class CancelAllOrdersAfter(OfTimeout, frozen=True, kw_only=True):
    """Cancel all orders in `timeout` seconds unless this is called again before then; 0 switches the timer off.

    Kraken advises a timeout of 60 s, renewed every 15 to 30 s. It fires across a downtime as well.
    """

    spec: ClassVar[Spec] = private_call(
        "CancelAllOrdersAfter",
        "trading",
        "cancel-all-orders-after",
        need=_EITHER,
        effect=Effect.WRITE,
        charge=_ONE_POINT,
    )


class BatchCancelled(msgspec.Struct, frozen=True):
    """How many orders were cancelled."""

    count: int


class OfManyOrders(Request[BatchCancelled], frozen=True):
    """A call about orders by their ids or `userref` numbers."""

    orders: Annotated[Sequence[str | int], List(Id(), most=CANCELLED_AT_ONCE)] | None = None


class CancelOrderBatch(OfManyOrders, frozen=True, kw_only=True):
    """Cancel up to 50 orders. It goes through even when the engine's counter is full."""

    # JSON, as Kraken's own command line sends it.
    spec: ClassVar[Spec] = private_call(
        "CancelOrderBatch",
        "trading",
        "cancel-order-batch",
        need=_EITHER,
        effect=Effect.WRITE,
        charge=_CANCEL,
        body=Body.JSON,
    )

    cl_ord_ids: Annotated[Sequence[str], List(CLIENT_ORDER_ID, most=CANCELLED_AT_ONCE)] | None = None

    def check(self) -> None:
        """Require 1 to 50 orders in all."""
        given = len(self.orders or ()) + len(self.cl_ord_ids or ())
        if not 1 <= given <= CANCELLED_AT_ONCE:
            raise InvalidArguments(f"orders and cl_ord_ids hold {given} ids, not 1 to {CANCELLED_AT_ONCE} in all")

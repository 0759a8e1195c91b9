"""Placing an order exactly once, and finding out what became of one: the arguments and the results."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import msgspec

from krakenasync.client.lookup import Lookup, Sender
from krakenasync.client.placing import PlacedOrder, Placement
from krakenasync.client.serverclock import ServerClock
from krakenasync.errors import InvalidArguments, InvalidType, KrakenError, OrderNotPlaced, RateLimitTimeout
from krakenasync.protocol import placement as machine
from krakenasync.protocol.bounds import DEADLINE
from krakenasync.protocol.moments import Deadline
from krakenasync.protocol.quoting import quoted
from krakenasync.spot.orders import OpenOrders
from krakenasync.spot.trading import AddOrder, Order
from krakenasync.spot.values import ClientOrderId, PairName, TokenizedClass, Word, to_nanoseconds

__all__ = ["Intent", "PlaceOrder", "PlacedOrder", "ResolveOrder", "place_order", "resolve_order"]

_SHORTEST: Final = DEADLINE[0] + 1
_LONGEST: Final = DEADLINE[1] - 2
"""A reading of Kraken's clock may be off by a second either way."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """An order about to be sent for the first time. Journal it, and a crash loses nothing: see `ResolveOrder`.

    Attributes:
        cl_ord_id: The id to look for.
        order: The order as it will be sent.
        lifetime: Seconds after each sending during which the engine will accept it.
    """

    cl_ord_id: str
    order: AddOrder
    lifetime: float


OnIntent = Callable[[Intent], Awaitable[None] | None]


class PlaceOrder(Order, frozen=True, kw_only=True):
    """Place an order exactly once, whatever the network does.

    Takes what `add_order` takes. A `cl_ord_id` is made if none is given; `userref` excludes it and is refused. Never
    reuse an id of your own: an open order that has it and looks the same is taken to be this one.

    If the call is cancelled, or a time limit around it expires, an order that was sent may exist: its id is in the
    `Intent` and in the notes of the cancellation, and `resolve_order` finds out. Where a time limit raises a
    `TimeoutError`, the cancellation with the notes is its ``__cause__`` or ``__context__``.

    Args:
        deadline: Seconds for which the engine may accept the request, 3 to 58. Clearing up an unknown outcome takes
            about 4 seconds longer than that, for each time that the order is sent.
        resubmit: Whether an order that is known not to exist is sent again, up to twice.
        on_intent: Called (and awaited) with the `Intent` before anything is sent.

    Returns:
        The order: confirmed, or found.

    Raises:
        RateLimitTimeout: Kraken's clock cannot be read before the caller's deadline; nothing was sent.
        Refused: Kraken refused the order; it does not exist.
        OrderNotPlaced: There is no order, and nothing that was sent can still become one.
        OutcomeUnknown: It is not known whether there is an order; see the error's `cl_ord_id`, `deadline`, `resolve()`.
    """

    pair: PairName
    asset_class: TokenizedClass | None = None
    broker: Word | None = None
    validate: bool | None = None
    deadline: float = 5.0
    resubmit: bool = True
    on_intent: OnIntent | None = None

    def order(self) -> AddOrder:
        """Return the order to send, with its `cl_ord_id`.

        Raises:
            InvalidArguments: The order cannot be placed exactly once.
        """
        self._check()
        shared = {*AddOrder.__struct_fields__} & {*self.__struct_fields__} - {"deadline", "cl_ord_id", "validate"}
        given = {name: getattr(self, name) for name in shared}
        order = AddOrder(**given, cl_ord_id=str(uuid.uuid4()) if self.cl_ord_id is None else self.cl_ord_id)
        order.params()
        return order

    def _check(self) -> None:
        """Refuse what `AddOrder` does not check."""
        if self.userref is not None:
            raise InvalidArguments("userref excludes cl_ord_id, by which an order is found again", hint="leave it out")
        for name, given in (("validate", self.validate is not None and self.validate), ("resubmit", self.resubmit)):
            if not isinstance(given, bool):
                raise InvalidType(f"{name} must be True or False, not {type(given).__name__}")
        if self.on_intent is not None and not callable(self.on_intent):
            raise InvalidType(
                f"on_intent must be a function, not {type(self.on_intent).__name__}", hint="it takes the Intent"
            )
        if self.validate:
            raise InvalidArguments("validate=True places nothing", hint="add_order(..., validate=True) only checks")
        if isinstance(self.deadline, bool) or not isinstance(self.deadline, (int, float)):
            raise InvalidType(
                f"deadline must be seconds, not {type(self.deadline).__name__}", hint="place_order computes the moment"
            )
        if not _SHORTEST <= self.deadline <= _LONGEST:
            raise InvalidArguments(
                f"deadline={quoted(self.deadline)} is not valid",
                hint=f"{_SHORTEST} to {_LONGEST} seconds; Kraken takes {DEADLINE[0]} to {DEADLINE[1]}",
            )


class ResolveOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Find out what became of an order that was to be placed, for example after a crash; only looks, sends no order.

    Args:
        cl_ord_id: The id of the `Intent`, or of the `OutcomeUnknown`.
        deadline: The error's `deadline`: the moment after which none of its requests can be carried out. Without it,
            a minute from now, which is as far as a deadline can be.

    Returns:
        The order, or None when it is certain that there is none.

    Raises:
        OutcomeUnknown: It is still not known whether the order exists.
    """

    cl_ord_id: ClientOrderId
    deadline: datetime | None = None

    def moment(self) -> int | None:
        """Return the deadline in nanoseconds since the unix epoch.

        Raises:
            InvalidArguments: `deadline` is not a point in time.
        """
        if self.deadline is None:
            return None
        if not isinstance(self.deadline, datetime) or self.deadline.tzinfo is None:
            raise InvalidType(f"deadline={quoted(self.deadline)} is not a point in time", hint="an aware datetime")
        Deadline().wire("deadline", self.deadline)  # refuses what is not in the calendar
        return to_nanoseconds(self.deadline)

    def name(self) -> str:
        """Return the id to look for.

        Raises:
            InvalidArguments: `cl_ord_id` is not an id.
        """
        asked: dict[str, str] = OpenOrders(cl_ord_id=self.cl_ord_id).params()
        if "cl_ord_id" not in asked:
            raise InvalidArguments("cl_ord_id is missing", hint="that of the Intent, or of the OutcomeUnknown")
        return asked["cl_ord_id"]


async def place_order(sender: Sender, looks: Sender, server: ServerClock, wanted: PlaceOrder) -> PlacedOrder:
    """Place an order exactly once; see `PlaceOrder`.

    Args:
        sender: Sends the order.
        looks: Makes the calls that look for it, and asks for the time.
        server: Kraken's clock.
        wanted: The order.
    """
    order = wanted.order()
    intent = Intent(cl_ord_id=order.cl_ord_id or "", order=order, lifetime=wanted.deadline)
    if wanted.on_intent is not None:
        told = wanted.on_intent(intent)
        if inspect.isawaitable(told):
            await told
    try:
        await server.refresh(looks)
    except RateLimitTimeout:
        raise
    except KrakenError as error:
        said = f"nothing was sent, because Kraken's clock cannot be read: {error.said}"
        raise OrderNotPlaced(said, endpoint="AddOrder", hint=error.hint) from error
    lookup = Lookup(looks, intent.cl_ord_id, like=order, since=server.at_least(), given=wanted.cl_ord_id is not None)
    plan = machine.Plan(resubmit=wanted.resubmit)
    return await Placement(sender, server, lookup, plan).place(order, wanted.deadline)


async def resolve_order(sender: Sender, server: ServerClock, wanted: ResolveOrder) -> PlacedOrder | None:
    """Look for an order without sending anything; see `ResolveOrder`."""
    name, deadline = wanted.name(), wanted.moment()
    placement = Placement(sender, server, Lookup(sender, name), machine.Plan(resubmit=False))
    return await placement.resolve(deadline)

"""Finds out what became of an order change whose answer was lost: only looks, never sends it again.

`OutcomeUnknown.resolve()` of such a call ends up here. That it was not carried out can only be said of a call that had
a `deadline`, once that has passed; without one the request may still be on its way, and the doubt remains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import anyio

from krakenasync.client.lookup import FoundOrder, Lookup, Sender
from krakenasync.client.placing import look_on
from krakenasync.client.preview import deadline_of
from krakenasync.client.serverclock import ServerClock
from krakenasync.errors import ConfigurationError, KrakenError, OutcomeUnknown
from krakenasync.protocol import placement as machine
from krakenasync.protocol.clordid import is_userref
from krakenasync.protocol.outcomes import after_edit, find_amend, fits_edit
from krakenasync.protocol.requests import Request
from krakenasync.protocol.servertime import SECOND
from krakenasync.spot.changes import AmendOrder, CancelOrder, CancelOrderBatch, EditOrder
from krakenasync.spot.orders import ClosedOrders, OpenOrders, OrderAmends, OrderInfo, QueryOrders
from krakenasync.spot.trading import AddOrder, AddOrderBatch, Order
from krakenasync.spot.values import ENDED, from_nanoseconds, to_nanoseconds

__all__ = ["Outcome", "outcome_of"]

_PLAN: Final = machine.Plan(resubmit=False, looks=4)
_SLACK: Final = 5 * SECOND
"""Nanoseconds by which our estimate of when the call was made may be off."""
_SHOWS: Final = _PLAN.margin / SECOND
"""Seconds after the first look within which an order shows."""


class Context(NamedTuple):
    """What an outcome needs to know besides the call.

    Attributes:
        sender: Makes the calls that look.
        server: Kraken's clock.
        error: What was raised for the call.
        deadline: The call's, in nanoseconds since the unix epoch; None if it had none.
        age: Returns the most seconds that can have passed since the call.
    """

    sender: Sender
    server: ServerClock
    error: OutcomeUnknown
    deadline: int | None
    age: Callable[[], float]


class Outcome:
    """Looks for what became of one call."""

    def __init__(self, context: Context) -> None:
        self.sender, self._server, self._doubt, self._deadline, self._age = context
        self._failure: KrakenError | None = None
        self._looked_at: float | None = None
        self.result: Any = None

    async def look(self) -> machine.Sight:
        """Look once; a failed look proves nothing."""
        try:
            return await self.judge()
        except ConfigurationError as error:  # the client is closed: no further look can do better
            raise self._again() from error
        except KrakenError as error:
            self._failure = error
            return machine.Unseen()

    glance = look

    async def judge(self) -> machine.Sight:
        """Look, and leave in `result` what is known of the outcome."""
        raise NotImplementedError

    def since(self) -> int:
        """Return the nanoseconds since the unix epoch before which the call cannot have had an effect."""
        return self._server.at_least() - round(self._age() * SECOND) - _SLACK

    def shows(self) -> bool:
        """Whether an order shows by now; until then an earlier one with the same client's id settles nothing."""
        now = anyio.current_time()
        if self._looked_at is None:
            self._looked_at = now
        return now - self._looked_at >= _SHOWS

    async def seek(self, request: AddOrder) -> tuple[FoundOrder | None, machine.Sight]:
        """Look for one order; an earlier one with the same id, or another that has it now, leaves doubt."""
        lookup = Lookup(self.sender, request.cl_ord_id or "", like=request, since=self.since(), given=True)
        sight = await self.look_up(lookup)
        return lookup.found, machine.Suspect() if isinstance(sight, machine.Stranger) else sight

    async def look_up(self, lookup: Lookup) -> machine.Sight:
        """Look for one order by its id, and keep why that failed, if it did."""
        sight = await lookup.look()
        self._failure = lookup.error or self._failure
        return sight

    async def resolve(self) -> Any:
        """Look until the outcome is known.

        Raises:
            OutcomeUnknown: The outcome is still not known.
        """
        try:
            await self._server.refresh(self.sender)
        except KrakenError as error:
            raise self._again() from error
        # A step that counts no absences: without a deadline, at no time would one mean anything.
        step = machine.Look(0, taken=True) if self._deadline is None else machine.Glance(0, self._deadline)
        end = await look_on(self._server, self, _PLAN, step)
        if isinstance(end, machine.GaveUp):
            raise self._again() from self._failure
        return self.result

    def _again(self) -> OutcomeUnknown:
        first = self._doubt
        error = OutcomeUnknown(first.message, codes=first.codes, endpoint=first.endpoint, hint=first.hint)
        error.cl_ord_id, error.deadline, error.attempts = first.cl_ord_id, first.deadline, first.attempts
        error.resolver = self.resolve
        return error


class OrderOutcome(Outcome):
    """The outcome of AddOrder: the order, or None."""

    def __init__(self, request: AddOrder, context: Context) -> None:
        super().__init__(context)
        self._request = request

    async def judge(self) -> machine.Sight:
        """Look for the order."""
        found, sight = await self.seek(self._request)
        self.result = found or self.result  # another task may have found it meanwhile
        return sight


class BatchOutcome(Outcome):
    """The outcome of AddOrderBatch: for each order in turn, the order or None."""

    def __init__(self, request: AddOrderBatch, context: Context) -> None:
        super().__init__(context)
        about = {"pair": request.pair, "asset_class": request.asset_class}
        names = Order.__struct_fields__
        self._requests = [
            AddOrder(**{name: getattr(order, name) for name in names} | about) for order in request.orders
        ]
        self.result = [None] * len(self._requests)

    async def judge(self) -> machine.Sight:
        """Look for every order that was not found yet."""
        sights: list[machine.Sight] = [machine.Found()]
        for place, request in enumerate(self._requests):
            if self.result[place] is None:
                found, sight = await self.seek(request)
                self.result[place] = found or self.result[place]  # another task may have found it meanwhile
                sights.append(sight)
        return max(sights, key=_doubt)


class AmendOutcome(Outcome):
    """The outcome of AmendOrder: the version of the order that it made (`Amend`), or None."""

    def __init__(self, request: AmendOrder, context: Context) -> None:
        super().__init__(context)
        self._request = request
        self._txid = request.txid

    async def judge(self) -> machine.Sight:
        """Look through the order's versions."""
        request = self._request
        if self._txid is None:
            # One that had ended before cannot have been amended: the order that was may not show yet.
            since = 0 if self.shows() else self.since()
            lookup = Lookup(self.sender, request.cl_ord_id or "", since=since, given=True)
            await self.look_up(lookup)
            if lookup.found is None:
                return machine.Suspect()
            self._txid = lookup.found.txid
        names = ("order_qty", "display_qty", "limit_price", "trigger_price")
        wanted = {name: getattr(request, name) for name in names}
        versions = (await self.sender.send(OrderAmends(order_id=self._txid))).result.amends
        sight, self.result = find_amend(wanted, versions, from_nanoseconds(self.since()))
        return sight


class EditOutcome(Outcome):
    """The outcome of EditOrder: the order that took the old one's place, or None."""

    def __init__(self, request: EditOrder, context: Context) -> None:
        super().__init__(context)
        self._txid = str(request.txid)
        self._wanted = {"price": request.price, "price2": request.price2}

    async def judge(self) -> machine.Sight:
        """Look for an order made from the old one, then look at the old one."""
        orders = (await self.sender.send(OpenOrders())).result.open
        request = ClosedOrders(start=max(0, self.since() // SECOND), without_count=True)
        orders |= (await self.sender.send(request)).result.closed
        made = [FoundOrder(txid, order) for txid, order in orders.items() if order.link_id == self._txid]
        old = None
        if not made:
            old = (await self.sender.send(QueryOrders(txid=self._txid))).result.get(self._txid)
            # `refid` names what an order came from in other ways too; but a close order is on the other side.
            made = [
                FoundOrder(txid, order)
                for txid, order in orders.items()
                if old is not None and order.refid == self._txid and order.descr.type == old.descr.type
            ]
        ours = [each for each in made if fits_edit(self._wanted, each.order.descr)]
        self.result = max(ours, key=lambda each: each.order.opentm, default=None)
        status = old.status if old else None
        return after_edit(successor=bool(ours), status="canceled" if made else status)


class CancelOutcome(Outcome):
    """The outcome of CancelOrder and CancelOrderBatch: the orders by the names given, once all of them have ended.

    An order that rests may still be cancelled by the request, so it leaves doubt; `ensure_cancelled` removes that. So
    does, at first, one that has a client's id and was not cancelled since: a later one with that id may not show yet.
    """

    def __init__(self, txids: list[str], cl_ord_ids: list[str], context: Context) -> None:
        super().__init__(context)
        self._txids = list(dict.fromkeys(txids))
        self._cl_ord_ids = list(dict.fromkeys(cl_ord_ids))

    async def judge(self) -> machine.Sight:
        """Look at every order."""
        shows = self.shows()
        states: dict[str, OrderInfo] = {}
        if self._txids:
            states |= (await self.sender.send(QueryOrders(txid=self._txids))).result
        for cl_ord_id in self._cl_ord_ids:
            lookup = Lookup(self.sender, cl_ord_id, since=0 if shows else self.since(), given=True)
            await self.look_up(lookup)
            if lookup.found is not None and (shows or lookup.found.order.status == "canceled"):
                states[cl_ord_id] = lookup.found.order
        self.result = states
        ended = [name for name, order in states.items() if order.status in ENDED]
        return machine.Found() if len(ended) == len(self._txids) + len(self._cl_ord_ids) else machine.Suspect()


def _doubt(sight: machine.Sight) -> int:
    """Return how much doubt a sight leaves; of several orders the one that leaves the most decides."""
    match sight:
        case machine.Found():
            return 0
        case machine.Absent():
            return 1
        case _:
            return 2


def outcome_of(
    request: Request[Any], sender: Sender, server: ServerClock, error: OutcomeUnknown, age: Callable[[], float]
) -> Outcome | None:
    """Return what looks for the outcome of a call; None if looking cannot show it, as for orders without an id.

    Args:
        request: The call.
        sender: Makes the calls that look.
        server: Kraken's clock.
        error: What was raised for the call; its `deadline` is set to the call's.
        age: Returns the most seconds that can have passed since the call.
    """
    deadline = deadline_of(request)
    error.deadline = error.deadline or deadline
    context = Context(sender, server, error, to_nanoseconds(deadline) if deadline else None, age)
    match request:
        case AddOrder() if request.cl_ord_id:
            found: Outcome | None = OrderOutcome(request, context)
        case AddOrderBatch() if all(order.cl_ord_id for order in request.orders):
            found = BatchOutcome(request, context)
        case AmendOrder():
            found = AmendOutcome(request, context)
        case EditOrder() if _is_txid(request.txid):
            found = EditOutcome(request, context)
        case CancelOrder() if request.cl_ord_id or _is_txid(request.txid):
            txids = [] if request.cl_ord_id else [str(request.txid)]
            found = CancelOutcome(txids, [request.cl_ord_id] if request.cl_ord_id else [], context)
        case CancelOrderBatch() if all(map(_is_txid, request.orders or ())):
            found = CancelOutcome([str(each) for each in request.orders or ()], [*(request.cl_ord_ids or ())], context)
        case _:
            found = None
    return found


def _is_txid(name: str | int | None) -> bool:
    """Whether it is an order's id, and not a `userref`, which names all orders that have it at the time."""
    return isinstance(name, str) and not is_userref(name)

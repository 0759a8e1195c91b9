"""Drives the machine of `krakenasync.protocol.placement` over the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import msgspec

from krakenasync.client.lookup import Lookup, Sender
from krakenasync.client.serverclock import ServerClock
from krakenasync.errors import (
    ConfigurationError,
    DuplicateClientOrderId,
    InvalidArguments,
    InvalidNonce,
    KrakenError,
    OrderNotPlaced,
    OutcomeUnknown,
)
from krakenasync.protocol import placement as machine
from krakenasync.protocol.bounds import DEADLINE
from krakenasync.protocol.moments import Deadline
from krakenasync.protocol.refusals import normalise
from krakenasync.protocol.servertime import SECOND
from krakenasync.spot.orders import OrderInfo
from krakenasync.spot.trading import AddOrder, OrderPlaced
from krakenasync.spot.values import from_nanoseconds

__all__ = ["PlacedOrder", "Placement", "look_on"]

_DEADLINE_REFUSED: Final = "EGeneral:Invalid arguments:deadline"


class PlacedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that exists exactly once.

    Attributes:
        txid: Kraken's id.
        cl_ord_id: Our id.
        order: The order as found at Kraken; None if it did not have to be looked for.
        description: The order as a sentence, if Kraken's answer arrived.
        adopted: Whether it was found by looking, because no answer confirmed it.
        sends: How many times it was sent; 0 if it was only looked for.
    """

    txid: str
    cl_ord_id: str
    order: OrderInfo | None = None
    description: str = ""
    adopted: bool = False
    sends: int = 0


class Eyes(Protocol):
    """Looks for the outcome."""

    async def glance(self) -> machine.Sight:
        """Look quickly; not finding the order proves nothing."""
        ...

    async def look(self) -> machine.Sight:
        """Look everywhere."""
        ...


class Placement:
    """One order on its way to existing once, or to being found.

    Args:
        sender: Makes calls.
        server: Kraken's clock.
        lookup: How the order is looked for.
        plan: How patient to be.
    """

    def __init__(self, sender: Sender, server: ServerClock, lookup: Lookup, plan: machine.Plan) -> None:
        self._sender = sender
        self._server = server
        self._lookup = lookup
        self._plan = plan
        self._sends = 0
        self._deadline = 0
        self._receipt: OrderPlaced | None = None
        self._error: KrakenError | None = None

    async def place(self, order: AddOrder, lifetime: float) -> PlacedOrder:
        """Send the order until it exists once.

        Args:
            order: The order, with its `cl_ord_id`.
            lifetime: Seconds between signing and deadline.

        Raises:
            KrakenError: See `krakenasync.client.orders.PlaceOrder`.
        """
        step: Any = machine.begin()
        with self._noting():
            while not isinstance(step, machine.Done | machine.Rejected | machine.NotPlaced | machine.GaveUp):
                if isinstance(step, machine.Send):
                    if step.number > 1:  # time has passed, and the machine may have slept
                        await self._server.refresh(self._sender)
                    self._sends = step.number
                    step = machine.sent(self._plan, step, await self._send(order, lifetime))
                else:
                    step = await self._advance(step)
        if isinstance(step, machine.Done):
            return self._placed(adopted=step.adopted)
        failure = self._failure(step)
        raise failure from (None if failure is self._error else self._error)

    async def resolve(self, deadline: int | None) -> PlacedOrder | None:
        """Look for the order without sending it; return None if it does not exist and will not appear any more.

        Args:
            deadline: The last request's, in nanoseconds since the unix epoch; None if it is not known.

        Raises:
            OutcomeUnknown: It is still not known whether the order exists.
        """
        end = machine.GaveUp(0)
        self._deadline = deadline or 0
        try:
            await self._server.refresh(self._sender)
        except KrakenError as error:
            raise self._doubt(end) from error
        # No request is accepted later than this after it was signed; a later deadline is a mistake, as of a time zone.
        farthest = self._server.likely() + DEADLINE[1] * SECOND
        self._deadline = min(deadline or farthest, farthest)
        return await self._resume(machine.Glance(0, self._deadline))

    async def _resume(self, step: machine.Glance | machine.Wait) -> PlacedOrder | None:
        """Look until the outcome is known, or no more looks are left."""
        try:
            end = await look_on(self._server, self._lookup, self._plan, step)
        except ConfigurationError as error:
            raise self._doubt(machine.GaveUp(self._sends)) from error
        if isinstance(end, machine.Done):
            return self._placed(adopted=True)
        if isinstance(end, machine.GaveUp):
            raise self._doubt(end) from self._lookup.error
        return None

    async def _advance(self, step: machine.Glance | machine.Wait | machine.Look) -> object:
        """Take one step that sends nothing."""
        try:
            following = await advance(self._server, self._lookup, self._plan, step)
        except ConfigurationError as error:
            raise self._doubt(machine.GaveUp(self._sends)) from error
        seen = self._lookup.error
        never = isinstance(seen, InvalidNonce) and seen.never_accepted and seen.attempts > 1
        if never and isinstance(self._error, InvalidNonce):
            # Usually the key was used with higher nonces, and further looks would be refused as well.
            raise self._doubt(machine.GaveUp(self._sends)) from self._error
        return following

    async def _send(self, order: AddOrder, lifetime: float) -> machine.Outcome:
        """Send the order once."""
        try:
            answer = await self._sender.send(order, late=lambda: self._late(lifetime))
        except DuplicateClientOrderId as error:
            self._error = error
            return machine.Taken()
        except KrakenError as error:
            self._error = error
            if error.effect == "unknown":
                return machine.Unknown(self._deadline)
            if isinstance(error, InvalidNonce) and error.retry_after is None:
                # A network may deliver a request twice: this may answer one copy while the engine has the other.
                return machine.Unknown(self._deadline)
            if isinstance(error, InvalidArguments) and _DEADLINE_REFUSED in map(normalise, error.codes):
                await self._server.refresh(self._sender, anew=True)
                return machine.Late()
            return machine.Refused()
        self._receipt = answer.result
        # A confirmation without an id confirms nothing: look.
        return machine.Placed() if answer.result.txid else machine.Unknown(self._deadline)

    def _late(self, lifetime: float) -> dict[str, Any]:
        """Make the deadline, as the last step before the nonce and the signature."""
        millis = (self._server.likely() + round(lifetime * SECOND)) // 10**6
        self._deadline = max(self._deadline, millis * 10**6)
        return {"deadline": Deadline().wire("deadline", from_nanoseconds(millis * 10**6))}

    def _placed(self, *, adopted: bool) -> PlacedOrder:
        found, cl_ord_id = self._lookup.found, self._lookup.cl_ord_id
        if found is not None:
            return PlacedOrder(
                txid=found.txid, cl_ord_id=cl_ord_id, order=found.order, adopted=adopted, sends=self._sends
            )
        receipt = self._receipt
        assert receipt is not None, "the machine is done without an order"  # noqa: S101 - see `_send`
        return PlacedOrder(
            txid=receipt.txid[0], cl_ord_id=cl_ord_id, description=receipt.descr.order, sends=self._sends
        )

    def _failure(self, end: machine.Rejected | machine.NotPlaced | machine.GaveUp) -> KrakenError:
        """Return the error for a placement that ended without an order."""
        if isinstance(end, machine.GaveUp) or self._error is None:
            return self._doubt(machine.GaveUp(self._sends) if not isinstance(end, machine.GaveUp) else end)
        if isinstance(self._error, InvalidNonce):
            self._error.attempts = self._sends
            return self._error
        if isinstance(end, machine.Rejected):
            return self._error
        error = OrderNotPlaced(
            f"sent {self._sends} times without a confirmation; there is no order, and none can come of it any more",
            endpoint="AddOrder",
            hint="it is safe to place it again",
        )
        error.attempts = self._sends
        return error

    def _doubt(self, end: machine.GaveUp) -> OutcomeUnknown:
        cl_ord_id = self._lookup.cl_ord_id
        unknown = OutcomeUnknown(
            f"order {cl_ord_id} may or may not exist",
            endpoint="AddOrder",
            hint="await error.resolve() looks again, and so does resolve_order(cl_ord_id=..., deadline=...)",
        )
        if isinstance(self._lookup.error, InvalidNonce):
            unknown.hint = f"{self._lookup.error.hint}; then {unknown.hint}"
        unknown.cl_ord_id = cl_ord_id
        unknown.deadline = from_nanoseconds(self._deadline) if self._deadline else None
        unknown.attempts = self._sends
        if self._deadline:
            unknown.resolver = lambda: self._resume(machine.resume(self._plan, end, self._deadline))
        else:
            unknown.resolver = lambda: self.resolve(None)
        return unknown

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Note the id on whatever interrupts a placement: a cancellation leaves the outcome unknown too."""
        try:
            yield
        except BaseException as gone:
            if self._deadline:
                until = from_nanoseconds(self._deadline)
                gone.add_note(
                    f"order {self._lookup.cl_ord_id} may exist, or be placed until {until}: "
                    "resolve_order(cl_ord_id=..., deadline=...) finds out"
                )
            raise


async def advance(
    server: ServerClock, eyes: Eyes, plan: machine.Plan, step: machine.Glance | machine.Wait | machine.Look
) -> object:
    """Take one step that sends nothing, and return the next."""
    match step:
        case machine.Glance():
            return machine.glanced(plan, step, await eyes.glance())
        case machine.Wait():
            await server.sleep_until(step.until)
            return machine.waited(step)
        case machine.Look():
            sight = await eyes.look()
            return machine.looked(plan, step, sight, server.at_least())


async def look_on(
    server: ServerClock, eyes: Eyes, plan: machine.Plan, step: machine.Glance | machine.Wait | machine.Look
) -> machine.Done | machine.Rejected | machine.NotPlaced | machine.GaveUp:
    """Look until it is known what became of the requests, or cannot be known; send nothing."""
    plan = msgspec.structs.replace(plan, resubmit=False)
    following: Any = step
    while isinstance(following, machine.Glance | machine.Wait | machine.Look):
        following = await advance(server, eyes, plan, following)
    end: machine.Done | machine.Rejected | machine.NotPlaced | machine.GaveUp = following
    return end

"""Cancelling an order until its end is known: drives the machine of `krakenasync.protocol.cancelling`."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final

import anyio
import msgspec

from krakenasync.client.lookup import FoundOrder, Sender, newest
from krakenasync.client.serverclock import ServerClock
from krakenasync.errors import (
    ConfigurationError,
    InvalidArguments,
    KrakenError,
    OutcomeUnknown,
    RateLimitExceeded,
    ServiceUnavailable,
    UnknownOrder,
)
from krakenasync.protocol import cancelling as machine
from krakenasync.protocol.clordid import is_userref
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.servertime import SECOND, SKEW
from krakenasync.spot.changes import CancelOrder
from krakenasync.spot.orders import ClosedOrders, OpenOrders, OrderInfo, QueryOrders
from krakenasync.spot.values import ENDED, ClientOrderId, Word, from_nanoseconds

__all__ = ["Cancellation", "EnsureCancelled", "ensure_cancelled"]

LOG: Final = logging.getLogger("krakenasync")
_AT_A_GLANCE: Final = 1.0
"""Seconds between two looks beyond which an order may have reached the book after the first."""


class EnsureCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel an order and find out how it ended, whatever the network does.

    The cancellation is repeated until the order is seen to have ended. That is safe, because it names one order, and an
    order ends once. With a `cl_ord_id` this is true as long as no later order has the same id. An earlier one may have
    had it: so one that was not cancelled just now is looked for again, once or twice, as a later one may not show yet.

    Args:
        txid: Kraken's id of the order.
        cl_ord_id: The client's id of the order, in place of `txid`.

    Returns:
        The order in its final state: `status` is ``canceled``, ``closed`` (it was filled first) or ``expired``, and
        `vol_exec` says how much was filled.

    An order whose request may still be under way (after an `OutcomeUnknown`, or a `place_order` that was cancelled) can
    reach the book after the search: call `resolve_order` first, then cancel what it finds.

    Raises:
        UnknownOrder: There is no such order.
        OutcomeUnknown: The order may still be open; `resolve()` looks again, without cancelling.
        KrakenError: Kraken refuses to cancel the order.
    """

    txid: Word | None = None
    cl_ord_id: ClientOrderId | None = None

    def name(self) -> dict[str, str]:
        """Return the parameter that names the order.

        Raises:
            InvalidArguments: No name was given, or it may name several orders.
        """
        name = CancelOrder(txid=self.txid, cl_ord_id=self.cl_ord_id).params()
        if is_userref(str(name.get("txid", ""))):
            raise InvalidArguments(
                f"txid={quoted(self.txid)} is a userref, which may name several orders", hint="give the txid"
            )
        return name


async def ensure_cancelled(
    sender: Sender, server: ServerClock, wanted: EnsureCancelled, age: Callable[[], float]
) -> OrderInfo:
    """Cancel an order and find out how it ended; see `EnsureCancelled` and `Cancellation`."""
    return await Cancellation(sender, server, wanted.name(), age).run(machine.Plan())


class Cancellation:
    """One order on its way to its end.

    Args:
        sender: Makes calls.
        server: Kraken's clock.
        name: The order's ``txid`` or ``cl_ord_id``.
        age: Returns the most seconds that can have passed since the beginning.
    """

    def __init__(self, sender: Sender, server: ServerClock, name: dict[str, str], age: Callable[[], float]) -> None:
        self._sender = sender
        self._server = server
        self._name = name
        self._age = age
        self._found: FoundOrder | None = None
        self._error: KrakenError | None = None
        self._may_be_done = self._exists = False

    async def run(self, plan: machine.Plan) -> OrderInfo:
        """Do what the machine says until it is done.

        Raises:
            KrakenError: See `EnsureCancelled`.
        """
        step: Any = machine.begin(plan, exists=self._exists)
        while True:
            match step:
                case machine.Cancel() | machine.Look() | machine.Pause():
                    step = await self._take(plan, step)
                case machine.Over() if self._found is not None:
                    return self._found.order
                case machine.Rejected() if self._error is not None:
                    raise self._error
                case machine.NoSuchOrder():
                    raise UnknownOrder(f"there is no order {self._said}", endpoint="CancelOrder") from self._error
                case _:
                    raise self._doubt(plan) from self._error

    async def _take(self, plan: machine.Plan, step: machine.Cancel | machine.Look | machine.Pause) -> Any:
        """Take a step and return the next."""
        try:
            match step:
                case machine.Cancel():
                    return machine.cancelled(step, await self._cancel())
                case machine.Look():
                    return machine.looked(plan, step, await self._look())
                case machine.Pause():
                    await anyio.sleep(step.seconds)
                    return step.then
        except ConfigurationError as error:  # the client is closed: no further look can do better
            if step == machine.Cancel():
                raise
            raise self._doubt(plan) from error

    async def _cancel(self) -> machine.Acknowledged | machine.Gone | machine.Unclear | machine.Denied:
        try:
            await self._sender.send(CancelOrder(**self._name))
        except UnknownOrder as error:
            self._error = error
            return machine.Gone()
        except ConfigurationError:
            raise
        except KrakenError as error:
            self._error = error
            again = error.effect == "unknown" or isinstance(error, RateLimitExceeded | ServiceUnavailable)
            self._may_be_done |= error.effect == "unknown"
            # A refusal of this cancel says nothing about an earlier one that may have been carried out.
            return machine.Unclear() if again or error.retryable or self._may_be_done else machine.Denied()
        self._may_be_done = self._exists = True
        return machine.Acknowledged()

    async def _look(self) -> machine.Ended | machine.Earlier | machine.Resting | machine.Missing | machine.Unseen:
        try:
            found = await (self._by_txid() if "txid" in self._name else self._by_client_id())
            earlier = found is not None and "txid" not in self._name and await self._may_be_earlier(found.order)
        except UnknownOrder:
            return machine.Missing()
        except ConfigurationError:
            raise
        except KrakenError as error:
            self._error = error
            LOG.info("looking for order %s failed: %s", self._said, error)
            return machine.Unseen()
        if found is None:
            return machine.Missing()
        self._found = found
        if earlier:
            return machine.Earlier()
        self._name = {"txid": found.txid}  # never reused, unlike a client's id
        return machine.Ended() if found.order.status in ENDED else machine.Resting()

    async def _by_txid(self) -> FoundOrder | None:
        txid = self._name["txid"]
        order = (await self._sender.send(QueryOrders(txid=txid))).result.get(txid)
        return FoundOrder(txid, order) if order else None

    async def _by_client_id(self) -> FoundOrder | None:
        cl_ord_id, began = self._name["cl_ord_id"], anyio.current_time()
        if found := await self._open(cl_ord_id):
            return found
        request = ClosedOrders(cl_ord_id=cl_ord_id, without_count=True)
        found = newest((await self._sender.send(request)).result.closed, cl_ord_id)
        if found is None and anyio.current_time() - began > _AT_A_GLANCE:
            found = await self._open(cl_ord_id)
        return found

    async def _open(self, cl_ord_id: str) -> FoundOrder | None:
        opened = (await self._sender.send(OpenOrders(cl_ord_id=cl_ord_id))).result.open
        return newest(opened, cl_ord_id)

    async def _may_be_earlier(self, order: OrderInfo) -> bool:
        """Whether an order with that client's id need not be the one that was cancelled: unless that ended it just now.

        Without Kraken's clock it may be. A cancellation does not wait for that: Kraken's public counter may be full.
        """
        if order.status != "canceled":
            return order.status in ENDED
        with anyio.move_on_after(_AT_A_GLANCE), contextlib.suppress(KrakenError):
            await self._server.refresh(self._sender)
            began = self._server.at_least() - round((self._age() + SKEW) * SECOND)
            return (order.closetm or order.opentm) < from_nanoseconds(began)
        return True

    def _doubt(self, plan: machine.Plan) -> OutcomeUnknown:
        unknown = OutcomeUnknown(
            f"order {self._said} may still be open",
            endpoint="CancelOrder",
            hint="await error.resolve() looks again; ensure_cancelled() may be repeated without harm",
        )
        unknown.cl_ord_id = self._name.get("cl_ord_id")
        unknown.resolver = lambda: self.run(msgspec.structs.replace(plan, cancels=0))
        return unknown

    @property
    def _said(self) -> str:
        return next(iter(self._name.values()))

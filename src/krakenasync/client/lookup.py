"""Looking for an order by its `cl_ord_id`: the eyes of `krakenasync.protocol.placement`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol, Self, TypeVar

from krakenasync.client.queueing import Lane
from krakenasync.errors import ConfigurationError, KrakenError
from krakenasync.protocol import placement as machine
from krakenasync.protocol.charges import pair_key
from krakenasync.protocol.clordid import same_id
from krakenasync.protocol.paging import PAGING
from krakenasync.protocol.requests import Request
from krakenasync.protocol.servertime import SECOND
from krakenasync.protocol.wire import Answer
from krakenasync.spot.orders import ClosedOrders, OpenOrders, OrderInfo
from krakenasync.spot.trading import AddOrder
from krakenasync.spot.values import EPOCH

__all__ = ["FoundOrder", "Lookup", "Sender", "newest"]

LOG: Final = logging.getLogger("krakenasync")
R = TypeVar("R")

_SLACK: Final = 60
"""Seconds before an order's first sending from which closed orders are searched."""


class Sender(Protocol):
    """What a lookup needs of a client."""

    async def send(self, request: Request[R], late: Callable[[], dict[str, Any]] | None = None) -> Answer[R]:
        """Make a call; `late` returns parameters at the moment of signing."""
        ...

    @property
    def patience(self) -> tuple[float, int]:
        """Seconds that an attempt may take, and how many attempts there may be."""
        ...

    def with_options(self, *, lane: Lane, max_age: None) -> Self:
        """Return one whose calls use that lane and get no old answers."""
        ...


class FoundOrder(NamedTuple):
    """An order and its id at Kraken."""

    txid: str
    order: OrderInfo


class Lookup:
    """Looks for one order.

    Args:
        sender: Makes the calls.
        cl_ord_id: The id to look for.
        like: The order as it was sent, if it is known: then one that hides its id is suspected.
        since: Nanoseconds on Kraken's clock before the order's first sending, if known.
        given: Whether the caller chose the id, so that it may have named another order before.

    Attributes:
        cl_ord_id: The id that is looked for.
        found: The order, once it has been seen.
        error: Why the last look failed, if it did.
    """

    def __init__(
        self, sender: Sender, cl_ord_id: str, *, like: AddOrder | None = None, since: int = 0, given: bool = False
    ) -> None:
        self._sender = sender
        self.cl_ord_id = cl_ord_id
        self._like = like
        self._given = given
        self._first = datetime.fromtimestamp(since / SECOND, UTC) if since else EPOCH
        self._start = max(0, since // SECOND - _SLACK) if since else None
        self.found: FoundOrder | None = None
        self.error: KrakenError | None = None

    async def glance(self) -> machine.Sight:
        """Look at the open orders."""
        try:
            return await self._among_open()
        except KrakenError as error:
            return self._failed(error)

    async def look(self) -> machine.Sight:
        """Look at the open orders, then at the closed ones."""
        try:
            opened = await self._among_open()
            if isinstance(opened, machine.Found | machine.Stranger):
                return opened
            closed = await self._among_closed()
        except KrakenError as error:
            return self._failed(error)
        return opened if isinstance(closed, machine.Absent) else closed

    async def _among_open(self) -> machine.Sight:
        answer = await self._sender.send(OpenOrders(cl_ord_id=self.cl_ord_id))
        return self._seen(answer.result.open, closed=False)

    async def _among_closed(self) -> machine.Sight:
        request = ClosedOrders(cl_ord_id=self.cl_ord_id, start=self._start, without_count=True)
        page = (await self._sender.send(request)).result.closed
        sight = self._seen(page, closed=True)
        # A full page that is not about our id: the filter did not work, and ours may be on the next one.
        if isinstance(sight, machine.Absent) and len(page) >= PAGING["ClosedOrders"].rows:
            return machine.Suspect()
        return sight

    def _failed(self, error: KrakenError) -> machine.Unseen:
        if isinstance(error, ConfigurationError):  # the client is closed: no further look can do better
            raise error
        self.error = error
        LOG.info("looking for order %s failed: %s", self.cl_ord_id, error)
        return machine.Unseen()

    def _seen(self, orders: dict[str, OrderInfo], *, closed: bool) -> machine.Sight:
        """Find the order; do not trust the filter, nor an order that hides its id."""
        ours = newest(orders, self.cl_ord_id)
        if ours is None:
            suspects = [order for order in orders.values() if order.cl_ord_id is None and self._suspected(order)]
            return machine.Suspect() if suspects else machine.Absent()
        if closed and self._given and (ours.order.closetm or ours.order.opentm) < self._first:
            return machine.Suspect()  # the id named another order before, or this one was sent by an earlier run
        if self._given and self._like is not None and not _same_order(self._like, ours.order):
            return machine.Stranger()
        self.found = ours
        return machine.Found()

    def _suspected(self, order: OrderInfo) -> bool:
        """Whether an order that shows no id may be ours."""
        ours = self._like
        return ours is not None and order.opentm >= self._first and not order.userref and _alike(ours, order)


def newest(orders: dict[str, OrderInfo], cl_ord_id: str) -> FoundOrder | None:
    """Return the order that has the id: the newest if it was reused, and not the close order it may have made."""
    bearers = [FoundOrder(txid, order) for txid, order in orders.items() if same_id(order.cl_ord_id, cl_ord_id)]
    if len(bearers) > 1:
        LOG.warning("%d orders have cl_ord_id %s: %s", len(bearers), cl_ord_id, [txid for txid, _ in bearers])
    return max(bearers, key=lambda each: (each.order.refid is None, each.order.opentm), default=None)


def _same_order(ours: AddOrder, theirs: OrderInfo) -> bool:
    """Whether an order is what was asked for, as far as can be seen."""
    return pair_key(theirs.descr.pair) == pair_key(ours.pair) and _alike(ours, theirs)


def _alike(ours: AddOrder, theirs: OrderInfo) -> bool:
    """Whether side, kind and volume agree; a volume in quote currency, or of a whole position, shows as another."""
    if (theirs.descr.type, theirs.descr.ordertype) != (ours.type, ours.ordertype):
        return False
    volume = Decimal(ours.volume)
    return "viqc" in (ours.oflags or ()) or not volume or theirs.vol == volume

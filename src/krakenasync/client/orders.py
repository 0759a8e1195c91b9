"""Placing an order exactly once: drives the machine of `krakenasync.protocol.placement` over the network."""

from __future__ import annotations

import inspect
import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar, assert_never

import anyio
import msgspec

from krakenasync.clock import Clock
from krakenasync.errors import (
    DuplicateClientOrderId,
    InvalidArguments,
    InvalidType,
    KrakenError,
    OrderNotPlaced,
    OutcomeUnknown,
)
from krakenasync.protocol import placement as machine
from krakenasync.protocol.requests import Request
from krakenasync.protocol.servertime import SECOND, ServerTime
from krakenasync.protocol.wire import Answer
from krakenasync.spot.market import Time
from krakenasync.spot.orders import ClosedOrders, OpenOrders, OrderInfo
from krakenasync.spot.trading import AddOrder, Order, OrderPlaced
from krakenasync.spot.values import PairName, TokenizedClass, Word

__all__ = ["Intent", "PlaceOrder", "PlacedOrder", "Placement", "ServerClock"]

LOG: Final = logging.getLogger("krakenasync")
R = TypeVar("R")

_SHORTEST: Final = 3.0
_LONGEST: Final = 58.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SLACK: Final = 60
"""Seconds before the first send from which closed orders are searched: clocks differ."""


class Sender(Protocol):
    """What a placement asks of a client."""

    async def send(self, request: Request[R], late: Callable[[], dict[str, Any]] | None = None) -> Answer[R]:
        """Make a call; `late` gives parameters at the moment of signing."""
        ...


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """An order about to be sent for the first time. Journal it, and a crash loses nothing.

    Attributes:
        cl_ord_id: The id to look for.
        order: The order as it will be sent.
        lifetime: Seconds after its sending for which the engine will take it.
    """

    cl_ord_id: str
    order: AddOrder
    lifetime: float


class PlacedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that exists, once.

    Attributes:
        txid: Kraken's id.
        cl_ord_id: Ours.
        order: The order as found at Kraken, if it had to be looked for; else None.
        description: The order as a sentence, if Kraken's answer arrived.
        adopted: Whether it was found by looking, because no answer told of it.
        sends: How often it was sent.
    """

    txid: str
    cl_ord_id: str
    order: OrderInfo | None = None
    description: str = ""
    adopted: bool = False
    sends: int = 1


OnIntent = Callable[[Intent], Awaitable[None] | None]


class PlaceOrder(Order, frozen=True, kw_only=True):
    """Place an order exactly once, whatever the network does.

    Takes what `add_order` takes. A `cl_ord_id` is made if none is given; `userref` excludes it and is refused.

    Args:
        deadline: Seconds for which the engine may take the request, 3 to 58. Also how long an unknown outcome takes
            to clear up, and 2 seconds more.
        resubmit: Whether an order that is known not to be there is sent again.
        on_intent: Called (and awaited) with the `Intent` before anything is sent.

    Returns:
        The order: confirmed, or found.

    Raises:
        Refused: Kraken refused it; there is no order.
        OrderNotPlaced: There is no order, and none can come of what was sent.
        OutcomeUnknown: It cannot be told; `cl_ord_id`, `deadline` and `resolve()` help on.
    """

    pair: PairName
    asset_class: TokenizedClass | None = None
    broker: Word | None = None
    deadline: float = 5.0
    resubmit: bool = True
    on_intent: OnIntent | None = None

    def order(self) -> AddOrder:
        """Return the order to send, with its `cl_ord_id`.

        Raises:
            InvalidArguments: It cannot be placed exactly once.
        """
        if self.userref is not None:
            raise InvalidArguments("userref excludes cl_ord_id, by which an order is found again", hint="leave it out")
        if isinstance(self.deadline, bool) or not isinstance(self.deadline, (int, float)):
            raise InvalidType(f"deadline must be seconds, not {type(self.deadline).__name__}")
        if not _SHORTEST <= self.deadline <= _LONGEST:
            raise InvalidArguments(f"deadline={self.deadline}", hint="3 to 58 seconds; Kraken takes 2 to 60")
        shared = set(AddOrder.__struct_fields__) & set(self.__struct_fields__) - {"deadline", "cl_ord_id"}
        order = AddOrder(
            **{name: getattr(self, name) for name in shared}, cl_ord_id=self.cl_ord_id or str(uuid.uuid4())
        )
        order.params()
        return order


class ServerClock:
    """Kraken's clock, read when needed: never ahead of the real one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reading: ServerTime | None = None

    def now(self) -> int:
        """Nanoseconds that Kraken's clock shows at the least."""
        assert self._reading is not None, "read it first"  # noqa: S101 - a placement begins with `refresh`
        return self._reading.at_least(self._steady())

    async def refresh(self, sender: Sender, *, anew: bool = False) -> None:
        """Read Kraken's clock if the last reading will not do any more."""
        reading = self._reading
        if anew or reading is None or reading.stale(self._steady(), self._clock.wall_ns()):
            answer = await sender.send(Time())
            seconds = answer.result.unixtime
            self._reading = ServerTime(seconds * SECOND, self._steady(), self._clock.wall_ns())

    def _steady(self) -> int:
        return round(self._clock.monotonic() * SECOND)


class Placement:
    """One order on its way to existing once.

    Args:
        sender: Makes calls.
        server: Kraken's clock.
        order: The order, with its `cl_ord_id`.
        lifetime: Seconds between signing and deadline.
        plan: How patient to be.
    """

    def __init__(
        self, sender: Sender, server: ServerClock, order: AddOrder, lifetime: float, plan: machine.Plan
    ) -> None:
        self._sender = sender
        self._server = server
        self._order = order
        self._cl_ord_id = order.cl_ord_id or ""
        self._lifetime = round(lifetime * SECOND)
        self._plan = plan
        self._since = 0
        self._deadline = 0
        self._found: tuple[str, OrderInfo] | None = None
        self._placed: OrderPlaced | None = None
        self._error: KrakenError | None = None

    async def place(self) -> PlacedOrder:
        """Run the machine to its end.

        Raises:
            KrakenError: See `PlaceOrder`.
        """
        await self._server.refresh(self._sender)
        self._since = self._server.now() // SECOND - _SLACK
        return await self._run(machine.begin(), self._plan)

    async def _run(
        self, step: machine.Send | machine.Glance | machine.Wait | machine.Look, plan: machine.Plan
    ) -> PlacedOrder:
        """Do what the machine says until it is done."""
        sends = 0
        following: Any = step
        while True:
            match following:
                case machine.Send():
                    sends = following.number
                    following = machine.sent(following, await self._send())
                case machine.Glance():
                    following = machine.glanced(plan, following, await self._look(glance=True))
                case machine.Wait():
                    await self._wait(following.until)
                    following = machine.waited(following)
                case machine.Look():
                    sight = await self._look()
                    following = machine.looked(plan, following, sight, self._server.now())
                case machine.Done():
                    return self._done(sends, adopted=following.adopted)
                case machine.Rejected() | machine.NotPlaced() | machine.GaveUp():
                    raise self._failure(following, sends) from self._error
                case _:
                    assert_never(following)

    async def _send(self) -> machine.Outcome:
        """Send the order once, with a deadline made when it is signed."""
        try:
            answer = await self._sender.send(self._order, late=self._late)
        except DuplicateClientOrderId as error:
            self._error = error
            return machine.Taken()
        except KrakenError as error:
            self._error = error
            return machine.Unknown(self._deadline) if error.effect == "unknown" else machine.Refused()
        self._placed = answer.result
        return machine.Placed()

    def _late(self) -> dict[str, Any]:
        """Make the deadline: the last thing before the nonce and the signature."""
        millis = (self._server.now() + self._lifetime) // 10**6
        self._deadline = max(self._deadline, millis * 10**6)
        return {"deadline": f"{_datetime(millis * 10**6).isoformat(timespec='milliseconds')[:-6]}Z"}

    async def _wait(self, until: int) -> None:
        await anyio.sleep(max(0, until - self._server.now()) / SECOND)

    async def _look(self, *, glance: bool = False) -> machine.Sight:
        """Look at the open orders, and unless it is a glance, then at the closed ones."""
        try:
            opened = (await self._sender.send(OpenOrders(cl_ord_id=self._cl_ord_id))).result.open
            sight = self._seen(opened)
            if glance or not isinstance(sight, machine.Absent):
                return sight
            request = ClosedOrders(cl_ord_id=self._cl_ord_id, start=self._since, without_count=True)
            return self._seen((await self._sender.send(request)).result.closed)
        except KrakenError as error:
            self._error = self._error or error
            LOG.info("looking for order %s failed: %s", self._cl_ord_id, error)
            return machine.Unseen()

    def _seen(self, orders: dict[str, OrderInfo]) -> machine.Sight:
        """Find the order; do not trust the filter, nor an order that hides its id."""
        ours = [(txid, order) for txid, order in orders.items() if _same_id(order.cl_ord_id, self._cl_ord_id)]
        if ours:
            if len(ours) > 1:
                LOG.error("%d orders carry cl_ord_id %s: %s", len(ours), self._cl_ord_id, [txid for txid, _ in ours])
            self._found = ours[0]
            return machine.Found()
        like = [order for order in orders.values() if order.cl_ord_id is None and self._alike(order)]
        return machine.Suspect() if like else machine.Absent()

    def _alike(self, order: OrderInfo) -> bool:
        """Whether an order without an id may be ours."""
        ours, theirs = self._order, order.descr
        return (
            order.opentm.timestamp() >= self._since
            and not order.userref
            and theirs.type == ours.type
            and theirs.ordertype == ours.ordertype
            and order.vol == Decimal(ours.volume)
        )

    def _done(self, sends: int, *, adopted: bool) -> PlacedOrder:
        if self._found is not None:
            txid, order = self._found
            return PlacedOrder(txid=txid, cl_ord_id=self._cl_ord_id, order=order, adopted=adopted, sends=sends)
        placed = self._placed
        if placed is None or not placed.txid:
            raise self._failure(machine.GaveUp(), sends)
        return PlacedOrder(txid=placed.txid[0], cl_ord_id=self._cl_ord_id, description=placed.descr.order, sends=sends)

    def _failure(self, end: machine.Rejected | machine.NotPlaced | machine.GaveUp, sends: int) -> KrakenError:
        """Say how it ended, when it did not end with an order."""
        if isinstance(end, machine.Rejected) and self._error is not None:
            return self._error
        if isinstance(end, machine.NotPlaced):
            return OrderNotPlaced(
                f"sent {sends} times without an answer; no order came of it, and none can any more",
                endpoint="AddOrder",
                hint="it is safe to place it anew",
            )
        unknown = OutcomeUnknown(
            f"order {self._cl_ord_id} may or may not exist",
            endpoint="AddOrder",
            hint="await error.resolve() looks again; or open_orders(cl_ord_id=...), closed_orders(cl_ord_id=...)",
        )
        unknown.cl_ord_id = self._cl_ord_id
        unknown.deadline = _datetime(self._deadline) if self._deadline else None
        unknown.attempts = sends
        unknown.resolver = self._resolve
        return unknown

    async def _resolve(self) -> PlacedOrder | None:
        """Look again, without sending anything."""
        await self._server.refresh(self._sender)
        plan = msgspec.structs.replace(self._plan, resubmit=False)
        try:
            return await self._run(machine.Wait(self._deadline + plan.margin, machine.Look(plan.sends)), plan)
        except OrderNotPlaced:
            return None


async def announce(intent: Intent, hook: OnIntent | None) -> None:
    """Tell the hook, and wait for it."""
    if hook is not None:
        told = hook(intent)
        if inspect.isawaitable(told):
            await told


def _same_id(theirs: str | None, ours: str) -> bool:
    """Compare ids as Kraken does: a UUID is a 128-bit number, with or without dashes.

    Source: https://docs.kraken.com/api/docs/guides/spot-clordid
    """
    return theirs is not None and theirs.replace("-", "").lower() == ours.replace("-", "").lower()


def _datetime(ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ns // 1000)

"""ensure_cancelled, over the client against the sandbox, in virtual time."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum

import anyio
import pytest

from krakenasync import (
    ConfigurationError,
    InvalidArguments,
    OutcomeUnknown,
    PermissionDenied,
    RetryPolicy,
    Unanswered,
    UnknownOrder,
)
from krakenasync.client.cancelling import EnsureCancelled, ensure_cancelled
from krakenasync.protocol.wire import Answer
from krakenasync.sandbox import SandboxConfig
from krakenasync.spot.changes import CancelOrder
from krakenasync.spot.orders import (
    ClosedOrders,
    ClosedOrdersPage,
    OpenOrders,
    OpenOrdersBook,
    OrderDescription,
    OrderInfo,
    QueryOrders,
)
from krakenasync.testing import in_process, run

BUY = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "30000"}
MARKET = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001"}


def play(scene, **config):
    """Run ``scene(kraken, sandbox)`` in virtual time."""

    async def main(clock):
        running = in_process(SandboxConfig(limits=False, **config), clock=clock)
        async with running.client(retry=RetryPolicy(attempts=1)) as kraken:
            return await scene(kraken, running.sandbox)

    return run(main)


def by(kind, order):
    """Name an order by its txid or its cl_ord_id."""
    return {kind: getattr(order, kind)}


@pytest.mark.parametrize("kind", ["txid", "cl_ord_id"])
@pytest.mark.parametrize(
    "fault",
    [None, "answer-lost-before", "answer-lost-after", "502-before", "502-after", "EOrder:Rate limit exceeded"],
)
def test_a_resting_order_ends_up_cancelled(kind, fault):
    """Whatever becomes of the first cancellation; and it is seen to be cancelled."""

    async def scene(kraken, sandbox):
        order = await kraken.place_order(**BUY)
        if fault:
            sandbox.faults.add("CancelOrder", fault)
        ended = await kraken.ensure_cancelled(**by(kind, order))
        assert (ended.status, ended.vol_exec) == ("canceled", 0)
        assert not sandbox.accounts["alice"].open

    play(scene)


@pytest.mark.parametrize("kind", ["txid", "cl_ord_id"])
def test_an_order_that_was_filled_first_is_reported_as_filled(kind):
    """``Unknown order`` does not tell; the order does."""

    async def scene(kraken, sandbox):
        order = await kraken.place_order(**MARKET)
        ended = await kraken.ensure_cancelled(**by(kind, order))
        assert (ended.status, ended.vol_exec) == ("closed", ended.vol)
        assert sandbox.stats.requests["CancelOrder"] == 1

    play(scene)


@pytest.mark.parametrize("name", [{"txid": "OAAAAA-BBBBB-CCCCCC"}, {"cl_ord_id": "grid-1"}])
def test_an_order_that_never_was_is_unknown(name):
    """After several looks: a fresh order may take a moment to show."""

    async def scene(kraken, sandbox):
        with pytest.raises(UnknownOrder, match="there is no order"):
            await kraken.ensure_cancelled(**name)
        assert sandbox.clock.monotonic() > 1

    play(scene)


@pytest.mark.parametrize("kind", ["txid", "cl_ord_id"])
@pytest.mark.parametrize("fault", ["EService:Busy", "502-before", "answer-lost-before"])
def test_an_order_too_young_to_show_is_not_denied(kind, fault):
    """Its first cancellation is not carried out, and for two seconds no list knows it: it is cancelled again."""

    async def scene(kraken, sandbox):
        order = await kraken.place_order(**BUY)
        sandbox.faults.add("CancelOrder", fault)
        sandbox.faults.add("QueryOrders", "EOrder:Invalid order", times=3)
        ended = await kraken.ensure_cancelled(**by(kind, order))
        assert ended.status == "canceled"
        assert not sandbox.accounts["alice"].open

    play(scene, open_order_lag=2.0)


class SlowLists:
    """An exchange whose closed orders come late, and on which an order begins to rest in the meantime."""

    def __init__(self, clock, born):
        self.clock, self.born, self.status = clock, born, "open"

    async def send(self, request):
        orders = {"O1": self.order()} if self.clock.monotonic() >= self.born else {}
        match request:
            case CancelOrder() if orders:
                self.status = "canceled"
            case CancelOrder():
                raise UnknownOrder("x")
            case OpenOrders():
                return Answer(OpenOrdersBook(orders if self.status == "open" else {}))
            case ClosedOrders():
                await anyio.sleep(12)
                return Answer(ClosedOrdersPage({}))
            case QueryOrders():
                return Answer(orders)
        return Answer(None)

    def order(self):
        opened = datetime.fromtimestamp(self.born, UTC)
        zero = Decimal(0)
        return OrderInfo(
            status=self.status, opentm=opened, descr=OrderDescription(), vol=zero, vol_exec=zero, cl_ord_id="mine"
        )


def test_an_order_that_came_to_rest_between_two_slow_looks_is_not_denied():
    """In the last of three looks it begins to rest after the open orders were read and before the closed ones came."""

    async def main(clock):
        ended = await ensure_cancelled(SlowLists(clock, born=30), EnsureCancelled(cl_ord_id="mine"))
        assert ended.status == "canceled"

    run(main)


def test_on_a_closed_client_nothing_is_looked_for_any_longer():
    """What was sent may still be carried out; without anything sent there is no doubt."""

    async def scene(kraken, sandbox):
        order = await kraken.place_order(**BUY)
        sandbox.faults.add("CancelOrder", "answer-lost-before")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(doubted, kraken.ensure_cancelled, {"txid": order.txid})
            await anyio.sleep(0.2)
            await kraken.aclose()
        assert sandbox.clock.monotonic() < 3
        with pytest.raises(ConfigurationError, match="closed"):
            await kraken.ensure_cancelled(txid=order.txid)

    async def doubted(call, name):
        with pytest.raises(OutcomeUnknown) as caught:
            await call(**name)
        assert isinstance(caught.value.__cause__, ConfigurationError)

    play(scene)


def test_an_order_that_does_not_show_as_open_yet_is_found_closed():
    """A lagging list of open orders does not hide what the cancellation did."""

    async def scene(kraken, sandbox):
        order = await kraken.place_order(**BUY, cl_ord_id="grid-1")
        sandbox.faults.add("CancelOrder", "answer-lost-before")
        assert (await kraken.ensure_cancelled(cl_ord_id="grid-1")).status == "canceled"
        assert order.txid not in sandbox.accounts["alice"].open

    play(scene, open_order_lag=1.0)


def test_when_no_look_succeeds_the_doubt_can_be_resolved_without_cancelling():
    """Resolving looks only."""

    async def scene(kraken, sandbox):
        order = await kraken.place_order(**BUY)
        sandbox.faults.add("QueryOrders", "502", times=10)
        with pytest.raises(OutcomeUnknown, match="may still be open") as caught:
            await kraken.ensure_cancelled(txid=order.txid)
        cancels = sandbox.stats.requests["CancelOrder"]
        assert (await caught.value.resolve()).status == "canceled"
        assert sandbox.stats.requests["CancelOrder"] == cancels

    play(scene)


def test_a_refusal_passes_through():
    """There is no use in repeating what is not permitted."""

    async def scene(kraken, sandbox):
        order = await kraken.place_order(**BUY)
        sandbox.faults.add("CancelOrder", "EGeneral:Permission denied")
        with pytest.raises(PermissionDenied):
            await kraken.ensure_cancelled(txid=order.txid)
        assert sandbox.stats.requests["CancelOrder"] == 1

    play(scene)


class Named(Enum):
    """An id as a member of an enumeration."""

    GRID = "grid-1"


def test_an_order_named_by_a_member_of_an_enumeration_is_cancelled():
    """The member stands for its value, also where ids are compared."""

    async def scene(kraken, sandbox):
        await kraken.place_order(**BUY, cl_ord_id=Named.GRID)
        assert (await kraken.ensure_cancelled(cl_ord_id=Named.GRID)).status == "canceled"
        assert (await kraken.resolve_order(cl_ord_id=Named.GRID)).cl_ord_id == "grid-1"

    play(scene)


@pytest.mark.parametrize(
    "name",
    [
        {},
        {"txid": "1", "cl_ord_id": "2"},
        {"txid": "17"},
        {"txid": "-17"},
        {"txid": 17},
        {"txid": 10**5000},
        {"txid": ["O1"]},
        {"cl_ord_id": ""},
    ],
    ids=range(8),
)
def test_what_does_not_name_one_order_is_refused(name):
    """A userref may name many, and one by one is the point."""

    async def scene(kraken, sandbox):
        with pytest.raises(InvalidArguments):
            await kraken.ensure_cancelled(**name)
        assert not sandbox.stats.requests

    play(scene)


class Laggard:
    """An exchange that carries the first cancellation out and does not say so, nor show it; then a gateway denies."""

    def __init__(self, first):
        self.first, self.cancels = first, 0

    async def send(self, request):
        match request:
            case CancelOrder():
                self.cancels += 1
                if self.cancels > 1:
                    raise PermissionDenied("a gateway's page", effect="none")
                if self.first is not None:
                    raise self.first
                return Answer(None)
            case QueryOrders():
                description = OrderDescription(pair="XBTUSD", type="buy", ordertype="limit")
                order = OrderInfo(
                    status="open", opentm=datetime.now(UTC), descr=description, vol=Decimal(1), vol_exec=Decimal(0)
                )
                return Answer({"O1": order})


@pytest.mark.parametrize("first", [None, Unanswered("lost", effect="unknown")])
def test_a_later_denial_says_nothing_of_an_earlier_cancellation(first):
    """It may have been carried out: what is told is doubt, not that nothing was done."""

    async def main(_clock):
        exchange = Laggard(first)
        with pytest.raises(OutcomeUnknown) as doubt:
            await ensure_cancelled(exchange, EnsureCancelled(txid="O1"))
        assert doubt.value.effect == "unknown"
        assert exchange.cancels > 1

    run(main)

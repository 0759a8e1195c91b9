"""ensure_cancelled, over the client against the sandbox, in virtual time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum

import anyio
import msgspec
import pytest

from krakenasync import (
    ConfigurationError,
    InvalidArguments,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    RateLimitTimeout,
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


class Server:
    """Kraken's clock, which stands still."""

    def __init__(self, now):
        self.at_least = lambda: now

    async def refresh(self, _sender):
        pass


async def until_over(exchange, began=0, **name):
    """Cancel an order there; `began` is the time of the call by Kraken's clock, in unix nanoseconds."""
    return await ensure_cancelled(exchange, Server(began), EnsureCancelled(**name), age=lambda: 0.0)


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
        ended = await until_over(SlowLists(clock, born=30), cl_ord_id="mine")
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
            await until_over(exchange, txid="O1")
        assert doubt.value.effect == "unknown"
        assert exchange.cancels > 1

    run(main)


def shown(status):
    """Show the order O1, which is called "mine", in a state."""
    nothing = Decimal(0)
    order = OrderInfo(
        status=status,
        opentm=datetime(2026, 5, 28, tzinfo=UTC),
        descr=OrderDescription(),
        vol=nothing,
        vol_exec=nothing,
        cl_ord_id="mine",
    )
    return {"O1": order}


class Played:
    """An exchange that plays a list of outcomes for each call, and goes on with the last one."""

    def __init__(self, *, slow=0.0, **outcomes):
        self.slow, self.outcomes, self.asked = slow, outcomes, []

    async def send(self, request):
        name = request.spec.name
        self.asked.append(request)
        left = self.outcomes[name]
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if name == "ClosedOrders":
            await anyio.sleep(self.slow)
        if isinstance(outcome, Exception):
            raise outcome
        page = {"OpenOrders": OpenOrdersBook, "ClosedOrders": ClosedOrdersPage}.get(name)
        return Answer(page(dict(outcome)) if page else outcome)

    @property
    def calls(self):
        return [request.spec.name for request in self.asked]


def ended(exchange, began=0, **name):
    """Cancel an order there, a while after the program began; returns the order or the error."""

    async def main(_clock):
        await anyio.sleep(100)
        try:
            return await until_over(exchange, began, **name)
        except (UnknownOrder, OutcomeUnknown) as error:
            return error

    return run(main)


def test_a_cancellation_that_was_not_sent_is_made_again():
    """It may be repeated, whatever kept it here."""
    looks = [shown("open"), shown("open"), shown("canceled")]
    exchange = Played(CancelOrder=[NotSent("down"), None], QueryOrders=looks)
    assert ended(exchange, txid="O1").status == "canceled"
    assert exchange.calls.count("CancelOrder") == 2


def test_an_order_that_kraken_agreed_to_cancel_is_looked_at_three_times_before_it_is_cancelled_again():
    """Lists lag, and a second cancellation would have to wait for room on the counter."""
    exchange = Played(CancelOrder=[None], QueryOrders=[*[shown("open")] * 3, shown("canceled")])
    assert ended(exchange, txid="O1").status == "canceled"
    assert exchange.calls == ["CancelOrder", *["QueryOrders"] * 3, "CancelOrder", "QueryOrders"]


def test_an_order_that_kraken_agreed_to_cancel_is_not_denied_when_no_look_shows_it():
    """To a second cancellation Kraken says "Unknown order", because the first one has ended it."""
    exchange = Played(CancelOrder=[None, UnknownOrder("x")], QueryOrders=[{}])
    assert isinstance(ended(exchange, txid="O1"), OutcomeUnknown)
    assert exchange.calls.count("QueryOrders") == 10


def test_a_denial_tells_which_order_and_what_kraken_said():
    """Kraken's own words are its cause."""
    unknown = UnknownOrder("x")
    error = ended(Played(CancelOrder=[unknown], QueryOrders=[{}]), txid="O1")
    assert "there is no order O1" in str(error)
    assert error.__cause__ is unknown


def test_a_doubt_tells_which_order_and_why_it_could_not_look():
    """The id to look for later, and the last failure."""
    down = NotSent("down")
    error = ended(Played(CancelOrder=[None], OpenOrders=[down], ClosedOrders=[down]), cl_ord_id="mine")
    assert isinstance(error, OutcomeUnknown)
    assert "order mine may still be open" in str(error)
    assert (error.cl_ord_id, error.__cause__) == ("mine", down)


def test_an_order_is_looked_for_by_its_id_alone():
    """Else Kraken answers with a page of all orders, which may lack this one; nor does it have to count them."""
    exchange = Played(CancelOrder=[None], OpenOrders=[{}], ClosedOrders=[shown("canceled")])
    assert ended(exchange, cl_ord_id="mine").status == "canceled"
    assert exchange.calls == ["CancelOrder", "OpenOrders", "ClosedOrders"]
    assert [request.cl_ord_id for request in exchange.asked] == ["mine"] * 3
    assert exchange.asked[-1].without_count


def test_an_order_that_shows_as_open_is_not_searched_among_the_closed_ones():
    """From then on its txid is known, and one cheap call shows it."""
    looks = {"OpenOrders": [shown("open")], "ClosedOrders": [{}], "QueryOrders": [shown("canceled")]}
    exchange = Played(CancelOrder=[None], **looks)
    assert ended(exchange, cl_ord_id="mine").status == "canceled"
    assert exchange.calls == ["CancelOrder", "OpenOrders", "QueryOrders"]


@pytest.mark.parametrize(
    ("slow", "closed", "looks"),
    [
        (0.9, {}, ["OpenOrders", "ClosedOrders"] * 3),
        (1.1, {}, ["OpenOrders", "ClosedOrders", "OpenOrders"] * 3),
        (1.1, shown("canceled"), ["OpenOrders", "ClosedOrders"]),
    ],
    ids=["quick", "slow", "found"],
)
def test_open_orders_are_looked_at_again_only_after_a_slow_answer_without_the_order(slow, closed, looks):
    """It may have come to rest meanwhile; after a quick one a further look would only cost a point."""
    exchange = Played(slow=slow, CancelOrder=[UnknownOrder("x")], OpenOrders=[{}], ClosedOrders=[closed])
    assert isinstance(ended(exchange, cl_ord_id="mine"), UnknownOrder) == (not closed)
    assert exchange.calls == ["CancelOrder", *looks]


OPENED = datetime(2026, 5, 28, tzinfo=UTC)
LATER = timedelta(hours=1)


def bearer(txid, status, opened, closed=None):
    """Show an order that is called "mine"."""
    order = msgspec.structs.replace(shown(status)["O1"], opentm=opened, closetm=closed)
    return {txid: order}


@pytest.mark.parametrize("answer", [None, Unanswered("lost", effect="unknown")])
def test_an_earlier_order_with_the_same_id_is_not_taken_for_the_one_that_was_cancelled(answer):
    """Ours does not show for two looks; what shows had ended before the call."""
    earlier = bearer("O1", "closed", OPENED, OPENED + LATER)
    ours = bearer("O2", "canceled", OPENED + 2 * LATER, OPENED + 3 * LATER)
    exchange = Played(
        CancelOrder=[answer, UnknownOrder("x")], OpenOrders=[{}], ClosedOrders=[earlier, earlier, earlier | ours]
    )
    began = round((OPENED + 3 * LATER).timestamp() * 1e9)
    assert ended(exchange, began, cl_ord_id="mine").status == "canceled"
    assert {request.cl_ord_id for request in exchange.asked} == {"mine"}


def test_an_order_that_had_ended_before_is_believed_on_the_second_look():
    """Kraken says that it knows no such open order, and nothing later shows."""
    exchange = Played(
        CancelOrder=[UnknownOrder("x")], OpenOrders=[{}], ClosedOrders=[bearer("O1", "closed", OPENED, OPENED + LATER)]
    )
    began = round((OPENED + 3 * LATER).timestamp() * 1e9)
    assert ended(exchange, began, cl_ord_id="mine").status == "closed"
    assert exchange.calls == ["CancelOrder", *["OpenOrders", "ClosedOrders"] * 2]


@pytest.mark.parametrize(("before", "looks"), [(1.9, 1), (2.1, 2)])
@pytest.mark.parametrize("closes", [False, True])
def test_krakens_clocks_may_disagree_about_when_an_order_was_cancelled(before, looks, closes):
    """By up to two seconds; where no end is told, the beginning stands for it."""
    began = OPENED + LATER
    told = began - timedelta(seconds=before)
    order = bearer("O1", "canceled", OPENED, told) if closes else bearer("O1", "canceled", told)
    exchange = Played(CancelOrder=[UnknownOrder("x")], OpenOrders=[{}], ClosedOrders=[order])
    assert ended(exchange, round(began.timestamp() * 1e9), cl_ord_id="mine").status == "canceled"
    assert exchange.calls.count("ClosedOrders") == looks


def test_a_fill_of_just_now_may_be_that_of_an_earlier_order():
    """Whose id was used again at once: it takes a second look, whatever the time."""
    began = OPENED + LATER
    exchange = Played(
        CancelOrder=[UnknownOrder("x")],
        OpenOrders=[{}],
        ClosedOrders=[bearer("O1", "closed", OPENED, began + timedelta(seconds=1))],
    )
    assert ended(exchange, round(began.timestamp() * 1e9), cl_ord_id="mine").status == "closed"
    assert exchange.calls.count("ClosedOrders") == 2


def test_an_order_that_is_dated_oddly_is_believed_after_three_looks():
    """Kraken has agreed to cancel it, and its clock seems to be hours ahead of when the order ended."""
    exchange = Played(CancelOrder=[None], OpenOrders=[{}], ClosedOrders=[bearer("O1", "canceled", OPENED, OPENED)])
    began = round((OPENED + LATER).timestamp() * 1e9)
    assert ended(exchange, began, cl_ord_id="mine").status == "canceled"
    assert exchange.calls.count("ClosedOrders") == 3


def test_an_order_known_by_its_txid_is_believed_at_once():
    """No other order has that."""
    exchange = Played(CancelOrder=[UnknownOrder("x")], QueryOrders=[shown("closed")])
    assert ended(exchange, txid="O1").status == "closed"
    assert exchange.calls == ["CancelOrder", "QueryOrders"]


def test_an_order_that_was_agreed_to_be_cancelled_is_believed_when_it_is_looked_for_again():
    """The doubt that remained knows that Kraken has agreed: it takes three looks, not ten."""
    down = NotSent("down")
    exchange = Played(CancelOrder=[None], OpenOrders=[*[down] * 10, {}], ClosedOrders=[bearer("O1", "closed", OPENED)])

    async def main(_clock):
        with pytest.raises(OutcomeUnknown) as doubt:
            await until_over(exchange, cl_ord_id="mine")
        return await doubt.value.resolve()

    assert run(main).status == "closed"
    assert exchange.calls.count("ClosedOrders") == 3


@pytest.mark.parametrize("fault", [None, "504", "answer-lost-after", "EGeneral:Internal error"])
@pytest.mark.parametrize("old", [0, 30])
def test_an_order_is_cancelled_whose_id_an_earlier_one_had(fault, old):
    """On an exchange whose lists lag by a second, and however old ours is: it is ours whose end is told."""

    async def scene(kraken, sandbox):
        await kraken.add_order(**MARKET, cl_ord_id="grid-1")
        await anyio.sleep(60)
        ours = await kraken.add_order(**BUY | {"volume": "0.002"}, cl_ord_id="grid-1")
        await anyio.sleep(old)
        if fault:
            sandbox.faults.add("CancelOrder", fault)
        ended = await kraken.ensure_cancelled(cl_ord_id="grid-1")
        assert (ended.status, ended.vol) == ("canceled", Decimal("0.002"))
        await anyio.sleep(5)
        assert (await kraken.query_orders(txid=ours.txid[0]))[ours.txid[0]].status == "canceled"

    play(scene, open_order_lag=1.0)


class Unreadable(Server):
    """Kraken's clock, which cannot be read, or not soon."""

    def __init__(self, failure):
        self.failure = failure

    async def refresh(self, _sender):
        if self.failure is None:
            await anyio.sleep(60)
        raise self.failure


@pytest.mark.parametrize("failure", [NotSent("down"), RateLimitTimeout("full"), None])
def test_a_cancellation_does_not_wait_for_krakens_clock(failure):
    """Without it the order may be an earlier one, so it is looked at three times."""
    exchange = Played(CancelOrder=[None], OpenOrders=[{}], ClosedOrders=[shown("canceled")])

    async def main(clock):
        began = clock.monotonic()
        wanted = EnsureCancelled(cl_ord_id="mine")
        end = await ensure_cancelled(exchange, Unreadable(failure), wanted, age=lambda: 0.0)
        return end.status, clock.monotonic() - began

    status, seconds = run(main)
    assert status == "canceled"
    assert seconds == pytest.approx(3.6 + (3 if failure is None else 0))
    assert exchange.calls.count("ClosedOrders") == 3

"""`OutcomeUnknown.resolve()` of calls that change orders: it looks, and never sends them again."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import anyio
import msgspec
import pytest

from krakenasync import (
    ConfigurationError,
    Failed,
    NotSent,
    OutcomeUnknown,
    RetryPolicy,
    ServiceUnavailable,
    Unanswered,
)
from krakenasync.client.outcomes import outcome_of
from krakenasync.client.serverclock import ServerClock
from krakenasync.protocol.wire import Answer
from krakenasync.sandbox import SandboxConfig
from krakenasync.spot.changes import AmendOrder, CancelOrder, CancelOrderBatch, EditOrder
from krakenasync.spot.market import ServerTime
from krakenasync.spot.orders import (
    Amend,
    AmendHistory,
    ClosedOrdersPage,
    OpenOrdersBook,
    OrderDescription,
    OrderInfo,
)
from krakenasync.spot.trading import AddOrder, AddOrderBatch, Order
from krakenasync.testing import in_process, run

BUY = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "30000"}
ORDER = {"type": "buy", "ordertype": "limit", "volume": "1", "price": "9"}
OLD = "OAAAAA-AAAAA-AAAAAA"


def at(clock, seconds=0.0):
    """A moment on the exchange's clock, so many seconds from now."""
    return datetime.fromtimestamp(clock.wall_ns() / 1e9 + seconds, UTC)


def info(clock, *, status="open", **more):
    """Write an order as Kraken shows it."""
    return OrderInfo(
        status=status,
        opentm=at(clock),
        descr=OrderDescription(**{"pair": "XBTUSD", "type": "buy", "ordertype": "limit"} | more.pop("descr", {})),
        vol=Decimal(1),
        vol_exec=Decimal(0),
        **more,
    )


class Scripted:
    """A Kraken that shows what it is given, by the name of the call; no other call is answered.

    The first look ends with `failure`, if there is one; `doubt` is the error in which all looks ended, if they did.
    """

    patience = (10.0, 5)

    def __init__(self, clock, failure=None, **shown):
        self.clock, self.failure, self.shown, self.asked = clock, failure, shown, []
        self.requests, self.doubt = [], None

    def with_options(self, **_changes):
        return self

    async def send(self, request, _late=None):
        name = request.spec.name
        self.asked.append(name)
        if name == "Time":
            return Answer(ServerTime(unixtime=self.clock.wall_ns() // 10**9, rfc1123=""), (), b"")
        self.requests.append(request)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        result = self.shown[name]
        if name in {"OpenOrders", "ClosedOrders"}:
            result = OpenOrdersBook(dict(result)) if name == "OpenOrders" else ClosedOrdersPage(dict(result))
        return Answer(result, (), b"")


def resolve(request_at, failure=None, **shown_at):
    """Resolve a call at a Kraken, of which the first look may fail; the others are functions of the clock."""

    async def main(clock):
        kraken = Scripted(clock, failure, **{name: show(clock) for name, show in shown_at.items()})
        began = clock.monotonic()
        age = lambda: clock.monotonic() - began + 1  # noqa: E731 - it was made a second ago
        outcome = outcome_of(request_at(clock), kraken, ServerClock(clock), OutcomeUnknown("lost"), age=age)
        try:
            return await outcome.resolve(), clock.monotonic() - began, kraken
        except OutcomeUnknown as doubt:
            kraken.doubt = doubt
            return "doubt", clock.monotonic() - began, kraken

    return run(main)


def amends(*versions, unit=1):
    """Show these versions of an order: (kind, seconds ago, limit price), their times in so many nanoseconds."""

    def show(clock):
        made = [
            Amend(
                amend_id=f"A{number}",
                amend_type=kind,
                order_qty=Decimal(1),
                limit_price=Decimal(price),
                timestamp=(clock.wall_ns() - ago * 10**9) // unit,
            )
            for number, (kind, ago, price) in enumerate(versions)
        ]
        return AmendHistory(len(made), made)

    return show


def amend(**more):
    """An amend to a limit price of 99, with a deadline in 5 s."""
    return lambda clock: AmendOrder(txid=OLD, limit_price="99", deadline=at(clock, 5), **more)


@pytest.mark.parametrize("unit", [1, 10**6])
def test_an_amend_that_was_carried_out_is_found_at_once(unit):
    """It comes as the version it made, its time in nanoseconds as documented or in milliseconds as seen live."""
    found, seconds, kraken = resolve(amend(), OrderAmends=amends(("original", 60, 100), ("user", 1, 99), unit=unit))
    assert (found.amend_id, seconds) == ("A1", 0)
    assert kraken.asked == ["Time", "OrderAmends"]


def test_an_amend_is_known_not_to_have_been_carried_out_once_its_deadline_has_passed():
    """And not a moment before; then twice."""
    found, seconds, kraken = resolve(amend(), OrderAmends=amends(("original", 60, 100), ("user", 30, 99)))
    assert found is None
    assert 7 < seconds < 10
    assert kraken.asked.count("OrderAmends") == 3


@pytest.mark.parametrize(("last", "outcome", "looks"), [(("user", 1, 99), "A0", 2), (("original", 60, 100), None, 3)])
def test_a_look_that_fails_is_made_again(last, outcome, looks):
    """It proves nothing: the next one may find the version, and it still takes two that see none to deny it."""
    found, _seconds, kraken = resolve(amend(), Unanswered("lost", effect="none"), OrderAmends=amends(last))
    assert (found and found.amend_id) == outcome
    assert kraken.asked.count("OrderAmends") == looks


def test_on_a_closed_client_the_doubt_remains():
    """At once, with an error that can still be resolved; one about the client would say nothing of the amend."""
    closed = ConfigurationError("the client is closed")
    outcome, seconds, kraken = resolve(amend(), closed, OrderAmends=amends(("user", 1, 99)))
    assert (outcome, seconds, kraken.asked) == ("doubt", 0, ["Time", "OrderAmends"])
    assert kraken.doubt.__cause__ is closed
    assert kraken.doubt.resolver is not None


def test_without_a_deadline_a_call_that_left_no_trace_leaves_doubt():
    """It may still be on its way; nobody can tell."""
    request = lambda _clock: AmendOrder(txid=OLD, limit_price="99")  # noqa: E731 - as short as the others
    assert resolve(request, OrderAmends=amends(("original", 60, 100)))[0] == "doubt"
    assert resolve(request, OrderAmends=amends(("user", 1, 99)))[0].amend_id == "A0"


def test_an_amend_by_client_order_id_finds_its_order_first():
    """The versions are listed by txid only."""
    found, _seconds, kraken = resolve(
        lambda clock: AmendOrder(cl_ord_id="grid-1", limit_price="99", deadline=at(clock, 5)),
        OpenOrders=lambda clock: {OLD: info(clock, cl_ord_id="grid-1")},
        OrderAmends=amends(("user", 1, 99)),
    )
    assert found.amend_id == "A0"
    assert kraken.asked == ["Time", "OpenOrders", "OrderAmends"]
    assert kraken.requests[-1].order_id == OLD


def test_the_order_of_an_amend_is_found_once_and_then_known_by_its_txid():
    """However often its versions have to be looked at."""
    found, _seconds, kraken = resolve(
        lambda clock: AmendOrder(cl_ord_id="grid-1", limit_price="99", deadline=at(clock, 5)),
        OpenOrders=lambda clock: {OLD: info(clock, cl_ord_id="grid-1")},
        OrderAmends=amends(("original", 60, 100)),
    )
    assert found is None
    assert kraken.asked == ["Time", "OpenOrders", *["OrderAmends"] * 3]


def test_an_amend_of_an_order_that_is_not_found_leaves_doubt():
    """By its client id it may show a moment later."""
    request = lambda clock: AmendOrder(cl_ord_id="one", limit_price="99", deadline=at(clock, 5))  # noqa: E731 - as above
    shown = {"OpenOrders": lambda _: {}, "ClosedOrders": lambda _: {}}
    assert resolve(request, **shown)[0] == "doubt"


def test_a_doubt_that_stays_says_all_it_said_before():
    """Whoever asks once more needs the id, and may ask again."""

    async def main(clock):
        kraken = Scripted(clock, OrderAmends=amends(("original", 60, 100))(clock))
        first = OutcomeUnknown("lost", codes=["EService:Busy"], endpoint="AmendOrder", hint="look")
        first.cl_ord_id, first.attempts = "one", 3
        request = AmendOrder(txid=OLD, limit_price="99")
        outcome = outcome_of(request, kraken, ServerClock(clock), first, age=lambda: 1.0)
        with pytest.raises(OutcomeUnknown) as again:
            await outcome.resolve()
        told = again.value
        assert told is not first
        assert (told.cl_ord_id, told.attempts, told.codes, told.endpoint, told.hint) == (
            *("one", 3, ("EService:Busy",)),
            *("AmendOrder", "look"),
        )
        assert told.resolver == outcome.resolve

    run(main)


def test_an_amend_that_another_one_followed_leaves_doubt():
    """Prices that go to and fro: the version that fits may be that of an earlier amend, which was answered."""
    found, seconds, _kraken = resolve(amend(), OrderAmends=amends(("user", 3, 99), ("user", 2, 100)))
    assert found == "doubt"
    assert seconds > 7


@pytest.mark.parametrize("where", ["OpenOrders", "ClosedOrders"])
@pytest.mark.parametrize("other", [{"type": "sell"}, {"ordertype": "market"}, {"pair": "ETHUSD"}])
def test_another_order_of_the_same_id_is_not_taken_for_ours(where, other):
    """Kraken lets an id name another order once the first one is closed."""
    shown = {"OpenOrders": lambda _: {}, "ClosedOrders": lambda _: {}}
    shown[where] = lambda clock: {"O1": info(clock, cl_ord_id="one", status="closed", descr=other)}
    request = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "1", "price": "9", "cl_ord_id": "one"}
    single = lambda clock: AddOrder(**request, deadline=at(clock, 5))  # noqa: E731 - as short as the others
    assert resolve(single, **shown)[0] == "doubt"
    assert resolve(lambda clock: batch(clock, "one"), **shown)[0] == "doubt"


@pytest.mark.parametrize("where", ["OpenOrders", "ClosedOrders"])
def test_another_order_of_the_same_id_denies_nothing_without_a_deadline(where):
    """The lost request may have been carried out and be over, or may still be on its way."""
    shown = {"OpenOrders": lambda _: {}, "ClosedOrders": lambda _: {}}
    shown[where] = lambda clock: {"O1": info(clock, cl_ord_id="one", status="closed", descr={"type": "sell"})}
    assert resolve(lambda _clock: AddOrder(**ORDER, pair="XBTUSD", cl_ord_id="one"), **shown)[0] == "doubt"


def test_an_order_once_found_stays_found():
    """Though it may have left both lists since, or a later look may miss it."""

    async def main(clock):
        kraken = Scripted(clock, OpenOrders={"O1": info(clock, cl_ord_id="one")}, ClosedOrders={})
        request = AddOrder(**ORDER, pair="XBTUSD", cl_ord_id="one", deadline=at(clock, 5))
        outcome = outcome_of(request, kraken, ServerClock(clock), OutcomeUnknown("lost"), age=lambda: 1.0)
        assert (await outcome.resolve()).txid == "O1"
        kraken.shown["OpenOrders"] = {}
        assert (await outcome.resolve()).txid == "O1"

    run(main)


def test_an_order_that_was_closed_before_is_not_taken_for_ours():
    """It may be like ours to the last digit."""
    shown = {
        "OpenOrders": lambda _: {},
        "ClosedOrders": lambda clock: {"O1": info(clock, cl_ord_id="one", status="closed", closetm=at(clock, -60))},
    }
    assert resolve(lambda clock: batch(clock, "one"), **shown)[0] == "doubt"


@pytest.mark.parametrize(("oflags", "volume"), [(["viqc"], "100"), (None, "0")])
def test_an_order_that_shows_another_volume_is_found(oflags, volume):
    """One in quote currency, and one that closes a position."""
    request = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": volume, "price": "9"}
    ours = lambda _clock: AddOrder(**request, cl_ord_id="one", oflags=oflags, leverage="2")  # noqa: E731 - as above
    shown = {"OpenOrders": lambda clock: {"O1": info(clock, cl_ord_id="one")}, "ClosedOrders": lambda _: {}}
    assert resolve(ours, **shown)[0].txid == "O1"


def edit(clock):
    """An edit with a deadline in 5 s."""
    return EditOrder(txid=OLD, pair="XBTUSD", price="99", deadline=at(clock, 5))


def test_an_edit_that_was_carried_out_is_told_by_the_order_it_made():
    """Open or filled already."""
    for where in ("OpenOrders", "ClosedOrders"):
        shown = {"OpenOrders": lambda _: {}, "ClosedOrders": lambda _: {}}
        ours, price = {"link_id": OLD}, {"price": Decimal(99)}
        shown[where] = lambda clock: {
            "ONEW": info(clock, **ours, descr=price),  # noqa: B023 - called before the next round
            "OX": info(clock, link_id="O-OTHER", descr=price),  # noqa: B023 - as above
            "OY": info(clock, **ours, descr={"price": Decimal(98)}),  # noqa: B023 - as above
        }
        found, seconds, _kraken = resolve(edit, **shown)
        assert (found.txid, seconds) == ("ONEW", 0)


def test_the_order_that_another_edit_made_is_not_ours():
    """It has another price; whether ours came before it, nobody can tell."""
    theirs = lambda clock: {"ONEW": info(clock, link_id=OLD, descr={"price": Decimal(98)})}  # noqa: E731 - as above
    assert resolve(edit, OpenOrders=theirs, ClosedOrders=lambda _: {})[0] == "doubt"


@pytest.mark.parametrize(("side", "outcome"), [("buy", "ONEW"), ("sell", "doubt")])
def test_a_close_order_is_not_taken_for_the_one_an_edit_made(side, outcome):
    """It is on the other side of the order that it came from."""
    found, _seconds, _kraken = resolve(
        edit,
        OpenOrders=lambda clock: {"ONEW": info(clock, refid=OLD, descr={"type": side, "price": Decimal(99)})},
        ClosedOrders=lambda _: {},
        QueryOrders=lambda clock: {OLD: info(clock, status="canceled")},
    )
    assert getattr(found, "txid", found) == outcome


@pytest.mark.parametrize(
    ("seen", "refid", "outcome"),
    [
        (True, OLD, "OX"),
        (True, None, "doubt"),
        (True, "O-OTHER", "doubt"),
        (False, OLD, "doubt"),
    ],
)
def test_only_an_order_that_came_from_the_old_one_is_taken_for_the_one_an_edit_made(seen, refid, outcome):
    """The same side and price prove nothing; nor does where it came from, if the old one's side is not known."""
    found, _seconds, _kraken = resolve(
        edit,
        OpenOrders=lambda clock: {"OX": info(clock, refid=refid, descr={"price": Decimal(99)})},
        ClosedOrders=lambda _: {},
        QueryOrders=lambda clock: {OLD: info(clock, status="canceled")} if seen else {},
    )
    assert getattr(found, "txid", found) == outcome


@pytest.mark.parametrize("newest", [0, 1])
def test_of_several_orders_that_an_edit_may_have_made_the_newest_is_told(newest):
    """The other one was made by an earlier edit to the same price."""

    def shown(clock):
        made = [info(clock, link_id=OLD, descr={"price": Decimal(99)}) for _ in range(2)]
        made[1 - newest] = msgspec.structs.replace(made[1 - newest], opentm=at(clock, -1))
        return {f"O{number}": order for number, order in enumerate(made)}

    assert resolve(edit, OpenOrders=shown, ClosedOrders=lambda _: {})[0].txid == f"O{newest}"


def test_closed_orders_are_searched_from_just_before_an_edit_and_not_counted():
    """The newest page is enough then, whatever was closed in the years before."""
    _found, seconds, kraken = resolve(
        edit,
        OpenOrders=lambda _: {},
        ClosedOrders=lambda clock: {"ONEW": info(clock, link_id=OLD, descr={"price": Decimal(99)})},
    )
    closed = kraken.requests[-1]
    assert (closed.spec.name, closed.without_count, seconds) == ("ClosedOrders", True, 0)
    assert -10 <= int(closed.start) - kraken.clock.wall_ns() // 10**9 < 0


@pytest.mark.parametrize(("status", "outcome"), [("open", None), ("closed", None), ("canceled", "doubt")])
def test_an_edit_without_a_new_order_is_told_by_the_old_one(status, outcome):
    """Cancelled and not replaced: the new one may not show yet, so the doubt remains."""
    found, seconds, _kraken = resolve(
        edit,
        OpenOrders=lambda _: {},
        ClosedOrders=lambda _: {},
        QueryOrders=lambda clock: {OLD: info(clock, status=status)},
    )
    assert found == outcome
    assert seconds > 7


def test_an_old_order_that_was_replaced_by_another_edit_denies_nothing_though_it_shows_as_open():
    """The lists lag: as it has a successor it is gone, and ours may be the next."""
    outcome, _seconds, _kraken = resolve(
        edit,
        OpenOrders=lambda clock: {"ONEW": info(clock, refid=OLD, descr={"price": Decimal(98)})},
        ClosedOrders=lambda _: {},
        QueryOrders=lambda clock: {OLD: info(clock, status="open")},
    )
    assert outcome == "doubt"


def batch(clock, *ids):
    """A batch of orders with a deadline in 5 s."""
    orders = [Order(**ORDER, cl_ord_id=each) for each in ids]
    return AddOrderBatch(pair="XBTUSD", orders=orders, deadline=at(clock, 5))


def test_a_batch_is_told_order_by_order():
    """Found, filled, or not there: in the order they were given."""
    found, seconds, _kraken = resolve(
        lambda clock: batch(clock, "one", "two", "three"),
        OpenOrders=lambda clock: {"O1": info(clock, cl_ord_id="one")},
        ClosedOrders=lambda clock: {"O2": info(clock, cl_ord_id="two", status="closed")},
    )
    assert [each and each.txid for each in found] == ["O1", "O2", None]
    assert seconds > 7


def test_of_a_batch_only_what_was_not_found_is_looked_for_again():
    """Each look costs points of the counter."""
    _found, _seconds, kraken = resolve(
        lambda clock: batch(clock, "one", "two"),
        OpenOrders=lambda clock: {"O1": info(clock, cl_ord_id="one")},
        ClosedOrders=lambda _: {},
    )
    looks = [request.cl_ord_id for request in kraken.requests if request.spec.name == "OpenOrders"]
    assert looks == ["one", "two", "two", "two"]


class Uneven(Scripted):
    """The first look at open orders is lost after a second, the third takes two, those from the fifth on ten."""

    async def send(self, request, _late=None):
        if request.spec.name == "OpenOrders":
            number = self.asked.count("OpenOrders") + 1
            answer = await super().send(request)
            await anyio.sleep({1: 1, 2: 0, 3: 2, 4: 0}.get(number, 10))
            if number == 1:
                raise Unanswered("lost", effect="unknown")
            return answer
        return await super().send(request)


def test_what_one_task_finds_another_s_failed_look_does_not_take_back():
    """Both wait for the same error's `resolve()`; the second has found one order and looks for the other."""

    async def main(clock):
        shown = {f"O{each}": info(clock, cl_ord_id=each) for each in ("one", "two")}
        kraken, told = Uneven(clock, OpenOrders=shown, ClosedOrders={}), []
        lost = OutcomeUnknown("lost")
        outcome = outcome_of(batch(clock, "one", "two"), kraken, ServerClock(clock), lost, age=lambda: 1.0)

        async def resolve():
            told.append([each.txid for each in await outcome.resolve()])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(resolve)
            tasks.start_soon(resolve)
        assert told == [["Oone", "Otwo"]] * 2

    run(main)


def test_a_batch_that_is_all_there_is_told_at_once():
    """Nothing is waited for."""
    shown = {"OpenOrders": lambda clock: {f"O{each}": info(clock, cl_ord_id=each) for each in ("one", "two")}}
    found, seconds, _kraken = resolve(lambda clock: batch(clock, "one", "two"), **shown)
    assert ([each.txid for each in found], seconds) == (["Oone", "Otwo"], 0)


@pytest.mark.parametrize(("status", "known"), [("canceled", True), ("closed", True), ("open", False)])
def test_a_cancelled_batch_is_told_once_every_order_has_ended(status, known):
    """One that rests may still be cancelled by the request that was lost."""
    found, _seconds, _kraken = resolve(
        lambda _clock: CancelOrderBatch(orders=["O1"], cl_ord_ids=["two"]),
        QueryOrders=lambda clock: {"O1": info(clock, status="canceled")},
        OpenOrders=lambda _: {},
        ClosedOrders=lambda clock: {"O2": info(clock, cl_ord_id="two", status=status)},
    )
    assert ({name: order.status for name, order in found.items()} if known else found) == (
        {"O1": "canceled", "two": status} if known else "doubt"
    )


@pytest.mark.parametrize(
    ("status", "since", "looks"), [("canceled", -7, 3), ("canceled", -5, 1), ("closed", -7, 3), ("closed", -0.5, 3)]
)
def test_an_order_that_was_not_cancelled_since_is_looked_at_three_times(status, since, looks):
    """A later one with the same client's id may not show yet: one cancelled after the call (a second ago) is ours.

    Five seconds more are allowed for what is not known of Kraken's clock.
    """
    states, _seconds, kraken = resolve(
        lambda _clock: CancelOrderBatch(cl_ord_ids=["one"]),
        OpenOrders=lambda _: {},
        ClosedOrders=lambda clock: {"O1": info(clock, cl_ord_id="one", status=status, closetm=at(clock, since))},
    )
    assert states["one"].status == status
    assert kraken.asked.count("ClosedOrders") == looks


def test_a_name_given_twice_is_one_order():
    """Kraken cancels it once, and it ends once."""
    states, _seconds, _kraken = resolve(
        lambda _clock: CancelOrderBatch(orders=["O1", "O1"], cl_ord_ids=["two", "two"]),
        QueryOrders=lambda clock: {"O1": info(clock, status="canceled")},
        OpenOrders=lambda _: {},
        ClosedOrders=lambda clock: {"O2": info(clock, cl_ord_id="two", status="canceled")},
    )
    assert sorted(states) == ["O1", "two"]


@pytest.mark.parametrize("old", [0, 30])
def test_the_end_of_an_earlier_order_with_the_same_id_settles_no_doubt(old):
    """The cancellation never arrived, and ours does not show yet: that it rests is found out, and doubt remains.

    An amendment that was carried out is found once ours shows.
    """

    async def scene(kraken, sandbox):
        earlier = await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="1", cl_ord_id="grid-1")
        await anyio.sleep(600)
        ours = await kraken.add_order(**BUY, cl_ord_id="grid-1")
        await anyio.sleep(old)
        sandbox.faults.add("CancelOrder", "502-before")
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.cancel_order(cl_ord_id="grid-1")
        with pytest.raises(OutcomeUnknown):
            await caught.value.resolve()
        sandbox.faults.add("AmendOrder", "502-after")
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.amend_order(cl_ord_id="grid-1", limit_price="29000", deadline=at(sandbox.clock, 5))
        assert (await caught.value.resolve()).limit_price == 29000
        states = await kraken.query_orders(txid=[*earlier.txid, *ours.txid])
        assert [states[each].status for each in (*earlier.txid, *ours.txid)] == ["closed", "open"]

    play(scene, open_order_lag=1.0)


def test_several_who_look_at_once_do_not_believe_sooner():
    """What counts is how long ago the first look was, not how many there were."""

    async def main(clock):
        shown = {"OpenOrders": {}, "ClosedOrders": {"O1": info(clock, cl_ord_id="one", status="closed")}}
        error = OutcomeUnknown("lost")
        request = CancelOrder(cl_ord_id="one")
        outcome = outcome_of(request, Scripted(clock, **shown), ServerClock(clock), error, age=lambda: 1.0)
        told = []

        async def resolve():
            await outcome.resolve()
            told.append(clock.monotonic())

        began = clock.monotonic()
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(resolve)
        assert [moment - began for moment in told] == pytest.approx([3.0] * 4, abs=0.1)

    run(main)


def test_an_amend_of_an_order_that_had_ended_is_known_not_to_be_carried_out():
    """An ordinary race: it was filled ten seconds before."""
    found, seconds, _kraken = resolve(
        lambda clock: AmendOrder(cl_ord_id="one", limit_price="99", deadline=at(clock, 5)),
        OpenOrders=lambda _: {},
        ClosedOrders=lambda clock: {"O1": info(clock, cl_ord_id="one", status="closed", closetm=at(clock, -10))},
        OrderAmends=amends(("original", 60, "9")),
    )
    assert found is None
    assert seconds < 20


@pytest.mark.parametrize("old", [0.0, 0.5])
def test_an_amend_of_a_young_order_is_not_denied_for_an_earlier_one_with_its_id(old):
    """The earlier order shows first; its versions say nothing about ours."""

    async def scene(kraken, sandbox):
        await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="1", cl_ord_id="grid-1")
        await anyio.sleep(20)
        await kraken.add_order(**BUY, cl_ord_id="grid-1")
        await anyio.sleep(old)
        sandbox.faults.add("AmendOrder", "502-after")
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.amend_order(cl_ord_id="grid-1", limit_price="29000", deadline=at(sandbox.clock, 5))
        assert (await caught.value.resolve()).limit_price == 29000

    play(scene, open_order_lag=1.0)


@pytest.mark.parametrize(
    ("request_made", "looks"),
    [
        (CancelOrder(cl_ord_id="one"), ["OpenOrders", "ClosedOrders"]),
        (CancelOrderBatch(cl_ord_ids=["one"]), ["OpenOrders", "ClosedOrders"]),
        (CancelOrder(txid="O1"), ["QueryOrders"]),
        (CancelOrderBatch(orders=["O1"]), ["QueryOrders"]),
    ],
)
def test_a_cancelled_order_is_looked_for_by_the_name_it_was_cancelled_by(request_made, looks):
    """One name is enough, and no other is made up."""
    states, _seconds, kraken = resolve(
        lambda _clock: request_made,
        OpenOrders=lambda _: {},
        ClosedOrders=lambda clock: {"O1": info(clock, cl_ord_id="one", status="canceled")},
        QueryOrders=lambda clock: {"O1": info(clock, status="canceled")},
    )
    assert [order.status for order in states.values()] == ["canceled"]
    assert kraken.asked == ["Time", *looks]


@pytest.mark.parametrize(
    "request_made",
    [
        AddOrder(**BUY),
        AddOrderBatch(pair="XBTUSD", orders=[Order(type="buy", ordertype="market", volume="1")] * 2),
        AddOrderBatch(pair="XBTUSD", orders=[Order(**ORDER, cl_ord_id="one"), Order(**ORDER)]),
        EditOrder(txid=17, pair="XBTUSD", price="9"),
        EditOrder(txid="17", pair="XBTUSD", price="9"),
        CancelOrder(txid=17),
        CancelOrder(txid="17"),
        CancelOrderBatch(orders=[17]),
        CancelOrderBatch(orders=["17"]),
        CancelOrderBatch(orders=[OLD, 17]),
    ],
)
def test_what_bears_no_id_of_its_own_cannot_be_told(request_made):
    """A userref, also in text, names whatever bears it; and what has an id only in part is not told in part."""
    assert outcome_of(request_made, None, None, OutcomeUnknown(""), age=lambda: 0) is None


def test_a_deadline_in_text_is_read():
    """However RFC 3339 lets it be spelled."""
    error = OutcomeUnknown("")
    outcome_of(AddOrder(**BUY, cl_ord_id="grid-1", deadline="2026-05-28t20:26:40z"), None, None, error, age=lambda: 0)
    assert error.deadline == datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)


def play(scene, **config):
    """Run ``scene(kraken, sandbox)`` in virtual time."""

    async def main(clock):
        running = in_process(SandboxConfig(limits=False, **config), clock=clock)
        async with running.client(retry=RetryPolicy(attempts=1)) as kraken:
            return await scene(kraken, running.sandbox)

    return run(main)


@pytest.mark.parametrize("fault", ["502-before", "502-after"])
def test_a_plain_order_with_a_deadline_can_be_resolved(fault):
    """add_order sends once and leaves the rest to its error."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", fault)
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.add_order(**BUY, cl_ord_id="grid-1", deadline=at(sandbox.clock, 10))
        assert caught.value.deadline - at(sandbox.clock) < timedelta(seconds=11)
        found = await caught.value.resolve()
        assert (found is not None) == (fault == "502-after")
        assert sandbox.stats.requests["AddOrder"] == 1

    play(scene)


@pytest.mark.parametrize("deadline", [10, None])
@pytest.mark.parametrize("when", [Failed, None], ids=["under way", "before it is resolved"])
def test_a_machine_that_slept_finds_what_was_carried_out_before(when, deadline):
    """The steady clock stood still meanwhile: the order was placed and filled longer ago than that one tells."""
    order = BUY | {"ordertype": "market", "price": None, "cl_ord_id": "grid-1"}

    async def main(clock):
        slept = []

        def sleep(event):
            if (event and type(event)) is when and not slept:
                slept.append(clock.step_wall(120))

        exchange = in_process(SandboxConfig(limits=False), clock=clock)
        async with exchange.client(retry=RetryPolicy(attempts=1), hooks=[sleep]) as kraken:
            exchange.faults.add("AddOrder", "502-after")
            with pytest.raises(OutcomeUnknown) as caught:
                await kraken.add_order(**order, deadline=at(clock, deadline) if deadline else None)
            sleep(None)
            assert slept
            assert (await caught.value.resolve()).order.status == "closed"

    run(main)


def test_a_doubt_that_remains_can_be_resolved_again():
    """Each time by looking only."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("CancelOrder", "502-before")
        order = await kraken.place_order(**BUY)
        with pytest.raises(OutcomeUnknown) as first:
            await kraken.cancel_order(txid=order.txid)
        with pytest.raises(OutcomeUnknown) as second:
            await first.value.resolve()
        await kraken.cancel_order(txid=order.txid)
        states = await second.value.resolve()
        assert states[order.txid].status == "canceled"

    play(scene)


def test_without_a_clock_the_doubt_remains():
    """The error of a public call would say nothing of the order."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "502-after")
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.add_order(**BUY, cl_ord_id="grid-1")
        sandbox.faults.add("Time", "502")
        with pytest.raises(OutcomeUnknown) as again:
            await caught.value.resolve()
        assert (await again.value.resolve()).order.cl_ord_id == "grid-1"

    play(scene)


def test_nothing_can_be_looked_up_for_a_call_that_is_about_no_order():
    """Its error says where to look instead."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("CancelAll", "502-after")
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.cancel_all()
        with pytest.raises(OutcomeUnknown, match="look at"):
            await caught.value.resolve()

    play(scene)


@pytest.mark.parametrize("first", ["a stranger's", "nobody's"])
def test_of_a_batch_the_order_that_leaves_most_doubt_decides(first):
    """In whichever place it stands: that one is not there proves nothing of the other."""
    ids = ("one", "two") if first == "a stranger's" else ("two", "one")
    other = {"type": "sell"}
    shown = {
        "OpenOrders": lambda clock: {"O1": info(clock, cl_ord_id="one", descr=other)},
        "ClosedOrders": lambda _: {},
    }
    assert resolve(lambda clock: batch(clock, *ids), **shown)[0] == "doubt"


def test_a_batch_may_hold_orders_of_a_derived_type():
    """An AddOrder is an Order."""
    orders = [AddOrder(type="buy", ordertype="limit", volume="1", price="9", pair="XBTUSD", cl_ord_id="one")]
    request = AddOrderBatch(pair="XBTUSD", orders=orders)
    assert outcome_of(request, None, None, OutcomeUnknown("lost"), age=lambda: 0) is not None


@pytest.mark.parametrize("fault", ["answer-lost-after", "502-after"])
def test_an_edit_whose_answer_was_lost_is_found_in_the_market(fault):
    """Over the wire: the order that took the old one's place says so."""

    async def main(clock):
        running = in_process(SandboxConfig(limits=False), clock=clock)
        async with running.client(retry=RetryPolicy(attempts=1)) as kraken:
            old = (await kraken.add_order(**BUY)).txid[0]
            running.faults.add("EditOrder", fault)
            with pytest.raises(OutcomeUnknown) as unknown:
                await kraken.edit_order(pair="XBTUSD", txid=old, price="30001")
            found = await unknown.value.resolve()
            assert found.order.link_id == old
            assert found.order.descr.price == Decimal(30001)
            assert found.txid in (await kraken.open_orders()).open

    run(main)


@pytest.mark.parametrize("name", ["AddOrder", "CancelOrder", "AmendOrder"])
def test_a_doubt_that_remains_tells_why_it_could_not_look(name):
    """Also where the order is looked for by the caller's own id."""
    calls = {
        "AddOrder": lambda kraken: kraken.add_order(**BUY, cl_ord_id="grid-1"),
        "CancelOrder": lambda kraken: kraken.cancel_order(cl_ord_id="grid-1"),
        "AmendOrder": lambda kraken: kraken.amend_order(cl_ord_id="grid-1", limit_price="29000"),
    }

    async def main(clock):
        exchange = in_process(clock=clock)
        async with exchange.client(max_attempts=1) as kraken:
            exchange.faults.add(name, "answer-lost")
            with pytest.raises(OutcomeUnknown) as caught:
                await calls[name](kraken)
            for look in ("OpenOrders", "ClosedOrders", "OrderAmends", "QueryOrders"):
                exchange.faults.add(look, "503", times=None)
            with pytest.raises(OutcomeUnknown) as again:
                await caught.value.resolve()
        return again.value.__cause__

    assert isinstance(run(main), ServiceUnavailable)


@pytest.mark.parametrize(
    "request_made",
    [
        AddOrderBatch(pair="XBTUSD", orders=[Order(**ORDER, cl_ord_id=each) for each in ("one", "two")]),
        AmendOrder(txid=OLD, limit_price="99"),
    ],
    ids=["by the caller's ids", "by the txid"],
)
def test_looks_that_went_well_do_not_hide_why_an_earlier_one_failed(request_made):
    """That one might have found it."""
    lost = NotSent("no connection")
    shown = {"OpenOrders": lambda _: {}, "ClosedOrders": lambda _: {}, "OrderAmends": amends(("original", 60, 100))}
    outcome, _seconds, kraken = resolve(lambda _clock: request_made, lost, **shown)
    assert outcome == "doubt"
    assert kraken.doubt.__cause__ is lost

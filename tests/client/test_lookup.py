"""What a look at open and closed orders makes of what Kraken shows."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from krakenasync import NotSent
from krakenasync.client.lookup import Lookup, newest
from krakenasync.protocol.placement import Absent, Found, Stranger, Suspect, Unseen
from krakenasync.protocol.wire import Answer
from krakenasync.spot.orders import ClosedOrdersPage, OpenOrders, OpenOrdersBook, OrderDescription, OrderInfo
from krakenasync.spot.trading import AddOrder

ID = "6d1b345e-2821-40e2-ad83-4ecb18a06876"
START = datetime(2026, 5, 28, tzinfo=UTC)
SINCE = round(START.timestamp()) * 10**9
ORDER = AddOrder(pair="XBTUSD", type="buy", ordertype="limit", volume="0.5", price="30000", cl_ord_id=ID)


def info(cl_ord_id=ID, *, age=0.0, closed=None, vol="0.5", side="buy", pair="XBTUSD", **more):
    """Write an order as Kraken shows it; `age` and `closed` are seconds before the first sending."""
    return OrderInfo(
        status="open" if closed is None else "closed",
        opentm=START - timedelta(seconds=age),
        closetm=None if closed is None else START - timedelta(seconds=closed),
        descr=OrderDescription(pair=pair, type=side, ordertype="limit"),
        vol=Decimal(vol),
        vol_exec=Decimal(0),
        cl_ord_id=cl_ord_id,
        **more,
    )


class Shown:
    """A Kraken that shows given orders."""

    def __init__(self, opened=None, closed=None):
        self.opened, self.closed, self.asked = opened, closed, []

    async def send(self, request, _late=None):
        self.asked.append(request)
        is_open = isinstance(request, OpenOrders)
        orders = self.opened if is_open else self.closed
        if isinstance(orders, Exception):
            raise orders
        return Answer(OpenOrdersBook(orders or {}) if is_open else ClosedOrdersPage(orders or {}), (), b"")


def look(opened=None, closed=None, *, given=False, like=ORDER):
    """Look once; returns what was seen and the lookup."""
    lookup = Lookup(Shown(opened, closed), ID, like=like, since=SINCE, given=given)
    return asyncio.run(lookup.look()), lookup


@pytest.mark.parametrize(
    ("opened", "closed", "sight"),
    [
        ({}, {}, Absent()),
        ({"O1": info()}, {}, Found()),
        ({}, {"O1": info(closed=0)}, Found()),
        ({}, {"O1": info(age=30, closed=20)}, Found()),  # nobody else can bear an id of our making
        ({"O1": info(ID.upper().replace("-", ""))}, {}, Found()),
        ({"O1": info("another")}, {"O2": info("another", closed=0)}, Absent()),
        ({"O1": info(None)}, {}, Suspect()),
        ({"O1": info(None)}, {"O2": info(closed=0)}, Found()),
        ({"O1": info(None, age=1)}, {}, Absent()),
        ({"O1": info(None, userref=7)}, {}, Absent()),
        ({"O1": info(None, side="sell")}, {}, Absent()),
        ({"O1": info(None, vol="0.6")}, {}, Absent()),
        ({}, {f"O{number}": info("another", closed=0) for number in range(50)}, Suspect()),
        ({}, {f"O{number}": info("another", closed=0) for number in range(49)}, Absent()),
        ({}, {**{f"O{number}": info("another", closed=0) for number in range(49)}, "O49": info(closed=0)}, Found()),
        (NotSent("down"), {}, Unseen()),
        ({}, NotSent("down"), Unseen()),
    ],
)
def test_only_the_id_proves_an_order_and_only_two_whole_lists_its_absence(opened, closed, sight):
    """An order that hides its id is suspected if it may be ours; a full page of others may hide ours."""
    assert look(opened, closed)[0] == sight


@pytest.mark.parametrize(
    ("opened", "closed", "sight"),
    [
        ({"O1": info(age=100)}, {}, Found()),
        ({"O1": info(side="sell")}, {}, Stranger()),
        ({"O1": info(vol="0.6")}, {}, Stranger()),
        ({"O1": info(pair="ETHUSD")}, {}, Stranger()),
        ({"O1": info(pair="XXBTZUSD")}, {}, Found()),
        ({}, {"O1": info(age=30, closed=20)}, Suspect()),
        ({}, {"O1": info(age=30, closed=-1)}, Found()),
        ({}, {"O1": info(age=30, closed=0)}, Found()),
        ({}, {"O1": info(age=30, closed=20), "O2": info(age=-1, closed=-2)}, Found()),
    ],
)
def test_an_id_of_the_caller_s_may_have_named_another_order(opened, closed, sight):
    """What rests under it is compared; what closed before is not taken for this one."""
    assert look(opened, closed, given=True)[0] == sight


def test_another_order_that_rests_under_the_id_ends_the_look():
    """An id is unique among open orders, so the closed ones need not be asked for."""
    sight, lookup = look({"O1": info(side="sell")}, {}, given=True)
    assert sight == Stranger()
    assert len(lookup._sender.asked) == 1


@pytest.mark.parametrize("closed", [False, True])
def test_where_only_the_id_is_known_no_order_that_hides_its_own_is_suspected(closed):
    """After a crash there is nothing to compare it with."""
    hidden = {"O1": info(None, closed=1 if closed else None)}
    assert look({} if closed else hidden, hidden if closed else {}, like=None)[0] == Absent()


def test_where_only_the_id_is_known_any_order_that_bears_it_is_the_one():
    """Also one whose volume nobody expected."""
    assert look({"O1": info(vol="7")}, like=None, given=True)[0] == Found()


def test_orders_are_asked_for_by_the_id_alone():
    """Else Kraken answers with a page of all orders, which may lack this one; nor does it have to count them."""
    _sight, lookup = look()
    opened, closed = lookup._sender.asked
    assert (opened.cl_ord_id, closed.cl_ord_id, closed.without_count) == (ID, ID, True)


def test_closed_orders_are_asked_for_from_a_minute_before():
    """One page is enough then, whatever the account did in its life; without a beginning, all of it."""
    _sight, lookup = look()
    assert lookup._sender.asked[-1].start == SINCE // 10**9 - 60
    bare = Lookup(Shown(), ID)
    asyncio.run(bare.look())
    assert bare._sender.asked[-1].start is None


def test_a_failed_look_leaves_its_error():
    """For whoever has to say why it cannot be told."""
    error = NotSent("down")
    _sight, lookup = look(error)
    assert lookup.error is error


def test_a_glance_looks_at_open_orders_only():
    """It is for finding early, not for proving."""
    lookup = Lookup(Shown({}, {"O1": info(closed=0)}), ID, like=ORDER, since=SINCE)
    assert asyncio.run(lookup.glance()) == Absent()
    assert len(lookup._sender.asked) == 1


def test_of_several_orders_under_an_id_the_newest_is_meant_and_not_a_close_order():
    """Ids may be used again; a conditional close order may bear its parent's."""
    old, new, close = info(age=10), info(age=1), info(age=0, refid="O2")
    assert newest({"O1": old, "O2": new, "O3": close}, ID).txid == "O2"
    assert newest({"O3": close}, ID).txid == "O3"
    assert newest({}, ID) is None

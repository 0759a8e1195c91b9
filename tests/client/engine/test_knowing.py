"""How old an order is known to be, from placements, amends, lists and lost answers."""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import anyio
import httpx
import pytest

from krakenasync import OutcomeUnknown
from krakenasync.spot.changes import EditOrder
from krakenasync.spot.orders import OpenOrders, OpenOrdersBook, OrderDescription, OrderInfo
from krakenasync.testing import run

from .strict import LIMIT, UUID, StrictEngine, add, played, stands, until, unused

UNDATED = SimpleNamespace(date=None)
"""An answer that does not say when it was made."""


def test_a_refused_amend_leaves_the_order_as_old_as_it_was():
    """Only an amendment that happened makes an order young again."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        await until(clock, 301)
        engine.script.append(("AmendOrder", "EOrder:Post only order", ""))
        with pytest.raises(Exception, match="Post only"):
            await kraken.amend_order(txid=txid, limit_price="99")
        assert kraken.limits.cancel_cost(txid) == 0

    played(script)


def test_an_amend_by_one_name_makes_the_order_young_by_the_other():
    """The order is one, by whichever name it is called."""

    async def script(engine, kraken, clock):
        txid = await add(kraken, cl_ord_id=UUID)
        await until(clock, 301)
        await kraken.amend_order(cl_ord_id=UUID, limit_price="99")
        assert kraken.limits.cancel_cost(txid) == 8
        await until(clock, 602)
        assert kraken.limits.cancel_cost(UUID.replace("-", "")) == 0

    played(script)


def test_while_an_amend_is_under_way_the_order_counts_as_young():
    """Nobody knows when it takes effect, so a cancel meanwhile is charged as one of a new order."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        await until(clock, 301)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: kraken.amend_order(txid=txid, limit_price="99"))
            await anyio.sleep(0.5)
            assert kraken.limits.cancel_cost(txid) == 8
        assert kraken.limits.cancel_cost(txid) == 8

    played(script, travel=(1.0, 1.0))


def test_after_a_lost_answer_an_amend_may_still_arrive():
    """Without an answer the order counts as young for as long as the request may be on its way, and 300 s more."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        await until(clock, 301)
        engine.script.append(("AmendOrder", httpx.ReadTimeout("lost"), "request lost"))
        with pytest.raises(OutcomeUnknown):
            await kraken.amend_order(txid=txid, limit_price="99")
        await until(clock, 301 + 14)
        assert kraken.limits.cancel_cost(txid) == 8
        await until(clock, 301 + 10 + 301)
        assert kraken.limits.cancel_cost(txid) == 0

    played(script)


def test_an_order_that_was_edited_is_gone():
    """Kraken places another with an id of its own."""
    engine, ages, clock = unused()
    ages.born("XBTUSD", ["O1"], clock.monotonic())
    engine.learn(EditOrder.spec, {"pair": "XBTUSD", "txid": "O1"}, {"txid": "O2"}, UNDATED)
    assert not ages.named("O1")
    assert ages.named("O2")


def test_an_order_whose_answer_was_lost_is_known_by_the_callers_own_id():
    """The points are held for the grace, and cancelling the order is charged to its pair by its age at the latest."""

    async def script(engine, kraken, clock):
        await add(kraken, "ETHUSD")
        engine.script.append(("AddOrder", httpx.ReadTimeout("lost"), "answer lost"))
        with pytest.raises(OutcomeUnknown):
            await add(kraken, cl_ord_id=UUID)
        await until(clock, 9)
        assert stands(kraken) == 1
        await until(clock, 14)
        assert kraken.limits.cancel_cost(UUID) == 8
        await until(clock, 10 + 46)
        assert kraken.limits.cancel_cost(UUID) == 2
        await kraken.cancel_order(cl_ord_id=UUID)
        assert (stands(kraken), stands(kraken, "ETHUSD")) == (2, 0)

    played(script)


def test_an_order_that_was_adopted_has_an_age():
    """place_order finds the order whose answer was lost; cancelling it is charged by either name."""

    async def script(engine, kraken, clock):
        engine.Time = lambda params: {"unixtime": clock.wall_ns() // 10**9, "rfc1123": ""}
        engine.script.append(("AddOrder", httpx.ReadTimeout("lost"), "answer lost"))
        placed = await kraken.place_order(pair="XBTUSD", **LIMIT)
        assert placed.adopted
        await anyio.sleep(400)
        assert kraken.limits.cancel_cost(placed.txid) == 0
        assert kraken.limits.cancel_cost(placed.cl_ord_id) <= 1

    played(script)


def test_births_are_learnt_from_open_orders():
    """The calendar's age, two seconds younger, because two calendars differ; an amended order counts as new."""

    async def script(engine, kraken, clock):
        old, amended = (
            engine.add("XBTUSD", {**LIMIT, "userref": "7"}),
            engine.add("XBTUSD", {**LIMIT, "misc": "amended"}),
        )
        await until(clock, 46.9)
        await kraken.open_orders()
        assert (kraken.limits.cancel_cost(old), kraken.limits.cancel_cost(amended)) == (4, 8)
        await until(clock, 47.1)
        assert (kraken.limits.cancel_cost(old), kraken.limits.cancel_cost("7")) == (2, 2)
        await until(clock, 46.9 + 301)
        assert kraken.limits.cancel_cost(amended) == 0

    played(script)


@pytest.mark.parametrize(("oflags", "volume"), [([], Decimal(100)), (["viqc"], None), (["fciq", "viqc"], None)])
def test_volumes_are_learnt_from_open_orders_unless_they_are_in_quote_currency(oflags, volume):
    """And an order that was opened this second is young, whenever the client began."""
    engine, ages, clock = unused()
    clock.advance(1000)
    order = OrderInfo(
        status="open",
        opentm=datetime.fromtimestamp(clock.wall_ns() / 1e9, UTC),
        descr=OrderDescription(pair="XBTUSD"),
        vol=Decimal(100),
        vol_exec=Decimal(0),
        oflags=oflags,
    )
    engine.learn(OpenOrders.spec, {}, OpenOrdersBook({"O1": order}), UNDATED)
    (known,) = ages.named("O1")
    assert (known.volume, known.since) == (volume, clock.monotonic())


@pytest.mark.parametrize(
    ("behind", "dated"),
    [
        pytest.param(600.0, 0.0, id="our calendar is ahead"),
        pytest.param(0.0, 600.0, id="answers are dated oddly"),
        pytest.param(0.0, 0.0, id="all agree"),
    ],
)
def test_no_calendar_makes_an_order_older_than_it_is(behind, dated):
    """Both calendars have a say, and the earlier one decides: a cancel is never charged too little."""

    async def script(engine, kraken, clock):
        engine.behind, engine.dated = behind, dated
        await until(clock, 0.5)
        orders = [engine.add("XBTUSD", LIMIT) for _ in range(3)]
        await until(clock, 46.9)
        await kraken.open_orders()
        assert kraken.limits.cancel_cost(orders[0]) == 4
        await until(clock, 49)
        assert kraken.limits.cancel_cost(orders[0]) == 2
        for txid in orders:
            await kraken.cancel_order(txid=txid)

    played(script)


def test_ages_known_better_are_kept():
    """What our own placement taught is not made vaguer by a list, even if our calendar was set in between."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        await until(clock, 46)
        clock.step_wall(-1000)
        await kraken.open_orders()
        assert kraken.limits.cancel_cost(txid) == 2

    played(script)


def test_keys_of_one_account_share_the_counter_and_what_is_known():
    """Kraken counts per account and pair, so clients that name the account count together."""

    async def main(clock):
        engine = StrictEngine(clock)
        one, two = (engine.client(key, account="main") for key in ("one", "two"))
        stranger = engine.client("three")
        txid = await add(one)
        await until(clock, 46)
        assert (two.limits.cancel_cost(txid), stranger.limits.cancel_cost(txid)) == (2, 8)
        await add(two)
        assert stands(one) == stands(two)

    run(main)

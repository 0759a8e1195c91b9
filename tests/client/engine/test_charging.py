"""What is charged for a call, to which pair's counter."""

import anyio
import pytest

from krakenasync import InvalidNonce, LimitsConfig, UnknownOrder
from krakenasync.client.ageing import Ageing
from krakenasync.client.engine import Engine
from krakenasync.protocol.charges import Counter, EngineAction, pair_key
from krakenasync.protocol.tiers import CounterSpec
from krakenasync.spot.catalog import ENDPOINTS
from krakenasync.spot.changes import CancelOrder
from krakenasync.state.ages import Known, OrderAges
from krakenasync.testing import VirtualClock, run

from .strict import LIMIT, UUID, StrictEngine, add, costs, played, stands, until, unused

SPECS = [request.spec for request in ENDPOINTS.values() if request.spec.charge.counter is Counter.ENGINE]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_trading_call_has_a_price(spec):
    """Whatever the catalogue says is charged to the engine's counter is charged here, on the one pair in use."""
    clock, ages = VirtualClock(), OrderAges()
    ages.touched("XBTUSD")
    params = {"pair": "XBTUSD", "txid": "OAAAAA-BBBBB-CCCCCC", "orders": [{}, {}], **LIMIT}
    (price,) = Engine(ages, 60, 60.0, clock).price(spec, params)
    assert price.pair == "XBTUSD"
    assert price.cost() > 0


def test_an_order_is_taken_to_be_a_little_younger_than_our_clock_says():
    """No two clocks run at quite the same pace: charged too little at the edge, a call would be refused."""
    clock = VirtualClock()
    order = Known("XBTUSD", clock.monotonic())
    price = Ageing(lambda: EngineAction.CANCEL, lambda: [order], clock)
    found = [price(later) for later in (4.99, 5.01, 5.04, 5.06)]
    assert found == [8, 8, 8, 6]
    (falls, *_later) = price.falls()
    assert (price(falls - 0.002), price(falls)) == (8, 6)


def test_a_refused_change_costs_its_fixed_part():
    """Kraken charges the point of an add or an amend on receipt; refused cancels cost nothing."""

    async def script(engine, kraken, clock):
        with pytest.raises(Exception, match="Invalid price"):
            await add(kraken, price="0.001")
        assert stands(kraken) == 1
        txid = await add(kraken)
        with pytest.raises(Exception, match="Invalid price"):
            await kraken.amend_order(txid=txid, limit_price="0.001")
        assert stands(kraken) == 3
        engine.orders.clear()
        with pytest.raises(UnknownOrder):  # it was filled meanwhile
            await kraken.cancel_order(txid=txid)
        assert stands(kraken) == 3
        await anyio.sleep(60.0)
        assert stands(kraken) == 0  # nothing is held for ever

    played(script)


def test_after_a_refused_nonce_the_points_are_not_given_back():
    """The refusal may answer the copy of a request that was carried out, and charged."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        engine.script = [("CancelOrder", "EAPI:Invalid nonce")] * 4
        with pytest.raises(InvalidNonce):
            await kraken.cancel_order(txid=txid)
        assert stands(kraken) > 30

    played(script)


def test_an_unknown_order_is_charged_as_a_new_one_on_every_pair_it_may_be_on():
    """Neither age nor pair is known: the price of a young order, wherever this account has traded."""

    async def script(engine, kraken, clock):
        for pair in ("XBTUSD", "ETH/USD"):
            await add(kraken, pair)
        theirs = engine.add("XBTUSD", LIMIT)
        assert kraken.limits.cancel_cost(theirs) == 8
        await kraken.cancel_order(txid=theirs)
        assert stands(kraken) == stands(kraken, "ETHUSD") == 9

    played(script)


def test_the_first_call_of_all_may_cancel_an_unknown_order():
    """No pair is known yet; such cancels still wait for each other, on a counter of their own."""

    async def script(engine, kraken, clock):
        for _ in range(8):
            await kraken.cancel_order(txid=engine.add("XBTUSD", LIMIT))
        assert clock.monotonic() == pytest.approx(4, abs=0.001)

    played(script, travel=(1e-6, 1e-6))


def test_all_names_of_a_pair_are_one_counter():
    """XBTUSD, XXBTZUSD, XBT/USD and BTC/USD fill the same counter; another pair has its own."""

    async def script(engine, kraken, clock):
        for pair in ("XBTUSD", "XXBTZUSD", "XBT/USD", "btc/usd"):
            await add(kraken, pair)
        assert {pair_key(pair) for pair in ("USDTZUSD", "USDTUSD", "USDT/USD")} == {"USDTUSD"}
        await add(kraken, "ETHUSD")
        counters = kraken.limits.snapshot()
        assert {name for name in counters if name.startswith("engine:")} == {"engine:XBTUSD", "engine:ETHUSD"}
        assert (stands(kraken), stands(kraken, "ETHUSD")) == (4, 1)
        assert (counters["engine:XBTUSD"].cap, counters["engine:XBTUSD"].decay) == (60, 1)
        assert counters.rest.level + counters.rest.held == 0

    played(script)


def test_orders_that_are_only_checked_are_charged_but_not_born():
    """With `validate` the engine counts the add; there is no order afterwards."""

    async def script(engine, kraken, clock):
        await kraken.add_order(pair="XBTUSD", **LIMIT, cl_ord_id=UUID, validate=True)
        assert stands(kraken) == 1
        assert kraken.limits.engine._ages.named(UUID) == []

    played(script)


@pytest.mark.parametrize("result", [{"txid": 5}, {"txid": "O1"}, {"orders": 5}, {"orders": [5, None]}, 5, [5], "O1"])
@pytest.mark.parametrize("odd", [{}, {"timeinforce": {}, "ordertype": []}, {"orders": [5, {"timeinforce": []}]}])
def test_a_raw_answer_of_any_shape_teaches_without_harm(result, odd):
    """It is handed on to the caller, who asked for it raw."""

    async def main(clock):
        engine = StrictEngine(clock)
        for name in ("AddOrder", "AddOrderBatch"):
            setattr(engine, name, lambda params: result)
        async with engine.client() as kraken:
            assert await kraken.private("AddOrder", pair="XBTUSD", **odd) == result
            assert await kraken.private("AddOrderBatch", pair="XBTUSD", **odd) == result

    run(main)


def test_raw_calls_are_charged_and_teach_like_typed_ones():
    """``private("AddOrder")`` and ``private("AddOrderBatch")`` go by the same counter, whatever else they hold."""

    async def script(engine, kraken, clock):
        placed = await kraken.private("AddOrder", pair="XBT/USD", **LIMIT)
        batch = await kraken.private("AddOrderBatch", pair="XBTUSD", orders=[dict(LIMIT), dict(LIMIT)])
        assert stands(kraken) == 2
        await kraken.private("OpenOrders")
        await until(clock, 46)
        for txid in (*placed["txid"], *(item["txid"] for item in batch["orders"])):
            assert kraken.limits.cancel_cost(txid) == 2
        await kraken.private("CancelOrder", txid=placed["txid"][0])
        assert stands(kraken) == pytest.approx(2)

    played(script)


def test_a_userref_stands_for_all_orders_that_bear_it():
    """Cancelling by userref costs the sum; editing by it makes the new order known."""

    async def script(engine, kraken, clock):
        await add(kraken, userref=7)
        await add(kraken, userref=7)
        await until(clock, 16)
        assert kraken.limits.cancel_cost("7") == 8
        await kraken.cancel_order(txid=7)
        assert stands(kraken) == pytest.approx(8)
        await add(kraken, userref=9)
        await until(clock, 62)
        edited = await kraken.edit_order(txid=9, pair="XBTUSD", price="99")
        assert stands(kraken) == pytest.approx(2)
        assert kraken.limits.cancel_cost(edited.txid) == 8

    played(script)


def test_orders_of_one_userref_on_two_pairs_are_charged_to_each_pair_alone():
    """Eight points for a young order, and not sixteen on both."""
    engine, ages, clock = unused()
    ages.born("XBTUSD", ["O1"], clock.monotonic(), userref=7)
    ages.born("ETHUSD", ["O2"], clock.monotonic(), userref=7)
    assert costs(engine, CancelOrder, txid="7") == {"XBTUSD": 8, "ETHUSD": 8}


def test_a_price_above_the_cap_waits_for_an_empty_counter_not_for_ever():
    """Twenty young orders of one userref would cost 160 points: it is sent when there can be no more room."""

    async def main(clock):
        engine = StrictEngine(clock)
        async with engine.client() as kraken:
            for _ in range(20):
                await add(kraken, userref=7)
            engine.charge = lambda pair, points, forced=False: None
            await kraken.cancel_order(txid=7)
            assert clock.monotonic() == pytest.approx(20)

    run(main)


def test_cancel_all_goes_whatever_the_counter_says():
    """It is sent at once, and counted with a point for each pair."""

    async def script(engine, kraken, clock):
        for _ in range(60):
            await add(kraken)
        await kraken.cancel_all()
        assert (clock.monotonic(), stands(kraken)) == (0, 61)
        assert kraken.limits.time_until(1, "XBT/USD") == pytest.approx(2)

    played(script)


def test_a_dead_mans_switch_is_counted_on_each_pair_that_orders_rest_on():
    """Kraken's Rust SDK counts a point. Nobody waits for it, but the adds that come next do."""

    async def script(engine, kraken, clock):
        await add(kraken)
        await add(kraken, pair="ETHUSD")
        for _ in range(20):
            await kraken.cancel_all_orders_after(timeout=60)
        assert (clock.monotonic(), stands(kraken), stands(kraken, "ETHUSD")) == (0, 21, 21)
        for _ in range(40):
            await add(kraken)
        assert clock.monotonic() > 0

    played(script)


def test_a_counter_of_ones_own_choice():
    """Accounts with limits of their own say so."""

    async def main(clock):
        engine = StrictEngine(clock)
        async with engine.client(limits=LimitsConfig(engine=CounterSpec(2, 50))) as kraken:
            for _ in range(3):
                await add(kraken)
            assert clock.monotonic() == pytest.approx(2)

    run(main)

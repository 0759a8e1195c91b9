"""How many orders may rest, and what follows when Kraken refuses all the same."""

from fractions import Fraction

import pytest

from krakenasync import EngineLimitExceeded, OrdersLimitExceeded
from krakenasync.spot.trading import AddOrder, Order
from krakenasync.testing import run

from .strict import LIMIT, StrictEngine, add, costs, played, stands, until, unused


def test_the_ceiling_is_told_before_anything_is_sent():
    """Freshly counted, sixty resting orders are known to be the most a Starter may have on a pair."""

    async def script(engine, kraken, clock):
        for _ in range(59):
            engine.add("XBTUSD", LIMIT)
        await kraken.open_orders()
        txid = await add(kraken)
        sent = len(engine.calls)
        with pytest.raises(OrdersLimitExceeded, match="60 orders rest on XBTUSD"):
            await add(kraken)
        with pytest.raises(OrdersLimitExceeded):
            await kraken.add_order_batch(pair="XBTUSD", orders=[Order(**LIMIT)] * 2)
        assert len(engine.calls) == sent
        assert stands(kraken) == 1
        await add(kraken, "ETHUSD")
        await kraken.add_order(pair="XBTUSD", **LIMIT, validate=True)
        await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="1", price="1")
        await kraken.cancel_order(txid=txid)
        await add(kraken)

    played(script)


def test_an_old_count_refuses_nothing():
    """Fills may have made room since: Kraken is asked."""

    async def script(engine, kraken, clock):
        for _ in range(60):
            engine.add("XBTUSD", LIMIT)
        await kraken.open_orders(cl_ord_id="other")
        await add(kraken)  # a filtered list is no count
        await kraken.open_orders()
        await until(clock, 5.1)
        await add(kraken)
        await kraken.open_orders()
        await kraken.cancel_all()
        await add(kraken)

    played(script)


def test_more_orders_than_may_rest_do_not_stop_one_that_does_not_rest():
    """They may be left from another tier, or be another program's."""
    engine, ages, clock = unused()
    ages.counted({"XBTUSD": 70}, clock.monotonic())
    order = {**LIMIT, "pair": "XBTUSD"}
    assert costs(engine, AddOrder, **{**order, "ordertype": "market"}) == {"XBTUSD": 1}
    with pytest.raises(OrdersLimitExceeded):
        costs(engine, AddOrder, **order)


def test_a_foreign_program_on_the_account_is_believed():
    """The pair's counter is taken for full and rests; other pairs and the key's own counter go on."""

    async def main(clock):
        engine = StrictEngine(clock, travel=(0.0, 0.1))
        async with engine.client() as kraken:
            engine.levels["XBTUSD"] = (Fraction(60), Fraction(0))
            with pytest.raises(EngineLimitExceeded) as refusal:
                await add(kraken)
            assert refusal.value.retry_after >= 5 - 0.2
            counter = kraken.limits.snapshot()["engine:XBTUSD"]
            assert counter.blocked_for > 4
            assert counter.refusals == 1
            before = clock.monotonic()
            await add(kraken, "ETHUSD")
            await kraken.balance()
            assert clock.monotonic() - before < 1
            assert kraken.limits.snapshot().rest.refusals == 0
            await add(kraken)
            assert clock.monotonic() > 5
            assert len(engine.refused) == 1

    run(main)


def test_a_refusal_of_the_keys_counter_is_not_charged_to_the_pair():
    """EAPI:Rate limit exceeded speaks of the key: the engine has not seen the order."""

    async def script(engine, kraken, clock):
        engine.script.append(("AddOrder", "EAPI:Rate limit exceeded", ""))
        await add(kraken.with_options(max_attempts=2))
        counter = kraken.limits.snapshot()["engine:XBTUSD"]
        assert counter.refusals == 0
        assert counter.level + counter.held == pytest.approx(1)

    played(script)

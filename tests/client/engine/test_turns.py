"""The order in which calls go that wait for the engine's counter."""

import anyio
import pytest

from krakenasync import RateLimitTimeout

from .strict import add, played, stands, until


def test_a_cancel_goes_as_soon_as_its_falling_price_fits():
    """While it waits the order grows older: 6 points fit earlier than 8 would have."""

    async def script(engine, kraken, clock):
        for _ in range(60):
            await add(kraken)
        await until(clock, 3)
        txid = await add(kraken)
        await add(kraken)
        await add(kraken)  # full again: 8 points fit at 11 s, but at 8 s the order is old enough to need 6, at 9 s
        await kraken.cancel_order(txid=txid)
        assert clock.monotonic() == pytest.approx(9)

    played(script)


def test_a_deadline_that_only_the_falling_price_can_meet_is_not_refused():
    """The wait is judged by the price that it will have, not by the one it has."""

    async def script(engine, kraken, clock):
        for _ in range(60):
            txid = await add(kraken)
        with anyio.fail_after(7):
            await kraken.cancel_order(txid=txid)
        assert clock.monotonic() == pytest.approx(6, abs=0.1)
        with pytest.raises(RateLimitTimeout), anyio.fail_after(3):
            await kraken.cancel_order(txid=await add(kraken))

    played(script)


def test_cancels_go_before_adds_that_came_first():
    """A full counter, fifty adds in line: the cancel is the next call that leaves."""

    async def script(engine, kraken, clock):
        for _ in range(60):
            txid = await add(kraken)
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(add, kraken)
            await anyio.sleep(0.5)
            counter = kraken.limits.snapshot()["engine:XBTUSD"]
            assert (counter.waiting, counter.waiting_by_lane) == (50, (0, 50, 0))
            await kraken.cancel_order(txid=txid)
            assert clock.monotonic() == pytest.approx(6, abs=0.1)
            assert kraken.limits.snapshot()["engine:XBTUSD"].waiting >= 49
            tasks.cancel_scope.cancel()

    played(script, travel=(1e-6, 1e-6))


def test_cancels_are_not_starved_by_polls():
    """With the key's lane full of slow polls, a cancel waits for the one in flight and no other."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        slow = kraken.with_options(lane="background")
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(slow.balance)
            await anyio.sleep(1.1)
            began = clock.monotonic()
            await kraken.cancel_order(txid=txid)
            assert clock.monotonic() - began <= 2 + 2

    played(script, travel=(1.0, 1.0))


def test_a_cancelled_wait_gives_its_place_and_points_back():
    """Whoever gives up leaves the counter as if it had never asked."""

    async def script(engine, kraken, clock):
        for _ in range(60):
            await add(kraken)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(add, kraken)
            await anyio.sleep(0.5)
            tasks.cancel_scope.cancel()
        counter = kraken.limits.snapshot()["engine:XBTUSD"]
        assert (counter.waiting, counter.held) == (0, 0)
        assert counter.level == pytest.approx(59.5)

    played(script)


def test_adds_that_a_batch_cancel_overtakes_go_back_into_line():
    """Room was theirs; then a call that waits for none used it up, while they waited for the key's lane."""

    async def script(engine, kraken, clock):
        ids = [await add(kraken) for _ in range(50)]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(kraken.balance)  # holds the lane
            await anyio.sleep(0.1)
            for _ in range(5):
                tasks.start_soon(add, kraken)
            await anyio.sleep(0.1)
            tasks.start_soon(lambda: kraken.cancel_order_batch(orders=ids[:10]))
        names = [name for name, _at in engine.calls[50:]]
        assert names == ["Balance", "CancelOrderBatch", *["AddOrder"] * 5]
        assert engine.calls[52][1] - engine.calls[51][1] > 5

    played(script, travel=(0.2, 0.2))


def test_a_cancel_that_an_amend_goes_before_is_charged_what_it_costs_then():
    """It cost nothing when it was asked for, and eight points when its turn came."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        await anyio.sleep(400.0)
        while stands(kraken) < engine.cap - 3:
            await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="1")
        later = kraken.with_options(lane="background")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(kraken.balance)
            await anyio.sleep(0.001)
            tasks.start_soon(lambda: later.edit_order(txid=txid, pair="XBTUSD", price="7"))
            await anyio.sleep(0.001)
            tasks.start_soon(lambda: kraken.amend_order(txid=txid, limit_price="6"))
        for _ in range(10):
            await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="1")

    played(script, travel=(0.05, 0.05))

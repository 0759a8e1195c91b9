"""Kraken's own examples through the client's counter, and strategies that use all of it without a refusal."""

import random
from fractions import Fraction

import anyio
import httpx
import pytest

from krakenasync import OutcomeUnknown, RateLimitExceeded, UnknownOrder
from krakenasync.client.events import Waited
from krakenasync.spot.trading import Order
from krakenasync.testing import run

from .strict import LIMIT, TIERS, StrictEngine, add, played, stands, until


@pytest.mark.parametrize("tier", TIERS)
def test_the_official_chronological_example(tier):
    """F1: add, amend after 7 s, cancel 36 s later: 1, then 1 + 2, then 4 on top of what has decayed."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        assert stands(kraken) == 1
        await until(clock, 7)
        await kraken.amend_order(txid=txid, limit_price="99")
        assert stands(kraken) == pytest.approx(3)
        await until(clock, 43)
        assert kraken.limits.cancel_cost(txid) == 4
        await kraken.cancel_order(txid=txid)
        assert stands(kraken) == pytest.approx(4)
        assert engine.level() == 4

    played(script, tier=tier)


def test_a_run_of_adds_edits_and_cancels():
    """F2: Starter, with decay between the calls; the counter is right after each of them."""

    async def script(engine, kraken, clock):
        def both(level):
            assert stands(kraken) == pytest.approx(level, abs=1e-6)
            assert float(engine.level()) == pytest.approx(level, abs=1e-6)

        first = await add(kraken)
        await until(clock, 2)
        await kraken.cancel_order(txid=first)
        both(8)
        second = await add(kraken)
        both(9)
        await until(clock, 10)
        await kraken.cancel_order(txid=second)
        both(7)
        await until(clock, 12)
        third = await add(kraken)
        both(6)
        await until(clock, 60)
        await kraken.cancel_order(txid=third)
        both(2)
        await until(clock, 61)
        fourth = await add(kraken)
        await until(clock, 61.5)
        edited = (await kraken.edit_order(txid=fourth, pair="XBTUSD", price="99")).txid
        both(8.5)
        await until(clock, 400)
        await kraken.cancel_order(txid=edited)
        both(0)

    played(script)


def test_the_cancel_that_would_pass_the_cap_waits_instead_of_being_refused():
    """F3: after seven cycles and an add the counter stands at 57; the cancel waits until its 8 points fit."""

    async def script(engine, kraken, clock):
        for cycle in range(7):
            txid = await add(kraken)
            await until(clock, cycle + 1)
            await kraken.cancel_order(txid=txid)
        assert stands(kraken) == pytest.approx(56)
        txid = await add(kraken)
        await until(clock, 8)
        assert kraken.limits.time_until(kraken.limits.cancel_cost(txid), "XBTUSD") == pytest.approx(4)
        await kraken.cancel_order(txid=txid)
        assert clock.monotonic() == pytest.approx(12)

    played(script)


def test_fifty_adds_at_once_then_a_pause():
    """Kraken's second example: Intermediate, 50 adds, 10 s: 26.6."""

    async def script(engine, kraken, clock):
        for _ in range(50):
            await add(kraken)
        await until(clock, 10)
        assert stands(kraken) == pytest.approx(26.6)
        assert float(engine.level()) == pytest.approx(26.6)

    played(script, tier="intermediate")


def test_adds_beyond_the_cap_go_at_the_pace_of_the_decay():
    """F4: Intermediate, 125 adds at once, then one every 1/2.34 s."""

    async def script(engine, kraken, clock):
        for _ in range(125):
            await add(kraken)
        assert clock.monotonic() < 0.001
        for _ in range(10):
            await add(kraken)
        assert clock.monotonic() == pytest.approx(10 / 2.34, abs=0.001)

    played(script, tier="intermediate", travel=(1e-6, 1e-6))


def test_batches():
    """F5: Pro, 24 batches of 15 fill the counter; cancelling 50 young orders goes through and blocks what follows."""

    async def script(engine, kraken, clock):
        orders = [Order(**LIMIT)] * 15
        txids = []
        for _ in range(24):
            placed = await kraken.add_order_batch(pair="XBTUSD", orders=orders)
            txids += [item.txid for item in placed.orders]
        assert (clock.monotonic(), stands(kraken)) == (0, 180)
        await until(clock, 48)
        assert stands(kraken) == pytest.approx(0)
        await kraken.cancel_all()
        young = [
            item.txid for _ in range(4) for item in (await kraken.add_order_batch(pair="XBTUSD", orders=orders)).orders
        ]
        await kraken.cancel_order_batch(orders=young[:50])
        assert stands(kraken) == pytest.approx(1 + 30 + 400)
        began = clock.monotonic()
        await add(kraken)
        assert clock.monotonic() - began == pytest.approx((1 + 30 + 400 + 1 - 180) / 3.75)

    played(script, tier="pro")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tier", TIERS)
def test_cycles_back_to_back_use_the_allowance_without_a_refusal(tier, seed):
    """One order at a time, added and cancelled as soon as may be: 95 % of what the points allow, and none refused.

    A cycle costs 1 to add and 8, or 6 once the order is 5 s old, to cancel. At Starter's pace 7 points take longer than
    5 s to decay, so a cycle costs 7 there; at the others' 9 do not take as long, so it costs 9.
    """
    seconds = 900.0
    cycles = 0

    async def script(engine, kraken, clock):
        nonlocal cycles
        while True:
            await kraken.cancel_order(txid=await add(kraken))
            if clock.monotonic() > seconds:
                return
            cycles += 1

    engine = played(script, tier=tier, travel=(0.0, 0.1), seed=seed)
    bound = (engine.cap + engine.pace * int(seconds)) / (7 if tier == "starter" else 9)
    assert 0.95 * bound <= cycles <= bound
    assert engine.peak <= engine.cap


class Trader:
    """Does one thing after the other, at random, to orders of its own."""

    def __init__(self, krakens, chance):
        self.krakens = krakens
        self.chance = chance
        self.mine = []

    async def trade(self, steps):
        for _ in range(steps):
            kraken = self.chance.choice(self.krakens)
            deed = self.chance.choice([self.add, self.add, self.batch, self.amend, self.edit, self.cancel, self.cancel])
            try:
                await deed(kraken, self.chance.choice(["XBTUSD", "XXBTZUSD", "ETHUSD"]))
            except (OutcomeUnknown, UnknownOrder):
                pass
            except RateLimitExceeded:
                raise
            except Exception as error:
                if "Invalid price" not in str(error):
                    raise
            if self.chance.random() < 0.05:
                await anyio.sleep(self.chance.choice([0.1, 3, 9, 40]))

    async def add(self, kraken, pair):
        own = f"{self.chance.getrandbits(60):x}"
        self.mine.append({"cl_ord_id": own, "pair": pair})
        price = self.chance.choice(["0.001", "100", "100", "100"])
        placed = await kraken.add_order(pair=pair, **{**LIMIT, "price": price}, cl_ord_id=own)
        self.mine[-1]["txid"] = placed.txid[0]

    async def batch(self, kraken, pair):
        placed = await kraken.add_order_batch(pair=pair, orders=[Order(**LIMIT)] * self.chance.randint(2, 15))
        self.mine += [{"txid": item.txid, "pair": pair} for item in placed.orders]

    def pick(self, *, keep=True):
        if not self.mine:
            return None, {}
        order = self.chance.choice(self.mine)
        if not keep:
            self.mine.remove(order)
        names = [name for name in ("txid", "cl_ord_id") if name in order]
        name = self.chance.choice(names)
        return order, {name: order[name]}

    async def amend(self, kraken, pair):
        order, name = self.pick()
        if order:
            change = self.chance.choice([{"limit_price": "0.001"}, {"limit_price": "99"}, {"order_qty": "0.6"}])
            if self.chance.random() < 0.1:
                self.mine.remove(order)
                change = {"order_qty": "0.4"}  # less than has filled
            await kraken.amend_order(**name, **change)

    async def edit(self, kraken, pair):
        order, name = self.pick(keep=False)
        if order and "txid" in name:
            edited = await kraken.edit_order(**name, pair=order["pair"], price="98")
            self.mine.append({"txid": edited.txid, "pair": order["pair"]})

    async def cancel(self, kraken, pair):
        order, name = self.pick(keep=False)
        if order:
            await kraken.cancel_order(**name)


@pytest.mark.parametrize("seed", range(10))
def test_a_strategy_of_everything_is_never_refused_for_its_counter(seed):
    """Adds, batches, amends, edits, cancels on three names of two pairs, by three keys of an account, answers lost."""
    chance = random.Random(seed)

    async def main(clock):
        engine = StrictEngine(
            clock, tier=chance.choice(list(TIERS)), travel=(0.0, chance.choice([0.01, 0.3])), seed=seed
        )
        engine.fills = Fraction(1, 2)
        events = []
        krakens = [engine.client(key, account="main", hooks=[events.append]) for key in ("one", "two", "three")]
        for number in range(15):
            how = chance.choice(["request lost", "answer lost"])
            name = chance.choice(["AddOrder", "AmendOrder", "CancelOrder", "EditOrder"])
            engine.script.append((name, httpx.ReadTimeout(f"{number}"), how))
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(Trader(krakens, random.Random(chance.random())).trade, 50)
        assert "EOrder:Rate limit exceeded" not in engine.refused
        assert engine.peak <= engine.cap
        waits = [event for event in events if isinstance(event, Waited) and event.counter.startswith("engine:")]
        assert len(waits) > 20, "the strategy was too tame to prove anything"

    run(main)

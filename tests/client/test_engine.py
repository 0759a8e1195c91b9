"""The matching engine's counter: a strict engine of its own arithmetic must never have to refuse a client of ours."""

import itertools
import json
import random
from email.utils import formatdate
from fractions import Fraction
from urllib.parse import parse_qsl

import anyio
import httpx
import pytest

from krakenasync import (
    EngineLimitExceeded,
    InvalidNonce,
    KrakenClient,
    LimitsConfig,
    OrdersLimitExceeded,
    OutcomeUnknown,
    RateLimitExceeded,
    RateLimitTimeout,
    UnknownOrder,
)
from krakenasync.client.engine import Engine
from krakenasync.client.events import Waited
from krakenasync.protocol.charges import Counter, pair_key
from krakenasync.protocol.tiers import CounterSpec
from krakenasync.spot.catalog import ENDPOINTS
from krakenasync.spot.changes import AmendOrder
from krakenasync.spot.trading import Order
from krakenasync.state.ages import OrderAges
from krakenasync.state.memory import MemoryState
from krakenasync.testing import VirtualClock, run

# Written down from https://docs.kraken.com/exchange/guides/general/ratelimits, without our own tables.
TIERS = {"starter": (60, Fraction(1)), "intermediate": (125, Fraction(234, 100)), "pro": (180, Fraction(375, 100))}
BY_AGE = {
    "AmendOrder": [(5, 4), (10, 3), (15, 2), (None, 1)],
    "EditOrder": [(5, 7), (10, 6), (15, 5), (45, 3), (90, 2), (None, 1)],
    "CancelOrder": [(5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1), (None, 0)],
}
FIXED = {"AddOrder": 1, "AmendOrder": 1, "EditOrder": 1}
LIMIT = {"type": "buy", "ordertype": "limit", "volume": "1", "price": "100"}
UUID = "6d1b345e-2821-40e2-ad83-4ecb18a06876"


class StrictEngine:
    """Charges trading calls as strictly as the documents can be read; refuses what would pass the cap.

    Every `script` entry is played once for the endpoint it names: an error string, or an exception that loses the
    request (``before=True``) or only its answer.

    Attributes:
        behind: Seconds by which its calendar is behind the client's.
        dated: Seconds by which the date of its answers is ahead of its calendar; None: they bear no date.
        fills: How much of each order has filled by the time somebody amends it.
    """

    def __init__(self, clock, *, tier="starter", travel=(0.0, 0.0), seed=0):
        self.clock = clock
        self.tier = tier
        self.cap, self.pace = TIERS[tier]
        self.travel = travel
        self.chance = random.Random(seed)
        self.levels = {}
        self.orders = {}
        self.pairs = {}
        self.peak = Fraction(0)
        self.refused = []
        self.calls = []
        self.behind, self.dated = 0.0, None
        self.fills = Fraction(0)
        self.script = []
        self.numbers = itertools.count(1)
        self.state = MemoryState(clock)
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self))

    def client(self, key="one", **settings):
        chosen = {"tier": self.tier, "state": self.state, "clock": self.clock, "http_client": self.http}
        return KrakenClient(key, "c2VjcmV0", base_url="http://kraken.test", **{**chosen, **settings})

    async def __call__(self, request):
        name = request.url.path.rpartition("/")[2]
        is_json = request.headers.get("content-type") == "application/json"
        params = json.loads(request.content) if is_json else dict(parse_qsl(request.content.decode()))
        await anyio.sleep(self.chance.uniform(*self.travel))
        played = next((entry for entry in self.script if entry[0] == name), None)
        if played:
            self.script.remove(played)
        if played and isinstance(played[1], str):
            return httpx.Response(200, json={"error": [played[1]]})
        if played and played[2] == "request lost":
            raise played[1]
        self.calls.append((name, self.clock.monotonic()))
        result, error = None, []
        try:
            result = getattr(self, name)(params)
        except Refusal as refusal:
            error = [str(refusal)]
            self.refused += error
        await anyio.sleep(self.chance.uniform(*self.travel))
        if played:
            raise played[1]
        date = {} if self.dated is None else {"Date": formatdate(int(self.calendar() + self.dated), usegmt=True)}
        return httpx.Response(200, json={"error": error, **({} if error else {"result": result})}, headers=date)

    def calendar(self):
        return self.clock.wall_ns() / 1e9 - self.behind

    def level(self, pair="XBTUSD"):
        level, at = self.levels.get(pair, (Fraction(0), Fraction(0)))
        now = Fraction(self.clock.monotonic())
        return max(Fraction(0), level - (now - at) * self.pace)

    def charge(self, pair, points, *, forced=False):
        level = self.level(pair) + Fraction(points)
        if level > self.cap and not forced:
            raise Refusal("EOrder:Rate limit exceeded")
        self.levels[pair] = (level, Fraction(self.clock.monotonic()))
        if not forced:
            self.peak = max(self.peak, level)

    def price(self, action, order):
        age = Fraction(self.clock.monotonic()) - order["touched"]
        return next(points for below, points in BY_AGE[action] if below is None or age < below)

    def add(self, pair, order):
        txid = f"O{next(self.numbers):05}"
        self.orders[txid] = {**order, "pair": pair, "touched": Fraction(self.clock.monotonic())}
        self.pairs |= dict.fromkeys((txid, order.get("cl_ord_id")), pair)
        return txid

    def find(self, params):
        name, own = params.get("txid"), params.get("cl_ord_id")
        return [
            txid
            for txid, order in self.orders.items()
            if txid == name or (own and order.get("cl_ord_id") == own) or (name and order.get("userref") == name)
        ]

    def change(self, action, params):
        """Charge a change and return the orders; the fixed part even if there is none."""
        found = self.find(params)
        if not found:
            if FIXED.get(action):
                name = params.get("txid") or params.get("cl_ord_id")
                if name in self.pairs:
                    self.charge(self.pairs[name], FIXED[action])
            raise Refusal("EOrder:Unknown order")
        for pair in {self.orders[txid]["pair"] for txid in found}:
            there = [order for txid in found if (order := self.orders[txid])["pair"] == pair]
            self.charge(pair, sum(self.price(action, order) for order in there))
        return found

    def AddOrder(self, params):  # noqa: N802 - Kraken's name
        pair = pair_key(params["pair"])
        self.charge(pair, 1)
        if params.get("price") == "0.001":
            raise Refusal("EOrder:Invalid price")
        txid = [] if "validate" in params else [self.add(pair, params)]
        return {"descr": {"order": ""}, "txid": txid}

    def AddOrderBatch(self, params):  # noqa: N802 - Kraken's name
        pair = pair_key(params["pair"])
        self.charge(pair, Fraction(len(params["orders"]), 2))
        return {"orders": [{"txid": self.add(pair, order), "descr": {"order": ""}} for order in params["orders"]]}

    def AmendOrder(self, params):  # noqa: N802 - Kraken's name
        if params.get("limit_price") == "0.001" and (found := self.find(params)):
            self.charge(self.orders[found[0]]["pair"], FIXED["AmendOrder"])
            raise Refusal("EOrder:Invalid price")
        if Fraction(params.get("order_qty", 1)) <= self.fills:
            # https://docs.kraken.com/api/docs/guides/spot-amends: it cancels the rest, and costs what that costs
            return self.CancelOrder(params) and {"amend_id": "T"}
        (txid,) = self.change("AmendOrder", params)
        self.orders[txid]["touched"] = Fraction(self.clock.monotonic())
        return {"amend_id": "T"}

    def EditOrder(self, params):  # noqa: N802 - Kraken's name
        (txid,) = self.change("EditOrder", params)
        old = self.orders.pop(txid)
        return {"status": "ok", "txid": self.add(old["pair"], old), "originaltxid": txid}

    def CancelOrder(self, params):  # noqa: N802 - Kraken's name
        found = self.change("CancelOrder", params)
        for txid in found:
            del self.orders[txid]
        return {"count": len(found)}

    def CancelOrderBatch(self, params):  # noqa: N802 - Kraken's name
        found = [
            *(txid for name in params.get("orders", ()) for txid in self.find({"txid": str(name)})),
            *(txid for name in params.get("cl_ord_ids", ()) for txid in self.find({"cl_ord_id": name})),
        ]
        for txid in found:
            order = self.orders.pop(txid)
            self.charge(order["pair"], self.price("CancelOrder", order), forced=True)
        return {"count": len(found)}

    def CancelAll(self, params):  # noqa: N802 - Kraken's name
        count = len(self.orders)
        self.orders.clear()
        return {"count": count}

    def CancelAllOrdersAfter(self, params):  # noqa: N802 - Kraken's name
        for pair in {order["pair"] for order in self.orders.values()}:
            self.charge(pair, 1, forced=True)
        return {"currentTime": "2026-05-28T20:26:40Z", "triggerTime": "2026-05-28T20:27:40Z"}

    def Balance(self, params):  # noqa: N802 - Kraken's name
        return {}

    def OpenOrders(self, params):  # noqa: N802 - Kraken's name
        begin = self.calendar() - self.clock.monotonic()
        return {
            "open": {
                txid: {
                    "status": "open",
                    "opentm": begin + float(order["touched"]),
                    "descr": {"pair": order["pair"]},
                    "vol": "1",
                    "vol_exec": "0",
                    "cl_ord_id": order.get("cl_ord_id"),
                    "userref": int(order["userref"]) if order.get("userref") else None,
                    "misc": order.get("misc", ""),
                }
                for txid, order in self.orders.items()
                if params.get("cl_ord_id") in {None, order.get("cl_ord_id")}
            }
        }


class Refusal(Exception):
    pass


def stands(kraken, pair="XBTUSD"):
    """How high the client believes the pair's counter to stand."""
    counter = kraken.limits.snapshot()[f"engine:{pair}"]
    return counter.level + counter.held


async def add(kraken, pair="XBTUSD", **more):
    return (await kraken.add_order(pair=pair, **{**LIMIT, **more})).txid[0]


def played(script, **settings):
    """Run ``script(engine, kraken, clock)`` in virtual time; the engine must never have refused for its counter."""

    async def main(clock):
        engine = StrictEngine(clock, **settings)
        async with engine.client() as kraken:
            await script(engine, kraken, clock)
        assert "EOrder:Rate limit exceeded" not in engine.refused
        return engine

    return run(main)


async def until(clock, moment):
    await anyio.sleep(moment - clock.monotonic())


# Kraken's own examples, through the client's counter


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


# Never refused, and no slower than need be


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


# What is charged


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


# The order in which calls go


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


def test_an_amend_to_less_than_may_have_filled_is_charged_as_the_cancel_it_may_be():
    """Which of the two it is, Kraken does not tell; that it is no cancel is certain when the volume stays or grows."""

    async def script(engine, kraken, clock):
        ids = [await add(kraken) for _ in range(3)]
        await kraken.amend_order(txid=ids[0], order_qty="1")
        assert stands(kraken) == 3 + 4
        await kraken.amend_order(txid=ids[1], order_qty="0.5")
        assert stands(kraken) == 3 + 4 + 8
        await kraken.amend_order(txid=ids[1], order_qty="0.5", limit_price="99")  # was it no cancel, this is none
        assert stands(kraken) == 3 + 4 + 8 + 4
        await kraken.amend_order(txid=ids[2], limit_price="99")
        assert stands(kraken) == 3 + 4 + 8 + 4 + 4

    played(script)


@pytest.mark.parametrize("lost", [False, True])
def test_a_volume_that_an_unanswered_amend_may_have_raised_is_taken_for_raised(lost):
    """What then goes below it may be less than has filled."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        if lost:
            engine.script = [("AmendOrder", httpx.ReadTimeout("lost"), "answer lost")]
            with pytest.raises(OutcomeUnknown):
                await kraken.amend_order(txid=txid, order_qty="3")
        else:
            await kraken.amend_order(txid=txid, order_qty="3")
        before = stands(kraken)
        await kraken.amend_order(txid=txid, order_qty="2")
        assert stands(kraken) - before > 7  # not 4

    played(script)


def test_a_volume_is_lowered_only_if_it_is_known_which_amend_came_last():
    """Of two under way at once, and after one without an answer, the greater volume counts on."""

    async def price(kraken, txid, qty):
        before = stands(kraken)
        await kraken.amend_order(txid=txid, order_qty=qty)
        return stands(kraken) - before

    async def script(engine, kraken, clock):
        both, lost, clear = [await add(kraken) for _ in range(3)]
        async with anyio.create_task_group() as tasks:
            for qty in ("5", "3"):
                tasks.start_soon(lambda qty=qty: kraken.amend_order(txid=both, order_qty=qty))
        assert await price(kraken, both, "4") > 7
        engine.script = [("AmendOrder", httpx.ReadTimeout("lost"), "request lost")]
        with pytest.raises(OutcomeUnknown):
            await kraken.amend_order(txid=lost, order_qty="50")
        await kraken.amend_order(txid=lost, order_qty="3")
        assert await price(kraken, lost, "10") > 7
        await kraken.amend_order(txid=clear, limit_price="99")
        await kraken.amend_order(txid=clear, order_qty="0.5")
        assert await price(kraken, clear, "0.7") < 5

    played(script, tier="pro")


def test_an_amend_is_priced_by_the_volume_of_the_moment_it_is_sent():
    """One that came before it in line may have raised the order."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        for _ in range(58):
            await add(kraken)
        async with anyio.create_task_group() as tasks:
            for qty in ("12", "11"):
                tasks.start_soon(lambda qty=qty: kraken.amend_order(txid=txid, order_qty=qty))
        # The first goes after 3 s, for 4 points; the second would after 4 more, but costs 6 when it is 6 s old.
        assert clock.monotonic() == pytest.approx(3 + 6)

    played(script)


def test_an_unknown_order_is_amended_as_one_that_may_end():
    """Its volume is not known either."""

    async def script(engine, kraken, clock):
        await add(kraken)
        (price,) = kraken.limits.engine.price(AmendOrder.spec, {"txid": "O99999", "order_qty": "1"})
        assert price.cost() == 8

    played(script)


def test_a_volume_in_quote_currency_says_nothing_of_what_may_have_filled():
    """100 dollars' worth may be less than 1 bitcoin, or more."""

    async def script(engine, kraken, clock):
        txid = await add(kraken, oflags="viqc", ordertype="market", volume="100", price=None)
        (price,) = kraken.limits.engine.price(AmendOrder.spec, {"txid": txid, "order_qty": "100"})
        assert price.cost() == 8

    played(script)


@pytest.mark.parametrize("odd", ["NaN", "x", None, [1], True])
def test_a_raw_amend_of_any_volume_has_a_price(odd):
    """It is the dearer one where that is no volume."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        (price,) = kraken.limits.engine.price(AmendOrder.spec, {"txid": txid, "order_qty": odd})
        assert price.cost() == (4 if odd is True else 8)

    played(script)


def test_amends_that_cancel_are_never_refused():
    """More than half of each order has filled when it is amended to half of it, again and again."""

    async def script(engine, kraken, clock):
        engine.fills = Fraction(6, 10)
        for _ in range(40):
            await kraken.amend_order(txid=await add(kraken), order_qty="0.5")
        assert not engine.orders

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


# How many orders may rest


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


# When Kraken refuses all the same


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


def test_a_counter_of_ones_own_choice():
    """Accounts with limits of their own say so."""

    async def main(clock):
        engine = StrictEngine(clock)
        async with engine.client(limits=LimitsConfig(engine=CounterSpec(2, 50))) as kraken:
            for _ in range(3):
                await add(kraken)
            assert clock.monotonic() == pytest.approx(2)

    run(main)


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

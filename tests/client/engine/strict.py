"""A matching engine of its own arithmetic, that must never have to refuse a client of ours."""

import itertools
import json
import random
from email.utils import formatdate
from fractions import Fraction
from urllib.parse import parse_qsl

import anyio
import httpx

from krakenasync import KrakenClient
from krakenasync.client.engine import Engine
from krakenasync.protocol.charges import pair_key
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


def unused():
    """Make the client's side of a Starter's engine, which knows of no order yet, its ages and its clock."""
    clock, ages = VirtualClock(), OrderAges()
    return Engine(ages, 60, 60.0, clock), ages, clock


def costs(engine, kind, **params):
    """What the client would charge for a call now, by pair."""
    return {price.pair: price.cost() for price in engine.price(kind.spec, params)}

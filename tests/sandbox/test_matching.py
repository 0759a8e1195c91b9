"""The exchange as properties: money is conserved, nobody overspends, and everyone is served in turn.

Random order flow of three accounts over four pairs, with time passing between. After every step and at every single
trade all of it is checked, by sums and searches that know nothing of how the exchange keeps its books.
"""

import contextlib
import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.amending import Change, amend
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.clearing import reservation
from krakenasync.sandbox.endpoints.ordering import read_order
from krakenasync.sandbox.exchange import Exchange
from krakenasync.sandbox.listings import PAIRS
from krakenasync.sandbox.market import Market
from krakenasync.sandbox.matching import Matching
from krakenasync.sandbox.refusals import Refusal
from krakenasync.testing import VirtualClock

NAMES = ("ann", "ben", "cid")
PLENTY = {"ZUSD": "20000", "ZEUR": "9000.5", "XXBT": "0.7", "XETH": "8", "USDT": "3000", "XXDG": "9000"}
TRADED = ("XXBTZUSD", "XETHZUSD", "XETHXXBT", "ZEURZUSD")
LOTS = {"XXBTZUSD": "0.01", "XETHZUSD": "0.2", "XETHXXBT": "0.2", "ZEURZUSD": "200"}
NEAR = ["-3%", "-0.1%", "-0.02%", "-0.0003%", "+0%", "+0%", "+0%", "+0.0003%", "+0.02%", "+0.1%", "+3%"]
OFFSETS = ["+0.01%", "+0.1%", "+1%"]
KINDS = ["market", "limit", "iceberg", "stop-loss", "take-profit", "stop-loss-limit", "take-profit-limit"]
SIZES = st.sampled_from([1, 2, 3, 7, 15]).flatmap(lambda lots: st.tuples(st.just(lots), st.integers(0, 9999)))


@st.composite
def placing(draw):
    """Draw the parameters of an order, most of which are good."""
    pair = draw(st.sampled_from(["XXBTZUSD", "XXBTZUSD", *TRADED]))  # where all go, they meet
    kind = draw(st.sampled_from([*KINDS, "limit", "limit", "trailing-stop", "trailing-stop-limit"]))
    trailing = kind.startswith("trailing")
    lots, crumbs = draw(SIZES)
    volume = Decimal(LOTS[pair]) * lots + Decimal(crumbs).scaleb(-4 if pair == "ZEURZUSD" else -8)
    order = {
        "pair": pair,
        "type": draw(st.sampled_from(["buy", "sell"])),
        "ordertype": kind,
        "volume": str(volume),
        "price": draw(st.sampled_from(OFFSETS if trailing else NEAR)),
        "price2": draw(st.sampled_from(["+0", "-0.1%", "+0.1%"] if trailing else NEAR)),
        "oflags": draw(st.sampled_from(["", "", "", "fcib", "post"] if kind in ("limit", "iceberg") else ["", "fcib"])),
        "timeinforce": "GTC",
        "stptype": draw(st.sampled_from(["cancel-newest", "cancel-oldest", "cancel-both"])),
        "trigger": draw(st.sampled_from(["last", "last", "index"])),
    }
    if kind == "iceberg":
        order["displayvol"] = str((volume / draw(st.integers(2, 15))).quantize(Decimal("0.0001"), "ROUND_UP"))
    if kind in ("limit", "market"):
        order["timeinforce"] = draw(st.sampled_from(["GTC", "GTC", "GTC", "IOC", "FOK", "GTD"]))
        expiry = "+" + str(draw(st.sampled_from([5, 60, 4000])))
        # A moment to expire goes with GTD alone; refused orders would test nothing.
        order |= {"expiretm": expiry} if order["timeinforce"] == "GTD" else {}
    if draw(st.integers(0, 7)) == 0:
        order["starttm"] = "+" + str(draw(st.sampled_from([1, 100])))
    if draw(st.integers(0, 4)) == 0:
        order["close"] = {"ordertype": "limit", "price": draw(st.sampled_from(NEAR))}
    return order


PASSING = st.sampled_from([1, 15, 16, 60, 900, 20_000])
AMENDING = st.tuples(
    st.just("amend"), st.integers(0, 9), st.sampled_from(["0.3", "0.999", "1", "1.7"]), st.integers(-3, 3)
)
# Two rest between the maker's bid and ask, if there is room, and the third comes to one or both.
MEETING = st.tuples(st.just("meet"), st.booleans(), *[st.integers(10, 90)] * 3)
STEP = st.tuples(
    st.sampled_from(NAMES),
    st.one_of(*[placing()] * 6, PASSING, PASSING, AMENDING, MEETING, MEETING, st.just("cancel"), st.just("switch")),
)
STEPS = st.lists(STEP, max_size=25)
LONG = st.lists(STEP, min_size=15, max_size=40)


class Floor:
    """An exchange on a clock, and the checks."""

    def __init__(self, seed, tier=Tier.PRO):
        self.clock = VirtualClock()
        self.accounts = {name: Account(name, tier, PLENTY) for name in NAMES}
        self.exchange = Exchange(self.accounts, Market(seed), self.clock, random.Random(seed))
        self.start = self.sums()
        self.known = dict.fromkeys(NAMES, 0)

    def sums(self):
        totals = {}
        for account in (*self.accounts.values(), self.exchange.house, self.exchange.fees):
            for asset, amount in account.balances.items():
                totals[asset] = totals.get(asset, 0) + amount
        return {asset: amount for asset, amount in totals.items() if amount}

    def do(self, name, step):
        """Carry out a step; returns the order it placed."""
        account = self.accounts[name]
        self.exchange.settle()
        with contextlib.suppress(Refusal):
            if step == "cancel":
                self.exchange.cancel(account, list(account.open.values())[:1])
            elif step == "switch":
                self.exchange.set_switch(account, 100)
            elif isinstance(step, dict):
                pair = PAIRS[step["pair"]]
                order = read_order(Arguments(step), pair, self.exchange.pit(pair).last, self.exchange.now())
                return self.exchange.place(account, order)
            elif isinstance(step, tuple) and step[0] == "meet":
                self.meet(name, *step[1:])
            elif isinstance(step, tuple):
                self.amend(account, *step[1:])
            else:
                self.clock.advance(step)
                self.exchange.settle()
        return None

    def meet(self, name, buy, *thousandths):
        pair = PAIRS["XXBTZUSD"]
        pit = self.exchange.pit(pair)
        room = pit.best(buy=False) - pit.best(buy=True)
        price = (
            pit.best(buy=True) + min(room, pair.tick_size) if buy else pit.best(buy=False) - min(room, pair.tick_size)
        )
        others = [other for other in NAMES if other != name]
        for each, lots in zip((*others, name), thousandths, strict=True):
            side = "buy" if (each == name) != buy else "sell"
            order = {"type": side, "ordertype": "limit", "price": f"{price:f}", "volume": f"0.0{lots}"}
            order["stptype"] = "cancel-oldest"
            with contextlib.suppress(Refusal):
                self.exchange.place(
                    self.accounts[each], read_order(Arguments(order), pair, pit.last, self.exchange.now())
                )

    def amend(self, account, which, share, ticks):
        orders = [order for order in account.open.values() if order.close is None and order.trail is None]
        if orders:
            order = orders[which % len(orders)]
            volume = (order.volume * Decimal(share)).quantize(Decimal("0.0001"))
            limit = order.limit + ticks * order.pair.tick_size if order.limit and ticks else None
            amend(self.exchange, account, order, Change(volume=volume, limit=limit))

    def check(self):
        """Check all that must hold between two steps."""
        assert self.sums() == self.start
        for account in self.accounts.values():
            assert all(account.available(asset) >= 0 for asset in list(account.balances))
            for order in account.open.values():
                self.check_open(order)
            self.check_ledger(account)
        for pair in TRADED:
            pit = self.exchange.pit(PAIRS[pair])
            assert pit.best(buy=True) < pit.best(buy=False)

    def check_open(self, order):
        assert order.left > 0
        price = order.limit or order.price
        if price is not None:  # what a market order that is to start later will cost is anyone's guess
            assert (order.hold_asset, order.hold) == reservation(order, price)
        resting = order in self.exchange.pit(order.pair).side(buy=order.buy)
        assert resting == (order.status == "open" and not order.waits)
        if resting:
            assert 0 < order.shown <= (order.display or order.left)

    def check_ledger(self, account):
        """The ledger ends at the balance, and each new fill kept to its order's limit."""
        balances = {asset: Decimal(amount) for asset, amount in PLENTY.items()}
        for line in self.exchange.movements.get(account.name, ()):
            balances[line.asset] = balances.get(line.asset, 0) + line.amount - line.fee
            assert line.balance == balances[line.asset]
        assert balances == {asset: account.balances[asset] for asset in balances}
        fills = self.exchange.fills.get(account.name, [])
        for fill in fills[self.known[account.name] :]:
            assert account.orders[fill.order].reaches(fill.price)
        self.known[account.name] = len(fills)


def served_in_turn(pit, resting, taker):
    """Check by brute force that a resting order is the one whose turn it is."""

    def rank(order):
        return (-order.limit if order.buy else order.limit, order.queued)

    assert rank(resting) == min(rank(order) for order in pit.side(buy=resting.buy))
    made = pit.maker(buy=resting.buy).best
    if taker is not None and made is not None:
        price = -made.price if resting.buy else made.price
        assert rank(resting)[0] <= price
    assert taker is None or taker.account != resting.account


@pytest.fixture(scope="module")
def watched():
    """Has every trade of the module checked for whose turn it was."""
    trade = Matching._trade

    def watching(self, pit, taker, resting, *args, **kwargs):
        if resting is not None:
            served_in_turn(pit, resting, taker)
        trade(self, pit, taker, resting, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Matching, "_trade", watching)
        yield


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1000), steps=LONG)
def test_order_flow_conserves_assets_and_serves_in_turn(watched, seed, steps):
    """Whatever is done: sums stay, nobody is below zero or holds, books are uncrossed, limits and turns are kept."""
    floor = Floor(seed)
    for name, step in steps:
        floor.do(name, step)
        floor.check()


def record(floor):
    """Write all that can be seen of an exchange as bytes."""
    return msgspec.json.encode(
        [
            [account.balances, [order.row([[fill] for fill in order.fills]) for order in account.orders.values()]]
            for account in floor.accounts.values()
        ]
        + [floor.exchange.fills, floor.exchange.movements]
        + [list(floor.exchange.pit(PAIRS[pair]).offers(buy=buy)) for pair in TRADED for buy in (True, False)]
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), steps=STEPS)
def test_the_same_calls_give_the_same_bytes(seed, steps):
    """Two exchanges of one seed that see the same calls are the same in every digit, id and time."""
    floors = [Floor(seed), Floor(seed)]
    for floor in floors:
        for name, step in steps:
            floor.do(name, step)
    assert record(floors[0]) == record(floors[1])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000), orders=st.lists(placing(), max_size=8), cuts=st.lists(st.integers(1, 2000), max_size=8)
)
def test_when_one_looks_changes_nothing(seed, orders, cuts):
    """Orders trade, trigger and expire at the same moments whether time passes in one leap or in many."""
    floors = [Floor(seed), Floor(seed)]
    for floor, leaps in zip(floors, ([sum(cuts)], cuts), strict=True):
        for number, order in enumerate(orders):
            floor.do(NAMES[number % 3], order)
        for leap in leaps:
            floor.clock.advance(leap)
            floor.exchange.settle()
    assert record(floors[0]) == record(floors[1])


def test_a_long_idle_time_is_cheap(monkeypatch):
    """A year with an order out of reach is looked at some six thousand times, not at each of its two million beats."""
    floor, looks = Floor(0), []
    ticks = Market.ticks
    order = {"pair": "XXBTZUSD", "type": "buy", "ordertype": "limit", "price": "-90%", "volume": "0.01"}
    assert floor.do("ann", order).status == "open"
    monkeypatch.setattr(Market, "ticks", lambda *args: looks.append(args[-1]) or ticks(*args))
    floor.clock.advance(365 * 86_400)
    floor.exchange.settle()
    assert 1000 < len(looks) < 7000
    assert looks[-1] == floor.exchange.pit(PAIRS["XXBTZUSD"]).beat

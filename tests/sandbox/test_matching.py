"""Orders against the seeded market, as properties: money is conserved and nobody spends what is not there."""

import contextlib
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.endpoints.ordering import read_order
from krakenasync.sandbox.exchange import Exchange
from krakenasync.sandbox.listings import PAIRS
from krakenasync.sandbox.market import Market
from krakenasync.sandbox.matching import SeededMatcher
from krakenasync.sandbox.refusals import Refusal
from krakenasync.testing import VirtualClock

PLENTY = {"ZUSD": "20000", "ZEUR": "9000", "XXBT": "0.7", "XETH": "8", "USDT": "3000", "XXDG": "9000"}
PLACING = st.fixed_dictionaries(
    {
        "pair": st.sampled_from(sorted(PAIRS)),
        "type": st.sampled_from(["buy", "sell"]),
        "ordertype": st.sampled_from(["market", "limit"]),
        "price": st.sampled_from(["-3%", "-0.1%", "-0.01%", "+0%", "+0.01%", "+0.1%", "+3%"]),
        "volume": st.decimals("0.00005", "5000", places=8).map(str),
        "oflags": st.sampled_from(["", "fcib", "post", "fciq"]),
        "timeinforce": st.sampled_from(["GTC", "IOC"]),
    }
)
STEPS = st.lists(st.one_of(PLACING, st.integers(1, 20_000), st.just("cancel")), max_size=30)


def new_exchange(seed):
    clock = VirtualClock()
    accounts = {name: Account(name, Tier.PRO, PLENTY) for name in ("ann", "ben")}
    market = Market(seed)
    return Exchange(accounts, SeededMatcher(market), clock, random.Random(seed)), market, accounts, clock


def sums(exchange, accounts):
    totals = {}
    for account in (*accounts.values(), exchange.house, exchange.fees):
        for asset, amount in account.balances.items():
            totals[asset] = totals.get(asset, 0) + amount
    return {asset: amount for asset, amount in totals.items() if amount}


@settings(max_examples=150)
@given(seed=st.integers(0, 1000), steps=STEPS)
def test_assets_are_conserved_and_never_overspent(seed, steps):
    """After every step each asset adds up to the start's sum, and no account is below zero or its holds."""
    exchange, market, accounts, clock = new_exchange(seed)
    start = sums(exchange, accounts)
    for number, step in enumerate(steps):
        account = accounts["ann" if number % 2 else "ben"]
        if step == "cancel":
            exchange.cancel(account, list(account.open.values())[:1])
        elif isinstance(step, int):
            clock.advance(step)
            exchange.settle()
        else:
            pair = PAIRS[step["pair"]]
            last = market.price(pair, market.beat(exchange.now()))
            with contextlib.suppress(Refusal):
                exchange.place(account, read_order(Arguments(step), pair, last, exchange.now()))
        assert sums(exchange, accounts) == start
        for each in accounts.values():
            assert all(each.available(asset) >= 0 for asset in list(each.balances))


@settings(max_examples=40)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(1, 3000), max_size=6))
def test_when_one_looks_changes_nothing(seed, cuts):
    """A resting order fills at the same moment whether time passes in one leap or in many."""
    fills = []
    for leaps in ([sum(cuts)], cuts):
        exchange, market, accounts, clock = new_exchange(seed)
        pair = PAIRS["XXBTZUSD"]
        order = {"pair": pair.name, "type": "buy", "ordertype": "limit", "price": "-0.1%", "volume": "0.1"}
        last = market.price(pair, market.beat(exchange.now()))
        placed = exchange.place(accounts["ann"], read_order(Arguments(order), pair, last, exchange.now()))
        for leap in leaps:
            clock.advance(leap)
            exchange.settle()
        fills.append([(fill.at, fill.price, fill.fee) for fill in placed.fills])
    assert fills[0] == fills[1]

"""Reservations as a property: what was reserved when an order came is enough to the end, to the last decimal."""

import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.clearing import Clearing, Ids, reservation
from krakenasync.sandbox.fees import rates
from krakenasync.sandbox.listings import ASSETS, PAIRS
from krakenasync.sandbox.market import Market, PublicTrade
from krakenasync.sandbox.orders import Order

PARTS = st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 3000), st.booleans()), min_size=1, max_size=12)


@given(
    pair=st.sampled_from([PAIRS[name] for name in ("XXBTZUSD", "XETHXXBT", "XDGUSD", "ZEURZUSD")]),
    buy=st.booleans(),
    fcib=st.booleans(),
    ticks=st.integers(4000, 10**6),
    parts=PARTS,
)
def test_a_reservation_is_always_enough(pair, buy, fcib, ticks, parts):
    """After each fill at the limit or better, what was paid and what is still held are no more than the first hold."""
    limit, unit = ticks * pair.tick_size, Decimal(1).scaleb(-pair.lot_decimals)
    account = Account("ann", Tier.PRO, {})
    clearing = Clearing({"ann": account}, Market(0), Ids(random.Random(0)))
    order = Order(
        txid="O",
        account="ann",
        pair=pair,
        buy=buy,
        kind="limit",
        opened=1,
        price=limit,
        volume=sum(part[0] for part in parts) * unit,
        oflags=("fcib",) if fcib else ("fciq",),
    )
    order.maker_rate, order.taker_rate = rates(pair, Decimal(0))
    asset, first = reservation(order, limit)
    for lots, better, maker in parts:
        price = limit + better * pair.tick_size * (-1 if buy else 1)
        clearing.fill(order, PublicTrade(1, 1, price, lots * unit, buy, False), maker=maker)
        held = reservation(order, limit)[1] if order.left else 0
        assert held - account.balances[asset] <= first
        assert order.fee == sum(fill.fee for fill in order.fills)
        assert all(fill.fee >= 0 for fill in order.fills)
        digits = ASSETS[order.fills[-1].fee_asset].decimals
        assert 0 <= order.fee - order.owed < Decimal(1).scaleb(-digits)
    assert order.left == 0
    assert clearing.fees.balances[order.fills[0].fee_asset] == order.fee

"""Reservations as a property: what was reserved when an order came is enough to the end, to the last decimal."""

import random
from decimal import ROUND_DOWN, Decimal

import pytest
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
        digits = pair.lot_decimals if fcib else pair.cost_decimals
        assert abs(order.fee - order.owed) <= Decimal("0.5").scaleb(-digits)
    assert order.left == 0
    fee_asset = ASSETS[order.fills[0].fee_asset]
    assert clearing.fees.balances[fee_asset.name] == fee_asset.quantise(order.fee, ROUND_DOWN)


@pytest.mark.parametrize(
    ("pair", "price", "volume", "rate", "cost", "fee", "moved"),
    [
        ("XETHZEUR", "342.1346", "0.2", "0.0024", "68.42692", "0.16422", ("68.4269", "0.1642")),
        ("XXBTZUSD", "158.0351", "1", "0.002", "158.03510", "0.31607", ("158.0351", "0.3160")),
        ("XETHZUSD", "372.1520", "0.1", "0.0016", "37.21520", "0.05954", ("37.2152", "0.0595")),
        ("XBTUSDT", "89357.4", "0.0001", "0.004", "8.93574", "0.03574", ("8.93574", "0.03574")),
    ],
)
def test_fees_as_recorded(pair, price, volume, rate, cost, fee, moved):
    """A fee is rounded to the nearest in the pair's digits, and the ledger cuts what the asset has no digits for.

    Source: see `krakenasync.sandbox.clearing`
    """
    pair = PAIRS[pair]
    clearing = Clearing({"ann": Account("ann", Tier.PRO, {})}, Market(0), Ids(random.Random(0)))
    volume, price = Decimal(volume), Decimal(price)
    order = Order(txid="O", account="ann", pair=pair, buy=True, kind="limit", opened=1, price=price, volume=volume)
    order.taker_rate = Decimal(rate)
    fill = clearing.fill(order, PublicTrade(1, 1, price, volume, True, False), maker=False)
    line = clearing.movements["ann"][1]
    assert (str(fill.cost), str(fill.fee)) == (cost, fee)
    assert (-line.amount, line.fee) == tuple(map(Decimal, moved))


def test_dust_leaves_no_line_in_the_ledger():
    """The quote side of a trade that is worth nothing in its digits; the trade itself is there."""
    clearing = Clearing({"ann": Account("ann", Tier.PRO, {})}, Market(0), Ids(random.Random(0)))
    price, volume = Decimal("0.5"), Decimal("0.00000001")
    order = Order(
        txid="O", account="ann", pair=PAIRS["ADAUSD"], buy=False, kind="limit", opened=1, price=price, volume=volume
    )
    clearing.fill(order, PublicTrade(1, 1, price, volume, False, False), maker=True)
    assert [line.asset for line in clearing.movements["ann"]] == ["ADA"]
    assert len(clearing.fills["ann"]) == 1


def test_the_sale_of_dust_costs_no_more_than_it_brings():
    """Its seller may have nothing left; what is not kept of the fee then is kept from the next part."""
    account = Account("ann", Tier.PRO, {})
    clearing = Clearing({"ann": account}, Market(0), Ids(random.Random(0)))
    price = Decimal("0.5")
    order = Order(
        txid="O", account="ann", pair=PAIRS["ADAUSD"], buy=False, kind="limit", opened=1, price=price, volume=Decimal(1)
    )
    order.maker_rate = Decimal("0.004")
    for volume in ("0.04742", "0.0001", "0.95248"):
        clearing.fill(order, PublicTrade(1, 1, price, Decimal(volume), False, False), maker=True)
        assert account.balances["ZUSD"] >= 0
        account.balances["ZUSD"] = Decimal(0)
    assert order.kept == clearing.fees.balances["ZUSD"] == order.fee == Decimal("0.0020")

"""Waiting orders: what sets them off, and how trailing ones follow."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.sandbox.listings import PAIRS
from krakenasync.sandbox.orders import Order, Trail
from krakenasync.sandbox.triggers import Triggers, begin_trail

PRICES = st.lists(st.integers(900, 1100).map(Decimal), min_size=1, max_size=30)


def waiting(kind, *, buy, price="1000", trigger="last", trail=None):
    pair = PAIRS["XXBTZUSD"]
    return Order(
        txid=f"O{kind}{buy}{price}",
        pair=pair,
        buy=buy,
        kind=kind,
        volume=Decimal(1),
        opened=1,
        price=Decimal(price),
        trigger=trigger,
        trail=trail,
    )


@pytest.mark.parametrize(
    ("kind", "buy", "above"),
    [
        ("stop-loss", True, True),
        ("stop-loss", False, False),
        ("take-profit", True, False),
        ("take-profit", False, True),
    ],
)
def test_each_kind_fires_on_its_side(kind, buy, above):
    """At the trigger itself, and beyond it on one side only."""
    for price, fires in ((999, not above), (1000, True), (1001, above)):
        triggers, order = Triggers(), waiting(kind, buy=buy)
        triggers.add(order, Decimal(1050 if not above else 950), Decimal(1))
        triggers.see(Decimal(price))
        assert (triggers.take() == [order]) is fires
        assert len(triggers) == (not fires)


def test_an_order_whose_price_is_there_already_fires_at_once():
    """It does not wait for the next trade."""
    triggers, order = Triggers(), waiting("stop-loss", buy=False)
    triggers.add(order, Decimal(999), Decimal(2000))
    assert triggers.take() == [order]
    assert triggers.take() == []


def test_index_orders_look_at_the_index_only():
    """A trade at the trigger leaves them; the index there fires them."""
    triggers, order = Triggers(), waiting("stop-loss", buy=False, trigger="index")
    triggers.add(order, Decimal(999), Decimal(1001))
    triggers.see(Decimal(900))
    assert triggers.take() == []
    triggers.see(Decimal(1000), index=True)
    assert triggers.take() == [order]


@given(prices=PRICES, buy=st.booleans())
def test_a_trailing_stop_fires_when_the_market_turns_by_its_offset(prices, buy):
    """It fires at the first price that lies the offset or more from the best one before, as a plain search finds it."""
    order = waiting("trailing-stop", buy=buy, trail=Trail(offset=Decimal(20), percent=False))
    begin_trail(order, Decimal(1000))
    triggers = Triggers()
    triggers.add(order, Decimal(1000), Decimal(1000))
    fired = None
    for place, price in enumerate(prices):
        triggers.see(price)
        if triggers.take():
            fired = place
            break
    best, expected = Decimal(1000), None
    for place, price in enumerate(prices):
        best = min(best, price) if buy else max(best, price)
        if abs(price - best) >= 20:
            expected = place
            break
    assert fired == expected


@given(prices=PRICES)
def test_bounds_enclose_all_that_sets_nothing_off(prices):
    """A price strictly between the bounds fires nothing; one at a bound fires something."""
    triggers = Triggers()
    for place, price in enumerate(prices):
        kind = "stop-loss" if place % 2 else "take-profit"
        triggers.add(waiting(kind, buy=price > 1000, price=str(price)), Decimal(1000), Decimal(1000))
    triggers.take()
    falling, rising = triggers.bounds()
    for bound, side in ((falling, 1), (rising, -1)):
        if bound is not None:
            triggers.see(bound + side * Decimal("0.1"))
            assert triggers.take() == []
            triggers.see(bound)
            assert triggers.take()

"""The queue of resting orders, against a plain list sorted by price and arrival."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from krakenasync.sandbox.book import Side
from krakenasync.sandbox.listings import PAIRS
from krakenasync.sandbox.orders import Order


def resting(number, price, *, buy):
    pair = PAIRS["XXBTZUSD"]
    return Order(txid=f"O{number}", pair=pair, buy=buy, kind="limit", volume=Decimal(1), opened=1, price=Decimal(price))


@given(buy=st.booleans(), steps=st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=40))
def test_orders_stand_by_price_then_by_arrival(buy, steps):
    """Adding at random prices and taking out at random leaves what a sorted list would hold."""
    side, naive = Side(buy=buy), []
    for number, (comes, pick) in enumerate(steps):
        if comes or not naive:
            order = resting(number, pick, buy=buy)
            side.add(order)
            naive.append(order)
        else:
            gone = naive.pop(pick % len(naive))
            side.discard(gone)
            side.discard(gone)
            assert gone not in side
        expected = sorted(naive, key=lambda order: -order.price if buy else order.price)
        assert list(side) == expected
        assert (side.first(), side.best) == ((expected[0], expected[0].price) if expected else (None, None))
        assert (len(side), all(order in side for order in naive)) == (len(naive), True)

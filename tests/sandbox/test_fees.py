"""Fees by volume, and volumes by time."""

from decimal import Decimal

import pytest

from krakenasync.sandbox.fees import WINDOW, Volumes, rates
from krakenasync.sandbox.listings import PAIRS
from krakenasync.sandbox.market import Market


@pytest.mark.parametrize(
    ("pair", "volume", "maker", "taker"),
    [
        ("XXBTZUSD", "0", "0.25", "0.40"),
        ("XXBTZUSD", "9999.99", "0.25", "0.40"),
        ("XXBTZUSD", "10000", "0.20", "0.35"),
        ("XXBTZUSD", "1e9", "0.00", "0.10"),
        ("ZEURZUSD", "49999", "0.20", "0.20"),
        ("ZEURZUSD", "50000", "0.16", "0.16"),
    ],
)
def test_rates_fall_with_volume(pair, volume, maker, taker):
    """A step begins at its volume; currencies have one schedule for both sides."""
    assert [rate * 100 for rate in rates(PAIRS[pair], Decimal(volume))] == [Decimal(maker), Decimal(taker)]


def test_volumes_are_in_dollars_and_of_thirty_days():
    """A trade in bitcoin counts what it was worth, and is forgotten thirty days later to the nanosecond."""
    market, at = Market(0), 1_780_000_000 * 10**9
    volumes = Volumes(market)
    volumes.add("ann", PAIRS["XXBTZUSD"], Decimal(100), at)
    volumes.add("ann", PAIRS["XETHXXBT"], Decimal(2), at + 1)
    worth = 2 * market.price(PAIRS["XXBTZUSD"], market.beat(at + 1))
    assert volumes.total("ann", at + 2) == 100 + worth
    assert volumes.total("ann", at + WINDOW - 1) == 100 + worth
    assert volumes.total("ann", at + WINDOW) == worth
    assert volumes.total("ann", at + WINDOW + 1) == volumes.total("ben", at) == 0

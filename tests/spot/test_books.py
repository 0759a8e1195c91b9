"""Order books: levels as arrays, as objects, and single orders."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from krakenasync.errors import InvalidArguments
from krakenasync.spot.books import Depth, GroupedBook, Level3


def test_depth(sample):
    """One pair's book, its levels named."""
    book = sample(Depth)

    assert book.pair == "XXBTZUSD"
    assert (book.asks[0].price, book.bids[0].volume) == (Decimal("30384.1"), Decimal("1.115"))
    assert book.asks[0].time.tzinfo is not None


@pytest.mark.parametrize("count", [0, 501])
def test_depth_has_1_to_500_levels(count):
    """Kraken's bounds are told before anything is sent."""
    with pytest.raises(InvalidArguments, match=r"1\.\.500"):
        Depth("XBTUSD", count=count).params()


def test_grouped_levels_are_objects(sample):
    """GroupedBook draws its levels as objects where Depth has arrays."""
    book = sample(GroupedBook)

    assert (book.grouping, book.bids[0].qty) == (5, Decimal("1.204"))
    assert GroupedBook("BTC/USD", depth=25, grouping=5).params() == {"pair": "BTC/USD", "depth": 25, "grouping": 5}


def test_level3_times_are_nanoseconds(sample):
    """Nanoseconds past 2**53 stay whole; the datetime beside them is cut to microseconds."""
    order = sample(Level3).bids[0]

    assert order.timestamp == 1763976103123456789
    assert order.time == datetime(2025, 11, 24, 9, 21, 43, 123456, tzinfo=UTC)
    assert Level3("BTC/USD", depth=0).params() == {"pair": "BTC/USD", "depth": 0}

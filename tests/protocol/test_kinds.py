"""The kinds of orders, written down from https://docs.kraken.com/api/docs/rest-api/add-order."""

import pytest

from krakenasync.protocol.kinds import LIMITED, TRIGGERED, takes
from krakenasync.spot.values import OrderKind, words

TAKES = {
    "market": set(),
    "settle-position": set(),
    "limit": {"price"},
    "iceberg": {"price", "displayvol"},
    "stop-loss": {"price", "trigger"},
    "take-profit": {"price", "trigger"},
    "trailing-stop": {"price", "trigger"},
    "stop-loss-limit": {"price", "price2", "trigger"},
    "take-profit-limit": {"price", "price2", "trigger"},
    "trailing-stop-limit": {"price", "price2", "trigger"},
}


@pytest.mark.parametrize("kind", sorted(words(OrderKind)))
def test_each_kind_takes_its_own(kind):
    """No kind is left out, and none is two."""
    assert takes(kind) == TAKES[kind]
    assert (kind in LIMITED) + (kind in TRIGGERED) == ("price" in TAKES[kind])

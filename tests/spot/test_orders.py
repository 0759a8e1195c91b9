"""Orders as Kraken tells of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from krakenasync.errors import InvalidArguments
from krakenasync.spot.orders import ClosedOrders, OpenOrders, OrderAmends, QueryOrders

IDS = [f"O{number:05}-AAAAA-BBBBBB" for number in range(51)]


def test_open_orders(sample):
    """Names are Kraken's, money is exact, times are aware, and 0 is no time."""
    order = sample(OpenOrders).open["OQCLML-BW3P3-BUCMWZ"]

    assert (order.vol, order.vol_exec, order.descr.ordertype) == (Decimal("1.25"), Decimal("0.375"), "limit")
    assert order.opentm == datetime(2023, 7, 6, 18, 2, 39, 897400, tzinfo=UTC)
    assert (order.starttm, order.expiretm, order.closetm) == (None, None, None)
    assert order.trades == ["TCCCTY-WE2O6-P3NB37"]


def test_times_that_are_set_stay(sample):
    """A start and an end that are not 0 are moments."""
    order = sample(OpenOrders).open["OB5VMB-B4U2U-DK2WRW"]

    assert order.starttm == datetime(2023, 7, 6, 18, 3, 20, tzinfo=UTC)
    assert order.expiretm == datetime(2023, 7, 6, 19, 2, 40, 500000, tzinfo=UTC)


def test_text_none_is_none(sample):
    """`refid` can be null or the text None; both are None."""
    assert {order.refid for order in sample(OpenOrders).open.values()} == {None}


def test_closed_orders(sample, answer):
    """Closed orders tell when and why; without_count leaves the count out."""
    page = sample(ClosedOrders)

    assert page.count == 2
    assert page.closed["O37652-RJWRT-IMO74O"].reason == "User requested"
    assert page.closed["O37652-RJWRT-IMO74O"].closetm > page.closed["O37652-RJWRT-IMO74O"].opentm
    assert answer(ClosedOrders, {"closed": {}}).count is None


def test_query_orders_open_and_closed(sample):
    """One answer can hold both."""
    found = sample(QueryOrders)

    assert found["OBCMZD-JIEE7-77TH3F"].closetm is not None
    assert found["OMMDB2-FSB6Z-7W3HPO"].closetm is None


def test_fifty_ids_at_most():
    """Kraken takes 50 ids in one call."""
    assert QueryOrders(IDS[:50]).params()["txid"].count(",") == 49
    with pytest.raises(InvalidArguments, match="50"):
        QueryOrders(IDS).params()


def test_bounds_are_moments_or_ids():
    """`start` and `end` take unix time, a datetime or an order's id."""
    moment = datetime(2026, 2, 26, 0, 0, 0, 500000, tzinfo=UTC)

    sent = ClosedOrders(start=IDS[0], end=moment, ofs=50, closetime="close", without_count=True).params()

    assert sent == {"start": IDS[0], "end": "1772064000.5", "ofs": 50, "closetime": "close", "without_count": True}


def test_amends_with_and_without_the_extra_key(sample, answer):
    """One of Kraken's examples wraps the answer once more."""
    inner = {"count": 1, "amends": [{"amend_id": "T", "amend_type": "original", "order_qty": "1", "timestamp": 5}]}

    assert sample(OrderAmends).amends[0].time == datetime(2024, 8, 20, 12, 47, 50, 287556, tzinfo=UTC)
    assert sample(OrderAmends).amends[0].timestamp == 1724158070287556123
    assert answer(OrderAmends, {"response": inner}).amends == answer(OrderAmends, inner).amends

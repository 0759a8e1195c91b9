"""Orders as Kraken tells of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from krakenasync.errors import InvalidArguments, ProtocolError
from krakenasync.protocol import wire
from krakenasync.spot.changes import Edited
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


def test_a_trailing_stop_of_a_percentage(answer):
    """As Kraken answered somebody in July 2025: the offset is no number, and does not hide the other orders."""
    trailing = {
        "refid": None,
        "userref": 0,
        "status": "canceled",
        "opentm": 1752768514.603174,
        "starttm": 0,
        "expiretm": 0,
        "descr": {
            "pair": "SUIUSD",
            "aclass": "forex",
            "type": "sell",
            "ordertype": "trailing-stop",
            "price": "+1.0000%",
            "price2": "0",
            "leverage": "none",
            "order": "sell 49.96000 SUIUSD @ trailing stop +1.0000%",
            "close": "",
        },
        "vol": "49.96000",
        "vol_exec": "0.00000",
        "cost": "0.00000000",
        "fee": "0.00000000",
        "price": "0.00000000",
        "stopprice": "3.98640000",
        "limitprice": "4.02660000",
        "misc": "",
        "oflags": "fciq",
        "reason": "User requested",
        "closetm": 1752768899.330147,
    }
    plain = trailing | {"descr": {"ordertype": "limit", "price": "4.1000", "price2": 0}}

    found = answer(QueryOrders, {"OICRC3-KX7OB-QB2B2S": trailing, "OOTHER-AAAAA-BBBBBB": plain})

    assert (found["OICRC3-KX7OB-QB2B2S"].descr.price, found["OICRC3-KX7OB-QB2B2S"].descr.price2) == ("+1.0000%", 0)
    assert found["OICRC3-KX7OB-QB2B2S"].stopprice == Decimal("3.98640000")
    assert str(found["OOTHER-AAAAA-BBBBBB"].descr.price) == "4.1000"
    with pytest.raises(ProtocolError):
        answer(QueryOrders, {"OICRC3-KX7OB-QB2B2S": trailing | {"descr": {"price": ["4.1"]}}})


@pytest.mark.parametrize(
    ("body", "price"),
    [
        ("30000.1234567890123456", Decimal("30000.1234567890123456")),
        ('"30000.1234567890123456"', Decimal("30000.1234567890123456")),
        ("30000", Decimal(30000)),
        ("1e-8", Decimal("1e-8")),
        ('"-100.0"', "-100.0"),
        ('"#3"', "#3"),
        ('""', ""),
        ('"1x"', "1x"),
        ("null", None),
    ],
)
def test_an_orders_price_is_exact_or_text(body, price):
    """A number keeps its digits whichever way it is written; what is no plain number stays as it came."""
    answer = f'{{"error":[],"result":{{"status":"ok","price":{body}}}}}'.encode()

    found = wire.decode(Edited, 200, answer, endpoint="EditOrder").result.price

    assert (found, str(found), type(found)) == (price, str(price), type(price))


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


@pytest.mark.parametrize("unit", [1, 10**3, 10**6])
def test_the_time_of_an_amend_in_any_unit(answer, unit):
    """Clients have seen milliseconds live (``1728821182545``), Kraken's page shows nanoseconds."""
    row = {"amend_id": "T", "amend_type": "user", "order_qty": "1", "timestamp": 1728821182545 * unit}
    (amend,) = answer(OrderAmends, {"count": 1, "amends": [row]}).amends
    assert amend.time == datetime(2024, 10, 13, 12, 6, 22, 545000, tzinfo=UTC)


def test_what_an_order_replaced_and_shows(answer):
    """Fields that live answers bear beside the documented ones."""
    order = {"status": "open", "opentm": 1.5, "vol": "2", "vol_exec": "0", "descr": {}, "link_id": "O1-OLD-ONE"}
    order |= {"reduce_only": True, "displayvol": "0.10", "displayvolremain": "0.05", "ext_ord_id": "e"}
    read = answer(OpenOrders, {"open": {"O2": order}}).open["O2"]
    assert (read.link_id, read.reduce_only, read.ext_ord_id) == ("O1-OLD-ONE", True, "e")
    assert (str(read.displayvol), str(read.displayvolremain)) == ("0.10", "0.05")

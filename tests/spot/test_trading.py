"""Placing orders: what is checked before anything is sent, and how it travels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol import bodies
from krakenasync.spot.trading import AddOrder, AddOrderBatch, Close, Order

UUID = "6d1b345e-2821-40e2-ad83-4ecb18a06876"


def order(**changes):
    """Write a limit order, with changes."""
    return AddOrder(
        **{"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "1.5", "price": "100"} | changes
    )


def test_an_order_travels_as_a_form():
    """Money as exact text, a leading + as %2B, the close order in brackets, and no `validate` unless it is set."""
    request = order(
        ordertype="trailing-stop",
        volume=Decimal("1E-8"),
        price="+5%",
        close=Close(ordertype="limit", price="#3"),
        oflags=["fciq", "nompp"],
        validate=False,
        deadline=datetime(2026, 2, 26, 0, 0, 5, tzinfo=UTC),
    )

    assert bodies.encode(request.spec.body, request.params(), "1").decode() == (
        "nonce=1&ordertype=trailing-stop&type=buy&volume=0.00000001&price=%2B5%25&oflags=fciq%2Cnompp"
        "&close%5Bordertype%5D=limit&close%5Bprice%5D=%233&pair=XBTUSD&deadline=2026-02-26T00%3A00%3A05.000Z"
    )


def test_validate_is_sent_when_set():
    """Kraken takes its presence for yes."""
    assert order(validate=True).params()["validate"] is True
    assert "validate" not in order(validate=False).params()


@pytest.mark.parametrize("name", ["volume", "price", "price2", "displayvol"])
def test_a_float_is_refused_and_told_why(name):
    """Binary floats are not exact: 0.1 is not a tenth."""
    with pytest.raises(InvalidType, match=rf"{name}.*floats are inexact"):
        order(**{name: 0.1}).params()


def test_volume_zero_closes_a_position():
    """Kraken takes a volume of 0 for "all of it" where there is a margin position to close, and only there."""
    assert order(volume="0", leverage=2).params()["volume"] == "0"
    assert order(volume=0, reduce_only=True).params()["volume"] == "0"
    assert order(volume="0", ordertype="settle-position", price=None).params()["volume"] == "0"
    with pytest.raises(InvalidArguments, match="negative"):
        order(volume="-1").params()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"userref": 1, "cl_ord_id": UUID}, "exclude each other"),
        ({"userref": 2**31}, "userref"),
        ({"cl_ord_id": "much-too-long-for-text"}, "cl_ord_id"),
        ({"oflags": "fcib,fciq"}, "fcib and fciq"),
        ({"oflags": ["fcib", "fciq"]}, "fcib and fciq"),
        ({"oflags": "viqc"}, "market buys"),
        ({"oflags": "viqc", "ordertype": "market", "type": "sell"}, "market buys"),
        ({"oflags": "viqc", "ordertype": "market", "leverage": "2:1"}, "leverage"),
        ({"ordertype": "iceberg", "displayvol": "0.09"}, "volume/15"),
        ({"ordertype": "trailing-stop", "price": "100"}, "offset"),
        ({"ordertype": "trailing-stop", "price": Decimal(100)}, "offset"),
        ({"ordertype": "trailing-stop-limit", "price": "+100", "price2": "5"}, "offset"),
        ({"timeinforce": "GTD"}, "expiretm"),
        ({"timeinforce": "GTD", "expiretm": "0"}, "expiretm"),
        ({"timeinforce": "GTD", "expiretm": "+4"}, "too near"),
        ({"expiretm": "+4.9"}, "too near"),
        ({"expiretm": "+2678401"}, r"too far .'\+5' to '\+2678400' seconds"),
        ({"price": None}, "price is missing .'limit' has its limit price there"),
        ({"ordertype": "stop-loss", "price": None}, "price is missing .'stop-loss' has its trigger price there"),
        ({"ordertype": "trailing-stop", "price": None}, "price is missing"),
        ({"ordertype": "take-profit-limit"}, "price2 is missing"),
        ({"ordertype": "trailing-stop-limit", "price": "+1"}, "price2 is missing"),
        ({"close": Close(ordertype="stop-loss")}, r"close.price. is missing"),
        ({"close": Close(ordertype="stop-loss-limit", price="1")}, r"close.price2. is missing"),
        ({"ordertype": "iceberg"}, "displayvol is missing"),
        ({"displayvol": "1"}, "displayvol is for icebergs, not for 'limit'"),
        ({"ordertype": "market", "price": None, "oflags": "post"}, "post is for orders that rest"),
        ({"expiretm": "soon"}, "expiretm='soon' is not a point in time"),
        ({"expiretm": "2030-01-01"}, "not a point in time"),
        ({"starttm": "-5"}, "starttm"),
        ({"close": Close(ordertype="market")}, "close"),
        ({"close": Close(ordertype="trailing-stop", price="5")}, "offset"),
        ({"pair": ""}, "pair"),
        ({"volume": "much"}, "not a number"),
        ({"volume": "NaN"}, "finite"),
        ({"volume": "1e999"}, "out of range"),
        ({"volume": "0.00"}, "buys and sells nothing"),
        ({"volume": 0, "leverage": "none"}, "buys and sells nothing"),
        ({"price": "0"}, "not a price"),
        ({"price2": 0}, "not a price"),
    ],
)
def test_what_cannot_be_is_refused_before_sending(changes, message):
    """Each of Kraken's stated constraints, with an error that names the parameter."""
    with pytest.raises(InvalidArguments, match=message):
        order(**changes).params()


@pytest.mark.parametrize(
    "changes",
    [
        {"ordertype": "market", "oflags": "viqc"},
        {"ordertype": "iceberg", "displayvol": "0.1"},
        {"ordertype": "trailing-stop-limit", "price": "+100", "price2": "+0"},
        {"timeinforce": "GTD", "expiretm": "+5"},
        {"timeinforce": "GTD", "expiretm": "+2678400"},
        {"ordertype": "novelty", "price": None, "displayvol": "1"},
        {"timeinforce": "GTD", "expiretm": datetime(2026, 3, 1, tzinfo=UTC)},
        {"timeinforce": "FOK", "stptype": "cancel-both", "trigger": "index"},
        {"ordertype": "novelty", "oflags": "sparkling", "timeinforce": "GTX"},
        {"price": "#3"},
        {"price": "-2.5"},
        {"cl_ord_id": UUID.replace("-", "")},
        {"userref": -(2**31)},
    ],
)
def test_what_can_be_passes(changes):
    """The edge of each constraint, and words this version does not know."""
    sent = order(**changes).params()

    assert {name for name, value in changes.items() if value is not None} <= set(sent)


@given(st.decimals(min_value=0, allow_nan=False, allow_infinity=False, places=10, max_value=10**12))
def test_money_arrives_as_it_was_given(volume):
    """No amount is rounded or written in scientific notation on its way."""
    text = order(volume=volume, leverage=2).params()["volume"]

    assert Decimal(text) == volume
    assert "E" not in text


def test_placed_order(sample, answer):
    """Ids come as a list, and not at all with `validate`."""
    placed = sample(AddOrder)

    assert placed.txid == ["OU22CG-KLAF2-FWUDD7"]
    assert placed.descr.close.startswith("close position")
    assert answer(AddOrder, {"descr": {"order": "buy 1 XBTUSD @ limit 1"}}).txid == []


def batch(number):
    """Write a batch of so many orders."""
    orders = [Order(type="buy", ordertype="limit", volume="1", price="100", userref=place) for place in range(number)]
    return AddOrderBatch(pair="XBTUSD", orders=orders)


def test_a_batch_travels_as_json():
    """Orders nest, and are written by the same rules as a single one."""
    request = batch(2)

    assert bodies.encode(request.spec.body, request.params(), "1") == (
        b'{"nonce":"1","pair":"XBTUSD","orders":['
        b'{"ordertype":"limit","type":"buy","volume":"1","userref":0,"price":"100"},'
        b'{"ordertype":"limit","type":"buy","volume":"1","userref":1,"price":"100"}]}'
    )


@pytest.mark.parametrize("number", [0, 1, 16])
def test_a_batch_holds_2_to_15_orders(number):
    """Kraken's bounds are told before anything is sent."""
    with pytest.raises(InvalidArguments, match="2 to 15"):
        batch(number).params()


def test_each_order_of_a_batch_is_checked():
    """An order that cannot be sinks the batch before it is sent."""
    wrong = Order(type="sell", ordertype="market", volume="1", oflags="viqc")
    with pytest.raises(InvalidArguments, match="viqc"):
        AddOrderBatch(pair="XBTUSD", orders=[wrong, wrong]).params()


def test_errors_inside_a_batch_are_brought_up(sample):
    """An order can fail inside an answer whose envelope holds no error."""
    placed = sample(AddOrderBatch)

    assert placed.failed == {2: "EOrder:Insufficient funds"}
    assert [item.txid for item in placed.orders] == ["65LRD3-AHGRB-G7SWEH", "OFVXHJ-KPQ3B-VS7ELA", None]


def test_close_order_of_a_batch_in_either_place(sample):
    """Kraken's example shows it beside the description, AddOrder's schema inside."""
    first, second, third = sample(AddOrderBatch).orders

    assert first.close == "close position @ stop loss 28000.0"
    assert second.close == "close position @ limit 39000.0"
    assert third.close is None


class Word(Enum):
    """Words as members of an enumeration that is no StrEnum."""

    BUY = "buy"
    MARKET = "market"
    TRAILING = "trailing-stop"
    GTD = "GTD"
    VIQC = "viqc"


def test_members_of_an_enumeration_stand_for_their_words():
    """Also where words are compared: alone, in a list, and in what is nested."""
    sent = order(type=Word.BUY, ordertype=Word.MARKET, oflags=[Word.VIQC], price=None).params()
    assert (sent["type"], sent["ordertype"], sent["oflags"]) == ("buy", "market", "viqc")
    for wrong, message in (
        ({"ordertype": Word.TRAILING, "price": "100"}, "offset"),
        ({"timeinforce": Word.GTD}, "expiretm"),
        ({"close": Close(ordertype=Word.MARKET)}, "not a type for a close order"),
        ({"oflags": Word.VIQC}, "market buys"),
    ):
        with pytest.raises(InvalidArguments, match=message):
            order(**wrong).params()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reduce_only": []}, "reduce_only must be True or False"),
        ({"reduce_only": "no"}, "reduce_only must be True or False"),
        ({"reduce_only": 0}, "reduce_only must be True or False"),
        ({"leverage": ""}, "leverage is empty"),
        ({"leverage": -3}, "leverage=-3 is outside"),
        ({"leverage": True}, "leverage must be a str, not bool"),
        ({"leverage": [2]}, "leverage must be a str, not list"),
        ({"close": {}}, "close lacks ordertype"),
        ({"close": 5}, "close must be a Close, not int"),
        ({"close": {"ordertype": "market"}}, "not a type for a close order"),
        ({"pair": "A\nB"}, "pair='A.*B' contains a control character"),
        ({"pair": "A\0"}, "control character"),
        ({"broker": "\ud800"}, "lone surrogate"),
        ({"expiretm": -1}, "expiretm=-1 is not a point in time"),
        ({"starttm": -1}, "starttm=-1 is not a point in time"),
        ({"expiretm": Decimal("1e99999999")}, "expiretm=.* is not a point in time"),
        ({"deadline": datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))}, "beyond the calendar"),
        ({"type": None}, "type must be a str, not NoneType"),
        ({"volume": 10**5000}, "out of range"),
        ({"expiretm": "+" + "9" * 5000}, "expiretm='.9+… is not a point in time"),
    ],
    ids=range(20),
)
def test_what_is_of_no_use_is_neither_sent_nor_dropped(changes, message):
    """Each bad value is an error that names its parameter."""
    with pytest.raises(InvalidArguments, match=message):
        order(**changes).params()


def test_a_close_order_may_be_described_by_a_dict():
    """The same checks hold for it."""
    sent = order(close={"ordertype": "limit", "price": Decimal("1E+2")}).params()
    assert sent["close"] == {"ordertype": "limit", "price": "100"}


DESCRIBED = {
    "type": "buy",
    "ordertype": "limit",
    "volume": Decimal(1),
    "price": "100",
    "close": {"ordertype": "limit", "price": "#1"},
}


def test_orders_of_a_batch_may_be_described_by_dicts():
    """They are read into orders: written, checked and, if their answer is lost, looked for as such."""
    request = AddOrderBatch(pair="XBTUSD", orders=[DESCRIBED, {**DESCRIBED, "userref": 1}])

    assert request.params()["orders"][1] == {
        "ordertype": "limit",
        "type": "buy",
        "volume": "1",
        "userref": 1,
        "price": "100",
        "close": {"ordertype": "limit", "price": "#1"},
    }
    assert [each.userref for each in request.orders] == [None, 1]


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        (b"ab", "orders must be a sequence, not bytes"),
        ([1, 2], "orders must be an Order, not int .pass Order.*, or a dict of its parameters"),
        ([{**DESCRIBED, "volume": "-1"}] * 2, "volume='-1' is negative"),
        ([{**DESCRIBED, "price": "nan"}] * 2, "price='nan' is not a finite number"),
        ([{**DESCRIBED, "pair": "XBTUSD"}] * 2, "orders holds 'pair'"),
        ([{"type": "buy"}] * 2, "orders lacks ordertype, volume"),
        ([DESCRIBED, None], "orders must be an Order, not NoneType"),
    ],
    ids=range(7),
)
def test_what_describes_no_order_sinks_the_batch(orders, message):
    """Before it is sent."""
    with pytest.raises(InvalidArguments, match=message):
        AddOrderBatch(pair="XBTUSD", orders=orders).params()

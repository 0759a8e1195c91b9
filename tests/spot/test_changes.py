"""Changing and cancelling orders."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from krakenasync.errors import InvalidArguments, InvalidType, ProtocolError
from krakenasync.protocol import bodies
from krakenasync.spot.changes import (
    AmendOrder,
    CancelAll,
    CancelAllOrdersAfter,
    CancelOrder,
    CancelOrderBatch,
    EditOrder,
)

TXID = "OU22CG-KLAF2-FWUDD7"


@pytest.mark.parametrize(("request_type", "more"), [(AmendOrder, {"order_qty": "1"}), (CancelOrder, {})])
def test_an_order_has_one_name(request_type, more):
    """Kraken's id or the caller's, not none and not both."""
    assert request_type(txid=TXID, **more).params() == {"txid": TXID, **more}
    assert request_type(cl_ord_id="mine-1", **more).params() == {"cl_ord_id": "mine-1", **more}
    with pytest.raises(InvalidArguments, match="needed"):
        request_type(**more).params()
    with pytest.raises(InvalidArguments, match="exclude"):
        request_type(txid=TXID, cl_ord_id="mine-1", **more).params()


def test_an_amend_changes_something():
    """Kraken would refuse it, and count a point."""
    with pytest.raises(InvalidArguments, match=r"nothing to change .give one of order_qty, "):
        AmendOrder(txid=TXID, pair="XBTUSD").params()
    assert AmendOrder(txid=TXID, post_only=False).params() == {"txid": TXID, "post_only": False}


def test_amends_speak_of_quantities():
    """AmendOrder takes the WebSocket API's names, and relative prices."""
    sent = AmendOrder(txid=TXID, order_qty=Decimal("0.5"), limit_price="+1%", post_only=True).params()

    assert sent == {"txid": TXID, "order_qty": "0.5", "limit_price": "+1%", "post_only": True}


def test_a_userref_travels_in_txid():
    """Kraken takes the number in the id's place."""
    assert CancelOrder(45326).params() == {"txid": 45326}
    assert EditOrder(txid=45326, pair="XBTUSD").params()["txid"] == 45326
    with pytest.raises(InvalidType, match="txid"):
        CancelOrder(1.5).params()


def test_edit(sample, answer):
    """`ok` reads the status in any case; a failure's text is at hand though the envelope holds none."""
    edited = sample(EditOrder)
    assert answer(EditOrder, {"descr": {"order": "buy"}, "txid": "OU22CG-KLAF2-FWUDD7"}).ok  # as one client has it
    for nothing in ({"descr": {"order": "buy"}}, {}, []):
        with pytest.raises(ProtocolError):
            answer(EditOrder, nothing)
    failed = answer(EditOrder, {"status": "Err", "error_message": "EOrder:Insufficient funds"})

    assert (edited.ok, edited.price2, edited.newuserref) == (True, Decimal(32500), "123")
    assert (failed.ok, failed.error_message) == (False, "EOrder:Insufficient funds")


def test_edit_checks_icebergs():
    """An iceberg shows at least a fifteenth."""
    with pytest.raises(InvalidArguments, match="volume/15"):
        EditOrder(txid=TXID, pair="XBTUSD", volume="15", displayvol="0.9").params()


def test_cancelled(sample):
    """The count, and whether it is still under way."""
    assert (sample(CancelOrder).count, sample(CancelOrder).pending) == (1, False)
    assert (sample(CancelAll).count, sample(CancelAll).pending) == (4, True)


@pytest.mark.parametrize("seconds", [-1, 86400])
def test_timer_is_shorter_than_a_day(seconds):
    """0 to 86,399 seconds."""
    assert CancelAllOrdersAfter(0).params() == {"timeout": 0}
    with pytest.raises(InvalidArguments, match="86399"):
        CancelAllOrdersAfter(seconds).params()


def test_timer_off(sample, answer):
    """A trigger time of 0 is none."""
    assert sample(CancelAllOrdersAfter).trigger_time == datetime(2026, 2, 24, 17, 42, 56, tzinfo=UTC)
    assert (
        answer(CancelAllOrdersAfter, {"currentTime": "2026-02-24T17:41:56Z", "triggerTime": "0"}).trigger_time is None
    )


def test_cancelling_a_batch():
    """Plain strings and numbers in JSON lists, 50 in all over both."""
    request = CancelOrderBatch([TXID, 45326], cl_ord_ids=["mine-1"])
    body = bodies.encode(request.spec.body, request.params(), "1")

    assert body == b'{"nonce":"1","orders":["OU22CG-KLAF2-FWUDD7",45326],"cl_ord_ids":["mine-1"]}'
    assert len(CancelOrderBatch([TXID] * 25, cl_ord_ids=["a"] * 25).params()) == 2
    for orders, ids in [(None, None), ([TXID] * 25, ["a"] * 26)]:
        with pytest.raises(InvalidArguments, match="50 in all"):
            CancelOrderBatch(orders, cl_ord_ids=ids).params()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"orders": b"ab"}, "orders must be a sequence, not bytes"),
        ({"orders": ["", ""]}, "orders is empty"),
        ({"orders": [TXID, 1.5]}, "orders must be a str, not float"),
        ({"orders": [2**31]}, "orders=2147483648 is outside"),
        ({"cl_ord_ids": [""]}, "cl_ord_ids is empty"),
        ({"cl_ord_ids": ["much too long to be an id"]}, "cl_ord_ids='much.*' is not a UUID"),
        ({"cl_ord_ids": [5]}, "cl_ord_ids must be a str, not int"),
    ],
    ids=range(7),
)
def test_what_names_no_order_sinks_the_batch(given, message):
    """Each name is checked as it would be alone."""
    with pytest.raises(InvalidArguments, match=message):
        CancelOrderBatch(**given).params()


@pytest.mark.parametrize("value", ["false", 0, [], "no"])
def test_a_switch_is_true_or_false(value):
    """Text that says no would be sent, and read as yes."""
    with pytest.raises(InvalidType, match="post_only must be True or False"):
        AmendOrder(txid=TXID, order_qty="1", post_only=value).params()
    with pytest.raises(InvalidType, match="cancel_response must be True or False"):
        EditOrder(txid=TXID, pair="XBTUSD", cancel_response=value).params()

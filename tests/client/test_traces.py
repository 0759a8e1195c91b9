"""Advice on where to look when the answer to a write was lost."""

import re

import pytest

from krakenasync import KrakenClient
from krakenasync.client.traces import where_to_look
from krakenasync.protocol.specs import Effect
from krakenasync.spot.catalog import ENDPOINTS

WRITES = {method: kind.spec for method, kind in ENDPOINTS.items() if kind.spec.effect is not Effect.READ}


@pytest.mark.parametrize("method", WRITES)
def test_every_call_named_in_the_advice_exists(method):
    """What the advice names can be called as it stands there, and is not the write itself."""
    named = re.findall(r"(\w+)\(", where_to_look(WRITES[method].name, {}))

    assert all(hasattr(KrakenClient, name) for name in named)
    assert method not in named
    assert named or method == "create_subaccount"


@pytest.mark.parametrize("method", [method for method, spec in WRITES.items() if spec.effect is Effect.FUNDS])
def test_money_is_looked_for_where_money_shows(method):
    """A withdrawal or transfer is not to be found among the orders."""
    advice = where_to_look(WRITES[method].name, {})

    assert "orders" not in advice
    assert "ledgers()" in advice or "earn_allocations()" in advice


def test_an_order_is_looked_for_by_its_own_id():
    """The caller's id is the only name of an order whose answer was lost."""
    assert "open_orders(cl_ord_id='mine')" in where_to_look("AddOrder", {"cl_ord_id": "mine"})


def test_a_long_id_is_not_repeated_whole():
    """Only a raw call can bear one."""
    assert len(where_to_look("AddOrder", {"cl_ord_id": "x" * 200_000})) < 300


def test_a_cancel_is_looked_up_whatever_named_the_order():
    """Whether a cancel came through shows in the order's state."""
    assert "ensure_cancelled()" in where_to_look("CancelOrder", {"cl_ord_id": "mine"})


def test_what_is_advised_can_be_asked_for():
    """`query_orders()` takes no `cl_ord_id`, and it is the order that is done again, not the looking."""
    assert where_to_look("CancelOrder", {"cl_ord_id": "mine"}) == (
        "look it up: open_orders(cl_ord_id='mine'), then closed_orders(cl_ord_id='mine'); "
        "ensure_cancelled() looks by itself"
    )
    assert where_to_look("CancelOrder", {"txid": "O1"}) == (
        "look at query_orders() before doing it again; ensure_cancelled() looks by itself"
    )

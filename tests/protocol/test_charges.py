"""What calls cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.protocol.charges import (
    HISTORY,
    HISTORY_OR_ONE,
    ONE,
    PER_IP,
    PER_IP_AND_PAIR,
    Counter,
    EngineAction,
    engine_points,
    pair_key,
)

ADD, AMEND, EDIT, CANCEL = EngineAction.ADD, EngineAction.AMEND, EngineAction.EDIT, EngineAction.CANCEL
REDUCE = EngineAction.REDUCE

# Kraken's table, one age inside each column: https://docs.kraken.com/exchange/guides/general/ratelimits
AGES = (0, 4.999, 5, 9.999, 10, 14.999, 15, 44.999, 45, 89.999, 90, 299.999, 300, 1e6)
TABLE = {
    ADD: (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    AMEND: (4, 4, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1),
    EDIT: (7, 7, 6, 6, 5, 5, 3, 3, 2, 2, 1, 1, 1, 1),
    CANCEL: (8, 8, 6, 6, 5, 5, 4, 4, 2, 2, 1, 1, 0, 0),
}


@pytest.mark.parametrize(
    ("action", "age", "expected"),
    [(action, age, points) for action, row in TABLE.items() for age, points in zip(AGES, row, strict=True)],
)
def test_engine_table(action, age, expected):
    """Every cell of Kraken's table, at the edges of its column: fixed points plus those for the order's age."""
    assert engine_points(action, age) == expected


def test_official_chronological_example():
    """Add, amend after 7 s, cancel 36 s later charges 1, then 1 + 2, then 4: eight points in all."""
    steps = [engine_points(ADD), engine_points(AMEND, 7), engine_points(CANCEL, 36)]
    assert steps == [1, 3, 4]
    assert sum(steps) == 8


@pytest.mark.parametrize("action", EngineAction)
def test_unknown_age_counts_as_brand_new(action):
    """Not knowing an order's age never makes a call look cheaper than it is."""
    assert engine_points(action) == engine_points(action, 0.0)


@given(st.sampled_from(EngineAction), st.floats(0, 1e6), st.floats(0, 1e6))
def test_older_orders_never_cost_more(action, one, other):
    """Points fall, or stay, as an order ages."""
    assert engine_points(action, max(one, other)) <= engine_points(action, min(one, other))


def test_batches():
    """Adding n orders in a batch costs half of n; cancelling n costs n times as much as one."""
    assert engine_points(ADD, orders=15, batch=True) == 7.5
    assert engine_points(ADD, orders=15) == 15
    assert engine_points(CANCEL, 0, orders=50, batch=True) == 400
    assert engine_points(CANCEL, 300, orders=50, batch=True) == 0


@given(st.floats(0, 1e6))
def test_an_amend_that_may_cancel_costs_the_dearer_of_the_two(age):
    """It may turn out to be either, whatever the order's age."""
    assert engine_points(REDUCE, age) == max(engine_points(AMEND, age), engine_points(CANCEL, age))


def test_a_pair_has_one_counter_whatever_it_is_called():
    """Also in a raw call, whose parameters nobody has checked."""
    assert {pair_key(name) for name in ("XXBTZUSD", "BTC/USD", "xbtusd", " XBTUSD ")} == {"XBTUSD"}


def test_no_alias():
    """No two actions melt into one by having equal points."""
    assert list(EngineAction) == [ADD, AMEND, REDUCE, EDIT, CANCEL]


@pytest.mark.parametrize(
    ("charge", "counter", "dear", "cheap"),
    [
        (ONE, Counter.REST, 1, 1),
        (HISTORY, Counter.REST, 4, 2),
        (HISTORY_OR_ONE, Counter.REST, 4, 1),
        (PER_IP, Counter.PUBLIC, 1, 1),
        (PER_IP_AND_PAIR, Counter.PUBLIC_PAIR, 1, 1),
    ],
)
def test_prices(charge, counter, dear, cheap):
    """Where Kraken's pages disagree the dearer figure is the default and the cheaper one can be asked for."""
    assert (charge.counter, charge.cost(), charge.cost(dear=False)) == (counter, dear, cheap)

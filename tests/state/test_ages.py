"""What is known of the age of an account's orders."""

import pytest

from krakenasync.state import ages as module
from krakenasync.state.ages import FRESH, OrderAges

UUID = "6d1b345e-2821-40e2-ad83-4ecb18a06876"


@pytest.fixture
def ages():
    return OrderAges()


def test_an_order_is_one_thing_under_all_its_names(ages):
    """What is learnt by one name holds for the other; a UUID is the same with and without dashes."""
    ages.born("XBTUSD", ["O1", UUID], 10.0)
    (known,) = ages.named("O1")
    known.since = 20.0
    assert [found.since for found in ages.named(UUID.replace("-", "").upper())] == [20.0]
    assert ages.named("O1", UUID) == [known]


def test_short_ids_of_the_callers_own_are_not_folded(ages):
    """Two texts that differ in a dash are two orders."""
    ages.born("XBTUSD", ["a-1"], 0.0)
    assert ages.named("a1") == []


def test_a_userref_names_every_order_that_bears_it(ages):
    """Several orders share the number; an order's own id never is one."""
    ages.born("XBTUSD", ["O1"], 1.0, userref=-7)
    ages.born("ETHUSD", ["O2"], 2.0, userref="-7")
    ages.born("ETHUSD", ["O3"], 3.0, userref=8)
    assert {order.since for order in ages.named("-7")} == {1.0, 2.0}
    ages.gone("-7")
    assert ages.named("-7", "O1", "O2") == []
    assert len(ages.named("O3")) == 1


def test_an_id_used_again_means_the_new_order(ages):
    """After an order has filled its client id is free: the old order goes on under Kraken's id only."""
    ages.born("XBTUSD", ["O1", "mine"], 1.0)
    ages.born("XBTUSD", ["O2", "mine"], 2.0)
    assert [order.since for order in ages.named("mine")] == [2.0]
    ages.gone("O1")
    assert [order.since for order in ages.named("mine")] == [2.0]


def test_cancelled_orders_are_forgotten_and_no_longer_counted(ages):
    """Both names go, the count falls by one, once."""
    ages.counted({"XBTUSD": 2}, 0.0)
    ages.born("XBTUSD", ["O1", "mine"], 0.0)
    ages.gone("O1")
    ages.gone("mine", "O1", "never-seen")
    assert ages.named("O1", "mine") == []
    assert ages.resting("XBTUSD", 0.0) == 1


def test_a_count_is_believed_for_a_while_only(ages):
    """Fills end orders without telling us: after some seconds nothing is known."""
    assert ages.resting("XBTUSD", 0.0) is None
    ages.counted({"XBTUSD": 3}, 10.0)
    ages.placed("XBTUSD")
    assert ages.resting("XBTUSD", 10.0 + FRESH) == 4
    assert ages.resting("ETHUSD", 10.0) == 0
    assert ages.resting("XBTUSD", 10.1 + FRESH) is None


def test_after_cancelling_all_no_order_and_no_count_is_left(ages):
    """The pairs stay known: an order nobody told us of may be on any of them."""
    ages.counted({"XBTUSD": 3}, 0.0)
    ages.born("XBTUSD", ["O1"], 0.0)
    ages.all_gone()
    assert ages.named("O1") == []
    assert ages.resting("XBTUSD", 0.0) is None
    assert ages.pairs == ["XBTUSD"]


def test_only_so_many_names_are_kept(ages, monkeypatch):
    """The oldest knowledge goes first."""
    monkeypatch.setattr(module, "_KEEP", 3)
    for number in range(5):
        ages.born("XBTUSD", [f"O{number}"], number)
    assert [number for number in range(5) if ages.named(f"O{number}")] == [2, 3, 4]

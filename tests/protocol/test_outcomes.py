"""What follows from looking at an order after a change whose answer was lost."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from krakenasync.protocol.outcomes import after_edit, find_amend, fits_edit
from krakenasync.protocol.placement import Absent, Found, Suspect

AT = datetime(2026, 5, 28, tzinfo=UTC)


def version(kind="user", seconds=100, **values):
    """Make a version of an order."""
    given = {"order_qty": Decimal(1), "limit_price": Decimal(100), "display_qty": None, "trigger_price": None}
    return SimpleNamespace(amend_type=kind, time=AT + timedelta(seconds=seconds), **{**given, **values})


@pytest.mark.parametrize(
    ("wanted", "versions", "found"),
    [
        ({"limit_price": "99"}, [version("original"), version(limit_price=Decimal("99.0"))], 1),
        ({"limit_price": "99"}, [version("original", limit_price=Decimal(99))], Absent()),
        ({"limit_price": "99"}, [version("restated", limit_price=Decimal(99))], Absent()),
        ({"limit_price": "99"}, [version(seconds=49, limit_price=Decimal(99))], Absent()),
        ({"limit_price": "99"}, [version(seconds=50, limit_price=Decimal(99))], 0),
        ({"limit_price": "99"}, [version(limit_price=Decimal(98)), version(seconds=120, limit_price=Decimal(99))], 1),
        ({"limit_price": "99", "order_qty": "2"}, [version(limit_price=Decimal(99))], Absent()),
        ({"limit_price": "+5%"}, [version(limit_price=Decimal(105))], Suspect()),
        ({"trigger_price": "+5%", "limit_price": "99"}, [version(limit_price=Decimal(99))], 0),
        ({"limit_price": "99"}, [version(limit_price=Decimal(99)), version(seconds=120)], Suspect()),
        ({"limit_price": None, "order_qty": Decimal(1)}, [version(), version(seconds=120)], 1),
        ({"limit_price": "99"}, [version(limit_price=Decimal(99)), version()], Suspect()),
        ({"order_qty": 2}, [], Absent()),
    ],
)
def test_an_amend_is_the_user_s_new_enough_and_has_every_value_asked_for(wanted, versions, found):
    """The last of the user's; relative prices are no evidence, and what was amended again may be another amend's."""
    sight = Found() if isinstance(found, int) else found
    assert find_amend(wanted, versions, AT + timedelta(seconds=50)) == (
        sight,
        versions[found] if isinstance(found, int) else None,
    )


@pytest.mark.parametrize("relative", ["+5", "-5", "#5", "+5%", "5%", "soon"])
def test_a_price_that_is_no_absolute_number_proves_nothing(relative):
    """Neither for an order that has it by chance nor against one that has another."""
    assert find_amend({"limit_price": relative}, [version(limit_price=Decimal(5))], AT) == (Suspect(), None)
    assert fits_edit({"price": relative}, SimpleNamespace(price=Decimal(30000)))


@pytest.mark.parametrize(
    ("successor", "status", "sight"),
    [
        (True, "canceled", Found()),
        (True, None, Found()),
        (False, "open", Absent()),
        (False, "pending", Absent()),
        (False, "closed", Absent()),
        (False, "expired", Absent()),
        (False, "canceled", Suspect()),
        (False, None, Suspect()),
    ],
)
def test_an_edit_is_told_by_the_order_it_made(successor, status, sight):
    """A cancelled order without a successor may have one that does not show yet."""
    assert after_edit(successor=successor, status=status) == sight


def test_the_order_an_edit_made_has_every_price_that_was_asked_for():
    """One with only one of the two was made by another edit."""
    wanted = {"price": "99", "price2": "98"}
    assert fits_edit(wanted, SimpleNamespace(price=Decimal("99.0"), price2=Decimal(98)))
    assert not fits_edit(wanted, SimpleNamespace(price=Decimal(99), price2=Decimal(97)))
    assert not fits_edit(wanted, SimpleNamespace(price=Decimal(97), price2=Decimal(98)))
    assert not fits_edit(wanted, SimpleNamespace(price=Decimal(99)))

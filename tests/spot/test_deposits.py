"""Deposits."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from krakenasync.errors import ProtocolError
from krakenasync.spot.deposits import DepositAddresses, DepositMethods, DepositStatus

DEPOSIT = {"method": "Bitcoin", "asset": "XXBT", "refid": "F", "amount": "1", "time": 1688992722, "status": "Success"}


def test_limit_is_an_amount_or_none(sample):
    """Kraken sends false where there is no limit; names with hyphens are read."""
    free, limited = sample(DepositMethods)

    assert (free.limit, free.gen_address) == (None, True)
    assert (limited.limit, limited.fee_percentage) == (Decimal("0.1"), 0)


def test_addresses(sample):
    """An end of 0 is never."""
    lasting, ending = sample(DepositAddresses)

    assert lasting.expiretm is None
    assert (ending.expiretm, ending.tag) == (datetime(2026, 2, 26, tzinfo=UTC), "1361101127")


def test_new_address_is_asked_for():
    """`new` and the amount of a Lightning invoice travel under their names."""
    sent = DepositAddresses(asset="XBT", method="Bitcoin Lightning", new=True, amount=Decimal("0.01")).params()

    assert sent == {"asset": "XBT", "method": "Bitcoin Lightning", "new": True, "amount": "0.01"}


@pytest.mark.parametrize("key", ["deposits", "deposit"])
def test_list_and_page_are_read_alike(answer, key):
    """Without a cursor a list comes, with one an object, whose key Kraken's page and its clients name differently."""
    listed = answer(DepositStatus, [DEPOSIT])
    paged = answer(DepositStatus, {key: [DEPOSIT], "next_cursor": "c2"})

    assert listed.deposits == paged.deposits
    assert (listed.next_cursor, paged.next_cursor) == (None, "c2")


def test_a_page_without_its_rows_is_no_empty_page(answer):
    """Should the key have yet another name, that is told rather than taken for "none"."""
    with pytest.raises(ProtocolError, match="another shape"):
        answer(DepositStatus, {"entries": [DEPOSIT]})


def test_cursor_is_a_flag_and_then_a_text():
    """Its type changes between the first call and the next."""
    assert DepositStatus(cursor=True, limit=25).params() == {"cursor": True, "limit": 25}
    assert DepositStatus(cursor="c2").params() == {"cursor": "c2"}


def test_hyphenated_status(sample):
    """status-prop is read where it is there."""
    assert [deposit.status_prop for deposit in sample(DepositStatus).deposits] == ["return", None]

"""Funding Beta, provisional."""

from __future__ import annotations

import pytest

from krakenasync.errors import InvalidArguments, InvalidType, PermissionDenied, ProtocolError
from krakenasync.protocol import bodies, wire
from krakenasync.spot.beta import (
    AssetOfClass,
    CreateAddress,
    CreateWithdrawal,
    DeleteAddress,
    FundingMethods,
    ListDeposits,
    Provisional,
)


def test_answers_come_without_an_envelope(sample):
    """The whole body is the result, a plain mapping."""
    assert sample(DeleteAddress) == {"result": True}
    assert sample(FundingMethods)["next_cursor"] is None


def test_an_envelope_is_an_error():
    """Kraken's usual error envelope in place of an answer is raised, not handed over as data."""
    with pytest.raises(PermissionDenied):
        wire.decode(Provisional, 200, b'{"error":["EGeneral:Permission denied"]}', endpoint="FundingBeta/Fees")
    with pytest.raises(ProtocolError):
        wire.decode(Provisional, 200, b"[1]", endpoint="FundingBeta/Fees")


def test_filters_get_brackets():
    """Nested filters are written with bracketed names."""
    request = ListDeposits(
        asset=AssetOfClass(name="XBT", asset_class="currency"), status={"list": ["a", "b"]}, limit=500
    )

    assert bodies.query(request.params()) == (
        "asset%5Bname%5D=XBT&asset%5Bclass%5D=currency&status%5Blist%5D%5B0%5D=a&status%5Blist%5D%5B1%5D=b&limit=500"
    )


def test_unlisted_filters_and_bodies_stand_beside_the_others():
    """What no page describes can be sent all the same."""
    assert ListDeposits(filters={"novelty": "x"}).params() == {"novelty": "x"}
    assert CreateAddress(body={"name": "cold"}, account_id="A1").params() == {"account_id": "A1", "name": "cold"}


def test_cursor_goes_alone():
    """A cursor remembers the first call's filters, and excludes new ones."""
    assert FundingMethods(direction="deposit", cursor="c2").params() == {"direction": "deposit", "cursor": "c2"}
    with pytest.raises(InvalidArguments, match="limit"):
        FundingMethods(direction="deposit", cursor="c2", limit=5).params()


def test_money_inside_a_body_is_exact():
    """A float deep inside an amount is refused as well."""
    amount = {"asset_amount": {"asset": {"class": "currency", "name": "XBT"}, "amount": 0.1}}
    with pytest.raises(InvalidType, match="amount"):
        CreateWithdrawal(scope={"method_id": "m"}, address_id="a", amount=amount).params()

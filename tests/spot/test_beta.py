"""Funding Beta: parameters as Kraken's guide writes them, and what is common to all answers."""

from __future__ import annotations

import pytest
from msgspec.structs import astuple

from krakenasync.errors import InvalidArguments, InvalidType, PermissionDenied, ProtocolError
from krakenasync.protocol import bodies, wire
from krakenasync.spot.beta import AssetOfClass, FundableAssets, NamedAsset, Scope
from krakenasync.spot.beta_addresses import ClaimedAddressesPage, FundingAddressesPage
from krakenasync.spot.beta_limits import WithdrawalLimits
from krakenasync.spot.beta_methods import FundingFees, FundingMethods, FundingMethodsPage
from krakenasync.spot.beta_transfers import (
    FundingDepositsPage,
    FundingWithdrawalsPage,
    ListDeposits,
    ListWithdrawals,
)

COINS = AssetOfClass(asset_class="currency")


def test_assets_are_listed_by_class(sample):
    """Bitcoin is BTC here, and tokenized assets have a list of their own."""
    assets = sample(FundableAssets)

    assert NamedAsset("BTC") in assets.currency
    assert NamedAsset("NVDAx") in assets.tokenized_asset


@pytest.mark.parametrize("status", [200, 403])
def test_an_envelope_is_an_error(status):
    """Kraken's usual error envelope in place of an answer is raised, not handed over as data."""
    body = b'{"error":["EGeneral:Permission denied"]}'
    with pytest.raises(PermissionDenied):
        wire.decode(FundingFees, status, body, endpoint="FundingBeta/Fees")


@pytest.mark.parametrize("body", [b"[1]", b'{"error":"TooManyDepositAddresses"}', b'{"error":{"a":1}}', b"<html>"])
def test_what_is_no_answer_passes_for_none(body):
    """A page all of whose fields may be left out is not read out of an error: no withdrawals is an answer."""
    with pytest.raises(ProtocolError):
        wire.decode(FundingWithdrawalsPage, 200, body, endpoint="FundingBeta/WithdrawalsList")


@pytest.mark.parametrize(
    "page",
    [FundingMethodsPage, ClaimedAddressesPage, FundingAddressesPage, FundingDepositsPage, FundingWithdrawalsPage],
)
def test_an_empty_page(page):
    """Kraken leaves out a list that is empty; but a page without its rows that holds something is not one."""
    assert not any(astuple(wire.decode(page, 200, b"{}", endpoint="x").result))
    for body in (b'{"rows":[]}', b'{"next_cursor":"c2"}'):
        with pytest.raises(ProtocolError):
            wire.decode(page, 200, body, endpoint="x")


def test_filters_get_brackets():
    """Nested filters are written with bracketed names."""
    request = ListDeposits(
        asset=AssetOfClass(name="BTC", asset_class="currency"), status={"list": ["a", "b"]}, limit=500
    )

    assert bodies.query(request.params()) == (
        "asset%5Bname%5D=BTC&asset%5Bclass%5D=currency&status%5Blist%5D%5B0%5D=a&status%5Blist%5D%5B1%5D=b&limit=500"
    )


def test_withdrawals_are_filtered_like_deposits():
    """By scope, asset, time and view, beside their status."""
    asked = ListWithdrawals(
        scope=Scope(network_group_id="g"), asset=COINS, start_time="2026-08-12T10:10:30Z", rebase_multiplier="base"
    )

    assert asked.params() == {
        "scope": {"network_group_id": "g"},
        "asset": {"class": "currency"},
        "start_time": "2026-08-12T10:10:30Z",
        "rebase_multiplier": "base",
    }


def test_a_filter_by_asset_needs_a_class():
    """The class alone is a filter, the name alone is none."""
    assert FundingMethods(direction="deposit", asset=COINS).params() == {
        "direction": "deposit",
        "asset": {"class": "currency"},
    }
    with pytest.raises(InvalidArguments, match="class"):
        FundingMethods(direction="deposit", asset=AssetOfClass(name="BTC")).params()
    with pytest.raises(InvalidArguments, match="class"):
        FundingMethods(direction="deposit", asset={"name": "BTC"}).params()


def test_a_currency_for_equivalents_needs_a_name():
    """The other way round than a filter."""
    of = {"asset_class": "currency", "asset": "BTC"}
    assert WithdrawalLimits(**of, preferred_asset=AssetOfClass(name="USD")).params()["preferred_asset"] == {
        "name": "USD"
    }
    with pytest.raises(InvalidArguments, match="name"):
        WithdrawalLimits(**of, preferred_asset=COINS).params()


@pytest.mark.parametrize("scope", [{}, {"method_id": "m", "network_id": "n"}, {"method": "m"}])
def test_a_scope_is_one_id(scope):
    """None, two, or one of an unknown kind are refused before anything is sent."""
    assert ListDeposits(scope={"method_id": "m"}).params() == {"scope": {"method_id": "m"}}
    with pytest.raises(InvalidArguments):
        ListDeposits(scope=scope).params()


def test_unlisted_filters_stand_beside_the_others():
    """What no page describes can be sent all the same."""
    assert ListDeposits(filters={"novelty": "x"}).params() == {"novelty": "x"}


def test_cursor_goes_alone():
    """A cursor remembers the first call's filters, and excludes new ones."""
    assert FundingMethods(direction="deposit", cursor="c2").params() == {"direction": "deposit", "cursor": "c2"}
    with pytest.raises(InvalidArguments, match="limit"):
        FundingMethods(direction="deposit", cursor="c2", limit=5).params()
    with pytest.raises(InvalidArguments, match="scope"):
        ListWithdrawals(scope=Scope(method_id="m"), cursor="c2").params()


def test_a_class_is_a_word():
    """A number is no class of assets."""
    with pytest.raises(InvalidType, match="asset_class"):
        FundableAssets(direction="deposit", asset_class=1).params()

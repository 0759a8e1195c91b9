"""Funding Beta: deposits and withdrawals.

The samples are the examples of https://docs.kraken.com/openapi/spot-rest.yaml, version 1.1.0
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.spot.beta import AssetAmount, FundingAsset, Scope
from krakenasync.spot.beta_transfers import CreateWithdrawal, ListDeposits, ListWithdrawals

FIVE = {"asset_amount": {"asset": {"class": "currency", "name": "USDC"}, "amount": "5"}}
METHOD = Scope(method_id="d4ec4d52-b159-428e-ba64-f45455a978a1")


def amount(value: str, name: str = "USDC", kind: str = "currency") -> AssetAmount:
    return AssetAmount(asset=FundingAsset(name=name, asset_class=kind), amount=Decimal(value))


def test_deposits_of_kraken_s_example(sample):
    """Amount and fee with their asset, the network, and when it was."""
    page = sample(ListDeposits)
    first, second = page.deposits

    assert (first.deposit_id, first.status) == ("FTcQ4qW-fWGQbQwUfqdnZo4dsMn1ao", "success")
    assert first.method_id == "3e7f8072-cc6d-4394-982a-5f4ca6ab27dd"
    assert first.network_id == "b336ce74-8d60-42b8-8714-b1095e06b711"
    assert (first.amount, first.fee) == (amount("20.00000000"), amount("0.00000000"))
    assert first.create_time == datetime(2026, 7, 1, 8, 31, 33, tzinfo=UTC)
    assert str(second.amount.amount) == "5555.0000000000"
    assert page.next_cursor == "gqNrZXm-RlREc1IxRC1oOTd3c1Y4RFJKUWpPQ0ZTTjVic0Nx"


def test_a_deposit_that_has_just_been_seen(answer):
    """Amount and fee are not known yet."""
    row = {"deposit_id": "d", "method_id": "m", "status": "initial", "create_time": "2026-07-01T08:31:33.5Z"}
    (deposit,) = answer(ListDeposits, {"deposits": [row]}).deposits

    assert (deposit.amount, deposit.fee, deposit.network_id) == (None, None, None)
    assert deposit.create_time.microsecond == 500_000


def test_withdrawals_of_kraken_s_example(sample):
    """Net amount, fee, saved address and time; tokenized assets say what they are."""
    page = sample(ListWithdrawals)
    first, second = page.withdrawals

    assert (first.withdrawal_id, first.status) == ("FTVZiTI-e02T84mm87JmibnObWNdnW", "pending")
    assert (first.amount, first.fee) == (amount("4.00000000"), amount("1.00000000"))
    assert (first.method_id, first.address_id) == (METHOD.method_id, "ABR6SXP-SF6CY-VJMONY")
    assert first.create_time == datetime(2026, 8, 12, 10, 10, 30, tzinfo=UTC)
    assert second.amount == amount("1.30000000", "TSLAx", "tokenized_asset")
    assert (first.onchain_transaction, first.utxo_vout) == (None, None)
    assert page.next_cursor == "gqNrZXm-RlRSeFJ2WS1PSHBXSUlrTkYwQU1tM0MzNDg2dkxF"


@pytest.mark.parametrize("transaction", ["f0cf9b21", {"transaction_hash": "f0cf9b21"}])
def test_a_withdrawal_on_its_chain(answer, sample_bytes, transaction):
    """The chain's id of it is text; an object in its place does not hide the list."""
    row = {
        "withdrawal_id": "w",
        "method_id": "m",
        "status": "success",
        "create_time": "2026-08-12T10:10:30Z",
        "amount": {"asset": {"class": "currency", "name": "BTC"}, "amount": "1"},
        "onchain_transaction": transaction,
        "utxo_vout": "3",
    }
    (withdrawal,) = answer(ListWithdrawals, {"withdrawals": [row]}).withdrawals

    assert (withdrawal.onchain_transaction, withdrawal.utxo_vout) == (transaction, 3)
    assert (withdrawal.fee, withdrawal.address_id) == (None, None)


def test_a_withdrawal_that_was_begun(sample, answer):
    """Its id, what arrives, what leaves, the fee; perhaps somebody has to approve it."""
    begun = sample(CreateWithdrawal)

    assert begun.withdrawal_id == "FTVZiTI-e02T84mm87JmibnObWNdnW"
    assert begun.net_amount.asset_amount == amount("4.00000000")
    assert begun.gross_amount.asset_amount == amount("5.00000000")
    assert begun.fee.asset_amount == amount("1.00000000")
    assert (begun.fee.rebase_multiplier, begun.approval_request_id) == (None, None)
    wrapped = {**FIVE, "rebase_multiplier": "base"}
    waiting = {"net_amount": wrapped, "gross_amount": wrapped, "fee": wrapped, "approval_request_id": "r"}
    held = answer(CreateWithdrawal, {"withdrawal_id": "w", **waiting})
    assert (held.approval_request_id, held.net_amount.rebase_multiplier) == ("r", "base")


def test_the_withdrawals_of_kraken_s_guide():
    """With a quote's token, or with a bound of the current fee."""
    quoted = {"quoted_fee": {"token": "AAAA,MBri"}, "fee_included": True}
    bounded = {"current_fee": {"max_fee": FIVE}, "fee_included": True}
    for fee in (quoted, bounded, {"current_fee": {}, "fee_included": False}):
        asked = CreateWithdrawal(scope=METHOD, address_id="ABR6SXP-SF6CY-VJMONY", amount=FIVE, fee=fee)
        assert asked.params() == {
            "scope": {"method_id": METHOD.method_id},
            "address_id": "ABR6SXP-SF6CY-VJMONY",
            "amount": FIVE,
            "fee": fee,
        }


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": Scope(network_group_id="g")},
        {"scope": {"method_id": "m", "network_id": "n"}},
        {"fee": {"quoted_fee": {"token": "t"}}},
        {"fee": {"current_fee": {}}},
        {"fee": {"quoted_fee": {"token": "t"}, "current_fee": {}, "fee_included": True}},
    ],
)
def test_a_withdrawal_that_cannot_be_meant(wrong):
    """A scope that is no method, a fee of two kinds, or one that does not say whether it is included."""
    with pytest.raises(InvalidArguments):
        CreateWithdrawal(**{"scope": METHOD, "address_id": "a", "amount": FIVE, **wrong}).params()


def test_money_inside_a_body_is_exact():
    """A float deep inside an amount is refused as well."""
    inexact = {"asset_amount": {"asset": {"class": "currency", "name": "BTC"}, "amount": 0.1}}
    with pytest.raises(InvalidType, match="amount"):
        CreateWithdrawal(scope=METHOD, address_id="a", amount=inexact).params()

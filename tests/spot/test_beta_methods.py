"""Funding Beta: methods, networks and fee quotes.

The samples are the examples of https://docs.kraken.com/openapi/spot-rest.yaml, version 1.1.0 (fees, methods, networks);
the shorter ones here are from https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from krakenasync.errors import InvalidType
from krakenasync.spot.beta import AssetAmount, FundingAsset
from krakenasync.spot.beta_methods import FeeQuote, FundingMethods, Networks

USDC = FundingAsset(name="USDC", asset_class="currency")
ETHEREUM = "d9d375da-44b7-4be1-8a00-8b281acfe366"


def test_a_method_of_kraken_s_example(sample):
    """Every documented field is there, amounts exact; what is left out is None."""
    (method,) = sample(FundingMethods).methods

    assert (method.asset, method.method_id) == (USDC, "27ede8db-804b-4d91-8e25-46b7b9668730")
    assert (method.method_name, method.minimum_amount, method.maximum_amount) == ("Standard", Decimal(2), None)
    assert (method.fees.base.amount, method.fees.included) == (Decimal("0.00000000"), True)
    assert (method.fees.percentage, method.fees.min, method.fees.max) == (None, None, None)
    network = method.network
    assert (network.network_id, network.network_name, network.on_chain_asset_symbol) == (ETHEREUM, "Ethereum", "USDC")
    assert network.contract_address == "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
    assert (method.deposit.address_generation.status, method.deposit.address_generation.limit) == ("limited", 5)
    assert method.deposit.shares_addresses_with_method_id == "a001231f-488e-48c0-b36c-6e0d2c1ee247"


def test_a_method_with_all_there_may_be(answer):
    """The fields that no example has: bounds of the amount and the fee, what is said of cards, of withdrawals."""
    amount = {"asset": {"class": "currency", "name": "EUR"}, "amount": "0.50"}
    fees = {"base": amount, "percentage": "1.5", "included": False, "min": amount, "max": amount}
    deposit = {"address_setup_fee": amount, "allow_credit_cards": False, "exempted_withdrawal_hold": True}
    row = {"asset": amount["asset"], "method_id": "m", "maximum_amount": "10.5", "fees": fees, "deposit": deposit}
    (method,) = answer(FundingMethods, {"methods": [{**row, "withdrawal": {}}], "next_cursor": "c2"}).methods

    half = AssetAmount(asset=FundingAsset(name="EUR", asset_class="currency"), amount=Decimal("0.50"))
    assert (method.maximum_amount, method.fees.percentage) == (Decimal("10.5"), Decimal("1.5"))
    assert (method.fees.min, method.fees.max, method.deposit.address_setup_fee) == (half, half, half)
    assert (method.deposit.allow_credit_cards, method.deposit.exempted_withdrawal_hold) == (False, True)
    assert method.withdrawal == {}


def test_networks_and_their_groups(sample):
    """A group names the networks it is made of."""
    found = sample(Networks)
    (group,) = found.network_groups

    assert (group.network_group_id, group.name) == ("f95acdb7-48fb-4441-b5b4-843d3bf60e61", "EVM")
    assert group.network_ids == [network.network_id for network in found.networks]
    assert [network.name for network in found.networks] == ["Arbitrum Nova", "Arbitrum One"]


def test_a_quote_of_kraken_s_example(sample):
    """Fee, amounts with and without it, what it is made of, and the token that holds it."""
    quote = sample(FeeQuote)

    assert quote.fee == AssetAmount(asset=USDC, amount=Decimal("1.00000000"))
    assert (quote.gross_amount.amount, quote.net_amount.amount) == (Decimal(5), Decimal(4))
    assert (quote.fee_details.base_fee.amount, quote.fee_details.fee_percentage) == (Decimal(1), Decimal(0))
    assert quote.withdrawal_fee_token.startswith("AAAAAAAAAAHG33Wc1eES6QpeGgMok_gUnlZC7Y5niezI2,MBri")


def test_a_quote_s_token_is_text():
    """An earlier quote's token is sent as it is; a switch in its place is refused."""
    quote = FeeQuote(method_id="m", amount="5", fee_included=True, withdrawal_fee_token="AAAA,MBri")

    assert quote.params() == {
        "method_id": "m",
        "amount": "5",
        "fee_included": True,
        "withdrawal_fee_token": "AAAA,MBri",
    }
    with pytest.raises(InvalidType, match="withdrawal_fee_token"):
        FeeQuote(method_id="m", amount="5", withdrawal_fee_token=True).params()

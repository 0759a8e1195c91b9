"""Funding Beta: limits.

The samples are the examples of https://docs.kraken.com/openapi/spot-rest.yaml, version 1.1.0
"""

from __future__ import annotations

from decimal import Decimal

from krakenasync.spot.beta import AssetAmount, FundingAsset
from krakenasync.spot.beta_limits import DepositLimits, LimitAmounts, WithdrawalLimits


def amount(name: str, value: str) -> AssetAmount:
    return AssetAmount(asset=FundingAsset(name=name, asset_class="currency"), amount=Decimal(value))


def amounts(dollars: str, asked: str) -> LimitAmounts:
    usd = amount("USD", dollars)
    return LimitAmounts(policy_asset_amount=usd, usd_amount=usd, requested_asset_amount=amount("USDC", asked))


def test_deposit_limits_of_kraken_s_example(sample):
    """By method; one without a bound has none."""
    bounded, free = sample(DepositLimits).deposit_limits

    assert bounded.method_id == "742656ee-ecc8-4287-a301-5a472ca16c24"
    assert (bounded.maximum_amount, bounded.limits) == (amount("USDC", "100032.01024328"), [])
    assert (free.maximum_amount, free.maximum_reason) == (None, None)


def test_withdrawal_limits_of_kraken_s_example(sample):
    """What there is, what sets the maximum, and each window with what is left, allowed and used."""
    result = sample(WithdrawalLimits)
    (of,) = result.withdrawal_limits
    (window,) = of.limits

    assert result.available_balance == amount("USDC", "689005.55897887")
    assert (of.method_id, of.maximum_reason) == ("ec344850-a2bf-4fd8-b5c4-eb902a61cd03", "limits")
    assert of.maximum_amount == amount("USDC", "500155.05091629")
    assert (window.time_window, window.limit.limit_type) == (86_400, "equiv_amount_usd")
    assert window.limit.remaining == amounts("499995.0013", "500155.05091629")
    assert window.limit.maximum == amounts("500000.0000", "500160.05121639")
    assert window.limit.used == amounts("4.9987", "5.00030010")


def test_a_limit_may_be_a_number_of_transfers(answer):
    """Attempts and successes are counted, as numbers or as text; what was used may be missing."""
    limit = {"limit_type": "attempt", "remaining": 10, "maximum": "20"}
    row = {"method_id": "m", "limits": [{"time_window": "86400", "limit": limit}]}
    (window,) = answer(WithdrawalLimits, {"withdrawal_limits": [row]}).withdrawal_limits[0].limits

    assert (window.limit.remaining, window.limit.maximum, window.limit.used) == (10, 20, None)

"""Funding Beta: how much can be deposited and withdrawn now. See `beta` for what these calls have in common.

Source: https://docs.kraken.com/api-reference/funding-beta/list-funding-withdrawal-limits
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

import msgspec

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.specs import Spec
from krakenasync.spot.beta import AssetAmount, AssetOfClass, Bare, Beta, beta_call
from krakenasync.spot.values import AssetClass, AssetName

__all__ = [
    "DepositLimits",
    "FundingDepositLimits",
    "FundingWithdrawalLimits",
    "Limit",
    "LimitAmounts",
    "LimitWindow",
    "MethodLimits",
    "WithdrawalLimits",
]

R = TypeVar("R")


class LimitAmounts(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a limit.

    Attributes:
        policy_asset_amount: In the asset the limit is set in.
        usd_amount: The same in dollars.
        requested_asset_amount: The same in the call's `preferred_asset`, or without one in the asset of the method.
    """

    policy_asset_amount: AssetAmount | None = None
    usd_amount: AssetAmount | None = None
    requested_asset_amount: AssetAmount | None = None


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit: amounts, or a number of transfers where the type is ``attempt`` or ``success``.

    Attributes:
        limit_type: ``amount``, ``equiv_amount_usd`` (or ``_eur``, ``_cad``, ``_gbp``), ``attempt``, ``success``.
    """

    limit_type: str
    remaining: LimitAmounts | int | None = None
    maximum: LimitAmounts | int | None = None
    used: LimitAmounts | int | None = None


class LimitWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A limit for any period of `time_window` seconds."""

    time_window: int
    limit: Limit


class MethodLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a method.

    Attributes:
        maximum_amount: The most that can be moved now, by amount; limits on the number of transfers are ignored.
        maximum_reason: What determines it for a withdrawal: ``balance`` or ``limits``.
    """

    method_id: str
    maximum_amount: AssetAmount | None = None
    maximum_reason: str | None = None
    limits: list[LimitWindow] = msgspec.field(default_factory=list)


class Limits(Beta[R], frozen=True, kw_only=True):
    """A call about an asset's limits; `preferred_asset` is the currency for equivalents, by its name."""

    asset_class: AssetClass
    asset: AssetName
    preferred_asset: AssetOfClass | None = None

    def check(self) -> None:
        """Refuse a currency for equivalents that has no name."""
        if self.preferred_asset is not None and self.preferred_asset.name is None:
            raise InvalidArguments("preferred_asset lacks name", hint="its class may be left out, its name not")


class FundingDepositLimits(Bare, frozen=True, kw_only=True):
    """The limits of each method to deposit an asset."""

    deposit_limits: list[MethodLimits] = msgspec.field(default_factory=list)


class DepositLimits(Limits[FundingDepositLimits], frozen=True, kw_only=True):
    """How much of an asset can be deposited, by method."""

    spec: ClassVar[Spec] = beta_call(
        "LimitsDeposit", "v1/limits/deposit/{asset_class}/{asset}", "list-funding-deposit-limits"
    )


class FundingWithdrawalLimits(Bare, frozen=True, kw_only=True):
    """How much of an asset can be withdrawn at all, and the limits of each method to do so."""

    available_balance: AssetAmount | None = None
    withdrawal_limits: list[MethodLimits] = msgspec.field(default_factory=list)


class WithdrawalLimits(Limits[FundingWithdrawalLimits], frozen=True, kw_only=True):
    """How much of an asset can be withdrawn, by method."""

    spec: ClassVar[Spec] = beta_call(
        "LimitsWithdrawal", "v1/limits/withdrawal/{asset_class}/{asset}", "list-funding-withdrawal-limits"
    )

"""Funding Beta: deposits and withdrawals. See `beta` for what these calls have in common.

Source: https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.fields import Range
from krakenasync.protocol.specs import Effect, Spec
from krakenasync.spot.beta import AssetAmount, AssetOfClass, Bare, Beta, Listing, Scope, beta_call
from krakenasync.spot.values import FundingState, PreciseMoment, RebaseMultiplier, Word

__all__ = [
    "CreateWithdrawal",
    "FundingDeposit",
    "FundingDepositsPage",
    "FundingWithdrawal",
    "FundingWithdrawalCreated",
    "FundingWithdrawalsPage",
    "ListDeposits",
    "ListWithdrawals",
    "RebasableAmount",
]


class FundingDeposit(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit.

    Attributes:
        status: ``initial``, ``pending``, ``settled``, ``success``, ``failure``.
        amount: None while it is not known.
        fee: None until the deposit is complete.
    """

    deposit_id: str
    method_id: str
    status: str
    create_time: datetime
    network_id: str | None = None
    amount: AssetAmount | None = None
    fee: AssetAmount | None = None


class FundingDepositsPage(Bare, frozen=True, kw_only=True):
    """Deposits, newest first. `next_cursor` is the next call's `cursor`; None at the end."""

    nothing: ClassVar[bytes] = b'{"deposits":[]}'

    deposits: list[FundingDeposit]
    next_cursor: str | None = None


class ListDeposits(Listing[FundingDepositsPage], frozen=True, kw_only=True):
    """Deposits. `status` is ``{"list": [...]}`` or ``{"range": {"start": ..., "end": ...}}``."""

    spec: ClassVar[Spec] = beta_call("Deposits", "v1/deposits", "list-funding-deposits")

    scope: Scope | None = None
    asset: AssetOfClass | None = None
    status: dict[str, Any] | None = None
    start_time: PreciseMoment | None = None
    end_time: PreciseMoment | None = None
    rebase_multiplier: RebaseMultiplier | None = None
    limit: Annotated[int, Range(1, 500)] | None = None


class RebasableAmount(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of an asset, and how amounts of a tokenized one are to be read: ``rebased`` or ``base``."""

    asset_amount: AssetAmount
    rebase_multiplier: str | None = None


class FundingWithdrawalCreated(Bare, frozen=True, kw_only=True):
    """The withdrawal that was started.

    Attributes:
        net_amount: What arrives.
        gross_amount: What leaves the account.
        approval_request_id: Present if a person has to approve it first; without approval it is cancelled.
    """

    withdrawal_id: str
    net_amount: RebasableAmount
    gross_amount: RebasableAmount
    fee: RebasableAmount
    approval_request_id: str | None = None


class CreateWithdrawal(Beta[FundingWithdrawalCreated], frozen=True, kw_only=True):
    """Withdraw to a saved address.

    `scope` names a ``method_id``, or a ``network_id`` if the asset has one method there. `amount` is
    ``{"asset_amount": {"asset": {"class": ..., "name": ...}, "amount": ...}}``. `fee` has ``fee_included``, and what
    the fee may be: ``quoted_fee`` with the ``token`` of a quote, or ``current_fee``, which may have a ``max_fee`` that
    is written like `amount`. The withdrawal is refused if `expected_address` is not the one that was saved.
    """

    spec: ClassVar[Spec] = beta_call(
        "WithdrawalsCreate",
        "v1/withdrawals",
        "create-funding-withdrawal",
        method="POST",
        need=("withdraw-funds",),
        effect=Effect.FUNDS,
    )

    scope: Scope
    address_id: Word
    amount: dict[str, Any]
    fee: dict[str, Any] | None = None
    expected_address: Word | None = None

    def check(self) -> None:
        """Refuse a group of networks, and a fee that is both quoted and current or does not say where it goes."""
        if self.scope.network_group_id is not None:
            raise InvalidArguments("scope takes no network_group_id here", hint="name a method or a network")
        if not self.fee:
            return
        if {"quoted_fee", "current_fee"} <= self.fee.keys():
            raise InvalidArguments("fee: quoted_fee and current_fee exclude each other")
        if self.fee.get("fee_included") is None:
            raise InvalidArguments("fee lacks fee_included", hint="it must be what the quote was asked with")


class FundingWithdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawal.

    Attributes:
        amount: Net of the fee.
        status: ``pending``, ``success``, ``failed``.
        address_id: The saved address it goes to.
        onchain_transaction: Its id on the chain, once there is one; one client reads an object here, kept as it comes.
        utxo_vout: Which output of a Bitcoin transaction it is.
    """

    withdrawal_id: str
    method_id: str
    status: str
    create_time: datetime
    amount: AssetAmount
    fee: AssetAmount | None = None
    address_id: str | None = None
    onchain_transaction: str | dict[str, Any] | None = None
    utxo_vout: int | None = None


class FundingWithdrawalsPage(Bare, frozen=True, kw_only=True):
    """Withdrawals, newest first. `next_cursor` is the next call's `cursor`; None at the end."""

    nothing: ClassVar[bytes] = b'{"withdrawals":[]}'

    withdrawals: list[FundingWithdrawal]
    next_cursor: str | None = None


class ListWithdrawals(Listing[FundingWithdrawalsPage], frozen=True, kw_only=True):
    """Withdrawals, of one status or all: ``pending``, ``success``, ``failed``."""

    spec: ClassVar[Spec] = beta_call("WithdrawalsList", "v1/withdrawals", "list-funding-withdrawals")

    scope: Scope | None = None
    asset: AssetOfClass | None = None
    status: FundingState | None = None
    start_time: PreciseMoment | None = None
    end_time: PreciseMoment | None = None
    rebase_multiplier: RebaseMultiplier | None = None
    limit: Annotated[int, Range(1, 500)] | None = None

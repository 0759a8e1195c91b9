"""Earn: strategies, and what is allocated to them. Allocating and deallocating continue after the answer.

Source: https://docs.kraken.com/api/docs/category/rest-api/earn
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Final

import msgspec

from krakenasync.protocol.fields import Range, Text
from krakenasync.protocol.nested import List
from krakenasync.protocol.requests import Request
from krakenasync.protocol.specs import Effect, Need, Spec, private_call
from krakenasync.spot.values import Amount, AssetName, LockType, Word

__all__ = [
    "AllocatedAmounts",
    "AprEstimate",
    "AutoCompound",
    "EarnAllocate",
    "EarnAllocateStatus",
    "EarnAllocation",
    "EarnAllocations",
    "EarnAllocationsPage",
    "EarnAmount",
    "EarnBucket",
    "EarnDeallocate",
    "EarnDeallocateStatus",
    "EarnLock",
    "EarnPayout",
    "EarnPending",
    "EarnStrategies",
    "EarnStrategiesPage",
    "EarnStrategy",
    "YieldSource",
]

_EARN: Final = Need(("earn-funds",))
_EARN_OR_QUERY: Final = Need(("earn-funds", "query-funds"))


class EarnAllocate(Request[bool | None], frozen=True, kw_only=True):
    """Allocate funds to a strategy; EarnAllocateStatus shows when it is done. One operation per strategy at once."""

    spec: ClassVar[Spec] = private_call("Earn/Allocate", "earn", "allocate-strategy", need=_EARN, effect=Effect.FUNDS)

    amount: Amount
    strategy_id: Word


class EarnDeallocate(Request[bool | None], frozen=True, kw_only=True):
    """Take funds out of a strategy; EarnDeallocateStatus shows when it is done. One operation per strategy at once."""

    spec: ClassVar[Spec] = private_call(
        "Earn/Deallocate", "earn", "deallocate-strategy", need=_EARN, effect=Effect.FUNDS
    )

    amount: Amount
    strategy_id: Word


class EarnPending(msgspec.Struct, frozen=True):
    """Whether an operation is still under way."""

    pending: bool


class OfStrategy(Request[EarnPending | None], frozen=True):
    """A call about one strategy."""

    strategy_id: Word


class EarnAllocateStatus(OfStrategy, frozen=True, kw_only=True):
    """Whether the last allocation is still under way; its failure is raised here."""

    spec: ClassVar[Spec] = private_call(
        "Earn/AllocateStatus", "earn", "get-allocate-strategy-status", need=_EARN_OR_QUERY
    )


class EarnDeallocateStatus(OfStrategy, frozen=True, kw_only=True):
    """Whether the last deallocation is still under way; its failure is raised here."""

    spec: ClassVar[Spec] = private_call(
        "Earn/DeallocateStatus", "earn", "get-deallocate-strategy-status", need=_EARN_OR_QUERY
    )


class EarnLock(msgspec.Struct, frozen=True, kw_only=True):
    """How long funds are locked. Periods are in seconds.

    Attributes:
        type: ``flex``, ``bonded``, ``timed``, ``instant``.
    """

    type: str
    payout_frequency: int | None = None
    bonding_period: int | None = None
    bonding_period_variable: bool | None = None
    bonding_rewards: bool | None = None
    exit_queue_period: int | None = None
    unbonding_period: int | None = None
    unbonding_period_variable: bool | None = None
    unbonding_rewards: bool | None = None
    duration_months: int | None = None


class AprEstimate(msgspec.Struct, frozen=True):
    """The estimated yearly yield in percent."""

    low: Decimal
    high: Decimal


class AutoCompound(msgspec.Struct, frozen=True):
    """Whether yields are allocated again: ``disabled``, ``enabled``, ``optional`` with its `default`."""

    type: str
    default: bool | None = None


class YieldSource(msgspec.Struct, frozen=True):
    """Where the yield comes from: ``staking``, ``off_chain``, ..."""

    type: str


class EarnStrategy(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy.

    Attributes:
        allocation_fee: In percent.
        deallocation_fee: In percent.
        allocation_restriction_info: Why `can_allocate` is false.
        user_cap: The most this account may allocate.
        user_min_allocation: The least, in US dollars.
    """

    id: str
    asset: str
    lock_type: EarnLock
    apr_estimate: AprEstimate | None = None
    allocation_fee: Decimal | None = None
    deallocation_fee: Decimal | None = None
    auto_compound: AutoCompound | None = None
    yield_source: YieldSource | None = None
    can_allocate: bool = False
    can_deallocate: bool = False
    allocation_restriction_info: list[str] = []
    user_cap: Decimal | None = None
    user_min_allocation: Decimal | None = None
    asset_class: str | None = None


class EarnStrategiesPage(msgspec.Struct, frozen=True):
    """Strategies; Kraken says that for now all are on the first page."""

    items: list[EarnStrategy]
    next_cursor: str | None = None


class EarnStrategies(Request[EarnStrategiesPage | None], frozen=True, kw_only=True):
    """The strategies open to this account in its region. ``flex`` ones cannot be allocated by hand."""

    spec: ClassVar[Spec] = private_call("Earn/Strategies", "earn", "list-strategies")

    ascending: bool | None = None
    asset: AssetName | None = None
    cursor: Word | None = None
    limit: Annotated[int, Range(0, 65535)] | None = None
    lock_type: Annotated[Sequence[LockType], List(Text())] | None = None


class EarnAmount(msgspec.Struct, frozen=True):
    """An amount in the strategy's asset, and in the currency that was asked for."""

    native: Decimal
    converted: Decimal


class EarnPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a bucket, with an end of its own."""

    native: Decimal
    converted: Decimal
    created_at: datetime | None = None
    expires: datetime | None = None


class EarnBucket(msgspec.Struct, frozen=True, kw_only=True):
    """The amount in one state, and in how many parts."""

    native: Decimal
    converted: Decimal
    allocation_count: int = 0
    allocations: list[EarnPart] = []


class AllocatedAmounts(msgspec.Struct, frozen=True, kw_only=True):
    """What is allocated, by state; the part of `total` that is in no other state is earning.

    Attributes:
        exit_queue: For ETH.
        pending: Negative while deallocating.
    """

    total: EarnAmount
    bonding: EarnBucket | None = None
    unbonding: EarnBucket | None = None
    exit_queue: EarnBucket | None = None
    pending: EarnAmount | None = None


class EarnPayout(msgspec.Struct, frozen=True, kw_only=True):
    """The running period's reward."""

    period_start: datetime
    period_end: datetime
    accumulated_reward: EarnAmount
    estimated_reward: EarnAmount


class EarnAllocation(msgspec.Struct, frozen=True, kw_only=True):
    """What is allocated to one strategy."""

    strategy_id: str
    native_asset: str
    amount_allocated: AllocatedAmounts
    total_rewarded: EarnAmount
    payout: EarnPayout | None = None
    asset_class: str | None = None
    is_utilized: bool | None = None


class EarnAllocationsPage(msgspec.Struct, frozen=True, kw_only=True):
    """All allocations."""

    converted_asset: str
    total_allocated: Decimal
    total_rewarded: Decimal
    items: list[EarnAllocation] = []
    next_cursor: str | None = None
    converted_asset_class: str | None = None


class EarnAllocations(Request[EarnAllocationsPage | None], frozen=True, kw_only=True):
    """All allocations, past ones too. Bonding times can be off for a minute or two after an operation."""

    spec: ClassVar[Spec] = private_call("Earn/Allocations", "earn", "list-allocations", need=Need(("query-funds",)))

    ascending: bool | None = None
    converted_asset: AssetName | None = None
    hide_zero_allocations: bool | None = None

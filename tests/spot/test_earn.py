"""Earn."""

from __future__ import annotations

from decimal import Decimal

import pytest

from krakenasync.errors import EarnRefused, InvalidArguments
from krakenasync.protocol import bodies, wire
from krakenasync.spot.earn import EarnAllocateStatus, EarnAllocations, EarnDeallocate, EarnPending, EarnStrategies


def test_lock_types_travel_in_brackets():
    """A form has no lists: each item gets its number."""
    request = EarnStrategies(lock_type=["flex", "bonded"], limit=100)

    assert bodies.encode(request.spec.body, request.params(), "1") == (
        b"nonce=1&limit=100&lock_type%5B0%5D=flex&lock_type%5B1%5D=bonded"
    )
    with pytest.raises(InvalidArguments, match="65535"):
        EarnStrategies(limit=65536).params()


def test_strategies(sample):
    """Fees come as text, whole number or float, and are exact; what a strategy lacks is None."""
    first, second, third = sample(EarnStrategies).items

    assert (first.allocation_fee, first.deallocation_fee, second.allocation_fee) == (0, 0, Decimal("0.5"))
    assert first.apr_estimate.high == 12
    assert (second.apr_estimate, second.auto_compound.default, second.lock_type.bonding_period) == (None, True, 259200)
    assert third.lock_type.duration_months == 3


def test_allocations(sample):
    """Buckets that are empty are None; what is being taken out is negative."""
    first, second = sample(EarnAllocations).items

    assert (
        first.amount_allocated.bonding.allocations[1].expires > first.amount_allocated.bonding.allocations[1].created_at
    )
    assert first.amount_allocated.pending.native == Decimal("-0.001")
    assert (first.amount_allocated.exit_queue, first.payout) == (None, None)
    assert second.payout.accumulated_reward.converted == Decimal("0.0212")


def test_accepted_with_202(answer):
    """Deallocating may be answered with HTTP 202: accepted, still under way."""
    assert answer(EarnDeallocate, True, status=202) is True


def test_nulls(answer):
    """Kraken may answer null."""
    assert answer(EarnAllocateStatus, None) is None


def test_failure_of_the_earlier_operation():
    """A status call hands on what the operation failed of, as an HTTP error with an envelope."""
    with pytest.raises(EarnRefused):
        wire.decode(
            EarnPending, 400, b'{"error":["EEarnings:Below min:(De)allocation"]}', endpoint="Earn/AllocateStatus"
        )

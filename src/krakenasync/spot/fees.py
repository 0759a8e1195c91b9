"""Account data: the 30-day volume and the resulting fees.

Source: https://docs.kraken.com/api/docs/rest-api/get-trade-volume
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Self

import msgspec

from krakenasync.protocol.fields import Marker, Names
from krakenasync.protocol.nested import List, Typed
from krakenasync.protocol.requests import Part, Request, Reshaped
from krakenasync.protocol.specs import Body, Need, Spec, private_call
from krakenasync.spot.values import PriceClass, RebaseMultiplier, Word, respelled

__all__ = [
    "FeeInputs",
    "FeeSchedule",
    "FeeScheduleTier",
    "FeeTier",
    "PairOfClass",
    "SubaccountVolume",
    "TradeVolume",
    "VolumeAndFees",
]


class FeeTier(msgspec.Struct, frozen=True, kw_only=True):
    """A fee in percent, and how far the next tier is.

    Kraken's page and its clients spell these names differently; both are read.
    """

    fee: Decimal
    min_fee: Decimal | None = None
    max_fee: Decimal | None = None
    next_fee: Decimal | None = None
    tier_volume: Decimal | None = None
    next_volume: Decimal | None = None
    tier_futures_volume: Decimal | None = None
    next_futures_volume: Decimal | None = None
    volume_offset: Decimal | None = None


_FEE_TIER: Final = msgspec.json.Decoder(FeeTier, strict=False)
_RUN_TOGETHER: Final = {name.replace("_", ""): name for name in FeeTier.__struct_encode_fields__}


class FeeInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What the fee tier is computed from."""

    domain_spot_volume_30d: Decimal | None = None
    domain_futures_volume_30d: Decimal | None = None
    domain_assets_on_platform: Decimal | None = None


class SubaccountVolume(msgspec.Struct, frozen=True, kw_only=True):
    """A subaccount's share of the volume."""

    iiban: str
    volume: Decimal


class FeeScheduleTier(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a fee schedule, fees in percent."""

    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    min_spot_volume: Decimal | None = None
    min_futures_volume: Decimal | None = None
    min_assets_on_platform: Decimal | None = None
    active: bool = False


class FeeSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """All steps of a pair's fees."""

    pair: str
    asset_class: str | None = msgspec.field(name="class", default=None)
    tiers: list[FeeScheduleTier] = []


class _VolumeOnTheWire(msgspec.Struct, kw_only=True):
    currency: str
    volume: Decimal
    asset_class: str | None = None
    inputs: FeeInputs | None = None
    fees: dict[str, dict[str, msgspec.Raw]] | None = None
    fees_maker: dict[str, dict[str, msgspec.Raw]] | None = None
    volume_subaccounts: list[SubaccountVolume] | None = None
    schedules: list[FeeSchedule] | None = None


class VolumeAndFees(Reshaped, msgspec.Struct, frozen=True, kw_only=True):
    """The 30-day volume, and the resulting fees.

    Attributes:
        fees: The taker's fees, by pair id; a pair without a maker's schedule is only in here.
        fees_maker: The maker's fees, by pair id.
    """

    arrives_as: ClassVar[Any] = _VolumeOnTheWire

    currency: str
    volume: Decimal
    asset_class: str | None = None
    inputs: FeeInputs | None = None
    fees: dict[str, FeeTier] = {}
    fees_maker: dict[str, FeeTier] = {}
    volume_subaccounts: list[SubaccountVolume] = []
    schedules: list[FeeSchedule] = []

    @classmethod
    def from_wire(cls, arrived: _VolumeOnTheWire) -> Self:
        """Read the fees by either spelling."""
        return cls(
            currency=arrived.currency,
            volume=arrived.volume,
            asset_class=arrived.asset_class,
            inputs=arrived.inputs,
            fees=_fee_tiers(arrived.fees),
            fees_maker=_fee_tiers(arrived.fees_maker),
            volume_subaccounts=arrived.volume_subaccounts or [],
            schedules=arrived.schedules or [],
        )


def _fee_tiers(arrived: dict[str, dict[str, msgspec.Raw]] | None) -> dict[str, FeeTier]:
    return {pair: respelled(tier, _RUN_TOGETHER, _FEE_TIER) for pair, tier in (arrived or {}).items()}


class PairOfClass(Part, frozen=True, kw_only=True):
    """A pair with its class, for names that could mean a coin or a share."""

    asset: Word
    aclass: PriceClass


class _Pairs(Marker):
    """Pairs by name, as a comma list, or each with its class, as objects."""

    def wire(self, name: str, value: Any) -> str | list[Any]:
        if isinstance(value, Sequence) and any(isinstance(pair, PairOfClass) for pair in value):
            return List(Typed(str, PairOfClass)).wire(name, value)
        return Names().wire(name, value)


class OfFeePairs(Request[VolumeAndFees], frozen=True):
    """A call about the fees of some pairs, or none."""

    pair: Annotated[str | Sequence[str] | Sequence[PairOfClass], _Pairs()] | None = None


class TradeVolume(OfFeePairs, frozen=True, kw_only=True):
    """The 30-day volume; with `pair` also the fees for these pairs."""

    # JSON, because a list of pairs with their classes cannot be written as a form.
    spec: ClassVar[Spec] = private_call(
        "TradeVolume", "account", "get-trade-volume", need=Need(("query-funds",)), body=Body.JSON
    )

    fee_schedule: bool | None = None
    fee_info: bool | None = msgspec.field(name="fee-info", default=None)
    """An old switch that some clients still send."""
    rebase_multiplier: RebaseMultiplier | None = None

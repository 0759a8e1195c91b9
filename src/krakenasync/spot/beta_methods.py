"""Funding Beta: the ways to move money, the networks they use, and what they charge. See `beta` for what is in common.

Source: https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar

import msgspec

from krakenasync.protocol.fields import Range
from krakenasync.protocol.specs import Spec
from krakenasync.spot.beta import AssetAmount, AssetOfClass, Bare, Beta, FundingAsset, Listing, beta_call
from krakenasync.spot.values import Amount, Direction, RebaseMultiplier, Word

__all__ = [
    "AddressGeneration",
    "DepositTerms",
    "FeeDetails",
    "FeeQuote",
    "FundingFees",
    "FundingMethod",
    "FundingMethods",
    "FundingMethodsPage",
    "FundingNetworks",
    "MethodFees",
    "MethodNetwork",
    "Network",
    "NetworkGroup",
    "Networks",
]


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """A network over which money can be moved."""

    network_id: str
    name: str


class NetworkGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Networks with the same form of address, such as ``EVM``."""

    network_group_id: str
    name: str
    network_ids: list[str] = msgspec.field(default_factory=list)


class FundingNetworks(Bare, frozen=True, kw_only=True):
    """All networks, and the groups some of them form."""

    networks: list[Network] = msgspec.field(default_factory=list)
    network_groups: list[NetworkGroup] = msgspec.field(default_factory=list)


class Networks(Beta[FundingNetworks], frozen=True, kw_only=True):
    """The networks over which money can be moved, and which of them have the same form of address."""

    spec: ClassVar[Spec] = beta_call("Networks", "v1/networks", "list-funding-networks")


class MethodFees(msgspec.Struct, frozen=True, kw_only=True):
    """What a method costs each time.

    Attributes:
        percentage: In percent of the amount, in addition to the `base`.
        included: Whether the amount includes the fee.
        min: The least it costs.
        max: The most it costs.
    """

    base: AssetAmount | None = None
    percentage: Decimal | None = None
    included: bool = False
    min: AssetAmount | None = None
    max: AssetAmount | None = None


class MethodNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """The network of a method. A network's own coin has no `contract_address`."""

    network_id: str
    network_name: str | None = None
    contract_address: str | None = None
    on_chain_asset_symbol: str | None = None


class AddressGeneration(msgspec.Struct, frozen=True, kw_only=True):
    """Whether addresses can be claimed: ``unlimited``, ``limited`` (to `limit` unused ones) or ``unsupported``."""

    status: str
    limit: int | None = None


class DepositTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What to know about a method for deposits.

    Attributes:
        shares_addresses_with_method_id: The method whose addresses it uses; None if it has its own.
        address_setup_fee: What the first address costs.
        allow_credit_cards: For cards only; False means debit cards alone.
        exempted_withdrawal_hold: Only for methods that hold back withdrawals after a deposit.
    """

    address_generation: AddressGeneration | None = None
    shares_addresses_with_method_id: str | None = None
    address_setup_fee: AssetAmount | None = None
    allow_credit_cards: bool | None = None
    exempted_withdrawal_hold: bool | None = None


class FundingMethod(msgspec.Struct, frozen=True, kw_only=True):
    """One way to move one asset. Ids are stable, names are for display; both amounts bound a single transfer."""

    asset: FundingAsset
    method_id: str
    method_name: str | None = None
    minimum_amount: Decimal | None = None
    maximum_amount: Decimal | None = None
    fees: MethodFees | None = None
    network: MethodNetwork | None = None
    deposit: DepositTerms | None = None
    withdrawal: dict[str, Any] | None = None


class FundingMethodsPage(Bare, frozen=True, kw_only=True):
    """The ways to move assets. `next_cursor` is the next call's `cursor`; None at the end."""

    nothing: ClassVar[bytes] = b'{"methods":[]}'

    methods: list[FundingMethod]
    next_cursor: str | None = None


class FundingMethods(Listing[FundingMethodsPage], frozen=True, kw_only=True):
    """The ways to deposit or withdraw."""

    spec: ClassVar[Spec] = beta_call("Methods", "v1/methods/{direction}", "list-funding-methods")

    direction: Direction
    asset: AssetOfClass | None = None
    rebase_multiplier: RebaseMultiplier | None = None
    limit: Annotated[int, Range(1, 10000)] | None = None


class FeeDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a fee is made of: a fixed part, and percent of the amount."""

    base_fee: AssetAmount | None = None
    fee_percentage: Decimal | None = None


class FundingFees(Bare, frozen=True, kw_only=True):
    """What moving an amount would cost.

    Attributes:
        gross_amount: The amount with the fee: what leaves the account in a withdrawal.
        net_amount: The amount without it: what arrives.
        withdrawal_fee_token: Fixes this fee's rate for 5 minutes, for any number of withdrawals; None for a deposit.
    """

    fee: AssetAmount
    gross_amount: AssetAmount
    net_amount: AssetAmount
    fee_details: FeeDetails | None = None
    withdrawal_fee_token: str | None = None


class FeeQuote(Beta[FundingFees], frozen=True, kw_only=True):
    """What a method charges for an amount. For a withdrawal the answer has a token that fixes the rate for 5 minutes.

    Attributes:
        fee_included: Whether `amount` includes the fee; say the same when withdrawing.
        withdrawal_fee_token: The token of an earlier quote, to calculate at its rate.
    """

    spec: ClassVar[Spec] = beta_call("Fees", "v1/fees/{method_id}", "calculate-funding-fees")

    method_id: Word
    amount: Amount
    fee_included: bool | None = None
    withdrawal_fee_token: Word | None = None
    rebase_multiplier: RebaseMultiplier | None = None

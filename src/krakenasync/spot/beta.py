"""Funding Beta: deposits, withdrawals, addresses and limits by Kraken's newer surface. Provisional.

These calls have real HTTP verbs and parts of the path to fill in, carry the nonce in a header, sign the path with its
query string, and answer without the envelope. Their schemas are not public: parameters and permissions were read from
Kraken's list of pages and from clients, and results stay plain mappings. No page states what they cost; they are
counted like any private call.

Source: https://docs.kraken.com/llms-full.txt
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Self

import msgspec

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.charges import ONE
from krakenasync.protocol.fields import Range
from krakenasync.protocol.requests import Body, Effect, Need, Part, Request, Reshaped, Spec
from krakenasync.spot.values import (
    Amount,
    AssetName,
    Direction,
    FundingState,
    PreciseMoment,
    RebaseMultiplier,
    Word,
)

__all__ = [
    "AssetOfClass",
    "CreateAddress",
    "CreateWithdrawal",
    "DeleteAddress",
    "DepositAddressClaim",
    "DepositAddressesBeta",
    "DepositLimits",
    "FeeQuote",
    "FundableAssets",
    "FundingMethods",
    "ListAddresses",
    "ListDeposits",
    "ListWithdrawals",
    "Networks",
    "Provisional",
    "UpdateAddress",
    "WithdrawalLimits",
]

_QUERY: Final = ("query-funds",)
_CHANGE_ADDRESS: Final = ("add-withdraw-address", "update-withdraw-address")


class Provisional(Reshaped, dict[str, Any]):
    """A Funding Beta answer as it came: amounts are text, and the names may still change."""

    arrives_as: ClassVar[Any] = dict[str, Any]
    enveloped: ClassVar[bool] = False

    @classmethod
    def from_wire(cls, arrived: dict[str, Any]) -> Self:
        """Keep everything."""
        return cls(arrived)


class AssetOfClass(Part, frozen=True, kw_only=True):
    """An asset with its class, as Funding Beta names it."""

    name: AssetName
    asset_class: Word | None = msgspec.field(name="class", default=None)


def _spec(name: str, path: str, method: str, need: tuple[str, ...], effect: Effect = Effect.READ) -> Spec:
    """Write the facts of a Funding Beta call."""
    return Spec(
        name=f"FundingBeta/{name}",
        path=f"/funding/{path}",
        private=True,
        section="funding-beta",
        source="https://docs.kraken.com/llms-full.txt",
        method=method,
        body=Body.QUERY if method in {"GET", "DELETE"} else Body.JSON,
        effect=effect,
        charge=ONE,
        need=Need(need),
        beta=True,
    )


class Beta(Request[Provisional], frozen=True, kw_only=True):
    """A Funding Beta call.

    Attributes:
        account_id: Act on this account or subaccount.
    """

    account_id: Word | None = None

    def params(self) -> dict[str, Any]:
        """Return the parameters; those gathered in `body` or `filters` stand beside the others."""
        sent = super().params()
        for gathered in ("body", "filters"):
            sent |= sent.pop(gathered, {})
        return sent


class Listing(Beta, frozen=True, kw_only=True):
    """A call that is answered in pages. `cursor` goes without any filter.

    Attributes:
        filters: Query parameters by Kraken's names that are not spelled out here.
    """

    cursor: Word | None = None
    filters: dict[str, Any] | None = None

    def check(self) -> None:
        """Refuse a filter beside a cursor."""
        if self.cursor is None:
            return
        others = [name for name in self.__struct_fields__ if name not in {"cursor", "account_id", "direction"}]
        given = [name for name in others if getattr(self, name) is not None]
        if given:
            raise InvalidArguments(f"cursor excludes {', '.join(given)}", hint="it remembers the first call's filters")


class FeeQuote(Beta, frozen=True, kw_only=True):
    """What a method charges for an amount; with `withdrawal_fee_token` also a token that fixes it for 5 minutes."""

    spec: ClassVar[Spec] = _spec("Fees", "v1/fees/{method_id}", "GET", _QUERY)

    method_id: Word
    amount: Amount
    fee_included: bool | None = None
    withdrawal_fee_token: bool | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class DepositAddressClaim(Beta, frozen=True, kw_only=True):
    """Claim a deposit address of a method."""

    spec: ClassVar[Spec] = _spec(
        "DepositAddressClaim", "v1/deposit/address/{method_id}", "PUT", ("add-funds",), Effect.WRITE
    )

    method_id: Word


class CreateAddress(Beta, frozen=True, kw_only=True):
    """Save a withdrawal address. What `body` holds is not public."""

    spec: ClassVar[Spec] = _spec("AddressesCreate", "v1/addresses", "POST", ("add-withdraw-address",), Effect.WRITE)

    body: dict[str, Any]


class ListAddresses(Listing, frozen=True, kw_only=True):
    """The saved withdrawal addresses."""

    spec: ClassVar[Spec] = _spec("AddressesList", "v1/addresses", "GET", _QUERY)


class UpdateAddress(Beta, frozen=True, kw_only=True):
    """Change a saved withdrawal address. What `body` holds is not public."""

    spec: ClassVar[Spec] = _spec("AddressesUpdate", "v1/addresses/{id}", "PUT", _CHANGE_ADDRESS, Effect.WRITE)

    id: Word
    body: dict[str, Any]


class DeleteAddress(Beta, frozen=True, kw_only=True):
    """Delete a saved withdrawal address."""

    spec: ClassVar[Spec] = _spec("AddressesDelete", "v1/addresses/{id}", "DELETE", _CHANGE_ADDRESS, Effect.WRITE)

    id: Word


class FundableAssets(Beta, frozen=True, kw_only=True):
    """The assets that can be deposited or withdrawn."""

    spec: ClassVar[Spec] = _spec("Assets", "v1/assets/{direction}", "GET", _QUERY)

    direction: Direction
    asset_class: Word | None = None


class DepositAddressesBeta(Listing, frozen=True, kw_only=True):
    """The deposit addresses."""

    spec: ClassVar[Spec] = _spec("DepositAddresses", "v2/deposit/addresses", "GET", _QUERY)


class Limits(Beta, frozen=True, kw_only=True):
    """A call about an asset's limits; `preferred_asset` is the currency for equivalents."""

    asset_class: Word
    asset: AssetName
    preferred_asset: AssetOfClass | None = None


class DepositLimits(Limits, frozen=True, kw_only=True):
    """How much of an asset can be deposited."""

    spec: ClassVar[Spec] = _spec("LimitsDeposit", "v1/limits/deposit/{asset_class}/{asset}", "GET", _QUERY)


class WithdrawalLimits(Limits, frozen=True, kw_only=True):
    """How much of an asset can be withdrawn."""

    spec: ClassVar[Spec] = _spec("LimitsWithdrawal", "v1/limits/withdrawal/{asset_class}/{asset}", "GET", _QUERY)


class ListDeposits(Listing, frozen=True, kw_only=True):
    """Deposits. `status` holds ``{"list": [...]}`` or ``{"range": {"start": ..., "end": ...}}``."""

    spec: ClassVar[Spec] = _spec("Deposits", "v1/deposits", "GET", _QUERY)

    scope: dict[str, Any] | None = None
    asset: AssetOfClass | None = None
    status: dict[str, Any] | None = None
    start_time: PreciseMoment | None = None
    end_time: PreciseMoment | None = None
    limit: Annotated[int, Range(1, 500)] | None = None


class FundingMethods(Listing, frozen=True, kw_only=True):
    """The ways to deposit or withdraw."""

    spec: ClassVar[Spec] = _spec("Methods", "v1/methods/{direction}", "GET", _QUERY)

    direction: Direction
    asset: AssetOfClass | None = None
    rebase_multiplier: RebaseMultiplier | None = None
    limit: Annotated[int, Range(1, 10000)] | None = None


class Networks(Beta, frozen=True, kw_only=True):
    """The networks money travels on."""

    spec: ClassVar[Spec] = _spec("Networks", "v1/networks", "GET", _QUERY)


class CreateWithdrawal(Beta, frozen=True, kw_only=True):
    """Withdraw to a saved address.

    `scope` names a ``method_id`` or a ``network_id``; `amount` holds ``asset_amount`` with ``asset`` and ``amount``;
    `fee` says ``fee_included`` and the token of a quote, or the most it may be.
    """

    spec: ClassVar[Spec] = _spec("WithdrawalsCreate", "v1/withdrawals", "POST", ("withdraw-funds",), Effect.FUNDS)

    scope: dict[str, Any]
    address_id: Word
    amount: dict[str, Any]
    fee: dict[str, Any] | None = None
    expected_address: Word | None = None


class ListWithdrawals(Listing, frozen=True, kw_only=True):
    """Withdrawals by status: ``pending``, ``success``, ``failed``."""

    spec: ClassVar[Spec] = _spec("WithdrawalsList", "v1/withdrawals", "GET", _QUERY)

    status: FundingState | None = None

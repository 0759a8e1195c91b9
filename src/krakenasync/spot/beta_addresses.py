"""Funding Beta: addresses to deposit to, and saved ones to withdraw to. See `beta` for what these calls have in common.

A withdrawal address is saved for a method, a network or a group of networks, and serves every method below that.

Source: https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

import msgspec

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.fields import Range
from krakenasync.protocol.specs import Effect, Spec
from krakenasync.spot.beta import AssetOfClass, Bare, Beta, Listing, Scope, beta_call
from krakenasync.spot.values import Word

__all__ = [
    "AddressDetails",
    "AddressScope",
    "ClaimedAddress",
    "ClaimedAddressesPage",
    "CreateAddress",
    "CryptoAddress",
    "DeleteAddress",
    "DepositAddressClaim",
    "DepositAddressesBeta",
    "FundingAddress",
    "FundingAddressChanged",
    "FundingAddressClaimed",
    "FundingAddressDeleted",
    "FundingAddressSaved",
    "FundingAddressesPage",
    "ListAddresses",
    "UpdateAddress",
]

_CHANGE: Final = ("add-withdraw-address",)


class CryptoAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where coins can be sent. A `tag` or `memo`, if there is one, must go with them.

    Attributes:
        beneficiary: Who owns a withdrawal address, by Kraken's names: ``recipient``, ``typ``, ``name``, ...
    """

    address: str
    tag: str | int | None = None
    memo: str | int | None = None
    beneficiary: dict[str, Any] | None = None


class AddressDetails(msgspec.Struct, frozen=True, kw_only=True):
    """An address: one of the two. `fiat` has, of some 40 fields by Kraken's names, those that apply: ``iban``, ..."""

    crypto: CryptoAddress | None = None
    fiat: dict[str, Any] | None = None


class FundingAddressClaimed(Bare, frozen=True, kw_only=True):
    """The deposit address that was claimed."""

    address_details: AddressDetails


class DepositAddressClaim(Beta[FundingAddressClaimed], frozen=True, kw_only=True):
    """Claim a deposit address of a method. A method that shares the addresses of another gives one of those."""

    spec: ClassVar[Spec] = beta_call(
        "DepositAddressClaim",
        "v1/deposit/address",
        "claim-funding-deposit-address",
        method="PUT",
        need=("add-funds",),
        effect=Effect.WRITE,
    )

    method_id: Word


class ClaimedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit address.

    Attributes:
        method_id: The method asked for; without one, the method the address is stored against.
        shares_addresses_with_method_id: The method it is stored against, if that is another one.
        last_used: When it last received a deposit; None if never.
        expire_time: When it expires if unused; None if it does not.
    """

    method_id: str
    address_details: AddressDetails
    shares_addresses_with_method_id: str | None = None
    id: str | None = None
    last_used: datetime | None = None
    expire_time: datetime | None = None


class ClaimedAddressesPage(Bare, frozen=True, kw_only=True):
    """Deposit addresses. `next_cursor` is the next call's `cursor`; None at the end."""

    nothing: ClassVar[bytes] = b'{"addresses":[]}'

    addresses: list[ClaimedAddress]
    next_cursor: str | None = None


class DepositAddressesBeta(Listing[ClaimedAddressesPage], frozen=True, kw_only=True):
    """The deposit addresses that were claimed. `scope` is a method, with the addresses it shares, or a network."""

    spec: ClassVar[Spec] = beta_call("DepositAddresses", "v2/deposit/addresses", "list-funding-claimed-addresses-v2")

    scope: Scope | None = None
    asset: AssetOfClass | None = None
    limit: Annotated[int, Range(1, 500)] | None = None

    def check(self) -> None:
        """Refuse a group of networks, besides what every listing refuses."""
        super().check()
        if self.scope is not None and self.scope.network_group_id is not None:
            raise InvalidArguments("scope takes no network_group_id here", hint="name a method or a network")


class AddressScope(msgspec.Struct, frozen=True, kw_only=True):
    """What a withdrawal address can be used with: a method, a network or a group of networks; one of the three."""

    method_id: str | None = None
    network_id: str | None = None
    network_group_id: str | None = None


class FundingAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A saved withdrawal address.

    Attributes:
        modifier: ``third_party`` if it belongs to another person.
        verified: Whether money can be sent there.
    """

    address_id: str
    scope: AddressScope | None = None
    address_details: AddressDetails | None = None
    name: str | None = None
    description: str | None = None
    modifier: str | None = None
    verified: bool = False


class FundingAddressesPage(Bare, frozen=True, kw_only=True):
    """Saved withdrawal addresses. `next_cursor` is the next call's `cursor`; None at the end."""

    nothing: ClassVar[bytes] = b'{"addresses":[]}'

    addresses: list[FundingAddress]
    next_cursor: str | None = None


class ListAddresses(Listing[FundingAddressesPage], frozen=True, kw_only=True):
    """The saved withdrawal addresses. `scope` finds those that serve it: a method's, its network's and its group's."""

    spec: ClassVar[Spec] = beta_call("AddressesList", "v1/addresses", "list-funding-addresses")

    scope: Scope | None = None
    limit: Annotated[int, Range(1, 500)] | None = None


class FundingAddressSaved(Bare, frozen=True, kw_only=True):
    """The id of the address that was saved, and whether money can be sent there."""

    address_id: str
    verified: bool = False


class CreateAddress(Beta[FundingAddressSaved], frozen=True, kw_only=True):
    """Save a withdrawal address of a coin, under a name that no other has. It is verified at once, without an e-mail.

    `address_details` is ``{"crypto": {"address": ...}}``, with a ``tag`` or ``memo`` next to the address where the
    network has one. All may be given in `body` as well, by Kraken's names.
    """

    spec: ClassVar[Spec] = beta_call(
        "AddressesCreate",
        "v1/addresses",
        "create-funding-address",
        method="POST",
        need=_CHANGE,
        effect=Effect.WRITE,
    )
    needed: ClassVar[tuple[str, ...]] = ("scope", "address_details", "name")

    scope: Scope | None = None
    address_details: dict[str, Any] | None = None
    name: Word | None = None
    description: Word | None = None
    body: dict[str, Any] | None = None

    def check(self) -> None:
        """Refuse an address without what Kraken asks for."""
        inside = self.body or {}
        if lacking := [name for name in self.needed if getattr(self, name) is None and inside.get(name) is None]:
            raise InvalidArguments(f"{', '.join(lacking)} must be given")


class FundingAddressChanged(Bare, frozen=True, kw_only=True):
    """Whether money can be sent to the address that was changed."""

    verified: bool = False


class UpdateAddress(Beta[FundingAddressChanged], frozen=True, kw_only=True):
    """Give a saved withdrawal address another name or description. `body` takes both as well, by Kraken's names."""

    spec: ClassVar[Spec] = beta_call(
        "AddressesUpdate",
        "v1/addresses/{id}",
        "update-funding-address",
        method="PUT",
        need=_CHANGE,
        effect=Effect.WRITE,
    )

    id: Word
    name: Word | None = None
    description: Word | None = None
    body: dict[str, Any] | None = None


class FundingAddressDeleted(Bare, frozen=True, kw_only=True):
    """Whether the address was deleted."""

    result: bool


class DeleteAddress(Beta[FundingAddressDeleted], frozen=True, kw_only=True):
    """Delete a saved withdrawal address."""

    spec: ClassVar[Spec] = beta_call(
        "AddressesDelete",
        "v1/addresses/{id}",
        "delete-funding-address",
        method="DELETE",
        need=_CHANGE,
        effect=Effect.WRITE,
    )

    id: Word

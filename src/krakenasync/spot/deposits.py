"""Funding: deposits. Kraken still serves these, but recommends Funding Beta.

Source: https://docs.kraken.com/api/docs/category/rest-api/funding
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

import msgspec

from krakenasync.protocol.requests import Request, Reshaped
from krakenasync.protocol.specs import Need, Spec, private_call
from krakenasync.spot.values import (
    Amount,
    AssetClass,
    AssetName,
    Cursor,
    Moment,
    PageSize,
    RebaseMultiplier,
    Word,
    not_zero,
)

__all__ = [
    "Deposit",
    "DepositAddress",
    "DepositAddresses",
    "DepositMethod",
    "DepositMethods",
    "DepositStatus",
    "DepositsPage",
]

_QUERY_FUNDS: Final = Need(("query-funds",))


class DepositMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A way to deposit an asset.

    Attributes:
        limit_raw: The limit as it came: an amount, or false; read `limit`.
    """

    method: str
    limit_raw: Decimal | bool = msgspec.field(name="limit", default=False)
    minimum: Decimal | None = None
    fee: Decimal | None = None
    fee_percentage: Decimal | None = msgspec.field(name="fee-percentage", default=None)
    address_setup_fee: Decimal | None = msgspec.field(name="address-setup-fee", default=None)
    gen_address: bool = msgspec.field(name="gen-address", default=False)

    @property
    def limit(self) -> Decimal | None:
        """The most that can be deposited now; None without a limit."""
        return None if isinstance(self.limit_raw, bool) else self.limit_raw


class OfAsset(Request[list[DepositMethod]], frozen=True):
    """A call about one asset."""

    asset: AssetName


class DepositMethods(OfAsset, frozen=True, kw_only=True):
    """The ways to deposit an asset."""

    spec: ClassVar[Spec] = private_call(
        "DepositMethods", "funding", "get-deposit-methods", need=Need(("query-funds", "add-funds"), every=True)
    )

    aclass: AssetClass | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class DepositAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to deposit.

    Attributes:
        expiretm: None if it never expires.
        new: By Kraken's text, whether it has ever been used; by its name, the opposite.
        tag: Needed in addition to the address where there is one.
        memo: The same under another name.
    """

    address: str
    expiretm: datetime | None = None
    new: bool = False
    tag: str | int | None = None
    memo: str | int | None = None

    def __post_init__(self) -> None:
        """Read 0 as "never"."""
        not_zero(self, "expiretm")


class DepositAddresses(Request[list[DepositAddress]], frozen=True, kw_only=True):
    """Where to deposit an asset by one of its methods; with `new`, at an address made for the purpose.

    With `new` it is a write: repeating it would make a second address, and an account may have only a limited number;
    also, a program that gives each customer an address must not give two the same.
    """

    spec: ClassVar[Spec] = private_call(
        "DepositAddresses", "funding", "get-deposit-addresses", need=_QUERY_FUNDS, makes="new"
    )

    asset: AssetName
    method: Word
    aclass: AssetClass | None = None
    new: bool | None = None
    amount: Amount | None = None
    """The amount of the invoice; for Bitcoin Lightning only."""


class Deposit(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit.

    Attributes:
        status: ``Initial``, ``Pending``, ``EarlyConfirmed``, ``Settled``, ``Success``, ``Failure``.
        status_prop: ``return`` or ``onhold``.
    """

    method: str
    asset: str
    refid: str
    amount: Decimal
    time: datetime
    status: str
    aclass: str = "currency"
    txid: str | None = None
    info: str | None = None
    fee: Decimal | None = None
    status_prop: str | None = msgspec.field(name="status-prop", default=None)
    originators: list[str] = []


class _Paged(msgspec.Struct):
    deposits: list[Deposit] | None = None
    deposit: list[Deposit] | None = None
    next_cursor: str | None = None


class DepositsPage(Reshaped, msgspec.Struct, frozen=True):
    """Deposits, newest first.

    Attributes:
        next_cursor: The next call's `cursor`; None at the end, and if the call did not have ``cursor=True``.
    """

    arrives_as: ClassVar[Any] = list[Deposit] | _Paged

    deposits: list[Deposit]
    next_cursor: str | None = None

    @classmethod
    def from_wire(cls, arrived: list[Deposit] | _Paged) -> Self:
        """Read a bare list, or a page under either of the names in use."""
        if isinstance(arrived, list):
            return cls(arrived)
        rows = arrived.deposit if arrived.deposits is None else arrived.deposits
        if rows is None:
            raise msgspec.ValidationError("a page without deposits")
        return cls(rows, arrived.next_cursor or None)


class DepositStatus(Request[DepositsPage], frozen=True, kw_only=True):
    """Recent deposits; `start` and `end` are included. ``cursor=True`` asks for pages of 25."""

    spec: ClassVar[Spec] = private_call("DepositStatus", "funding", "get-status-recent-deposits", need=_QUERY_FUNDS)

    asset: AssetName | None = None
    aclass: AssetClass | None = None
    method: Word | None = None
    start: Moment | None = None
    end: Moment | None = None
    cursor: Cursor | None = None
    limit: PageSize | None = None
    rebase_multiplier: RebaseMultiplier | None = None

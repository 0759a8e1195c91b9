"""Funding: withdrawals and transfers to the futures wallet.

Kraken still serves these, but recommends Funding Beta.
Money leaves only to addresses that a person has saved at Kraken; `key` is the name they gave it.

Source: https://docs.kraken.com/api/docs/category/rest-api/funding
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

import msgspec

from krakenasync.protocol.requests import Request, Reshaped
from krakenasync.protocol.specs import Effect, Need, Spec, private_call
from krakenasync.spot.values import (
    Amount,
    AssetClass,
    AssetName,
    Cursor,
    Moment,
    PageSize,
    RebaseMultiplier,
    WalletFrom,
    WalletTo,
    Word,
)

__all__ = [
    "Reference",
    "WalletTransfer",
    "Withdraw",
    "WithdrawAddresses",
    "WithdrawCancel",
    "WithdrawInfo",
    "WithdrawMethods",
    "WithdrawStatus",
    "Withdrawal",
    "WithdrawalAddress",
    "WithdrawalMethod",
    "WithdrawalQuote",
    "WithdrawalsPage",
]

_QUERY_AND_WITHDRAW: Final = Need(("query-funds", "withdraw-funds"), every=True)
_WITHDRAW: Final = Need(("withdraw-funds",))


class WithdrawalMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A way to withdraw an asset.

    Attributes:
        fee: Seen in live answers, documented nowhere: kept as it comes.
        limits: How much may be withdrawn in what time, kept as it comes.
    """

    asset: str
    method: str
    network: str | None = None
    minimum: Decimal | None = None
    method_id: str | None = None
    network_id: str | None = None
    fee: Any = None
    limits: Any = None


class WithdrawMethods(Request[list[WithdrawalMethod]], frozen=True, kw_only=True):
    """The ways to withdraw."""

    spec: ClassVar[Spec] = private_call(
        "WithdrawMethods", "funding", "get-withdrawal-methods", need=_QUERY_AND_WITHDRAW
    )

    asset: AssetName | None = None
    aclass: AssetClass | None = None
    network: Word | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class WithdrawalAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A saved address. `key` is its name; a bank account may come without an `address`."""

    address: str | None = None
    asset: str
    method: str
    key: str
    verified: bool = False
    network: str | None = None
    tag: str | int | None = None
    memo: str | int | None = None


class WithdrawAddresses(Request[list[WithdrawalAddress]], frozen=True, kw_only=True):
    """The saved addresses."""

    spec: ClassVar[Spec] = private_call(
        "WithdrawAddresses", "funding", "get-withdrawal-addresses", need=_QUERY_AND_WITHDRAW
    )

    asset: AssetName | None = None
    aclass: AssetClass | None = None
    method: Word | None = None
    key: Word | None = None
    verified: bool | None = None


class WithdrawalQuote(msgspec.Struct, frozen=True, kw_only=True):
    """What a withdrawal would cost. All amounts are in the asset itself.

    Attributes:
        limit: The most that can be withdrawn now.
        amount: What would arrive: net of the fee.
    """

    method: str
    limit: Decimal
    amount: Decimal
    fee: Decimal


class WithdrawInfo(Request[WithdrawalQuote], frozen=True, kw_only=True):
    """What a withdrawal would cost."""

    spec: ClassVar[Spec] = private_call(
        "WithdrawInfo", "funding", "get-withdrawal-information", need=_QUERY_AND_WITHDRAW
    )

    asset: AssetName
    key: Word
    amount: Amount


class Reference(msgspec.Struct, frozen=True):
    """The id of the transfer that was started."""

    refid: str


class Withdraw(Request[Reference], frozen=True, kw_only=True):
    """Withdraw to a saved address. `address`, if given, must be the one saved under `key`."""

    spec: ClassVar[Spec] = private_call("Withdraw", "funding", "withdraw-funds", need=_WITHDRAW, effect=Effect.FUNDS)

    asset: AssetName
    key: Word
    amount: Amount
    aclass: AssetClass | None = None
    address: Word | None = None
    max_fee: Amount | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawal.

    Attributes:
        status: ``Initial``, ``Pending``, ``Settled``, ``Success``, ``Failure``.
        status_prop: ``cancel-pending``, ``canceled``, ``cancel-denied``, ``return``, ``onhold``.
    """

    method: str
    asset: str
    refid: str
    amount: Decimal
    time: datetime
    status: str
    network: str | None = None
    aclass: str = "currency"
    txid: str | None = None
    info: str | None = None
    fee: Decimal | None = None
    status_prop: str | None = msgspec.field(name="status-prop", default=None)
    key: str | None = None


class _Paged(msgspec.Struct):
    withdrawals: list[Withdrawal] | None = None
    withdrawal: list[Withdrawal] | None = None
    next_cursor: str | None = None


class WithdrawalsPage(Reshaped, msgspec.Struct, frozen=True):
    """Withdrawals, newest first.

    Attributes:
        next_cursor: The next call's `cursor`; None at the end, and if the call did not have ``cursor=True``.
    """

    arrives_as: ClassVar[Any] = list[Withdrawal] | _Paged

    withdrawals: list[Withdrawal]
    next_cursor: str | None = None

    @classmethod
    def from_wire(cls, arrived: list[Withdrawal] | _Paged) -> Self:
        """Read a bare list or a page; Kraken's documentation does not give the key for the latter."""
        if isinstance(arrived, list):
            return cls(arrived)
        rows = arrived.withdrawal if arrived.withdrawals is None else arrived.withdrawals
        if rows is None:
            raise msgspec.ValidationError("a page without withdrawals")
        return cls(rows, arrived.next_cursor or None)


class WithdrawStatus(Request[WithdrawalsPage], frozen=True, kw_only=True):
    """Recent withdrawals; `start` and `end` are included. ``cursor=True`` asks for pages of 500."""

    spec: ClassVar[Spec] = private_call(
        "WithdrawStatus", "funding", "get-status-recent-withdrawals", need=Need(("withdraw-funds", "query-ledger"))
    )

    asset: AssetName | None = None
    aclass: AssetClass | None = None
    method: Word | None = None
    start: Moment | None = None
    end: Moment | None = None
    cursor: Cursor | None = None
    limit: PageSize | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class WithdrawCancel(Request[bool], frozen=True, kw_only=True):
    """Ask for a withdrawal to be cancelled; not always granted. No permission is needed for a wallet transfer's."""

    spec: ClassVar[Spec] = private_call(
        "WithdrawCancel", "funding", "cancel-withdrawal", need=_WITHDRAW, effect=Effect.WRITE
    )

    asset: AssetName
    refid: Word


class WalletTransfer(Request[Reference], frozen=True, kw_only=True):
    """Move money from the spot to the futures wallet; moving it back is a call of the Futures API.

    Kraken's page asks only for the permission to query.
    """

    spec: ClassVar[Spec] = private_call(
        "WalletTransfer", "funding", "wallet-transfer", need=Need(("query-funds",)), effect=Effect.FUNDS
    )

    asset: AssetName
    from_: WalletFrom = msgspec.field(name="from")
    to: WalletTo
    amount: Amount

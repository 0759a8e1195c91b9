"""Subaccounts: making one, and moving money between accounts. Both take a key of the master account.

Source: https://docs.kraken.com/api/docs/category/rest-api/subaccounts
"""

from __future__ import annotations

from typing import ClassVar, Final

import msgspec

from krakenasync.protocol.requests import Request
from krakenasync.protocol.specs import Effect, Need, Spec, private_call
from krakenasync.spot.values import Amount, AssetClass, AssetName, Word

__all__ = ["AccountTransfer", "CreateSubaccount", "Transferred"]

_WITHDRAW: Final = Need(("withdraw-funds",))


class CreateSubaccount(Request[bool], frozen=True, kw_only=True):
    """Make a subaccount."""

    spec: ClassVar[Spec] = private_call(
        "CreateSubaccount", "subaccounts", "create-subaccount", need=_WITHDRAW, effect=Effect.WRITE
    )

    username: Word
    email: Word


class Transferred(msgspec.Struct, frozen=True):
    """The transfer's id, and whether it is ``pending`` or ``complete``."""

    transfer_id: str
    status: str


class AccountTransfer(Request[Transferred], frozen=True, kw_only=True):
    """Move money between accounts, named by their public ids (``ABCD 1234 EFGH 5678``)."""

    spec: ClassVar[Spec] = private_call(
        "AccountTransfer", "subaccounts", "account-transfer", need=_WITHDRAW, effect=Effect.FUNDS
    )

    asset: AssetName
    amount: Amount
    from_: Word = msgspec.field(name="from")
    to: Word
    asset_class: AssetClass | None = None

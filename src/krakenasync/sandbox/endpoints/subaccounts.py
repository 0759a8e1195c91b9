"""Subaccounts, and money between accounts.

Source: https://docs.kraken.com/api/docs/category/rest-api/subaccounts
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.funding import INSUFFICIENT, funding_asset, read_amount
from krakenasync.sandbox.refusals import PERMISSION_DENIED, Refusal, invalid

__all__ = ["HANDLERS"]

LONGEST_NAME: Final = 64


def create_subaccount(context: Context) -> bool:
    """Open an empty account that belongs to the caller's; TradeVolume lists its public id."""
    username, email = context.arguments.text("username"), context.arguments.text("email")
    if len(username) > LONGEST_NAME:
        raise invalid("username")
    if "@" not in email:
        raise invalid("email")
    context.world.treasury.subaccounts.create(context.account, username)
    return True


def account_transfer(context: Context) -> dict[str, str]:
    """Move money from the caller's account, or one of its subaccounts, to another of these."""
    arguments, subaccounts = context.arguments, context.world.treasury.subaccounts
    if arguments.text("asset_class", "currency") != "currency":
        raise invalid("asset_class")
    asset = funding_asset(arguments.text("asset"))
    amount = read_amount(arguments, asset)
    if subaccounts.master(context.account) is not None:
        raise Refusal(PERMISSION_DENIED)  # it takes a key of the master account
    source = subaccounts.find("from", arguments.text("from"))
    target = subaccounts.find("to", arguments.text("to"))
    if source is target:
        raise invalid("to")
    family = [context.account, *subaccounts.of(context.account)]
    if source not in family or target not in family:
        raise Refusal(PERMISSION_DENIED)
    if amount > source.available(asset.name):
        raise Refusal(INSUFFICIENT)
    transfer_id = subaccounts.transfer(source, target, asset.name, amount, context.now)
    return {"transfer_id": transfer_id, "status": "complete"}


HANDLERS: Final[Mapping[str, Handler]] = {
    "CreateSubaccount": create_subaccount,
    "AccountTransfer": account_transfer,
}

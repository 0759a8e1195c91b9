"""Funding Beta: deposit addresses, and the saved addresses that money can be withdrawn to.

Source: https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.clocks import timestamp
from krakenasync.sandbox.deposits import DepositAddress
from krakenasync.sandbox.endpoints.beta import SCOPES, acting, asset_filter, in_scope, listing, scope_of
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.funding import METHODS, Method, method_by_id
from krakenasync.sandbox.paging import remembered
from krakenasync.sandbox.refusals import invalid
from krakenasync.sandbox.withdrawals import SavedAddress

__all__ = ["HANDLERS"]


def deposit_addresses(context: Context) -> dict[str, Any]:
    """List the account's deposit addresses for all methods."""
    arguments, account = remembered(context.arguments), acting(context)
    scope, wanted = scope_of(arguments, SCOPES[:2]), asset_filter(arguments)
    rows = [
        address
        for method in METHODS
        if wanted(method.asset) and in_scope(scope, method)
        for address in context.world.treasury.deposits.addresses(account, method)
    ]
    return listing(
        arguments, rows, "addresses", lambda address: address.address, _deposit_address_row, ("scope", "asset")
    )


def claim_deposit_address(context: Context) -> dict[str, Any]:
    """Make one more deposit address for a method."""
    method = method_by_id(context.arguments.text("method_id"))
    made = context.world.treasury.deposits.new_address(acting(context), method, context.now)
    return {"address_details": _details(method, made.address)}


def create_address(context: Context) -> dict[str, Any]:
    """Save a withdrawal address of a coin for a method, a network or a group of networks."""
    arguments = context.arguments
    scope, details = scope_of(arguments), arguments.part("address_details")
    crypto = details.part("crypto") if details is not None else None
    if scope is None:
        raise invalid("scope")
    if crypto is None:
        raise invalid("address_details")
    kind, method = scope
    name, memo = _name(arguments), crypto.text("memo", crypto.text("tag", ""))
    saved = context.world.treasury.withdrawals.save(acting(context), method, crypto.text("address"), name, memo)
    saved.scope, saved.description = kind, arguments.text("description", "")
    return {"address_id": saved.id, "verified": True}


def list_addresses(context: Context) -> dict[str, Any]:
    """List the saved withdrawal addresses: all, or those that serve a method, a network or a group of networks."""
    arguments = remembered(context.arguments)
    saved = list(context.world.treasury.withdrawals.saved(acting(context)).values())
    scope = scope_of(arguments)
    if scope is not None:
        kind, method = scope
        wider = SCOPES[SCOPES.index(kind) :]
        saved = [each for each in saved if each.scope in wider and each.serves(method)]
    return listing(arguments, saved, "addresses", lambda each: each.id, _saved_row, ("scope",))


def update_address(context: Context) -> dict[str, bool]:
    """Give a saved address another name or description."""
    arguments, account = context.arguments, acting(context)
    saved = _saved(context, account)
    name = _name(arguments, saved.key)
    if name != saved.key:
        context.world.treasury.withdrawals.check_free(account, name)
    saved.key, saved.description = name, arguments.text("description", saved.description)
    return {"verified": True}


def delete_address(context: Context) -> dict[str, bool]:
    """Delete a saved address."""
    account = acting(context)
    saved = _saved(context, account)
    del context.world.treasury.withdrawals.saved(account)[saved.id]
    return {"result": True}


def _name(arguments: Arguments, default: str | None = None) -> str:
    """Read a name, which must not be blank."""
    name = arguments.text("name", default)
    if not name.strip():
        raise invalid("name")
    return name


def _details(method: Method, address: str, memo: str = "") -> dict[str, Any]:
    """Write an address: a coin's, or an account at a bank."""
    if not method.prefix and not method.length:
        return {"fiat": {"iban": address}}
    return {"crypto": {"address": address, "memo": memo} if memo else {"address": address}}


def _deposit_address_row(known: DepositAddress) -> dict[str, Any]:
    row = {"method_id": known.method.id, "address_details": _details(known.method, known.address)}
    times = {"last_used": known.last_used, "expire_time": known.expires}
    return {**row, **{name: timestamp(at) for name, at in times.items() if at}}


def _saved_row(saved: SavedAddress) -> dict[str, Any]:
    row = {
        "address_id": saved.id,
        "scope": {saved.scope: saved.method.scopes[saved.scope]},
        "address_details": _details(saved.method, saved.address, saved.memo),
        "name": saved.key,
        "verified": True,
    }
    return {**row, "description": saved.description} if saved.description else row


def _saved(context: Context, account: Account) -> SavedAddress:
    saved = context.world.treasury.withdrawals.saved(account).get(context.arguments.text("id"))
    if saved is None:
        raise invalid("id")
    return saved


HANDLERS: Final[Mapping[str, Handler]] = {
    "FundingBeta/DepositAddresses": deposit_addresses,
    "FundingBeta/DepositAddressClaim": claim_deposit_address,
    "FundingBeta/AddressesCreate": create_address,
    "FundingBeta/AddressesList": list_addresses,
    "FundingBeta/AddressesUpdate": update_address,
    "FundingBeta/AddressesDelete": delete_address,
}

"""Funding Beta: what can be moved and how, and the addresses. Provisional.

Kraken publishes no schemas of these answers; the names follow its list of pages and what clients read. It is the same
money, the same addresses and the same withdrawals as by the older calls.

Source: https://docs.kraken.com/llms-full.txt
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.deposits import MOST_ADDRESSES, DepositAddress
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.funding import METHODS, Method, funding_asset, method_by_id
from krakenasync.sandbox.listings import ASSETS, Asset
from krakenasync.sandbox.paging import by_cursor, remembered
from krakenasync.sandbox.refusals import invalid
from krakenasync.sandbox.valuation import worth
from krakenasync.sandbox.withdrawals import SavedAddress

__all__ = ["HANDLERS", "acting", "asset_name", "asset_row", "listing", "network_row"]

T = TypeVar("T")

DIRECTIONS: Final = frozenset({"deposit", "withdraw"})
PAGE: Final = 100


def fundable_assets(context: Context) -> dict[str, Any]:
    """List the assets that can be deposited or withdrawn: the same ones either way."""
    context.arguments.word("direction", DIRECTIONS)
    currencies = context.arguments.text("asset_class", "currency") == "currency"
    names = dict.fromkeys(method.asset for method in METHODS if currencies)
    return {"assets": [asset_row(ASSETS[name]) for name in names]}


def methods(context: Context) -> dict[str, Any]:
    """List the ways to deposit or withdraw."""
    way = context.arguments.word("direction", DIRECTIONS)
    arguments = remembered(context.arguments)
    wanted = asset_name(arguments)
    rows = [method for method in METHODS if wanted in (None, method.asset)]
    return listing(
        arguments, rows, "methods", lambda method: method.id, lambda method: _method_row(method, way), ("asset",)
    )


def networks(_context: Context) -> dict[str, Any]:
    """List the networks that money travels on."""
    found = {method.network: network_row(method) for method in METHODS}
    return {"networks": list(found.values())}


def deposit_limits(context: Context) -> dict[str, Any]:
    """Tell how much of an asset can be deposited at once, by method."""
    asset = _asset_of_path(context)
    limits = [
        {"limit_type": "amount", "method_id": method.id, **_left(context, asset, method.limit)}
        for method in METHODS
        if method.asset == asset.name
    ]
    return {"asset": asset_row(asset), "limits": limits}


def withdrawal_limits(context: Context) -> dict[str, Any]:
    """Tell how much of an asset can be withdrawn just now, by method."""
    asset, account = _asset_of_path(context), acting(context)
    withdrawals = context.world.treasury.withdrawals
    limits = [
        {
            "limit_type": "amount",
            "method_id": method.id,
            "maximum": asset.text(method.daily),
            "period": 86_400,
            **_left(context, asset, withdrawals.limit(account, method, context.now)),
        }
        for method in METHODS
        if method.asset == asset.name
    ]
    return {"asset": asset_row(asset), "limits": limits}


def deposit_addresses(context: Context) -> dict[str, Any]:
    """List the account's deposit addresses of all methods."""
    arguments, account = remembered(context.arguments), acting(context)
    wanted = arguments.text("method_id", "")
    rows = [
        address
        for method in METHODS
        if wanted in ("", method.id)
        for address in context.world.treasury.deposits.addresses(account, method)
    ]
    return listing(arguments, rows, "addresses", lambda address: address.address, _deposit_address_row, ("method_id",))


def claim_deposit_address(context: Context) -> dict[str, Any]:
    """Make one more deposit address of a method."""
    method = method_by_id(context.arguments.text("method_id"))
    made = context.world.treasury.deposits.new_address(acting(context), method, context.now)
    return {"address": _deposit_address_row(made)}


def create_address(context: Context) -> dict[str, Any]:
    """Save a withdrawal address: a method's id, the address, a name, perhaps a memo."""
    arguments = context.arguments
    method = method_by_id(arguments.text("method_id"))
    name, address = arguments.text("name"), arguments.text("address")
    withdrawals = context.world.treasury.withdrawals
    saved = withdrawals.save(acting(context), method, address, name, arguments.text("memo", ""))
    return _saved_row(saved)


def list_addresses(context: Context) -> dict[str, Any]:
    """List the saved withdrawal addresses."""
    arguments = remembered(context.arguments)
    wanted = arguments.text("method_id", "")
    saved = context.world.treasury.withdrawals.saved(acting(context)).values()
    rows = [each for each in saved if wanted in ("", each.method.id)]
    return listing(arguments, rows, "addresses", lambda each: each.id, _saved_row, ("method_id",))


def update_address(context: Context) -> dict[str, Any]:
    """Rename a saved address, or change its memo."""
    arguments, account = context.arguments, acting(context)
    saved = _saved(context, account)
    name = arguments.text("name", saved.key)
    if name != saved.key:
        context.world.treasury.withdrawals.check_free(account, name)
    saved.key, saved.memo = name, arguments.text("memo", saved.memo)
    return _saved_row(saved)


def delete_address(context: Context) -> dict[str, bool]:
    """Forget a saved address."""
    account = acting(context)
    saved = _saved(context, account)
    del context.world.treasury.withdrawals.saved(account)[saved.id]
    return {"result": True}


def acting(context: Context) -> Account:
    """Return the account that a call acts on, which may be a subaccount of the caller's."""
    public = context.arguments.text("account_id", "")
    return context.world.treasury.subaccounts.acting(context.account, public)


def asset_name(arguments: Arguments) -> str | None:
    """Read the filter by asset: the id of the asset, None for all."""
    wanted = arguments.part("asset")
    return funding_asset(wanted.text("name")).name if wanted is not None else None


def asset_row(asset: Asset) -> dict[str, str]:
    """Write an asset with its class."""
    return {"class": "currency", "name": asset.altname}


def network_row(method: Method) -> dict[str, str]:
    """Write a method's network."""
    return {"id": method.network_id, "name": method.network}


def listing(
    arguments: Arguments,
    rows: Sequence[T],
    name: str,
    id_of: Callable[[T], str],
    write: Callable[[T], dict[str, Any]],
    filters: tuple[str, ...],
) -> dict[str, Any]:
    """Write a page of rows under a name, and the cursor of the next."""
    page = by_cursor(arguments, rows, id_of, filters, PAGE)
    return {name: [write(row) for row in page.rows], "next_cursor": page.next}


def _asset_of_path(context: Context) -> Asset:
    context.arguments.word("asset_class", frozenset({"currency"}))
    return funding_asset(context.arguments.text("asset"))


def _left(context: Context, asset: Asset, amount: Decimal | None) -> dict[str, Any]:
    """Write what is left of a limit, and what that is worth in the preferred currency, if one is named."""
    row: dict[str, Any] = {"remaining": asset.text(amount) if amount is not None else None}
    preferred = context.arguments.part("preferred_asset")
    if preferred is None or amount is None:
        return row
    unit = funding_asset(preferred.text("name"))
    market, now = context.world.market, context.now
    price = worth(market, unit.name, now)
    if not price:
        raise invalid("preferred_asset")
    value = amount * worth(market, asset.name, now) / price
    return {**row, "equivalent": {"asset": asset_row(unit), "amount": unit.text(value)}}


def _method_row(method: Method, way: str) -> dict[str, Any]:
    asset = ASSETS[method.asset]
    fee = method.fee if way == "withdraw" else Decimal(0)
    least = method.least_out if way == "withdraw" else method.minimum
    row: dict[str, Any] = {
        "id": method.id,
        "name": method.name,
        "asset": asset_row(asset),
        "network": network_row(method),
        "minimum": asset.text(least),
        "fees": {"base": asset.text(fee), "percentage": "0", "included": True, "min": None, "max": None},
    }
    if way == "deposit":
        row["deposit"] = {
            "shares_addresses_with_method_id": None,
            "address_setup_fee": asset.text(Decimal(0)),
            "address_generation": {"status": "available", "limit": MOST_ADDRESSES},
        }
    return row


def _deposit_address_row(known: DepositAddress) -> dict[str, Any]:
    return {"method_id": known.method.id, "address": known.address, "used": known.used}


def _saved_row(saved: SavedAddress) -> dict[str, Any]:
    row = {
        "id": saved.id,
        "method_id": saved.method.id,
        "network": network_row(saved.method),
        "address": saved.address,
        "name": saved.key,
        "verified": True,
    }
    return {**row, "memo": saved.memo} if saved.memo else row


def _saved(context: Context, account: Account) -> SavedAddress:
    saved = context.world.treasury.withdrawals.saved(account).get(context.arguments.text("id"))
    if saved is None:
        raise invalid("id")
    return saved


HANDLERS: Final[Mapping[str, Handler]] = {
    "FundingBeta/Assets": fundable_assets,
    "FundingBeta/Methods": methods,
    "FundingBeta/Networks": networks,
    "FundingBeta/LimitsDeposit": deposit_limits,
    "FundingBeta/LimitsWithdrawal": withdrawal_limits,
    "FundingBeta/DepositAddresses": deposit_addresses,
    "FundingBeta/DepositAddressClaim": claim_deposit_address,
    "FundingBeta/AddressesCreate": create_address,
    "FundingBeta/AddressesList": list_addresses,
    "FundingBeta/AddressesUpdate": update_address,
    "FundingBeta/AddressesDelete": delete_address,
}

"""Funding Beta: what can be moved and how, and how much of it. Addresses and transfers have modules of their own.

It works on the same money, addresses and withdrawals as the older calls.

Source: https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.deposits import MOST_ADDRESSES
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.funding import GROUPS, METHODS, Method, funding_asset, group_id
from krakenasync.sandbox.listings import ASSETS, Asset
from krakenasync.sandbox.paging import by_cursor, remembered
from krakenasync.sandbox.refusals import invalid
from krakenasync.sandbox.valuation import worth
from krakenasync.spot.values import AssetClass, Direction, words

__all__ = [
    "HANDLERS",
    "SCOPES",
    "acting",
    "asset_amount",
    "asset_filter",
    "in_scope",
    "listing",
    "scope_of",
]

T = TypeVar("T")

DIRECTIONS: Final = words(Direction)
CLASSES: Final = words(AssetClass)
SCOPES: Final = ("method_id", "network_id", "network_group_id")
PAGE: Final = 100
DAY: Final = 86_400
DOLLAR: Final = "ZUSD"


def fundable_assets(context: Context) -> dict[str, Any]:
    """List the assets that can be deposited or withdrawn: the same ones either way, none of them tokenized."""
    context.arguments.word("direction", DIRECTIONS)
    currencies = context.arguments.word("asset_class", CLASSES, "currency") == "currency"
    names = dict.fromkeys(method.asset for method in METHODS if currencies)
    return {"currency": [{"name": ASSETS[name].called} for name in names], "tokenized_asset": []}


def methods(context: Context) -> dict[str, Any]:
    """List the ways to deposit or withdraw."""
    way = context.arguments.word("direction", DIRECTIONS)
    arguments = remembered(context.arguments)
    wanted = asset_filter(arguments)
    rows = [method for method in METHODS if wanted(method.asset)]
    return listing(
        arguments, rows, "methods", lambda method: method.id, lambda method: _method_row(method, way), ("asset",)
    )


def networks(_context: Context) -> dict[str, Any]:
    """List the networks that money travels on, and the groups some of them form."""
    ids = {method.network: method.network_id for method in METHODS}
    groups = [
        {
            "network_group_id": group_id(group),
            "name": group,
            "network_ids": [ids[network] for network, of in GROUPS.items() if of == group],
        }
        for group in dict.fromkeys(GROUPS.values())
    ]
    return {"network_groups": groups, "networks": [{"network_id": ids[name], "name": name} for name in ids]}


def deposit_limits(context: Context) -> dict[str, Any]:
    """List how much of an asset can be deposited at once, by method."""
    asset = _asset_of_path(context)
    limits: list[dict[str, Any]] = []
    for method in METHODS:
        if method.asset == asset.name:
            most = {} if method.limit is None else {"maximum_amount": asset_amount(asset, method.limit)}
            limits.append({"method_id": method.id, **most, "limits": []})
    return {"deposit_limits": limits}


def withdrawal_limits(context: Context) -> dict[str, Any]:
    """List how much of an asset can be withdrawn now, by method."""
    asset, account = _asset_of_path(context), acting(context)
    preferred = context.arguments.part("preferred_asset")
    unit = funding_asset(preferred.text("name")) if preferred is not None else asset
    limits = [_limits_row(context, account, method, unit) for method in METHODS if method.asset == asset.name]
    return {
        "available_balance": asset_amount(asset, account.available(asset.name)),
        "withdrawal_limits": limits,
    }


def acting(context: Context) -> Account:
    """Return the account that a call acts on, which may be one of the caller's subaccounts."""
    account = context.arguments.text("account_id", "")
    return context.world.treasury.subaccounts.acting(context.account, account)


def asset_filter(arguments: Arguments) -> Callable[[str], bool]:
    """Read the filter by asset, and return a test whether an asset, given by its id, passes.

    Raises:
        Refusal: The asset has no class, or there is no asset of that name.
    """
    wanted = arguments.part("asset")
    if wanted is None:
        return lambda _asset: True
    currencies = wanted.word("class", CLASSES) == "currency"
    name = funding_asset(wanted.text("name")).name if wanted.given("name") and currencies else None
    return lambda asset: currencies and name in (None, asset)


def scope_of(arguments: Arguments, kinds: Sequence[str] = SCOPES) -> tuple[str, Method] | None:
    """Read a scope: the kind of id, and a method that it names or contains; None if there is no scope.

    Args:
        arguments: Those that contain it.
        kinds: The kinds of id that are accepted.

    Raises:
        Refusal: The scope is not exactly one id of such a kind.
    """
    scope = arguments.part("scope")
    if scope is None:
        return None
    given = [kind for kind in SCOPES if scope.given(kind)]
    if len(given) != 1 or given[0] not in kinds:
        raise invalid("scope")
    wanted = scope.text(given[0])
    for method in METHODS:
        if method.scopes.get(given[0]) == wanted:
            return given[0], method
    raise invalid("scope")


def in_scope(scope: tuple[str, Method] | None, method: Method) -> bool:
    """Whether a method is a scope's own, or on its network or in its group; every method is if there is no scope."""
    return scope is None or method.scopes.get(scope[0]) == scope[1].scopes[scope[0]]


def asset_amount(asset: Asset, amount: Decimal) -> dict[str, Any]:
    """Write an amount of an asset."""
    return {"asset": _asset_row(asset), "amount": asset.text(amount)}


def listing(
    arguments: Arguments,
    rows: Sequence[T],
    name: str,
    id_of: Callable[[T], str],
    write: Callable[[T], dict[str, Any]],
    filters: tuple[str, ...],
) -> dict[str, Any]:
    """Write a page of rows under a name, and the cursor of the next page if there is one."""
    page = by_cursor(arguments, rows, id_of, filters, PAGE)
    written: dict[str, Any] = {name: [write(row) for row in page.rows]}
    return {**written, "next_cursor": page.next} if page.next is not None else written


def _asset_of_path(context: Context) -> Asset:
    context.arguments.word("asset_class", frozenset({"currency"}))
    return funding_asset(context.arguments.text("asset"))


def _asset_row(asset: Asset) -> dict[str, str]:
    return {"class": "currency", "name": asset.called}


def _limits_row(context: Context, account: Account, method: Method, unit: Asset) -> dict[str, Any]:
    """Write the limits of a withdrawal method: there is only the daily one."""
    asset, withdrawals = ASSETS[method.asset], context.world.treasury.withdrawals
    used = withdrawals.gone(account, method, context.now)
    remaining = max(Decimal(0), method.daily - used)
    values = {"remaining": remaining, "maximum": method.daily, "used": used}
    limit = {name: _worth(context, asset, value, unit) for name, value in values.items()}
    return {
        "method_id": method.id,
        "maximum_amount": asset_amount(asset, withdrawals.limit(account, method, context.now)),
        "maximum_reason": "balance" if account.available(asset.name) < remaining else "limits",
        "limits": [{"time_window": str(DAY), "limit": {**limit, "limit_type": "amount"}}],
    }


def _worth(context: Context, asset: Asset, amount: Decimal, unit: Asset) -> dict[str, Any]:
    """Write a limit's value: as it is set, in dollars if the asset has a price, and in the requested unit."""
    market, now, dollar = context.world.market, context.now, ASSETS[DOLLAR]
    price = worth(market, asset.name, now)
    row = {"policy_asset_amount": asset_amount(asset, amount)}
    if price:
        row["usd_amount"] = asset_amount(dollar, amount * price)
    if unit.name == asset.name:
        return {**row, "requested_asset_amount": asset_amount(asset, amount)}
    each = worth(market, unit.name, now)
    if not each:
        raise invalid("preferred_asset")
    return {**row, "requested_asset_amount": asset_amount(unit, amount * price / each)}


def _method_row(method: Method, way: str) -> dict[str, Any]:
    asset, out = ASSETS[method.asset], way == "withdraw"
    row: dict[str, Any] = {
        "asset": _asset_row(asset),
        "method_id": method.id,
        "method_name": method.name,
        "minimum_amount": asset.text(method.least_out if out else method.minimum),
        "fees": {"base": asset_amount(asset, method.fee if out else Decimal(0)), "included": not out},
        "network": {
            "network_id": method.network_id,
            "network_name": method.network,
            "on_chain_asset_symbol": asset.called,
        },
    }
    if out:
        return {**row, "withdrawal": {}}
    most = {} if method.limit is None else {"maximum_amount": asset.text(method.limit)}
    return {**row, **most, "deposit": {"address_generation": {"status": "limited", "limit": MOST_ADDRESSES}}}


HANDLERS: Final[Mapping[str, Handler]] = {
    "FundingBeta/Assets": fundable_assets,
    "FundingBeta/Methods": methods,
    "FundingBeta/Networks": networks,
    "FundingBeta/LimitsDeposit": deposit_limits,
    "FundingBeta/LimitsWithdrawal": withdrawal_limits,
}

"""Deposits: methods, addresses, and the deposits themselves.

Source: https://docs.kraken.com/api/docs/category/rest-api/funding
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from krakenasync.protocol.paging import PAGING
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.deposits import Deposit
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.funding import Method, find_method, funding_asset, methods_of, read_amount
from krakenasync.sandbox.listings import ASSETS
from krakenasync.sandbox.paging import by_cursor, remembered, within

__all__ = ["HANDLERS"]

PAGE: Final = PAGING["DepositStatus"].rows
FILTERS: Final = ("asset", "aclass", "method", "start", "end")
BEGIN: Final = ("true", "1", "false", "0")


def deposit_methods(context: Context) -> list[dict[str, Any]]:
    """List the ways to deposit an asset."""
    arguments = context.arguments
    if arguments.text("aclass", "currency") != "currency":
        return []
    return [_method_row(method) for method in methods_of(funding_asset(arguments.text("asset")))]


def deposit_addresses(context: Context) -> list[dict[str, Any]]:
    """List the account's addresses for a method, newest first; with ``new``, make one more."""
    arguments, deposits = context.arguments, context.world.treasury.deposits
    asset = funding_asset(arguments.text("asset"), arguments.text("aclass", "currency"))
    method = find_method(asset, arguments.text("method"))
    if method.invoices and arguments.given("amount"):
        read_amount(arguments, asset)
    if arguments.flag("new"):
        deposits.new_address(context.account, method, context.now)
    return [
        {"address": known.address, "expiretm": str(known.expires // NANOS), "new": not known.used}
        for known in deposits.addresses(context.account, method)
        if not 0 < known.expires <= context.now
    ]


def deposit_status(context: Context) -> list[dict[str, Any]] | dict[str, Any]:
    """List deposits, newest first: the recent ones, or page by page with a cursor."""
    paged = context.arguments.spelled("cursor", "false").lower() not in ("false", "0")
    arguments = remembered(context.arguments, first=BEGIN)
    asset = funding_asset(arguments.text("asset")).name if arguments.given("asset") else None
    fits = within(arguments)
    rows = [
        deposit
        for deposit in context.world.treasury.deposits.of(context.account)
        if asset in (None, deposit.method.asset)
        and arguments.text("method", deposit.method.name) == deposit.method.name
        and arguments.text("aclass", "currency") == "currency"
        and fits(deposit.at)
    ]
    page = by_cursor(arguments, rows, lambda deposit: deposit.refid, FILTERS, PAGE)
    written = [_row(deposit, context.now) for deposit in page.rows]
    return {"deposits": written, "next_cursor": page.next} if paged else written


def _method_row(method: Method) -> dict[str, Any]:
    asset = ASSETS[method.asset]
    row: dict[str, Any] = {
        "method": method.name,
        "limit": asset.text(method.limit) if method.limit is not None else False,
        "fee": asset.text(Decimal(0)),
        "minimum": asset.text(method.minimum),
    }
    if method.prefix or method.length:
        row["gen-address"] = True
    return row


def _row(deposit: Deposit, now: int) -> dict[str, Any]:
    asset = ASSETS[deposit.method.asset]
    return {
        "method": deposit.method.name,
        "aclass": "currency",
        "asset": asset.name,
        "refid": deposit.refid,
        "txid": deposit.txid,
        "info": deposit.address,
        "amount": asset.text(deposit.amount),
        "fee": asset.text(Decimal(0)),
        "time": deposit.at // NANOS,
        "status": deposit.status(now),
    }


HANDLERS: Final[Mapping[str, Handler]] = {
    "DepositMethods": deposit_methods,
    "DepositAddresses": deposit_addresses,
    "DepositStatus": deposit_status,
}

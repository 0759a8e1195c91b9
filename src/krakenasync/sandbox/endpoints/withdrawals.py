"""Withdrawals, and the way to the futures wallet.

Source: https://docs.kraken.com/api/docs/category/rest-api/funding
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from krakenasync.protocol.exact import decimal_text
from krakenasync.protocol.paging import PAGING
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.funding import INSUFFICIENT, METHODS, funding_asset, read_amount
from krakenasync.sandbox.listings import ASSETS
from krakenasync.sandbox.paging import by_cursor, remembered, within
from krakenasync.sandbox.refusals import Refusal
from krakenasync.sandbox.withdrawals import Withdrawal
from krakenasync.spot.values import WalletFrom, WalletTo, words

__all__ = ["HANDLERS"]

PAGE: Final = PAGING["WithdrawStatus"].rows
FILTERS: Final = ("asset", "aclass", "method", "start", "end")
BEGIN: Final = ("true", "1", "false", "0")
UNKNOWN_REFERENCE: Final = "EFunding:Unknown reference id"


def withdraw_methods(context: Context) -> list[dict[str, Any]]:
    """List the ways to withdraw, of one asset or all, on one network or all."""
    arguments = context.arguments
    asset = _asset_filter(context)
    network = arguments.text("network", "").lower()
    return [
        {
            "asset": method.asset,
            "method": method.name,
            "method_id": method.id,
            "network": method.network,
            "network_id": method.network_id,
            "minimum": decimal_text(method.least_out.normalize()),
            "fee": {"aclass": "currency", "asset": method.asset, "fee": _text(method.asset, method.fee)},
        }
        for method in METHODS
        if asset in (None, method.asset) and network in ("", method.network.lower())
    ]


def withdraw_addresses(context: Context) -> list[dict[str, Any]]:
    """List the saved addresses. All are verified: nobody reads e-mails here."""
    arguments = context.arguments
    asset = _asset_filter(context)
    wanted = arguments.flag("verified") if arguments.given("verified") else True
    rows = []
    for saved in context.world.treasury.withdrawals.saved(context.account).values():
        method = saved.method
        fits = (
            wanted
            and asset in (None, method.asset)
            and arguments.text("method", method.name) == method.name
            and arguments.text("key", saved.key) == saved.key
        )
        if fits:
            row = {
                "address": saved.address,
                "asset": ASSETS[method.asset].altname,
                "method": method.name,
                "key": saved.key,
                "verified": True,
            }
            rows.append({**row, "memo": saved.memo, "tag": saved.memo} if saved.memo else row)
    return rows


def withdraw_info(context: Context) -> dict[str, Any]:
    """Return what a withdrawal would cost and how much can be withdrawn."""
    arguments, withdrawals = context.arguments, context.world.treasury.withdrawals
    asset = funding_asset(arguments.text("asset"), arguments.text("aclass", "currency"))
    method = withdrawals.find(context.account, asset.name, arguments.text("key")).method
    gross = read_amount(arguments, asset)
    withdrawals.check(context.account, method, gross, context.now)
    return {
        "method": method.name,
        "limit": asset.text(withdrawals.limit(context.account, method, context.now)),
        "amount": asset.text(gross - method.fee),
        "fee": asset.text(method.fee),
    }


def withdraw(context: Context) -> dict[str, Any]:
    """Send money to a saved address."""
    arguments, withdrawals = context.arguments, context.world.treasury.withdrawals
    asset = funding_asset(arguments.text("asset"), arguments.text("aclass", "currency"))
    saved = withdrawals.find(context.account, asset.name, arguments.text("key"))
    withdrawal = withdrawals.withdraw(
        context.account,
        saved,
        read_amount(arguments, asset),
        context.now,
        max_fee=arguments.number("max_fee") if arguments.given("max_fee") else None,
        expected=arguments.text("address") if arguments.given("address") else None,
    )
    return {"refid": withdrawal.refid}


def withdraw_status(context: Context) -> list[dict[str, Any]] | dict[str, Any]:
    """List withdrawals, newest first: the recent ones, or page by page with a cursor."""
    paged = context.arguments.spelled("cursor", "false").lower() not in ("false", "0")
    arguments = remembered(context.arguments, first=BEGIN)
    asset = funding_asset(arguments.text("asset")).name if arguments.given("asset") else None
    fits = within(arguments)
    rows = [
        withdrawal
        for withdrawal in context.world.treasury.withdrawals.of(context.account)
        if asset in (None, withdrawal.method.asset)
        and arguments.text("method", withdrawal.method.name) == withdrawal.method.name
        and arguments.text("aclass", "currency") == "currency"
        and fits(withdrawal.at)
    ]
    page = by_cursor(arguments, rows, lambda withdrawal: withdrawal.refid, FILTERS, PAGE)
    written = [_row(withdrawal, context.now) for withdrawal in page.rows]
    return {"withdrawals": written, "next_cursor": page.next} if paged else written


def withdraw_cancel(context: Context) -> bool:
    """Cancel a withdrawal, if it is early enough."""
    arguments, withdrawals = context.arguments, context.world.treasury.withdrawals
    asset, refid = funding_asset(arguments.text("asset")), arguments.text("refid")
    for withdrawal in withdrawals.of(context.account):
        if withdrawal.refid == refid and withdrawal.method.asset == asset.name:
            return withdrawals.cancel(withdrawal, context.now)
    raise Refusal(UNKNOWN_REFERENCE)


def wallet_transfer(context: Context) -> dict[str, str]:
    """Move money from the spot to the futures wallet; there is no way back by this API."""
    arguments, ledger = context.arguments, context.world.treasury.ledger
    asset = funding_asset(arguments.text("asset"))
    arguments.word("from", words(WalletFrom))
    arguments.word("to", words(WalletTo))
    amount = read_amount(arguments, asset)
    if amount > context.account.available(asset.name):
        raise Refusal(INSUFFICIENT)
    refid = ledger.new_transfer_id("B")
    ledger.move(
        context.account,
        ledger.futures_wallet(context.account),
        asset.name,
        -amount,
        kind="transfer",
        refid=refid,
        at=context.now,
        subtype="spottofutures",
    )
    return {"refid": refid}


def _asset_filter(context: Context) -> str | None:
    """Return the id of the requested asset, None for all; for another class, an id that no asset has."""
    arguments = context.arguments
    if arguments.text("aclass", "currency") != "currency":
        return "none"
    return funding_asset(arguments.text("asset")).name if arguments.given("asset") else None


def _row(withdrawal: Withdrawal, now: int) -> dict[str, Any]:
    method, status = withdrawal.method, withdrawal.status(now)
    row: dict[str, Any] = {
        "method": method.name,
        "network": method.network,
        "aclass": "currency",
        "asset": method.asset,
        "refid": withdrawal.refid,
        "txid": withdrawal.txid if status == "Success" else None,
        "info": withdrawal.address,
        "amount": _text(method.asset, withdrawal.amount),
        "fee": _text(method.asset, withdrawal.fee),
        "time": withdrawal.at // NANOS,
        "status": status,
        "key": withdrawal.key,
    }
    if withdrawal.canceled:
        row["status-prop"] = "canceled"
    return row


def _text(asset: str, amount: Decimal) -> str:
    return ASSETS[asset].text(amount)


HANDLERS: Final[Mapping[str, Handler]] = {
    "WithdrawMethods": withdraw_methods,
    "WithdrawAddresses": withdraw_addresses,
    "WithdrawInfo": withdraw_info,
    "Withdraw": withdraw,
    "WithdrawStatus": withdraw_status,
    "WithdrawCancel": withdraw_cancel,
    "WalletTransfer": wallet_transfer,
}

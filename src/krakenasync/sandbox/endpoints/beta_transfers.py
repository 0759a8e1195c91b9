"""Funding Beta: fee quotes, deposits and withdrawals.

Source: https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.clocks import timestamp
from krakenasync.sandbox.deposits import Deposit
from krakenasync.sandbox.endpoints.beta import (
    SCOPES,
    acting,
    asset_amount,
    asset_filter,
    in_scope,
    listing,
    scope_of,
)
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.funding import Method, funding_asset, method_by_id, methods_of, read_amount
from krakenasync.sandbox.listings import ASSETS, Asset
from krakenasync.sandbox.paging import remembered
from krakenasync.sandbox.refusals import invalid
from krakenasync.sandbox.withdrawals import SavedAddress, Withdrawal
from krakenasync.spot.values import FundingState, words

__all__ = ["HANDLERS"]

STATES: Final = words(FundingState) | {""}
STATE_OF: Final = {"Initial": "pending", "Pending": "pending", "Success": "success", "Failure": "failed"}
FILTERS: Final = ("scope", "asset", "status", "start_time", "end_time")


def fee_quote(context: Context) -> dict[str, Any]:
    """Return what a withdrawal of an amount would cost, with a token that guarantees the fee for five minutes."""
    arguments, withdrawals = context.arguments, context.world.treasury.withdrawals
    method = method_by_id(arguments.text("method_id"))
    asset = ASSETS[method.asset]
    amount = read_amount(arguments, asset)
    token = arguments.text("withdrawal_fee_token", "") or withdrawals.quote(method, context.now)
    fee = withdrawals.quoted(token, method, context.now)
    gross = amount if arguments.flag("fee_included") else amount + fee
    return {
        "fee": asset_amount(asset, fee),
        "gross_amount": asset_amount(asset, gross),
        "net_amount": asset_amount(asset, gross - fee),
        "fee_details": {"base_fee": asset_amount(asset, fee), "fee_percentage": "0"},
        "withdrawal_fee_token": token,
    }


def create_withdrawal(context: Context) -> dict[str, Any]:
    """Send money to a saved address; the fee comes on top unless it is included."""
    arguments, account = context.arguments, acting(context)
    asset, amount = _asset_amount(arguments, "amount")
    method = _method(arguments, asset)
    saved = _saved(context, account, method)
    fee = _fee(arguments)
    withdrawal = context.world.treasury.withdrawals.withdraw(
        account,
        saved,
        amount if fee.flag("fee_included") else amount + method.fee,
        context.now,
        method=method,
        max_fee=_most(context, fee, method),
        expected=arguments.text("expected_address") if arguments.given("expected_address") else None,
    )
    amounts = {"net_amount": withdrawal.amount, "gross_amount": withdrawal.gross, "fee": withdrawal.fee}
    written = {name: {"asset_amount": asset_amount(asset, value)} for name, value in amounts.items()}
    return {"withdrawal_id": withdrawal.refid, **written}


def list_deposits(context: Context) -> dict[str, Any]:
    """List deposits, newest first."""
    arguments = remembered(context.arguments)
    scope, wanted = scope_of(arguments), asset_filter(arguments)
    rows = [
        deposit
        for deposit in context.world.treasury.deposits.of(acting(context))
        if wanted(deposit.method.asset)
        and in_scope(scope, deposit.method)
        and _has_status(arguments, deposit.status(context.now).lower())
        and _in_time(arguments, deposit.at)
    ]
    return listing(
        arguments, rows, "deposits", lambda row: row.refid, lambda row: _deposit_row(row, context.now), FILTERS
    )


def list_withdrawals(context: Context) -> dict[str, Any]:
    """List withdrawals, newest first."""
    arguments = remembered(context.arguments)
    status = arguments.word("status", STATES, "")
    scope, wanted = scope_of(arguments), asset_filter(arguments)
    rows = [
        withdrawal
        for withdrawal in context.world.treasury.withdrawals.of(acting(context))
        if wanted(withdrawal.method.asset)
        and in_scope(scope, withdrawal.method)
        and status in ("", STATE_OF[withdrawal.status(context.now)])
        and _in_time(arguments, withdrawal.at)
    ]
    return listing(
        arguments, rows, "withdrawals", lambda row: row.refid, lambda row: _withdrawal_row(row, context.now), FILTERS
    )


def _asset_amount(arguments: Arguments, name: str) -> tuple[Asset, Decimal]:
    """Read an amount with its asset, inside an ``asset_amount``."""
    outer = arguments.part(name)
    inner = outer.part("asset_amount") if outer is not None else None
    named = inner.part("asset") if inner is not None else None
    if inner is None or named is None or named.text("class", "") != "currency":
        raise invalid(name)
    asset = funding_asset(named.text("name"))
    return asset, read_amount(inner, asset)


def _method(arguments: Arguments, asset: Asset) -> Method:
    """Find the method that is meant: the one named, or the only one the asset has on the network named."""
    scope = scope_of(arguments, SCOPES[:2])
    fitting = [method for method in methods_of(asset) if scope is not None and in_scope(scope, method)]
    if len(fitting) != 1:
        raise invalid("scope")
    return fitting[0]


def _saved(context: Context, account: Account, method: Method) -> SavedAddress:
    """Find the saved address that is named; it must serve the method."""
    saved = context.world.treasury.withdrawals.saved(account).get(context.arguments.text("address_id"))
    if saved is None:
        raise invalid("address_id")
    if not saved.serves(method):
        raise invalid("scope")
    return saved


def _fee(arguments: Arguments) -> Arguments:
    """Read the parameters about the fee: whether it is included, and at most one of two bounds."""
    fee = arguments.part("fee")
    if fee is None:
        return Arguments({})
    if not fee.given("fee_included") or (fee.given("quoted_fee") and fee.given("current_fee")):
        raise invalid("fee")
    return fee


def _most(context: Context, fee: Arguments, method: Method) -> Decimal | None:
    """Read how high the fee may be: what a quote's token guarantees, or a bound in the method's asset."""
    quoted, current = fee.part("quoted_fee"), fee.part("current_fee")
    if quoted is not None:
        return context.world.treasury.withdrawals.quoted(quoted.text("token"), method, context.now)
    if current is None or not current.given("max_fee"):
        return None
    asset, most = _asset_amount(current, "max_fee")
    if asset.name != method.asset:
        raise invalid("max_fee")
    return most


def _has_status(arguments: Arguments, status: str) -> bool:
    """Whether a deposit's status is in the requested list. Ranges of states have no documented order."""
    wanted = arguments.part("status")
    return wanted is None or not wanted.given("list") or status in wanted.names("list")


def _in_time(arguments: Arguments, at: int) -> bool:
    start, end = arguments.instant("start_time"), arguments.instant("end_time")
    return (start is None or start <= at) and (end is None or at <= end)


def _deposit_row(deposit: Deposit, now: int) -> dict[str, Any]:
    asset, status = ASSETS[deposit.method.asset], deposit.status(now).lower()
    row = {
        "deposit_id": deposit.refid,
        "method_id": deposit.method.id,
        "network_id": deposit.method.network_id,
        "status": status,
        "amount": asset_amount(asset, deposit.amount),
        "create_time": timestamp(deposit.at),
    }
    return {**row, "fee": asset_amount(asset, Decimal(0))} if status == "success" else row


def _withdrawal_row(withdrawal: Withdrawal, now: int) -> dict[str, Any]:
    asset, status = ASSETS[withdrawal.method.asset], withdrawal.status(now)
    row = {
        "withdrawal_id": withdrawal.refid,
        "amount": asset_amount(asset, withdrawal.amount),
        "fee": asset_amount(asset, withdrawal.fee),
        "method_id": withdrawal.method.id,
        "status": STATE_OF[status],
        "create_time": timestamp(withdrawal.at),
        "address_id": withdrawal.address_id,
    }
    return {**row, "onchain_transaction": withdrawal.txid} if status == "Success" else row


HANDLERS: Final[Mapping[str, Handler]] = {
    "FundingBeta/Fees": fee_quote,
    "FundingBeta/WithdrawalsCreate": create_withdrawal,
    "FundingBeta/Deposits": list_deposits,
    "FundingBeta/WithdrawalsList": list_withdrawals,
}

"""Funding Beta: fee quotes, deposits and withdrawals. Provisional, see `beta`.

Source: https://docs.kraken.com/llms-full.txt
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.deposits import Deposit
from krakenasync.sandbox.endpoints.beta import acting, asset_name, asset_row, listing
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.funding import Method, funding_asset, method_by_id, read_amount
from krakenasync.sandbox.listings import ASSETS
from krakenasync.sandbox.orders import NANOS
from krakenasync.sandbox.paging import remembered
from krakenasync.sandbox.refusals import invalid
from krakenasync.sandbox.withdrawals import SavedAddress, Withdrawal

__all__ = ["HANDLERS"]

STATES: Final = frozenset({"pending", "success", "failed", ""})
STATE_OF: Final = {"Initial": "pending", "Pending": "pending", "Success": "success", "Failure": "failed"}
FILTERS: Final = ("scope", "asset", "status", "start_time", "end_time")


def fee_quote(context: Context) -> dict[str, Any]:
    """Tell what a withdrawal of an amount would cost; with a token that holds the fee for five minutes."""
    arguments = context.arguments
    method = method_by_id(arguments.text("method_id"))
    amount = read_amount(arguments, ASSETS[method.asset])
    gross = amount if arguments.flag("fee_included") else amount + method.fee
    quote = {"fee": ASSETS[method.asset].text(method.fee), **_amounts(method, gross)}
    if arguments.flag("withdrawal_fee_token"):
        quote["token"] = context.world.treasury.withdrawals.quote(method, context.now)
    return quote


def create_withdrawal(context: Context) -> dict[str, Any]:
    """Send money to a saved address; unless the fee is included it comes on top."""
    arguments, account = context.arguments, acting(context)
    withdrawals = context.world.treasury.withdrawals
    saved = withdrawals.saved(account).get(arguments.text("address_id"))
    if saved is None:
        raise invalid("address_id")
    _check_scope(arguments, saved)
    method, fee = saved.method, arguments.part("fee") or Arguments({})
    amount = _amount(arguments, method)
    withdrawal = withdrawals.withdraw(
        account,
        saved,
        amount if fee.flag("fee_included") else amount + method.fee,
        context.now,
        max_fee=_most(context, fee, method),
        expected=arguments.text("expected_address") if arguments.given("expected_address") else None,
    )
    return {"withdrawal_id": withdrawal.refid, **_amounts(method, withdrawal.gross), "fee": _fee(method)}


def list_deposits(context: Context) -> dict[str, Any]:
    """List deposits, newest first."""
    arguments = remembered(context.arguments)
    asset = asset_name(arguments)
    rows = [
        deposit
        for deposit in context.world.treasury.deposits.of(acting(context))
        if asset in (None, deposit.method.asset)
        and _in_scope(arguments, deposit.method)
        and _has_status(arguments, STATE_OF[deposit.status(context.now)])
        and _in_time(arguments, deposit.at)
    ]
    return listing(
        arguments, rows, "deposits", lambda row: row.refid, lambda row: _deposit_row(row, context.now), FILTERS
    )


def list_withdrawals(context: Context) -> dict[str, Any]:
    """List withdrawals, newest first."""
    arguments = remembered(context.arguments)
    wanted, asset = arguments.word("status", STATES, ""), asset_name(arguments)
    rows = [
        withdrawal
        for withdrawal in context.world.treasury.withdrawals.of(acting(context))
        if asset in (None, withdrawal.method.asset)
        and _in_scope(arguments, withdrawal.method)
        and wanted in ("", STATE_OF[withdrawal.status(context.now)])
        and _in_time(arguments, withdrawal.at)
    ]
    return listing(
        arguments, rows, "withdrawals", lambda row: row.refid, lambda row: _withdrawal_row(row, context.now), FILTERS
    )


def _amount(arguments: Arguments, method: Method) -> Decimal:
    """Read the nested amount, which names its asset again."""
    amount = arguments.part("amount")
    inner = amount.part("asset_amount") if amount else None
    named = inner.part("asset") if inner else None
    if inner is None or named is None or funding_asset(named.text("name")).name != method.asset:
        raise invalid("amount")
    return read_amount(inner, ASSETS[method.asset])


def _most(context: Context, fee: Arguments, method: Method) -> Decimal | None:
    """Read how much the fee may be: what a quote's token held, or a bound."""
    quoted, current = fee.part("quoted_fee"), fee.part("current_fee")
    if quoted is not None:
        return context.world.treasury.withdrawals.quoted(quoted.text("token"), method, context.now)
    return current.number("max_fee") if current is not None and current.given("max_fee") else None


def _check_scope(arguments: Arguments, saved: SavedAddress) -> None:
    if not arguments.part("scope") or not _in_scope(arguments, saved.method):
        raise invalid("scope")


def _in_scope(arguments: Arguments, method: Method) -> bool:
    """Whether a method is the one, or travels on the network, that is named; all do if none is."""
    scope = arguments.part("scope")
    if scope is None:
        return True
    fits_method = scope.text("method_id", method.id) == method.id
    return fits_method and scope.text("network_id", method.network_id) == method.network_id


def _has_status(arguments: Arguments, status: str) -> bool:
    """Whether a deposit's status is in the list that is asked for. Ranges of states have no documented order."""
    wanted = arguments.part("status")
    return wanted is None or not wanted.given("list") or status in wanted.names("list")


def _in_time(arguments: Arguments, at: int) -> bool:
    start, end = arguments.instant("start_time"), arguments.instant("end_time")
    return (start is None or start <= at) and (end is None or at <= end)


def _deposit_row(deposit: Deposit, now: int) -> dict[str, Any]:
    asset = ASSETS[deposit.method.asset]
    return {
        "deposit_id": deposit.refid,
        "method_id": deposit.method.id,
        "asset": asset_row(asset),
        "amount": asset.text(deposit.amount),
        "status": STATE_OF[deposit.status(now)],
        "transaction_id": deposit.txid,
        "address": deposit.address,
        "created_at": _time(deposit.at),
    }


def _withdrawal_row(withdrawal: Withdrawal, now: int) -> dict[str, Any]:
    method, status = withdrawal.method, withdrawal.status(now)
    return {
        "withdrawal_id": withdrawal.refid,
        "method_id": method.id,
        **_amounts(method, withdrawal.gross),
        "fee": _fee(method),
        "status": STATE_OF[status],
        "transaction_id": withdrawal.txid if status == "Success" else None,
        "address": withdrawal.address,
        "created_at": _time(withdrawal.at),
    }


def _amounts(method: Method, gross: Decimal) -> dict[str, Any]:
    """Write what leaves the account and what arrives."""
    asset = ASSETS[method.asset]
    row = asset_row(asset)
    return {
        "gross_amount": {"asset": row, "amount": asset.text(gross)},
        "net_amount": {"asset": row, "amount": asset.text(gross - method.fee)},
    }


def _fee(method: Method) -> dict[str, Any]:
    asset = ASSETS[method.asset]
    return {"asset": asset_row(asset), "amount": asset.text(method.fee)}


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at // NANOS, UTC):%Y-%m-%dT%H:%M:%SZ}"


HANDLERS: Final[Mapping[str, Handler]] = {
    "FundingBeta/Fees": fee_quote,
    "FundingBeta/WithdrawalsCreate": create_withdrawal,
    "FundingBeta/Deposits": list_deposits,
    "FundingBeta/WithdrawalsList": list_withdrawals,
}

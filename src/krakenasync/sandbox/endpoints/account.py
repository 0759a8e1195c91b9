"""Account data: balances, the key itself, the WebSocket token.

Source: https://docs.kraken.com/api/docs/category/rest-api/account-data
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.ledger import asset_of
from krakenasync.sandbox.listings import ASSETS, find_asset
from krakenasync.sandbox.refusals import UNKNOWN_ASSET, Refusal
from krakenasync.sandbox.subaccounts import public_id
from krakenasync.sandbox.valuation import worth

__all__ = ["HANDLERS"]

ZERO: Final = Decimal(0)
TOKEN_SECONDS: Final = 900


def balance(context: Context) -> dict[str, str]:
    """List what the account owns."""
    return {name: _amount(name, amount) for name, amount in context.account.balances.items()}


def balance_ex(context: Context) -> dict[str, Any]:
    """List what the account owns, and how much of it is reserved."""
    account = context.account
    return {
        name: {"balance": _amount(name, amount), "hold_trade": _amount(name, account.held(name))}
        for name, amount in account.balances.items()
    }


def credit_lines(_context: Context) -> None:
    """Return no credit lines: no account here has any."""


def trade_balance(context: Context) -> dict[str, str]:
    """Value the account in one currency. There are no margin positions, so all of its collateral is free.

    Of each asset only its `collateral_value` counts as collateral. In recorded answers 99.9940 of USDT, at 0.995, are
    99.4940: https://github.com/knowm/XChange (0_private_tradebalance)
    """
    unit = _value(context, find_asset(context.arguments.text("asset", "ZUSD")).name)
    if not unit:
        raise Refusal(UNKNOWN_ASSET)
    account = context.account
    values = {name: amount * _value(context, name) / unit for name, amount in account.balances.items()}
    held = {name: account.held(name) * _value(context, name) / unit for name in values}
    collateral = sum((_collateral(name) * value for name, value in values.items()), ZERO)
    free = collateral - sum((_collateral(name) * value for name, value in held.items()), ZERO)
    return {
        "eb": f"{sum(values.values(), ZERO):.4f}",
        "tb": f"{collateral:.4f}",
        "m": "0.0000",
        "uv": f"{sum(held.values(), ZERO):.4f}",
        "n": "0.0000",
        "c": "0.0000",
        "v": "0.0000",
        "e": f"{collateral:.4f}",
        "mf": f"{collateral:.4f}",
        "mfo": f"{free:.4f}",
    }


def _collateral(asset: str) -> Decimal:
    """Return the share of an asset's worth that counts as collateral; that of an asset of a test's own is 0."""
    return Decimal(ASSETS[asset].collateral or 0) if asset in ASSETS else ZERO


def get_api_key_info(context: Context) -> dict[str, Any]:
    """Describe the key that makes the call."""
    key = context.key
    return {
        "apiKeyName": key.label,
        "apiKey": key.api_key,
        "nonce": str(key.last_nonce),
        "nonceWindow": key.nonce_window,
        "permissions": sorted(key.permissions),
        "iban": public_id(key.account),
        "validUntil": str(key.valid_until),
        "queryFrom": "0",
        "queryTo": "0",
        "createdTime": str(key.created),
        "modifiedTime": str(key.created),
        "ipAllowlist": [],
        "lastUsed": str(key.last_used) if key.last_used is not None else None,
    }


def list_wallet_accounts(context: Context) -> dict[str, Any]:
    """List the one wallet that an account has here."""
    wallet = {
        "account_id": "-".join(public_id(context.account).split()),
        "flags": {"user_defined": False, "active": True},
        "status": "active",
        "type": "main",
        "name": None,
    }
    return {"accounts": [wallet], "cursor": {"next": None}}


def get_websockets_token(context: Context) -> dict[str, Any]:
    """Return a token, a new one each time."""
    seed = f"{context.key.api_key}:{context.key.last_nonce}".encode()
    token = base64.b64encode(hashlib.sha256(seed).digest()).decode().rstrip("=")
    return {"token": token, "expires": TOKEN_SECONDS}


def _amount(name: str, amount: Decimal) -> str:
    return asset_of(name).text(amount)


def _value(context: Context, asset: str) -> Decimal:
    return worth(context.world.market, asset, context.now)


HANDLERS: Final[Mapping[str, Handler]] = {
    "Balance": balance,
    "BalanceEx": balance_ex,
    "CreditLines": credit_lines,
    "TradeBalance": trade_balance,
    "GetApiKeyInfo": get_api_key_info,
    "ListWalletAccounts": list_wallet_accounts,
    "GetWebSocketsToken": get_websockets_token,
}

"""The control pages about money: the balances of all accounts, and a way to make deposits. Kraken has neither."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from krakenasync.clock import Clock
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.exact import decimal_text
from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.funding import find_method, funding_asset, methods_of, read_amount
from krakenasync.sandbox.refusals import Refusal
from krakenasync.sandbox.subaccounts import Subaccounts, public_id
from krakenasync.sandbox.treasury import Treasury

__all__ = ["json_page", "money_routes"]


class Gift(msgspec.Struct, forbid_unknown_fields=True):
    """The body that lets money arrive.

    Attributes:
        account: The account's name.
        method: How it comes; None for the first method there is.
    """

    account: str
    asset: str
    amount: Decimal
    method: str | None = None


def money_routes(accounts: Mapping[str, Account], treasury: Treasury, clock: Clock) -> list[Route]:
    """Make the routes of the pages about money."""

    async def show_accounts(_request: Request) -> Response:
        treasury.settle(clock.wall_ns())
        return json_page([_account(account, treasury.subaccounts) for account in accounts.values()])

    async def deposit(request: Request) -> Response:
        try:
            gift = msgspec.json.decode(await request.body(), type=Gift, strict=False)
            return json_page(_give(gift, accounts, treasury, clock.wall_ns()))
        except (msgspec.MsgspecError, ConfigurationError, Refusal) as error:
            return json_page({"error": str(error)}, 400)

    return [
        Route("/sandbox/accounts", show_accounts),
        Route("/sandbox/deposits", deposit, methods=["POST"]),
    ]


def _account(account: Account, subaccounts: Subaccounts) -> dict[str, Any]:
    master = subaccounts.master(account)
    return {
        "account": account.name,
        "public_id": public_id(account),
        "master": master.name if master else None,
        "balances": {asset: decimal_text(amount) for asset, amount in account.balances.items() if amount},
    }


def _give(gift: Gift, accounts: Mapping[str, Account], treasury: Treasury, now: int) -> dict[str, Any]:
    """Let money arrive and return the deposit."""
    account = accounts.get(gift.account)
    if account is None:
        raise ConfigurationError(f"there is no account {gift.account!r}", hint=f"one of {', '.join(accounts)}")
    asset = funding_asset(gift.asset)
    method = find_method(asset, gift.method) if gift.method else methods_of(asset)[0]
    amount = read_amount(Arguments({"amount": gift.amount}), asset)
    sent = treasury.deposits.send(account, method, amount, now)
    return {"refid": sent.refid, "method": method.name, "seconds": (sent.due - now) // NANOS}


def json_page(value: Any, status: int = 200) -> Response:
    """Answer with a value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")

"""The 30-day volume, and the fees that follow from it.

Source: https://docs.kraken.com/api/docs/rest-api/get-trade-volume
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.listings import Pair, find_pair
from krakenasync.sandbox.schedules import fee_row, schedule_of, schedule_row
from krakenasync.sandbox.subaccounts import public_id
from krakenasync.sandbox.valuation import worth

__all__ = ["HANDLERS"]


def trade_volume(context: Context) -> dict[str, Any]:
    """Return what the account traded in 30 days, and the fees that this gives it on the named pairs."""
    arguments = context.arguments
    traded = _volume(context, context.account)
    pairs = [_pair(named) for named in arguments.items("pair")]
    # Pairs without a maker schedule appear only in the first list.
    with_makers = [pair for pair in pairs if not pair.forex]
    answer: dict[str, Any] = {
        "currency": "ZUSD",
        "asset_class": "currency",
        "volume": f"{traded:.4f}",
        "inputs": {
            "domain_spot_volume_30d": f"{traded:.4f}",
            "domain_futures_volume_30d": "0.0000",
            "domain_assets_on_platform": f"{_assets(context):.4f}",
        },
        "fees": {pair.name: fee_row(schedule_of(pair, maker=False), traded) for pair in pairs} or None,
        "fees_maker": {pair.name: fee_row(schedule_of(pair, maker=True), traded) for pair in with_makers} or None,
    }
    if subaccounts := context.world.treasury.subaccounts.of(context.account):
        answer["volume_subaccounts"] = [
            {"iiban": public_id(account), "volume": f"{_volume(context, account):.4f}"} for account in subaccounts
        ]
    if arguments.flag("fee_schedule"):
        answer["schedules"] = [schedule_row(pair, traded) for pair in pairs]
    return answer


def _volume(context: Context, account: Account) -> Decimal:
    return context.world.exchange.volumes.total(account.name, context.now)


def _assets(context: Context) -> Decimal:
    market, now = context.world.market, context.now
    return sum((amount * worth(market, name, now) for name, amount in context.account.balances.items()), Decimal(0))


def _pair(named: Any) -> Pair:
    """Look up a pair by its name, which may come alone or with a class."""
    return find_pair(str(named.get("asset", "") if isinstance(named, Mapping) else named))


HANDLERS: Final[Mapping[str, Handler]] = {"TradeVolume": trade_volume}

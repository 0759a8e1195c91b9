"""What each endpoint does: one handler per endpoint, by Kraken's name of the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from krakenasync.sandbox.endpoints.account import HANDLERS as ACCOUNT
from krakenasync.sandbox.endpoints.beta import HANDLERS as BETA
from krakenasync.sandbox.endpoints.beta_addresses import HANDLERS as BETA_ADDRESSES
from krakenasync.sandbox.endpoints.beta_transfers import HANDLERS as BETA_TRANSFERS
from krakenasync.sandbox.endpoints.books import HANDLERS as BOOKS
from krakenasync.sandbox.endpoints.changes import HANDLERS as CHANGES
from krakenasync.sandbox.endpoints.context import Handler
from krakenasync.sandbox.endpoints.deposits import HANDLERS as DEPOSITS
from krakenasync.sandbox.endpoints.earn import HANDLERS as EARN
from krakenasync.sandbox.endpoints.exports import HANDLERS as EXPORTS
from krakenasync.sandbox.endpoints.fees import HANDLERS as FEES
from krakenasync.sandbox.endpoints.history import HANDLERS as HISTORY
from krakenasync.sandbox.endpoints.market import HANDLERS as MARKET
from krakenasync.sandbox.endpoints.orders import HANDLERS as ORDERS
from krakenasync.sandbox.endpoints.subaccounts import HANDLERS as SUBACCOUNTS
from krakenasync.sandbox.endpoints.trading import HANDLERS as TRADING
from krakenasync.sandbox.endpoints.transparency import HANDLERS as TRANSPARENCY
from krakenasync.sandbox.endpoints.withdrawals import HANDLERS as WITHDRAWALS

__all__ = ["HANDLERS"]

HANDLERS: Final[Mapping[str, Handler]] = {
    **MARKET,
    **BOOKS,
    **TRANSPARENCY,
    **ACCOUNT,
    **ORDERS,
    **HISTORY,
    **FEES,
    **EXPORTS,
    **TRADING,
    **CHANGES,
    **DEPOSITS,
    **WITHDRAWALS,
    **SUBACCOUNTS,
    **EARN,
    **BETA,
    **BETA_ADDRESSES,
    **BETA_TRANSFERS,
}

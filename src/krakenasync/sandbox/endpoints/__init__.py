"""What each endpoint does: one handler per endpoint, by Kraken's name of the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from krakenasync.sandbox.endpoints.account import HANDLERS as ACCOUNT
from krakenasync.sandbox.endpoints.context import Handler
from krakenasync.sandbox.endpoints.market import HANDLERS as MARKET
from krakenasync.sandbox.endpoints.orders import HANDLERS as ORDERS
from krakenasync.sandbox.endpoints.trading import HANDLERS as TRADING

__all__ = ["HANDLERS"]

HANDLERS: Final[Mapping[str, Handler]] = {**MARKET, **ACCOUNT, **ORDERS, **TRADING}

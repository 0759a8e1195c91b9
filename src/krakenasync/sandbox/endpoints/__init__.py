"""What each endpoint does: one handler per endpoint, by Kraken's name of the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from krakenasync.sandbox.endpoints import account, market, orders, trading
from krakenasync.sandbox.endpoints.context import Handler

__all__ = ["HANDLERS"]

HANDLERS: Final[Mapping[str, Handler]] = {
    **market.HANDLERS,
    **account.HANDLERS,
    **orders.HANDLERS,
    **trading.HANDLERS,
}

"""What things are worth: assets in dollars, by the market of the moment."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from krakenasync.sandbox.ledger import base_of
from krakenasync.sandbox.listings import PAIRS
from krakenasync.sandbox.market import Market

__all__ = ["worth"]

DOLLAR: Final = "ZUSD"


def worth(market: Market, asset: str, now: int) -> Decimal:
    """Return what one unit of an asset is worth in dollars, 0 if nothing trades against them.

    Args:
        market: Where prices come from.
        asset: An id, with or without a suffix.
        now: Unix nanoseconds.
    """
    base = base_of(asset)
    if base in (DOLLAR, "USD"):
        return Decimal(1)
    pair = next((pair for pair in PAIRS.values() if (pair.base, pair.quote) == (base, DOLLAR)), None)
    return market.price(pair, market.beat(now)) if pair else Decimal(0)

"""What assets are worth in dollars, by the current market."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from krakenasync.sandbox.ledger import base_of
from krakenasync.sandbox.listings import PAIRS
from krakenasync.sandbox.market import Market

__all__ = ["worth"]

DOLLAR: Final = "ZUSD"


def worth(market: Market, asset: str, now: int) -> Decimal:
    """Return what one unit of an asset is worth in dollars, or 0 if it has no price in them.

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

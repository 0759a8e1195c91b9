"""Prices relative to the market, as answers write them."""

from __future__ import annotations

from decimal import Decimal

from krakenasync.protocol.relative import RELATIVE, leads_up
from krakenasync.sandbox.listings import Pair

__all__ = ["offset_text", "price_text"]


def offset_text(size: Decimal, pair: Pair, *, up: bool, percent: bool) -> str:
    """Write a distance from the market, with a sign: a percentage with four digits, others with the pair's."""
    sign = "+" if up else "-"
    return f"{sign}{size:.4f}%" if percent else f"{sign}{pair.price_text(size)}"


def price_text(text: str, kind: str, pair: Pair, *, buy: bool) -> str:
    """Write a price that was read before, absolute or relative, as Kraken echoes it."""
    relative = RELATIVE.fullmatch(text)
    if relative is None:
        return pair.price_text(Decimal(text))
    sign, size, percent = relative.groups()
    return offset_text(Decimal(size), pair, up=leads_up(sign, kind, buy=buy), percent=bool(percent))

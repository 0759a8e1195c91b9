"""Prices relative to the market, as text: which way they lead, and how answers write them.

Sources: https://docs.kraken.com/api/docs/rest-api/add-order (price, price2),
https://github.com/payward/kraken-api-client (its README: the signs that ``#`` stands for in a close order)
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from krakenasync.sandbox.listings import Pair

__all__ = ["RELATIVE", "leads_up", "offset_text", "price_text"]

RELATIVE: Final = re.compile(r"([+\-#])([0-9]+(?:\.[0-9]+)?)(%?)")


def leads_up(sign: str, kind: str, *, buy: bool) -> bool:
    """Whether a price lies above the market. ``#`` leaves that to the order.

    It goes to the order's better side; a stop's trigger, and the limit behind it, lie on the worse one.
    """
    return sign == "+" or (sign == "#" and buy == kind.startswith("stop-loss"))


def offset_text(size: Decimal, pair: Pair, *, up: bool, percent: bool) -> str:
    """Write a distance from the market, with a sign: percent with four digits, others with the pair's."""
    sign = "+" if up else "-"
    return f"{sign}{size:.4f}%" if percent else f"{sign}{pair.price_text(size)}"


def price_text(text: str, kind: str, pair: Pair, *, buy: bool) -> str:
    """Write a price that was read before, absolute or relative, as Kraken repeats it."""
    relative = RELATIVE.fullmatch(text)
    if relative is None:
        return pair.price_text(Decimal(text))
    sign, size, percent = relative.groups()
    return offset_text(Decimal(size), pair, up=leads_up(sign, kind, buy=buy), percent=bool(percent))

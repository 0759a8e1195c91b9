"""Prices relative to the market: how they are written, and in which direction they lie.

Sources: https://docs.kraken.com/api/docs/rest-api/add-order (price, price2),
https://github.com/payward/kraken-api-client (its README: the signs that ``#`` stands for in a close order)
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["RELATIVE", "leads_up"]

RELATIVE: Final = re.compile(r"([+\-#])(\d{1,40}(?:\.\d{1,40})?)(%?)", re.ASCII)
"""Sign, size, and whether the size is a percentage."""


def leads_up(sign: str, kind: str, *, buy: bool) -> bool:
    """Whether a relative price lies above the market. ``#`` leaves that to the order.

    It goes to the order's better side; a stop's trigger, and the limit behind it, lie on the worse one.

    Args:
        sign: ``+``, ``-`` or ``#``.
        kind: The order's type, like ``stop-loss-limit``.
        buy: Whether it buys.
    """
    return sign == "+" or (sign == "#" and buy == kind.startswith("stop-loss"))

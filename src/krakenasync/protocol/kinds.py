"""The kinds of orders, and which prices and volumes each of them takes.

Source: https://docs.kraken.com/api/docs/rest-api/add-order (ordertype, price, price2, trigger, displayvol)
"""

from typing import Final

__all__ = ["LIMITED", "TRIGGERED", "takes"]

LIMITED: Final = frozenset({"limit", "iceberg"})
"""Kinds whose `price` is their limit."""
TRIGGERED: Final = frozenset(
    {"stop-loss", "take-profit", "stop-loss-limit", "take-profit-limit", "trailing-stop", "trailing-stop-limit"}
)
"""Kinds that `price` triggers; the limit of those that have one is `price2`."""


def takes(kind: str) -> frozenset[str]:
    """Return which of ``price``, ``price2``, ``trigger`` and ``displayvol`` a kind of order has a use for.

    >>> sorted(takes("stop-loss-limit")), sorted(takes("iceberg")), sorted(takes("market"))
    (['price', 'price2', 'trigger'], ['displayvol', 'price'], [])
    """
    if kind in TRIGGERED:
        return frozenset({"price", "trigger", "price2"} if kind.endswith("-limit") else {"price", "trigger"})
    if kind in LIMITED:
        return frozenset({"price", "displayvol"} if kind == "iceberg" else {"price"})
    return frozenset()

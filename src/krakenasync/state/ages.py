"""How old the account's orders are, as far as we know: what the matching engine charges for a change depends on it.

Source: https://docs.kraken.com/exchange/guides/general/ratelimits (age since an order was created or last amended)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

__all__ = ["Known", "OrderAges"]

_KEEP: Final = 20_000
"""Ids kept; the oldest knowledge goes first. An order this old costs nothing to cancel anyway."""
FRESH: Final = 5.0
"""Seconds for which a count of open orders is believed: fills end orders without telling us."""


class Known(NamedTuple):
    """What is known of an order: its pair, and when (steady seconds) it was created or last amended."""

    pair: str
    since: float


class OrderAges:
    """The orders of one account, under Kraken's ids and the caller's own."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, Known] = OrderedDict()
        self._counts: dict[str, int] = {}
        self._counted_at = float("-inf")

    def born(self, pair: str, ids: Iterable[str | None], at: float) -> None:
        """Take note of a new order, or of an amendment, which makes an order young again."""
        for name in ids:
            if name:
                self._orders[name] = Known(pair, at)
                self._orders.move_to_end(name)
        while len(self._orders) > _KEEP:
            self._orders.popitem(last=False)

    def placed(self, pair: str, orders: int = 1) -> None:
        """Count orders that now rest on the pair."""
        self._counts[pair] = self._counts.get(pair, 0) + orders

    def gone(self, *ids: str | None) -> None:
        """Forget orders that were cancelled."""
        pairs = {self._orders.pop(name).pair for name in ids if name and name in self._orders}
        for pair in pairs:
            self._counts[pair] = max(0, self._counts.get(pair, 0) - 1)

    def find(self, name: str) -> Known | None:
        """What is known of the order, or None."""
        return self._orders.get(name)

    def counted(self, counts: Mapping[str, int], at: float) -> None:
        """Take note of how many orders rest on each pair, all pairs included."""
        self._counts, self._counted_at = dict(counts), at

    def resting(self, pair: str, now: float) -> int | None:
        """How many orders rest on the pair, if that was counted only just now; else None."""
        return self._counts.get(pair, 0) if now - self._counted_at <= FRESH else None

    @property
    def pairs(self) -> frozenset[str]:
        """The pairs of all orders known."""
        return frozenset(known.pair for known in self._orders.values())

"""How old the account's orders are, as far as we know: the matching engine's charge for a change depends on that.

Source: https://docs.kraken.com/exchange/guides/general/ratelimits (age since an order was created or last amended)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from krakenasync.protocol.clordid import fold_id, is_userref

__all__ = ["FRESH", "Known", "OrderAges"]

_KEEP: Final = 20_000
"""Names kept; the oldest are dropped first. A forgotten order is charged as a new one."""
FRESH: Final = 5.0
"""Seconds for which a count of open orders is trusted: fills end orders without our knowing."""


class Known(msgspec.Struct, eq=False):
    """What is known of an order.

    Attributes:
        pair: Its pair, by `pair_key`.
        since: When (steady seconds) it was created or last amended, at the latest; in the future while a request whose
            answer was lost may still arrive.
        names: Kraken's id and the caller's own, folded.
        userref: A number that several orders may have.
        volume: Its volume in base currency, at most; None if that is not known.
        doubted: Whether it is unknown if, or when, an amendment of its volume was carried out: `volume` is then kept.
        amends: Amendments under way. Until they are answered the order may become young at any moment.
    """

    pair: str
    since: float
    names: tuple[str, ...] = ()
    userref: str | None = None
    volume: Decimal | None = None
    doubted: bool = False
    amends: int = 0


class OrderAges:
    """The orders of one account, under Kraken's ids and the caller's own."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, Known] = OrderedDict()
        self._pairs: set[str] = set()
        self._counts: dict[str, int] = {}
        self._counted_at = float("-inf")

    def born(
        self, pair: str, ids: Iterable[Any], at: float, *, userref: object = None, volume: Decimal | None = None
    ) -> None:
        """Record a new order under all its names; those that are None are ignored."""
        names = tuple(fold_id(str(name)) for name in ids if name)
        known = Known(pair, at, names, None if userref is None else str(userref), volume)
        self._pairs.add(pair)
        for name in names:
            self._orders[name] = known
            self._orders.move_to_end(name)
        while len(self._orders) > _KEEP:
            self._orders.popitem(last=False)

    def placed(self, pair: str) -> None:
        """Count an order that now rests on the pair."""
        self._counts[pair] = self._counts.get(pair, 0) + 1

    def gone(self, *names: str) -> None:
        """Forget orders that were cancelled."""
        for known in self.named(*names):
            for name in known.names:
                if self._orders.get(name) is known:
                    self._orders.pop(name, None)  # another thread may have forgotten all
            self._counts[known.pair] = max(0, self._counts.get(known.pair, 0) - 1)

    def all_gone(self) -> None:
        """Forget all orders, and how many there were."""
        self._orders.clear()
        self._counted_at = float("-inf")

    def named(self, *names: str) -> list[Known]:
        """Return what is known of the orders with these names, each once: one for an id, any number for a userref."""
        found: dict[int, Known] = {}
        for name in names:
            known = self._orders.get(fold_id(name))
            if known is not None:
                found[id(known)] = known
            elif is_userref(name):
                found |= {id(order): order for order in list(self._orders.values()) if order.userref == name}
        return list(found.values())

    def counted(self, counts: Mapping[str, int], at: float) -> None:
        """Record how many orders rest on each pair; a pair that is missing has none."""
        self._counts, self._counted_at = dict(counts), at

    def resting(self, pair: str, now: float) -> int | None:
        """Return how many orders rest on the pair, if that was counted recently; else None."""
        return self._counts.get(pair, 0) if now - self._counted_at <= FRESH else None

    def touched(self, pair: str) -> None:
        """Record that something is done on the pair."""
        self._pairs.add(pair)

    @property
    def pairs(self) -> list[str]:
        """All pairs on which something was done or an order was seen, sorted."""
        return sorted(self._pairs)

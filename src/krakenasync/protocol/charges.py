"""Which counter a call is charged to, and by how much.

Sources:
    REST counter: https://docs.kraken.com/exchange/guides/rest/ratelimits and
        https://support.kraken.com/articles/206548367-what-are-the-api-rate-limits-; they disagree about history calls,
        so both figures are kept and the higher one is the default.
    matching engine: https://docs.kraken.com/exchange/guides/general/ratelimits
    amends that cancel: https://docs.kraken.com/api/docs/guides/spot-amends
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

import msgspec

__all__ = [
    "DEAREST",
    "HISTORY",
    "HISTORY_OR_ONE",
    "ONE",
    "PER_IP",
    "PER_IP_AND_PAIR",
    "Charge",
    "Counter",
    "EngineAction",
    "engine_points",
    "pair_key",
]


class Counter(Enum):
    """The counters there are."""

    REST = "rest"
    """One per API key."""
    ENGINE = "engine"
    """One per account and pair."""
    PUBLIC = "public"
    """One per IP address."""
    PUBLIC_PAIR = "public-pair"
    """One per IP address and pair (OHLC and Trades)."""


class EngineAction(Enum):
    """What is done to an order, for the matching engine's counter: (fixed points, [(age below seconds, points)])."""

    ADD = (1, ())
    AMEND = (1, ((5, 3), (10, 2), (15, 1)))
    REDUCE = (1, ((5, 7), (10, 5), (15, 4), (45, 3), (90, 1)))
    """An amend that may act as a cancel, at the higher of both prices: one to a quantity below what has filled cancels
    the rest and costs what a cancel costs, and how much will have filled is not known when it is sent."""
    EDIT = (1, ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1)))
    CANCEL = (0, ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1)))


DEAREST: Final = max(fixed + late[0][1] for fixed, late in (action.value for action in EngineAction) if late)
"""Points of the most expensive single call: cancelling an order as soon as it is placed."""


class Charge(msgspec.Struct, frozen=True):
    """The price of a call.

    Attributes:
        counter: Which counter rises.
        points: By how much, by the lower of Kraken's own figures.
        dear: The higher official figure, where two pages disagree.
        action: For the matching engine: what is done to an order.
    """

    counter: Counter
    points: int = 0
    dear: int | None = None
    action: EngineAction | None = None

    def cost(self, *, dear: bool = True) -> int:
        """Return the points by the higher (default) or the lower official figure."""
        return self.dear if dear and self.dear is not None else self.points


ONE: Final = Charge(Counter.REST, 1)
HISTORY: Final = Charge(Counter.REST, 2, 4)
HISTORY_OR_ONE: Final = Charge(Counter.REST, 1, 4)
"""ClosedOrders: only the support article counts it as history."""
PER_IP: Final = Charge(Counter.PUBLIC, 1)
PER_IP_AND_PAIR: Final = Charge(Counter.PUBLIC_PAIR, 1)


def engine_points(action: EngineAction, age: float | None = None, *, orders: int = 1, batch: bool = False) -> float:
    """Return the points that the matching engine charges to the pair.

    Args:
        action: What is done to the order.
        age: Seconds since the order was created or last amended; None when unknown, which counts as brand new.
        orders: How many orders there are in a batch.
        batch: Whether it is a batch; adding n orders in one costs n/2.

    Returns:
        Whole points, or halves for a batch: exact in binary.
    """
    fixed, penalties = action.value
    if action is EngineAction.ADD:
        return orders / 2 if batch else float(fixed * orders)
    by_age = next((points for below, points in penalties if age is None or age < below), 0)
    return float((fixed + by_age) * orders)


_PREFIXED = re.compile(r"X([A-Z0-9]{3})Z([A-Z]{3})|X([A-Z0-9]{3})X([A-Z0-9]{3})|Z([A-Z]{3})Z([A-Z]{3})")

_ODD = {"USDTZUSD": "USDTUSD"}
"""Ids that follow no rule."""


def pair_key(pair: str) -> str:
    """Fold the names of one pair into one, so that they are charged to one counter.

    Two pairs that fold together would only wait for each other; two names that do not fold would be refused.

    >>> {pair_key(name) for name in ("XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD")}
    {'XBTUSD'}

    Source: AssetPairs' ids, altnames and wsnames
    """
    name = pair.strip().upper().replace("/", "")
    name = _ODD.get(name, name)
    if found := _PREFIXED.fullmatch(name):
        name = "".join(part for part in found.groups() if part)
    return name.replace("BTC", "XBT").replace("DOGE", "XDG")

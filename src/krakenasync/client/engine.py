"""What trading calls cost on the matching engine's counters, and what their answers teach about the orders' ages."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from krakenasync.clock import Clock
from krakenasync.errors import OrdersLimitExceeded
from krakenasync.protocol.charges import EngineAction, engine_points, pair_key
from krakenasync.protocol.requests import Spec
from krakenasync.spot.orders import OrderInfo
from krakenasync.state.ages import OrderAges

__all__ = ["Engine", "Price"]

_SKEW: Final = 2.0
"""Seconds by which Kraken's calendar may be ahead of ours: an order read from a list is taken for that much younger."""


class Price(NamedTuple):
    """What a call costs on one pair's counter.

    Attributes:
        pair: The pair, by `pair_key`.
        cost: Points now; falls while an order grows older.
        fixed: The part that is charged even if Kraken refuses the call.
        waits: Whether the call waits for room; a batch cancel is carried out whatever the counter says.
    """

    pair: str
    cost: Callable[[], float]
    fixed: float
    waits: bool = True


class Engine:
    """Prices an account's trading calls.

    Args:
        ages: The account's orders.
        ceiling: How many orders may rest per pair.
        clock: Where time comes from.
    """

    def __init__(self, ages: OrderAges, ceiling: int, clock: Clock) -> None:
        self._ages = ages
        self._ceiling = ceiling
        self._clock = clock

    def price(self, spec: Spec, params: Mapping[str, Any]) -> list[Price]:
        """Return what a trading call costs, per pair; nothing for orders whose pair is not known.

        Raises:
            OrdersLimitExceeded: The pair is known to hold all the orders it may.
        """
        match spec.name:
            case "AddOrder" | "AddOrderBatch":
                found = [self._adding(spec, params)]
            case "AmendOrder":
                found = self._changing(EngineAction.AMEND, _ids(params, "txid", "cl_ord_id"), params.get("pair"))
            case "EditOrder":
                found = self._changing(EngineAction.EDIT, _ids(params, "txid"), params.get("pair"))
            case "CancelOrder":
                found = self._changing(EngineAction.CANCEL, _ids(params, "txid", "cl_ord_id"), None)
            case "CancelOrderBatch":
                found = self._cancelling(_ids(params, "orders", "cl_ord_ids"))
            case "CancelAll":
                # Kraken's Rust SDK counts one point for each pair; no page names a price.
                found = [_certain(pair, 1.0, 1.0) for pair in self._ages.pairs]
            case _:
                found = []
        return found

    def _adding(self, spec: Spec, params: Mapping[str, Any]) -> Price:
        pair = pair_key(str(params.get("pair", "")))
        batch = spec.name == "AddOrderBatch"
        orders = len(params.get("orders", ())) if batch else 1
        resting = self._ages.resting(pair, self._clock.monotonic())
        if resting is not None and resting + orders > self._ceiling and not params.get("validate"):
            raise OrdersLimitExceeded(
                f"{resting} orders rest on {pair}, this tier may have {self._ceiling}; nothing was sent",
                endpoint=spec.name,
                hint="cancel some first; open_orders() counts them anew",
            )
        cost = engine_points(EngineAction.ADD, orders=orders, batch=batch)
        return Price(pair, lambda: cost, cost)

    def _changing(self, action: EngineAction, ids: list[str], pair: Any) -> list[Price]:
        known = next((found for name in ids if (found := self._ages.find(name))), None)
        if known is None and not pair:
            return []
        where = known.pair if known else pair_key(str(pair))
        return [Price(where, lambda: self._points(action, ids), action.value[0])]

    def _cancelling(self, ids: list[str]) -> list[Price]:
        """A batch cancel goes through even if it takes the counter past the threshold: it never waits."""
        by_pair: dict[str, float] = {}
        for name in ids:
            if known := self._ages.find(name):
                points = self._points(EngineAction.CANCEL, [name])
                by_pair[known.pair] = by_pair.get(known.pair, 0.0) + points
        return [_certain(pair, points, 0.0) for pair, points in by_pair.items()]

    def _points(self, action: EngineAction, ids: Iterable[str]) -> float:
        """Points for a change to one order, now; an order whose age is not known counts as brand new."""
        known = next((found for name in ids if (found := self._ages.find(name))), None)
        age = None if known is None else self._clock.monotonic() - known.since
        return engine_points(action, age)

    def cancel_cost(self, name: str) -> float:
        """Points that cancelling the order would cost now, by its id or the caller's own."""
        return self._points(EngineAction.CANCEL, [name])

    def learn(self, spec: Spec, params: Mapping[str, Any], result: Any) -> None:
        """Draw the orders' ages from an answer."""
        now = self._clock.monotonic()
        match spec.name:
            case "AddOrder" if txids := list(_get(result, "txid") or ()):
                pair = pair_key(str(params["pair"]))
                self._ages.born(pair, [*txids, params.get("cl_ord_id")], now)
                self._ages.placed(pair)
            case "AddOrderBatch":
                self._learn_batch(params, _get(result, "orders") or (), now)
            case "AmendOrder":
                self._reborn(_ids(params, "txid", "cl_ord_id"), now)
            case "EditOrder" if new := _get(result, "txid"):
                self._ages.born(pair_key(str(params["pair"])), [new], now)
                self._ages.gone(*_ids(params, "txid"))
            case "CancelOrder":
                self._ages.gone(*_ids(params, "txid", "cl_ord_id"))
            case "CancelOrderBatch":
                self._ages.gone(*_ids(params, "orders", "cl_ord_ids"))
            case "OpenOrders":
                self._learn_open(_get(result, "open") or {}, now, whole=not params.keys() & {"userref", "cl_ord_id"})
            case _:
                pass

    def _learn_batch(self, params: Mapping[str, Any], items: Iterable[Any], now: float) -> None:
        pair = pair_key(str(params["pair"]))
        for asked, item in zip(params.get("orders", ()), items, strict=False):
            if txid := _get(item, "txid"):
                self._ages.born(pair, [txid, asked.get("cl_ord_id")], now)
                self._ages.placed(pair)

    def _reborn(self, ids: list[str], now: float) -> None:
        for name in ids:
            if known := self._ages.find(name):
                self._ages.born(known.pair, [name], now)

    def _learn_open(self, orders: Mapping[str, Any], now: float, *, whole: bool) -> None:
        """Learn from a list of open orders; ages we know better than a calendar tells are kept."""
        found = {txid: order for txid, order in orders.items() if isinstance(order, OrderInfo)}
        if not found and orders:
            return  # a raw answer: nothing is known of its shape
        for txid, order in found.items():
            if self._ages.find(txid) is None:
                self._ages.born(pair_key(order.descr.pair), [txid, order.cl_ord_id], self._since(order, now))
        if whole:
            self._ages.counted(Tally(pair_key(order.descr.pair) for order in found.values()), now)

    def _since(self, order: OrderInfo, now: float) -> float:
        """Since when the order is unchanged, on our steady clock. When it was amended nobody tells: just now, then."""
        if "amended" in order.misc:
            return now
        age = self._clock.wall_ns() / 1e9 - _seconds(order.opentm) - _SKEW
        return now - max(0.0, age)


def _certain(pair: str, cost: float, fixed: float) -> Price:
    """The price of a call that is carried out whatever the counter says."""
    return Price(pair, lambda: cost, fixed, waits=False)


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


def _ids(params: Mapping[str, Any], *names: str) -> list[str]:
    """Return the ids that the named parameters hold, as lists or comma texts."""
    found: list[str] = []
    for name in names:
        value = params.get(name)
        if isinstance(value, (list, tuple)):
            found += [str(item) for item in value]
        elif value is not None:
            found += str(value).split(",")
    return found


def _get(result: Any, name: str) -> Any:
    """Read a typed result or a raw one alike."""
    return result.get(name) if isinstance(result, dict) else getattr(result, name, None)

"""What trading calls cost on the matching engine's counters, and what their answers reveal about the orders' ages.

Kraken reveals neither the counter nor an order's age, so both are bounded on the safe side: an order is never younger
than we assume, and never on a pair that we do not charge.

Source: https://docs.kraken.com/exchange/guides/general/ratelimits
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from krakenasync.client import contents
from krakenasync.client.ageing import Ageing
from krakenasync.clock import Clock
from krakenasync.errors import OrdersLimitExceeded
from krakenasync.protocol.charges import Counter, EngineAction, engine_points, pair_key
from krakenasync.protocol.servertime import SKEW
from krakenasync.protocol.specs import Spec
from krakenasync.spot.orders import OrderInfo
from krakenasync.state.ages import OrderAges

__all__ = ["UNKNOWN_PAIR", "Engine", "PairPrice"]

UNKNOWN_PAIR: Final = "?"
"""Where a change is counted while no pair of the account is known."""


class Dated(Protocol):
    """An answer."""

    @property
    def date(self) -> float | None:
        """When the answer was made, by Kraken's calendar, in unix seconds; None if it does not say."""


class PairPrice(NamedTuple):
    """What a call costs on one pair's counter.

    Attributes:
        pair: The pair, by `pair_key`.
        cost: Returns the points at that moment.
        fixed: The part that is charged even if Kraken refuses the call.
        waits: Whether the call waits for room; some are carried out whatever the counter says.
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
        cap: Points at which Kraken refuses.
        clock: The source of time.
    """

    def __init__(self, ages: OrderAges, ceiling: int, cap: float, clock: Clock) -> None:
        self._ages = ages
        self._ceiling = ceiling
        self._cap = cap
        self._clock = clock

    def price(self, spec: Spec, params: Mapping[str, Any]) -> list[PairPrice]:
        """Return what a trading call costs, per pair.

        Raises:
            OrdersLimitExceeded: The pair is known to have as many orders as it may.
        """
        charge = spec.charge
        if charge.counter is not Counter.ENGINE:
            return []
        match charge.action:
            case None:
                points = float(charge.points)
                return [_certain(pair, points, points) for pair in self._ages.pairs]
            case EngineAction.ADD:
                return [self._adding(spec, params)]
            case EngineAction.CANCEL if spec.name == "CancelOrderBatch":
                # It goes through even if it takes the counter past the threshold.
                return self._cancelling(params)
            case EngineAction.AMEND if "order_qty" in params:
                return self._changing(lambda: self._amending(params), params)
            case action:
                return self._changing(lambda: action, params)

    def _adding(self, spec: Spec, params: Mapping[str, Any]) -> PairPrice:
        pair = contents.pair_of(params)
        orders = contents.orders(spec, params)
        resting = self._ages.resting(pair, self._clock.monotonic())
        staying = sum(map(contents.rests, orders))
        if resting is not None and staying and resting + staying > self._ceiling and not params.get("validate"):
            raise OrdersLimitExceeded(
                f"{resting} orders rest on {pair}, this tier may have {self._ceiling}; nothing was sent",
                endpoint=spec.name,
                hint="cancel some first; open_orders() counts them again",
            )
        self._ages.touched(pair)
        cost = engine_points(EngineAction.ADD, orders=len(orders), batch=spec.name == "AddOrderBatch")
        return PairPrice(pair, lambda: cost, cost)

    def _changing(self, action: Callable[[], EngineAction], params: Mapping[str, Any]) -> list[PairPrice]:
        """Price a change to one order, or to all that have a userref."""
        names = contents.names(params)
        named = sorted({order.pair for order in self._ages.named(*names)})
        return [
            PairPrice(pair, self._ageing(action, pair, names, self._cap), action().value[0])
            for pair in named or self._possible(params)
        ]

    def _amending(self, params: Mapping[str, Any]) -> EngineAction:
        """Distinguish a plain amend from one that may go below the filled volume, which Kraken reports too late."""
        wanted, orders = contents.volume(params["order_qty"]), self._ages.named(*contents.names(params))
        safe = all(wanted is not None and order.volume is not None and wanted >= order.volume for order in orders)
        return EngineAction.AMEND if orders and safe else EngineAction.REDUCE

    def _cancelling(self, params: Mapping[str, Any]) -> list[PairPrice]:
        """Price a batch. Orders we do not know may be on any of the pairs."""
        points: Tally[str] = Tally()
        for name in contents.names(params):
            for pair in {order.pair for order in self._ages.named(name)} or self._possible(params):
                points[pair] += int(self._ageing(lambda: EngineAction.CANCEL, pair, [name])())
        return [_certain(pair, float(cost), 0.0) for pair, cost in points.items()]

    def _ageing(
        self, action: Callable[[], EngineAction], pair: str, names: list[str], most: float = float("inf")
    ) -> Ageing:
        return Ageing(
            action, lambda: [order for order in self._ages.named(*names) if order.pair == pair], self._clock, most
        )

    def _possible(self, params: Mapping[str, Any]) -> list[str]:
        """Return the pairs on which an unknown order may be: the one that is named, else all that were used so far."""
        if not params.get("pair"):
            return self._ages.pairs or [UNKNOWN_PAIR]
        pair = contents.pair_of(params)
        self._ages.touched(pair)
        return [pair]

    @property
    def pairs(self) -> list[str]:
        """All pairs on which the account did something, or was seen to have an order, by `pair_key`."""
        return self._ages.pairs

    def pair_of(self, params: Mapping[str, Any]) -> str | None:
        """Return the pair that a trading call is about, by `pair_key`; None if there are several, or none is known."""
        if params.get("pair"):
            return contents.pair_of(params)
        pairs = {order.pair for order in self._ages.named(*contents.names(params))}
        return pairs.pop() if len(pairs) == 1 else None

    def cancel_cost(self, name: str) -> float:
        """Return the points that cancelling the order would cost now, by its id or the caller's own."""
        return Ageing(lambda: EngineAction.CANCEL, lambda: self._ages.named(name), self._clock)()

    def begin(self, spec: Spec, params: Mapping[str, Any]) -> Callable[[float | None], None]:
        """Record that a call is on its way.

        Returns:
            What to call when it is over: with None if nothing came of it, else with the seconds for which it may still
            arrive at Kraken, 0 if it did.
        """
        amended = self._ages.named(*contents.names(params)) if spec.name == "AmendOrder" else []
        wanted = contents.volume(params.get("order_qty"))
        for order in amended:
            # With two under way, it is not known which is carried out last.
            order.doubted |= wanted is not None and order.amends > 0
            order.amends += 1
            if wanted is not None and order.volume is not None:
                order.volume = max(order.volume, wanted)

        def over(may_arrive_for: float | None) -> None:
            for order in amended:
                order.amends -= 1
                if may_arrive_for is not None:
                    order.since = max(order.since, self._clock.monotonic() + may_arrive_for)
                order.doubted |= wanted is not None and bool(may_arrive_for)
                if may_arrive_for == 0.0 and wanted is not None and not order.doubted:
                    order.volume = wanted
            if may_arrive_for is not None:
                self._born_unseen(spec, params, self._clock.monotonic() + may_arrive_for)

        return over

    def _born_unseen(self, spec: Spec, params: Mapping[str, Any], at: float) -> None:
        """Record an order by the caller's own id, in case no answer mentions it."""
        if spec.name in {"AddOrder", "AddOrderBatch"} and not params.get("validate"):
            for order in contents.orders(spec, params):
                if own := order.get("cl_ord_id"):
                    known = {"userref": order.get("userref"), "volume": contents.base_volume(order)}
                    self._ages.born(contents.pair_of(params), [own], at, **known)

    def learn(self, spec: Spec, params: Mapping[str, Any], result: Any, reply: Dated) -> None:
        """Learn the orders' ages from an answer and, where it lists them, from when it was made."""
        match spec.name:
            case "AddOrder" | "AddOrderBatch":
                for order, txid in contents.added(spec, params, result):
                    self._learn_added(params, order, txid)
            case "EditOrder":
                if txid := contents.got(result, "txid"):
                    self._ages.gone(*contents.names(params))
                    self._learn_added(params, params, txid)
            case "CancelOrder" | "CancelOrderBatch":
                self._ages.gone(*contents.names(params))
            case "CancelAll":
                self._ages.all_gone()
            case "OpenOrders":
                whole = not params.keys() & {"userref", "cl_ord_id"}
                self._learn_open(contents.got(result, "open"), reply.date, whole=whole)

    def _learn_added(self, call: Mapping[str, Any], order: Mapping[str, Any], txid: Any) -> None:
        pair, now = contents.pair_of(call), self._clock.monotonic()
        known = {"userref": order.get("userref"), "volume": contents.base_volume(order)}
        self._ages.born(pair, [txid, order.get("cl_ord_id")], now, **known)
        if contents.rests(order):
            self._ages.placed(pair)

    def _learn_open(self, orders: Any, date: float | None, *, whole: bool) -> None:
        """Learn from a list of open orders; ages that we know better than from a calendar are kept."""
        if not isinstance(orders, dict) or not all(isinstance(order, OrderInfo) for order in orders.values()):
            return  # a raw answer: nothing is known about its shape
        now = self._clock.monotonic()
        for txid, order in orders.items():
            if not self._ages.named(txid):
                pair, since = pair_key(order.descr.pair), self._since(order, now, date)
                volume = None if "viqc" in order.oflags else order.vol
                self._ages.born(pair, [txid, order.cl_ord_id], since, userref=order.userref, volume=volume)
        if whole:
            self._ages.counted(Tally(pair_key(order.descr.pair) for order in orders.values()), now)

    def _since(self, order: OrderInfo, now: float, date: float | None) -> float:
        """When the order was last changed, on our steady clock; now if it was amended, as Kraken does not say when.

        Our calendar may be minutes ahead of Kraken's, and a mocked exchange may date its answers oddly: the earlier of
        the two counts.
        """
        if "amended" in order.misc:
            return now
        wall = self._clock.wall_ns() / 1e9
        age = (
            (wall if date is None else min(wall, date)) - order.opentm.timestamp() - SKEW
        )  # rather too young than too old
        return now - max(0.0, age)


def _certain(pair: str, cost: float, fixed: float) -> PairPrice:
    """Return the price of a call that is carried out whatever the counter says."""
    return PairPrice(pair, lambda: cost, fixed, waits=False)

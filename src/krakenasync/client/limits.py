"""The limiter: which counters a call is charged to, and what it costs there; the waiting is done in `gates`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from krakenasync.client.engine import UNKNOWN_PAIR, Engine
from krakenasync.client.gates import ELSEWHERE, Charged, Gate, Hold
from krakenasync.client.loops import PerLoop, running_loop
from krakenasync.client.queueing import Lane, Price, constant
from krakenasync.client.snapshots import LimitsSnapshot, snapshot_of
from krakenasync.errors import (
    ConfigurationError,
    DomainLimitExceeded,
    EngineLimitExceeded,
    InvalidArguments,
    InvalidType,
    RateLimitExceeded,
    Throttled,
)
from krakenasync.protocol.charges import Counter, EngineAction, pair_key
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.specs import Spec
from krakenasync.protocol.tiers import PUBLIC, REST_STEP, CounterSpec, Tier
from krakenasync.state.given import is_shared

if TYPE_CHECKING:
    from krakenasync.client.nonces import KeyLane
    from krakenasync.state.bucket import Bucket
    from krakenasync.state.memory import MemoryState

__all__ = ["Limits", "LimitsConfig"]


class LimitsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the limiter counts.

    Attributes:
        dear_history: Count history calls at the higher of Kraken's two published figures (4 instead of 2).
        initial: The assumed level of the counter at the start: ``"empty"`` for a script that runs now and then,
            ``"full"`` for a bot that is restarted often, or points.
        rest: A counter to use instead of the tier's, for accounts with limits of their own and for benchmarks.
        engine: The same for the matching engine's counter of each pair.
        public: The counter for public calls, if not one a second.
    """

    dear_history: bool = True
    initial: float | str = "empty"
    rest: CounterSpec | None = None
    engine: CounterSpec | None = None
    public: CounterSpec | None = None


def _kinds(state: MemoryState) -> tuple[Callable[[str, Bucket], Gate], type[Hold]]:
    """Choose the kinds of gate and of hold."""
    if not is_shared(state):
        return Gate, Hold
    from krakenasync.client.sharedgate import SharedGate  # noqa: PLC0415 - most clients share nothing
    from krakenasync.client.sharedhold import SharedHold  # noqa: PLC0415 - as above

    return functools.partial(SharedGate, state=state), SharedHold


class Limits:
    """A client's counters.

    Args:
        state: Where the counters live.
        scope: What distinguishes this exchange from others (its base URL).
        key_id: The key whose counter private calls are charged to, or None without one.
        tier: The account's tier.
        config: How to count.
        account: A name for the account, whose keys all share its matching engine's counters; None: `key_id` is used.
    """

    def __init__(
        self,
        state: MemoryState,
        scope: str,
        key_id: str | None,
        tier: Tier,
        config: LimitsConfig,
        *,
        account: str | None = None,
    ) -> None:
        self._state, self._clock = state, state.clock
        self._scope = scope
        self._key_id = key_id
        self._account = account or key_id
        self._config = config
        self._engine_spec = config.engine or tier.engine
        ages = state.ages(f"{scope} {self._account}")
        self.engine = Engine(ages, tier.open_orders, self._engine_spec.cap, state.clock)
        self._rest = config.rest or tier.rest
        self._public = config.public or PUBLIC
        self._buckets: dict[str, Bucket] = {}
        self._gates: PerLoop[Gate] = PerLoop()
        # Loop, and what each endpoint of a fixed price is charged there; replaced as a whole, as in PerLoop.
        self._fixed: tuple[object, dict[str, tuple[Charged]]] = (None, {})
        self._gate_of, self._hold = _kinds(state)
        self.key_lane: Callable[[], KeyLane] | None = None
        """With a shared state: returns the lane that private calls enter next, on the running loop."""

    def acquire_nowait(self, spec: Spec, loop: object) -> Hold | None:
        """Hold a call's points without waiting; None if it has to wait, or if its price has to be computed.

        Args:
            spec: The endpoint.
            loop: The running event loop, as `running_loop` returns it.
        """
        view = self._fixed
        if view[0] is not loop:
            view = self._fixed = (loop, {})
        found = view[1].get(spec.path)
        if found is None:
            if spec.charge.counter not in {Counter.REST, Counter.PUBLIC}:
                return None
            gate, cost = self._priced(spec, {})
            found = view[1][spec.path] = (Charged(gate, cost, cost, gate.bucket.blocked_until),)
        charged = found[0]
        gate, cost = charged.gate, charged.cost
        if not gate.acquire_nowait(cost):
            return None
        if gate.bucket.blocked_until != charged.pause:
            found = view[1][spec.path] = (Charged(gate, cost, cost, gate.bucket.blocked_until),)
        return self._hold(found, self._clock.monotonic())

    def _known(self, spec: Spec) -> tuple[Gate, float] | None:
        """Return the gate and the cost of a call if they never vary and are known already."""
        loop, known = self._fixed
        found = known.get(spec.path) if loop is running_loop() else None
        return None if found is None else (found[0].gate, found[0].cost)

    def cost(self, spec: Spec) -> float:
        """Return the points that a call costs, if that is fixed; the matching engine's depend on the order."""
        return float(spec.charge.cost(dear=self._config.dear_history))

    def _priced(self, spec: Spec, params: Mapping[str, Any]) -> tuple[Gate, float]:
        """Return the gate and the cost of a call that is charged a fixed price on one counter."""
        gate = self._gate(self._label(spec.charge.counter, params))
        cost = self.cost(spec)
        if cost > gate.bucket.spec.cap:
            raise ConfigurationError(f"{spec.name} costs {cost:g} points, the {gate.name} counter's cap is lower")
        return gate, cost

    async def acquire(self, spec: Spec, params: Mapping[str, Any], lane: Lane) -> Hold:
        """Wait until the call may be sent.

        Returns:
            The points held for it.

        Raises:
            RateLimitTimeout: The wait cannot end before the caller's deadline.
        """
        if spec.charge.counter is Counter.ENGINE:
            return await self._acquire_engine(spec, params, lane)
        gate, cost = self._known(spec) or self._priced(spec, params)
        key_lane = self.key_lane() if self.key_lane is not None and spec.charge.counter is Counter.REST else None
        await gate.acquire(constant(cost), lane, key_lane)
        return self._hold((Charged(gate, cost, cost, gate.bucket.blocked_until),), self._clock.monotonic())

    async def _acquire_engine(self, spec: Spec, params: Mapping[str, Any], lane: Lane) -> Hold:
        """Wait for room on the counter of each pair that the call touches: usually one."""
        charged: list[Charged] = []
        prices = list(self.engine.price(spec, params))
        # A call that waits for a second counter must not hold the lane.
        key_lane = self.key_lane() if self.key_lane is not None and len(prices) == 1 else None
        try:
            for pair, price, fixed, waits in prices:
                gate = self._gate(f"engine:{pair}")
                if queues := waits and not self._exempt(spec, price):
                    cost = await gate.acquire(price, lane, key_lane)
                else:
                    cost = price()
                    gate.reserve(cost)
                # An amend under way makes its order young by itself, so its own price would seem to rise.
                later = None if spec.name == "AmendOrder" else price
                charged.append(Charged(gate, cost, fixed, gate.bucket.blocked_until, queues, later))
        except BaseException:
            self._hold(charged, self._clock.monotonic()).release()
            raise
        return self._hold(charged, self._clock.monotonic(), self.engine.begin(spec, params))

    def refused(self, hold: Hold, error: RateLimitExceeded, wall: float) -> None:
        """Accept that one of Kraken's own counters was full, and set the error's `retry_after`.

        Args:
            hold: The call's points.
            error: The refusal.
            wall: Unix time.
        """
        elsewhere = hold.of_engine and not isinstance(error, (EngineLimitExceeded, Throttled))
        hold.refused(error, wall)
        if elsewhere and self._key_id is not None:  # it was not the pair's counter that was full
            self._bucket(Counter.REST.value).block(ELSEWHERE)
        if isinstance(error, DomainLimitExceeded):
            # We cannot know which calls of the account and its subaccounts have filled it: all pairs pause, longer each
            # time.
            self._domain.refused(0.0, sent=hold.sent)
            pause = self._domain.state().blocked_for
            for bucket in self._engine_buckets().values():
                bucket.block(pause)
            error.retry_after = max(error.retry_after or 0.0, pause)

    @functools.cached_property
    def _domain(self) -> Bucket:
        """Return the counter that the account's pairs have in common, of which we only know when it was full.

        It counts nothing, so any tier's limits will do, as long as all clients of the account use the same.
        """
        return self._state.bucket(f"domain {self._scope} {self._account}", Tier.STARTER.engine)

    def _exempt(self, spec: Spec, price: Price) -> bool:
        """Whether a call is sent even while the whole account pauses: cancelling an old order, which is free."""
        return spec.charge.action is EngineAction.CANCEL and self._domain.state().blocked_for > 0 and price() == 0

    def _engine_buckets(self) -> dict[str, Bucket]:
        """Return the counters of the account's pairs by label, including those that only its other clients use.

        They are looked up, not created: another client may have another tier, and its pairs are its own.
        """
        found = {}
        for pair in (*self.engine.pairs, UNKNOWN_PAIR):
            label = f"engine:{pair}"
            bucket = self._buckets.get(label) or self._state.find(f"{label} {self._scope} {self._account}")
            if bucket is not None:
                found[label] = bucket
        return found

    def _gate(self, label: str) -> Gate:
        bucket = self._bucket(label)
        return self._gates.get((id(bucket),), lambda: self._gate_of(label, bucket))

    def time_until(self, cost: float | Decimal, counter: str = "rest") -> float:
        """Return the seconds until there is room for `cost` points, if no other call is made: check before you act.

        With a shared state it knows only of this process's own calls.

        Args:
            cost: Points.
            counter: Its name in `snapshot`, or just the pair for a matching engine's counter (``"XBTUSD"``).

        Raises:
            InvalidArguments: There is no such counter, or there is never room for that many points on it.
        """
        bucket = self._bucket(_label_of(counter))
        if not isinstance(cost, (int, float, Decimal)):
            raise InvalidType(f"cost must be points, not {type(cost).__name__}")
        try:
            points = float(cost)
        except (ValueError, OverflowError):  # a signalling NaN, a huge int
            points = math.nan
        if not 0 <= points <= bucket.spec.cap:  # NaN is refused as well
            raise InvalidArguments(f"{counter} has room for 0 to {bucket.spec.cap:g} points, never for {quoted(cost)}")
        return bucket.delay(points)

    def cancel_cost(self, order: str) -> float:
        """Return the points that cancelling an order would cost now, by txid or cl_ord_id; 8 if its age is unknown.

        Raises:
            InvalidType: The order is not given by an id.
        """
        if not isinstance(order, str):
            raise InvalidType(f"order must be a txid or cl_ord_id, not {type(order).__name__}")
        return self.engine.cancel_cost(order)

    def _label(self, counter: Counter, params: Mapping[str, Any]) -> str:
        if counter is Counter.PUBLIC_PAIR:
            return f"public:{pair_key(str(params.get('pair', '')))}"
        return str(counter.value)

    def _bucket(self, label: str) -> Bucket:
        """Return the counter of that label, shared by all clients that share it at Kraken."""
        found = self._buckets.get(label)
        if found is None:
            if label == Counter.REST.value:
                name = f"{label} {self._scope} {self._key_id}"
                found = self._state.bucket(name, self._rest, step=REST_STEP, initial=self._initial())
            elif label.startswith("engine:"):
                # What was charged while no pair was known may have been this one's.
                unknown = self._buckets.get(f"engine:{UNKNOWN_PAIR}")
                initial = unknown.state().points if unknown is not None else 0.0
                found = self._state.bucket(f"{label} {self._scope} {self._account}", self._engine_spec, initial=initial)
                if (pause := self._domain.state().blocked_for) > 0:
                    found.block(pause)
            else:
                found = self._state.bucket(f"{label} {self._scope}", self._public)
            self._buckets[label] = found
        return found

    def _initial(self) -> float:
        cap, initial = float(self._rest.cap), self._config.initial
        if isinstance(initial, str):
            return {"empty": 0.0, "full": cap}[initial]
        return min(float(initial), cap)

    def snapshot(self) -> LimitsSnapshot:
        """Return every counter that the account has used so far: level, cap, decay, held, waiting, blocked_for of each.

        With a shared state only this process's calls are included: what others have used is known to the store.
        """
        for counter in (Counter.REST, Counter.PUBLIC) if self._key_id else (Counter.PUBLIC,):
            self._bucket(counter.value)
        buckets = {**self._buckets, **self._engine_buckets()}  # a copy: another thread may be looking
        return LimitsSnapshot({label: snapshot_of(bucket, self._gate_at(bucket)) for label, bucket in buckets.items()})

    def room(self) -> float:
        """Return the points free on the key's counter, minus one for each waiting call; below 0 while it pauses."""
        bucket = self._bucket(Counter.REST.value)
        state, gate = bucket.state(), self._gate_at(bucket)
        waiting = len(gate.queue) if gate else 0
        return state.cap - state.level - state.held - waiting - state.blocked_for * state.decay

    def _gate_at(self, bucket: Bucket) -> Gate | None:
        return self._gates.find((id(bucket),))

    def __repr__(self) -> str:
        return f"<Limits {', '.join(f'{label}: {bucket!r}' for label, bucket in self._buckets.items())}>"


_ALONE: Final = ("rest", "public")
"""Counters that belong to no pair."""


def _label_of(counter: str) -> str:
    """Return the label of the counter that a caller names, perhaps only by its pair."""
    if not isinstance(counter, str):
        raise InvalidType(f"counter must be a str, not {type(counter).__name__}")
    if counter in _ALONE:
        return counter
    kind, colon, pair = counter.rpartition(":")
    if not colon:
        kind = "engine"
    if kind not in {"engine", "public"} or pair.strip().lower() in {"", *_ALONE}:
        raise InvalidArguments(f"no counter {quoted(counter)}", hint='rest, public, "public:PAIR", or a pair')
    return f"{kind}:{pair_key(pair)}"

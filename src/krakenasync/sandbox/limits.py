"""The sandbox's counters: per key, per address, per address and pair, per account and pair.

Sources: https://docs.kraken.com/exchange/guides/rest/ratelimits, https://docs.kraken.com/exchange/guides/general/ratelimits
"""

from __future__ import annotations

from typing import Final

from krakenasync.clock import Clock
from krakenasync.protocol.charges import Charge, Counter
from krakenasync.protocol.counters import EMPTY, TICKS, CounterState, add, at, fits, points
from krakenasync.protocol.tiers import PUBLIC, CounterSpec
from krakenasync.sandbox.accounts import Account, ApiKey
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.config import SandboxConfig
from krakenasync.sandbox.refusals import ENGINE_LIMIT, PUBLIC_LIMIT, REST_LIMIT, Refusal

__all__ = ["Limits"]

DEARER: Final = 4
"""The higher of Kraken's two costs of a history call."""

Bucket = tuple[Counter, str, str]


class Limits:
    """Charges calls to their counters and refuses those that do not fit.

    Attributes:
        peaks: The highest level, in points, that each key's counter reached, by the key's label.
    """

    def __init__(self, config: SandboxConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._step = round(config.step * NANOS)
        self._public = CounterSpec(config.public_burst, PUBLIC.decay_hundredths)
        self._states: dict[Bucket, CounterState] = {}
        self.peaks: dict[str, float] = {}

    def charge_public(self, charge: Charge, address: str, pair: str) -> None:
        """Charge a public call to the address, or to the address and pair.

        Raises:
            Refusal: There were too many calls.
        """
        bucket = (charge.counter, address, pair if charge.counter is Counter.PUBLIC_PAIR else "")
        if not self._charge(bucket, self._public, charge.points):
            raise Refusal(PUBLIC_LIMIT)

    def charge_key(self, charge: Charge, key: ApiKey) -> None:
        """Charge a private call to the key's counter.

        Raises:
            Refusal: There were too many calls.
        """
        if charge.counter is not Counter.REST:
            return
        bucket = (Counter.REST, key.api_key, "")
        cost = charge.cost(dear=self._config.history_cost == DEARER)
        fitted = self._charge(bucket, key.account.tier.rest, cost)
        self.peaks[key.label] = max(self.peaks.get(key.label, 0.0), points(self._states.get(bucket, EMPTY)))
        if not fitted:
            raise Refusal(REST_LIMIT)

    def charge_engine(self, account: Account, pair: str, cost: float, *, certain: bool = False) -> None:
        """Charge something done to an order to the account's counter of the pair.

        Args:
            account: Whose counter.
            pair: The pair.
            cost: Points.
            certain: Whether it is done whatever the counter says, even past the cap.

        Raises:
            Refusal: There were too many calls.
        """
        bucket = (Counter.ENGINE, account.name, pair)
        if cost and not self._charge(bucket, account.tier.engine, cost, certain=certain):
            raise Refusal(ENGINE_LIMIT)

    def level(self, key: ApiKey) -> float:
        """The key's current counter, in points."""
        return self._level((Counter.REST, key.api_key, ""), key.account.tier.rest)

    def engine_level(self, account: Account, pair: str) -> float:
        """The account's current engine counter of a pair, in points."""
        return self._level((Counter.ENGINE, account.name, pair), account.tier.engine)

    def fill(self, key: ApiKey, level: float) -> None:
        """Set a key's counter, as another program on the same key would have left it."""
        state = CounterState(round(level * TICKS), self._now())
        self._states[Counter.REST, key.api_key, ""] = state

    def _now(self) -> int:
        return round(self._clock.monotonic() * NANOS)

    def _level(self, bucket: Bucket, spec: CounterSpec) -> float:
        return points(at(spec, self._states.get(bucket, EMPTY), self._now(), step=self._step))

    def _charge(self, bucket: Bucket, spec: CounterSpec, cost: float, *, certain: bool = False) -> bool:
        """Let the counter decay, then charge the cost if it fits or if it is certain."""
        if not self._config.limits:
            return True
        state = at(spec, self._states.get(bucket, EMPTY), self._now(), step=self._step)
        fitted = certain or (fits(spec, state, cost) if self._config.strict else fits(spec, state, 0))
        if fitted:
            state = add(state, cost)
        elif self._config.refused_counts:
            state = CounterState(max(state.level, spec.cap * TICKS), state.at)
        self._states[bucket] = state
        return fitted

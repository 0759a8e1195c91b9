"""What each account tier is allowed, as data with its source. Checked 2026-11-21.

Sources:
    REST counter: https://docs.kraken.com/exchange/guides/rest/ratelimits
    matching engine: https://docs.kraken.com/exchange/guides/general/ratelimits
    public calls: https://support.kraken.com/articles/206548367-what-are-the-api-rate-limits-
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from krakenasync.errors import ConfigurationError
from krakenasync.protocol.quoting import quoted

__all__ = ["PUBLIC", "REST_STEP", "CounterSpec", "Tier", "TierSpec"]


class CounterSpec(msgspec.Struct, frozen=True):
    """One of Kraken's counters: it rises with each call and falls at a steady pace.

    Attributes:
        cap: Points at which further calls are refused.
        decay_hundredths: Points a second that drain away, in hundredths, so that 0.33 is exact.
    """

    cap: int
    decay_hundredths: int

    @property
    def decay(self) -> float:
        """Points that drain away in a second."""
        return self.decay_hundredths / 100


class TierSpec(msgspec.Struct, frozen=True):
    """The limits of one tier.

    Attributes:
        rest: The counter of private calls, one per API key.
        engine: The matching engine's counter, one per account and pair.
        open_orders: How many orders may rest per pair.
    """

    rest: CounterSpec
    engine: CounterSpec
    open_orders: int


class Tier(Enum):
    """The account's verification tier; Kraken's account settings show it."""

    STARTER = TierSpec(CounterSpec(15, 33), CounterSpec(60, 100), 60)
    INTERMEDIATE = TierSpec(CounterSpec(20, 50), CounterSpec(125, 234), 80)
    PRO = TierSpec(CounterSpec(20, 100), CounterSpec(180, 375), 225)

    @property
    def rest(self) -> CounterSpec:
        """The counter of private calls."""
        return self.value.rest

    @property
    def engine(self) -> CounterSpec:
        """The matching engine's counter of a pair."""
        return self.value.engine

    @property
    def open_orders(self) -> int:
        """How many orders may rest per pair."""
        return self.value.open_orders

    @classmethod
    def parse(cls, tier: Tier | str) -> Tier:
        """Read a tier or its name, in any case.

        Raises:
            ConfigurationError: The tier does not exist.
        """
        if isinstance(tier, Tier):
            return tier
        found = cls.__members__.get(str(tier).strip().upper())
        if found is None:
            names = ", ".join(name.lower() for name in cls.__members__)
            raise ConfigurationError(
                f"unknown tier {quoted(tier)}", hint=f"one of {names}; Kraken's settings show yours"
            )
        return found


# "every couple of seconds" is all Kraken says about when the counter is reduced.
REST_STEP: Final = 2

# About one call a second stays within the limit; no burst is published, so none is assumed.
PUBLIC: Final = CounterSpec(1, 100)

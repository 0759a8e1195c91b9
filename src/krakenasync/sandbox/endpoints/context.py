"""The types of a handler and of what it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from krakenasync.errors import ConfigurationError
from krakenasync.protocol.charges import engine_points
from krakenasync.protocol.specs import Spec
from krakenasync.sandbox.accounts import Account, ApiKey
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.config import SandboxConfig
from krakenasync.sandbox.exchange import Exchange
from krakenasync.sandbox.limits import Limits
from krakenasync.sandbox.market import Market
from krakenasync.sandbox.treasury import Treasury

__all__ = ["Context", "Handler", "World"]


class World(NamedTuple):
    """The parts of a sandbox that outlive a call."""

    config: SandboxConfig
    market: Market
    exchange: Exchange
    limits: Limits
    treasury: Treasury


class Context(NamedTuple):
    """One call, checked and ready to be carried out.

    Attributes:
        arguments: Its parameters.
        now: Unix nanoseconds at which the call is carried out.
        arrived: Unix nanoseconds at which it reached the sandbox.
        caller: The key that signed it; None for public calls.
    """

    world: World
    spec: Spec
    arguments: Arguments
    now: int
    arrived: int
    caller: ApiKey | None = None

    @property
    def key(self) -> ApiKey:
        """The key that signed a private call."""
        if self.caller is None:
            raise ConfigurationError(f"{self.spec.name} is handled as a private call, but its spec says public")
        return self.caller

    @property
    def account(self) -> Account:
        """The account that the key opens."""
        return self.key.account

    def engine_cost(self, age: float | None = None) -> float:
        """Return what the endpoint's action costs on the counter of a pair.

        Args:
            age: Seconds since the order was created or last amended.
        """
        charge = self.spec.charge
        return engine_points(charge.action, age) if charge.action else float(charge.points)


Handler = Callable[[Context], Any]
"""Carries out a call and returns its result as it appears in the envelope."""

"""``krakenasync sandbox``: a Kraken on a port of this machine, until it is stopped."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from krakenasync.errors import ConfigurationError
from krakenasync.sandbox import ExtraKey, SandboxConfig, run

__all__ = ["sandbox"]

_Port = Annotated[int, Parameter(validator=Number(gte=0, lte=65535))]
_Seconds = Annotated[float, Parameter(validator=Number(gte=0))]
_Count = Annotated[int, Parameter(validator=Number(gte=0))]


def sandbox(
    *,
    port: _Port = 0,
    tier: str = "starter",
    api_key: str | None = None,
    api_secret: str | None = None,
    seed: int = 0,
    limits: Annotated[bool, Parameter(negative="--no-limits")] = True,
    step: _Seconds = 0.0,
    history_cost: Literal[2, 4] = 4,
    refused_counts: bool = False,
    strict: Annotated[bool, Parameter(negative="--lax")] = True,
    public_burst: _Count = 15,
    latency: _Seconds = 0.0,
    jitter: _Seconds = 0.0,
    nonce_window: _Count = 0,
    lockout_after: _Count = 0,
    lockout_seconds: _Seconds = 900.0,
    most_at_once: _Count = 0,
    presence_validates: bool = False,
    open_order_lag: _Seconds = 0.0,
    speed: Annotated[float, Parameter(validator=Number(gt=0))] = 1.0,
) -> None:
    """Run a local Kraken until Ctrl-C. It prints its address and the demo keys it accepts, the last line as JSON.

    Args:
        port: The port of the loopback interface; 0 takes any free one.
        tier: How fast private calls may go: starter, intermediate or pro.
        api_key: A key of your own: one more funded account, with all permissions.
        api_secret: Its private half, base64.
        seed: The same seed gives the same keys and the same market.
        limits: Count calls and refuse those above the limits, as Kraken does.
        step: Reduce counters in steps of this many seconds; 0 for continuously.
        history_cost: The points of a history call; Kraken's pages state both.
        refused_counts: Let a refused call count as well.
        strict: Refuse the call that would pass the cap; lax: only the one after it.
        public_burst: Public calls that pass at once, per address and pair.
        latency: Seconds that a request and an answer travel, each.
        jitter: Up to this many random seconds more.
        nonce_window: How far a demo key's nonce may be below the highest used.
        lockout_after: Invalid keys in a row that lead to a temporary lockout; 0 for never.
        lockout_seconds: How long a lockout lasts after the last try.
        most_at_once: Private calls of a key in flight beyond which it is throttled; 0 for any number.
        presence_validates: Treat the mere presence of validate in an order as yes.
        open_order_lag: Seconds until a new order shows among the open ones, and an ended one among the closed.
        speed: How many seconds of the market and the counters pass in one real second. For clients, deadlines and dead
            man's switches run out that much sooner.
    """
    config = SandboxConfig(
        tier=tier,
        seed=seed,
        limits=limits,
        step=step,
        history_cost=history_cost,
        refused_counts=refused_counts,
        strict=strict,
        public_burst=public_burst,
        latency=latency,
        jitter=jitter,
        nonce_window=nonce_window,
        lockout_after=lockout_after,
        lockout_seconds=lockout_seconds,
        most_at_once=most_at_once,
        presence_validates=presence_validates,
        open_order_lag=open_order_lag,
        speed=speed,
        keys=_own_key(api_key, api_secret, nonce_window),
    )
    run(config, port)


def _own_key(api_key: str | None, api_secret: str | None, nonce_window: int) -> tuple[ExtraKey, ...]:
    """Make a key from its two halves.

    Raises:
        ConfigurationError: One half is missing.
    """
    if api_key is None and api_secret is None:
        return ()
    if not api_key or not api_secret:
        missing = "--api-secret" if api_key else "--api-key"
        raise ConfigurationError(f"{missing} is missing", hint="give both halves of the key, or neither")
    return (ExtraKey(api_key=api_key, api_secret=api_secret, nonce_window=nonce_window),)

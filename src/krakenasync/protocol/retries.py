"""Whether a failed attempt is repeated, and after how long. Pure: chance is an argument.

What may be repeated follows from two things: what the call does (`Effect`) and what is known about its outcome
(`KrakenError.effect`). Source of the advice on single errors: https://docs.kraken.com/exchange/guides/general/errors
"""

from __future__ import annotations

from typing import Final

import msgspec

from krakenasync.errors import (
    AuthenticationError,
    EngineLimitExceeded,
    InvalidNonce,
    KrakenError,
    NotSent,
    ProtocolError,
    RateLimitExceeded,
    ServiceUnavailable,
    TransportError,
)
from krakenasync.protocol.specs import Effect

__all__ = ["Reconcile", "Retry", "RetryPolicy", "Stop", "Verdict", "decide", "outcome_unknown"]


_SOON: Final = 2.0
"""The most seconds that a call waits while the road is closed because nonces were refused."""


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How patient a client is.

    Attributes:
        attempts: The most times that a call is sent, including the first.
        base: Seconds; the first pause is drawn from 0 to this, each further one from twice as much.
        longest: Seconds that no drawn pause exceeds.
        total: Seconds after the first failure within which the last repetition has to begin.
        budget: Repetitions a key may spend at once; when they are spent, calls fail after one attempt, unless only a
            limit of Kraken's refused them. The key's first client in this process decides: its other clients and
            `with_options` do not change it.
        earn: How much of a repetition each success earns back; decided like `budget`.
        nonce_tries: How often a call whose nonce was refused is signed again before the refusal is reported: at once,
            then after `base` seconds, each further time after twice as many. A wait while refused nonces have closed
            the road counts as one of them.
    """

    attempts: int = 5
    base: float = 0.25
    longest: float = 10.0
    total: float = 60.0
    budget: float = 10.0
    earn: float = 0.2
    nonce_tries: int = 3


class Retry(msgspec.Struct, frozen=True):
    """Repeat the call after `wait` seconds. The limiter may add to that.

    `spends` says whether it counts against the key's retry budget; what Kraken's own counters ask for does not.
    """

    wait: float
    spends: bool = True


class Stop(msgspec.Struct, frozen=True):
    """Report the error: nothing was done, or the call was a read."""


class Reconcile(msgspec.Struct, frozen=True):
    """A write whose outcome is unknown: look before anything else."""


Verdict = Retry | Stop | Reconcile


def decide(
    effect: Effect, failure: KrakenError, attempt: int, policy: RetryPolicy, *, chance: float, nonce_refusals: int = 0
) -> Verdict:
    """Decide what follows a failed attempt.

    Args:
        effect: What the call does.
        failure: How the attempt failed.
        attempt: Which attempt it was, from 1.
        policy: How patient the client is.
        chance: A number from 0 to 1, drawn by the caller, for the jitter.
        nonce_refusals: How many attempts of this call were refused for their nonce, this one included.
    """
    if outcome_unknown(effect, failure):
        return Reconcile()
    if attempt >= policy.attempts:
        return Stop()
    if isinstance(failure, InvalidNonce) and effect is not Effect.FUNDS:
        return _signed_anew(failure, policy, nonce_refusals)
    if not repeatable(effect, failure):
        return Stop()
    if isinstance(failure, RateLimitExceeded):
        # The limiter knows when Kraken listens again; a cancel would not wait for it by itself.
        return Retry(failure.retry_after or 0.0, spends=False)
    return Retry(backoff(attempt, policy, chance, failure.retry_after))


def _signed_anew(failure: InvalidNonce, policy: RetryPolicy, refusals: int) -> Retry | Stop:
    if refusals > policy.nonce_tries:
        return Stop()
    # Only an error of our own says when to retry: nothing was sent, because the key's nonces were refused repeatedly.
    if failure.retry_after is not None:
        return Retry(failure.retry_after) if failure.retry_after <= _SOON else Stop()
    # The first may have been overtaken. A second refusal has another cause, and that may pass.
    return Retry(0.0 if refusals == 1 else min(policy.longest, policy.base * 2.0 ** min(refusals - 2, 64)))


def outcome_unknown(effect: Effect, failure: KrakenError) -> bool:
    """Whether a call with this effect may have been carried out although it failed."""
    return effect is not Effect.READ and failure.effect == "unknown"


def repeatable(effect: Effect, failure: KrakenError) -> bool:
    """Whether repeating can neither do harm nor be pointless."""
    if effect is Effect.FUNDS or isinstance(failure, AuthenticationError):
        return False
    if isinstance(failure, NotSent):
        return True
    if isinstance(failure, RateLimitExceeded):
        # A full engine counter takes seconds to minutes: an order that late is a different order. The caller decides.
        return effect is Effect.READ or not isinstance(failure, EngineLimitExceeded)
    if effect is Effect.WRITE:
        return False
    return isinstance(failure, (TransportError, ServiceUnavailable, ProtocolError)) and failure.retryable


def backoff(attempt: int, policy: RetryPolicy, chance: float, hint: float | None) -> float:
    """Return the seconds to wait after the given attempt: full jitter, with the server's hint as floor.

    Source of the method: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    doublings = min(attempt - 1, 64)  # by then every pause is the longest one, and a float does not overflow
    drawn = chance * min(policy.longest, policy.base * 2.0**doublings)
    return drawn if hint is None else max(drawn, hint)

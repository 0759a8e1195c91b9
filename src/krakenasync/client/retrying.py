"""Tenacity, driven by the rules of `krakenasync.protocol.retries`.

A call is tried once without Tenacity; only a failure that may be repeated is handed to it, and replayed as its first
attempt. Each call gets an `AsyncRetrying` of its own: a shared one mixes up the states of concurrent calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import anyio

from krakenasync.client.events import Hook, Retried
from krakenasync.client.standing import Budget
from krakenasync.clock import Clock
from krakenasync.errors import InvalidNonce, KrakenError
from krakenasync.protocol.retries import Retry, RetryPolicy, Stop, Verdict, decide
from krakenasync.protocol.specs import Effect

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["persist"]

T = TypeVar("T")

_SPENT: Final = "not repeated: too many calls of this key failed lately; see budget of RetryPolicy"


class _Judge:
    """Decides what follows each failed attempt of one call, and keeps the counts for that."""

    def __init__(
        self, effect: Effect, policy: RetryPolicy, budget: Budget, clock: Clock, chance: Callable[[], float]
    ) -> None:
        self._effect = effect
        self._policy = policy
        self._budget = budget
        self._clock = clock
        self._chance = chance
        self._nonce_refusals = 0
        self._first_failure: float | None = None

    def verdict(self, failure: KrakenError, attempt: int) -> Verdict:
        """Return what follows the failure of that attempt."""
        now = self._clock.monotonic()
        if self._first_failure is None:
            self._first_failure = now
        self._nonce_refusals += isinstance(failure, InvalidNonce)
        verdict = decide(
            self._effect,
            failure,
            attempt,
            self._policy,
            chance=self._chance(),
            nonce_refusals=self._nonce_refusals,
        )
        if isinstance(verdict, Retry):
            in_time = now + verdict.wait - self._first_failure <= self._policy.total
            # A pause that outlasts the caller's deadline is pointless: fail at once.
            in_time = in_time and verdict.wait <= anyio.current_effective_deadline() - anyio.current_time()
            if not in_time:
                return Stop()
            if verdict.spends and not self._budget.spend():
                failure.hint = failure.hint or _SPENT
                return Stop()
        return verdict


async def persist(
    attempt: Callable[[int], Awaitable[T]],
    failure: KrakenError,
    *,
    endpoint: str,
    effect: Effect,
    policy: RetryPolicy,
    budget: Budget,
    clock: Clock,
    chance: Callable[[], float],
    notify: Hook,
) -> T:
    """Repeat a call whose first attempt failed, until an attempt succeeds or the rules say stop.

    Args:
        attempt: Makes one attempt, given its number from 1.
        failure: The error of the first one.
        endpoint: Kraken's name of the call, for the hooks.
        effect: What the call does.
        policy: How patient to be.
        budget: The key's retry budget.
        clock: For the total deadline.
        chance: Draws a number from 0 to 1, for the jitter.
        notify: Called with an event for every repetition.

    Raises:
        KrakenError: The last failure.
    """
    failure.attempts = 1
    judge = _Judge(effect, policy, budget, clock, chance)
    verdict = judge.verdict(failure, 1)
    try:
        if not isinstance(verdict, Retry):
            raise failure
        result = await _Repetition(attempt, failure, verdict, judge, endpoint, notify).run()
    finally:
        del failure  # its traceback refers to this frame, which refers to it
    budget.succeeded()
    return result


class _Repetition(Generic[T]):
    """One call run by Tenacity, starting with the failure that has just happened."""

    def __init__(
        self,
        attempt: Callable[[int], Awaitable[T]],
        failure: KrakenError,
        verdict: Verdict,
        judge: _Judge,
        endpoint: str,
        notify: Hook,
    ) -> None:
        self._attempt = attempt
        self._failure: KrakenError | None = failure
        self._verdicts = {1: verdict}
        self._judge = judge
        self._endpoint = endpoint
        self._notify = notify
        self._made = 0

    async def run(self) -> T:
        """Repeat until a success, or until the rules say stop."""
        from tenacity import AsyncRetrying  # noqa: PLC0415 - loaded by the first call that fails

        retrying = AsyncRetrying(
            sleep=anyio.sleep, retry=self._again, wait=self._pause, before_sleep=self._announce, reraise=True
        )
        result: T = await retrying(self._next)
        return result

    async def _next(self) -> T:
        """Replay the first attempt, or make another one."""
        self._made += 1
        if self._failure is not None:
            failure, self._failure = self._failure, None
            try:
                raise failure
            finally:
                del failure  # as above
        try:
            return await self._attempt(self._made)
        except KrakenError as error:
            error.attempts = self._made
            raise

    def _again(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, KrakenError):
            return False  # a success, a cancellation, a bug: none of them is repeated
        if state.attempt_number not in self._verdicts:
            self._verdicts[state.attempt_number] = self._judge.verdict(error, state.attempt_number)
        return isinstance(self._verdicts[state.attempt_number], Retry)

    def _pause(self, state: RetryCallState) -> float:
        verdict = self._verdicts[state.attempt_number]
        return verdict.wait if isinstance(verdict, Retry) else 0.0

    def _announce(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, KrakenError):
            self._notify(Retried(self._endpoint, state.attempt_number, self._pause(state), error))

"""Tenacity driven by our rules; the budget and the breaker of a key."""

import anyio
import pytest

from krakenasync.client.retrying import Breaker, Budget, persist, standing
from krakenasync.errors import (
    InvalidKey,
    InvalidNonce,
    InvalidSignature,
    KrakenError,
    ServiceUnavailable,
    TemporaryLockout,
    Throttled,
)
from krakenasync.protocol.retries import RetryPolicy
from krakenasync.protocol.specs import Effect
from krakenasync.state.nonces import NonceSource
from krakenasync.testing import VirtualClock, run


def attempts_that(clock, *outcomes):
    """Make an attempt function that plays the outcomes, and the list of the times it was called."""
    left, called = list(outcomes), []

    async def attempt(number):
        called.append((number, clock.monotonic()))
        outcome = left.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return attempt, called


async def made(attempt, **settings):
    """Make the first attempt, as the road does, and go on after it."""
    try:
        return await attempt(1)
    except KrakenError as error:
        failure = error
    return await persist(attempt, failure, **settings)


def settings(clock, **changes):
    policy = changes.pop("policy", RetryPolicy())
    chosen = {
        "endpoint": "Balance",
        "effect": Effect.READ,
        "policy": policy,
        "budget": Budget(policy),
        "clock": clock,
        "chance": lambda: 1.0,
        "notify": lambda _event: None,
    }
    return chosen | changes


def test_the_pauses_double():
    """The pauses are drawn from a range that doubles."""

    async def main(clock):
        attempt, called = attempts_that(clock, *[ServiceUnavailable("busy")] * 4, "done")
        assert await made(attempt, **settings(clock)) == "done"
        assert called == [(1, 0), (2, 0.25), (3, 0.75), (4, 1.75), (5, 3.75)]

    run(main)


def test_a_hint_of_the_server_is_the_floor():
    """When Kraken says how long to wait, no shorter pause is made."""

    async def main(clock):
        busy = ServiceUnavailable("busy", retry_after=7.0)
        attempt, called = attempts_that(clock, busy, "done")
        await made(attempt, **settings(clock))
        assert called == [(1, 0), (2, 7.0)]

    run(main)


def test_what_the_limiter_asks_for_spends_no_budget():
    """A refusal of a counter is not a failure of the service: it is repeated on an empty budget too."""

    async def main(clock):
        empty = Budget(RetryPolicy(budget=0.0))
        attempt, called = attempts_that(clock, Throttled("x"), "done")
        assert await made(attempt, **settings(clock, budget=empty)) == "done"
        attempt, called = attempts_that(clock, ServiceUnavailable("x"), "done")
        with pytest.raises(ServiceUnavailable):
            await made(attempt, **settings(clock, budget=empty))
        assert len(called) == 1

    run(main)


def test_a_bug_is_not_repeated():
    """An exception that is none of ours passes through, at the first attempt and at a later one."""

    async def main(clock):
        for outcomes in ([ZeroDivisionError()], [ServiceUnavailable("x"), ZeroDivisionError()]):
            attempt, called = attempts_that(clock, *outcomes, "never")
            with pytest.raises(ZeroDivisionError):
                await made(attempt, **settings(clock))
            assert len(called) == len(outcomes)

    run(main)


def test_a_cancellation_ends_the_pause_at_once():
    """Cancelling during a pause takes effect then, not after it."""

    async def main(clock):
        policy = RetryPolicy(base=50.0, longest=50.0)
        attempt, called = attempts_that(clock, ServiceUnavailable("x"), "never")
        async with anyio.create_task_group() as tasks:

            async def call():
                await made(attempt, **settings(clock, policy=policy))

            tasks.start_soon(call)
            await anyio.sleep(1.0)
            tasks.cancel_scope.cancel()
        assert clock.monotonic() == pytest.approx(1.0)
        assert len(called) == 1

    run(main)


def test_the_budget_is_earned_back():
    """Each success earns a fifth of a repetition, never more than the budget holds."""
    budget = Budget(RetryPolicy(budget=1.0, earn=0.2))
    assert budget.spend()
    assert not budget.spend()
    for _ in range(5):
        budget.succeeded()
    assert budget.left == pytest.approx(1.0)
    budget.succeeded()
    assert budget.left == 1.0


def test_the_breaker_raises_what_closed_it():
    """A closed road raises the class, the strings and the seconds that are left."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    breaker.failed(TemporaryLockout("x", codes=["EGeneral:Temporary lockout"]))
    clock.advance(100)
    with pytest.raises(TemporaryLockout) as caught:
        breaker.check("Balance")
    assert caught.value.codes == ("EGeneral:Temporary lockout",)
    assert caught.value.retry_after == pytest.approx(800)
    assert caught.value.endpoint == "Balance"
    clock.advance(800)
    breaker.check("Balance")


def test_keys_and_signatures_count_together():
    """A wrong key and a wrong signature feed the same row."""
    breaker = Breaker(VirtualClock())
    for error in (InvalidKey("x"), InvalidSignature("x")):
        breaker.failed(error)
        breaker.check("Balance")
    breaker.failed(InvalidKey("x"))
    with pytest.raises(InvalidKey):
        breaker.check("Balance")
    breaker.succeeded()
    breaker.check("Balance")


def test_the_standing_of_a_key_is_one():
    """Clients of one key share budget and breaker; those without a key share nothing."""
    clock = VirtualClock()
    nonces = NonceSource("ms", clock)
    assert standing(nonces, RetryPolicy(), clock) is standing(nonces, RetryPolicy(), clock)
    assert standing(None, RetryPolicy(), clock) is not standing(None, RetryPolicy(), clock)


def test_nonces_that_were_refused_together_are_one_failure():
    """Of sixteen that a window lets fly at once none could know that the first would be refused."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    for _round in range(9):
        clock.advance(1.0)
        sent = clock.monotonic()
        clock.advance(0.1)
        for _ in range(16):
            breaker.failed(InvalidNonce("x"), sent)
    assert breaker.reason is None
    clock.advance(1.0)
    assert breaker.left == 0
    breaker.failed(InvalidNonce("x"), clock.monotonic())
    assert breaker.left == pytest.approx(1)


def test_a_row_of_refused_nonces_closes_the_road_for_longer_each_time():
    """It may pass by itself, so one call is let through after a second, after two, four ..., a minute at most."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    for _ in range(9):
        breaker.failed(InvalidNonce("x"), clock.monotonic())
        assert breaker.left == 0
    for pause in (1, 2, 4, 8, 16, 32, 60, 60):
        breaker.failed(InvalidNonce("x"), clock.monotonic())
        assert breaker.left == pytest.approx(pause)
        with pytest.raises(InvalidNonce):
            breaker.check("Balance")
        clock.advance(pause)
        breaker.check("Balance")
    breaker.succeeded()
    for left in (*[0] * 9, 1):
        breaker.failed(InvalidNonce("x"), clock.monotonic())
        assert breaker.left == pytest.approx(left)

"""Tenacity driven by our rules; the budget and the breaker of a key."""

import contextlib

import anyio
import pytest

from krakenasync.client.retrying import persist
from krakenasync.client.standing import Budget
from krakenasync.errors import (
    KrakenError,
    ServiceUnavailable,
    Throttled,
)
from krakenasync.protocol.retries import RetryPolicy
from krakenasync.protocol.specs import Effect
from krakenasync.testing import run


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


@pytest.mark.parametrize(("seconds", "called_at"), [(6, [1000]), (8, [1000, 1007])])
def test_a_pause_is_begun_only_if_it_ends_before_the_caller_s_deadline(seconds, called_at):
    """Else the failure is told at once, however long the program has been running."""

    async def main(clock):
        await anyio.sleep(1000)
        attempt, called = attempts_that(clock, ServiceUnavailable("busy", retry_after=7.0), "done")
        with anyio.fail_after(seconds), contextlib.suppress(ServiceUnavailable):
            assert await made(attempt, **settings(clock)) == "done"
        assert [when for _number, when in called] == called_at

    run(main)


def test_what_the_limiter_asks_for_spends_no_budget():
    """A refusal of a counter is not a failure of the service: it is repeated on an empty budget too."""

    async def main(clock):
        empty = Budget(RetryPolicy(budget=0.0))
        attempt, called = attempts_that(clock, Throttled("x"), "done")
        assert await made(attempt, **settings(clock, budget=empty)) == "done"
        attempt, called = attempts_that(clock, ServiceUnavailable("x"), "done")
        with pytest.raises(ServiceUnavailable, match="too many calls of this key failed lately"):
            await made(attempt, **settings(clock, budget=empty))
        assert len(called) == 1

    run(main)


def test_a_repetition_that_succeeds_earns_a_part_of_its_cost_back():
    """As every success does; those that fail earn nothing."""

    async def main(clock):
        budget = Budget(RetryPolicy(budget=10.0, earn=0.2))
        attempt, _called = attempts_that(clock, ServiceUnavailable("x"), ServiceUnavailable("x"), "done")
        await made(attempt, **settings(clock, budget=budget))
        assert budget.left == pytest.approx(10 - 2 + 0.2)
        attempt, _called = attempts_that(clock, *[ServiceUnavailable("x")] * 5)
        with pytest.raises(ServiceUnavailable):
            await made(attempt, **settings(clock, budget=budget))
        assert budget.left == pytest.approx(8.2 - 4)

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

"""Balances again and again."""

import asyncio
from contextlib import aclosing
from decimal import Decimal

import anyio
import httpx
import pytest

from krakenasync import (
    AuthenticationError,
    ConfigurationError,
    InvalidKey,
    InvalidNonce,
    PermissionDenied,
    ServiceUnavailable,
    TemporaryLockout,
    poll_accounts,
)
from krakenasync.client.polling import changes, poll_balances
from krakenasync.testing import run


def test_changes_name_what_changed_only():
    """A change is told for assets that rose, fell, came or went, and for no other."""
    before = {"A": Decimal(1), "B": Decimal(2), "C": Decimal(3)}
    after = {"A": Decimal(1), "B": Decimal(5), "D": Decimal(4)}
    assert changes(before, after) == {"B": Decimal(3), "C": Decimal(-3), "D": Decimal(4)}


@pytest.mark.parametrize(
    "wrong",
    [
        {"every": 0},
        {"every": "5"},
        {"every": True},
        {"every": 5e-324},
        {"every": 1e308},
        {"buffer": -1},
        {"buffer": 1.5},
    ],
)
@pytest.mark.asyncio
async def test_what_cannot_work_is_refused_before_anybody_is_asked(wrong):
    """As the error it is, in no group."""
    with pytest.raises(ConfigurationError, match="is not valid"):
        async with poll_accounts({"alice": None}, **wrong):
            pass


def asking(clock, *answers, takes=0.0):
    """Make an ask function that plays the answers (the last one for ever), and the times it was called."""
    left, called = list(answers), []

    async def ask():
        called.append(clock.monotonic())
        await anyio.sleep(takes)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask, called


async def first(count, stream):
    found = []
    async with aclosing(stream) as snapshots:
        async for snapshot in snapshots:
            found.append(snapshot)
            if len(found) == count:
                break
    return found


def test_the_beat_is_kept():
    """Questions are asked at the beat, also when answers are slow; a missed beat is skipped."""

    async def main(clock):
        ask, called = asking(clock, {}, takes=1.0)
        await first(3, poll_balances(ask, 5.0, clock=clock))
        assert called == [0, 5, 10]
        ask, called = asking(clock, {}, takes=7.0)
        began = clock.monotonic()
        await first(3, poll_balances(ask, 5.0, clock=clock))
        assert [at - began for at in called] == [0, 10, 20]

    run(main)


def test_snapshots_tell_what_changed():
    """Snapshots are numbered, timed, and tell what changed since the one before; the first tells no change."""

    async def main(clock):
        ask, _called = asking(clock, {"A": Decimal(1)}, {"A": Decimal(1)}, {"A": Decimal(3)})
        snapshots = await first(3, poll_balances(ask, 5.0, clock=clock, account="alice"))
        assert [snapshot.number for snapshot in snapshots] == [1, 2, 3]
        assert [snapshot.changed for snapshot in snapshots] == [{}, {}, {"A": Decimal(2)}]
        assert {snapshot.account for snapshot in snapshots} == {"alice"}
        assert snapshots[1].at - snapshots[0].at == 5 * 10**9

    run(main)


def test_an_error_ends_the_iteration_or_is_handed_over():
    """An error is raised, or on request comes in a snapshot beside the last balances that were seen."""

    async def main(clock):
        busy = ServiceUnavailable("busy")
        ask, _called = asking(clock, {"A": Decimal(1)}, busy, {"A": Decimal(2)})
        with pytest.raises(ServiceUnavailable):
            await first(3, poll_balances(ask, 5.0, clock=clock))
        ask, _called = asking(clock, {"A": Decimal(1)}, busy, {"A": Decimal(2)})
        snapshots = await first(3, poll_balances(ask, 5.0, clock=clock, on_error="yield"))
        assert [snapshot.error for snapshot in snapshots] == [None, busy, None]
        assert snapshots[1].balances == {"A": Decimal(1)}
        assert snapshots[2].changed == {"A": Decimal(1)}

    run(main)


def test_the_first_balances_after_an_error_are_no_change():
    """What was never seen before did not change."""

    async def main(clock):
        ask, _called = asking(clock, ServiceUnavailable("busy"), {"A": Decimal(1)}, {"A": Decimal(2)})
        snapshots = await first(3, poll_balances(ask, 5.0, clock=clock, on_error="yield"))
        assert [snapshot.changed for snapshot in snapshots] == [{}, {}, {"A": Decimal(1)}]

    run(main)


@pytest.mark.parametrize("error", [InvalidKey("x"), PermissionDenied("x"), ConfigurationError("x")])
def test_what_only_a_person_can_mend_is_not_polled_on(error):
    """With a wrong key the error is told once and the polling ends, before it leads to a lockout."""

    async def main(clock):
        ask, called = asking(clock, error)
        snapshots = await first(5, poll_balances(ask, 5.0, clock=clock, on_error="yield"))
        assert len(snapshots) == len(called) == 1

    run(main)


def test_a_refusal_of_the_key_that_comes_again_ends_the_poll():
    """One without a known reason may pass; two in a row are no accident."""

    async def main(clock):
        refused = AuthenticationError("EAuth:Failed")
        ask, called = asking(clock, refused, {}, refused, refused, {})
        snapshots = await first(9, poll_balances(ask, 5.0, clock=clock, on_error="yield"))
        assert len(snapshots) == len(called) == 4

    run(main)


@pytest.mark.parametrize("error", [InvalidNonce("x"), TemporaryLockout("x")])
def test_what_passes_by_itself_is_polled_on(error):
    """A nonce that was overtaken, a lockout that ends."""

    async def main(clock):
        ask, _called = asking(clock, error, error, {})
        snapshots = await first(3, poll_balances(ask, 5.0, clock=clock, on_error="yield"))
        assert [snapshot.error for snapshot in snapshots] == [error, error, None]

    run(main)


@pytest.mark.parametrize(
    "wrong", [{"every": 0}, {"every": -1}, {"every": "5"}, {"on_error": "ignore"}, {"on_error": []}]
)
def test_settings_that_cannot_work(naive_kraken, wrong):
    """A beat that is no positive number and an unknown word are refused before anything is sent."""

    async def main(clock):
        exchange = naive_kraken(clock)
        with pytest.raises(ConfigurationError):
            await first(1, exchange.client().poll_balances(**wrong))
        assert not exchange.seen

    run(main)


def test_polls_stand_behind_other_calls(naive_kraken):
    """Polling uses the background lane."""

    async def main(clock):
        kraken = naive_kraken(clock).client()
        for _ in range(15):
            await kraken.balance()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first, 1, kraken.poll_balances(5.0))
            await anyio.sleep(0.1)
            assert kraken.limits.snapshot().rest.waiting_by_lane == (0, 0, 1)

    run(main)


def test_many_accounts_at_once(naive_kraken):
    """Accounts are polled concurrently; one that fails says so in its snapshots and holds nobody up."""

    async def main(clock):
        exchanges = {name: naive_kraken(clock, tier="pro", jitter=0.1) for name in ("alice", "bob", "carol")}
        exchanges["bob"].script = [("Balance", httpx.Response(503))] * 1000
        exchanges["carol"].script = [("Balance", "EAPI:Invalid key")]
        clients = {name: one.client(api_key=name, tier="pro", max_attempts=1) for name, one in exchanges.items()}
        seen = {name: [] for name in clients}
        async with poll_accounts(clients, every=2.0) as snapshots:
            async for snapshot in snapshots:
                seen[snapshot.account].append(snapshot)
                if len(seen["alice"]) == 10:
                    break
        assert clock.monotonic() == pytest.approx(18.0, abs=0.5)
        assert all(snapshot.error is None for snapshot in seen["alice"])
        assert len(seen["bob"]) >= 9
        assert all(isinstance(snapshot.error, ServiceUnavailable) for snapshot in seen["bob"])
        assert [type(snapshot.error) for snapshot in seen["carol"]] == [InvalidKey]

    run(main)


def test_an_error_in_the_callers_block_comes_out_as_it_is(naive_kraken):
    """What the caller raises is not wrapped in a group, and the polling ends."""

    async def main(clock):
        clients = {"alice": naive_kraken(clock).client()}

        async def reads():
            async with poll_accounts(clients) as snapshots:
                async for _snapshot in snapshots:
                    raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await reads()
        async with poll_accounts({}) as snapshots:
            assert [snapshot async for snapshot in snapshots] == []

    run(main)


def test_a_task_group_of_the_caller_that_fails_in_the_block_does_not_cancel_it(naive_kraken):
    """Up to Python 3.12 asyncio.TaskGroup leaves its task marked; the caller has handled it, and polling goes on."""

    async def fails():
        raise ZeroDivisionError

    async def main(clock):
        async with poll_accounts({"alice": naive_kraken(clock, tier="pro").client(tier="pro")}) as snapshots:
            async for snapshot in snapshots:
                with pytest.raises(ExceptionGroup):
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(fails())
                if snapshot.number == 3:
                    break

    run(main)


def test_a_slow_reader_is_waited_for(naive_kraken):
    """When the reader is behind by the buffer, polling waits instead of piling up."""

    async def main(clock):
        exchange = naive_kraken(clock, tier="pro")
        async with poll_accounts({"alice": exchange.client(tier="pro")}, every=1.0, buffer=2) as snapshots:
            await anyio.sleep(60.0)
            assert len(exchange.seen) <= 4
            async for snapshot in snapshots:
                assert snapshot.number == 1
                break

    run(main)

"""A call cancelled at any moment leaves gate and lane as if it had never been, or as if it had been sent."""

import asyncio
import base64

import anyio
import anyio.lowlevel
import httpx
import pytest

from krakenasync import KrakenClient
from krakenasync.client.nonces import STRAGGLING
from krakenasync.state.memory import MemoryState
from krakenasync.testing import run
from krakenasync.testing.clock import LoopClock

SECRET = base64.b64encode(b"secret").decode()


class Path:
    """A server that takes several scheduler steps to answer, and counts what reached it."""

    def __init__(self):
        self.arrived = 0

    async def __call__(self, _request):
        self.arrived += 1  # the whole request is there
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return httpx.Response(200, json={"error": [], "result": {"count": 1}})


def client_for(path, clock, **settings):
    return KrakenClient(
        "key",
        SECRET,
        tier="pro",
        base_url="http://kraken.test",
        http_client=httpx.AsyncClient(transport=httpx.MockTransport(path)),
        clock=clock,
        state=MemoryState(clock),
        **settings,
    )


async def steps(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def gone(task):
    """Wait for a task that was cancelled, and tell whether it ended so."""
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


@pytest.mark.parametrize("window", [0, 1000])
@pytest.mark.parametrize("count", range(40))
def test_cancelled_after_any_number_of_steps(count, window):
    """After a cancellation at each await in turn, the counter holds what was sent and the next call goes through."""

    async def main(clock):
        path = Path()
        kraken = client_for(path, clock, nonce_window=window)
        call = asyncio.create_task(kraken.private("Balance"))
        await steps(count)
        call.cancel()
        await gone(call)
        rest = kraken.limits.snapshot().rest
        assert rest.level + rest.held == path.arrived
        assert rest.waiting == 0
        with anyio.fail_after(5.0):
            await kraken.private("Balance")
        rest = kraken.limits.snapshot().rest
        assert rest.level + rest.held == pytest.approx(path.arrived)

    run(main)


@pytest.mark.parametrize("count", range(0, 60, 3))
@pytest.mark.parametrize("victim", range(4))
def test_cancelled_among_others(count, victim):
    """When one of several calls in line is cancelled at any moment, the others are all answered, each sent once."""

    async def main(clock):
        path = Path()
        kraken = client_for(path, clock)
        calls = [asyncio.create_task(kraken.private("Balance")) for _ in range(4)]
        await steps(count)
        calls[victim].cancel()
        cancelled = await gone(calls[victim])
        with anyio.fail_after(5.0):
            answers = await asyncio.gather(*(call for call in calls if call is not calls[victim]))
        assert len(answers) == 3
        assert 3 <= path.arrived <= 4
        assert cancelled or path.arrived == 4
        rest = kraken.limits.snapshot().rest
        # One that was under way kept the lane for a moment, in which a part of the others' points has decayed.
        assert path.arrived - clock.monotonic() <= rest.level + rest.held <= path.arrived
        under_way = cancelled and path.arrived == 4 and victim < 3
        assert 0 < clock.monotonic() <= STRAGGLING if under_way else clock.monotonic() == 0

    run(main)


@pytest.mark.parametrize("wait", [0.0, 0.5, 1.0, 1.5, 2.0])
def test_cancelled_while_waiting_for_the_limiter(wait):
    """A call cancelled in the limiter's line pays nothing, and the next one is not held up by it."""

    async def main(clock):
        path = Path()
        kraken = client_for(path, clock)
        for _ in range(20):
            await kraken.private("Balance")
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(kraken.private, "Balance")
                await anyio.sleep(wait)
                scope.cancel()
        sent = path.arrived
        await kraken.private("Balance")
        assert path.arrived == sent + 1
        assert clock.monotonic() == pytest.approx(2.0 + (sent - 20), abs=0.6)

    run(main)


def test_a_thousand_calls_cancelled_in_line():
    """1,000 calls cancelled while they wait cost the next one nothing but its own point."""

    async def main(clock):
        path = Path()
        kraken = client_for(path, clock)
        for _ in range(20):
            await kraken.private("Balance")
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                for _ in range(1000):
                    tasks.start_soon(kraken.private, "Balance")
                await anyio.sleep(0.5)
                scope.cancel()
        assert path.arrived == 20
        await kraken.private("Balance")
        assert clock.monotonic() == pytest.approx(2.0, abs=0.1)

    run(main)


@pytest.mark.parametrize("count", range(12))
def test_cancelled_under_trio(count):
    """The same holds on trio: whatever the moment, the next call goes through."""

    async def main():
        clock, arrived = LoopClock(), 0
        began = clock.monotonic()

        async def path(_request):
            nonlocal arrived
            arrived += 1
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            return httpx.Response(200, json={"error": [], "result": {}})

        kraken = client_for(path, clock)
        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as inner:
                    inner.start_soon(kraken.private, "Balance")
                    inner.start_soon(kraken.private, "Balance")
                    for _ in range(count):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()
            tasks.start_soon(kraken.private, "Balance")
        rest = kraken.limits.snapshot().rest
        passed = clock.monotonic() - began
        assert arrived - passed <= rest.level + rest.held <= arrived

    anyio.run(main, backend="trio")

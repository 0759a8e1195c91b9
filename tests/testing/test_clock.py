"""Virtual time: hours in milliseconds, the same on every run."""

import time

import anyio
import pytest

from krakenasync.testing import VirtualClock, run
from krakenasync.testing import clock as module
from krakenasync.testing.clock import LoopClock


def test_an_hour_takes_no_time():
    """A loop whose tasks all sleep jumps to the next wake-up."""

    async def main(clock):
        await anyio.sleep(3600)
        return clock.monotonic(), clock.wall_ns()

    began = time.monotonic()
    elapsed, wall = run(main)
    assert time.monotonic() - began < 2
    assert elapsed == pytest.approx(3600)
    assert wall == VirtualClock().wall_ns() + round(elapsed * 1e9)


def test_tasks_wake_in_their_order():
    """Timers fire at their own time, not at the first one's."""

    async def main(clock):
        woken = []

        async def sleeper(seconds):
            await anyio.sleep(seconds)
            woken.append((seconds, round(clock.monotonic(), 6)))

        async with anyio.create_task_group() as tasks:
            for seconds in (3, 1, 2):
                tasks.start_soon(sleeper, seconds)
        return woken

    assert run(main) == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_timeouts_are_virtual_too():
    """anyio's deadlines follow the virtual clock."""

    async def main(clock):
        with anyio.move_on_after(50) as scope:
            await anyio.sleep_forever()
        return scope.cancelled_caught, clock.monotonic()

    assert run(main) == (True, pytest.approx(50))


def test_the_calendar_can_be_set():
    """Setting the calendar moves wall_ns alone."""
    clock = VirtualClock(wall_ns=10**18)
    clock.advance(2.5)
    clock.advance(-1.0)
    clock.step_wall(-100)
    assert clock.monotonic() == 2.5
    assert clock.wall_ns() == 10**18 + 2_500_000_000 - 100 * 10**9
    assert repr(clock) == "VirtualClock(2.500000 s)"


def test_a_deadlock_is_an_error(monkeypatch):
    """When nothing can ever happen any more, the loop says so instead of hanging."""
    monkeypatch.setattr(module, "_PATIENCE", 0.01)

    async def main(_clock):
        await anyio.Event().wait()

    with pytest.raises(RuntimeError, match="never happen"):
        run(main)


def test_the_loops_own_clock():
    """LoopClock shows the running loop's time, on a calendar that begins at a fixed moment."""

    async def main(clock):
        own = LoopClock()
        await anyio.sleep(5)
        return own.monotonic() == clock.monotonic(), own.wall_ns() == clock.wall_ns()

    assert run(main) == (True, True)

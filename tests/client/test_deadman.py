"""The dead man's switch: armed before the block, kept from firing, turned off when all went well."""

import asyncio
import logging
from datetime import UTC, datetime
from itertools import pairwise
from urllib.parse import parse_qs

import anyio
import httpx
import pytest
import trio
import trio.testing

from krakenasync import (
    InvalidArguments,
    KrakenClient,
    OutcomeUnknown,
    PermissionDenied,
    RetryPolicy,
    ServiceUnavailable,
)
from krakenasync.client.deadman import dead_man_switch
from krakenasync.spot.changes import CancelsAt
from krakenasync.state.memory import MemoryState
from krakenasync.testing import in_process, run
from krakenasync.testing.clock import LoopClock

LOST = httpx.ReadTimeout("lost")


class Exchange:
    """Knows CancelAllOrdersAfter, and takes its time. An httpx transport's handler.

    Attributes:
        script: What is to become of the next calls of the timer: None for an answer, an exception that loses the
            answer, a string for a refusal, ``"silence"`` for no answer within any patience, or seconds after which a
            call without an answer is carried out.
        timers: (when, timeout) of the calls that arrived.
    """

    def __init__(self, clock, travel=0.0):
        self.clock = clock
        self.travel = travel
        self.script = []
        self.timers = []
        self.fires_at = None
        self.fired_at = None
        self.late = []
        self.other_calls = 0
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self))

    def client(self, **settings):
        chosen = {"clock": self.clock, "state": MemoryState(self.clock), "http_client": self.http, "tier": "pro"}
        return KrakenClient("key", "c2VjcmV0", base_url="http://kraken.test", **{**chosen, **settings})

    async def __call__(self, request):
        await anyio.sleep(self.travel)
        if not request.url.path.endswith("CancelAllOrdersAfter"):
            self.other_calls += 1
            return httpx.Response(200, json={"error": [], "result": {}})
        what = self.script.pop(0) if self.script else None
        if what == "silence":
            await anyio.sleep_forever()
        if isinstance(what, str):
            return httpx.Response(200, json={"error": [what]})
        now = self.clock.monotonic()
        self.look()
        timeout = int(parse_qs(request.content.decode())["timeout"][0])
        if isinstance(what, float):
            self.late.append((now + what, timeout))
            raise LOST
        self.timers.append((round(now, 3), timeout))
        self.fires_at = now + timeout if timeout else None
        if what is not None:
            raise what
        trigger = datetime.fromtimestamp(now + timeout, UTC).isoformat() if timeout else "0"
        result = {"currentTime": datetime.fromtimestamp(now, UTC).isoformat(), "triggerTime": trigger}
        return httpx.Response(200, json={"error": [], "result": result})

    def look(self):
        """Carry out what is late, and let the switch fire if its time has come."""
        for at, timeout in tuple(self.late):
            if at <= self.clock.monotonic():
                self.late.remove((at, timeout))
                self.timers.append((round(at, 3), timeout))
                self.fires_at = at + timeout
        if self.fires_at is not None and self.fires_at <= self.clock.monotonic():
            self.fired_at, self.fires_at = self.fires_at, None
        return self.fired_at


def test_a_switch_that_fired_says_so(caplog):
    """The program stood still for longer than the timeout; the next renewal arms the switch anew, and tells."""

    async def main(clock):
        exchange = Exchange(clock)
        async with exchange.client() as kraken, kraken.dead_man_switch(60) as switch:
            await anyio.sleep(30)
            assert (switch.renewals, switch.fired_at) == (1, None)
            clock.advance(90)
            await anyio.sleep(1)
            assert switch.fired_at == datetime.fromtimestamp(exchange.fired_at, UTC)
            assert "has fired" in caplog.text

    run(main)


def test_a_switch_that_fired_is_found_out_when_it_is_turned_off():
    """No renewal reached Kraken, and then the block ended well."""

    async def main(clock):
        exchange = Exchange(clock)
        async with exchange.client(retry=RetryPolicy(attempts=1)) as kraken, kraken.dead_man_switch(60) as switch:
            exchange.script = ["EAPI:Rate limit exceeded"] * 20
            await anyio.sleep(70)
            exchange.script = []
        assert exchange.fired_at == 60
        assert switch.fired_at == datetime.fromtimestamp(60, UTC)

    run(main)


def test_a_switch_that_may_not_have_fired_does_not_say_it_has(caplog):
    """Renewals arrived and their answers did not: by what is known it is late, at Kraken it is not."""

    async def main(clock):
        exchange = Exchange(clock)
        async with exchange.client(retry=RetryPolicy(attempts=1)) as kraken, kraken.dead_man_switch(60) as switch:
            exchange.script = [LOST] * 20
            await anyio.sleep(62)
            exchange.script = []
            await anyio.sleep(20)
            assert switch.fired_at is exchange.fired_at is None
            assert "may have fired" in caplog.text

    run(main)


def test_it_is_armed_before_the_block_and_turned_off_after_it():
    """The block begins with the timer set; after a clean end nothing is left to fire."""

    async def main(clock):
        kraken = Exchange(clock)
        async with kraken.client().dead_man_switch(timeout=60) as switch:
            assert kraken.timers == [(0, 60)]
            assert switch.fires_at == datetime.fromtimestamp(60, UTC)
            assert (switch.timeout, switch.renewals, switch.error) == (60, 0, None)
        assert kraken.timers == [(0, 60), (0, 0)]
        await anyio.sleep(100)
        assert kraken.look() is None
        assert "60 s" in repr(switch)

    run(main)


def test_it_is_renewed_three_times_within_each_timeout():
    """Renewals begin a third of the timeout apart, however long an answer takes."""

    async def main(clock):
        kraken = Exchange(clock, travel=1.0)
        async with kraken.client().dead_man_switch(timeout=60) as switch:
            await anyio.sleep(125)
            assert switch.renewals == 6
            assert switch.fires_at == datetime.fromtimestamp(121 + 60, UTC)
        assert kraken.timers == [(1 + 20 * n, 60) for n in range(7)] + [(127, 0)]
        assert kraken.look() is None

    run(main)


def test_it_goes_before_everything_else_on_the_key():
    """Polls and other calls fill the key's lane; a renewal waits for the one that is in flight and no other."""

    async def main(clock):
        kraken = Exchange(clock, travel=1.0)
        client = kraken.client()

        async def ask(lane):
            while True:
                await client.with_options(lane=lane).private("Balance")

        async with anyio.create_task_group() as tasks:
            for lane in ("background", "normal") * 15:
                tasks.start_soon(ask, lane)
            await anyio.sleep(5)
            async with client.dead_man_switch(timeout=12) as switch:
                await anyio.sleep(60)
                assert switch.error is None
            tasks.cancel_scope.cancel()
        gaps = [later - earlier for (earlier, _), (later, _) in zip(kraken.timers, kraken.timers[1:], strict=False)]
        assert max(gaps) <= 4 + 2
        assert kraken.other_calls > 20
        assert kraken.fired_at is None

    run(main)


@pytest.mark.parametrize("error", [ValueError("bug"), ExceptionGroup("two", [ValueError()]), SystemExit(3)])
def test_an_error_of_the_block_arrives_as_it_is_and_leaves_the_switch_armed(error):
    """No ExceptionGroup is wrapped around it; the renewals end and Kraken cancels everything in time."""

    async def main(clock):
        kraken = Exchange(clock)

        async def trade():
            async with kraken.client().dead_man_switch(timeout=60):
                await anyio.sleep(30)
                raise error

        with pytest.raises(type(error)) as caught:
            await trade()
        assert caught.value is error
        await anyio.sleep(49)
        assert kraken.look() is None
        await anyio.sleep(2)
        assert kraken.look() == 20 + 60

    run(main)


def test_a_cancelled_block_leaves_the_switch_armed():
    """A timeout around the block, or a cancelled task: nobody watches the orders any more."""

    async def main(clock):
        kraken = Exchange(clock)
        with anyio.move_on_after(30) as scope:
            async with kraken.client().dead_man_switch(timeout=60):
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        await anyio.sleep(60)
        assert kraken.look() == 80

        async def trade():
            async with kraken.client().dead_man_switch(timeout=60):
                await anyio.sleep_forever()

        task = asyncio.create_task(trade())
        await anyio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert kraken.timers[-1][1] == 60

    run(main)


@pytest.mark.parametrize("script", [[LOST, None], [LOST, LOST, None], ["EService:Busy", None]])
def test_turning_it_off_is_tried_again(script):
    """A lost answer or a busy engine must not leave it armed after a clean end."""

    async def main(clock):
        kraken = Exchange(clock)
        async with kraken.client(max_attempts=1).dead_man_switch(timeout=60):
            kraken.script = list(script)
        assert kraken.timers[-1][1] == 0
        assert kraken.fires_at is None
        assert kraken.script == []

    run(main)


def test_if_it_cannot_be_turned_off_that_is_said():
    """After a minute of lost answers it has fired, or nobody knows."""

    async def main(clock):
        kraken = Exchange(clock)
        with pytest.raises(OutcomeUnknown):
            async with kraken.client().dead_man_switch(timeout=60):
                kraken.script = [LOST] * 99
        assert 55 < clock.monotonic() < 65

    run(main)


@pytest.mark.parametrize("failure", [LOST, "EService:Unavailable", "EAPI:Invalid nonce"])
def test_turning_it_off_is_tried_for_as_long_as_it_does_not_fire(failure):
    """A switch that stays armed would cancel orders that are to stay."""

    async def main(clock):
        kraken = Exchange(clock)
        async with kraken.client(retry=RetryPolicy(attempts=1)).dead_man_switch(timeout=60):
            kraken.script = [failure] * 8
        assert kraken.timers[-1][1] == 0
        await anyio.sleep(100)
        kraken.look()
        assert kraken.fired_at is None

    run(main)


def test_arming_is_tried_again_too():
    """Whether the first call armed it is not known; the second one says."""

    async def main(clock):
        kraken = Exchange(clock)
        kraken.script = [LOST]
        async with kraken.client().dead_man_switch(timeout=60) as switch:
            assert switch.fires_at is not None

    run(main)


def test_if_it_cannot_be_armed_the_block_is_not_entered():
    """A key that may not trade cannot arm it."""

    async def main(clock):
        kraken = Exchange(clock)
        kraken.script = ["EGeneral:Permission denied"]
        with pytest.raises(PermissionDenied):
            async with kraken.client().dead_man_switch(timeout=60):
                pytest.fail("entered")

    run(main)


def test_a_failed_renewal_is_logged_and_made_up_for_sooner(caplog):
    """The next try comes after a ninth of the timeout, not after a third."""

    async def main(clock):
        kraken = Exchange(clock)
        async with kraken.client(max_attempts=1).dead_man_switch(timeout=90) as switch:
            kraken.script = ["EGeneral:Internal error", LOST]
            await anyio.sleep(45)
            assert switch.error is not None
            await anyio.sleep(10)
            assert (switch.error, switch.renewals) == (None, 1)
        assert [moment for moment, _ in kraken.timers] == [0, 40, 50, 55]
        assert kraken.fired_at is None

    with caplog.at_level(logging.WARNING, "krakenasync"):
        run(main)
    assert caplog.text.count("could not be renewed") == 2


def test_a_renewal_without_an_answer_is_logged_with_its_reason(caplog):
    """A timeout has no text of its own."""

    async def main(clock):
        kraken = Exchange(clock)
        async with kraken.client(max_attempts=1, timeout=60).dead_man_switch(timeout=90):
            kraken.script = ["silence"]
            await anyio.sleep(80)

    with caplog.at_level(logging.WARNING, "krakenasync"):
        run(main)
    assert "could not be renewed: no answer in time" in caplog.text


def test_a_try_that_hangs_does_not_take_the_time_of_the_next_one():
    """Shorter than the client's own patience: with 10 s to live, a silent connection must not cost 30."""

    async def main(clock):
        kraken = Exchange(clock)
        async with kraken.client(timeout=30).dead_man_switch(timeout=10) as switch:
            kraken.script = ["silence"]
            await anyio.sleep(8)
            assert switch.renewals == 1
            assert kraken.look() is None

    run(main)


@pytest.mark.parametrize("carried_out_after", [0.0, 3.0, 9.0])
def test_a_renewal_that_is_carried_out_after_the_end_arms_nothing(carried_out_after):
    """Half a second before the block ends a renewal loses its answer; the exchange may carry it out after the 0."""

    async def main(clock):
        kraken = Exchange(clock)
        async with kraken.client(max_attempts=1).dead_man_switch(timeout=60):
            kraken.script = [carried_out_after]
            await anyio.sleep(20.5)
        assert (20 + carried_out_after, 60) in kraken.timers
        await anyio.sleep(100)
        assert (kraken.look(), kraken.fires_at) == (None, None)

    run(main)


def test_a_renewal_that_was_lost_long_ago_delays_no_end():
    """It can arrive no longer: one 0 is enough, at once."""

    async def main(clock):
        kraken = Exchange(clock)
        async with kraken.client(max_attempts=1).dead_man_switch(timeout=60):
            kraken.script = [LOST]
            await anyio.sleep(39)
        assert [each for each in kraken.timers if not each[1]] == [(39, 0)]
        assert clock.monotonic() < 40

    run(main)


@pytest.mark.parametrize("timeout", [0, 9, -1, 86400, 30.0, "60", True, None])
def test_a_timeout_that_cannot_be_is_refused(timeout):
    """Whole seconds from 10 up, less than a day; nothing is sent."""

    async def main(clock):
        kraken = Exchange(clock)
        with pytest.raises(InvalidArguments, match="whole seconds"):
            async with kraken.client().dead_man_switch(timeout=timeout):
                pytest.fail("entered")
        assert kraken.timers == []

    run(main)


def test_it_is_charged_to_no_counter():
    """Of an account without orders; and it never waits."""

    async def main(clock):
        kraken = Exchange(clock)
        client = kraken.client()
        async with client.dead_man_switch(timeout=60):
            await anyio.sleep(600)
        counters = client.limits.snapshot()
        assert all(counter.level + counter.held == 0 for counter in counters.values())

    run(main)


def test_the_sandbox_cancels_the_orders_of_a_program_that_crashed():
    """After an error in the block the resting order stays for the timeout, and is then gone."""

    async def main(clock):
        async with in_process(clock=clock).client() as kraken:
            order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "1000", "volume": "0.01"}

            async def trade():
                async with kraken.dead_man_switch(timeout=60):
                    await kraken.add_order(**order)
                    await anyio.sleep(300)
                    raise ValueError("bug")

            with pytest.raises(ValueError, match="bug"):
                await trade()
            assert len((await kraken.open_orders()).open) == 1
            await anyio.sleep(61)
            assert (await kraken.open_orders()).open == {}
            async with kraken.dead_man_switch(timeout=60):
                await kraken.add_order(**order)
            await anyio.sleep(100)
            assert len((await kraken.open_orders()).open) == 1

    run(main)


def test_it_works_on_trio():
    """Renewed, turned off, left armed, its errors bare: the same on trio."""

    async def main():
        kraken = Exchange(LoopClock())
        client = kraken.client()
        began = kraken.clock.monotonic()
        async with client.dead_man_switch(timeout=60) as switch:
            await trio.sleep(50)
            assert switch.renewals == 2
        assert kraken.fires_at is None
        with pytest.raises(ValueError, match="bug"):
            async with client.dead_man_switch(timeout=60):
                raise ValueError("bug")
        assert kraken.fires_at is not None
        with trio.move_on_after(1) as scope:
            async with client.dead_man_switch(timeout=60):
                await trio.sleep_forever()
        assert scope.cancelled_caught
        assert kraken.timers[-1][1] == 60
        await trio.sleep(61)
        assert kraken.look() == pytest.approx(began + 50 + 60, abs=1)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_a_renewal_under_way_is_awaited_before_the_switch_is_turned_off():
    """With a nonce window it could arrive after the 0, arm the switch again and have it fire on a block that ended."""

    async def main(clock):
        log = []

        async def set_timer(timeout):  # noqa: ASYNC109 - Kraken's, not ours
            log.append(("sent", timeout))
            await anyio.sleep(1.0)
            log.append(("set", timeout))
            return CancelsAt(current_time=datetime.fromtimestamp(0, UTC), trigger_time=None)

        async with dead_man_switch(set_timer, 30) as switch:
            await anyio.sleep(9.5)
            assert log[-1] == ("sent", 30)
        assert log == [("sent", 30), ("set", 30), ("sent", 30), ("set", 30), ("sent", 0), ("set", 0)]
        assert switch.renewals == 1
        assert clock.monotonic() < 15

    run(main)


class Timer:
    """Sets the switch by a script of errors; notes when each call came."""

    def __init__(self, clock, *script, takes=0.0):
        self.clock, self.script, self.takes, self.calls = clock, list(script), takes, []

    async def __call__(self, timeout):  # noqa: ASYNC109 - Kraken's, not ours
        self.calls.append((round(self.clock.monotonic(), 3), timeout))
        await anyio.sleep(self.takes)
        if self.script and (error := self.script.pop(0)) is not None:
            raise error
        now = datetime.fromtimestamp(0, UTC)
        return CancelsAt(current_time=now, trigger_time=now)


def busy(retry_after=None):
    return ServiceUnavailable("busy", effect="none", retry_after=retry_after, retryable=True)


def test_an_error_that_names_its_pause_is_heeded():
    """Arming waits for what is said, a second at least, but no longer than ten in all; three times at most."""

    async def main(clock):
        timer = Timer(clock, busy(4.0), busy(0.1))
        async with dead_man_switch(timer, 60):
            pass
        assert timer.calls == [(0.0, 60), (4.0, 60), (5.0, 60), (5.0, 0)]
        for script in ([busy(11.0)], [busy(6.0), busy(6.0)], [busy()] * 3):
            began, timer = round(clock.monotonic(), 3), Timer(clock, *script)
            with pytest.raises(ServiceUnavailable):
                async with dead_man_switch(timer, 60):
                    pytest.fail("entered")
            assert len(timer.calls) == len(script)
            assert clock.monotonic() - began < 10

    run(main)


@pytest.mark.parametrize(("timeout", "longest"), [(600, 60), (30, 30)])
def test_turning_it_off_is_tried_for_a_minute_or_until_it_fires(timeout, longest):
    """From when the last setting was sent: it may have been carried out at once."""

    async def main(clock):
        timer = Timer(clock, None, *[busy(7.0)] * 99, takes=0.5)
        with pytest.raises(ServiceUnavailable):
            async with dead_man_switch(timer, timeout):
                pass
        first, last = timer.calls[1][0], timer.calls[-1][0]
        assert {each for _at, each in timer.calls[1:]} == {0}
        assert longest - 8 < last - first <= longest - 0.5 * (timeout == longest)
        assert [later - sooner for (sooner, _), (later, _) in pairwise(timer.calls[1:])] == pytest.approx(
            [7.5] * (len(timer.calls) - 2)
        )

    run(main)


async def fail_a_group_and_go_on():
    """Let a task of an asyncio.TaskGroup fail and handle that: up to Python 3.12 it leaves this task marked."""

    async def fails():
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fails())


@pytest.mark.parametrize("wait", [0, 100])
def test_a_task_group_of_the_caller_that_fails_in_the_block_does_not_leave_the_switch_armed(wait):
    """The caller has handled it, and the block ends normally."""

    async def main(clock):
        exchange = Exchange(clock)
        async with exchange.client() as kraken, kraken.dead_man_switch(timeout=60):
            await fail_a_group_and_go_on()
            await anyio.sleep(wait)
        assert exchange.timers[-1][1] == 0

    run(main)


def test_the_error_of_a_task_group_of_the_caller_leaves_the_block_as_it_is():
    """Nor does it become a cancellation if it is not handled inside."""

    async def main(clock):
        exchange = Exchange(clock)

        async def trades():
            async with exchange.client() as kraken, kraken.dead_man_switch(timeout=60):
                await fail_a_group_and_go_on()
                raise LookupError

        with pytest.raises(LookupError):
            await trades()
        assert [timeout for _when, timeout in exchange.timers] == [60]

    run(main)

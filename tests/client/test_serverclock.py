"""Kraken's clock is read seldom, by one for all, and again when an answer was slow."""

import anyio
import anyio.lowlevel
import pytest

from krakenasync import NotSent, RateLimitTimeout
from krakenasync.client.queueing import Lane
from krakenasync.client.serverclock import ServerClock
from krakenasync.protocol.wire import Answer
from krakenasync.spot.market import ServerTime
from krakenasync.testing import run

SECOND = 10**9


class Distant:
    """Kraken's Time, some seconds away; as many as are listed, then at once."""

    patience = (10.0, 5)

    def __init__(self, clock, *ways):
        self.clock, self.ways, self.asked, self.error = clock, list(ways), 0, None

    def with_options(self, *, lane, max_age):
        assert (lane, max_age) == (Lane.URGENT, None)  # else it may wait behind what does not matter, or be an old one
        return self

    async def send(self, _request, _late=None):
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        if self.error:
            raise self.error
        shown = self.clock.wall_ns() // SECOND
        await anyio.sleep(self.ways.pop(0) if self.ways else 0.0)
        return Answer(ServerTime(unixtime=shown, rfc1123=""), (), b"")


def test_all_who_ask_at_once_share_one_reading():
    """Also those who want it anew: the one made meanwhile is new."""

    async def main(clock):
        server, kraken = ServerClock(clock), Distant(clock, 0.5, 0.5)
        async with anyio.create_task_group() as crowd:
            for number in range(50):
                crowd.start_soon(lambda anew: server.refresh(kraken, anew=anew), bool(number % 2))
        assert kraken.asked == 1
        await server.refresh(kraken)
        assert kraken.asked == 1
        await server.refresh(kraken, anew=True)
        assert kraken.asked == 2

    run(main)


@pytest.mark.parametrize(("ways", "asked"), [([1.9], 1), ([5], 2), ([5, 5], 3), ([5, 5, 5], 3)])
def test_slow_answers_are_asked_for_again_at_most_twice(ways, asked):
    """And what they tell together is never ahead of the truth."""

    async def main(clock):
        server, kraken = ServerClock(clock), Distant(clock, *ways)
        await server.refresh(kraken)
        assert kraken.asked == asked
        assert server.at_least() <= clock.wall_ns()
        if asked == len(ways) + 1:
            assert abs(server.likely() - clock.wall_ns()) <= SECOND

    run(main)


def test_sleeping_until_a_moment_never_ends_before_it():
    """By the bound that is never ahead."""

    async def main(clock):
        server = ServerClock(clock)
        await server.refresh(Distant(clock))
        moment = clock.wall_ns() + 7 * SECOND + 1
        await server.sleep_until(moment)
        assert moment <= clock.wall_ns() <= moment + 1.1 * SECOND
        before = clock.monotonic()
        await server.sleep_until(moment - SECOND)
        assert clock.monotonic() == before

    run(main)


def test_the_first_reading_may_fail_and_a_later_one_need_not_succeed():
    """Without any reading there is no time; with an old one there is a bound."""

    async def main(clock):
        server, kraken = ServerClock(clock), Distant(clock)
        kraken.error = NotSent("down")
        with pytest.raises(NotSent):
            await server.refresh(kraken)
        kraken.error = None
        await server.refresh(kraken)
        await anyio.sleep(3600)
        kraken.error = NotSent("down")
        await server.refresh(kraken)
        assert kraken.asked == 3
        assert server.at_least() <= clock.wall_ns()

    run(main)


@pytest.mark.parametrize("read", [False, True])
def test_one_failure_answers_all_who_waited_for_it(read):
    """Else each would try in turn, and the last hear of it after as many timeouts."""

    async def main(clock):
        server, kraken, told = ServerClock(clock), Distant(clock), []
        if read:
            await server.refresh(kraken)
            await anyio.sleep(3600)
        kraken.asked, kraken.error = 0, NotSent("down")

        async def ask():
            try:
                await server.refresh(kraken)
            except NotSent as error:
                told.append(error)

        async with anyio.create_task_group() as crowd:
            for _ in range(30):
                crowd.start_soon(ask)
        assert kraken.asked == 1
        assert len({id(error) for error in told}) == (0 if read else 30)  # a traceback grows on each
        await ask()
        assert kraken.asked == 2

    run(main)


@pytest.mark.parametrize("patience", [(0.1, 1), (0.1, 9), (99.0, 1)])
def test_who_is_more_patient_asks_for_himself(patience):
    """A failure after a tenth of a second, or one attempt, says nothing to those who would allow for more."""

    async def main(clock):
        server, hasty, patient = ServerClock(clock), Distant(clock), Distant(clock)
        hasty.patience, hasty.error = patience, NotSent("down")

        async def fail():
            with pytest.raises(NotSent):
                await server.refresh(hasty)

        async with anyio.create_task_group() as crowd:
            crowd.start_soon(fail)
            crowd.start_soon(server.refresh, patient)
        assert (hasty.asked, patient.asked) == (1, 1)

    run(main)


def test_a_deadline_of_one_caller_is_no_answer_for_the_others():
    """They ask for themselves."""

    async def main(clock):
        server, kraken = ServerClock(clock), Distant(clock)
        kraken.error = RateLimitTimeout("no time left")

        async def ask():
            with pytest.raises(RateLimitTimeout):
                await server.refresh(kraken)

        async with anyio.create_task_group() as crowd:
            crowd.start_soon(ask)
            crowd.start_soon(ask)
        assert kraken.asked == 2

    run(main)


def test_a_machine_that_slept_reads_the_clock_anew():
    """Its calendar has gone on without its steady clock."""

    async def main(clock):
        server, kraken = ServerClock(clock), Distant(clock)
        await server.refresh(kraken)
        clock.step_wall(3600)
        await server.refresh(kraken)
        assert kraken.asked == 2
        assert clock.wall_ns() - server.at_least() <= SECOND

    run(main)

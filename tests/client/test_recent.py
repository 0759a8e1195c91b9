"""Answers that will do again."""

import asyncio
from decimal import Decimal

import anyio
import pytest

from krakenasync import RateLimitTimeout, ServiceUnavailable
from krakenasync.client.queueing import Lane
from krakenasync.client.raw import raw_call
from krakenasync.client.recent import Recent
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.protocol.wire import Answer
from krakenasync.testing import run


def test_identical_reads_in_flight_are_one_request(naive_kraken):
    """With max_age given, ten callers that ask the same at once share one request; each gets objects of its own."""

    async def main(clock):
        exchange = naive_kraken(clock, jitter=0.1)
        kraken = exchange.client().with_options(max_age=0)
        answers = []

        async def ask():
            answers.append(await kraken.balance())

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(ask)
        assert len(exchange.seen) == 1
        assert len(answers) == 10
        answers[0]["ZUSD"] = Decimal(0)
        assert all(answer["ZUSD"] == Decimal(100) for answer in answers[1:])

    run(main)


def test_without_it_every_call_asks_anew(naive_kraken):
    """By default nothing is shared: an answer asked for before an order does not know it."""

    async def main(clock):
        exchange = naive_kraken(clock, jitter=0.1)
        kraken = exchange.client()
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(kraken.balance)
        assert len(exchange.seen) == 3

    run(main)


def test_a_machine_that_slept_asks_anew(naive_kraken):
    """Its steady clock has not seen the hour pass."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client().with_options(max_age=5.0)
        await kraken.balance()
        clock.step_wall(3600)
        await kraken.balance()
        assert len(exchange.seen) == 2
        clock.step_wall(-3600)  # a calendar set back makes no answer younger, nor older
        await kraken.balance()
        assert len(exchange.seen) == 2

    run(main)


def test_a_young_answer_will_do(naive_kraken):
    """An answer not older than max_age is given again; another question and an older answer are asked for."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client().with_options(max_age=5.0)
        await kraken.balance()
        await anyio.sleep(5.0)
        assert await kraken.private("Balance") == {"ZUSD": "100.0000", "XXBT": "0.5000000000"}
        assert len(exchange.seen) == 1
        await kraken.open_orders()
        await anyio.sleep(0.1)
        await kraken.balance()
        assert exchange.calls == ["Balance", "OpenOrders", "Balance"]

    run(main)


def test_other_parameters_are_another_question(naive_kraken):
    """Only calls with the same parameters share an answer."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client().with_options(max_age=5.0)
        await kraken.open_orders()
        await kraken.open_orders(trades=True)
        assert len(exchange.seen) == 2

    run(main)


def test_a_write_is_never_answered_from_memory(naive_kraken):
    """max_age concerns reads only."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client().with_options(max_age=60.0)
        for _ in range(2):
            await kraken.cancel_order(txid="OAAAAA-BBBBB-CCCCCC")
        assert len(exchange.seen) == 2

    run(main)


def test_a_failure_is_shared_and_forgotten(naive_kraken):
    """All who joined a request see its failure, each as an error of its own; the next one asks again."""

    async def main(clock):
        exchange = naive_kraken(clock, jitter=0.1)
        exchange.script = [("Balance", "EService:Busy")]
        kraken = exchange.client(max_attempts=1).with_options(max_age=60.0)
        failures = []

        async def ask():
            with pytest.raises(ServiceUnavailable) as caught:
                await kraken.balance()
            failures.append(caught.value)

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask)
        assert len(exchange.seen) == 1
        assert len({id(failure) for failure in failures}) == 3
        assert {failure.codes for failure in failures} == {("EService:Busy",)}
        await kraken.balance()

    run(main)


def test_when_the_one_who_asked_is_cancelled_another_asks(naive_kraken):
    """A cancelled caller does not take those with it who joined its request."""

    async def main(clock):
        exchange = naive_kraken(clock, jitter=5.0)
        kraken = exchange.client().with_options(max_age=60.0)
        answers = []

        async def ask():
            answers.append(await kraken.balance())

        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as inner:
                    inner.start_soon(ask)
                    await anyio.sleep(0.001)
                    tasks.start_soon(ask)
                    tasks.start_soon(ask)
                    await anyio.sleep(0.001)
                    scope.cancel()
        assert len(answers) == 2
        assert len(exchange.seen) <= 2

    run(main)


def test_the_deadline_of_one_is_not_the_failure_of_another(naive_kraken):
    """A caller without a deadline is served although the one it joined had too little time."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client().with_options(max_age=60.0)
        for number in range(15):
            await kraken.private("OpenOrders", userref=number)
        answers = []

        async def hurried():
            with anyio.fail_after(4.0), pytest.raises(RateLimitTimeout):
                await kraken.balance()

        async def patient():
            answers.append(await kraken.balance())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hurried)
            tasks.start_soon(patient)
        assert len(answers) == 1

    run(main)


def test_old_answers_are_dropped(naive_kraken):
    """However many questions are asked, only some hundred answers are kept."""

    async def main(clock):
        exchange = naive_kraken(clock, counted=False)
        kraken = exchange.client().with_options(max_age=1e9)
        for number in (*range(400), *range(399, 399 - 256, -1)):
            await kraken.private("OpenOrders", userref=number)
        assert len(exchange.seen) == 400  # the last 256 were not asked for again
        await kraken.private("OpenOrders", userref=399 - 256)
        assert len(exchange.seen) == 401

    run(main)


def test_another_loop_asks_for_itself():
    """Who asks on another event loop does not join a question on its way: nobody could wake it from there."""
    recent, call = Recent(SYSTEM_CLOCK), raw_call("Time", {}, private=False)
    later = Answer("later", (), b'{"error":[],"result":"later"}')

    async def elsewhere():
        async def ask():
            return Answer("elsewhere")

        async with asyncio.timeout(5.0):
            return await recent.get(call, 60.0, Lane.NORMAL, ask)

    async def main():
        async def ask():
            assert (await asyncio.to_thread(asyncio.run, elsewhere())).result == "elsewhere"
            return later

        assert (await recent.get(call, 60.0, Lane.NORMAL, ask)).result == "later"

    asyncio.run(main())


def test_nobody_waits_for_a_question_in_a_lane_behind_their_own():
    """A poll in the background may wait for the limiter for ever; who waits in a better lane is joined."""

    async def main(_clock):
        recent, call, asked = Recent(SYSTEM_CLOCK), raw_call("Time", {}, private=False), []
        told = []

        async def get(lane, seconds):
            async def ask():
                asked.append(lane)
                await anyio.sleep(seconds)
                return Answer(lane.name, (), b'{"error":[],"result":"joined"}')

            told.append((await recent.get(call, 0.0, lane, ask)).result)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, Lane.BACKGROUND, 600.0)
            await anyio.sleep(1.0)
            tasks.start_soon(get, Lane.NORMAL, 10.0)
            await anyio.sleep(1.0)
            tasks.start_soon(get, Lane.BACKGROUND, 0.0)
            tasks.start_soon(get, Lane.NORMAL, 0.0)
            await anyio.sleep(9.5)
            assert asked == [Lane.BACKGROUND, Lane.NORMAL]
            assert told == ["NORMAL", "joined", "joined"]
            tasks.cancel_scope.cancel()

    run(main)

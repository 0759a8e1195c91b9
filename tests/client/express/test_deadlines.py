"""What is late ends, by one timer for all; an answer that has come in time is no timeout."""

import asyncio
import contextlib
import socket
import time

import pytest

from krakenasync.client.exchanges import ConnectTimeout, PoolTimeout, ReadTimeout, Timeouts
from krakenasync.client.express import Express
from krakenasync.client.origin import Origin

from .peer import OK, asking, ended, with_exchange


def test_timeouts():
    """For a place, for a connection, for an answer, and over all of them."""

    async def test(exchange, pool):
        exchange.gate.clear()
        held = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        await exchange.asked(1)
        for limits in (Timeouts(pool=0.01), Timeouts(whole=0.01)):
            request = asking()
            with pytest.raises(PoolTimeout):
                await pool.exchange(request, limits)
            assert not request.left
        await ended(held)
        for limits in (Timeouts(read=0.01), Timeouts(whole=0.01)):
            request = asking()
            with pytest.raises(ReadTimeout):
                await pool.exchange(request, limits)
            assert request.left
        assert pool.statistics() == (0, 0, 0)
        request = asking()
        with pytest.raises(ConnectTimeout):
            await pool.exchange(request, Timeouts(connect=-1.0))
        assert not request.left
        exchange.gate.set()
        assert (await pool.exchange(request, Timeouts(whole=5.0))).status == 200

    with_exchange(test, connections=1)


def test_one_timer_serves_all():
    """A shorter deadline than the one waited for moves the timer, a longer one does not make another."""

    async def test(_exchange, pool):
        await pool.exchange(asking(), Timeouts(whole=10.0))
        timer = pool._timer
        for _ in range(3):
            await pool.exchange(asking(), Timeouts(whole=10.0))
        assert pool._timer is timer
        await pool.exchange(asking(), Timeouts(whole=5.0))
        assert pool._timer is not timer
        assert timer.cancelled()

    with_exchange(test)


def test_an_answer_that_came_while_the_process_stood_still_is_no_timeout():
    """Timers hear of the time before anybody looks at the socket: what lies there is read first, if only once."""

    def serve(server, answers):
        connection, _peer = server.accept()
        with connection:
            for answer in answers:
                connection.recv(65536)
                connection.sendall(answer)
            with contextlib.suppress(ConnectionResetError):  # as a peer does that leaves an answer unread
                while connection.recv(65536):
                    pass

    async def main(*answers, looks=1):
        with socket.create_server(("127.0.0.1", 0)) as server:
            pool = Express(Origin(f"http://127.0.0.1:{server.getsockname()[1]}"))
            serving = asyncio.get_running_loop().run_in_executor(None, serve, server, [OK % (1, b"0"), *answers])
            await pool.exchange(asking(), Timeouts())
            task = asyncio.ensure_future(pool.exchange(asking(), Timeouts(whole=0.05)))
            await asyncio.sleep(0)
            for _ in range(looks):
                time.sleep(0.2)  # noqa: ASYNC251 - the process stands still
                pool._look_around()
            try:
                return (await task).body
            finally:
                await pool.aclose()
                await serving

    assert asyncio.run(main(OK % (1, b"1"))) == b"1"
    for answers, looks in (([], 1), ([(OK % (1, b"1"))[:-1]], 1), ([OK % (1, b"1")], 2)):
        with pytest.raises(ReadTimeout):
            asyncio.run(main(*answers, looks=looks))


def test_a_later_deadline_is_looked_after_when_an_earlier_one_was():
    """One timer serves all, of those under way and of those who wait; who gave up is not kept."""

    async def test(exchange, pool):
        exchange.gate.clear()
        async with asyncio.timeout(2):
            answers = (pool.exchange(asking(), Timeouts(read=wait)) for wait in (0.02, 0.06))
            found = await asyncio.gather(*answers, return_exceptions=True)
        assert [type(each) for each in found] == [ReadTimeout] * 2
        full = [asyncio.ensure_future(pool.exchange(asking(), Timeouts())) for _ in range(2)]
        await exchange.asked(4)
        async with asyncio.timeout(2):
            turns = (pool.exchange(asking(), Timeouts(pool=wait)) for wait in (0.02, 0.06))
            found = await asyncio.gather(*turns, return_exceptions=True)
        assert [type(each) for each in found] == [PoolTimeout] * 2
        pool._look_around()
        assert not pool._waiting
        await ended(*full)

    with_exchange(test, connections=2)


def test_the_earliest_of_several_deadlines_is_looked_after_next():
    """Whichever connection it belongs to; and no sooner than that, or the timer would never rest."""

    async def test(exchange, pool):
        exchange.gate.clear()
        tasks = [asyncio.ensure_future(pool.exchange(asking(), Timeouts())) for _ in range(3)]
        await exchange.asked(3)
        now = asyncio.get_running_loop().time()
        for first in pool._open:
            for connection in pool._open:
                connection.deadline = now + (50.0 if connection is first else 100.0)
            pool._look_around()
            assert pool._timer_at == now + 50.0
        await ended(*tasks)

    with_exchange(test)


def test_a_deadline_ends_with_its_exchange():
    """A connection at rest is not late."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts(read=0.02))
        await asyncio.sleep(0.08)
        await pool.exchange(asking(), Timeouts(read=1))
        assert exchange.accepted == 1

    with_exchange(test)

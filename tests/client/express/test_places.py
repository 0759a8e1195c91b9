"""Who gets which connection, in which order, and what a cancelled call leaves behind."""

import asyncio

import pytest

from krakenasync.client.exchanges import ConnectFailed, PoolTimeout, Timeouts

from .peer import asking, ended, give_back, lend, with_exchange


def test_the_connection_used_last_is_used_next():
    """So what is not needed rests, and can expire."""

    async def test(exchange, pool):
        exchange.gate.clear()
        tasks = [asyncio.ensure_future(pool.exchange(asking(), Timeouts())) for _ in range(3)]
        await exchange.asked(3)
        assert repr(pool) == f"<Express {exchange.url} 3 active, 0 idle, 0 waiting>"
        exchange.gate.set()
        await asyncio.gather(*tasks)
        served_by = [(await pool.exchange(asking(), Timeouts())).body for _ in range(4)]
        assert served_by == [b"3"] * 4
        assert exchange.accepted == 3
        assert repr(pool) == f"<Express {exchange.url} 0 active, 3 idle, 0 waiting>"

    with_exchange(test)


def test_the_statistics_of_one_moment():
    """Places held, connections at rest, requests in line; who gave up stands in no line, and closing leaves nothing."""

    async def test(exchange, pool):
        assert pool.statistics() == (0, 0, 0)
        exchange.gate.clear()
        served, gives_up, waits = [asyncio.ensure_future(pool.exchange(asking(), Timeouts())) for _ in range(3)]
        await exchange.asked(1)
        assert pool.statistics() == (1, 0, 2)
        await ended(gives_up)
        assert pool.statistics() == (1, 0, 1)
        exchange.gate.set()
        await asyncio.gather(served, waits)
        assert pool.statistics() == (0, 1, 0)
        await pool.aclose()
        assert pool.statistics() == (0, 0, 0)

    with_exchange(test, connections=1)


def test_those_who_wait_are_served_in_order():
    """First come, first served; whoever gives up leaves the line without a trace, and nobody overtakes."""

    async def test(exchange, pool):
        tasks = [asyncio.ensure_future(pool.exchange(asking(f"/{n}"), Timeouts())) for n in range(20)]
        await asyncio.sleep(0)
        tasks[7].cancel()
        tasks[11].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert exchange.order == [f"/{n}" for n in range(20) if n not in {7, 11}]
        assert exchange.accepted == 1

    with_exchange(test, connections=1)


def test_a_cancelled_request_closes_its_connection_and_makes_room():
    """Its place goes to the next in line, on a connection of its own."""

    async def test(exchange, pool):
        exchange.gate.clear()
        request = asking("/first")
        first = asyncio.ensure_future(pool.exchange(request, Timeouts()))
        second = asyncio.ensure_future(pool.exchange(asking("/second"), Timeouts()))
        await exchange.asked(1)
        assert request.left
        await ended(first)
        exchange.gate.set()
        assert (await second).body == b"2"
        assert pool.statistics() == (0, 1, 0)

    with_exchange(test, connections=1)


@pytest.mark.parametrize("steps", range(12))
def test_a_cancellation_at_every_step(steps):
    """Cancelled while it connects, writes or waits: no place is lost, and the next request is served."""

    async def test(exchange, pool):
        request = asking("/cancelled")
        task = asyncio.ensure_future(pool.exchange(request, Timeouts()))
        waiting = asyncio.ensure_future(pool.exchange(asking("/waiting"), Timeouts()))
        for _ in range(steps):
            await asyncio.sleep(0)
        await ended(task)
        assert request.left or "/cancelled" not in exchange.order
        assert (await waiting).status == 200
        assert pool.statistics() == (0, 1, 0)
        await exchange.holds(1)

    with_exchange(test, connections=1)


def test_a_turn_that_comes_with_the_cancellation_is_passed_on():
    """Cancelled in the very step in which the connection was handed over: the next in line gets it."""

    async def test(_exchange, pool):
        await pool.exchange(asking(), Timeouts())
        connection = lend(pool)
        for given in (connection, None):
            tasks = [asyncio.ensure_future(pool.exchange(asking(), Timeouts())) for _ in range(2)]
            await asyncio.sleep(0)
            give_back(pool, given)
            tasks[0].cancel()
            assert (await tasks[1]).status == 200
            connection = lend(pool)
        connection.abort()
        give_back(pool, connection)
        assert pool.statistics() == (0, 0, 0)

    with_exchange(test, connections=1)


def test_a_connection_that_dies_on_its_way_to_the_next_in_line():
    """Nothing was written to it, so the next in line simply opens another one."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        connection = lend(pool)
        task = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        await asyncio.sleep(0)
        give_back(pool, connection)
        connection.abort()
        assert (await task).body == b"2"
        assert pool.statistics() == (0, 1, 0)

    with_exchange(test, connections=1)


def test_a_connection_is_looked_at_before_the_next_in_line_uses_it():
    """The peer hung up with the answer to the one before: the next opens a connection of its own."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        connection = lend(pool)
        task = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        await asyncio.sleep(0)
        exchange.hang_up()
        give_back(pool, connection)
        assert connection.ready
        assert (await task).body == b"2"
        assert pool.statistics() == (0, 1, 0)

    with_exchange(test, connections=1)


@pytest.mark.parametrize("handed", [False, True])
def test_a_connection_that_looks_stale_and_never_says_more_is_closed(handed):
    """As after a TLS record that carries no data; met at rest, or handed over by the call before."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        rested = lend(pool)
        rested._poll = lambda _timeout: [1]
        if not handed:
            give_back(pool, rested)
        task = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        if handed:
            await asyncio.sleep(0)
            give_back(pool, rested)
        assert (await task).body == b"2"
        await exchange.holds(1)

    with_exchange(test, connections=1)


def test_a_cancellation_in_the_step_in_which_the_wait_fails():
    """The caller is cancelled, whatever else has just become of its turn."""

    async def test(exchange, pool):
        exchange.gate.clear()
        first = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        waits = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
        await exchange.asked(1)
        pool._waiting[0].turn.set_exception(PoolTimeout("late"))
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        await ended(first)

    with_exchange(test, connections=1)


def test_a_connection_that_is_on_its_way_out_as_soon_as_it_is_open(monkeypatch):
    """Nothing is written into it, and its place is free again."""

    async def test(_exchange, pool):
        loop = asyncio.get_running_loop()
        connect = loop.create_connection

        async def closing(*args, **options):
            transport, protocol = await connect(*args, **options)
            transport.close()
            return transport, protocol

        monkeypatch.setattr(loop, "create_connection", closing)
        request = asking()
        with pytest.raises(ConnectFailed):
            await pool.exchange(request, Timeouts())
        assert not request.left
        assert pool.statistics() == (0, 0, 0)

    with_exchange(test)


def test_places_of_dropped_connections_are_free_again():
    """Else a few odd answers would leave no place to anybody."""

    async def test(_exchange, pool):
        for _ in range(3):
            await pool.exchange(asking(), Timeouts(pool=0.05))
            pool.drop_idle()
            assert pool.statistics() == (0, 0, 0)

    with_exchange(test, connections=1)

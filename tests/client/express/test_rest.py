"""How long a connection rests before it is used again, and what a peer teaches that hangs up on one."""

import asyncio
import time

import pytest

from krakenasync.client import express
from krakenasync.client.exchanges import ReadTimeout, Timeouts
from krakenasync.client.http1 import BadResponse

from .peer import asking, give_back, hung_up_on, lend, with_exchange


@pytest.mark.parametrize(("wary", "connections"), [(60, 4), (0.01, 3)])
def test_a_peer_that_hangs_up_on_rested_connections_gets_fresh_ones_for_a_while(monkeypatch, wary, connections):
    """Twice one that rested 50 ms was closed in place of an answer: none is kept for 40 ms, until it is tried again."""
    monkeypatch.setattr(express, "_WARY", wary)

    async def test(exchange, pool):
        for _ in range(2):
            await hung_up_on(exchange, pool)
        assert exchange.accepted == 2
        await pool.exchange(asking(), Timeouts())
        await asyncio.sleep(0.04)
        await pool.exchange(asking(), Timeouts())
        assert exchange.accepted == connections

    with_exchange(test)


def test_one_end_of_a_connection_that_just_came_to_rest_teaches_little():
    """The peer may have been started anew: connections are used again all the same, if not for as long as usual."""

    async def test(exchange, pool):
        await hung_up_on(exchange, pool, rested=0)
        assert pool._keep_alive == 1.0
        for _ in range(3):
            await pool.exchange(asking(), Timeouts())
            await asyncio.sleep(0.01)
        assert exchange.accepted == 2

    with_exchange(test)


def test_a_connection_that_fails_otherwise_teaches_nothing():
    """One that did not rest, and one whose answer had begun."""

    async def test(exchange, pool):
        for number in (1, 2):
            exchange.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf"
            task = asyncio.ensure_future(pool.exchange(asking(), Timeouts()))
            await exchange.asked(2 * number - 1)
            await asyncio.sleep(0.01)
            exchange.hang_up()
            with pytest.raises(BadResponse):
                await task
            assert pool._keep_alive == pool._longest
            exchange.answer = None
            await pool.exchange(asking(), Timeouts())  # the next one goes over a connection that has rested

    with_exchange(test)


def test_an_idle_connection_expires():
    """What is idle too long is closed, by the timer or when it is next asked for."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        await exchange.holds(0)
        assert pool.statistics() == (0, 0, 0)
        await pool.exchange(asking(), Timeouts())
        time.sleep(0.02)  # noqa: ASYNC251 - its timer comes late
        assert lend(pool) is None
        assert pool.statistics() == (0, 0, 0)
        assert exchange.accepted == 2

    with_exchange(test, keep_alive=0.01)


def test_a_connection_is_looked_at_before_it_is_used():
    """The peer hung up, and the loop has not had time to notice: nothing is written into the void."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        await pool.exchange(asking(), Timeouts())
        assert exchange.accepted == 1
        exchange.hang_up()
        assert pool.statistics().idle == 1
        request = asking()
        assert (await pool.exchange(request, Timeouts())).body == b"2"
        assert pool.statistics() == (0, 1, 0)

    with_exchange(test)


def test_an_expired_connection_is_closed_when_it_is_met():
    """Its timer may come late."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        time.sleep(0.11)  # noqa: ASYNC251 - so that it does
        assert (await pool.exchange(asking(), Timeouts())).body == b"2"
        assert pool.statistics() == (0, 1, 0)
        await exchange.holds(1)

    with_exchange(test, keep_alive=0.1)


def test_two_that_one_restart_ended_teach_as_one():
    """Only a connection opened since the last lesson teaches another; no lesson makes the time longer."""

    async def test(exchange, pool):
        exchange.gate.clear()
        both = [asyncio.ensure_future(pool.exchange(asking(), Timeouts())) for _ in range(2)]
        await exchange.asked(2)
        exchange.gate.set()
        await asyncio.gather(*both)
        first, second = lend(pool), lend(pool)
        pool._keep_less(first, 0.0)
        pool._keep_less(second, 0.0)
        assert pool._keep_alive == 1.0
        pool._keep_alive = 0.25
        pool._keep_less(second, 10.0)
        assert pool._keep_alive == 0.25
        give_back(pool, first)
        give_back(pool, second)

    with_exchange(test)


def test_a_peer_that_closes_what_rests_is_given_half_of_that_time_from_then_on():
    """The first lesson leaves a second; from a connection opened since, the next one is believed to the full."""

    async def test(_exchange, pool):
        lent = []
        for rested, kept in ((10.0, 5.0), (0.4, 0.2)):
            await pool.exchange(asking(), Timeouts())
            lent.append(lend(pool))
            pool._keep_less(lent[-1], rested)
            assert pool._keep_alive == kept
        for connection in lent:
            give_back(pool, connection)

    with_exchange(test)


def test_a_hang_up_long_after_the_request_teaches_nothing(monkeypatch):
    """The peer was there when it was asked: it has not closed a connection for its rest."""
    monkeypatch.setattr(express, "_AT_ONCE", 0.0)

    async def test(exchange, pool):
        await hung_up_on(exchange, pool)
        assert pool._keep_alive == pool._longest

    with_exchange(test)


def test_what_is_learnt_anew_lasts_from_then_on():
    """The timer of the lesson before does not end it."""

    async def test(exchange, pool):
        await hung_up_on(exchange, pool)
        first = pool._wary
        await hung_up_on(exchange, pool)
        assert first.cancelled()
        assert not pool._wary.cancelled()

    with_exchange(test)


def test_what_rests_expires_though_something_else_was_late_before():
    """Looking around for the one does not forget the other."""

    async def test(exchange, pool):
        await pool.exchange(asking(), Timeouts())
        rested = lend(pool)
        exchange.gate.clear()
        task = asyncio.ensure_future(pool.exchange(asking(), Timeouts(read=0.02)))
        await exchange.asked(2)
        give_back(pool, rested)
        with pytest.raises(ReadTimeout):
            await task
        exchange.gate.set()
        await exchange.holds(0)
        assert pool.statistics() == (0, 0, 0)

    with_exchange(test, keep_alive=0.1)

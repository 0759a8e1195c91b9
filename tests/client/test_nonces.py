"""The lane of a key: nonces arrive in the order in which they were made."""

import asyncio
import contextlib
import gc
import logging
import random
import threading
from urllib.parse import parse_qs

import anyio
import httpx
import pytest

from krakenasync import ConfigurationError, InvalidNonce, KrakenClient, LimitsConfig, ServiceUnavailable
from krakenasync.client.nonces import KeyLane, diagnosis
from krakenasync.client.queueing import Lane
from krakenasync.protocol.retries import RetryPolicy
from krakenasync.protocol.tiers import CounterSpec
from krakenasync.state.memory import MemoryState
from krakenasync.state.nonces import NonceSource
from krakenasync.testing import VirtualClock, run

BOUNDLESS = LimitsConfig(rest=CounterSpec(10**6, 10**8))


@pytest.mark.parametrize("seed", range(5))
def test_fifty_at_once_and_none_refused(naive_kraken, seed):
    """50 concurrent private calls over a path that delays each leg by 0 to 30 ms: no nonce is refused."""

    async def main(clock):
        exchange = naive_kraken(clock, seed=seed, jitter=0.03, counted=False)
        kraken = exchange.client(limits=BOUNDLESS)
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(kraken.balance)
        assert exchange.refused == []
        assert exchange.most_in_flight == 1
        assert len(exchange.accepted_at) == 50

    run(main)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("window", [5, 20, 10_000])
def test_a_window_opens_the_lane(naive_kraken, seed, window):
    """With a window set on the key several calls fly at once, and the server with that window refuses none."""

    async def main(clock):
        exchange = naive_kraken(clock, seed=seed, jitter=0.03, counted=False, window=window)
        kraken = exchange.client(limits=BOUNDLESS, nonce_window=window)
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(kraken.balance)
        assert exchange.refused == []
        assert 1 < exchange.most_in_flight <= 16

    run(main)


def test_two_clients_of_a_key_share_the_lane(naive_kraken):
    """The clients of one key on one loop never have two calls of it in flight."""

    async def main(clock):
        exchange, state = naive_kraken(clock, jitter=0.03, counted=False), MemoryState(clock)
        clients = [exchange.client(limits=BOUNDLESS, state=state) for _ in range(3)]
        async with anyio.create_task_group() as tasks:
            for number in range(30):
                tasks.start_soon(clients[number % 3].balance)
        assert exchange.most_in_flight == 1
        assert exchange.refused == []

    run(main)


def test_clients_of_a_key_agree_on_its_window(naive_kraken):
    """A key has one window: a client that claims another one is told so, and sends nothing."""

    async def main(clock):
        exchange, state = naive_kraken(clock), MemoryState(clock)
        one, other = exchange.client(state=state), exchange.client(state=state, nonce_window=1000)
        await one.balance()
        with pytest.raises(ConfigurationError, match="nonce_window"):
            await other.balance()
        assert len(exchange.seen) == 1

    run(main)


def test_different_keys_do_not_wait_for_each_other(naive_kraken):
    """Each key has a lane of its own."""

    async def main(clock):
        exchanges = [naive_kraken(clock, jitter=0.5, seed=seed) for seed in range(2)]
        state = MemoryState(clock)
        clients = [
            exchange.client(api_key=f"key {number}", state=state, base_url="http://kraken.test")
            for number, exchange in enumerate(exchanges)
        ]
        flying = []

        async def call(kraken):
            await kraken.balance()

        async with anyio.create_task_group() as tasks:
            for kraken in clients:
                tasks.start_soon(call, kraken)
            await anyio.sleep(0.001)
            flying = [exchange.in_flight for exchange in exchanges]
        assert flying == [1, 1]

    run(main)


def test_the_lane_is_free_while_a_call_backs_off(naive_kraken):
    """Between two attempts of one call, others go."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("OpenOrders", "EService:Busy")]
        kraken = exchange.client(retry=RetryPolicy(base=20.0, longest=20.0))
        kraken._road._chance = lambda: 1.0
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(kraken.open_orders)
            await anyio.sleep(1.0)
            await kraken.balance()
            assert clock.monotonic() == pytest.approx(1.0)
        assert exchange.calls == ["OpenOrders", "Balance", "OpenOrders"]

    run(main)


def test_an_urgent_call_overtakes_in_the_lane(naive_kraken):
    """A cancel does not stand in line behind the reads that wait for the lane."""

    async def main(clock):
        exchange = naive_kraken(clock, jitter=0.1, counted=False)
        kraken = exchange.client(limits=BOUNDLESS)
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(kraken.balance)
            await anyio.sleep(0.001)
            await kraken.cancel_order(txid="OAAAAA-BBBBB-CCCCCC")
            assert exchange.calls.index("CancelOrder") <= 2
            assert len(exchange.accepted_at) <= 3

    run(main)


def test_the_lane_hands_over_when_a_waiter_gives_up():
    """A cancelled waiter neither keeps its place nor takes the turn of the next."""

    async def main(clock):
        lane = KeyLane(NonceSource("ms", clock), 0)
        served = []

        async def call(name):
            nonce = lane.begin_nowait() or await lane.begin(Lane.NORMAL)
            try:
                served.append((name, nonce))
                await anyio.sleep(1.0)
            finally:
                assert lane.end(nonce) is None

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, "first")
            await anyio.sleep(0.1)
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as inner:
                    inner.start_soon(call, "gives up")
                    await anyio.sleep(0.1)
                    tasks.start_soon(call, "last")
                    await anyio.sleep(0.1)
                    assert lane.waiting == 2
                    scope.cancel()
        assert [name for name, _nonce in served] == ["first", "last"]
        assert clock.monotonic() == pytest.approx(2.0)
        assert repr(lane) == "<KeyLane 0 in flight, 0 waiting>"

    run(main)


def test_a_refused_nonce_is_signed_anew(naive_kraken):
    """After a refusal the call goes out again with a higher nonce and another signature."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", "EAPI:Invalid nonce")]
        await exchange.client().balance()
        first, second = exchange.sent(0), exchange.sent(1)
        assert int(second["nonce"]) > int(first["nonce"])
        assert exchange.seen[0].headers["API-Sign"] != exchange.seen[1].headers["API-Sign"]

    run(main)


def test_three_new_signatures_and_no_more(naive_kraken):
    """A nonce refused four times in a row is an error that says a finer unit may have been used before."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.nonce = clock.wall_ns()  # another program used nanoseconds
        with pytest.raises(InvalidNonce) as caught:
            await exchange.client().balance()
        assert len(exchange.seen) == 4
        assert caught.value.attempts == 4
        assert "finer unit" in caught.value.hint
        assert "'us', then 'ns'" in caught.value.hint
        finer = exchange.client(nonce_unit="ns")
        await anyio.sleep(0.001)
        await finer.balance()

    run(main)


def test_an_order_with_a_refused_nonce_is_signed_anew_too(naive_kraken):
    """A refused nonce means that nothing was done, so an order goes out again as well."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("AddOrder", "EAPI:Invalid nonce")]
        kraken = exchange.client()
        await kraken.add_order(pair="XBTUSD", type="buy", ordertype="limit", volume="0.01", price="30000")
        assert len(exchange.accepted_at) == 1

    run(main)


def test_another_program_on_the_key(naive_kraken):
    """Who was accepted before and is refused now is told that another program uses the key."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client()
        await kraken.balance()
        exchange.nonce += 60_000
        with pytest.raises(InvalidNonce, match="another program uses this key"):
            await kraken.balance()

    run(main)


@pytest.mark.parametrize("ahead", [0.5, 1.5, 3.5])
def test_a_program_whose_clock_is_ahead(naive_kraken, ahead):
    """A key last used by a program whose clock is a few seconds ahead of ours is caught up with."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.nonce = clock.wall_ns() // 10**6 + round(ahead * 1000)
        await exchange.client().balance()
        assert len(exchange.seen) <= 4

    run(main)


@pytest.mark.parametrize(("unit", "says"), [("ms", "'us', then 'ns'"), ("us", "'ns'"), ("ns", "clock right")])
def test_the_diagnosis_names_the_next_unit(unit, says):
    """Each unit's advice names what is left to try; the finest one's advises no other unit."""
    told = diagnosis(NonceSource(unit, VirtualClock()))
    assert says in told
    assert ("nonce_unit" in told) == (unit != "ns")


def test_a_second_event_loop_is_told(naive_kraken, caplog):
    """Two live loops on one key are warned of; loops one after the other are not."""
    clock = VirtualClock()
    exchange, state = naive_kraken(clock), MemoryState(clock)

    async def use(_clock):
        await exchange.client(state=state).server_time()
        await exchange.client(state=state).balance()

    with caplog.at_level(logging.WARNING, logger="krakenasync"):
        run(use, clock)
        run(use, clock)
        gc.collect()
        assert "event loops" not in caplog.text

        async def outer(_clock):
            await exchange.client(state=state).balance()
            thread = threading.Thread(target=run, args=(use, clock))
            thread.start()
            thread.join()

        run(outer, clock)
    assert caplog.text.count("2 event loops") == 1


def test_a_lane_survives_failures(naive_kraken):
    """After any kind of failure the next call gets its turn."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client(max_attempts=1)
        for failure in ("EService:Unavailable", OSError("odd")):
            exchange.script = [("Balance", failure)]
            with pytest.raises((ServiceUnavailable, OSError)):
                await kraken.balance()
            await kraken.balance()

    run(main)


@pytest.mark.parametrize("window", [0, 5])
def test_a_call_that_was_given_up_under_way_keeps_its_place_for_a_moment(window):
    """Its request may still arrive, and must not be overtaken further than the window lets it."""

    async def main(clock):
        lane = KeyLane(NonceSource("ms", clock), window)
        lane.end(lane.begin_nowait(), unanswered=True)
        if window:
            await anyio.sleep(0.001)
            lane.end(lane.begin_nowait())  # near enough to arrive before it
            await anyio.sleep(0.01)
        assert lane.begin_nowait() is None
        nonce = await lane.begin(Lane.NORMAL)
        assert clock.monotonic() == pytest.approx(0.25, abs=0.001)
        lane.end(nonce)
        assert lane.begin_nowait()

    run(main)


def test_a_call_that_was_given_up_is_waited_for_as_long_as_the_last_ones_took():
    """Callers with short deadlines on a quick network do not hold each other up."""

    async def main(clock):
        lane = KeyLane(NonceSource("ms", clock), 0)
        for _ in range(200):  # the first guess fades
            nonce = lane.begin_nowait()
            await anyio.sleep(0.02)
            lane.end(nonce)
        lane.end(lane.begin_nowait(), unanswered=True)
        began = clock.monotonic()
        lane.end(await lane.begin(Lane.NORMAL))
        assert clock.monotonic() - began == pytest.approx(0.02, abs=0.001)
        nonce = lane.begin_nowait()
        await anyio.sleep(0.02)
        lane.end(nonce, unanswered=True)
        assert lane.begin_nowait()  # that one has had its time

    run(main)


def test_no_nonce_is_refused_though_callers_give_up_under_way():
    """Neither that of a call which goes on nor that of one whose answer nobody awaits any more: Kraken counts both."""

    async def main(clock):
        chance, last, refused, arrived = random.Random(5), 0, [], []

        async def arrive(nonce, answered):
            nonlocal last
            await anyio.sleep(chance.uniform(0, 0.1))
            arrived.append(nonce)
            if nonce <= last:
                refused.append(nonce)
            last = max(last, nonce)
            await anyio.sleep(chance.uniform(0, 0.1))
            answered.set()

        async def handle(request):
            answered = anyio.Event()
            tasks.start_soon(arrive, int(parse_qs((await request.aread()).decode())["nonce"][0]), answered)
            await answered.wait()
            return httpx.Response(200, json={"error": [], "result": {}})

        async def call():
            with anyio.move_on_after(chance.uniform(0, 2.0)):
                await kraken.balance()

        http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
        options = {"http_client": http, "clock": clock, "state": MemoryState(clock), "limits": BOUNDLESS}
        kraken = KrakenClient("key", "c2VjcmV0", base_url="http://kraken.test", **options)
        async with anyio.create_task_group() as tasks:
            for _ in range(40):
                tasks.start_soon(call)
        assert len(arrived) > 10
        assert refused == []

    run(main)


def lane_of(window):
    return KeyLane(NonceSource("ns", VirtualClock()), window)


async def waiting_in(lane, number):
    """Let so many calls stand in line."""
    found = [asyncio.ensure_future(lane.begin(Lane.NORMAL)) for _ in range(number)]
    for _ in range(3):
        await asyncio.sleep(0)
    return found


def test_nobody_overtakes_who_was_called_but_has_not_run():
    """The place is free, but not for who comes now."""

    async def main():
        lane = lane_of(0)
        first = lane.begin_nowait()
        (second,) = await waiting_in(lane, 1)
        lane.end(first)
        assert lane.begin_nowait() is None
        lane.end(await second)

    asyncio.run(main())


def test_who_has_had_a_turn_stands_at_the_end_of_the_line_again():
    """One task that calls without pause does not keep the others waiting."""

    async def main():
        lane, order = lane_of(0), []

        async def call(name):
            nonce = await lane.begin(Lane.NORMAL)
            order.append(name)
            lane.end(nonce)

        first = lane.begin_nowait()
        other = asyncio.ensure_future(call("the other"))
        await asyncio.sleep(0)
        lane.end(first)
        async with asyncio.timeout(2):
            await call("again")
            await other
        return order

    assert asyncio.run(main()) == ["the other", "again"]


def test_who_gives_up_in_the_step_of_being_called_passes_it_on():
    """Else the next one would wait for ever."""

    async def main():
        lane = lane_of(0)
        first = lane.begin_nowait()
        second, third = await waiting_in(lane, 2)
        lane.end(first)
        second.cancel()
        async with asyncio.timeout(2):
            lane.end(await third)

    asyncio.run(main())


def test_two_places_that_come_free_at_once_go_to_two():
    """With a window, the first to go calls the second."""

    async def main():
        lane = lane_of(10**18)
        flying = [lane.begin_nowait() for _ in range(16)]
        waiting = await waiting_in(lane, 2)
        lane.end(flying[0])
        lane.end(flying[1])
        async with asyncio.timeout(2):
            for nonce in await asyncio.gather(*waiting):
                lane.end(nonce)

    asyncio.run(main())


def test_a_call_that_was_given_up_holds_the_lane_for_a_quarter_second_at_the_most():
    """However long the last round trip was."""

    async def main(clock):
        lane = KeyLane(NonceSource("ms", clock), 0)
        nonce = lane.begin_nowait()
        await anyio.sleep(5)
        lane.end(nonce)
        lane.end(lane.begin_nowait(), unanswered=True)
        began = clock.monotonic()
        lane.end(await lane.begin(Lane.NORMAL))
        assert clock.monotonic() - began == pytest.approx(0.25, abs=0.001)

    run(main)


def test_of_several_that_were_given_up_the_first_to_be_over_makes_room():
    """The window is full as long as the oldest nonce may still arrive; the younger one does not keep it full."""

    async def main(clock):
        lane = KeyLane(NonceSource("ms", clock), 200)
        began = clock.monotonic()
        older = lane.begin_nowait()
        await anyio.sleep(0.1)
        younger = lane.begin_nowait()
        lane.end(younger, unanswered=True)
        lane.end(older, unanswered=True)
        await anyio.sleep(0.11)
        assert lane.begin_nowait() is None
        lane.end(await lane.begin(Lane.NORMAL))
        assert clock.monotonic() - began == pytest.approx(0.25, abs=0.001)

    run(main)


def test_a_loop_that_is_over_is_no_second_one(caplog):
    """Whoever runs one after the other is not warned."""
    nonces, kept = NonceSource("ns", VirtualClock()), []

    async def main():
        kept.append(asyncio.get_running_loop())
        KeyLane(nonces, 0)

    asyncio.run(main())
    asyncio.run(main())
    assert not caplog.records


def test_two_clients_of_a_key_on_one_loop_are_not_warned_of(caplog):
    """They share its lane, so their nonces stay in order."""
    nonces = NonceSource("ns", VirtualClock())

    async def main():
        KeyLane(nonces, 0)
        KeyLane(nonces, 0)

    asyncio.run(main())
    assert not caplog.records


def test_that_several_loops_use_a_key_is_said_once(caplog):
    """And again only when they are more than ever: a server with a loop for each request would fill its log."""
    nonces, kept = NonceSource("ns", VirtualClock()), []

    def loops(number):
        with contextlib.ExitStack() as stack:
            for _ in range(number):
                runner = stack.enter_context(asyncio.Runner())
                runner.run(use())

    async def use():
        kept.append(asyncio.get_running_loop())
        KeyLane(nonces, 0)

    for number, said in ((2, 1), (2, 1), (3, 2), (1, 2), (3, 2)):
        loops(number)
        assert len(caplog.records) == said
    assert "3 event loops" in caplog.text

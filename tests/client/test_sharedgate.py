"""Clients that share their limits through a store: a strict, naive Kraken refuses none of their calls."""

import asyncio
import subprocess
import sys
import time

import anyio
import pytest

from krakenasync import (
    Account,
    ConfigurationError,
    Fleet,
    Key,
    Lane,
    RateLimitTimeout,
    RetryPolicy,
    StateUnavailable,
)
from krakenasync.client.sharedgate import SharedGate
from krakenasync.client.transport import Transport
from krakenasync.protocol.charges import DEAREST
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox import SandboxConfig
from krakenasync.state.fallback import FallbackStore
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Adjust, Refuse
from krakenasync.state.shared import SharedState
from krakenasync.testing import VirtualClock, in_process, run, serving
from krakenasync.testing.hammer import jain
from krakenasync.testing.questions import adjust, peek

ONCE = RetryPolicy(attempts=1)
ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "1"}


class Unsteady(InProcessStore):
    """A store that can be taken away."""

    away = False

    async def change(self, work):
        if self.away:
            raise StateUnavailable("away")
        return await super().change(work)


def clients(kraken, store, number, **settings):
    """Clients as in so many processes: each has its own state in front of the one store."""
    return [kraken.client(tier="pro", state=SharedState(store, kraken.clock), **settings) for _ in range(number)]


async def saturate(kraken, members, seconds, tasks=8):
    """Have every member's tasks call without pause; return the calls of each that were answered."""
    answered = [0] * len(members)

    async def ask(place):
        while True:
            await (members[place].closed_orders() if answered[place] % 7 == 3 else members[place].balance())
            answered[place] += 1

    async with anyio.create_task_group() as group:
        for place in range(len(members)):
            for _ in range(tasks):
                group.start_soon(ask, place)
        await anyio.sleep(seconds)
        group.cancel_scope.cancel()
    return answered


@pytest.mark.parametrize("step", [0, 2])
def test_four_processes_on_one_key_are_never_refused(naive_kraken, step):
    """4 x 8 tasks, costs mixed, 0-30 ms on each way: no refused nonce, none over the cap, the pace fully used, fair."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro", jitter=0.03, step=step, phase=0.7)
        answered = await saturate(kraken, clients(kraken, InProcessStore(clock), 4), 300)
        points = sum(4 if name == "ClosedOrders" else 1 for name in kraken.calls)
        return kraken, answered, points

    kraken, answered, points = run(main)
    assert kraken.refused == []
    assert kraken.most_in_flight == 1
    assert points >= 0.97 * 300
    assert jain(answered) >= 0.99


def test_a_bot_restarted_every_30_seconds_is_never_refused(naive_kraken):
    """With a store, level and last nonce are known at the start."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro", jitter=0.05)
        store = InProcessStore(clock)
        for _ in range(10):
            await saturate(kraken, clients(kraken, store, 1), 30)
            clock.step_wall(-3)
        return kraken

    assert run(main).refused == []


def test_a_refusal_stops_all_processes(naive_kraken):
    """Once Kraken refuses one process, no other sends before the pause is over."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        one, other = clients(kraken, InProcessStore(clock), 2, retry=ONCE)
        await other.balance()
        kraken.script.append(("Balance", "EAPI:Rate limit exceeded"))
        with pytest.raises(Exception, match="Rate limit"):
            await one.balance()
        began = clock.monotonic()
        await other.balance()
        return clock.monotonic() - began

    # The pause is 5 s; by then Kraken's count has fallen at the slower pace, but not far enough for all that share it.
    assert run(main) == pytest.approx(5.0 / 0.8, abs=0.1)


def test_who_gives_up_gives_his_slot_back(naive_kraken):
    """A cancelled caller's points do not keep the other process waiting."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        one, other = clients(kraken, InProcessStore(clock), 2)
        for _ in range(18):
            await one.balance()
        async with anyio.create_task_group() as group:
            group.start_soon(one.closed_orders)
            await anyio.sleep(0.5)
            group.cancel_scope.cancel()
        began = clock.monotonic()
        await other.balance()
        return clock.monotonic() - began

    assert run(main) < 2.0


def test_an_urgent_call_takes_the_slot_of_its_process(naive_kraken):
    """What waits in the background makes way, although the slot was booked for it."""
    order = []

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        (client,) = clients(kraken, InProcessStore(clock), 1)
        await saturate(kraken, [client], 10)

        async def ask(lane):
            await client.with_options(lane=lane).closed_orders()
            order.append(lane)

        async with anyio.create_task_group() as group:
            group.start_soon(ask, Lane.BACKGROUND)
            await anyio.sleep(0.01)
            group.start_soon(ask, Lane.BACKGROUND)
            group.start_soon(ask, Lane.URGENT)

    run(main)
    assert order == [Lane.URGENT, Lane.BACKGROUND, Lane.BACKGROUND]


class Far(InProcessStore):
    """A store that takes a tenth of a second to answer."""

    async def ask(self, *steps):
        await anyio.sleep(0.05)
        answers = await super().ask(*steps)
        await anyio.sleep(0.05)
        return answers


def test_who_comes_first_while_another_asks_waits_for_no_more_than_the_answer(naive_kraken):
    """One question at a time is under way for a counter: whoever is at the head by then is woken up and goes."""
    order = []

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        (client,) = clients(kraken, Far(clock), 1)
        await client.balance()
        began = clock.monotonic()

        async def ask(lane):
            await client.with_options(lane=lane).balance()
            order.append((lane, clock.monotonic() - began))

        async with anyio.create_task_group() as group:
            group.start_soon(ask, Lane.NORMAL)
            await anyio.sleep(0.02)
            group.start_soon(ask, Lane.URGENT)

    run(main)
    assert [lane for lane, _when in order] == [Lane.URGENT, Lane.NORMAL]
    assert order[-1][1] < 1.0


def test_who_is_cancelled_while_he_asks_is_gone_at_once(naive_kraken):
    """A store that takes its time holds up no deadline, and the next caller comes through."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        (client,) = clients(kraken, Far(clock), 1)
        await client.balance()
        began = clock.monotonic()
        with anyio.move_on_after(0.02):
            await client.balance()
        gone = clock.monotonic() - began
        await client.balance()
        return gone, len(kraken.calls)

    gone, calls = run(main)
    assert gone == pytest.approx(0.02)
    assert calls == 2


def test_a_wait_beyond_the_deadline_fails_at_once(naive_kraken):
    """The other process has used the counter up: nobody waits in vain for a slot that comes too late."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        one, other = clients(kraken, InProcessStore(clock), 2)
        await saturate(kraken, [one], 10)
        began = clock.monotonic()
        with pytest.raises(RateLimitTimeout) as failure, anyio.fail_after(0.5):
            await other.closed_orders()
        assert clock.monotonic() - began < 0.1
        return failure.value.retry_after

    assert run(main) > 0.5


def test_a_store_that_is_away_is_an_error_of_its_own(naive_kraken):
    """Nothing is sent while the store does not answer; once it does, calls go on."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        store = Unsteady(clock)
        (client,) = clients(kraken, store, 1, retry=ONCE)
        await client.balance()
        store.away = True
        with pytest.raises(StateUnavailable) as failure:
            await client.balance()
        assert failure.value.effect == "none"
        assert len(kraken.calls) == 1
        store.away = False
        await client.balance()

    run(main)


def test_an_order_is_counted_for_all(naive_kraken):
    """The matching engine's counter of a pair goes through the store as well."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        store = InProcessStore(clock)
        one, _other = clients(kraken, store, 2)
        await one.private("AddOrder", **ORDER)
        (name,) = [name for name in store._records if name.startswith("engine:")]
        return store._records[name].level

    assert run(main) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("state", ["sqlite://", "postgres://host/db", 7, object()])
def test_a_state_that_cannot_work_is_refused_at_the_start(naive_kraken, state):
    """The client is not even made."""

    async def main(clock):
        with pytest.raises(ConfigurationError):
            naive_kraken(clock).client(state=state)

    run(main)


def test_a_file_that_cannot_be_used_is_refused_by_the_first_call(naive_kraken, tmp_path):
    """Not by the hundredth; and nothing is sent."""

    async def main(clock):
        kraken = naive_kraken(clock)
        client = kraken.client(state=f"sqlite:///{tmp_path}/missing/state.db")
        with pytest.raises(ConfigurationError, match="cannot be written"):
            await client.balance()
        assert kraken.calls == []

    run(main)


def test_two_clients_of_one_url_share_the_file(naive_kraken, tmp_path):
    """Level and nonce are found in the file by whoever names it."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        for _ in range(3):
            async with kraken.client(tier="pro", state=f"sqlite:///{tmp_path}/state.db") as client:
                for _ in range(12):
                    await client.balance()
                clock.step_wall(-60)
        return kraken, clock.monotonic()

    kraken, seconds = run(main)
    assert kraken.refused == []
    assert seconds >= 36 - 20


CHILD = """
import asyncio, sys
from krakenasync import KrakenClient

async def main():
    base, key, secret, state = sys.argv[1:]
    async with KrakenClient(key, secret, base_url=base, state=state, timeout=0.5, tier="pro") as kraken:
        await kraken.balance()
        kraken._road.transport.deliver = stuck  # under way, and never answered
        await kraken.balance()

async def stuck(*how):
    print("in the lane", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_a_process_killed_in_the_lane_loses_it_after_its_lease(kind, tmp_path, request):
    """The next call of another process goes through once the lease is over, not before, and no nonce is refused."""
    state = f"sqlite:///{tmp_path / 'state.db'}" if kind == "sqlite" else request.getfixturevalue("redis_url")

    async def main():
        async with serving(SandboxConfig()) as exchange:
            kraken = exchange.client(tier="pro", state=state, timeout=0.5, max_attempts=1)
            words = [exchange.base_url, exchange.api_key, exchange.api_secret, state]
            child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, *words, stdout=subprocess.PIPE)
            assert await child.stdout.readline() == b"in the lane\n"
            began = time.monotonic()
            child.kill()
            await child.wait()
            await kraken.balance()
            waited = time.monotonic() - began
            await kraken.aclose()
            return waited

    # The lease is twice the timeout of 0.5 s; it began a moment before the child spoke.
    assert 0.8 <= asyncio.run(main()) <= 4.0


def test_a_nonce_window_opens_the_lane_of_all_processes(naive_kraken):
    """Two processes have calls under way side by side, more than one and none further apart than the window."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro", jitter=0.03, window=10_000)
        answered = await saturate(kraken, clients(kraken, InProcessStore(clock), 2, nonce_window=10_000), 20)
        return kraken, answered

    kraken, answered = run(main)
    assert kraken.refused == []
    assert kraken.most_in_flight > 1
    assert min(answered) > 0


@pytest.mark.parametrize("fleet", [False, True])
def test_a_client_on_a_lent_transport_leaves_lane_and_store_as_any_other(fleet):
    """The next process need not wait for the lease of the lane's last user to run out; the transport stays open."""

    class Closing(InProcessStore):
        closed = 0

        async def aclose(self):
            self.closed += 1

    async def main(clock):
        exchange, store = in_process(clock=clock), Closing(clock)
        connections = exchange._http_client
        transport = Transport(exchange.base_url, connections)
        accounts, took = [Account("desk", Key(exchange.api_key, exchange.api_secret))], []
        for _process in range(3):
            state, began = SharedState(store, clock), clock.monotonic()
            if fleet:
                where = {"base_url": exchange.base_url, "http_client": connections}
                async with Fleet(accounts, state=state, clock=clock, **where) as clients:
                    await clients["desk"].balance()
            else:
                async with exchange.client(transport=transport, http_client=None, state=state) as client:
                    await client.balance()
            took.append(clock.monotonic() - began)
        return took, store.closed

    took, closed = run(main)
    assert max(took) < 1
    assert closed == 3


def questions(naive_kraken, name, **params):
    """Make a call four times over; return what the store is asked from the second one on, corrections left out."""
    asked = []

    class Counting(InProcessStore):
        async def ask(self, *steps):
            asked.append([type(step).__name__ for step in steps if type(step).__name__ != "Adjust"])
            return await super().ask(*steps)

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        (client,) = clients(kraken, Counting(clock), 1)
        for _ in range(4):
            await client.private(name, **params)
        await client.aclose()

    run(main)
    return asked[2:]


def test_a_call_at_the_head_asks_the_store_once(naive_kraken):
    """Leaving the last lane, booking and entering are one question."""
    one = ["Leave", "Book", "Enter"]
    assert questions(naive_kraken, "Balance") == [one, one, one, ["Leave"]]


def test_an_order_applies_for_its_slot_and_the_lane_in_one_question(naive_kraken):
    """Whoever came before has left by then: an order lets cancellations take effect first."""
    assert questions(naive_kraken, "AddOrder", **ORDER) == [["Leave"], ["Book", "Enter"]] * 3 + [["Leave"]]


def test_with_a_stated_share_calls_go_on_while_the_store_is_away(naive_kraken):
    """No burst, and a quarter of the pace; Kraken refuses nothing."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        store = Unsteady(clock)
        (client,) = clients(kraken, FallbackStore(store, clock, 0.25), 1)
        await saturate(kraken, [client], 20)
        store.away = True
        before = len(kraken.calls)
        await saturate(kraken, [client], 100)
        return kraken, len(kraken.calls) - before

    kraken, calls = run(main)
    assert kraken.refused == []
    assert 8 <= calls <= 27


def test_after_a_refusal_all_processes_go_on_more_slowly(naive_kraken):
    """The pace is 0.8 of the tier's for the process that was refused and for the others alike."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro")
        one, other = clients(kraken, InProcessStore(clock), 2, retry=ONCE)
        kraken.script.append(("Balance", "EAPI:Rate limit exceeded"))
        with pytest.raises(Exception, match="Rate limit"):
            await one.balance()
        await saturate(kraken, [other], 10)
        before = len(kraken.calls)
        (answered,) = await saturate(kraken, [other], 100)
        points = len(kraken.calls) - before + 3 * kraken.calls[before:].count("ClosedOrders")
        return answered, points

    answered, points = run(main)
    assert answered > 0
    assert 70 <= points <= 88


def reporting(scene):
    """Run ``scene(gate, clock)`` on a gate whose reports to the store are taken by hand."""

    async def main():
        clock = VirtualClock()
        state = SharedState(InProcessStore(clock), clock)
        scene(SharedGate("rest", state.bucket("rest", Tier.PRO.rest), state), clock)

    asyncio.run(main())


def test_points_that_could_not_be_reported_are_reported_later():
    """Once, together with those that came since; and that nobody waited for room for them."""

    def scene(gate, _clock):
        gate.reserve(3.0)
        (first,) = (lost := gate.owed()).steps
        assert isinstance(first, Adjust)
        assert (first.delta, first.overdraws) == (3.0, True)
        assert not gate.owing
        gate.unpaid(lost)
        assert gate.owing
        assert gate in gate._desk._debtors
        gate.owe(1.0)
        (again,) = gate.owed().steps
        assert (again.delta, again.block, again.overdraws) == (4.0, 0.0, True)
        assert gate.owed().steps == []

    reporting(scene)


def test_points_that_came_back_are_not_given_back_twice():
    """The store may have carried out the lost report: its counter would be too low then, and Kraken refuse a call."""

    def scene(gate, _clock):
        gate.owe(-2.0)
        gate.unpaid(gate.owed())
        assert gate.owed().steps == []

    reporting(scene)


def test_a_pause_that_could_not_be_reported_is_reported_later():
    """For as long as it still lasts; and a lost report of points alone makes none up."""

    def scene(gate, clock):
        gate.bucket.block(10.0)
        (first,) = (lost := gate.owed()).steps
        assert (first.block, first.floor) == (10.0, gate.shared.limit.cap)
        clock.advance(4.0)
        gate.unpaid(lost)
        (again,) = gate.owed().steps
        assert again.block == pytest.approx(6.0)
        gate.owe(1.0)
        (points,) = (lost := gate.owed()).steps
        assert (points.block, points.floor) == (0.0, 0.0)
        gate.unpaid(lost)
        assert [step.block for step in gate.owed().steps] == [0.0]

    reporting(scene)


def test_a_refusal_that_could_not_be_reported_is_reported_later():
    """With how long ago its call was sent, which is longer by then."""

    def scene(gate, clock):
        sent, cap = clock.monotonic(), gate.bucket.spec.cap
        clock.advance(1.0)
        gate.bucket.refused(1.0, sent=sent)
        gate.learn(1.0, sent)
        (first,) = (lost := gate.owed()).steps
        assert isinstance(first, Refuse)
        assert (first.floor, first.ago, first.most) == (cap + 1.0, 1.0, cap - DEAREST)
        clock.advance(2.0)
        gate.owe(1.0)
        gate.unpaid(gate.owed())  # another report meanwhile
        clock.advance(3.0)  # until the store says that it cannot
        gate.unpaid(lost)
        clock.advance(2.0)
        again, _points = gate.owed().steps
        assert (again.floor, again.ago, again.most) == (cap + 1.0, 8.0, cap - DEAREST)

    reporting(scene)


def test_a_call_that_costs_nothing_overdraws_nothing_but_is_let_through():
    """Cancelling an old order sends nobody else back into line."""

    def scene(gate, _clock):
        gate.reserve(0.0)
        assert gate.granted == 1
        assert gate.owed().steps == []
        gate.owe(1.0)
        gate.reserve(0.0)
        assert [step.overdraws for step in gate.owed().steps] == [False]
        gate.reserve(0.5)
        assert [step.overdraws for step in gate.owed().steps] == [True]
        assert gate.granted == 3

    reporting(scene)


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_an_order_that_costs_nothing_to_cancel_is_cancelled(kind, tmp_path, request):
    """A booking of no points is one all the same, and the key goes on."""
    url = f"sqlite:///{tmp_path}/state.db" if kind == "sqlite" else request.getfixturevalue("redis_url")
    async with serving(SandboxConfig()) as exchange, exchange.client(state=url) as kraken:
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "1000"}
        old = [(await kraken.add_order(**order)).txid[0] for _ in range(2)]
        for known in kraken.limits.engine._ages._orders.values():
            known.since -= 400
        assert kraken.limits.cancel_cost(old[0]) == 0
        async with asyncio.timeout(20):
            assert (await kraken.cancel_order(txid=old[0])).count == 1
            assert (await kraken.ensure_cancelled(txid=old[1])).status == "canceled"
            assert await kraken.balance()


async def gate_behind(store, clock, points):
    """A gate whose counter stands at so many points because of other processes; it allows 18."""
    state = SharedState(store, clock)
    gate = SharedGate("rest", state.bucket("rest key", Tier.PRO.rest), state)
    await adjust(store, "rest key", gate.shared.limit, delta=points)
    return gate


async def level(gate, store):
    """What the store counts, once it is told what is owed."""
    await gate._desk.ask()
    return (await peek(store, "rest key", gate.shared.limit)).level


@pytest.mark.parametrize(("booked", "used"), [(1.0, 4.0), (4.0, 1.0)])
def test_whoever_takes_a_slot_booked_for_another_is_counted_by_his_own_price(booked, used):
    """Too little would bring refusals, too much would keep all processes waiting."""

    async def main(clock):
        gate = await gate_behind(store := InProcessStore(clock), clock, 18.0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gate.acquire, lambda: booked, Lane.BACKGROUND)
            await anyio.sleep(0.1)
            assert await gate.acquire(lambda: used, Lane.URGENT) == used
            tasks.cancel_scope.cancel()
        return await level(gate, store) + clock.monotonic()

    assert run(main) == pytest.approx(18.0 + used, abs=0.001)


def test_two_that_come_while_one_asks_book_two_slots():
    """A third one would be used by nobody, and count for all processes."""

    async def main(clock):
        gate = await gate_behind(store := Far(clock), clock, 10.0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gate.acquire, lambda: 1.0, Lane.NORMAL)
            await anyio.sleep(0.02)
            tasks.start_soon(gate.acquire, lambda: 1.0, Lane.URGENT)
        return await level(gate, store) + clock.monotonic()

    assert run(main) == pytest.approx(10.0 + 2.0, abs=0.2)


@pytest.mark.parametrize("before", [0.0, 5.0])
def test_what_costs_more_than_processes_share_goes_once_the_counter_is_empty(before):
    """Kraken allows 20 points, of which processes leave two free: a batch of 20 has its turn all the same."""

    async def main(clock):
        gate = await gate_behind(InProcessStore(clock), clock, before)
        assert await gate.acquire(lambda: 20.0, Lane.NORMAL) == 20.0
        return clock.monotonic()

    assert run(main) == pytest.approx(before, abs=0.1)


def test_who_stands_behind_others_hears_at_once_that_it_will_be_too_late():
    """Not at the end of his time, when he could have asked elsewhere."""

    async def main(clock):
        gate = await gate_behind(InProcessStore(clock), clock, 0.0)
        gate.bucket.block(10.0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gate.acquire, lambda: 1.0, Lane.NORMAL)
            await anyio.sleep(0.1)
            began = clock.monotonic()
            with pytest.raises(RateLimitTimeout) as failure, anyio.fail_after(3.0):
                await gate.acquire(lambda: 1.0, Lane.NORMAL)
            tasks.cancel_scope.cancel()
        return clock.monotonic() - began, failure.value.retry_after

    assert run(main) == (0.0, pytest.approx(9.9, abs=0.1))

"""What no slot foresaw, in several processes: counters without a burst, batch cancels, a foreign program's calls."""

import anyio
import pytest

from krakenasync import LimitsConfig, RetryPolicy
from krakenasync.sandbox import SandboxConfig
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.shared import SharedState
from krakenasync.testing import in_process, run

ONCE = RetryPolicy(attempts=1)
ADD = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "20000"}


def play(scene, *, processes, **config):
    """Run ``scene(sandbox, clients)`` in virtual time, the clients as in so many processes."""

    async def main(clock):
        running, store = (
            in_process(SandboxConfig(tier="starter", public_burst=1, **config), clock=clock),
            InProcessStore(clock),
        )
        clients = [
            running.client(tier="starter", limits=LimitsConfig(), retry=ONCE, state=SharedState(store, clock))
            for _ in range(processes)
        ]
        return await scene(running.sandbox, clients)

    return run(main)


async def ask_on(clients, seconds):
    """Have every client ask for the time without pause; return how often it was told."""
    told = 0

    async def ask(client):
        nonlocal told
        while True:
            await client.server_time()
            told += 1

    async with anyio.create_task_group() as group:
        for client in clients:
            group.start_soon(ask, client)
        await anyio.sleep(seconds)
        group.cancel_scope.cancel()
    return told


@pytest.mark.parametrize("processes", [2, 4])
def test_public_calls_of_several_processes_are_not_refused(processes):
    """The counter of an address allows no burst, and calls draw nearer to each other on their way."""

    async def scene(sandbox, clients):
        return await ask_on(clients, 60), sandbox.stats.refusals()

    told, refused = play(scene, processes=processes, jitter=0.1)
    assert refused == 0
    assert told >= 0.75 * 60


def test_slots_are_booked_anew_after_another_process_has_overdrawn_the_counter():
    """Kraken carries a batch cancel out whatever its counter says; who waits elsewhere waits for longer then."""

    async def scene(sandbox, clients):
        one, other = clients
        ids = [(await one.add_order(**ADD)).txid[0] for _ in range(50)]
        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(lambda: other.add_order(**ADD))
            await anyio.sleep(1)
            await one.cancel_order_batch(orders=ids[-10:])  # young orders: 80 points on a counter of 60
            before = sandbox.stats.requests["AddOrder"]
            assert other.limits.snapshot()["engine:XBTUSD"].waiting == 62 - before > 0
            await anyio.sleep(60)
            assert sandbox.stats.requests["AddOrder"] == before
        return sandbox.stats

    stats = play(scene, processes=2, jitter=0.001)
    assert (stats.requests["AddOrder"], stats.refusals()) == (62, 0)


def test_slots_that_fell_due_during_a_pause_are_not_all_used_at_its_end():
    """Else one refusal would bring the next: each process has a slot, and all would send in one moment."""

    async def scene(sandbox, clients):
        patient = [client.with_options(max_attempts=5) for client in clients]
        await ask_on(patient, 10)
        sandbox.faults.add("Time", "EGeneral:Too many requests")
        return await ask_on(patient, 60), sandbox.stats

    told, stats = play(scene, processes=6, jitter=0.02)
    assert (sum(stats.faults.values()), stats.refusals()) == (1, 0)
    assert told > 30

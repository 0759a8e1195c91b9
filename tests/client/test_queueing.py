"""Who goes first."""

import asyncio
import random

import anyio
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.client.ageing import Ageing
from krakenasync.client.queueing import Lane, Queue, constant
from krakenasync.protocol.charges import EngineAction
from krakenasync.testing import VirtualClock, run


def free():
    return 1.0


def test_lanes_before_order_of_arrival():
    """An urgent call goes before a normal one, that before a background one, whoever came first."""

    async def main(_clock):
        queue = Queue()
        background, normal, urgent = (queue.join(lane, free) for lane in (Lane.BACKGROUND, Lane.NORMAL, Lane.URGENT))
        served = []
        while (head := queue.head()) is not None:
            served.append(head)
            queue.leave(head)
        assert served == [urgent, normal, background]

    run(main)


@given(st.lists(st.tuples(st.sampled_from(Lane), st.booleans()), max_size=30))
def test_every_queue_is_served_in_order_without_those_who_left(arrivals):
    """Inside a lane it is first come, first served; whoever leaves is neither served nor counted."""

    async def main(_clock):
        queue = Queue()
        joined = [(queue.join(lane, free), lane, leaves) for lane, leaves in arrivals]
        for waiter, _lane, leaves in joined:
            if leaves:
                queue.leave(waiter)
                queue.leave(waiter)  # twice is once
        stay = [(lane, number) for number, (_waiter, lane, leaves) in enumerate(joined) if not leaves]
        assert len(queue) == len(stay) == sum(queue.counts())
        served = []
        while (head := queue.head()) is not None:
            served.append((head.lane, next(number for number, entry in enumerate(joined) if entry[0] is head)))
            queue.leave(head)
        assert served == sorted(stay)
        assert not queue

    run(main)


def test_the_cost_before_a_waiter():
    """Ahead of a waiter stand all of the lanes above and the earlier ones of its own."""

    async def main(_clock):
        queue = Queue()
        first = queue.join(Lane.NORMAL, lambda: 4.0)
        late = queue.join(Lane.NORMAL, lambda: 1.0)
        queue.join(Lane.BACKGROUND, lambda: 8.0)
        assert queue.cost_before(first) == 0
        assert queue.cost_before(late) == 4
        queue.join(Lane.URGENT, lambda: 2.0)
        assert queue.cost_before(late) == 6
        queue.leave(first)
        assert queue.cost_before(late) == 2

    run(main)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """A waiter waits for something else on trio."""
    return request.param


async def ended(waiting):
    """Whether a wait ends without anybody's call."""
    with anyio.move_on_after(0.01):
        await waiting
        return True
    return False


@pytest.mark.anyio
async def test_a_call_is_heard_by_the_wait_it_falls_into_or_the_next():
    """Each call ends one wait, the running one or else the next; two calls before it are one."""
    waiter = Queue().join(Lane.NORMAL)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ended, waiter.wait())
        await anyio.lowlevel.checkpoint()
        waiter.call()
    assert not await ended(waiter.wait())
    waiter.call()
    waiter.call()
    assert await ended(waiter.wait())
    assert not await ended(waiter.wait(1.0))


@pytest.mark.anyio
async def test_a_call_after_a_wait_that_ended_by_itself_is_not_lost():
    """Between two looks of a head nothing may be missed."""
    waiter = Queue().join(Lane.NORMAL)
    await waiter.wait(0.0)
    waiter.call()
    assert await ended(waiter.wait(1.0))


def test_a_guest_on_the_loop_of_asyncio_waits_as_on_trio():
    """Trio may run as a guest on asyncio's loop: what its tasks wait for has to be trio's all the same."""

    async def guest():
        waiter = Queue().join(Lane.NORMAL)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waiter.wait)
            await anyio.wait_all_tasks_blocked()
            waiter.call()
        return "heard"

    async def main():
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=over.set_result
        )
        assert (await over).unwrap() == "heard"

    asyncio.run(main())


def test_places_that_were_given_up_take_no_memory():
    """However many give up behind one who waits on."""
    queue = Queue()
    first = queue.join(Lane.NORMAL)
    for _ in range(1000):
        queue.leave(queue.join(Lane.BACKGROUND))
    assert len(queue._heap) < 200
    assert (queue.head(), len(queue), queue.counts()) == (first, 1, (0, 1, 0))


@given(st.lists(st.tuples(st.sampled_from(Lane), st.integers(1, 4), st.booleans()), max_size=60), st.randoms())
def test_the_cost_before_who_joins_is_that_of_all_who_go_before(joining, chance):
    """By a sum that is kept, or by a walk where prices fall."""
    clock, queue, waiting = VirtualClock(), Queue(), []
    for lane, cost, falls in joining:
        price = (
            Ageing(lambda: EngineAction.CANCEL, list, clock, cost)
            if falls and chance.random() < 0.2
            else constant(cost)
        )
        waiter = queue.join(lane, price)
        expected = sum(other.cost for other in waiting if other < waiter)
        assert queue.cost_before(waiter) == pytest.approx(expected)
        waiting.append(waiter)
        while waiting and chance.random() < 0.4:
            queue.leave(waiting.pop(chance.randrange(len(waiting))))


@pytest.mark.parametrize("seed", range(10))
def test_a_queue_that_was_compacted_keeps_its_order(seed):
    """Most have left a long queue in any order: the others are served as they came, lane by lane."""
    queue, chance = Queue(), random.Random(seed)
    joined = [queue.join(chance.choice([*Lane])) for _ in range(300)]
    for waiter in chance.sample(joined, 270):
        queue.leave(waiter)
    served = []
    while (head := queue.head()) is not None:
        served.append((head.lane, head.order))
        queue.leave(head)
    assert len(served) == 30
    assert served == sorted(served)

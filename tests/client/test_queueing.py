"""Who goes first."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.client.queueing import Lane, Queue
from krakenasync.testing import run


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

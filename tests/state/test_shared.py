"""A process's own account in front of a store."""

import asyncio

import pytest

from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.tiers import CounterSpec, Tier
from krakenasync.state.given import state_from
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.memory import PROCESS, MemoryState
from krakenasync.state.shared import CLOSE, SPREAD, SharedState
from krakenasync.testing import VirtualClock


class Watched(InProcessStore):
    """Counts how often it is started and closed."""

    def __init__(self):
        super().__init__()
        self.started = self.closed = 0

    async def start(self):
        self.started += 1

    async def aclose(self):
        self.closed += 1


class User:
    """A client, say."""


def test_clients_of_one_url_share_what_it_leads_to(tmp_path):
    """Their lines included; another URL, or a clock of one's own, leads elsewhere."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    one = state_from(url, SYSTEM_CLOCK)
    assert state_from(url, SYSTEM_CLOCK) is one
    assert state_from(url + "2", SYSTEM_CLOCK) is not one
    assert state_from(url, VirtualClock()) is not one


def test_what_may_be_given_as_a_state():
    """Nothing, a state, a store of one's own; all else is refused with what would do."""
    state, clock = MemoryState(SYSTEM_CLOCK), VirtualClock()
    assert state_from(None, SYSTEM_CLOCK) is PROCESS
    found = state_from(None, clock)
    assert found.clock is clock
    assert state_from(None, clock) is found  # all clients of a key that count by one clock share it, like a process's
    assert state_from(None, VirtualClock()) is not found
    assert state_from(state, SYSTEM_CLOCK) is state
    assert isinstance(state_from(InProcessStore(), SYSTEM_CLOCK), SharedState)
    with pytest.raises(ConfigurationError, match="of type int") as failure:
        state_from(7, SYSTEM_CLOCK)
    assert "sqlite:///" in str(failure.value.hint)


@pytest.mark.parametrize(
    ("spec", "step", "cap"),
    [
        (Tier.PRO.rest, 0.0, 20 - SPREAD),
        (Tier.PRO.rest, 2.0, 20 - SPREAD - 2),
        (CounterSpec(2, 300), 2.0, 1.0),
    ],
)
def test_the_store_leaves_room_for_what_it_cannot_see(spec, step, cap):
    """What decays while calls draw nearer to each other, and in a step; one call always fits."""
    state = SharedState(InProcessStore(), SYSTEM_CLOCK)
    bucket = state.bucket("rest key", spec, step=step, initial=3.0)
    assert state.counter(bucket) == ("rest key", (cap, spec.decay), 3.0, SPREAD)
    assert state.bucket("rest key", spec, step=step) is bucket


def test_a_counter_without_a_burst_leaves_room_between_its_calls():
    """There is nothing to leave out of a cap of one call: its slots lie further apart than Kraken wants the calls."""
    state = SharedState(InProcessStore(), SYSTEM_CLOCK)
    counter = state.counter(state.bucket("public", CounterSpec(1, 100)))
    assert (counter.limit.cap, 1 / counter.limit.decay - 1, counter.spread) == (1, pytest.approx(CLOSE), CLOSE)


def test_a_store_is_started_once_and_closed_by_the_last():
    """Whoever goes earlier leaves it to the others."""

    async def main():
        store = Watched()
        state, one, other = SharedState(store, SYSTEM_CLOCK), User(), User()
        for user in (one, other):
            state.join(user)
            assert await state.ready() is store
        await state.part(one)
        assert (store.started, store.closed) == (1, 0)
        await state.part(other)
        assert (store.started, store.closed) == (1, 1)

    asyncio.run(main())


def test_each_loop_has_a_desk_of_its_own():
    """A loop's connections are of no use to another."""
    state = SharedState(InProcessStore(), SYSTEM_CLOCK)

    async def desks():
        return state.desk(), state.desk()

    one, same = asyncio.run(desks())
    other, _same = asyncio.run(desks())
    assert one is same
    assert other is not one

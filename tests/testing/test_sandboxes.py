"""A running sandbox with clients for it."""

import anyio
import pytest

from krakenasync import CounterSpec
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import VirtualClock, in_process, run, serving


def test_in_virtual_time_waiting_costs_nothing():
    """In process, on a clock that jumps, a Starter's 25 calls take their half minute in an instant."""

    async def main(clock):
        exchange = in_process(clock=clock)
        async with exchange.client() as kraken:
            for _ in range(25):
                await kraken.balance()
        assert exchange.stats.refusals() == 0
        return clock.monotonic()

    assert 30 < run(main, VirtualClock()) < 40


@pytest.mark.asyncio
async def test_serving_listens_while_the_block_runs():
    """The served sandbox has an address of its own, and two have two."""
    async with serving() as one, serving() as other:
        assert one.base_url != other.base_url
        async with one.client() as kraken:
            await kraken.balance()
        assert one.stats.requests["Balance"] == 1
        assert not other.stats.requests


def test_clients_share_one_counter_and_a_second_sandbox_has_another():
    """Two clients of one key count together; what one sandbox's clients spent is nothing to another's."""

    async def main(clock):
        first, second = in_process(clock=clock), in_process(clock=clock)
        async with first.client() as one, first.client() as other, second.client() as elsewhere:
            await one.balance()
            used, unused = other.limits.snapshot().rest, elsewhere.limits.snapshot().rest
            assert used.level + used.held == 1
            assert unused.level + unused.held == 0

    run(main)


def test_clients_count_as_the_sandbox_does():
    """A sandbox that does not count, or takes more public calls, holds its own clients up no more than that."""

    async def main(clock):
        async with in_process(SandboxConfig(limits=False), clock=clock).client() as kraken:
            for _ in range(40):
                await kraken.balance()
                await kraken.server_time()
            for _ in range(100):
                await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="0.001")
        async with in_process(SandboxConfig(public_burst=9), clock=clock).client() as kraken:
            for _ in range(9):
                await kraken.server_time()
        return clock.monotonic()

    assert run(main) == pytest.approx(0, abs=0.01)


def test_settings_win_over_what_is_chosen():
    """Whatever a client takes can be said."""
    exchange = in_process(SandboxConfig(tier="pro"))
    assert exchange.client("bob", tier="starter").tier.rest == CounterSpec(15, 33)


def test_it_runs_on_trio():
    """Without a socket any event loop will do."""

    async def main():
        async with in_process().client() as kraken:
            return await kraken.balance()

    assert anyio.run(main, backend="trio")


def test_a_client_without_a_state_of_its_own_shares_that_of_the_sandbox():
    """Whether none is named or None: two clients of a key that counted apart would be refused."""

    async def main(clock):
        exchange = in_process(clock=clock)
        async with exchange.client() as one, exchange.client(state=None) as other, anyio.create_task_group() as tasks:
            for each in [one, other] * 12:
                tasks.start_soon(each.balance)
        assert exchange.stats.refusals() == 0

    run(main)

"""Whole clients on a real server, to which something happens: Kraken refuses nothing, and calls go on."""

import asyncio
import time

import anyio
import pytest
from redis import Redis

from krakenasync import CounterSpec, KrakenClient, LimitsConfig, StateUnavailable
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox import SandboxConfig
from krakenasync.state.shared import SharedState
from krakenasync.state.urls import open_store
from krakenasync.testing import serving


def clients(exchange, url, number=1, **settings):
    """Clients as in so many processes, none of which asks twice."""
    how = {"api_key": exchange.api_key, "api_secret": exchange.api_secret, "base_url": exchange.base_url}
    how |= {"tier": "pro", "timeout": 0.5, "max_attempts": 1} | settings
    return [KrakenClient(**how, state=SharedState(open_store(url), SYSTEM_CLOCK)) for _ in range(number)]


def restart(server):
    server.kill()
    server.start()


def flush(server):
    with Redis.from_url(server.url) as direct:
        direct.flushall()


def forget_scripts(server):
    with Redis.from_url(server.url) as direct:
        direct.script_flush()


@pytest.mark.parametrize("fault", [restart, flush, forget_scripts])
def test_kraken_refuses_nothing(own_redis, fault):
    """One process has used the counter up; what the server loses gives the other no second burst, and it goes on."""
    server = own_redis()

    async def main():
        async with serving(SandboxConfig(tier=Tier.PRO)) as exchange:
            one, other = clients(exchange, server.url, 2)
            for _ in range(15):
                await one.balance()
            await other.balance()
            fault(server)
            answered, began = 0, time.monotonic()
            with anyio.move_on_after(4.0):
                while answered < 2:
                    await other.balance()
                    answered += 1
            took = time.monotonic() - began
            for client in (one, other):
                await client.aclose()
            return answered, took

    answered, took = asyncio.run(main())
    assert answered == 2
    assert took > 0.5


@pytest.mark.parametrize("when", ["at the start", "in the middle"])
@pytest.mark.parametrize("choice", ["raise", "local"])
def test_a_server_that_is_away(own_redis, when, choice):
    """By default that is an error and nothing is sent; with a stated share calls go on. Once it is back, so are we."""
    server = own_redis()
    if when == "at the start":
        server.kill()
    url = server.url + ("?on_state_failure=local&share=0.5" if choice == "local" else "?on_state_failure=raise")

    async def main():
        async with serving(SandboxConfig(tier=Tier.PRO)) as exchange:
            (client,) = clients(exchange, url, limits=LimitsConfig(rest=CounterSpec(20, 10_000)))
            if when == "in the middle":
                await client.balance()
                server.kill()
            if choice == "raise":
                with pytest.raises(StateUnavailable) as failure:
                    await client.balance()
                assert failure.value.effect == "none"
                assert str(server.port) in failure.value.message
            else:
                await client.balance()
            server.start()
            with anyio.fail_after(10):
                await client.balance()
                while choice == "local" and not keys(server):
                    await anyio.sleep(0.1)
                    await client.balance()
            await client.aclose()
        return keys(server)

    assert asyncio.run(main())


def keys(server):
    """The records that the server keeps."""
    with Redis.from_url(server.url) as direct:
        return [key for key in direct.keys("krakenasync:*") if key != b"krakenasync:schema"]

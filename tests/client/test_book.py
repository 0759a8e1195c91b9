"""The book of names in the client: fetched once however many ask, kept for a while, shared by all views."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import httpx
import pytest

from krakenasync import KrakenClient
from krakenasync.errors import InvalidArguments, InvalidType, ServiceUnavailable, UnknownAsset
from krakenasync.sandbox import SandboxConfig
from krakenasync.spot.names import NameBook
from krakenasync.state.memory import MemoryState
from krakenasync.testing import in_process, run

SAMPLES = Path(__file__).parent.parent / "samples"


class Listings:
    """Answers Assets, AssetPairs and Ticker from the samples, and notes what it was asked."""

    def __init__(self, clock):
        self.clock = clock
        self.asked = []
        self.broken = False

    async def __call__(self, request):
        name = request.url.path.rpartition("/")[2]
        self.asked.append((name, dict(request.url.params)))
        await anyio.sleep(0.1)
        if self.broken:
            return httpx.Response(200, json={"error": ["EService:Unavailable"]})
        return httpx.Response(200, json=json.loads((SAMPLES / f"{name}.json").read_text()))

    def client(self, **settings):
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return KrakenClient(
            base_url="http://kraken.test", clock=self.clock, state=MemoryState(self.clock), http_client=http, **settings
        )

    def calls(self):
        return [name for name, _params in self.asked]


def test_many_tasks_fetch_the_book_once():
    """However many ask at once, and through whichever view, one fetch serves them all."""

    async def main(clock):
        listings = Listings(clock)
        async with listings.client() as kraken:
            views = [kraken, kraken.with_options(timeout=5), kraken.with_options(lane="background")]
            found = []

            async def ask(view):
                found.append(await view.names())

            async with anyio.create_task_group() as tasks:
                for number in range(30):
                    tasks.start_soon(ask, views[number % 3])
        return found, listings.calls()

    found, calls = run(main)

    assert len(found) == 30
    assert len(set(map(id, found))) == 1
    assert calls == ["Assets", "AssetPairs"]


def test_the_book_is_fetched_anew_when_it_is_old():
    """An hour is its lifetime unless another is asked for; many who find it old fetch it once."""

    async def main(clock):
        listings = Listings(clock)
        async with listings.client() as kraken:
            first = await kraken.names()
            clock.advance(3500)
            assert await kraken.names() is first
            clock.advance(200)
            async with anyio.create_task_group() as tasks:
                for _ in range(10):
                    tasks.start_soon(kraken.names)
            second = await kraken.names()
            assert second is not first
            assert await kraken.names(max_age=0) is not second
        return listings.calls()

    assert run(main) == ["Assets", "AssetPairs"] * 3


def test_a_machine_that_slept_fetches_the_book_again():
    """Its steady clock has not seen the day pass."""

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False), clock=clock)
        async with exchange.client() as kraken:
            first = await kraken.names()
            assert await kraken.names() is first
            clock.step_wall(86_400)
            assert await kraken.names() is not first

    run(main)


def test_a_failure_is_everyone_s_who_waited_and_no_one_else_s():
    """Those who waited get the one failure, each an error of its own; the next to ask asks again."""

    async def main(clock):
        listings = Listings(clock)
        listings.broken = True
        async with listings.client(max_attempts=1) as kraken:
            errors = []

            async def ask():
                try:
                    await kraken.names()
                except ServiceUnavailable as error:
                    errors.append(error)

            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(ask)
            listings.broken = False
            book = await kraken.names()
        return errors, book, listings.calls()

    errors, book, calls = run(main)

    assert len({id(error) for error in errors}) == 5
    assert isinstance(book, NameBook)
    assert calls == ["Assets", "Assets", "AssetPairs"]


def test_a_cancelled_fetch_is_taken_over():
    """If the one who fetches is cancelled, the next in line fetches."""

    async def main(clock):
        listings = Listings(clock)
        async with listings.client() as kraken, anyio.create_task_group() as tasks:
            hurried = anyio.CancelScope()

            async def give_up():
                with hurried:
                    await kraken.names()

            tasks.start_soon(give_up)
            await anyio.sleep(0.01)
            tasks.start_soon(anyio.sleep, 0)
            hurried.cancel()
            return await kraken.names()

    assert run(main).pair("BTC/USD").id == "XXBTZUSD"


def test_prices_under_the_names_they_were_asked_for():
    """Kraken is asked by id, once each, and the answer comes under the names given."""

    async def main(clock):
        listings = Listings(clock)
        async with listings.client() as kraken:
            prices = await kraken.ticker_of("BTC/USD", "XBTUSD")
        return prices, listings.asked[-1]

    prices, asked = run(main)

    assert asked == ("Ticker", {"pair": "XXBTZUSD"})
    assert list(prices) == ["BTC/USD", "XBTUSD"]
    assert prices["BTC/USD"].last.price == prices["XBTUSD"].last.price


def test_xstocks_have_a_book_of_their_own():
    """Another asset class is fetched by its name, under each endpoint's own parameter, and kept apart."""

    async def main(clock):
        listings = Listings(clock)
        async with listings.client() as kraken:
            stocks = await kraken.names("tokenized_asset")
            assert await kraken.names("tokenized_asset") is stocks
            assert await kraken.names() is not stocks
            await kraken.ticker_of("XBTUSD", asset_class="tokenized_asset")
        return listings.asked

    asked = run(main)

    assert asked[:2] == [("Assets", {"aclass": "tokenized_asset"}), ("AssetPairs", {"aclass_base": "tokenized_asset"})]
    assert asked[2:4] == [("Assets", {}), ("AssetPairs", {})]
    assert asked[4][1]["asset_class"] == "tokenized_asset"


@pytest.mark.parametrize(
    ("names", "error"), [((), InvalidArguments), (("BTC/UDS",), UnknownAsset), ((7,), InvalidType)]
)
def test_names_that_cannot_be_asked_for(names, error):
    """No name, an unknown one or another type: an error before the ticker is asked."""

    async def main(clock):
        listings = Listings(clock)
        async with listings.client() as kraken:
            with pytest.raises(error):
                await kraken.ticker_of(*names)
            with pytest.raises(InvalidType):
                await kraken.names(max_age="1h")
            with pytest.raises(InvalidType, match="asset_class must be a str, not list"):
                await kraken.names(["tokenized_asset"])
        return listings.calls()

    assert "Ticker" not in run(main)

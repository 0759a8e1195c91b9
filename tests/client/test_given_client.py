"""What a caller's own httpx client may do: its hooks may raise, its parameters travel beside ours."""

import httpx
import pytest

from krakenasync import InvalidArguments, OutcomeUnknown, ServiceUnavailable, Unanswered
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import in_process, run

BUY = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "20000"}


class Gateway(httpx.AsyncBaseTransport):
    """Leads to the sandbox; the first answer to a call of that name is lost, and a status told instead."""

    def __init__(self, exchange, name, status=502):
        self._to = httpx.ASGITransport(exchange.sandbox.app)
        self._name, self._status = name, status
        self.seen = []

    async def handle_async_request(self, request):
        answer = await self._to.handle_async_request(request)
        self.seen.append(request.url)
        if self._name and self._name in request.url.path:
            self._name = ""
            await answer.aread()
            return httpx.Response(self._status, text="<html>Bad Gateway</html>", request=request)
        return answer


async def raises_for_status(response):
    response.raise_for_status()


async def reads_and_raises_for_status(response):
    await response.aread()
    response.raise_for_status()


async def has_a_bug(response):
    if response.status_code != 200:
        raise ZeroDivisionError("the caller's")


HOOKS = pytest.mark.parametrize("hook", [raises_for_status, reads_and_raises_for_status, has_a_bug])


def play(scene, name="", hooks=(), **settings):
    """Run ``scene(kraken, gateway, exchange)`` with a client of the caller's that has these response hooks."""

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False), clock=clock)
        gateway = Gateway(exchange, name)
        given = httpx.AsyncClient(transport=gateway, event_hooks={"response": list(hooks)}, **settings)
        async with given, exchange.client(http_client=given, nonce_unit="ns") as kraken:
            await scene(kraken, gateway, exchange)

    run(main)


@HOOKS
def test_an_order_is_placed_once_though_a_hook_raises_over_the_lost_answer(hook):
    """It was carried out: it is looked for, not reported as an error that says nothing of it."""

    async def scene(kraken, _gateway, exchange):
        placed = await kraken.place_order(**BUY)
        assert placed.adopted
        assert exchange.stats.requests["AddOrder"] == 1
        assert list((await kraken.open_orders()).open) == [placed.txid]

    play(scene, "AddOrder", [hook])


@HOOKS
def test_a_bare_call_tells_that_its_outcome_is_unknown(hook):
    """With the hook's error, if it was a bug, as the cause."""

    async def scene(kraken, _gateway, _exchange):
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.add_order(**BUY)
        cause = caught.value.__cause__
        if hook is has_a_bug:
            assert isinstance(cause, Unanswered)
            assert isinstance(cause.__cause__, ZeroDivisionError)
            assert "in has_a_bug" in str(cause.__cause__.__notes__)
        else:
            assert isinstance(cause, ServiceUnavailable)

    play(scene, "AddOrder", [hook])


@HOOKS
def test_a_read_is_asked_again(hook):
    """As it would be without the hook."""

    async def scene(kraken, _gateway, exchange):
        assert await kraken.balance()
        assert exchange.stats.requests["Balance"] == 2

    play(scene, "Balance", [hook])


def test_what_kraken_says_beside_a_status_is_read_if_the_hook_has_read_it():
    """Funding Beta tells problems by the status."""

    async def scene(kraken, _gateway, _exchange):
        with pytest.raises(InvalidArguments):
            await kraken.funding_beta_methods(asset="NOSUCH", direction="deposit")

    play(scene, hooks=[reads_and_raises_for_status])


def test_default_parameters_travel_beside_ours():
    """A gateway's token, say; httpx alone would put them in the place of the call's own."""

    async def scene(kraken, gateway, _exchange):
        assert len(await kraken.ticker("XBTUSD")) == 1
        assert (await kraken.balance())["ZUSD"]
        assert [url.query for url in gateway.seen] == [b"pair=XBTUSD&token=a%2Fb", b"token=a%2Fb"]

    play(scene, params={"token": "a/b"})

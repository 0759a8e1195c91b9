"""What a caller's own httpx client may do: its hooks may raise, its parameters travel beside ours."""

import httpx
import pytest

from krakenasync import (
    InvalidArguments,
    KrakenClient,
    NotSent,
    OutcomeUnknown,
    RateLimitExceeded,
    ServiceUnavailable,
    Unanswered,
)
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
            page = httpx.ByteStream(b"<html>Bad Gateway</html>")
            return httpx.Response(self._status, stream=page, request=request)
        return answer


async def raises_for_status(response):
    response.raise_for_status()


async def reads_and_raises_for_status(response):
    await response.aread()
    response.raise_for_status()


def raises(error):
    """Make a hook that raises over what is no success."""

    async def hook(response):
        if response.status_code != 200:
            raise error

    return hook


def of_another_server(status):
    """Make a hook that reports to another server and raises for that one's status."""
    answer = httpx.Response(status, text="no", request=httpx.Request("POST", "http://metrics.test"))
    return raises(httpx.HTTPStatusError("no", request=answer.request, response=answer))


ELSEWHERE = httpx.Request("POST", "http://metrics.test")
FOR_STATUS = [raises_for_status, reads_and_raises_for_status]
MEDDLING = {
    "429": of_another_server(429),
    "403": of_another_server(403),
    "500": of_another_server(500),
    "no connection": raises(httpx.ConnectError("down", request=ELSEWHERE)),
    "a bare error": raises(httpx.ConnectError("down")),
    "a bad address": raises(httpx.InvalidURL("bad")),
    "ours": raises(RateLimitExceeded("EAPI:Rate limit exceeded")),
    "not ours": raises(ZeroDivisionError("the caller's")),
    "nothing": raises(httpx.HTTPStatusError("bare", request=None, response=None)),
}
HOOKS = pytest.mark.parametrize(
    "hook", [*FOR_STATUS, *MEDDLING.values()], ids=[each.__name__ for each in FOR_STATUS] + [*MEDDLING]
)


def play(scene, name="", hooks=(), status=502, **settings):
    """Run ``scene(kraken, gateway, exchange)`` with a client of the caller's that has these response hooks."""

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False), clock=clock)
        gateway = Gateway(exchange, name, status)
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
    """Whatever the hook's error says: it is about another request, or a bug."""

    async def scene(kraken, _gateway, exchange):
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.add_order(**BUY)
        assert isinstance(caught.value.__cause__, ServiceUnavailable if hook in FOR_STATUS else Unanswered)
        assert exchange.stats.requests["AddOrder"] == 1

    play(scene, "AddOrder", [hook])


@pytest.mark.parametrize("call", ["balance", "server_time", "add_order"])
def test_a_rule_of_the_callers_own_is_raised_as_it_is(call):
    """By a request hook, before anything is sent; and it is not its own cause, which no traceback could show."""
    rule = InvalidArguments("not today")

    async def refuse(_request):
        raise rule

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False), clock=clock)
        to = httpx.ASGITransport(exchange.sandbox.app)
        given = httpx.AsyncClient(transport=to, event_hooks={"request": [refuse]})
        async with given, exchange.client(http_client=given) as kraken:
            with pytest.raises(InvalidArguments) as caught:
                await getattr(kraken, call)(**(BUY if call == "add_order" else {}))
        assert caught.value is rule
        assert (rule.__cause__, rule.__context__) == (None, None)

    run(main)


def test_a_client_that_copies_requests_is_not_taken_for_one_with_hooks():
    """Nothing left: the error says so, and why, as if the client were a plain one."""

    class Copying(httpx.AsyncClient):
        async def send(self, request, **options):
            raise httpx.ConnectError("refused", request=httpx.Request(request.method, request.url))

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False), clock=clock)
        async with Copying() as given, exchange.client(http_client=given, max_attempts=1) as kraken:
            for call in (kraken.server_time(), kraken.balance(), kraken.add_order(**BUY)):
                with pytest.raises(NotSent, match=r"could not reach .*: refused"):
                    await call

    run(main)


def test_a_bug_is_told_to_the_hooks_of_ours():
    """A write that began ends for them as well."""
    seen = []

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False), clock=clock)
        given = httpx.AsyncClient(transport=Gateway(exchange, "AddOrder"))
        given.event_hooks = {"response": [raises(ZeroDivisionError("the caller's"))]}
        async with given, exchange.client(http_client=given, hooks=[seen.append]) as kraken:
            with pytest.raises(OutcomeUnknown):
                await kraken.add_order(**BUY)

    run(main)
    assert [type(event).__name__ for event in seen] == ["Sent", "Failed"]


def test_a_bug_is_shown_with_its_place():
    """It is what led to the doubt."""

    async def scene(kraken, _gateway, _exchange):
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.add_order(**BUY)
        bug = caught.value.__cause__.__cause__
        assert isinstance(bug, ZeroDivisionError)
        assert "in hook" in str(bug.__notes__)

    play(scene, "AddOrder", [MEDDLING["not ours"]])


@pytest.mark.parametrize("hook", FOR_STATUS)
def test_a_read_is_asked_again(hook):
    """As it would be without the hook."""

    async def scene(kraken, _gateway, exchange):
        assert await kraken.balance()
        assert exchange.stats.requests["Balance"] == 2

    play(scene, "Balance", [hook])


def test_a_bug_over_a_read_is_the_callers_to_see():
    """A read that is asked again would hide it, and a test's own assertions."""

    async def scene(kraken, _gateway, exchange):
        with pytest.raises(ZeroDivisionError) as caught:
            await kraken.balance()
        assert exchange.stats.requests["Balance"] == 1
        assert len(caught.value.__notes__) == 1

    play(scene, "Balance", [raises(ZeroDivisionError("the caller's"))])


def test_a_status_over_an_answer_that_was_not_read_leaves_doubt():
    """Below 500 it is the body that tells whether something was done."""

    async def scene(kraken, _gateway, _exchange):
        with pytest.raises(OutcomeUnknown):
            await kraken.add_order(**BUY)

    play(scene, "AddOrder", [raises_for_status], status=400)


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


def test_a_client_without_parameters_of_its_own_will_do():
    """Whatever sends, builds requests and closes is taken."""

    class Wrapper:
        def __init__(self, client):
            self.send, self.build_request, self.aclose = client.send, client.build_request, client.aclose
            self.is_closed = False

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False), clock=clock)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(exchange.sandbox.app))
        async with client, exchange.client(http_client=Wrapper(client)) as kraken:
            assert await kraken.balance()

    run(main)


@pytest.mark.parametrize("location", ["login.corp:8080/sso", "mailto:it@corp.example"])
def test_a_redirect_that_httpx_cannot_follow_is_an_answer(location):
    """Httpx reads where it leads even if it is not to follow it: the request was sent once, and may have been taken."""
    arrived = []

    def redirect(request):
        arrived.append(request)
        return httpx.Response(302, headers={"Location": location})

    async def main(clock):
        http = httpx.AsyncClient(transport=httpx.MockTransport(redirect))
        async with KrakenClient(
            "key", "c2VjcmV0", base_url="http://kraken.test", http_client=http, clock=clock
        ) as kraken:
            with pytest.raises(OutcomeUnknown):
                await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="1")
        await http.aclose()

    run(main)
    assert len(arrived) == 1

"""Routing and the envelope: every answer is Kraken's, and decodes into the type its endpoint documents."""

import json
import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.clock import SystemClock
from krakenasync.protocol.bodies import form
from krakenasync.protocol.specs import Body
from krakenasync.sandbox import Sandbox, SandboxConfig
from krakenasync.sandbox.calls import Call
from krakenasync.sandbox.endpoints import HANDLERS
from krakenasync.sandbox.gateway import Gateway
from krakenasync.spot.catalog import ENDPOINTS, by_name


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/0/public/Nope", "/0/private/Nope", "/1/public/Time", "/", "/0/public/Time/"])
async def test_an_unknown_path_is_an_unknown_method(kraken, path):
    """Kraken answers HTTP 200 and an error string, for GET and POST alike."""
    for method in ("GET", "POST"):
        response = await kraken.http.request(method, path)
        assert (response.status_code, response.content) == (200, b'{"error":["EGeneral:Unknown method"]}')


@pytest.mark.asyncio
async def test_private_calls_are_posts(kraken):
    """A GET on a private path is no method of Kraken's."""
    answer = (await kraken.http.get("/0/private/Balance")).json()
    assert answer["error"] == ["EGeneral:Unknown method"]


@pytest.mark.asyncio
async def test_public_calls_are_asked_by_query_alone(kraken):
    """Kraken has ended POST for them: such a call is turned away, and what a GET has for a body is not looked at."""
    for method in ("POST", "PUT", "DELETE"):
        answer = await kraken.http.request(method, "/0/public/Ticker", data={"pair": "XBTUSD"})
        assert (answer.status_code, answer.json()) == (405, {"error": ["EGeneral:Unknown method"]})
    answer = await kraken.http.request("GET", "/0/public/OHLC", data={"pair": "XBTUSD"})
    assert (answer.status_code, answer.json()) == (200, {"error": ["EGeneral:Invalid arguments"]})
    assert (await kraken.http.get("/0/public/None")).json() == {"error": ["EGeneral:Unknown method"]}


@pytest.mark.asyncio
async def test_a_malformed_body_is_refused(kraken):
    """Broken JSON and undecodable forms are argument errors, not crashes."""
    for kind, body in (("application/json", b"{"), ("application/json", b"[]"), ("text/plain", b"\xff\xfe")):
        response = await kraken.http.post("/0/private/Balance", content=body, headers={"Content-Type": kind})
        assert response.json()["error"] == ["EGeneral:Invalid arguments:malformed request"]


@pytest.mark.asyncio
async def test_words_that_change_nothing_here_are_checked_as_well(kraken):
    """The view of tokenized assets: Kraken's words are taken, others refused; who takes none does not look."""
    for word in ("rebased", "base", ""):
        assert await kraken.result("Balance", rebase_multiplier=word)
    assert await kraken.result("Balance", as_json=True, rebase_multiplier=None)
    for name in ("Balance", "OpenOrders", "TradesHistory", "DepositStatus"):
        code = await kraken.code(name, rebase_multiplier="foo")
        assert code == "EGeneral:Invalid arguments:rebase_multiplier"
    assert await kraken.result("CancelAll", rebase_multiplier="foo") == {"count": 0}
    assert await kraken.buy(asset_class="forex")


NAMES = st.one_of(
    st.sampled_from(sorted({field for name in HANDLERS for field in by_name(name).__struct_encode_fields__})),
    st.sampled_from(["close[ordertype]", "close[price]", "nonsense", "pair[]"]),
)
VALUES = st.one_of(
    st.sampled_from(
        ["XBTUSD", "BTC/USD", "buy", "sell", "limit", "market", "GTD", "+60", "#5", "-5%", "20000", "0.01"]
    ),
    st.text(max_size=12),
    st.decimals(allow_nan=True).map(str),
    st.integers().map(str),
)


@given(name=st.sampled_from(sorted(HANDLERS)), params=st.dictionaries(NAMES, VALUES, max_size=8))
def test_whatever_is_sent_the_answer_is_an_envelope(name, params):
    """No parameters make an endpoint fall over: the answer holds a result or one error, never both."""
    sandbox = Sandbox(SandboxConfig(limits=False), SystemClock())
    reply = answer_without_auth(sandbox, name, params)
    spec = by_name(name).spec
    if spec.binary or spec.beta:
        assert not reply.body.startswith(b'{"error":[]')
    else:
        answered = json.loads(reply.body)
        assert ("result" in answered) is (answered["error"] == [])


def answer_without_auth(sandbox, name, params):
    """Call an endpoint as alice without a signature."""

    class Trusting:
        def identify(self, _call, _spec, _params):
            return sandbox.keys["alice"]

    gateway = Gateway(sandbox._gateway._world, Trusting(), sandbox.clock, sandbox.stats)
    spec = by_name(name).spec
    path = re.sub(r"\{(\w+)\}", lambda part: quote(params.pop(part[1], "none") or "none", safe=""), spec.path)
    if spec.body is Body.QUERY:
        call = Call(spec.method, unquote(path), form(params), {}, b"", "", sandbox.clock.wall_ns(), path)
    else:
        call = Call(spec.method, unquote(path), "", {}, form(params).encode(), "", sandbox.clock.wall_ns(), path)
    return gateway.answer(call)


def test_every_endpoint_has_a_handler():
    """And every handler an endpoint: one without would never be reached."""
    assert set(HANDLERS) == {request.spec.name for request in ENDPOINTS.values()}


@pytest.mark.asyncio
async def test_a_target_too_long_is_the_edge_s_to_refuse(kraken):
    """As nginx does, with a page of its own."""
    answer = await kraken.http.get("/0/public/Ticker", params={"pair": ",".join(["XBTUSD"] * 1200)})
    assert (answer.status_code, answer.headers["content-type"]) == (414, "text/html; charset=UTF-8")

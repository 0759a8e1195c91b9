"""The ASGI app and its control pages."""

from email.utils import parsedate_to_datetime

import pytest

from krakenasync.sandbox.calls import Call, Reply

pytestmark = pytest.mark.asyncio


async def test_the_control_page_lists_keys_that_work(kraken):
    """Another process can read the demo keys, secrets included."""
    keys = (await kraken.http.get("/sandbox/keys")).json()
    assert [key["label"] for key in keys] == list(kraken.sandbox.keys)
    assert keys[0]["api_secret"] == kraken.sandbox.keys["alice"].api_secret
    assert (len(keys[0]["api_key"]), len(keys[0]["api_secret"])) == (56, 88)


async def test_faults_can_be_ordered_from_outside(kraken):
    """A posted fault strikes, a deleted one does not."""
    order = {"endpoint": "Time", "fault": "EService:Busy", "times": 2}
    assert (await kraken.http.post("/sandbox/faults", json=order)).json()["waiting"] == 1
    assert (await kraken.public("Time"))["error"] == ["EService:Busy"]
    assert (await kraken.http.delete("/sandbox/faults")).json()["waiting"] == 0
    assert (await kraken.public("Time"))["error"] == []


@pytest.mark.parametrize("order", [b"{", b'{"endpoint": "Time"}', b'{"endpoint": "Time", "fault": "nonsense"}'])
async def test_a_wrong_order_of_faults_is_told_why(kraken, order):
    """The control page answers HTTP 400 with the reason."""
    response = await kraken.http.post("/sandbox/faults", content=order)
    assert response.status_code == 400
    assert response.json()["error"]


async def test_statistics_can_be_read_from_outside(open_caller):
    """Requests, refusals and counter levels, by endpoint and key."""
    kraken = open_caller()
    await kraken.result("Balance")
    await kraken.code("Balance", nonce="0")
    seen = (await kraken.http.get("/sandbox/stats")).json()
    assert seen["requests"] == {"Balance": 2}
    assert seen["refused"] == [["Balance", "EAPI:Invalid nonce", 1]]
    assert seen["levels"]["alice"] == seen["peaks"]["alice"] == 1


async def test_answers_bear_the_date_of_the_exchange(kraken):
    """As Kraken's do; it is the sandbox's own time, which is not always ours."""
    kraken.clock.advance(86_400)
    response = await kraken.http.get("/0/public/Time")
    told = parsedate_to_datetime(response.headers["Date"]).timestamp()
    assert told == response.json()["result"]["unixtime"]
    assert response.headers["Date"].endswith(" GMT")


async def test_a_body_in_pieces_is_put_together(kraken):
    """The call holds the whole body, however the server hands it over."""
    calls = []

    async def handle(call):
        calls.append(call)
        return Reply(b"{}")

    async def control(_scope, _receive, _send):
        raise AssertionError

    pieces = iter([{"body": b"a=", "more_body": True}, {"body": b"1", "more_body": True}, {"more_body": False}])

    async def receive():
        return next(pieces)

    async def send(_message):
        pass

    app = type(kraken.sandbox.app)(handle, control, kraken.clock, send)
    scope = {"type": "http", "method": "POST", "path": "/0/private/X", "query_string": b"q=1", "headers": []}
    await app(scope, receive, send)
    assert calls == [Call("POST", "/0/private/X", "q=1", {}, b"a=1", "", kraken.clock.wall_ns())]

"""Faults to order: each kind, when it strikes, and whether the call was carried out."""

import random

import httpx
import pytest

from krakenasync.errors import ConfigurationError
from krakenasync.sandbox import FAULTS, Faults
from krakenasync.sandbox.faults import Rule

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01"}
PAGES = [name for name in FAULTS if name.isdigit()]


def resting(kraken):
    return len(kraken.sandbox.accounts["alice"].open)


@pytest.mark.asyncio
@pytest.mark.parametrize(("fault", "orders"), [("answer-lost", 1), ("answer-lost-after", 1), ("answer-lost-before", 0)])
async def test_a_lost_answer_breaks_the_connection(kraken, fault, orders):
    """In process a lost answer is httpx's broken connection; the suffix says whether the order was placed."""
    kraken.sandbox.faults.add("AddOrder", fault)
    with pytest.raises(httpx.TransportError, match="lost this answer"):
        await kraken.send("AddOrder", **ORDER)
    assert resting(kraken) == orders
    assert await kraken.buy()


@pytest.mark.asyncio
@pytest.mark.parametrize("status", PAGES)
@pytest.mark.parametrize(("suffix", "orders"), [("", 0), ("-before", 0), ("-after", 1)])
async def test_error_pages_are_html_with_their_status(kraken, status, suffix, orders):
    """Pages of the edge come with their HTTP status, before or after the order was placed."""
    kraken.sandbox.faults.add("AddOrder", status + suffix)
    response = await kraken.send("AddOrder", **ORDER)
    assert response.status_code == int(status)
    assert response.headers["content-type"].startswith("text/html")
    assert response.text.startswith("<!DOCTYPE html>")
    assert resting(kraken) == orders


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("empty-body", 200, b""),
        ("null", 200, b"null"),
        ("not-json", 200, b"upstream request timeout"),
        ("redirect", 302, b""),
    ],
)
async def test_other_garbled_answers(kraken, fault, status, body):
    """Bodies that are no envelope come exactly as described."""
    kraken.sandbox.faults.add("Balance", fault)
    response = await kraken.send("Balance")
    assert (response.status_code, response.content) == (status, body)
    assert ("location" in response.headers) is (fault == "redirect")


@pytest.mark.asyncio
async def test_truncated_json_is_the_first_half_of_the_true_answer(kraken):
    """The answer breaks off in the middle, with a length that fits."""
    true = await kraken.send("Balance")
    kraken.sandbox.faults.add("Balance", "truncated-json")
    assert (await kraken.send("Balance")).content == true.content[: len(true.content) // 2]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "code",
    [
        "EService:Busy",
        "EService:Unavailable",
        "EGeneral:Temporary lockout",
        "EAPI:Rate limit exceeded",
        "EAPI:Invalid nonce",
        "EGeneral:Internal error",
        "ESomething:Never heard of",
    ],
)
@pytest.mark.parametrize(("suffix", "orders"), [("", 0), ("-after", 1)])
async def test_any_string_of_krakens_can_be_answered(kraken, code, suffix, orders):
    """The string stands alone in the envelope, instead of the call or after it."""
    kraken.sandbox.faults.add("AddOrder", code + suffix)
    assert await kraken.code("AddOrder", **ORDER) == code
    assert resting(kraken) == orders


@pytest.mark.asyncio
async def test_a_throttled_answer_names_a_time_ahead(kraken):
    """The unix time is filled in from the sandbox's clock."""
    kraken.sandbox.faults.add("Balance", "EService: Throttled")
    assert await kraken.code("Balance") == f"EService: Throttled: {kraken.clock.wall_ns() // 10**9 + 5}"


@pytest.mark.asyncio
async def test_a_warning_comes_beside_the_result(kraken):
    """A W string leaves the result where it is, and leaves a refusal alone."""
    kraken.sandbox.faults.add("Balance", "WGeneral:Danger", times=2)
    answer = await kraken.private("Balance")
    assert answer["error"] == ["WGeneral:Danger"]
    assert answer["result"]["XXBT"] == "3.5000000000"
    assert await kraken.code("Balance", nonce="1") == "EAPI:Invalid nonce"


@pytest.mark.asyncio
async def test_a_delayed_order_misses_its_deadline(kraken, monkeypatch):
    """Held up on its way for longer than its deadline, an order is refused by the engine."""

    async def sleep(seconds):
        kraken.clock.advance(seconds)

    monkeypatch.setattr("krakenasync.sandbox.sandbox.anyio.sleep", sleep)
    kraken.sandbox.faults.add("AddOrder", "delayed", seconds=6)
    deadline = "2026-05-28T20:26:45Z"  # five seconds after the clock's start
    assert await kraken.code("AddOrder", **ORDER, deadline=deadline) == "EService:Deadline elapsed"
    kraken.sandbox.faults.add("AddOrder", "delayed-after", seconds=6)
    deadline = "2026-05-28T20:26:51Z"
    assert (await kraken.result("AddOrder", **ORDER, deadline=deadline))["txid"]


@pytest.mark.asyncio
async def test_latency_and_jitter_lie_on_both_ways(open_caller, monkeypatch):
    """Each call waits twice, between latency and latency plus jitter, the same for the same seed."""
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr("krakenasync.sandbox.sandbox.anyio.sleep", sleep)
    for _ in range(2):
        assert (await open_caller(latency=1.0, jitter=0.5, seed=3).public("Time"))["error"] == []
    first, second = waits[:2], waits[2:]
    assert first == second
    assert all(1.0 <= wait <= 1.5 for wait in first)
    assert first[0] != first[1]


@pytest.mark.asyncio
async def test_faults_are_counted_apart_from_refusals(kraken):
    """Statistics tell faults played from refusals of the sandbox's own."""
    kraken.sandbox.faults.add("Balance", "EService:Busy")
    await kraken.code("Balance")
    await kraken.code("Balance", nonce="0")
    stats = kraken.sandbox.stats
    assert (stats.faults["Balance", "EService:Busy"], stats.refusals()) == (1, 1)
    assert stats.refusals("EAPI:", endpoint="Balance") == 1
    assert stats.refusals(endpoint="AddOrder") == 0
    stats.reset()
    assert repr(stats) == "Stats(0 requests, 0 refused, 0 faults)"


def draws(faults, times, endpoint="Balance"):
    return [fault.name if (fault := faults.draw(endpoint)) else None for _ in range(times)]


def test_a_fault_strikes_from_the_nth_call_for_so_many_times():
    """It lets the first calls pass, strikes, and is used up."""
    faults = Faults(random.Random(0))
    faults.add("Balance", "502", nth=3, times=2)
    assert draws(faults, 6) == [None, None, "502", "502", None, None]
    assert len(faults) == 0


def test_a_fault_strikes_only_its_endpoint_unless_it_is_for_all():
    """Another endpoint's calls neither meet it nor use it up; a star means every endpoint."""
    faults = Faults(random.Random(0))
    faults.add("AddOrder", "502")
    assert draws(faults, 2) == [None, None]
    faults.add("*", "503")
    assert draws(faults, 2) == ["503", None]
    assert [rule.endpoint for rule in faults] == ["AddOrder"]


def test_a_fault_without_count_strikes_with_its_probability():
    """Of a thousand calls about the stated share meets it, the same ones for the same seed."""
    shares = []
    for _ in range(2):
        faults = Faults(random.Random(5))
        faults.add("Balance", "520", times=None, probability=0.3)
        shares.append(draws(faults, 1000))
    assert 250 < shares[0].count("520") < 350
    assert shares[0] == shares[1]


def test_faults_can_be_cleared():
    """Nothing strikes after clear()."""
    faults = Faults(random.Random(0))
    assert isinstance(faults.add("*", "null", times=None), Rule)
    faults.clear()
    assert draws(faults, 3) == [None] * 3


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("no-such-fault", {}),
        ("Balance", {}),
        ("502", {"nth": 0}),
        ("502", {"probability": 1.5}),
        ("502", {"seconds": -1}),
        ("502", {"times": -1}),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(fault, options):
    """Unknown names and impossible numbers are said at once."""
    with pytest.raises(ConfigurationError):
        Faults(random.Random(0)).add("Balance", fault, **options)


def test_a_fault_of_an_endpoint_that_is_none_is_refused():
    """A typo would let a bot pass a test that tests nothing."""
    with pytest.raises(ConfigurationError, match="did you mean Balance"):
        Faults(random.Random(0)).add("Balnce", "502")

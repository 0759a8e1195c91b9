"""Orders exactly once, over the client, against the sandbox, in virtual time."""

import asyncio
import copy
import json
import pickle
import random
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

import anyio
import anyio.lowlevel
import httpx
import pytest

from krakenasync import (
    ConfigurationError,
    DuplicateClientOrderId,
    EngineLimitExceeded,
    InsufficientFunds,
    InvalidArguments,
    InvalidNonce,
    InvalidType,
    KrakenError,
    OutcomeUnknown,
    RateLimitTimeout,
    RetryPolicy,
)
from krakenasync.client.events import Sent
from krakenasync.client.orders import Intent, PlaceOrder
from krakenasync.errors import OrderNotPlaced
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import in_process, run

ONCE = RetryPolicy(attempts=1)
BUY = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "30000"}
MARKET = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001"}


class Detached(httpx.AsyncBaseTransport):
    """Carries requests into the sandbox; one that was given up on the way goes on, as on a real network."""

    def __init__(self, app):
        self._inner = httpx.ASGITransport(app)
        self._under_way = set()

    async def handle_async_request(self, request):
        await request.aread()
        task = asyncio.create_task(self._inner.handle_async_request(request))
        self._under_way.add(task)
        task.add_done_callback(lambda done: (self._under_way.discard(done), done.exception()))
        return await asyncio.shield(task)


class Reticent(Detached):
    """Leaves the ids out of the first answer that has some."""

    told = False

    async def handle_async_request(self, request):
        answer = await super().handle_async_request(request)
        if self.told or not request.url.path.endswith("/AddOrder"):
            return answer
        self.told = True
        result = json.loads(await answer.aread())["result"]
        return httpx.Response(200, json={"error": [], "result": {**result, "txid": []}})


def play(scene, *, timeout=2.0, way=Detached, **config):
    """Run ``scene(kraken, sandbox)`` in virtual time."""

    async def main(clock):
        running = in_process(SandboxConfig(**{"limits": False, "jitter": 0.02, **config}), clock=clock)
        http = httpx.AsyncClient(transport=way(running.sandbox.app))
        async with http, running.client(http_client=http, timeout=timeout, retry=ONCE) as kraken:
            return await scene(kraken, running.sandbox)

    return run(main)


def book(sandbox, cl_ord_id):
    """All orders in the exchange's own books that bear the id."""
    return [order for order in sandbox.accounts["alice"].orders.values() if order.cl_ord_id == cl_ord_id]


def at(clock):
    """What the exchange's clock shows."""
    return datetime.fromtimestamp(clock.wall_ns() / 1e9, UTC)


# fault -> seconds it is held up
ORDER_FAULTS = {
    "answer-lost-before": 0,
    "answer-lost-after": 0,
    "502-before": 0,
    "502-after": 0,
    "EService:Busy-before": 0,
    "EService:Busy-after": 0,
    "EService:Deadline elapsed-before": 0,
    "EService:Deadline elapsed-after": 0,
    "EGeneral:Internal error-after": 0,
    "EAPI:Invalid nonce-before": 0,
    "EAPI:Invalid nonce-after": 0,
    "truncated-json": 0,
    "empty-body": 0,
    "html-after": 0,
    "redirect-before": 0,
    "delayed-before": 2.5,
    "delayed": 4.5,
    "delayed-after": 6,
}


def trouble(sandbox, rate):
    """Let that share of the calls about orders meet a fault, all faults being as likely."""
    each = rate / len(ORDER_FAULTS)
    for number, (fault, seconds) in enumerate(ORDER_FAULTS.items()):
        for endpoint in ("AddOrder", "OpenOrders", "ClosedOrders"):
            chance = each / (1 - number * each)
            sandbox.faults.add(endpoint, fault, times=None, probability=chance, seconds=seconds)


async def place_and_judge(kraken, sandbox, order, reports):
    """Place an order and compare the report with the exchange's books, long after the last request has died."""
    intents = []
    try:
        placed = await kraken.place_order(**order, on_intent=intents.append)
        report = "placed"
    except OutcomeUnknown:
        placed, report = None, "unknown"
    except KrakenError:
        placed, report = None, "none"
    await anyio.sleep(70)
    there = [order.txid for order in book(sandbox, intents[0].cl_ord_id)]
    reports[report] += 1
    reports["duplicates"] += len(there) > 1
    reports["wrong"] += (report == "placed" and placed.txid not in there) or (report == "none" and bool(there))
    sandbox.exchange.cancel(sandbox.accounts["alice"], list(sandbox.accounts["alice"].open.values()))


@pytest.mark.parametrize("order", [BUY, MARKET])
@pytest.mark.parametrize("lag", [0.0, 1.5])
def test_a_request_that_arrives_twice_makes_one_order(order, lag):
    """The second copy's nonce is used up, and its answer is the one that comes back."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "EAPI:Invalid nonce-after")
        began = sandbox.clock.monotonic()
        placed = await kraken.with_options(retry=RetryPolicy()).place_order(**order)
        assert [each.txid for each in book(sandbox, placed.cl_ord_id)] == [placed.txid]
        assert (placed.adopted, placed.sends) == (True, 1)
        assert sandbox.clock.monotonic() - began < 9

    play(scene, open_order_lag=lag)


def test_a_copy_that_the_engine_takes_late_is_waited_for():
    """Its nonce was taken at once, so the other copy was refused; within its deadline the order may come to be."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "EAPI:Invalid nonce")
        intents = []

        async def engine():
            await anyio.sleep(4)
            await kraken.add_order(**MARKET, cl_ord_id=intents[0].cl_ord_id)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine)
            patient = kraken.with_options(retry=RetryPolicy())
            placed = await patient.place_order(**MARKET, on_intent=intents.append)
        assert [each.txid for each in book(sandbox, placed.cl_ord_id)] == [placed.txid]
        assert placed.sends == 1

    play(scene)


def test_looking_for_an_order_goes_before_reads_that_wait():
    """Each look would else wait for all of them."""

    async def main(clock):
        running = in_process(SandboxConfig(), clock=clock)
        http = httpx.AsyncClient(transport=Detached(running.sandbox.app))
        async with http, running.client(http_client=http, timeout=2.0) as kraken:
            running.sandbox.faults.add("AddOrder", "answer-lost-after")
            async with anyio.create_task_group() as tasks:
                for _ in range(60):
                    tasks.start_soon(kraken.balance)
                await anyio.lowlevel.checkpoint()
                began = clock.monotonic()
                placed = await kraken.place_order(**MARKET)
                assert clock.monotonic() - began < 30
                tasks.cancel_scope.cancel()
        assert placed.adopted

    run(main)


@pytest.mark.parametrize(("refusals", "sends"), [(1, 2), (2, 3), (3, None)])
def test_an_order_whose_nonce_is_refused_is_looked_for_before_it_is_sent_again(refusals, sends):
    """What is not there some seconds later was not carried out; three refusals are told as what they are."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "EAPI:Invalid nonce", times=refusals)
        patient = kraken.with_options(retry=RetryPolicy())
        if sends is None:
            with pytest.raises(InvalidNonce) as caught:
                await patient.place_order(**MARKET)
            assert (caught.value.attempts, caught.value.__cause__) == (3, None)
        else:
            placed = await patient.place_order(**MARKET)
            assert (placed.adopted, placed.sends) == (False, sends)
        assert len(sandbox.accounts["alice"].orders) == (sends is not None)

    play(scene)


def test_on_a_closed_client_an_order_is_not_looked_for():
    """The doubt is told when the next look is due, not half a minute later."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "answer-lost-before")

        async def doubted():
            with pytest.raises(OutcomeUnknown) as caught:
                await kraken.place_order(**BUY)
            assert isinstance(caught.value.__cause__, ConfigurationError)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(doubted)
            await anyio.sleep(1)
            await kraken.aclose()
        assert sandbox.clock.monotonic() < 10

    play(scene)


def test_a_key_that_was_used_with_higher_nonces_is_told_but_proves_nothing():
    """No nonce is high enough; or all are refused for what passes, and a copy of the order was carried out before."""

    async def scene(kraken, sandbox):
        for call in ("AddOrder", "OpenOrders", "ClosedOrders"):
            sandbox.faults.add(call, "EAPI:Invalid nonce", times=None)
        with pytest.raises(OutcomeUnknown, match="finer unit") as caught:
            await kraken.with_options(retry=RetryPolicy()).place_order(**MARKET)
        assert sandbox.clock.monotonic() < 3
        sandbox.faults.clear()
        await anyio.sleep(60)
        assert await caught.value.resolve() is None
        assert not sandbox.accounts["alice"].orders

    play(scene)


def test_looks_whose_nonces_are_refused_are_signed_anew():
    """Only the order itself is not: what is looked for may be there."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "answer-lost-after")
        sandbox.faults.add("OpenOrders", "EAPI:Invalid nonce", times=3)
        placed = await kraken.with_options(retry=RetryPolicy()).place_order(**BUY)
        assert (placed.adopted, placed.sends) == (True, 1)
        assert sandbox.clock.monotonic() < 4

    play(scene)


def test_a_doubt_tells_of_refused_nonces():
    """Whoever shares the key with another program learns it."""

    async def scene(kraken, sandbox):
        await kraken.balance()
        for call in ("AddOrder", "OpenOrders", "ClosedOrders"):
            sandbox.faults.add(call, "EAPI:Invalid nonce", times=None)
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.with_options(retry=RetryPolicy()).place_order(**MARKET)
        assert "another program uses this key" in caught.value.hint

    play(scene)


@pytest.mark.parametrize("lag", [0.0, 1.5])
def test_with_two_calls_in_five_failing_no_order_is_doubled_and_no_report_is_wrong(lag):
    """Hundreds of orders, limit and market, at once and one after the other; the exchange's books are the judge."""
    kinds = [BUY, MARKET, {**MARKET, "type": "sell"}, {**BUY, "price": "90000"}, {**BUY, "timeinforce": "IOC"}]

    async def scene(kraken, sandbox):
        trouble(sandbox, 0.4)
        chance, reports = random.Random(lag), Counter()
        for _ in range(20):
            async with anyio.create_task_group() as crowd:
                for _ in range(20):
                    crowd.start_soon(place_and_judge, kraken, sandbox, chance.choice(kinds), reports)
        return reports, sandbox.stats.faults

    reports, faults = play(scene, open_order_lag=lag, nonce_window=60_000)
    assert reports["duplicates"] == reports["wrong"] == 0, reports
    assert reports["placed"] > 330
    assert {name for endpoint, name in faults if endpoint == "AddOrder"} == set(ORDER_FAULTS)


def test_a_confirmed_order_is_reported_with_its_ids():
    """The ordinary case: one reading of the clock, one call."""

    async def scene(kraken, sandbox):
        placed = await kraken.place_order(**BUY)
        (order,) = book(sandbox, placed.cl_ord_id)
        assert (placed.txid, placed.adopted, placed.sends, placed.order) == (order.txid, False, 1, None)
        assert placed.description == "buy 0.00100000 XBTUSD @ limit 30000.0"
        await kraken.place_order(**BUY)
        assert sandbox.stats.requests == {"Time": 1, "AddOrder": 2}

    play(scene)


@pytest.mark.parametrize("order", [BUY, MARKET])
@pytest.mark.parametrize("fault", ["answer-lost-after", "502-after", "EService:Deadline elapsed-after", "delayed"])
def test_an_order_that_no_answer_told_of_is_found_and_adopted(order, fault):
    """Resting or filled, it is the one order, and it comes with what Kraken knows of it."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", fault, seconds=3 if fault == "delayed" else 0)
        placed = await kraken.place_order(**order)
        (there,) = book(sandbox, placed.cl_ord_id)
        assert (placed.txid, placed.adopted, placed.sends) == (there.txid, True, 1)
        assert placed.order.cl_ord_id == placed.cl_ord_id

    play(scene, nonce_window=60_000)  # else the looks, with higher nonces, would shut the delayed request out


def test_a_machine_that_slept_makes_its_next_deadline_by_kraken_s_clock():
    """The first one was over when it arrived: the steady clock by which it was made had stood still."""

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False), clock=clock)

        def sleep(event):
            if isinstance(event, Sent) and event.endpoint == "AddOrder" and not exchange.stats.requests["AddOrder"]:
                clock.step_wall(120)

        async with exchange.client(hooks=[sleep]) as kraken:
            exchange.faults.add("AddOrder", "EService:Deadline elapsed-before")
            placed = await kraken.place_order(**MARKET)
            assert placed.sends == 2
            assert len(book(exchange.sandbox, placed.cl_ord_id)) == 1

    run(main)


@pytest.mark.parametrize("fault", ["answer-lost-before", "502-before", "EService:Busy-before"])
def test_an_order_that_is_not_there_is_sent_again_under_the_same_id(fault):
    """After its deadline and the margin, and not a moment before."""

    async def scene(kraken, sandbox):
        began = sandbox.clock.monotonic()
        sandbox.faults.add("AddOrder", fault)
        placed = await kraken.place_order(**MARKET)
        assert (placed.sends, placed.adopted) == (2, False)
        assert len(book(sandbox, placed.cl_ord_id)) == 1
        assert 7 < sandbox.clock.monotonic() - began < 11

    play(scene)


def test_a_confirmation_without_an_id_is_looked_into():
    """The documented list of ids is empty when nothing was placed."""

    async def scene(kraken, sandbox):
        placed = await kraken.place_order(**MARKET)
        assert (placed.sends, placed.adopted) == (1, True)
        assert [order.txid for order in book(sandbox, placed.cl_ord_id)] == [placed.txid]

    play(scene, way=Reticent)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_intent_is_told_before_anything_is_sent(kind):
    """A journal can be written first, by a plain function or a coroutine."""

    async def scene(kraken, sandbox):
        seen = []

        def note(intent):
            seen.append((intent, sandbox.stats.requests.total()))

        async def note_slowly(intent):
            await anyio.sleep(1)
            note(intent)

        placed = await kraken.place_order(**BUY, on_intent=note if kind == "sync" else note_slowly, deadline=10)
        ((intent, requests),) = seen
        assert isinstance(intent, Intent)
        assert (intent.cl_ord_id, intent.lifetime, requests) == (placed.cl_ord_id, 10, 0)
        assert intent.order.price == "30000"
        assert intent.order.cl_ord_id == intent.cl_ord_id

    play(scene)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_journal_that_fails_stops_the_order(kind):
    """What was not written down is not sent."""

    async def scene(kraken, sandbox):
        def refuse(_intent):
            raise OSError("disk full")

        async def refuse_later(intent):
            refuse(intent)

        with pytest.raises(OSError, match="disk full"):
            await kraken.place_order(**BUY, on_intent=refuse if kind == "sync" else refuse_later)
        assert not sandbox.stats.requests

    play(scene)


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"userref": 7}, InvalidArguments, "leave it out"),
        ({"validate": True}, InvalidArguments, "add_order"),
        ({"deadline": 2.9}, InvalidArguments, "3 to 58"),
        ({"deadline": 59}, InvalidArguments, "3 to 58"),
        ({"deadline": float("nan")}, InvalidArguments, "3 to 58"),
        ({"deadline": True}, InvalidType, "seconds"),
        ({"deadline": "5"}, InvalidType, "seconds"),
        ({"volume": 0.001}, InvalidType, "Decimal"),
        ({"cl_ord_id": "way too long for free text"}, InvalidArguments, "UUID"),
        ({"cl_ord_id": ""}, InvalidArguments, "cl_ord_id is empty"),
        ({"cl_ord_id": []}, InvalidType, "cl_ord_id must be a str"),
        ({"deadline": 10**5000}, InvalidArguments, "3 to 58"),
        ({"resubmit": "no"}, InvalidType, "resubmit must be True or False, not str"),
        ({"resubmit": None}, InvalidType, "resubmit must be True or False"),
        ({"validate": 0}, InvalidType, "validate must be True or False"),
    ],
)
def test_what_cannot_be_placed_exactly_once_is_refused_before_anything_is_sent(wrong, error, says):
    """And before the journal hears of it."""

    async def scene(kraken, sandbox):
        intents = []
        with pytest.raises(error, match=says):
            await kraken.place_order(**{**BUY, **wrong}, on_intent=intents.append)
        assert not intents
        assert not sandbox.stats.requests

    play(scene)


@pytest.mark.parametrize("journal", [5, "print", [], False])
def test_a_journal_that_cannot_be_called_is_refused_before_anything_is_sent(journal):
    """It is what a crash would have to be survived with."""

    async def scene(kraken, sandbox):
        with pytest.raises(InvalidType, match="on_intent must be a function"):
            await kraken.place_order(**BUY, on_intent=journal)
        assert not sandbox.stats.requests

    play(scene)


class Word(Enum):
    """Words as members of an enumeration that is no StrEnum."""

    BUY = "buy"
    LIMIT = "limit"


def test_an_order_in_members_of_an_enumeration_is_found_again():
    """Under an id of the caller's, what is found is compared with what was asked for: by its words."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "answer-lost-after")
        words = {"type": Word.BUY, "ordertype": Word.LIMIT}
        placed = await kraken.place_order(**{**BUY, **words}, cl_ord_id="grid-1")
        assert placed.adopted
        assert len(book(sandbox, "grid-1")) == 1

    play(scene)


def test_the_deadline_travels_in_kraken_s_time():
    """A machine whose calendar is an hour off places orders all the same."""

    async def scene(kraken, sandbox):
        exact = sandbox.clock.wall_ns
        kraken._clock.wall_ns = lambda: exact() + 3600 * 10**9
        try:
            assert (await kraken.place_order(**BUY, deadline=3)).sends == 1
        finally:
            del kraken._clock.wall_ns

    async def main(clock):
        sandbox_clock, ours = clock, copy.copy(clock)
        ours.monotonic = clock.monotonic
        running = in_process(SandboxConfig(limits=False), clock=sandbox_clock)
        async with running.client(clock=ours) as kraken:
            await scene(kraken, running.sandbox)

    run(main)


@pytest.mark.parametrize("deadline", [3, 58])
def test_the_shortest_and_the_longest_deadline_are_taken_wherever_the_second_is_cut(deadline):
    """Kraken shows whole seconds only, and takes 2 to 60."""

    async def scene(kraken, sandbox):
        await anyio.sleep(random.Random(deadline).random())
        for _ in range(20):
            await anyio.sleep(601.13)  # the clock is read anew
            assert (await kraken.place_order(**MARKET, deadline=deadline)).sends == 1
        assert sandbox.stats.requests["Time"] == 20

    play(scene, latency=0.2)


def test_a_deadline_that_kraken_finds_too_near_is_made_anew():
    """After a new reading of Kraken's clock: nothing was placed."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "EGeneral:Invalid arguments:deadline")
        placed = await kraken.place_order(**BUY)
        assert placed.sends == 2
        assert sandbox.stats.requests == {"Time": 2, "AddOrder": 2}

    play(scene)


def test_a_slow_reading_of_the_clock_is_taken_again():
    """A deadline made by an answer that took five seconds might lie in the past."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("Time", "delayed-after", seconds=5)
        assert (await kraken.place_order(**BUY, deadline=3)).sends == 1
        assert sandbox.stats.requests["Time"] == 2

    play(scene, timeout=10)


def test_a_clock_that_cannot_be_asked_in_time_is_a_matter_of_the_limiter(naive_kraken):
    """As in every other call: at once, with the seconds it would take, and as a `TimeoutError`."""

    async def main(clock):
        kraken = naive_kraken(clock).client(retry=ONCE)
        await kraken.server_time()
        with pytest.raises(RateLimitTimeout) as caught, anyio.fail_after(0.2):
            await kraken.place_order(**BUY)
        assert caught.value.retry_after > 0.2
        assert clock.monotonic() == 0

    run(main)


def test_without_a_clock_nothing_is_sent():
    """And it says so: no order can come of it."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("Time", "502", times=None)
        with pytest.raises(OrderNotPlaced, match="nothing was sent") as caught:
            await kraken.place_order(**BUY)
        assert caught.value.effect == "none"
        assert "AddOrder" not in sandbox.stats.requests

    play(scene)


@pytest.mark.parametrize("seconds", [99999999999999999, 10**5000, -1], ids=["far", "farther", "before"])
def test_a_clock_from_outer_space_does_not_break_placing(naive_kraken, seconds):
    """With no other reading nothing is sent; with one, that serves on."""
    nowhere = f'{{"error":[],"result":{{"unixtime":{"9" * 5000 if seconds > 10**20 else seconds}}}}}'

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client(retry=ONCE)
        exchange.script = [("Time", httpx.Response(200, text=nowhere))]
        with pytest.raises(OrderNotPlaced, match="nothing was sent"):
            await kraken.place_order(**BUY)
        assert (await kraken.place_order(**BUY)).sends == 1
        await anyio.sleep(700)
        exchange.script = [("Time", httpx.Response(200, text=nowhere))]
        assert (await kraken.place_order(**BUY)).sends == 1
        assert not exchange.script
        assert exchange.calls == ["Time", "Time", "AddOrder", "Time", "AddOrder"]

    run(main)


def test_an_old_reading_of_the_clock_serves_on_when_there_is_no_new_one():
    """It is still never ahead, and a failing public endpoint must not stop trading."""

    async def scene(kraken, sandbox):
        await kraken.place_order(**BUY)
        await anyio.sleep(700)
        sandbox.faults.add("Time", "502", times=None)
        assert (await kraken.place_order(**BUY)).sends == 1

    play(scene)


def test_a_hundred_orders_at_once_read_the_clock_once():
    """Public calls are counted at one a second; orders do not queue for them."""

    async def scene(kraken, sandbox):
        async with anyio.create_task_group() as crowd:
            for _ in range(100):
                crowd.start_soon(lambda: kraken.place_order(**MARKET))
        assert sandbox.stats.requests == {"Time": 1, "AddOrder": 100}

    play(scene)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("EOrder:Insufficient funds", InsufficientFunds),
        ("EOrder:Rate limit exceeded", EngineLimitExceeded),
        ("EGeneral:Invalid arguments:volume", InvalidArguments),
    ],
)
def test_a_refusal_passes_through_and_is_not_repeated(code, error):
    """Also a full engine counter: an order that late is another order."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", code)
        with pytest.raises(error) as caught:
            await kraken.place_order(**BUY)
        assert caught.value.codes == (code,)
        assert caught.value.effect == "none"
        assert caught.value.__cause__ is None
        assert sandbox.stats.requests["AddOrder"] == 1

    play(scene)


def test_without_resubmission_an_absent_order_is_reported_as_not_placed():
    """It is safe to place it anew, says the error, and tells why it is known."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "answer-lost-before")
        with pytest.raises(OrderNotPlaced, match="safe") as caught:
            await kraken.place_order(**BUY, resubmit=False)
        assert isinstance(caught.value.__cause__, OutcomeUnknown)
        assert (caught.value.effect, caught.value.attempts) == ("none", 1)
        assert sandbox.stats.requests["AddOrder"] == 1

    play(scene)


async def doubt(kraken, sandbox, fault, **order):
    """Bring about an unknown outcome: no look succeeds."""
    sandbox.faults.add("AddOrder", fault)
    sandbox.faults.add("OpenOrders", "502", times=7)
    with pytest.raises(OutcomeUnknown) as caught:
        await kraken.place_order(**{**BUY, **order})
    return caught.value


@pytest.mark.parametrize("fault", ["answer-lost-before", "answer-lost-after"])
def test_what_cannot_be_told_can_be_resolved_later(fault):
    """The order, or None: and nothing is sent for it."""

    async def scene(kraken, sandbox):
        error = await doubt(kraken, sandbox, fault)
        there = book(sandbox, error.cl_ord_id)
        assert error.effect == "unknown"
        assert error.attempts == 1
        assert timedelta(0) < at(sandbox.clock) - error.deadline < timedelta(minutes=1)
        assert isinstance(error.__cause__, OutcomeUnknown)
        placed = await error.resolve()
        assert (placed.txid if placed else None) == (there[0].txid if there else None)
        assert sandbox.stats.requests["AddOrder"] == 1
        again = await kraken.resolve_order(cl_ord_id=error.cl_ord_id, deadline=error.deadline)
        assert (again and again.txid) == (placed and placed.txid)

    play(scene)


def test_resolving_may_end_in_doubt_again():
    """With an error as helpful as the first."""

    async def scene(kraken, sandbox):
        error = await doubt(kraken, sandbox, "answer-lost-after")
        sandbox.faults.add("ClosedOrders", "502", times=None)
        sandbox.faults.add("OpenOrders", "502", times=None)
        with pytest.raises(OutcomeUnknown) as caught:
            await error.resolve()
        assert (caught.value.cl_ord_id, caught.value.deadline) == (error.cl_ord_id, error.deadline)
        sandbox.faults.clear()
        assert (await caught.value.resolve()).txid == book(sandbox, error.cl_ord_id)[0].txid

    play(scene)


def test_an_error_that_crossed_a_process_still_tells_what_to_look_for():
    """It cannot look by itself any more, and says who can."""

    async def scene(kraken, sandbox):
        error = pickle.loads(pickle.dumps(await doubt(kraken, sandbox, "answer-lost-after")))
        with pytest.raises(OutcomeUnknown, match="resolve_order"):
            await error.resolve()
        placed = await kraken.resolve_order(cl_ord_id=error.cl_ord_id, deadline=error.deadline)
        assert placed.txid == book(sandbox, error.cl_ord_id)[0].txid

    play(scene)


def test_after_a_crash_a_journalled_id_alone_tells_what_became_of_the_order():
    """Found at once; told to be absent only when no request can be alive any more."""

    async def scene(kraken, sandbox):
        for order in (BUY, MARKET):
            placed = await kraken.place_order(**order)
            await anyio.sleep(300)
            found = await kraken.resolve_order(cl_ord_id=placed.cl_ord_id)
            assert (found.txid, found.sends) == (placed.txid, 0)
        # No request is accepted later than a minute after it was signed, whatever deadline it is said to have had.
        for hours in (None, 5, 24 * 365):
            deadline = hours and datetime.fromtimestamp(sandbox.clock.wall_ns() / 1e9, UTC) + timedelta(hours=hours)
            began = sandbox.clock.monotonic()
            assert await kraken.resolve_order(cl_ord_id="never-sent", deadline=deadline) is None
            assert 60 < sandbox.clock.monotonic() - began < 66

    play(scene)


@pytest.mark.parametrize(
    "wrong",
    [
        {"deadline": datetime(2026, 1, 1)},  # noqa: DTZ001 - the mistake
        {"deadline": "soon"},
        {"deadline": datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))},
        {"cl_ord_id": "much too long to be an id"},
        {"cl_ord_id": None},
    ],
)
def test_a_search_for_something_malformed_is_refused(wrong):
    """Before anything is asked."""

    async def scene(kraken, sandbox):
        with pytest.raises(InvalidArguments):
            await kraken.resolve_order(**{"cl_ord_id": "grid-1", **wrong})
        assert not sandbox.stats.requests

    play(scene)


def test_a_search_without_a_clock_ends_in_doubt_that_can_be_resolved():
    """The error of a public call would say nothing of the order."""

    async def scene(kraken, sandbox):
        placed = await kraken.place_order(**BUY, cl_ord_id="grid-1")
        sandbox.faults.add("Time", "502")
        kraken._server_clock._reading = None
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.resolve_order(cl_ord_id="grid-1")
        assert (await caught.value.resolve()).txid == placed.txid

    play(scene)


@pytest.mark.parametrize("after", [0.01, 3, 6])
def test_a_cancelled_placement_leaves_the_id_on_the_exception(after):
    """In flight, while waiting, while looking: the outcome is unknown then, and the exception says of which order."""

    async def scene(kraken, sandbox):
        await kraken.server_time()
        sandbox.faults.add("AddOrder", "delayed-before", seconds=1)
        sandbox.faults.add("OpenOrders", "502", times=None)
        intents = []
        task = asyncio.create_task(kraken.place_order(**BUY, on_intent=intents.append))
        await anyio.sleep(after + 0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        notes = " ".join(caught.value.__notes__)
        assert intents[0].cl_ord_id in notes
        assert "resolve_order" in notes
        sandbox.faults.clear()
        found = await kraken.resolve_order(cl_ord_id=intents[0].cl_ord_id)
        assert found.txid == book(sandbox, intents[0].cl_ord_id)[0].txid

    play(scene, timeout=0.9, nonce_window=60_000)


def test_a_placement_that_is_cancelled_before_it_was_sent_leaves_no_doubt():
    """No note is left where nothing can have happened."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("Time", "delayed", seconds=1)
        task = asyncio.create_task(kraken.place_order(**BUY))
        await anyio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert not hasattr(caught.value, "__notes__")

    play(scene)


def test_an_open_order_under_the_caller_s_id_is_adopted():
    """A second run with the same id finds the order of the first."""

    async def scene(kraken, sandbox):
        first = await kraken.place_order(**BUY, cl_ord_id="grid-1")
        second = await kraken.place_order(**BUY, cl_ord_id="grid-1")
        assert (second.txid, second.adopted) == (first.txid, True)
        assert len(book(sandbox, "grid-1")) == 1

    play(scene)


@pytest.mark.parametrize(
    "other", [{"type": "sell", "price": "900000"}, {"volume": "0.002"}, {"pair": "ETHUSD", "price": "1000"}]
)
def test_another_order_under_the_caller_s_id_is_not_taken_for_this_one(other):
    """Kraken's refusal passes through: reporting a foreign order as this one would be a lie."""

    async def scene(kraken, sandbox):
        await kraken.place_order(**BUY, cl_ord_id="grid-1")
        with pytest.raises(DuplicateClientOrderId):
            await kraken.place_order(**{**BUY, "price": "300", **other}, cl_ord_id="grid-1")
        assert len(book(sandbox, "grid-1")) == 1

    play(scene)


def test_a_closed_order_of_the_same_id_from_before_is_not_reported_as_this_one():
    """An id that is used again within a minute leaves doubt; it never makes up an order."""

    async def scene(kraken, sandbox):
        old = await kraken.place_order(**MARKET, cl_ord_id="grid-1")
        sandbox.faults.add("AddOrder", "answer-lost-before")
        await anyio.sleep(5)
        with pytest.raises(OutcomeUnknown):
            await kraken.place_order(**MARKET, cl_ord_id="grid-1")
        await anyio.sleep(100)
        sandbox.faults.add("AddOrder", "answer-lost-after")
        new = await kraken.place_order(**MARKET, cl_ord_id="grid-1")
        assert new.adopted
        assert new.txid != old.txid

    play(scene)


def test_volumes_in_quote_currency_are_found_too():
    """Such an order shows another volume than was asked for."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "answer-lost-after")
        placed = await kraken.place_order(**{**MARKET, "volume": "100"}, oflags="viqc", cl_ord_id="grid-1")
        assert placed.adopted

    play(scene)


def test_a_placement_is_a_value_that_says_what_it_takes():
    """The order that will be sent can be seen without sending it."""
    order = PlaceOrder(**BUY).order()
    assert order.cl_ord_id
    assert order.deadline is None
    assert order.params()["price"] == "30000"

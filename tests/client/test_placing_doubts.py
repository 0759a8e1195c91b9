"""Placements whose outcome is unknown: how long they look, what the doubt tells, and what resolving it does."""

import asyncio
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from krakenasync import DuplicateClientOrderId, InvalidNonce, NotSent, OutcomeUnknown, RetryPolicy
from krakenasync.client.lookup import Lookup
from krakenasync.client.placing import Placement
from krakenasync.client.serverclock import ServerClock
from krakenasync.protocol import placement as machine
from krakenasync.protocol.wire import Answer
from krakenasync.sandbox import SandboxConfig
from krakenasync.spot.market import ServerTime
from krakenasync.spot.orders import ClosedOrdersPage, OpenOrdersBook
from krakenasync.spot.trading import AddOrder, OrderPlaced, OrderSentence
from krakenasync.testing import in_process, run

BUY = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "30000"}


def play(scene):
    """Run ``scene(kraken, sandbox)`` in virtual time."""

    async def main(clock):
        running = in_process(SandboxConfig(limits=False, jitter=0.02), clock=clock)
        async with running.client(timeout=2.0, retry=RetryPolicy(attempts=1)) as kraken:
            return await scene(kraken, running.sandbox)

    return run(main)


def at(clock, seconds=0.0):
    """A moment on the exchange's clock, so many seconds from now."""
    return datetime.fromtimestamp(clock.wall_ns() / 1e9, UTC) + timedelta(seconds=seconds)


async def doubt(kraken, sandbox, fault, **options):
    """Bring about an unknown outcome: no look succeeds."""
    sandbox.faults.add("AddOrder", fault)
    sandbox.faults.add("OpenOrders", "502", times=7)
    with pytest.raises(OutcomeUnknown) as caught:
        await kraken.place_order(**BUY, **options)
    return caught.value


@pytest.mark.parametrize(("ahead", "least", "most"), [(-5, 0, 5), (20, 22, 30)])
def test_a_search_with_a_deadline_waits_for_nothing_beyond_it(ahead, least, most):
    """Without one it takes a minute, which no request can outlive."""

    async def scene(kraken, sandbox):
        began = sandbox.clock.monotonic()
        deadline = at(sandbox.clock, ahead)
        assert await kraken.resolve_order(cl_ord_id="never-sent", deadline=deadline) is None
        assert least < sandbox.clock.monotonic() - began < most

    play(scene)


@pytest.mark.parametrize("ahead", [5, None])
def test_a_search_without_a_clock_keeps_the_deadline_it_was_given(ahead):
    """The doubt says what to ask again with, and makes no deadline up."""

    async def scene(kraken, sandbox):
        deadline = at(sandbox.clock, ahead) if ahead else None
        sandbox.faults.add("Time", "502")
        with pytest.raises(OutcomeUnknown) as caught:
            await kraken.resolve_order(cl_ord_id="never-sent", deadline=deadline)
        assert caught.value.deadline == deadline

    play(scene)


def test_an_order_that_a_search_finds_was_adopted():
    """No answer confirmed it; and it was sent as often as the search knows of."""

    async def scene(kraken, sandbox):
        error = await doubt(kraken, sandbox, "answer-lost-after")
        found = await error.resolve()
        assert (found.adopted, found.sends, found.order.status) == (True, 1, "open")
        again = await kraken.resolve_order(cl_ord_id=error.cl_ord_id, deadline=error.deadline)
        assert (again.adopted, again.sends) == (True, 0)

    play(scene)


@pytest.mark.parametrize("resubmit", [True, False])
def test_a_doubt_is_resolved_by_two_looks_and_nothing_is_sent(resubmit):
    """It takes a third look before an order is sent again, but resolving never sends."""

    async def scene(kraken, sandbox):
        error = await doubt(kraken, sandbox, "answer-lost-before", resubmit=resubmit)
        looked = sandbox.stats.requests["OpenOrders"]
        assert await error.resolve() is None
        assert sandbox.stats.requests["OpenOrders"] - looked == 2
        assert sandbox.stats.requests["AddOrder"] == 1

    play(scene)


def test_resolving_on_a_closed_client_leaves_the_doubt():
    """With an error that says as much of the order as the first, and not of the client alone."""

    async def scene(kraken, sandbox):
        error = await doubt(kraken, sandbox, "answer-lost-after")
        await kraken.aclose()
        with pytest.raises(OutcomeUnknown) as caught:
            await error.resolve()
        again = caught.value
        assert (again.cl_ord_id, again.deadline, again.attempts) == (error.cl_ord_id, error.deadline, 1)

    play(scene)


class Refusing:
    """A Kraken that tells the time, and makes an error of every order and, if there is one for them, of every look."""

    patience = (10.0, 5)

    def __init__(self, clock, order=None, look=None):
        self.clock, self.order, self.look, self.calls = clock, order, look, []

    def with_options(self, **_changes):
        return self

    async def send(self, request, late=None):
        name = request.spec.name
        self.calls.append(name)
        if name == "Time":
            return Answer(ServerTime(unixtime=self.clock.wall_ns() // 10**9, rfc1123=""), (), b"")
        if name == "AddOrder":
            return await self.take(late)
        if self.look is not None:
            raise self.look()
        return Answer(OpenOrdersBook({}) if name == "OpenOrders" else ClosedOrdersPage({}), (), b"")

    async def take(self, late):
        late()
        raise self.order()


class Silent(Refusing):
    """A Kraken that takes every order, never says under which id, and shows none; it keeps the deadlines."""

    def __init__(self, clock):
        super().__init__(clock)
        self.deadlines = []

    async def take(self, late):
        self.deadlines.append(datetime.fromisoformat(late()["deadline"]))
        return Answer(OrderPlaced(descr=OrderSentence(order=""), txid=[]), (), b"")


async def place(kraken, server=None, **plan):
    """Place an order there, with a deadline in five seconds."""
    server = server or ServerClock(kraken.clock)
    await server.refresh(kraken)
    placement = Placement(kraken, server, Lookup(kraken, "grid-1"), machine.Plan(**plan))
    return await placement.place(AddOrder(**BUY, cl_ord_id="grid-1"), 5.0)


def failed(order, look):
    """Place an order where both fail so; returns the error, the calls, and the seconds it took."""

    async def main(clock):
        kraken = Refusing(clock, order, look)
        with pytest.raises((InvalidNonce, OutcomeUnknown)) as caught:
            await place(kraken)
        return caught.value, kraken.calls, clock.monotonic()

    return run(main)


def refused_nonce(*, never=False, attempts=1, after=None):
    """What makes an error about a refused nonce, as the client raises it after so many attempts."""

    def made():
        error = InvalidNonce("EAPI:Invalid nonce", codes=["EAPI:Invalid nonce"], retry_after=after)
        error.never_accepted, error.attempts = never, attempts
        return error

    return made


@pytest.mark.parametrize("attempts", [2, 4])
def test_looks_end_once_signing_anew_has_not_helped_and_no_nonce_was_ever_accepted(attempts):
    """The order was refused for the same reason, which no further look would remove."""
    error, calls, seconds = failed(refused_nonce(), refused_nonce(never=True, attempts=attempts))
    assert isinstance(error, OutcomeUnknown)
    assert calls.count("OpenOrders") == 1
    assert seconds < 1


@pytest.mark.parametrize(
    ("order", "look"),
    [
        (refused_nonce(), refused_nonce(attempts=4)),
        (refused_nonce(), refused_nonce(never=True)),
        (lambda: OutcomeUnknown("no answer"), refused_nonce(never=True, attempts=4)),
    ],
    ids=["some were accepted", "not signed anew yet", "the order was not refused"],
)
def test_looks_go_on_while_they_may_still_succeed(order, look):
    """One glance and six looks, over half a minute."""
    error, calls, seconds = failed(order, look)
    assert isinstance(error, OutcomeUnknown)
    assert calls.count("OpenOrders") == 1 + machine.Plan().looks
    assert seconds > 30


def test_an_order_that_was_held_back_for_refused_nonces_is_not_looked_for():
    """Only an error of our own says when to try again: nothing was sent, so there is no doubt."""
    error, calls, seconds = failed(refused_nonce(after=30.0), NotSent)
    assert isinstance(error, InvalidNonce)
    assert error.retry_after == 30.0
    assert calls == ["Time", "AddOrder"]
    assert seconds == 0


def test_an_order_that_was_confirmed_without_an_id_is_never_told_to_be_safe_to_place_again():
    """Kraken has said yes, though no look shows an order: that is doubt, which can be resolved."""

    async def main(clock):
        kraken = Silent(clock)
        with pytest.raises(OutcomeUnknown) as caught:
            await place(kraken)
        assert kraken.calls.count("AddOrder") == caught.value.attempts == machine.Plan().sends
        assert await caught.value.resolve() is None

    run(main)


def test_an_id_that_is_taken_is_not_denied_by_resolving_either():
    """There is an order, whether a look shows it or not."""

    async def main(clock):
        with pytest.raises(OutcomeUnknown) as caught:
            await place(Refusing(clock, lambda: DuplicateClientOrderId("taken")))
        with pytest.raises(OutcomeUnknown):
            await caught.value.resolve()

    run(main)


class SetBack(ServerClock):
    """A clock of Kraken's that is set back by a second each time it is asked."""

    asked = 0

    def likely(self):
        self.asked += 1
        return super().likely() - self.asked * machine.SECOND


class SignedTwice(Silent):
    """Has every order signed twice, as a client does that repeats what was not sent."""

    async def take(self, late):
        await super().take(late)
        return await super().take(late)


def test_the_latest_of_an_order_s_deadlines_counts_though_the_clock_was_set_back_since():
    """The request that bears it may be carried out until then."""

    async def main(clock):
        kraken = SignedTwice(clock)
        with pytest.raises(OutcomeUnknown) as caught:
            await place(kraken, SetBack(clock), sends=1)
        first, second = kraken.deadlines
        assert first - second == timedelta(seconds=1)
        assert caught.value.deadline == first

    run(main)


class InLine(Refusing):
    """Never gets to sign an order."""

    async def take(self, late):
        await anyio.sleep_forever()


def test_a_placement_that_is_cancelled_in_line_leaves_no_doubt():
    """Nothing was signed, so no deadline was made and nothing can come of it."""

    async def main(clock):
        task = asyncio.create_task(place(InLine(clock)))
        await anyio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert not hasattr(caught.value, "__notes__")

    run(main)

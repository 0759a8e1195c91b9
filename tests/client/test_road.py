"""One call's road: what is repeated, what is not, and what is known afterwards."""

import asyncio
import contextlib
import functools
import gc
import weakref

import anyio
import httpx
import pytest

from krakenasync import (
    Answered,
    ConfigurationError,
    Failed,
    InsufficientFunds,
    InvalidKey,
    InvalidNonce,
    InvalidSignature,
    KrakenClient,
    KrakenError,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    ProtocolError,
    RateLimitExceeded,
    RateLimitTimeout,
    ServiceUnavailable,
    TemporaryLockout,
    TransportError,
    Unanswered,
)
from krakenasync.client.events import Waited
from krakenasync.protocol.retries import RetryPolicy
from krakenasync.state.memory import MemoryState
from krakenasync.testing import run

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "30000"}

BEFORE = [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full")]
AFTER = [
    httpx.ReadTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("closed without an answer"),
    httpx.Response(502, text="<html>Bad gateway</html>"),
    httpx.Response(520, text="<html>unknown error</html>"),
    httpx.Response(200, text="<html>Just a moment...</html>"),
    httpx.Response(200, text='{"error":[],"resu'),
    httpx.Response(200, text=""),
    httpx.Response(200, text="null"),
    "EService:Busy",
    "EService:Unavailable",
    "EGeneral:Internal error",
]
NEVER = ["EAPI:Invalid key", "EGeneral:Permission denied", "EGeneral:Invalid arguments", "EQuery:Unknown asset pair"]


@pytest.mark.parametrize("failure", BEFORE + AFTER, ids=str)
def test_a_read_is_repeated(naive_kraken, failure):
    """Whatever hid the answer of a read, it is asked again."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", failure)] * 2
        assert await exchange.client().balance()
        assert len(exchange.seen) == 3

    run(main)


@pytest.mark.parametrize("failure", BEFORE, ids=str)
def test_a_write_that_was_never_sent_is_repeated(naive_kraken, failure):
    """A write of which no byte left is sent again: nothing can have been done."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("AddOrder", failure)] * 2
        await exchange.client().private("AddOrder", **ORDER)
        assert exchange.calls == ["AddOrder"] * 3

    run(main)


@pytest.mark.parametrize("failure", BEFORE, ids=str)
def test_a_withdrawal_is_never_repeated(naive_kraken, failure):
    """A movement of funds is tried once, even if no byte left, and says that nothing was done."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Withdraw", failure)]
        with pytest.raises(NotSent) as caught:
            await exchange.client().private("Withdraw", asset="XBT")
        assert (caught.value.effect, exchange.calls) == ("none", ["Withdraw"])

    run(main)


@pytest.mark.parametrize("failure", [*AFTER, "EQuirk:Never heard of"], ids=str)
@pytest.mark.parametrize("name", ["AddOrder", "Withdraw"])
def test_a_write_with_a_lost_answer_is_not_repeated(naive_kraken, failure, name):
    """A write that may have been carried out is sent once and reported as such."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [(name, failure)]
        with pytest.raises(OutcomeUnknown) as caught:
            await exchange.client().private(name, **(ORDER if name == "AddOrder" else {"asset": "XBT"}))
        assert len(exchange.seen) == 1
        assert caught.value.effect == "unknown"
        assert isinstance(caught.value.__cause__, KrakenError)
        assert caught.value.endpoint == name
        assert caught.value.attempts == 1

    run(main)


def test_an_order_with_a_lost_answer_says_where_to_look(naive_kraken):
    """The error names the order's own id, how to look it up, and what hid the answer."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("AddOrder", httpx.ReadTimeout("slow"))]
        with pytest.raises(OutcomeUnknown) as caught:
            await exchange.client().add_order(**ORDER, cl_ord_id="my-order-1")
        error = caught.value
        assert error.cl_ord_id == "my-order-1"
        assert "open_orders(cl_ord_id='my-order-1')" in error.hint
        assert "closed_orders" in error.hint
        assert isinstance(error.__cause__, Unanswered)
        assert not error.retryable

    run(main)


def test_an_unknown_outcome_keeps_what_kraken_said(naive_kraken):
    """Its words, the call they were about, and the caller's own id."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("AddOrder", "EService:Busy")]
        with pytest.raises(OutcomeUnknown) as caught:
            await exchange.client().add_order(**ORDER, cl_ord_id="my-order-1")
        error = caught.value
        assert (error.codes, error.endpoint, error.cl_ord_id) == (("EService:Busy",), "AddOrder", "my-order-1")

    run(main)


@pytest.mark.parametrize("code", NEVER)
@pytest.mark.parametrize("name", ["Balance", "AddOrder"])
def test_what_repeating_cannot_mend_is_not_repeated(naive_kraken, code, name):
    """Wrong keys, permissions and arguments are reported at the first refusal, with nothing done."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [(name, code)]
        with pytest.raises(KrakenError) as caught:
            await exchange.client().private(name, **(ORDER if name == "AddOrder" else {}))
        assert caught.value.codes == (code,)
        assert caught.value.effect == "none"
        assert not isinstance(caught.value, OutcomeUnknown)
        assert len(exchange.seen) == 1

    run(main)


@pytest.mark.parametrize("code", ["EAPI:Rate limit exceeded", "EService:Busy", "EAPI:Invalid nonce"])
def test_a_withdrawal_is_never_repeated_once_sent(naive_kraken, code):
    """Whatever Kraken answers to a withdrawal, it is not sent again."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Withdraw", code)]
        with pytest.raises(KrakenError):
            await exchange.client().private("Withdraw", asset="XBT", key="cold", amount="1")
        assert len(exchange.seen) == 1

    run(main)


@pytest.mark.parametrize("failure", ["EService:Busy", httpx.ConnectError("refused")], ids=str)
def test_attempts_end(naive_kraken, failure):
    """A call is sent max_attempts times at most, and the error tells how often it was tried."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", failure)] * 9
        kraken = exchange.client(max_attempts=3)
        with pytest.raises(KrakenError) as caught:
            await kraken.balance()
        assert len(exchange.seen) == caught.value.attempts == 3
        exchange.script = [("Balance", failure)] * 9
        with pytest.raises(KrakenError):
            await kraken.with_options(max_attempts=1).balance()
        assert len(exchange.seen) == 4

    run(main)


def test_nothing_is_sent_during_a_lockout(naive_kraken):
    """After a temporary lockout no private call leaves for 15 minutes; public ones do, and so do private ones after."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", "EGeneral:Temporary lockout")]
        kraken = exchange.client()
        for _ in range(5):
            with pytest.raises(TemporaryLockout):
                await kraken.balance()
        assert exchange.calls == ["Balance"]
        await kraken.server_time()
        await anyio.sleep(901)
        await kraken.balance()
        assert exchange.calls == ["Balance", "Time", "Balance"]

    run(main)


@pytest.mark.parametrize(("code", "error"), [("key", InvalidKey), ("signature", InvalidSignature)])
def test_three_wrong_keys_close_the_road(naive_kraken, code, error):
    """After three refused keys or signatures in a row nothing private is sent for a minute."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", f"EAPI:Invalid {code}")] * 3
        kraken = exchange.client()
        for _ in range(3):
            with pytest.raises(error):
                await kraken.balance()
        with pytest.raises(error, match="not sent") as caught:
            await kraken.balance()
        assert 0 < caught.value.retry_after <= 60
        assert len(exchange.seen) == 3
        await anyio.sleep(61)
        await kraken.balance()

    run(main)


def test_ten_refused_nonces_close_the_road(naive_kraken):
    """Leaping ahead has not helped by then, and Kraken bans keys for more; the advice stays.

    A call waits out the first two pauses, a second and two; then it is told at once. One a pause is let through.
    """

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", "EAPI:Invalid nonce")] * 50
        kraken = exchange.client()
        for _ in range(20):
            with pytest.raises(InvalidNonce, match="finer unit"):
                await kraken.balance()
        assert len(exchange.seen) == 12
        with pytest.raises(InvalidNonce, match="not sent") as caught:
            await kraken.balance()
        assert caught.value.attempts == 1
        assert 2 < caught.value.retry_after <= 4
        assert caught.value.never_accepted
        assert "pause for 4 s" in str(caught.value)
        await anyio.sleep(4)
        with pytest.raises(InvalidNonce):
            await kraken.balance()
        assert len(exchange.seen) == 13
        exchange.script = []
        await anyio.sleep(8)
        await kraken.balance()

    run(main)


def test_concurrent_calls_with_a_wrong_key_stop_after_three(naive_kraken):
    """Calls that wait in line when the road closes are not sent either."""

    async def main(clock):
        exchange = naive_kraken(clock, jitter=0.05)
        exchange.script = [("Balance", "EAPI:Invalid key")] * 50
        kraken = exchange.client()
        refused = []

        async def call():
            try:
                await kraken.balance()
            except InvalidKey as error:
                refused.append(error)

        async with anyio.create_task_group() as tasks:
            for _ in range(15):
                tasks.start_soon(call)
        assert len(refused) == 15
        assert len(exchange.seen) == 3

    run(main)


def test_clients_of_a_key_share_its_standing(naive_kraken):
    """A lockout that one client of a key has met holds for the others of the process too."""

    async def main(clock):
        exchange, state = naive_kraken(clock), MemoryState(clock)
        exchange.script = [("Balance", "EGeneral:Temporary lockout")]
        with pytest.raises(TemporaryLockout):
            await exchange.client(state=state).balance()
        with pytest.raises(TemporaryLockout, match="not sent"):
            await exchange.client(state=state).balance()
        await exchange.client(state=state, api_key="another key").balance()

    run(main)


@pytest.mark.parametrize("between", [None, "EOrder:Insufficient funds"])
def test_a_success_between_keeps_the_road_open(naive_kraken, between):
    """Refused keys close the road only in a row; any answer that shows that Kraken knows the key ends it."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client()
        for _ in range(4):
            exchange.script = [("Balance", "EAPI:Invalid signature")] * 2
            for _ in range(2):
                with pytest.raises(InvalidSignature):
                    await kraken.balance()
            if between is None:
                await kraken.balance()
            else:
                exchange.script = [("AddOrder", between)]
                with pytest.raises(InsufficientFunds):
                    await kraken.add_order(**ORDER)

    run(main)


def test_the_retry_budget_bounds_a_storm(naive_kraken):
    """When everything fails, the key's calls together repeat ten times and then report their first failure."""

    async def main(clock):
        exchange = naive_kraken(clock, counted=False)
        exchange.script = [("Balance", "EService:Busy")] * 1000
        kraken = exchange.client(tier="pro")
        for _ in range(20):
            with pytest.raises(ServiceUnavailable):
                await kraken.balance()
        assert len(exchange.seen) == 20 + 10
        exchange.script = []
        for _ in range(5):
            await kraken.balance()
        exchange.script = [("Balance", "EService:Busy")]
        await kraken.balance()

    run(main)


def test_repetitions_begin_within_the_total(naive_kraken):
    """The last repetition begins before the policy's total is over."""

    async def main(clock):
        exchange = naive_kraken(clock, counted=False)
        exchange.script = [("Balance", "EService:Busy")] * 1000
        kraken = exchange.client(retry=RetryPolicy(attempts=100, base=4.0, longest=4.0, total=10.0, budget=100.0))
        kraken._road._chance = lambda: 1.0
        with pytest.raises(ServiceUnavailable):
            await kraken.balance()
        assert clock.monotonic() == pytest.approx(8.0)
        assert len(exchange.seen) == 3

    run(main)


def test_a_pause_beyond_the_deadline_is_not_begun(naive_kraken):
    """When the pause would outlast the caller's patience, the failure is reported at once."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", "EService:Busy")] * 5
        kraken = exchange.client(retry=RetryPolicy(base=30.0, longest=30.0))
        kraken._road._chance = lambda: 1.0
        with anyio.fail_after(10.0), pytest.raises(ServiceUnavailable):
            await kraken.balance()
        assert clock.monotonic() == 0

    run(main)


def test_the_limiters_wait_is_bounded_by_the_deadline(naive_kraken):
    """A call that would wait for the limiter beyond the caller's deadline fails at once and is not sent."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client()
        for _ in range(15):
            await kraken.balance()
        with anyio.fail_after(2.0), pytest.raises(RateLimitTimeout) as caught:
            await kraken.balance()
        assert clock.monotonic() == 0
        assert caught.value.endpoint == "Balance"
        assert len(exchange.seen) == 15

    run(main)


def test_concurrent_calls_do_not_mix_up_their_attempts(naive_kraken):
    """Many calls that fail and repeat at once each get their own answer: no state of Tenacity is shared."""

    async def main(clock):
        exchange = naive_kraken(clock, jitter=0.05, counted=False)
        exchange.script = [("Balance", "EService:Busy")] * 40
        kraken = exchange.client(tier="pro", retry=RetryPolicy(budget=1000.0, attempts=50))
        results = []

        async def call():
            results.append(await kraken.balance())

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(call)
        assert len(results) == 20
        assert len(exchange.seen) == 60

    run(main)


def test_an_unanswered_call_keeps_its_points_for_a_while(naive_kraken):
    """A call that may still arrive is not forgotten by the counter; one never sent is."""

    async def main(clock):
        exchange = naive_kraken(clock, tier="pro")
        kraken = exchange.client(tier="pro", max_attempts=1)
        exchange.script = [("Balance", httpx.ReadTimeout("slow"))]
        with pytest.raises(Unanswered):
            await kraken.balance()
        assert kraken.limits.snapshot().rest.held == 1
        await anyio.sleep(9.9)
        assert kraken.limits.snapshot().rest.held == 1

    run(main)


def test_a_private_call_without_a_key_says_what_to_do(naive_kraken):
    """Without a key, private calls fail before anything is sent and name the settings."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client(api_key=None, api_secret=None)
        with pytest.raises(ConfigurationError, match="KRAKEN_API_KEY"):
            await kraken.balance()
        await kraken.server_time()
        assert exchange.calls == ["Time"]

    run(main)


def test_a_permission_refused_is_typed(naive_kraken):
    """A missing permission says where to give it."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", "EGeneral:Permission denied")]
        with pytest.raises(PermissionDenied, match="permission"):
            await exchange.client().balance()

    run(main)


def test_a_cancelled_order_carries_a_note(naive_kraken):
    """Who cancels an order under way finds in the traceback that it may have been carried out."""

    async def main(clock):
        exchange = naive_kraken(clock, jitter=5.0)
        notes = []

        async def order():
            try:
                await exchange.client().add_order(**ORDER, cl_ord_id="mine")
            except BaseException as gone:
                notes.extend(gone.__notes__)
                raise

        with anyio.move_on_after(0.001):
            await order()
        assert len(notes) == 1
        assert "open_orders(cl_ord_id='mine')" in notes[0]

    run(main)


async def _in_a_cancelled_scope(call):
    with anyio.CancelScope() as scope:
        scope.cancel()
        await call()
    raise TimeoutError


async def _after_a_deadline(call):
    with anyio.fail_after(0.001):
        asyncio.get_running_loop().clock.advance(1.0)  # a computation that takes longer than was thought
        await call()


async def _after_a_deadline_of_asyncio(call):
    async with asyncio.timeout(0.001):
        asyncio.get_running_loop().clock.advance(1.0)
        await call()


async def _cancelled_before(call):
    asyncio.current_task().cancel()
    await call()


@pytest.mark.parametrize(
    "stop", [_in_a_cancelled_scope, _after_a_deadline, _after_a_deadline_of_asyncio, _cancelled_before]
)
def test_an_order_is_not_sent_when_it_is_too_late_already(naive_kraken, enveloped, stop):
    """Who was told to stop before the call sends nothing, though there would be nothing to wait for."""
    seen = []

    def at_once(request):
        seen.append(request.url.path)
        return enveloped({"txid": ["OAAAAA-BBBBB-CCCCCC"], "descr": {"order": "buy"}})

    async def main(clock):
        way = httpx.AsyncClient(transport=httpx.MockTransport(at_once))
        kraken = naive_kraken(clock).client(http_client=way)
        with pytest.raises((TimeoutError, asyncio.CancelledError)):
            await stop(functools.partial(kraken.add_order, **ORDER))
        assert not seen
        snapshot = kraken.limits.snapshot()
        assert all(counter.level + counter.held == 0 for counter in snapshot.values())
        asyncio.current_task().uncancel()
        await kraken.add_order(**ORDER)  # who cleans up after a cancellation still can
        assert seen == ["/0/private/AddOrder"]

    run(main)


def test_the_kinds_of_failure_are_told_apart(naive_kraken):
    """Never sent, unanswered and garbled are three classes, the first two both of the network."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client(max_attempts=1)
        kinds = []
        for failure in (httpx.ConnectError("x"), httpx.ReadError("x"), httpx.Response(200, text="<html>")):
            exchange.script = [("Balance", failure)]
            with pytest.raises(KrakenError) as caught:
                await kraken.balance()
            kinds.append(type(caught.value))
        assert kinds == [NotSent, Unanswered, ProtocolError]
        assert all(issubclass(kind, TransportError) for kind in kinds[:2])

    run(main)


@pytest.mark.parametrize(
    ("name", "failure", "kind"),
    [("Balance", None, Answered), ("Balance", "EService:Busy", Failed), ("AddOrder", ZeroDivisionError(), Failed)],
    ids=["answered", "failed", "interrupted by a bug"],
)
def test_hooks_are_told_how_long_an_attempt_took(naive_kraken, name, failure, kind):
    """From its sending to its end, whatever the clock showed before."""

    async def main(clock):
        exchange, told = naive_kraken(clock), []
        exchange.script = [(name, failure)] if failure else []

        async def slowly(request):
            await anyio.sleep(1.5)
            return await exchange(request)

        await anyio.sleep(1000)
        way = httpx.AsyncClient(transport=httpx.MockTransport(slowly))
        kraken = exchange.client(http_client=way, max_attempts=1, hooks=[told.append])
        with contextlib.suppress(KrakenError):
            await kraken.private(name, **(ORDER if name == "AddOrder" else {}))
        (end,) = [event for event in told if isinstance(event, kind)]
        assert end.seconds == pytest.approx(1.5)

    run(main)


class Canary:
    """Something of the caller's."""


@pytest.mark.parametrize(("code", "times"), [("EQuery:Unknown asset pair", 1), ("EAPI:Invalid key", 12)])
def test_a_refused_call_keeps_nothing_of_its_caller_alive(code, times, naive_kraken):
    """Neither in a cycle, until the next collection, nor in what is remembered of a key that was refused."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", code)] * times
        kraken, seen = exchange.client(), []

        async def ask():
            mine = Canary()
            seen.append(weakref.ref(mine))
            with contextlib.suppress(KrakenError):
                await kraken.balance()

        for _ in range(times):
            await ask()
        return [each() for each in seen]

    gc.collect()
    gc.disable()
    try:
        assert run(main) == [None] * times
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["cancel_all", "cancel_all_orders_after"])
@pytest.mark.parametrize("code", ["EAPI:Rate limit exceeded", "EGeneral:Too many requests"])
def test_the_emergency_calls_of_a_fresh_client_do_not_hammer_a_limited_key(naive_kraken, name, code):
    """No pair is known yet that they could be charged to; there is a pause between their attempts all the same."""

    async def main(clock):
        exchange = naive_kraken(clock)
        done = {
            "CancelAll": {"count": 1},
            "CancelAllOrdersAfter": {"currentTime": "2026-05-28T20:26:40Z", "triggerTime": "0"},
        }
        answers = [(each, httpx.Response(200, json={"error": [], "result": result})) for each, result in done.items()]
        exchange.script = [*((each, code) for each in done), *answers]
        kraken = exchange.client()
        began = clock.monotonic()
        await (kraken.cancel_all() if name == "cancel_all" else kraken.cancel_all_orders_after(60))
        assert clock.monotonic() - began >= 5.0

    run(main)


@pytest.mark.parametrize(
    ("failure", "cost"), [("EGeneral:Invalid arguments:limit_price", 0), ("EOrder:Insufficient funds", 0), (None, 8)]
)
def test_an_amend_that_was_refused_has_changed_nothing(naive_kraken, failure, cost):
    """Neither the order's age nor its volume, by which the next change is priced; one that was carried out has."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client()
        kraken.limits.engine._ages.born("XBTUSD", ["O1"], clock.monotonic(), volume=10)
        await anyio.sleep(400)
        done = httpx.Response(200, json={"error": [], "result": {"amend_id": "A1"}})
        exchange.script = [("AmendOrder", failure or done)]
        with contextlib.suppress(KrakenError):
            await kraken.amend_order(txid="O1", order_qty="2")
        assert kraken.limits.cancel_cost("O1") == cost
        (known,) = kraken.limits.engine._ages.named("O1")
        assert known.volume == (10 if failure else 2)

    run(main)


def test_the_points_of_an_order_that_may_yet_be_placed_are_held(naive_kraken):
    """Kraken says of some answers that the order can be in place afterwards: for a while it is as if none had come."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("AddOrder", "EService:Unavailable")]
        kraken = exchange.client()
        with pytest.raises(OutcomeUnknown):
            await kraken.add_order(**ORDER)
        await anyio.sleep(9)
        assert kraken.limits.snapshot()["engine:XBTUSD"].held == 1
        await anyio.sleep(3)
        assert kraken.limits.snapshot()["engine:XBTUSD"].held == 0

    run(main)


def test_a_hook_that_ends_the_program_leaves_no_points_held(naive_kraken):
    """What is no Exception is not logged but raised: a signal's handler, a test that gives up."""

    class Ends(BaseException):
        pass

    async def main(clock):
        def hook(event):
            if isinstance(event, Waited):
                raise Ends

        exchange = naive_kraken(clock)
        kraken = exchange.client(hooks=[hook])
        for _ in range(15):
            await kraken.balance()
        with pytest.raises(Ends):
            await kraken.balance()
        assert kraken.limits.snapshot()["rest"].held == 0

    run(main)


def test_a_number_that_no_decimal_can_be_is_told_as_an_odd_answer(naive_kraken):
    """Its exponent is beyond all bounds; no error of the decimals leaves the library."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [
            (name, httpx.Response(200, content=b'{"error":[],"result":{"a":1e99999999999999999999}}'))
            for name in ("Balance", "AddOrder")
        ]
        kraken = exchange.client(max_attempts=1)
        with pytest.raises(ProtocolError):
            await kraken.private("Balance")
        with pytest.raises(OutcomeUnknown):
            await kraken.private("AddOrder", **ORDER)

    run(main)


def test_a_success_of_before_a_lockout_does_not_end_the_pause():
    """With a nonce window both are under way at once; the older one is answered last."""

    async def main(clock):
        async def answer(request):
            if request.url.path.endswith("/Balance"):
                await anyio.sleep(0.3)
                return httpx.Response(200, json={"error": [], "result": {}})
            return httpx.Response(200, json={"error": ["EGeneral:Temporary lockout"]})

        kraken = KrakenClient(
            "key",
            "c2VjcmV0",
            base_url="http://kraken.test",
            http_client=httpx.AsyncClient(transport=httpx.MockTransport(answer)),
            nonce_window=10**6,
            clock=clock,
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(kraken.balance)
            await anyio.sleep(0.1)
            with pytest.raises(TemporaryLockout):
                await kraken.trade_balance()
        with pytest.raises(TemporaryLockout, match="not sent"):
            await kraken.open_orders()

    run(main)


@pytest.mark.parametrize(
    ("code", "paused"), [("EAPI:Rate limit exceeded", True), ("EOrder:Rate limit exceeded", False)]
)
def test_a_trading_call_refused_for_another_counter_pauses_the_reads(naive_kraken, code, paused):
    """It is not charged to the REST counter, which must be the one that is full."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("AddOrder", f"{code}:Rate limit exceeded")]
        kraken = exchange.client(max_attempts=1)
        with pytest.raises(RateLimitExceeded):
            await kraken.add_order(**ORDER)
        began = clock.monotonic()
        await kraken.balance()
        assert (clock.monotonic() - began >= 5.0) == paused

    run(main)


@pytest.mark.parametrize(
    "url", ["https://kraken.test/", "https://kraken.test:443", "https://KRAKEN.test", "HTTPS://kraken.test"]
)
def test_an_exchange_is_the_same_however_it_is_spelled(url):
    """Two clients of a key that counted apart would be refused."""
    one = KrakenClient("key", "c2VjcmV0", base_url="https://kraken.test")
    other = KrakenClient("key", "c2VjcmV0", base_url=url)
    assert other.identity == one.identity
    assert other._road._nonces is one._road._nonces

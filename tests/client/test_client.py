"""`KrakenClient` as its users meet it."""

import base64
import gc
import logging
import pickle
import traceback
from decimal import Decimal

import anyio
import httpx
import pytest
import trio.testing

from krakenasync import (
    Answered,
    ConfigurationError,
    Failed,
    InvalidArguments,
    KrakenClient,
    KrakenError,
    LimitsConfig,
    OutcomeUnknown,
    PermissionDenied,
    ProtocolError,
    Retried,
    Sent,
    Tier,
    Waited,
)
from krakenasync.client.loops import _SHARED, running_loop
from krakenasync.protocol.signing import sign
from krakenasync.spot.account import Balance
from krakenasync.state.memory import MemoryState
from krakenasync.state.shared import SharedState
from krakenasync.testing import run
from krakenasync.testing.clock import LoopClock

SECRET = base64.b64encode(b"another private half").decode()
ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": Decimal("0.01"), "price": "30000"}
TICKER = {
    "a": ["30300.1", "1", "1.000"],
    "b": ["30300.0", "1", "1.000"],
    "c": ["30303.2", "0.00067643"],
    "v": ["4083.67001100", "4412.73601799"],
    "p": ["30706.77771", "30689.13205"],
    "t": [34619, 38907],
    "l": ["29868.3", "29868.3"],
    "h": ["31631.0", "31631.0"],
    "o": "30502.8",
}


def test_a_typed_result_is_exact(naive_kraken):
    """Balances come as Decimal, digit for digit."""

    async def main(clock):
        balance = await naive_kraken(clock).client().balance()
        assert balance == {"ZUSD": Decimal("100.0000"), "XXBT": Decimal("0.5")}
        assert str(balance["XXBT"]) == "0.5000000000"

    run(main)


@pytest.mark.parametrize(("pairs", "query"), [((), ""), (("XBTUSD", "ETHUSD"), "pair=XBTUSD%2CETHUSD")])
def test_ticker_takes_any_number_of_pairs(naive_kraken, enveloped, pairs, query):
    """Named pairs travel as one comma list; without any, all pairs are asked for."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Ticker", enveloped({"XXBTZUSD": TICKER}))]
        tickers = await exchange.client().ticker(*pairs)
        assert tickers["XXBTZUSD"].ask.price == Decimal("30300.1")
        assert exchange.seen[0].url.query.decode() == query

    run(main)


def test_raw_calls_by_name(naive_kraken, enveloped):
    """public and private take any endpoint by Kraken's name and give the raw result, numbers exact."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client()
        exact = httpx.Response(200, text='{"error":[],"result":{"n":0.10000000000000000000001,"i":7,"s":"1.50"}}')
        exchange.script = [("NewThing", exact), ("New/Thing", enveloped({"a": 1}))]
        assert await kraken.public("NewThing", pair="XBTUSD", count=3, since=None) == {
            "n": Decimal("0.10000000000000000000001"),
            "i": 7,
            "s": "1.50",
        }
        assert exchange.seen[0].url.query == b"pair=XBTUSD&count=3"
        assert await kraken.private("New/Thing", amount=Decimal("1.50")) == {"a": 1}
        assert exchange.sent()["amount"] == "1.50"
        assert exchange.seen[1].url.path == "/0/private/New/Thing"

    run(main)


BEYOND = '{"error":[],"result":{"txid":["OAAAAA-BBBBB-CCCCCC"],"z":' + "9" * 5000 + "}}"
"""An answer with a number that Python does not read."""


def test_a_number_beyond_all_numbers_in_a_raw_answer(naive_kraken):
    """Of a read it is no answer; of a write nobody knows the outcome: never another kind of error."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client(max_attempts=1)
        exchange.script = [(name, httpx.Response(200, text=BEYOND)) for name in ("Balance", "Ticker", "AddOrder")]
        for call in (kraken.private("Balance"), kraken.public("Ticker")):
            with pytest.raises(ProtocolError, match="another shape"):
                await call
        with pytest.raises(OutcomeUnknown):
            await kraken.private("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="1")
        assert not exchange.script

    run(main)


def test_a_number_of_more_than_64_bits_in_a_raw_answer(naive_kraken):
    """It is read exactly, as Python can."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Ticker", httpx.Response(200, text='{"error":[],"result":[99999999999999999999]}'))]
        assert await exchange.client().public("Ticker") == [99999999999999999999]

    run(main)


def ring():
    """A list in itself."""
    found = []
    found.append(found)
    return found


@pytest.mark.parametrize("call", ["public", "private"])
@pytest.mark.parametrize(
    "value", [10**5000, ring(), {"a": ring()}, "\ud800", b"a", object(), Decimal("1e999999999"), [None]], ids=range(8)
)
def test_what_cannot_be_sent_is_refused_in_raw_calls_too(naive_kraken, call, value):
    """Whatever the parameter is called: by its name, and before anything is sent."""

    async def main(clock):
        exchange = naive_kraken(clock)
        for name in ("Mystery", "AddOrderBatch" if call == "private" else "Depth"):
            with pytest.raises(InvalidArguments, match="strange"):
                await getattr(exchange.client(), call)(name, strange=value)
        assert not exchange.seen

    run(main)


@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"<html>down</html>", ProtocolError), (b'{"error":["EGeneral:Permission denied"]}', PermissionDenied)],
)
def test_a_raw_file_is_told_from_what_comes_in_its_place(naive_kraken, answer, error):
    """By the same rule as a typed one."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("RetrieveExport", httpx.Response(200, content=b"PK\x03\x04"))]
        assert await exchange.client().private("RetrieveExport", id="Q") == b"PK\x03\x04"
        exchange.script = [("RetrieveExport", httpx.Response(200, content=answer))] * 5
        with pytest.raises(error):
            await exchange.client().private("RetrieveExport", id="Q")

    run(main)


@pytest.mark.parametrize("name", ["", "../private/Withdraw", "Ticker?pair=X", "Ti cker", "/Ticker", "Ticker/", 5, None])
def test_a_name_that_is_no_endpoint(naive_kraken, name):
    """A name that cannot be one of Kraken's is refused before anything is sent."""

    async def main(clock):
        exchange = naive_kraken(clock)
        for call in (exchange.client().public, exchange.client().private):
            with pytest.raises(InvalidArguments, match="not an endpoint"):
                await call(name)
        assert not exchange.seen

    run(main)


@pytest.mark.parametrize(("call", "name"), [("public", "Balance"), ("private", "Ticker")])
def test_the_wrong_kind_of_call(naive_kraken, call, name):
    """Asking for a private endpoint among the public ones, or the other way, says which call is right."""

    async def main(clock):
        exchange = naive_kraken(clock)
        with pytest.raises(InvalidArguments, match=r"await kraken\."):
            await getattr(exchange.client(), call)(name)
        assert not exchange.seen

    run(main)


@pytest.mark.parametrize("name", ["Balance", "Mystery", "FundingBeta/Limits"])
def test_a_nonce_of_the_callers_own(naive_kraken, name):
    """It is refused before anything is sent: the signature is made with the client's, and would not fit."""

    async def main(clock):
        exchange = naive_kraken(clock)
        with pytest.raises(InvalidArguments, match="leave the nonce out"):
            await exchange.client().private(name, nonce=5)
        await exchange.client().private("Balance", nonce=None)
        assert exchange.calls == ["Balance"]

    run(main)


def test_an_unknown_endpoint_counts_as_a_write(naive_kraken):
    """Nothing is known about it, so it is never repeated blindly."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Mystery", httpx.ReadTimeout("slow"))]
        with pytest.raises(KrakenError) as caught:
            await exchange.client().private("Mystery")
        assert caught.value.effect == "unknown"
        assert len(exchange.seen) == 1

    run(main)


BAD_ORDERS = {
    "a float as price": {"price": 30000.5},
    "a float as volume": {"volume": 0.01},
    "a negative volume": {"volume": "-1"},
    "an empty pair": {"pair": ""},
    "not a number": {"volume": "much"},
    "NaN": {"volume": Decimal("NaN")},
}


@pytest.mark.parametrize("wrong", BAD_ORDERS)
def test_a_bad_order_is_not_sent(naive_kraken, wrong):
    """What cannot be right in an order is an error before anything is sent, and says which parameter it is."""

    async def main(clock):
        exchange = naive_kraken(clock)
        (name,) = BAD_ORDERS[wrong]
        with pytest.raises((KrakenError, TypeError, ValueError), match=name):
            await exchange.client().add_order(**{**ORDER, **BAD_ORDERS[wrong]})
        assert not exchange.seen

    run(main)


@pytest.mark.parametrize("call", ["public", "private"])
def test_a_float_is_refused_in_raw_calls_too(naive_kraken, call):
    """A float never travels, not even where nothing else is checked."""

    async def main(clock):
        exchange = naive_kraken(clock)
        with pytest.raises(TypeError, match="price"):
            await getattr(exchange.client(), call)("Mystery", price=0.1)
        assert not exchange.seen

    run(main)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"api_secret": "not base64!"}, "base64"),
        ({"api_secret": ""}, "api_secret is missing"),
        ({"api_secret": None}, "api_secret is missing"),
        ({"api_key": None}, "api_key is missing"),
        ({"api_key": "schlüssel"}, "invalid characters"),
        ({"api_key": 5}, "text"),
        ({"api_secret": b"c2VjcmV0"}, "text"),
        ({"tier": "platinum"}, "starter, intermediate, pro"),
        ({"base_url": "api.kraken.com"}, "https://"),
        ({"base_url": "https://api.kraken.com/0/"}, "ends in /0"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": None}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_attempts": 2.5}, "max_attempts"),
        ({"nonce_unit": "s"}, "ms, us, ns"),
        ({"nonce_window": -1}, "nonce_window"),
        ({"nonce_window": True}, "nonce_window"),
    ],
    ids=str,
)
def test_a_client_that_cannot_work_is_not_made(settings, says):
    """Each bad setting is an error when the client is made, which says what to do and never shows the secret."""
    with pytest.raises(KrakenError, match=says) as caught:
        KrakenClient(**{"api_key": "key", "api_secret": SECRET, **settings})
    assert isinstance(caught.value, (ValueError, TypeError))
    secret = settings.get("api_secret")
    assert not secret or str(secret) not in str(caught.value)


def test_an_empty_setting_is_none(naive_kraken):
    """Environment variables that are set to nothing say nothing: no second factor is sent, the key is the account."""

    async def main(clock):
        exchange, shared = naive_kraken(clock), {"state": MemoryState(clock)}
        empty, bare = exchange.client(otp="", account="", **shared), exchange.client(**shared)
        another = exchange.client(api_key="another", account="", **shared)
        assert empty.identity == bare.identity != another.identity
        await empty.add_order(**ORDER)
        assert "otp" not in exchange.sent()
        assert bare.limits.snapshot()["engine:XBTUSD"].level == 1
        assert "engine:XBTUSD" not in another.limits.snapshot()

    run(main)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"clock": 5}, "clock is of type int .a Clock"),
        ({"clock": None}, "clock is of type NoneType"),
        ({"http_client": 5}, "http_client is of type int .an httpx.AsyncClient"),
        ({"http_client": ""}, "http_client is of type str"),
        ({"http_client": httpx.Client}, "http_client is of type type"),
        ({"hooks": 5}, "hooks=5 is not valid .a list of functions"),
        ({"hooks": [5]}, "hooks=.5. is not valid .a list of functions"),
        ({"hooks": None}, "hooks=None"),
        ({"hooks": "ab"}, "hooks='ab'"),
        ({"otp": 5}, "otp must be a non-empty text"),
        ({"limits": LimitsConfig(initial="bogus")}, "initial='bogus. is not valid .one of empty"),
        ({"account": 5}, "account=5 is not valid .one line of text"),
        ({"account": " "}, "account=' '"),
        ({"account": "a\nb"}, "account='a.nb'"),
        ({"account": "\ud800"}, "account"),
        ({"limits": {}}, "limits must be a LimitsConfig, not dict"),
        ({"limits": 5}, "limits must be a LimitsConfig, not int"),
        ({"retry": {}}, "retry must be a RetryPolicy, not dict"),
        ({"timeout": 10**400}, "timeout=.* is not valid .seconds"),
        ({"tier": "x" * 200_000}, "unknown tier 'xxx"),
        ({"base_url": "x" * 200_000}, "base_url 'xxx"),
        ({"nonce_window": -(10**5000)}, "nonce_window=<an int"),
    ],
    ids=range(22),
)
def test_a_setting_of_another_kind_is_refused_when_the_client_is_made(settings, says):
    """Not when it is first needed, and in few words."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        KrakenClient(**{"api_key": "key", "api_secret": SECRET, **settings})
    assert caught.value.hint
    assert len(str(caught.value)) < 250


def test_a_client_for_httpx_without_async_is_refused():
    """It has methods of the same names."""
    with httpx.Client() as wrong, pytest.raises(ConfigurationError, match=r"httpx\.AsyncClient"):
        KrakenClient(http_client=wrong)
    with pytest.raises(ConfigurationError, match=r"httpx\.AsyncClient"):
        KrakenClient(http_client=httpx.AsyncClient)


def test_from_env(tmp_path):
    """Settings come from the environment or from the files it names; arguments win over both."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    environ = {
        "KRAKEN_API_KEY": "key from env",
        "KRAKEN_API_SECRET_FILE": str(tmp_path / "secret"),
        "KRAKEN_TIER": "Pro",
        "KRAKEN_BASE_URL": "http://127.0.0.1:8000",
        "KRAKEN_NONCE_UNIT": "us",
        "KRAKEN_NONCE_WINDOW": "1000",
        "KRAKEN_STATE": f"sqlite:///{tmp_path}/state.db",
    }
    kraken = KrakenClient.from_env(environ)
    assert kraken.tier is Tier.PRO
    assert isinstance(kraken._state, SharedState)
    signer = kraken._road.credentials.signer
    assert signer.sign("/0/x", "1", b"") == sign(b"another private half", "/0/x", "1", b"")
    assert "http://127.0.0.1:8000" in repr(kraken)
    assert KrakenClient.from_env(environ, tier="starter").tier is Tier.STARTER
    assert "public calls only" in repr(KrakenClient.from_env({}))


@pytest.mark.parametrize(
    ("environ", "given"),
    [
        ({"KRAKEN_NONCE_WINDOW": "x"}, {"nonce_window": 5}),
        ({"KRAKEN_TIER_FILE": "/nope"}, {"tier": "pro"}),
        ({"KRAKEN_API_KEY": "a", "KRAKEN_API_KEY_FILE": "/nope"}, {"api_key": "k", "api_secret": SECRET}),
        ({"KRAKEN_STATE": "mysql://host"}, {"state": None}),
    ],
)
def test_what_is_given_wins_also_over_what_cannot_work(environ, given):
    """The environment's own is not even looked at."""
    KrakenClient.from_env(environ, **given)
    with pytest.raises(ConfigurationError):
        KrakenClient.from_env(environ)


def test_a_file_of_an_editor_on_windows_is_read(tmp_path):
    """With a mark before the text and its line ends."""
    for name, text in (("key", "my key"), ("secret", SECRET)):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n")
    environ = {"KRAKEN_API_KEY_FILE": str(tmp_path / "key"), "KRAKEN_API_SECRET_FILE": str(tmp_path / "secret")}
    assert KrakenClient.from_env(environ)._road.credentials.api_key == "my key"


def test_from_env_reads_the_environment(monkeypatch):
    """Without a mapping the process's environment is read."""
    monkeypatch.setenv("KRAKEN_TIER", "intermediate")
    assert KrakenClient.from_env().tier is Tier.INTERMEDIATE


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"KRAKEN_API_KEY": "key"}, "api_secret is missing"),
        ({"KRAKEN_API_KEY": "key", "KRAKEN_API_SECRET": "!"}, "base64"),
        ({"KRAKEN_API_KEY": "key", "KRAKEN_API_KEY_FILE": "x"}, "keep one of them"),
        ({"KRAKEN_API_SECRET_FILE": "/does/not/exist"}, "KRAKEN_API_SECRET_FILE cannot be read"),
        ({"KRAKEN_NONCE_WINDOW": "ten"}, "KRAKEN_NONCE_WINDOW"),
        ({"KRAKEN_NONCE_WINDOW": "9" * 5000}, "KRAKEN_NONCE_WINDOW"),
        ({"KRAKEN_TIER": "gold"}, "unknown tier"),
        ({"KRAKEN_STATE": "mysql://host"}, "state of the kind"),
    ],
)
def test_an_environment_that_cannot_work(environ, says):
    """What is wrong in the environment is named."""
    with pytest.raises(ConfigurationError, match=says):
        KrakenClient.from_env(environ)


def test_with_options_is_a_view(naive_kraken):
    """A view shares connections, counters and lane with its client, which stays as it was."""

    async def main(clock):
        exchange = naive_kraken(clock, jitter=0.05)
        kraken = exchange.client(tier="starter")
        hasty = kraken.with_options(timeout=1.0, max_attempts=1, lane="urgent")
        assert (hasty._options.timeout, kraken._options.timeout) == (1.0, 10.0)
        assert hasty.limits is kraken.limits
        async with anyio.create_task_group() as tasks:
            for client in (kraken, hasty) * 7:
                tasks.start_soon(client.balance)
        assert exchange.most_in_flight == 1
        assert kraken.limits.snapshot().rest.held + kraken.limits.snapshot().rest.level > 13
        await hasty.aclose()
        with pytest.raises(ConfigurationError, match="closed"):
            await kraken.balance()

    run(main)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": "fast"},
        {"timeout": -1},
        {"lane": "fast"},
        {"lane": 7},
        {"max_age": -1},
        {"max_age": "1"},
        {"retry": 5},
        {"tier": "pro"},
        {"max_attempts": True},
    ],
    ids=str,
)
def test_options_that_cannot_work(naive_kraken, wrong):
    """An unknown option or value is refused at once and named."""

    async def main(clock):
        with pytest.raises(KrakenError, match=next(iter(wrong))):
            naive_kraken(clock).client().with_options(**wrong)

    run(main)


def test_warnings_come_beside_the_result(naive_kraken, enveloped, caplog):
    """A ``W...`` string does not spoil the result: it is handed over and logged."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("Balance", enveloped({"ZUSD": "1.5"}, "WDatabase:No change"))] * 2
        kraken = exchange.client()
        answer = await kraken.send(Balance())
        assert answer.result == {"ZUSD": Decimal("1.5")}
        assert answer.warnings == ("WDatabase:No change",)
        assert await kraken.balance() == {"ZUSD": Decimal("1.5")}

    with caplog.at_level(logging.WARNING, logger="krakenasync"):
        run(main)
    assert "WDatabase:No change" in caplog.text


def test_hooks_are_told_in_order(naive_kraken):
    """A call that waits, fails and is repeated tells its hooks so, in that order."""

    async def main(clock):
        events = []
        exchange = naive_kraken(clock, tier="pro")
        kraken = exchange.client(tier="pro", hooks=[events.append])
        for _ in range(20):
            await kraken.balance()
        assert [type(event) for event in events[:2]] == [Sent, Answered]
        del events[:]
        exchange.script = [("Balance", "EService:Busy")]
        await kraken.balance()
        assert [type(event) for event in events] == [Waited, Sent, Failed, Retried, Sent, Answered]
        assert events[0].counter == "rest"
        assert events[0].seconds == pytest.approx(2.0, abs=0.001)
        assert [event.attempt for event in events] == [1, 1, 1, 1, 2, 2]
        assert {event.endpoint for event in events} == {"Balance"}

    run(main)


def test_a_hook_that_raises_does_no_harm(naive_kraken, caplog):
    """A hook's exception is logged, and call and other hooks go on."""

    async def main(clock):
        events = []

        def broken(_event):
            raise ZeroDivisionError

        kraken = naive_kraken(clock).client(hooks=[broken, events.append])
        assert await kraken.balance()
        assert len(events) == 2

    run(main)
    assert caplog.text.count("a hook failed") == 2


def test_secrets_are_shown_nowhere(naive_kraken, secrets_of_the_key, caplog):
    """Neither half of the key stands in any log, repr, error, traceback or event, httpx's own log included."""
    shown, with_locals = [], []

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client(hooks=[lambda event: shown.append(repr(event))], otp="123456")
        exchange.script = [
            ("Balance", failure)
            for failure in ("EAPI:Invalid key", "EAPI:Invalid signature", httpx.ConnectError("x"), httpx.ReadError("y"))
        ]
        exchange.script += [("AddOrder", httpx.ReadTimeout("slow"))]
        for call in (kraken.balance, kraken.balance, kraken.balance, lambda: kraken.add_order(**ORDER)):
            try:
                await call()
            except KrakenError as error:
                locals_too = traceback.TracebackException.from_exception(error, capture_locals=True)
                with_locals.append("".join(locals_too.format()))
                shown.append("".join(traceback.format_exception(error)))
                shown.append(repr(vars(error)))
        road = kraken._road
        shown.extend(
            map(repr, (kraken, kraken.limits, road.credentials, road._nonces, road._lane(running_loop()), vars(kraken)))
        )

    with caplog.at_level(logging.DEBUG):
        run(main)
    assert "/0/private/Balance" in caplog.text, "httpx's own log is part of what is searched"
    for secret in (*secrets_of_the_key, "123456"):
        assert secret not in caplog.text
        assert not [text for text in shown if secret in text]
        assert not [text for text in with_locals if secret in text], "some tools print local variables"


def test_a_client_is_not_pickled(naive_kraken):
    """Clients and credentials refuse to be pickled; errors do not, and keep what they say."""

    async def main(clock):
        exchange = naive_kraken(clock)
        kraken = exchange.client(max_attempts=1)
        for secretive in (kraken, kraken._road.credentials):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(secretive)
        exchange.script = [("Balance", "EGeneral:Permission denied")]
        with pytest.raises(KrakenError) as caught:
            await kraken.balance()
        again = pickle.loads(pickle.dumps(caught.value))
        assert (again.codes, again.endpoint, str(again)) == (
            ("EGeneral:Permission denied",),
            "Balance",
            str(caught.value),
        )

    run(main)


def test_two_clients_of_a_key_share_everything_that_matters(naive_kraken):
    """Made apart, on the process's own state, clients of one key still share counter, nonces and lane."""
    exchanges = []

    async def main(clock):
        exchange = naive_kraken(clock, counted=False)
        exchanges.append(exchange)
        http = httpx.AsyncClient(transport=httpx.MockTransport(exchange))
        made = [
            KrakenClient("a key of this test", SECRET, base_url="http://shared.test", http_client=http)
            for _ in range(2)
        ]
        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(made[number % 2].balance)
        assert exchange.refused == []
        assert made[0]._road._nonces is made[1]._road._nonces
        assert made[0]._road._lane(running_loop()) is made[1]._road._lane(running_loop())
        assert made[0].limits.snapshot().rest.held + made[0].limits.snapshot().rest.level > 9.9

    run(main)


def test_clients_that_are_gone_leave_nothing_behind_on_the_loop(naive_kraken):
    """Gates and lanes live as long as a client that uses them."""

    async def main(clock):
        for number in range(20):
            await naive_kraken(clock).client(api_key=f"key {number}", state=MemoryState(clock)).balance()
        gc.collect()
        assert len(_SHARED.get()) <= 4

    run(main)


def test_everything_works_on_trio(naive_kraken):
    """The same client runs on trio: limiter, lane, retries, timeouts and polling."""

    async def main():
        clock = LoopClock()
        exchange = naive_kraken(clock, tier="pro", jitter=0.01)
        exchange.script = [("Balance", "EService:Busy"), ("Balance", "EAPI:Invalid nonce")]
        async with exchange.client(tier="pro") as kraken:
            began = clock.monotonic()
            async with anyio.create_task_group() as tasks:
                for _ in range(30):
                    tasks.start_soon(kraken.balance)
            assert clock.monotonic() - began >= 10
            assert exchange.refused == []
            assert len(exchange.accepted_at) == 30
            polls = kraken.poll_balances(2.0)
            async for snapshot in polls:
                if snapshot.number == 3:
                    break
            await polls.aclose()
            with anyio.move_on_after(0.001) as scope:
                await kraken.balance()
            assert scope.cancelled_caught
            await kraken.balance()

    trio_clock = trio.testing.MockClock(autojump_threshold=0)
    anyio.run(main, backend="trio", backend_options={"clock": trio_clock})

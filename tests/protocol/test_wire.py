"""Answers to types or typed errors."""

import json
import string
from decimal import Decimal
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from krakenasync.errors import (
    InsufficientFunds,
    InvalidNonce,
    KrakenError,
    ProtocolError,
    RateLimitExceeded,
    Refused,
    ServiceUnavailable,
)
from krakenasync.protocol.requests import Reshaped, result_type
from krakenasync.protocol.wire import Answer, decode, envelope, reader
from krakenasync.spot.catalog import by_name

Balances = dict[str, Decimal]

names = st.text(string.ascii_letters + "_-", min_size=1, max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


class Order(msgspec.Struct):
    """A result with a shape of its own."""

    txid: list[str]
    price: Decimal
    opened: int = 0


class Page(msgspec.Struct, Reshaped):
    """A result that travels as a pair of items and a cursor."""

    arrives_as: ClassVar = dict[str, int]
    items: list[str]
    last: int

    @classmethod
    def from_wire(cls, arrived):
        if "last" not in arrived:
            raise msgspec.ValidationError("no cursor")
        return cls([name for name in arrived if name != "last"], arrived["last"])


class BarePage(Page):
    """The same without Kraken's envelope."""

    enveloped: ClassVar = False


class BareRows(msgspec.Struct):
    """An answer that is its own type and has no envelope; ``{}`` stands for no rows."""

    enveloped: ClassVar = False
    nothing: ClassVar = b'{"rows":[]}'
    rows: list[Decimal]


class Export(bytes, Reshaped):
    """A file."""

    __slots__ = ()
    arrives_as: ClassVar = bytes

    @classmethod
    def from_wire(cls, arrived):
        return cls(arrived)


def test_an_answer_without_an_envelope():
    """It is read into its type, also an empty one; an error in its place is none."""
    assert decode(BareRows, 200, b'{"rows":[0.1],"new":1}', endpoint="x").result == BareRows([Decimal("0.1")])
    assert decode(BareRows, 200, b"{}", endpoint="x").result == BareRows([])
    for body in (b'{"new":1}', b'{"rows":[],"error":"no"}', b"[]"):
        with pytest.raises(ProtocolError):
            decode(BareRows, 200, body, endpoint="x")
    with pytest.raises(InvalidNonce):
        decode(BareRows, 200, b'{"error":["EAPI:Invalid nonce"]}', endpoint="x")


def test_a_result_becomes_its_type():
    """Text and number alike become exact Decimals; the bytes stay at hand; fields we do not know do no harm."""
    body = b'{"error":[],"result":{"txid":["O1"],"price":0.1,"new":{"x":1}}}'
    answer = decode(Order, 200, body, endpoint="AddOrder")
    assert answer == Answer(Order(["O1"], Decimal("0.1")), (), body)
    balances = decode(Balances, 200, b'{"error":[],"result":{"XXBT":"0.10","ZUSD":1}}', endpoint="Balance")
    assert balances.result == {"XXBT": Decimal("0.10"), "ZUSD": Decimal(1)}
    late = decode(Order, 200, b'{"error":[],"result":{"txid":[],"price":"1","opened":"17"}}', endpoint="AddOrder")
    assert late.result.opened == 17
    assert str(balances.result["XXBT"]) == "0.10"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ('"1.10"', "1.10"),
        ("1.10", "1.10"),
        ("3", "3"),
        ('"3"', "3"),
        ('"-0.00"', "-0.00"),
        ('"-0"', "-0"),
        ("1e-8", "1E-8"),
        ('"0.1000000000000000055511151231257827"', "0.1000000000000000055511151231257827"),
        ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
    ],
)
def test_an_amount_is_read_as_it_is_written(written, amount):
    """To the last digit and the sign, as text or as a number."""
    found = decode(Balances, 200, b'{"error":[],"result":{"ZUSD":%s}}' % written.encode(), endpoint="Balance").result
    assert str(found["ZUSD"]) == amount


@pytest.mark.parametrize("written", ['""', '"1,5"', "null", "true", '"true"', "[]", '["1"]', "{}"])
def test_what_is_no_amount_is_refused(written):
    """It is not taken for nothing."""
    with pytest.raises(ProtocolError):
        decode(Balances, 200, b'{"error":[],"result":{"ZUSD":%s}}' % written.encode(), endpoint="Balance")


@given(st.dictionaries(names, st.decimals(allow_nan=False, allow_infinity=False, places=8)), st.lists(texts))
def test_what_the_sandbox_answers_the_client_reads(balances, notes):
    """An envelope of results and warnings decodes to the same results and warnings."""
    warnings = tuple(f"W{note}" for note in notes)
    body = envelope({name: format(amount, "f") for name, amount in balances.items()}, *warnings)
    answer = decode(Balances, 200, body, endpoint="Balance")
    assert (answer.result, answer.warnings) == (balances, warnings)


def test_envelopes_are_kraken_s():
    """A refusal has no result; a result has an empty error list."""
    assert json.loads(envelope({}, "WGeneral:Careful")) == {"error": ["WGeneral:Careful"], "result": {}}
    assert envelope(msgspec.UNSET, "EAPI:Invalid nonce") == b'{"error":["EAPI:Invalid nonce"]}'
    assert json.loads(envelope([1])) == {"error": [], "result": [1]}


def test_an_accepted_call_may_answer_202():
    """Earn/Deallocate may answer 202; its result is a result."""
    assert decode(bool, 202, b'{"error":[],"result":true}', endpoint="Earn/Deallocate").result is True


def test_an_error_string_raises_even_beside_a_result():
    """The severity letter decides: E raises, whatever else the answer holds, and keeps all strings that say why."""
    body = envelope({"XXBT": "1"}, "WGeneral:Careful", "EOrder:Insufficient funds")
    with pytest.raises(InsufficientFunds) as caught:
        decode(Balances, 200, body, endpoint="AddOrder")
    assert caught.value.codes == ("EOrder:Insufficient funds",)
    assert caught.value.endpoint == "AddOrder"


@pytest.mark.parametrize("code", ["EFuture:Something new", "XNever:Seen", "no form at all", ""])
def test_an_unknown_string_raises_and_leaves_the_outcome_open(code):
    """What stands in no table is never taken for success, nor for proof that nothing happened."""
    with pytest.raises(Refused) as caught:
        decode(Balances, 200, envelope({}, code), endpoint="AddOrder")
    assert caught.value.codes == (code,)
    assert caught.value.effect == "unknown"
    assert not caught.value.retryable


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
def test_kraken_s_own_words_outrank_the_status(status):
    """An envelope with an error string is read as such under any HTTP status."""
    with pytest.raises(InsufficientFunds):
        decode(Balances, status, envelope(msgspec.UNSET, "EOrder:Insufficient funds"), endpoint="AddOrder")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "an empty body"),
        (b"null", "not Kraken's JSON envelope"),
        (b"[]", "not Kraken's JSON envelope"),
        (b'{"error":[],"result":{"XXBT"', "not Kraken's JSON envelope"),
        (b'{"error":[],"result":{}} trailing', "not Kraken's JSON envelope"),
        (b'{"error":"EAPI:Invalid nonce"}', "not Kraken's JSON envelope"),
        (b'{"result":{}}', "not Kraken's JSON envelope"),
        (b"<!DOCTYPE html><html>Just a moment...</html>", "an HTML page"),
        (b"\n  <html></html>", "an HTML page"),
        (b'{"error":["\xff"]}', "not Kraken's JSON envelope"),
        (b'{"error":[],"result":' + b"[" * 100_000, "not Kraken's JSON envelope"),
        (b'{"error":[]}', "has no result"),
        (b'{"error":["WGeneral:Careful"]}', "has no result"),
        (b'{"error":[],"result":null}', "another shape"),
        (b'{"error":[],"result":["XXBT"]}', "another shape"),
        (b'{"error":[],"result":{"XXBT":"much"}}', "another shape"),
    ],
)
def test_a_200_that_is_no_answer(body, message):
    """HTML, truncated JSON, an empty body or a foreign shape may hide a success: the outcome is unknown."""
    with pytest.raises(ProtocolError, match=message) as caught:
        decode(Balances, 200, body, endpoint="TradeVolume")
    assert caught.value.effect == "unknown"
    assert caught.value.retryable
    assert caught.value.status == 200


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 522, 524])
@pytest.mark.parametrize("body", [b"", b"<html>520: Web server is returning an unknown error</html>", b'{"error":[]}'])
def test_a_5xx_is_service_unavailable_with_unknown_outcome(status, body):
    """Orders have been carried out behind a 502 or 520: only a read may simply be asked again."""
    with pytest.raises(ServiceUnavailable, match=f"HTTP {status}") as caught:
        decode(Balances, status, body, endpoint="Balance")
    assert caught.value.status == status
    assert caught.value.effect == "unknown"
    assert caught.value.retryable


@pytest.mark.parametrize("body", [b"", b"<html>error 1015</html>", b'{"error":[]}'])
def test_a_429_is_a_rate_limit(body):
    """The edge's own refusal counts as a rate limit; nothing was done."""
    with pytest.raises(RateLimitExceeded, match="429") as caught:
        decode(Balances, 429, body, endpoint="Ticker")
    assert caught.value.effect == "none"


@pytest.mark.parametrize("endpoint", ["Balance", "BalanceEx"])
def test_an_account_that_was_never_funded_has_no_balances(endpoint):
    """Kraken has answered so without any result; no other answer is that."""
    kind = result_type(by_name(endpoint))
    for read in (decode, lambda kind, *answer, endpoint: reader(kind, endpoint)(*answer)):
        assert read(kind, 200, b'{"error":[]}', endpoint=endpoint).result == {}
        for status, body in ((200, b'{"error":[],"result":null}'), (200, b'{"error":["W"]}'), (400, b'{"error":[]}')):
            with pytest.raises(ProtocolError):
                read(kind, status, body, endpoint=endpoint)


def test_a_reshaped_result():
    """A result may be handed out in another shape; one that does not fit is a protocol error like any other."""
    answer = decode(Page, 200, b'{"error":["WGeneral:Careful"],"result":{"a":1,"last":7}}', endpoint="Trades")
    assert (answer.result, answer.warnings) == (Page(["a"], 7), ("WGeneral:Careful",))
    with pytest.raises(ProtocolError, match="another shape"):
        decode(Page, 200, b'{"error":[],"result":{"a":1}}', endpoint="Trades")
    with pytest.raises(ProtocolError, match="has no result"):
        decode(Page, 200, b'{"error":[]}', endpoint="Trades")
    with pytest.raises(InsufficientFunds):
        decode(Page, 200, b'{"error":["EOrder:Insufficient funds"]}', endpoint="Trades")


def test_an_answer_without_envelope():
    """Where answers come bare, an error envelope is still an error and other JSON a protocol error."""
    assert decode(BarePage, 200, b'{"a":1,"last":7}', endpoint="Beta").result == BarePage(["a"], 7)
    with pytest.raises(InsufficientFunds):
        decode(BarePage, 200, b'{"error":["EOrder:Insufficient funds"]}', endpoint="Beta")
    with pytest.raises(ProtocolError):
        decode(BarePage, 200, b'{"a":1}', endpoint="Beta")


def test_a_file():
    """A file is handed out as its bytes; JSON or HTML in its place is told apart."""
    assert decode(Export, 200, b"PK\x03\x04rest", endpoint="RetrieveExport").result == b"PK\x03\x04rest"
    with pytest.raises(InsufficientFunds):
        decode(Export, 200, b'{"error":["EOrder:Insufficient funds"]}', endpoint="RetrieveExport")
    with pytest.raises(ProtocolError, match="HTML"):
        decode(Export, 200, b"<html></html>", endpoint="RetrieveExport")


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 399])
def test_a_redirect_is_never_followed(status):
    """A redirect would hand a signed call to another host; the error says where to look."""
    with pytest.raises(ProtocolError, match="check base_url") as caught:
        decode(Balances, status, b"<html>Moved</html>", endpoint="Balance")
    assert (caught.value.effect, caught.value.retryable, caught.value.status) == ("none", False, status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 413, 451])
def test_a_4xx_from_the_edge_did_nothing(status):
    """A captcha or a missing page is a protocol error that is pointless to repeat."""
    with pytest.raises(ProtocolError, match=f"HTTP {status}") as caught:
        decode(Balances, status, b"<html>captcha</html>", endpoint="Balance")
    assert (caught.value.effect, caught.value.retryable) == ("none", False)


@pytest.mark.parametrize("status", [301, 400, 403, 429])
def test_a_result_outranks_the_status(status):
    """Whoever changed the status on the way: the call was carried out, and is not to be made again."""
    with pytest.raises(ProtocolError, match=f"HTTP {status} with a result") as caught:
        decode(Balances, status, envelope({"ZUSD": "1"}), endpoint="Withdraw")
    assert (caught.value.effect, caught.value.retryable, caught.value.status) == ("unknown", False, status)


@pytest.mark.parametrize("result", [None, {}, []])
def test_a_result_that_tells_nothing_does_not(result):
    """What an edge writes into an envelope of its own."""
    with pytest.raises(RateLimitExceeded):
        decode(Balances, 429, envelope(result), endpoint="Balance")
    with pytest.raises(ServiceUnavailable):
        decode(Balances, 503, envelope({"ZUSD": "1"}), endpoint="Balance")


@pytest.mark.parametrize("status", [402, 408, 409, 418, 425, 460, 499])
def test_another_4xx_may_hide_a_success(status):
    """A gateway that lost patience with the exchange, or with us, has passed the request on all the same."""
    with pytest.raises(ProtocolError, match=f"HTTP {status}") as caught:
        decode(Balances, status, b"<html>timeout</html>", endpoint="Balance")
    assert (caught.value.effect, caught.value.retryable) == ("unknown", True)


@given(st.integers(100, 599), st.binary() | st.sampled_from([b'{"error":[],"result":{}}', b'{"error":[""]}', b"null"]))
def test_any_answer_is_a_result_or_a_typed_error(status, body):
    """No status and no bytes make the client fail in a way its users do not know."""
    try:
        answer = decode(Balances, status, body, endpoint="Balance")
    except KrakenError as error:
        assert error.endpoint == "Balance"  # noqa: PT017 - either way out is right, each with its own promise
        return
    assert answer.result == {}


def test_messages_never_quote_the_body():
    """A body may hold a token or a balance; no error message repeats it."""
    with pytest.raises(ProtocolError) as caught:
        decode(Balances, 200, b'{"error":[],"result":{"token":"SECRET-TOKEN"}}', endpoint="GetWebSocketsToken")
    assert "SECRET" not in str(caught.value)
    assert "SECRET" not in repr(caught.value)


def test_a_glance_at_an_answer_shows_its_result_only():
    """The result hides what is secret in it, so the bytes that it came in are not shown either."""
    answer = Answer("hidden", ("WGeneral:Danger",), b'{"token":"secret"}')
    assert repr(answer) == "Answer(result='hidden', warnings=('WGeneral:Danger',), raw=<18 bytes>)"
    assert pretty_repr(answer) == "Answer(result='hidden', warnings=('WGeneral:Danger',))"

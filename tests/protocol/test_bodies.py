"""Requests to bytes and back."""

import string
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.protocol.bodies import encode, form, parse_body, parse_form, query
from krakenasync.protocol.specs import Body

names = st.text(string.ascii_letters + "_-", min_size=1, max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    texts,
    lambda inner: st.lists(inner, min_size=1, max_size=12) | st.dictionaries(names, inner, min_size=1, max_size=4),
    max_leaves=12,
)
forms = st.dictionaries(names, values, max_size=5)


@given(forms)
def test_a_form_comes_back_as_it_was(params):
    """What the client writes the sandbox reads: every text, every nesting, every list longer than ten."""
    assert parse_form(form(params)) == params


@given(forms, st.integers(1, 2**63 - 1).map(str))
def test_a_json_body_comes_back_as_it_was(params, nonce):
    """A JSON body carries the nonce as text and the parameters unchanged."""
    assert parse_body("application/json", encode(Body.JSON, params, nonce)) == {**params, "nonce": nonce}


@pytest.mark.parametrize("body", [Body.FORM, Body.JSON])
def test_the_nonce_that_is_signed_is_the_one_that_is_sent(body):
    """A parameter of that name does not take its place, and it stays the first."""
    kind = "application/json" if body is Body.JSON else "application/x-www-form-urlencoded"
    sent = parse_body(kind, encode(body, {"asset": "XBT", "nonce": "5"}, "7"))
    assert list(sent.items()) == [("nonce", "7"), ("asset", "XBT")]


@given(texts)
def test_json_money_stays_exact(text):
    """A number in a JSON body never becomes a float on its way."""
    number = Decimal(sum(map(ord, text))) / 1000
    parsed = parse_body("application/json", f'{{"price": {number:f}, "exact": 0.1}}'.encode())
    assert parsed["price"] == number
    assert parsed["exact"] == Decimal("0.1")
    assert not any(isinstance(value, float) for value in parsed.values())


def test_a_plus_sign_is_escaped():
    """Unescaped, Kraken would read a blank: expiretm=+60 travels as %2B60."""
    assert form({"expiretm": "+60"}) == "expiretm=%2B60"
    assert parse_form("expiretm=+60") == {"expiretm": " 60"}
    assert parse_form("expiretm=%2B60") == {"expiretm": "+60"}


def test_nested_values_get_bracketed_names():
    """A conditional close and lists travel the way Kraken documents them."""
    assert parse_form("close[ordertype]=limit&close%5Bprice%5D=1") == {"close": {"ordertype": "limit", "price": "1"}}
    assert form({"close": {"price": "1"}, "lock_type": ["flex", "timed"]}) == (
        "close%5Bprice%5D=1&lock_type%5B0%5D=flex&lock_type%5B1%5D=timed"
    )
    assert parse_form("orders[0][pair]=A&orders[1][pair]=B") == {"orders": [{"pair": "A"}, {"pair": "B"}]}
    assert parse_form("lock_type[]=flex&lock_type[]=timed") == {"lock_type": ["flex", "timed"]}


def test_scalars_are_written_as_kraken_writes_them():
    """Booleans in lower case, numbers in digits, an empty text as an empty value."""
    assert form({"validate": True, "trades": False, "count": 7, "note": ""}) == (
        "validate=true&trades=false&count=7&note="
    )
    assert parse_form("note=") == {"note": ""}
    assert query({"pair": "XBT/USD"}) == "pair=XBT%2FUSD"


def test_encode_puts_the_nonce_first():
    """Form or JSON, the nonce leads; a public call has none."""
    assert encode(Body.FORM, {"pair": "XBTUSD"}, "17") == b"nonce=17&pair=XBTUSD"
    assert encode(Body.JSON, {"pair": "XBTUSD"}, "17") == b'{"nonce":"17","pair":"XBTUSD"}'
    assert encode(Body.FORM, {"pair": "XBTUSD"}) == b"pair=XBTUSD"
    assert encode(Body.FORM, {}, "17") == b"nonce=17"


def test_encode_leaves_the_caller_s_parameters_alone():
    """No nonce is slipped into the mapping that was handed over."""
    params = {"pair": "XBTUSD"}
    encode(Body.FORM, params, "17")
    assert params == {"pair": "XBTUSD"}


@pytest.mark.parametrize(
    "text", ["a=1&a[b]=2", "a[b]=1&a[b][c]=2", "a" + "[b]" * 5000 + "=1"], ids=["clash", "deep clash", "abyss"]
)
def test_contradictory_forms_are_value_errors(text):
    """A name that is both a value and a group, or absurdly deep, is a ValueError and nothing worse."""
    with pytest.raises(ValueError, match=r"a value and a group|nested 5000 deep"):
        parse_form(text)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[1]"),
        ("application/json", b"null"),
        ("application/json", b""),
        ("application/json; charset=utf-8", b'{"a": "\xff"}'),
        ("application/json", b"[" * 100_000),
        ("application/x-www-form-urlencoded", b"a=\xff"),
    ],
)
def test_malformed_bodies_are_value_errors(content_type, body):
    """A body that is neither form nor JSON object is a ValueError, whatever is wrong with it."""
    with pytest.raises(ValueError):  # noqa: PT011 - the kind is the promise, the text is the parser's
        parse_body(content_type, body)


@given(st.binary() | st.text(string.ascii_letters + "[]=&%+", max_size=40).map(str.encode), st.booleans())
def test_any_body_is_read_or_a_value_error(body, as_json):
    """No bytes a stranger sends make the reader fail in another way."""
    try:
        parsed = parse_body("application/json" if as_json else "application/x-www-form-urlencoded", body)
    except ValueError:
        return
    assert isinstance(parsed, dict)

"""Messages: composed and signed in one step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.bodies import parse_body
from krakenasync.protocol.charges import ONE
from krakenasync.protocol.messages import Message, compose
from krakenasync.protocol.signing import decode_secret, sign, verify
from krakenasync.protocol.specs import Body, Spec

SECRET = decode_secret("kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==")
NONCE = "1616492376594"


def spec(name="AddOrder", **facts) -> Spec:
    facts = {"private": True, "path": f"/0/private/{name}", **facts}
    return Spec(name=name, section="trading", source="https://example.org", **{"charge": ONE, **facts})


def test_the_published_order():
    """Kraken's published order becomes the published body and signature."""
    params = {"ordertype": "limit", "pair": "XBTUSD", "price": "37500", "type": "buy", "volume": "1.25"}
    message = compose(spec(), params, key="K", secret=SECRET, nonce=NONCE)
    assert (message.method, message.target) == ("POST", "/0/private/AddOrder")
    assert message.headers == {
        "API-Key": "K",
        "API-Sign": "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert message.body == b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"


@given(
    st.dictionaries(st.sampled_from(["a", "b-c", "d"]), st.text("+ é%&=[]x", max_size=8)),
    st.sampled_from([Body.FORM, Body.JSON]),
)
def test_the_signed_bytes_are_the_sent_bytes(params, body):
    """The sandbox, looking at nothing but the message, finds the signature right and the parameters whole."""
    message = compose(spec(body=body), params, key="K", secret=SECRET, nonce=NONCE)
    assert verify(SECRET, message.target, NONCE, message.body, message.headers["API-Sign"])
    assert parse_body(message.headers["Content-Type"], message.body) == {"nonce": NONCE, **params}


def test_a_second_factor_stands_in_the_body():
    """A one-time password is signed along with the rest."""
    message = compose(spec("Balance"), {}, key="K", secret=SECRET, nonce=NONCE, otp="123456")
    assert message.body == b"nonce=1616492376594&otp=123456"
    assert verify(SECRET, "/0/private/Balance", NONCE, message.body, message.headers["API-Sign"])


@pytest.mark.parametrize(
    ("params", "target"), [({}, "/0/public/Ticker"), ({"pair": "XBT/USD"}, "/0/public/Ticker?pair=XBT%2FUSD")]
)
def test_a_public_call_carries_nothing_of_the_key(params, target):
    """A public call is a bare GET, even when a key is at hand."""
    public = spec("Ticker", private=False, path="/0/public/Ticker", method="GET", body=Body.QUERY)
    message = compose(public, params, key="K", secret=SECRET, nonce=NONCE, otp="123456")
    assert message == Message("GET", target, {}, b"")


def test_a_beta_query_is_signed_with_its_path():
    """Funding Beta: the nonce travels in a header, names in the path are filled in, the query is signed."""
    beta = spec("Beta", path="/0/private/beta/{asset}", method="GET", body=Body.QUERY, beta=True)
    message = compose(beta, {"asset": "A/B", "limit": 5}, key="K", secret=SECRET, nonce=NONCE, otp="123456")
    target = "/0/private/beta/A%2FB?limit=5"
    assert (message.method, message.target, message.body) == ("GET", target, b"")
    assert message.headers == {
        "API-Key": "K",
        "API-Nonce": NONCE,
        "API-Sign": sign(SECRET, target, NONCE, b""),
        "API-OTP": "123456",
    }


def test_a_query_of_empty_lists_is_no_query():
    """A "?" with nothing behind it would be signed and then lost on the way."""
    beta = spec("Beta", path="/0/private/beta", method="GET", body=Body.QUERY, beta=True)
    message = compose(beta, {"status": {"list": []}}, key="K", secret=SECRET, nonce=NONCE)
    assert message.target == "/0/private/beta"
    assert verify(SECRET, message.target, NONCE, b"", message.headers["API-Sign"])


def test_a_beta_body_is_json_without_the_nonce():
    """Funding Beta with a body: JSON, signed, the nonce in the header only."""
    message = compose(spec(body=Body.JSON, beta=True), {"a": "1"}, key="K", secret=SECRET, nonce=NONCE)
    assert message.body == b'{"a":"1"}'
    assert message.headers["Content-Type"] == "application/json"
    assert verify(SECRET, message.target, NONCE, message.body, message.headers["API-Sign"])


def test_an_account_is_named_in_the_query():
    """Funding Beta takes the account to act on there, also of a call with a body; it is signed with the path."""
    change = spec("Beta", path="/funding/v1/addresses/{id}", method="PUT", body=Body.JSON, beta=True)
    message = compose(change, {"id": "a", "account_id": "A 1", "name": "n"}, key="K", secret=SECRET, nonce=NONCE)
    assert (message.target, message.body) == ("/funding/v1/addresses/a?account_id=A+1", b'{"name":"n"}')
    assert verify(SECRET, message.target, NONCE, message.body, message.headers["API-Sign"])


def test_funding_signatures_known_elsewhere():
    """Digests that another client's tests have, made with the helper of Kraken's guide."""
    fees = spec("Fees", path="/funding/v1/fees/{method_id}", method="GET", body=Body.QUERY, beta=True)
    asked = {"method_id": "d4ec4d52-b159-428e-ba64-f45455a978a1", "amount": "5", "fee_included": True}
    quote = compose(fees, asked, key="K", secret=SECRET, nonce=NONCE)
    assert quote.signature == "+EH4mm7c+g2d6XOdsx+0rElDQTXFVxuzLIYLgZJwEe80Wi1TMWKDRoQA1dIXD/QFCGEwtvrp32APAoXMXT2k3w=="
    create = spec("Create", path="/funding/v1/addresses", method="POST", body=Body.JSON, beta=True)
    wallet = {
        "scope": {"network_id": "d9d375da-44b7-4be1-8a00-8b281acfe366"},
        "address_details": {"crypto": {"address": "0xBef7B36845cA31045E86D0B46DBCac4e6752"}},
        "name": "Personal Wallet",
    }
    saved = compose(create, wallet, key="K", secret=SECRET, nonce=NONCE)
    assert saved.signature == "Lc9l+liE00GWbh8QHewQEfGH3S6pYOjHIiTRyb9s9/Cynw9lIc1Y/z7LW+u8XUAVZ7AUdCrK7wmWYmBXHBp7Kg=="


def test_a_glance_shows_no_secret():
    """Key, signature, second factor and parameters stay out of sight, rich's included."""
    message = compose(spec("Balance"), {"asset": "XBT"}, key="KEY", secret=SECRET, nonce=NONCE, otp="123456")
    assert repr(message) == "<Message POST /0/private/Balance>"
    assert pretty_repr(message) == "Message(method='POST', target='/0/private/Balance')"


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("rules", [{}, {"body": Body.JSON}, {"beta": True, "body": Body.QUERY}])
def test_half_a_character_is_a_bad_argument(private, rules):
    """A lone surrogate, as a text read the wrong way has it, is refused in words; the text itself is not repeated."""
    with pytest.raises(InvalidArguments, match="lone surrogate") as caught:
        compose(spec(private=private, **rules), {"name": "a\udcff"}, key="K", secret=SECRET, nonce=NONCE)
    assert caught.value.__suppress_context__
    with pytest.raises(InvalidArguments, match="lone surrogate"):
        compose(spec(), {}, key="K", secret=SECRET, nonce=NONCE, otp="\udcff")


def test_a_target_too_long_for_the_exchange_is_refused_before_it_is_sent():
    """Kraken's edge answers 414 or 520, and would do so again."""
    ticker = spec("Ticker", private=False)
    rest = len(compose(ticker, {"pair": ""}).target)
    assert len(compose(ticker, {"pair": "A" * (8_000 - rest)}).target) == 8_000
    with pytest.raises(InvalidArguments, match=r"a target of \d+ characters, 8000 at most \(name fewer"):
        compose(ticker, {"pair": "A" * (8_001 - rest)})

"""What an order may say on the command line."""

from datetime import UTC, datetime

import pytest

from krakenasync import InvalidArguments
from krakenasync.cli.terms import Terms


def test_a_price_alone_is_a_limit():
    """With a price the kind need not be said; what is left out is not sent."""
    assert Terms(price="30000").named() == {"ordertype": "limit", "price": "30000"}


def test_terms_bear_krakens_names():
    """Plain words on the command line, Kraken's on the wire."""
    terms = Terms(price="1", type="iceberg", display="0.1", flags="post", lasting="GTD", expires="+60", starts="+5")
    assert terms.named() == {
        "ordertype": "iceberg",
        "price": "1",
        "displayvol": "0.1",
        "oflags": "post",
        "timeinforce": "GTD",
        "expiretm": "+60",
        "starttm": "+5",
    }


def test_a_forgotten_price_is_no_market_order():
    """Without price and kind the order is refused: a slip must not buy at any price."""
    with pytest.raises(InvalidArguments, match="limit or market"):
        Terms().named()


def test_an_order_that_expires_lasts_till_then():
    """Kraken heeds the time of a GTD order only, so --expires makes one; dates are read as everywhere."""
    assert Terms(price="1", expires="+60").named()["timeinforce"] == "GTD"
    named = Terms(price="1", expires="2030-01-31T12:00", starts="1900000000").named()
    assert named["expiretm"] == datetime(2030, 1, 31, 12, tzinfo=UTC)
    assert named["starttm"] == datetime.fromtimestamp(1900000000, UTC)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (Terms(price="1", expires="soon"), "--expires 'soon' is not a point in time"),
        (Terms(price="1", starts="-5"), "--starts '-5'"),
        (Terms(price="1", expires="+60", lasting="IOC"), "--lasting IOC"),
        (Terms(price="1", flags="post,nonsense"), "there is no 'nonsense'"),
        (Terms(price="70000", trigger="last"), "--trigger: for which kind of order"),
        (Terms(price="70000", price2="5"), "--price2: for which kind of order"),
        (Terms(price="70000", display="1"), "--display: for which kind of order"),
        (Terms(type="market", trigger="last"), "a market order has no --trigger"),
        (Terms(type="market", price2="5"), "a market order has no --price2"),
        (Terms(type="limit", price="1", display="1"), "a limit order has no --display"),
        (Terms(type="stop-loss", price="1", price2="2"), "a stop-loss order has no --price2"),
        (Terms(type="limit"), "a limit order needs --price"),
        (Terms(type="trailing-stop"), "a trailing-stop order needs --price"),
        (Terms(type="stop-loss-limit", price="1"), "a stop-loss-limit order needs --price2"),
    ],
)
def test_a_wrong_word_is_no_order(terms, said):
    """A slip is said before anything is sent, and does not make another order than was meant."""
    with pytest.raises(InvalidArguments, match=said):
        terms.named()


@pytest.mark.parametrize(
    "terms",
    [
        Terms(type="market"),
        Terms(type="settle-position"),
        Terms(type="iceberg", price="1", display="0.1"),
        Terms(type="take-profit", price="+5%", trigger="index"),
        Terms(type="trailing-stop-limit", price="+5%", price2="-1%", trigger="last"),
    ],
)
def test_each_kind_takes_what_belongs_to_it(terms):
    """And nothing is asked for that it can do without."""
    assert terms.named()["ordertype"] == terms.type

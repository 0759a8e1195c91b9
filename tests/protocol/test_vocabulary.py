"""Words that are in no list of Kraken's."""

import enum

import pytest

from krakenasync.protocol.vocabulary import unfamiliar, words
from krakenasync.spot.catalog import ENDPOINTS
from krakenasync.spot.market import AssetPairs
from krakenasync.spot.trades import OHLC, Trades
from krakenasync.spot.trading import AddOrder, AddOrderBatch, Close, Order
from krakenasync.spot.values import TimeInForce

BUY = {"type": "buy", "ordertype": "limit", "volume": "1", "price": "30000"}


def strange(request):
    """Name what is not known in a request, as it is after its parameters were checked."""
    request.params()
    return [(name, value) for name, value, _known in unfamiliar(request)]


class Kind(enum.Enum):
    """The caller's own enumeration."""

    BUY = "buy"
    LEND = "lend"


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (AddOrder(pair="XBTUSD", **BUY), []),
        (AddOrder(pair="XBTUSD", **BUY | {"ordertype": "limt"}), [("ordertype", "limt")]),
        (AddOrder(pair="XBTUSD", **BUY, timeinforce="gtc"), [("timeinforce", "gtc")]),
        (AddOrder(pair="XBTUSD", **BUY, oflags="post, fciq"), []),
        (AddOrder(pair="XBTUSD", **BUY, oflags=["post", "prime"]), [("oflags", "prime")]),
        (AddOrder(pair="XBTUSD", **BUY | {"type": Kind.BUY}), []),
        (AddOrder(pair="XBTUSD", **BUY | {"type": Kind.LEND}), [("type", "lend")]),
        (AddOrder(pair="XBTUSD", **BUY, close=Close(ordertype="stop-los", price="1")), [("ordertype", "stop-los")]),
        (
            AddOrderBatch(pair="XBTUSD", orders=[Order(**BUY, stptype="cancel-all"), BUY | {"type": "b"}]),
            [("stptype", "cancel-all"), ("type", "b")],
        ),
        (OHLC(pair="XBTUSD", interval=2), [("interval", 2)]),
        (OHLC(pair="XBTUSD", interval=5), []),
        (Trades(pair="XBTUSD", count=7), []),
        (AssetPairs(pair=["FOO", "BAR"], info="fees"), []),
    ],
)
def test_what_is_not_known_is_found_wherever_it_stands(request_, found):
    """Names of pairs and assets are no words: they are known to `names()`. Numbers without a list are none either."""
    assert strange(request_) == found


def test_a_word_comes_with_those_that_are_known():
    """For the message."""
    request = AddOrder(pair="XBTUSD", **BUY, timeinforce="GTX")
    request.params()

    (found,) = unfamiliar(request)

    assert found.known == words(TimeInForce) == {"GTC", "IOC", "GTD", "FOK"}


@pytest.mark.parametrize("kind", ENDPOINTS.values())
def test_every_request_can_be_looked_through(kind):
    """Whatever its fields are."""
    fields = dict.fromkeys(kind.__struct_fields__)

    assert list(unfamiliar(kind(**fields))) == []

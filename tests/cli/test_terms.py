"""What an order may say on the command line."""

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

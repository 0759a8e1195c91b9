"""Pre- and post-trade data."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from krakenasync.errors import InvalidArguments
from krakenasync.spot.transparency import PostTrade, PreTrade


def test_pre_trade(sample):
    """Notations differ between the two calls, and undocumented codes are kept."""
    book = sample(PreTrade)

    assert (book.base_notation, book.base_dti_code, book.quote_dti_code) == ("NOML", "4H95J0R2X", None)
    assert book.asks[0].submission_ts is None


@pytest.mark.parametrize("symbol", ["ab", "a" * 33])
def test_symbol_has_3_to_32_characters(symbol):
    """Kraken's bounds are told before anything is sent."""
    with pytest.raises(InvalidArguments, match="3 to 32"):
        PreTrade(symbol).params()


def test_post_trade_cursor_keeps_its_nanoseconds(sample):
    """The cursor is text, because a datetime would cut it and give rows twice."""
    page = sample(PostTrade)

    assert page.last_ts == "2026-02-26T00:00:02.123456789Z"
    assert PostTrade("BTC/USD", from_ts=page.last_ts).params() == {"symbol": "BTC/USD", "from_ts": page.last_ts}
    assert page.trades[0].trade_ts.tzinfo is not None


def test_bounds_of_post_trade():
    """Datetimes are written to the microsecond."""
    moment = datetime(2026, 2, 26, 0, 0, 1, 5, tzinfo=UTC)

    assert PostTrade(to_ts=moment, count=1000).params() == {"to_ts": "2026-02-26T00:00:01.000005Z", "count": 1000}

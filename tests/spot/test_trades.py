"""Candles, trades and spreads: rows beside a cursor."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from krakenasync.errors import InvalidArguments, ProtocolError
from krakenasync.spot.trades import OHLC, Spread, Trades

MOMENT = datetime(2023, 7, 6, 18, 53, 17, 827736, tzinfo=UTC)


def test_candles(sample):
    """The pair's key is found beside `last`, rows have names, times are aware."""
    table = sample(OHLC)

    assert (table.pair, table.last) == ("XXBTZUSD", 1688671200)
    assert table.candles[0].time == datetime(2023, 7, 6, 19, 20, tzinfo=UTC)
    assert (table.candles[0].close, table.candles[1].count) == (Decimal("30305.7"), 18)


def test_trades_keep_the_cursor_whole(sample):
    """The cursor is a text of nanoseconds past 2**53, and not a digit of it may be lost."""
    table = sample(Trades)

    assert table.last == 1688671969993150842
    assert Trades("XBTUSD", since=table.last).params()["since"] == "1688671969993150842"
    assert table.trades[0].time == datetime(2023, 7, 6, 18, 53, 17, 827737, tzinfo=UTC)
    assert (table.trades[1].side, table.trades[1].trade_id) == ("s", 61044953)


def test_empty_cursor_is_the_end(answer):
    """Trades end with an empty `last`."""
    assert answer(Trades, {"XXBTZUSD": [], "last": ""}).last is None


def test_what_stands_beside_the_rows_is_passed_over(answer):
    """Only a list can be the rows: another field next to the cursor does not break the answer."""
    table = answer(Trades, {"XXBTZUSD": [], "next": {"cursor": "a"}, "last": "5"})

    assert (table.pair, table.trades, table.last) == ("XXBTZUSD", [], 5)


def test_spreads(sample):
    """Spread rows have names; their cursor is in seconds."""
    table = sample(Spread)

    assert table.spreads[1].ask == Decimal("30296.7")
    assert table.last == 1688672106


@pytest.mark.parametrize(
    "result", [{"last": 1}, {"A": [], "B": [], "last": 1}, {"A": 5, "last": 1}, {"A": [], "last": {}}]
)
def test_other_shapes_are_no_answers(answer, result):
    """Neither no pair nor two, and no rows that are none."""
    with pytest.raises(ProtocolError, match="another shape"):
        answer(OHLC, result)


def test_since_in_each_endpoint_s_own_unit():
    """A datetime becomes whole seconds where Kraken wants an integer, and nanoseconds for trades."""
    assert OHLC("XBTUSD", since=MOMENT).params()["since"] == "1688669597"
    assert Spread("XBTUSD", since=1688669597.9).params()["since"] == "1688669597"
    assert Trades("XBTUSD", since=MOMENT).params()["since"] == "1688669597827736000"
    assert Trades("XBTUSD", since=0).params()["since"] == "0"


@pytest.mark.parametrize("count", [0, 1001])
def test_trades_a_page(count):
    """Kraken gives 1 to 1,000 trades a page."""
    with pytest.raises(InvalidArguments, match=r"1\.\.1000"):
        Trades("XBTUSD", count=count).params()


def test_a_naive_moment_is_refused():
    """A datetime without a zone could mean any hour."""
    with pytest.raises(InvalidArguments, match="naive"):
        OHLC("XBTUSD", since=datetime(2023, 7, 6)).params()  # noqa: DTZ001 - the point of the test

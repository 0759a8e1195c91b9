"""Trades, positions and ledger entries."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from krakenasync.errors import InvalidArguments
from krakenasync.spot.history import Ledgers, OpenPositions, QueryLedgers, QueryTrades, TradesHistory

IDS = [f"T{number:05}-AAAAA-BBBBBB" for number in range(21)]


def test_trades(sample):
    """A trade without a position has none of a position's figures."""
    page = sample(TradesHistory)
    trade = page.trades["THVRQM-33VKH-UCI7BS"]

    assert page.count == 2346
    assert (trade.vol, trade.maker, trade.trade_id) == (Decimal("0.02"), True, 40274859)
    assert (trade.posstatus, trade.net) == (None, None)


def test_closed_position_figures_come_as_text_or_number(sample):
    """What a trade tells of its position is exact either way, and a plus sign is a sign."""
    trade = sample(TradesHistory).trades["TTEUX3-HDAAA-RC2RUO"]

    assert (trade.cprice, trade.ccost, trade.cfee) == (Decimal("30100.5"), Decimal("602.01"), Decimal("1.20402"))
    assert trade.net == Decimal("0.60598")


def test_positions_by_id(sample):
    """The mapping lies directly in the result, and is one here."""
    positions = sample(OpenPositions)
    position = positions["TF5GVO-T7ZZ2-6NBKBI"]

    assert (position.net, position.asset_class) == (Decimal("154186.9728"), "currency")
    assert position.rollovertm == datetime(2021, 3, 25, 11, 43, 57, tzinfo=UTC)
    assert positions.markets == []


def test_positions_merged_by_market(answer):
    """With consolidation the answer is a list, one row a market."""
    positions = answer(OpenPositions, [{"pair": "XXBTZUSD", "positions": "2", "vol": "1.5", "net": "-3.1"}])

    assert positions == {}
    assert (positions.markets[0].positions, positions.markets[0].net) == (2, Decimal("-3.1"))


@pytest.mark.parametrize(("leverage", "read"), [("5.00000", Decimal("5.00000")), ("n/a", None), (None, None)])
def test_the_average_leverage_of_a_market(answer, leverage, read):
    """Where there is none Kraken says so."""
    positions = answer(OpenPositions, [{"pair": "XXBTZUSD", "leverage": leverage}])
    assert positions.markets[0].leverage == read


def test_ledger_entries_are_signed(sample):
    """Amounts carry their sign; entries keep Kraken's names."""
    page = sample(Ledgers)

    assert page.ledger["L4UESK-KG3EQ-UFO4T5"].amount == Decimal("-24.5")
    assert page.ledger["LMKZCZ-Z3GVL-CXKK4H"].subtype == "spottofutures"


def test_words_with_blanks_travel_as_they_are():
    """Some of Kraken's words hold a blank."""
    assert TradesHistory(type="any position").params() == {"type": "any position"}


@pytest.mark.parametrize("request_type", [QueryTrades, QueryLedgers])
def test_twenty_ids_at_most(request_type):
    """Kraken takes 20 ids in one call."""
    assert len(request_type(IDS[:20]).params()) == 1
    with pytest.raises(InvalidArguments, match="20"):
        request_type(IDS).params()

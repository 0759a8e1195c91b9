"""Market data: what is asked, and what Kraken's answers become."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from krakenasync.errors import InvalidArguments, InvalidType, ProtocolError
from krakenasync.spot.maintenance import MaintenanceSchedule
from krakenasync.spot.market import AssetPair, AssetPairs, Assets, SystemStatus, Ticker, Time


def test_time_is_given_as_number_and_as_datetime(sample):
    """Kraken's seconds stay a number, and come as an aware datetime besides."""
    now = sample(Time)

    assert now.unixtime == 1772064000
    assert now.time == datetime(2026, 2, 26, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [-1, 99999999999999999, 253_370_764_800])
def test_a_clock_beyond_the_calendar_is_no_answer(answer, seconds):
    """Deadlines are reckoned from it."""
    assert answer(Time, {"unixtime": 253_370_764_799}).time.year == 9998
    with pytest.raises(ProtocolError, match="another shape"):
        answer(Time, {"unixtime": seconds})


def test_status_has_an_aware_moment(sample):
    """RFC 3339 text becomes an aware datetime."""
    assert sample(SystemStatus).timestamp == datetime(2026, 2, 26, 18, 52, tzinfo=UTC)


def test_status_tells_what_comes_and_what_is_wrong(sample, answer):
    """Windows of maintenance and incidents with all they say; an answer without them has none."""
    status = sample(SystemStatus)

    assert status.upcoming_maintenance == sample(MaintenanceSchedule).events
    (window,), (incident,) = status.upcoming_maintenance, status.emergency
    assert (window.phase, window.recommended_action) == ("approaching_30m", "reduce_activity")
    assert window.cancel_before_utc == datetime(2026, 5, 11, 8, 55, tzinfo=UTC)
    assert incident.started_at_utc == datetime(2026, 5, 8, 14, 23, 11, tzinfo=UTC)
    assert incident.next_steps[0].expected_at_utc == datetime(2026, 5, 8, 14, 30, tzinfo=UTC)
    bare = answer(SystemStatus, {"status": "online"})
    assert (bare.upcoming_maintenance, bare.emergency) == ([], [])


def test_asset_numbers_are_exact_whether_int_float_or_text(sample):
    """collateral_value comes as 1 and as 0.95, margin_rate as text: all become exact Decimals."""
    assets = sample(Assets)

    assert assets["XXBT"].collateral_value == Decimal(1)
    assert str(assets["SOL"].collateral_value) == "0.95"
    assert str(assets["XXBT"].margin_rate) == "0.010000"
    assert assets["DOT28.S"].margin_rate is None


def test_pair_fees_are_exact_steps(sample):
    """Fees are exact (volume, percent) steps; a pair without a maker's schedule has none."""
    pairs = sample(AssetPairs)

    assert pairs["XXBTZUSD"].fees[1] == (pairs["XXBTZUSD"].fees[1].__class__)(Decimal(10000), Decimal("0.35"))
    assert str(pairs["XXBTZUSD"].fees_maker[0].percent) == "0.25"
    assert pairs["USDTZUSD"].fees_maker == []
    assert pairs["XXBTZUSD"].tick_size == Decimal("0.1")


@pytest.mark.parametrize("field", ["fees", "fees_maker"])
@pytest.mark.parametrize("table", [[[0, "0.4O"]], [[0]], {}, "0.4"])
def test_a_garbled_fee_table_is_no_answer(answer, field, table):
    """It is refused with the answer, not when somebody looks at the fees."""
    with pytest.raises(ProtocolError, match="another shape"):
        answer(AssetPairs, {"XXBTZUSD": {field: table}})


def test_pairs_share_fee_tables_but_not_lists(sample):
    """Whoever changes the list that was handed out changes nobody else's."""
    one, other = sample(AssetPairs)["XXBTZUSD"], sample(AssetPairs)["XXBTZUSD"]
    one.fees.clear()

    assert other.fees


def test_slice_of_a_pair_does_not_pretend(answer):
    """info="leverage" answers hold only that; calculating with what was left out fails instead of giving 0."""
    pair = answer(AssetPairs, {"XXBTZUSD": {"leverage_buy": [2, 3], "leverage_sell": [2]}})["XXBTZUSD"]

    assert pair.leverage_buy == [2, 3]
    assert pair.fees == []
    with pytest.raises(TypeError):
        pair.pair_decimals + 1


def test_ticker_letters_have_names(sample):
    """Kraken's letters are read under plain words, with every digit kept."""
    ticker = sample(Ticker)["XXBTZUSD"]

    assert str(ticker.ask.price) == "68342.40000"
    assert ticker.bid.whole_lot_volume == 6
    assert ticker.last.lot_volume == Decimal("0.00731429")
    assert (ticker.volume.last_24h, ticker.trades.today) == (Decimal("2904.35170612"), 31201)
    assert ticker.low.today < ticker.vwap.today < ticker.high.today
    assert ticker.open == Decimal("67511.1")


def test_positional_arrays_may_grow(answer):
    """A further item in an array, as Kraken may add, is passed over."""
    row = {
        "a": ["1", "1", "1", "new"],
        "b": ["1", "1", "1"],
        "c": ["1", "1"],
        **{letter: ["1", "1"] for letter in "vplh"},
        "t": [1, 1],
        "o": "1",
    }

    assert answer(Ticker, {"XXBTZUSD": row})["XXBTZUSD"].ask.price == 1


def test_names_travel_as_a_comma_list():
    """Several pairs, one, or none."""
    assert Ticker(["XBTUSD", "ETHUSD"]).params() == {"pair": "XBTUSD,ETHUSD"}
    assert AssetPairs("XBTUSD", info="fees", assetVersion=1).params() == {
        "pair": "XBTUSD",
        "assetVersion": 1,
        "info": "fees",
    }
    assert Assets().params() == {}


def test_classes_have_four_names():
    """Kraken's name for the asset's class differs from call to call, and is not translated."""
    assert Assets(aclass="tokenized_asset").params() == {"aclass": "tokenized_asset"}
    assert AssetPairs(aclass_base="tokenized_asset").params() == {"aclass_base": "tokenized_asset"}
    assert Ticker(asset_class="forex").params() == {"asset_class": "forex"}


def test_unknown_words_pass():
    """Kraken adds words without notice: an unknown one is no fault of the caller's."""
    assert AssetPairs(info="novelty", execution_venue="moon").params()["info"] == "novelty"


@pytest.mark.parametrize("pair", ["", " ", [], ["XBTUSD", ""]])
def test_empty_names_are_refused(pair):
    """An empty name would ask for something else than meant."""
    with pytest.raises(InvalidArguments, match="empty"):
        Ticker(pair).params()


def test_words_must_be_text():
    """A number in a word's place is the caller's mistake."""
    with pytest.raises(InvalidType, match="aclass"):
        Assets(aclass=1).params()


def test_leverage_may_be_a_fraction(answer):
    """Kraken has offered one and a half: https://github.com/mobnetic/BitcoinChecker/issues/166"""
    (pair,) = answer(AssetPairs, {"XXBTZUSD": {"leverage_buy": [1.5, 2, 5], "leverage_sell": []}}).values()
    assert pair.leverage_buy == [Decimal("1.5"), 2, 5]
    assert [type(each) for each in pair.leverage_buy] == [Decimal, int, int]


def test_the_stop_out_level_has_one_name(answer):
    """With info="margin" Kraken calls it margin_level, elsewhere margin_stop."""
    slices = answer(AssetPairs, {"XETHZUSD": {"margin_call": 80, "margin_level": 40}})
    assert (slices["XETHZUSD"].margin_call, slices["XETHZUSD"].margin_stop) == (80, 40)
    both = answer(AssetPairs, {"XETHZUSD": {"margin_stop": 40, "margin_level": 50}})
    assert both["XETHZUSD"].margin_stop == 40


def test_a_pair_is_a_plain_value(sample):
    """It can be shown, compared, written as JSON and read back; it does not keep the answer it stood in."""
    pair = sample(AssetPairs)["XXBTZUSD"]
    assert msgspec.json.decode(msgspec.json.encode(pair), type=AssetPair, strict=False) == pair
    assert msgspec.to_builtins(pair)["fees"][0] == ["0", "0.4"]
    assert "FeeStep(volume=Decimal('0'), percent=Decimal('0.4'))" in repr(pair)
    assert pickle.loads(pickle.dumps(pair)) == pair

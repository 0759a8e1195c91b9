"""The seeded market: one truth whichever endpoint shows it, at any time, for any seed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.sandbox.listings import PAIRS
from krakenasync.sandbox.market import EPOCH, Market

SECOND = 10**9
XBTUSD = PAIRS["XXBTZUSD"]
MOMENTS = st.integers(EPOCH + 86_400, EPOCH + 20 * 365 * 86_400).map(lambda second: second * SECOND)
SEEDS = st.integers(0, 2**32)
SOME_PAIRS = st.sampled_from(sorted(PAIRS)).map(PAIRS.__getitem__)


@given(seed=SEEDS, pair=SOME_PAIRS, now=MOMENTS)
def test_offers_lead_away_from_the_last_price(seed, pair, now):
    """The market maker's prices get worse level by level, begin within four ticks of the last trade and never cross."""
    market = Market(seed)
    beat = market.beat(now)
    last, tick = market.price(pair, beat), pair.tick_size
    asks, bids = ([level.price for level in market.ladder(pair, beat, buy=buy)] for buy in (False, True))
    assert asks == sorted(set(asks))
    assert bids == sorted(set(bids), reverse=True)
    assert last - 4 * tick <= bids[0] < last <= asks[0] <= last + 3 * tick
    assert all(level.volume > 0 for level in market.ladder(pair, beat, buy=True))


@given(seed=SEEDS, pair=SOME_PAIRS, now=MOMENTS)
def test_a_span_sums_its_trades_up(seed, pair, now):
    """First, last, highest, lowest, volume and number are those of the trades themselves."""
    market = Market(seed)
    last = market.beat(now)
    trades = [market.trade(pair, beat) for beat in range(last - 7, last + 1)]
    prices = [trade.price for trade in trades]
    span = market.span(pair, last - 7, last, 8)
    assert (span.opened, span.close, span.high, span.low) == (prices[0], prices[-1], max(prices), min(prices))
    assert (span.volume, span.trades) == (sum(trade.volume for trade in trades), 8)
    assert span.low <= span.mean <= span.high


@given(seed=SEEDS, now=MOMENTS)
def test_pairs_with_assets_in_common_leave_no_arbitrage(seed, now):
    """XBT/EUR times EUR/USD is XBT/USD, to a tenth of a percent of rounding and start prices."""
    market = Market(seed)
    beat = market.beat(now)
    euros, dollars, rate = (market.price(PAIRS[name], beat) for name in ("XXBTZEUR", "XXBTZUSD", "ZEURZUSD"))
    assert abs(euros * rate / dollars - 1) < Decimal("0.002")


def test_the_market_is_a_function_of_its_seed():
    """Two markets of one seed are equal, those of two seeds are not."""
    one, same, other = (Market(seed).span(XBTUSD, 4_000_000, 4_000_100, 100) for seed in (1, 1, 2))
    assert one == same != other


def test_prices_move_but_not_wildly():
    """Within a day the price moves by more than a tenth of a percent and by less than half."""
    market = Market(0)
    beat = market.beat(1_780_000_000 * SECOND)
    prices = [market.price(XBTUSD, beat - back) for back in range(0, 5760, 60)]
    assert Decimal("0.001") < max(prices) / min(prices) - 1 < Decimal("0.5")


@pytest.mark.asyncio
async def test_trades_page_forward_without_gap_or_repeat(kraken):
    """Following `last` from a moment on gives each trade once, in order."""
    since, numbers = str(1_779_990_000), []
    for _ in range(4):
        result = (await kraken.public("Trades", pair="XBTUSD", since=since, count=300))["result"]
        numbers += [row[6] for row in result["XXBTZUSD"]]
        since = result["last"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert 600 < len(numbers) < 1200
    end = (await kraken.public("Trades", pair="XBTUSD", since=since))["result"]
    assert end == {"XXBTZUSD": [], "last": since}


@pytest.mark.asyncio
async def test_trades_reach_back_to_the_first_one(kraken):
    """From zero on the first page starts with trade number one and holds a thousand."""
    rows = (await kraken.public("Trades", pair="XBTUSD", since="0"))["result"]["XXBTZUSD"]
    assert (len(rows), rows[0][6], rows[-1][6]) == (1000, 1, 1000)


@pytest.mark.asyncio
async def test_ohlc_holds_720_candles_and_since_leaves_older_ones_out(kraken):
    """The running candle is always there, and `last` is the newest complete one."""
    result = (await kraken.public("OHLC", pair="XBTUSD", interval=60))["result"]
    rows = result["XXBTZUSD"]
    assert (len(rows), result["last"]) == (720, rows[-2][0])
    newer = (await kraken.public("OHLC", pair="XBTUSD", interval=60, since=rows[-4][0]))["result"]["XXBTZUSD"]
    assert newer == rows[-3:]
    late = (await kraken.public("OHLC", pair="XBTUSD", interval=60, since=2**40))["result"]["XXBTZUSD"]
    assert late == rows[-1:]


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "btcusd"])
async def test_pairs_go_by_any_of_their_names_and_answer_under_one(kraken, name):
    """Whatever name is sent, the key of the answer is the id."""
    for call in ("Ticker", "Depth", "OHLC", "Trades", "AssetPairs"):
        assert "XXBTZUSD" in (await kraken.public(call, pair=name))["result"]


@pytest.mark.asyncio
async def test_asset_version_one_answers_under_display_names(kraken):
    """Keys become BTC/USD and BTC."""
    assert list((await kraken.public("Ticker", pair="XBTUSD", assetVersion=1))["result"]) == ["BTC/USD"]
    assert list((await kraken.public("Assets", asset="XXBT", assetVersion=1))["result"]) == ["BTC"]
    for version, names in (1, ["BTC", "USD", "USD"]), (0, ["XXBT", "ZUSD", "ZUSD"]):
        (row,) = (await kraken.public("AssetPairs", pair="XBTUSD", assetVersion=version))["result"].values()
        assert [row["base"], row["quote"], row["fee_volume_currency"]] == names


@pytest.mark.asyncio
async def test_asset_pairs_shows_slices(kraken):
    """`info` narrows each row to its slice."""
    rows = (await kraken.public("AssetPairs", pair="XBTUSD,ETHUSD", info="margin"))["result"]
    assert rows["XETHZUSD"] == {"margin_call": 80, "margin_level": 40}  # by its other name, as the exchange itself
    assert (await kraken.public("AssetPairs", info="all"))["error"] == ["EGeneral:Invalid arguments:info"]


@pytest.mark.asyncio
async def test_asset_pairs_are_those_of_the_venues_asked_for(kraken):
    """All that is listed here is traded in one place."""
    everywhere = (await kraken.public("AssetPairs", execution_venue="bitnomial_exchange,international"))["result"]
    assert everywhere == (await kraken.public("AssetPairs"))["result"]
    assert (await kraken.public("AssetPairs", execution_venue="bitnomial_exchange"))["result"] == {}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("call", "params", "code"),
    [
        ("Ticker", {"pair": "XBTUSD,NOPE"}, "EQuery:Unknown asset pair"),
        ("Assets", {"asset": "NOPE"}, "EQuery:Unknown asset"),
        ("AssetPairs", {"execution_venue": "moon"}, "EGeneral:Invalid arguments:execution_venue"),
        ("OHLC", {}, "EGeneral:Invalid arguments"),
        ("Depth", {"pair": ""}, "EGeneral:Invalid arguments"),
        ("OHLC", {"pair": "XBTUSD", "interval": 2}, "EGeneral:Invalid arguments:interval"),
        ("Depth", {"pair": "XBTUSD", "count": 0}, "EGeneral:Invalid arguments:count"),
        ("Trades", {"pair": "XBTUSD", "since": "yesterday"}, "EGeneral:Invalid arguments:since"),
    ],
)
async def test_wrong_market_questions_are_refused(kraken, call, params, code):
    """Unknown names and impossible numbers have Kraken's strings."""
    assert await kraken.public(call, **params) == {"error": [code]}


@pytest.mark.asyncio
async def test_the_time_is_the_clocks(kraken):
    """Both spellings of the time come from the injected clock."""
    assert (await kraken.public("Time"))["result"] == {
        "unixtime": 1_780_000_000,
        "rfc1123": "Thu, 28 May 26 20:26:40 +0000",
    }
    kraken.clock.advance(10 * 86_400)
    assert (await kraken.public("Time"))["result"]["rfc1123"] == "Sun,  7 Jun 26 20:26:40 +0000"

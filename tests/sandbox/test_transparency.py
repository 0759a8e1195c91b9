"""Pre- and post-trade data."""

import re
from decimal import Decimal

import pytest

pytestmark = pytest.mark.asyncio


async def result(kraken, name, **params):
    answer = await kraken.public(name, **params)
    assert answer["error"] == []
    return answer["result"]


async def test_ten_levels_a_side(kraken):
    """Best prices first, an account's order among them, counted with what else is there."""
    bid = (await result(kraken, "Ticker", pair="XBTUSD"))["XXBTZUSD"]["b"][0]
    await kraken.buy(f"{Decimal(bid):.1f}", "0.5")
    book = await result(kraken, "PreTrade", symbol="BTC/USD")
    bids, asks = ([Decimal(level["price"]) for level in book[side]] for side in ("bids", "asks"))
    assert (len(bids), len(asks)) == (10, 10)
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert bids[0] < asks[0]
    assert (book["bids"][0]["count"], Decimal(book["bids"][0]["qty"]) > Decimal("0.5")) == (2, True)
    assert (book["symbol"], book["base_asset"], book["base_notation"]) == ("BTC/USD", "BTC", "NOML")
    assert (book["base_dti_code"], book["base_dti_short_name"], book["quote_dti_code"]) == ("4H95J0R2X", "BTC", "")


async def test_trades_are_resumed_from_the_last_time(kraken):
    """`from_ts` is excluded, `to_ts` included; page after page no trade comes twice and none is missed."""
    kraken.clock.advance(600)
    whole = await result(kraken, "PostTrade", symbol="BTC/USD", from_ts="2026-05-28T20:20:00Z")
    cursor, seen = "2026-05-28T20:20:00Z", []
    while (page := await result(kraken, "PostTrade", symbol="BTC/USD", from_ts=cursor, count=7))["count"]:
        seen += page["trades"]
        cursor = page["last_ts"]
    assert seen == whole["trades"]
    assert len(seen) > 20
    ids = [trade["trade_id"] for trade in seen]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"T[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}", each) for each in ids)
    last = seen[9]["trade_ts"]
    until = await result(kraken, "PostTrade", symbol="BTC/USD", from_ts="2026-05-28T20:20:00Z", to_ts=last)
    assert until["trades"] == seen[:10]


async def test_without_a_pair_all_are_listed(kraken):
    """In the order of time, the newest of all pairs."""
    page = await result(kraken, "PostTrade", count=30)
    times = [trade["trade_ts"] for trade in page["trades"]]
    assert times == sorted(times)
    assert len({trade["symbol"] for trade in page["trades"]}) > 5


@pytest.mark.parametrize(
    "wrong",
    [{"from_ts": "yesterday"}, {"to_ts": "2026-05-28\n"}, {"count": 1001}, {"symbol": "NOPE/USD"}],
)
async def test_what_cannot_be_read_is_refused(kraken, wrong):
    """An argument error, and no answer."""
    assert (await kraken.public("PostTrade", **wrong))["error"]

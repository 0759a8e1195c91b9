"""Ticker, Trades, OHLC, Spread and the books tell one story, whoever trades."""

import itertools
from decimal import Decimal

import pytest

pytestmark = pytest.mark.asyncio

PAIR = "XBTUSD"


async def look(kraken, name, **params):
    """Ask for market data of the pair; returns the part that is keyed by it."""
    result = (await kraken.public(name, pair=PAIR, **params))["result"]
    return next(value for key, value in result.items() if key != "last")


async def check_agreement(kraken):
    """Check that all endpoints agree about the moment."""
    ticker, book = await look(kraken, "Ticker"), await look(kraken, "Depth", count=500)
    newest = (await look(kraken, "Trades", count=1))[0]
    spread = (await look(kraken, "Spread"))[-1]
    minute = (await look(kraken, "OHLC", interval=1))[-1]
    day = (await look(kraken, "OHLC", interval=1440))[-1]
    assert ticker["c"] == newest[:2]
    assert (ticker["a"][0], ticker["a"][2]) == tuple(book["asks"][0][:2])
    assert (ticker["b"][0], ticker["b"][2]) == tuple(book["bids"][0][:2])
    assert spread[1:] == [ticker["b"][0], ticker["a"][0]]
    assert Decimal(minute[4]) == Decimal(newest[0]) == Decimal(day[4])
    assert Decimal(minute[3]) <= Decimal(newest[0]) <= Decimal(minute[2])
    assert Decimal(ticker["l"][0]) <= Decimal(newest[0]) <= Decimal(ticker["h"][0])
    assert (Decimal(day[1]), day[6], day[7]) == (Decimal(ticker["o"]), ticker["v"][0], ticker["t"][0])
    deep = await kraken.result("Level3", pair=PAIR, depth=0)
    grouped = (await kraken.public("GroupedBook", pair=PAIR, depth=1000))["result"]
    for side in ("asks", "bids"):
        levels = {}
        for offer in deep[side]:
            levels[Decimal(offer["price"])] = levels.get(Decimal(offer["price"]), 0) + Decimal(offer["qty"])
        shown = {Decimal(level["price"]): Decimal(level["qty"]) for level in grouped[side]}
        assert list(levels.items())[: len(shown)] == list(shown.items())
        assert [Decimal(row[0]) for row in book[side]] == list(levels)[:500]


async def test_a_quiet_market_agrees_with_itself(kraken):
    """Nobody trades, time passes."""
    for pause in (0, 7, 3600, 86_400):
        kraken.clock.advance(pause)
        await check_agreement(kraken)


async def test_a_busy_market_agrees_with_itself(kraken):
    """Bids inside the spread, sweeps of several levels and trades between accounts show everywhere."""
    ticker = await look(kraken, "Ticker")
    inside = Decimal(ticker["a"][0]) - Decimal("0.1")
    await kraken.buy(f"{inside:.1f}", "0.3", key="bob", type="sell")
    await check_agreement(kraken)
    assert Decimal((await look(kraken, "Ticker"))["a"][0]) == inside
    for side, volume in (("buy", "0.1"), ("buy", "1.5"), ("sell", "2.5")):
        await kraken.result("AddOrder", pair=PAIR, type=side, ordertype="market", volume=volume)
        await check_agreement(kraken)
        kraken.clock.advance(4)
        await check_agreement(kraken)


async def test_an_accounts_order_stands_in_the_book(kraken):
    """Depth adds it to what is there, Level3 shows it under its own id, an iceberg shows its tip only."""
    price = (await look(kraken, "Depth"))["bids"][3][0]
    before = {row[0]: Decimal(row[1]) for row in (await look(kraken, "Depth"))["bids"]}
    txid = await kraken.buy(price, "0.5")
    tip = await kraken.buy(price, "1.5", ordertype="iceberg", displayvol="0.1")
    rows = {row[0]: Decimal(row[1]) for row in (await look(kraken, "Depth"))["bids"]}
    assert rows == {**before, price: before[price] + Decimal("0.6")}
    offers = {offer["order_id"]: offer for offer in (await kraken.result("Level3", pair=PAIR))["bids"]}
    assert (offers[txid]["qty"], offers[tip]["qty"]) == ("0.50000000", "0.10000000")
    assert list(offers).index(txid) + 1 == list(offers).index(tip)


async def test_the_least_of_orders_does_not_look_like_nothing(kraken):
    """Depth and Ticker have three digits, and clients take a volume of zero for a price that is gone."""
    price = f"{await kraken.inside():.1f}"
    await kraken.buy(price, "0.0001")
    assert (await look(kraken, "Depth"))["bids"][0][:2] == [f"{price}0000", "0.001"]
    assert (await look(kraken, "Ticker"))["b"] == [f"{price}0000", "1", "0.001"]


async def test_accounts_trades_stand_on_the_public_tape(kraken):
    """Each fill is a public trade with the same price, volume and number, and numbers have no gap."""
    since = str(kraken.clock.wall_ns() - 120 * 10**9)
    await kraken.result("AddOrder", pair=PAIR, type="buy", ordertype="market", volume="1")
    kraken.clock.advance(60)
    await kraken.result("AddOrder", pair=PAIR, type="sell", ordertype="market", volume="1")
    rows = await look(kraken, "Trades", since=since)
    numbers = [row[6] for row in rows]
    assert numbers == list(range(numbers[0], numbers[0] + len(rows)))
    public = {row[6]: (Decimal(row[0]), Decimal(row[1]), row[3], row[4]) for row in rows}
    fills = kraken.sandbox.exchange.fills["alice"]
    assert len(fills) > 2
    for fill in fills:
        assert public[fill.number] == (fill.price, fill.volume, "b" if fill.buy else "s", "m")


async def test_trades_page_over_accounts_trades_without_gap_or_repeat(kraken):
    """Following `last` two at a time, in the midst of a sweep, gives each trade once."""
    since = str(kraken.clock.wall_ns() - 60 * 10**9)
    await kraken.result("AddOrder", pair=PAIR, type="buy", ordertype="market", volume="2")
    whole = await look(kraken, "Trades", since=since)
    found = []
    while True:
        result = (await kraken.public("Trades", pair=PAIR, since=since, count=2))["result"]
        if not result["XXBTZUSD"]:
            break
        found += result["XXBTZUSD"]
        since = result["last"]
    assert found == whole


async def test_grouping_rounds_asks_up_and_bids_down(kraken):
    """Ten ticks of XBT/USD are a dollar: every price is whole, and no volume is lost."""
    plain, grouped = [
        (await kraken.public("GroupedBook", pair=PAIR, depth=1000, grouping=grouping))["result"] for grouping in (1, 10)
    ]
    for side in ("asks", "bids"):
        assert all(Decimal(level["price"]) % 1 == 0 for level in grouped[side])
        sums = [sum(Decimal(level["qty"]) for level in book[side]) for book in (plain, grouped)]
        assert sums[0] == sums[1]
    assert Decimal(grouped["asks"][0]["price"]) >= Decimal(plain["asks"][0]["price"])
    assert Decimal(grouped["bids"][0]["price"]) <= Decimal(plain["bids"][0]["price"])


@pytest.mark.parametrize(
    ("name", "params"),
    [("GroupedBook", {"depth": 11}), ("GroupedBook", {"grouping": 3}), ("GroupedBook", {"depth": 0})],
)
async def test_depth_and_grouping_take_few_values(kraken, name, params):
    """Any other number is refused by name."""
    (argument,) = params
    answer = await kraken.public(name, pair=PAIR, **params)
    assert answer == {"error": [f"EGeneral:Invalid arguments:{argument}"]}


async def test_candles_are_whole_and_enclose(kraken):
    """Rows lie one interval apart, and highs and lows enclose opens and closes, with an account's trades in them."""
    await kraken.result("AddOrder", pair=PAIR, type="buy", ordertype="market", volume="3")
    kraken.clock.advance(200)
    for interval in (1, 5, 1440):
        rows = await look(kraken, "OHLC", interval=interval)
        assert {later[0] - row[0] for row, later in itertools.pairwise(rows)} == {interval * 60}
        for row in rows[-3:]:
            opened, high, low, close = map(Decimal, row[1:5])
            assert low <= min(opened, close) <= max(opened, close) <= high

"""Trades and ledger entries: what a trade leaves behind, and how it is found again."""

import re
from decimal import Decimal

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio

ID = r"[TL][A-Z2-7]{5}-[A-Z2-7]{5}-[A-Z2-7]{6}"


@pytest_asyncio.fixture
async def trader(kraken):
    """A caller whose account has bought and sold."""
    for side in ("buy", "sell"):
        await kraken.result("AddOrder", pair="XBTUSD", type=side, ordertype="market", volume="0.1")
        kraken.clock.advance(100)
    return kraken


async def test_a_trade_makes_two_entries(trader):
    """Base and quote, with the trade's id as reference; the fee in quote unless asked otherwise; balances add up."""
    history = (await trader.result("TradesHistory", ledgers="true", consolidate_taker="false"))["trades"]
    entries = (await trader.result("Ledgers"))["ledger"]
    for txid, trade in history.items():
        legs = {entries[line]["asset"]: entries[line] for line in trade["ledgers"]}
        assert set(legs) == {"XXBT", "ZUSD"}
        assert all(leg["refid"] == txid and leg["type"] == "trade" for leg in legs.values())
        assert abs(Decimal(trade["fee"]) - Decimal(legs["ZUSD"]["fee"])) < Decimal("0.0001")
        assert Decimal(legs["ZUSD"]["fee"]) > 0 == Decimal(legs["XXBT"]["fee"])
        assert abs(Decimal(legs["ZUSD"]["amount"])) == Decimal(trade["cost"])
        assert abs(Decimal(legs["XXBT"]["amount"])) == Decimal(trade["vol"])
    newest = next(entry for entry in entries.values() if entry["asset"] == "ZUSD")
    assert newest["balance"] == (await trader.result("Balance"))["ZUSD"]


async def test_a_fee_in_base_is_in_the_base_entry(kraken):
    """With fcib the coin pays; the trade's row still says what that was in quote."""
    await kraken.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.1", oflags="fcib")
    (trade,) = (await kraken.result("TradesHistory"))["trades"].values()
    entries = (await kraken.result("Ledgers"))["ledger"].values()
    paid = {asset: sum(Decimal(row["fee"]) for row in entries if row["asset"] == asset) for asset in ("XXBT", "ZUSD")}
    assert paid["ZUSD"] == 0
    assert abs(paid["XXBT"] * Decimal(trade["price"]) - Decimal(trade["fee"])) < Decimal("0.0001")
    (order,) = (await kraken.result("ClosedOrders"))["closed"].values()
    assert order["fee"] == trade["fee"]


async def test_what_a_taker_took_is_one_row_unless_asked_apart(kraken):
    """A large order eats several levels: one row of their sum, or a row each. It opens no position to be closed."""
    await kraken.result("AddOrder", pair="ETHUSD", type="buy", ordertype="market", volume="20")
    apart = (await kraken.result("TradesHistory", consolidate_taker="false"))["trades"]
    ((txid, row),) = (await kraken.result("TradesHistory", trades="true"))["trades"].items()
    assert len(apart) > 1
    assert (await kraken.result("TradesHistory", as_json=True, consolidate_taker=False))["trades"] == apart
    assert "trades" not in row
    assert "trades" not in (await kraken.result("QueryTrades", txid=txid, trades="true"))[txid]
    assert txid in apart
    for column in ("vol", "cost", "fee"):
        assert Decimal(row[column]) == sum(Decimal(each[column]) for each in apart.values())


async def test_history_is_filtered(trader):
    """By kind, asset, class and time; without positions nothing is found under theirs."""
    entries = (await trader.result("Ledgers"))["ledger"]
    bitcoin = (await trader.result("Ledgers", asset="XBT", type="trade"))["ledger"]
    assert set(bitcoin) == {txid for txid, row in entries.items() if row["asset"] == "XXBT"}
    for nothing in ({"type": "deposit"}, {"aclass": "tokenized_asset"}, {"asset": "DOT.B"}):
        assert await trader.result("Ledgers", **nothing) == {"ledger": {}, "count": 0}
    assert (await trader.result("TradesHistory", type="closed position"))["count"] == 0
    assert await trader.code("Ledgers", asset="NOPE") == "EQuery:Unknown asset"
    newest, oldest = (await trader.result("TradesHistory"))["trades"].items()
    after = (await trader.result("TradesHistory", start=oldest[1]["time"]))["trades"]
    assert list(after) == [newest[0]]
    assert list((await trader.result("TradesHistory", end=oldest[0]))["trades"]) == [oldest[0]]
    dollars = next(txid for txid, row in entries.items() if row["asset"] == "ZUSD")
    earlier = (await trader.result("Ledgers", asset="XBT", end=dollars))["ledger"]
    assert set(earlier) == {txid for txid, row in entries.items() if row["asset"] == "XXBT"}


async def test_rows_are_found_by_id(trader):
    """Up to 20 ids a call, in the order they were asked for; an unknown one is refused."""
    trades = (await trader.result("TradesHistory"))["trades"]
    wanted = ",".join(reversed(trades))
    assert await trader.result("QueryTrades", txid=wanted) == dict(reversed(trades.items()))
    entries = (await trader.result("Ledgers"))["ledger"]
    first = next(iter(entries))
    assert await trader.result("QueryLedgers", id=first) == {first: entries[first]}
    assert await trader.code("QueryLedgers", id="LNONE") == "EGeneral:Invalid arguments:id"
    assert await trader.code("QueryTrades", txid=",".join([first] * 21)) == "EGeneral:Invalid arguments:txid"
    order = trades[wanted.partition(",")[0]]["ordertxid"]
    assert await trader.code("QueryTrades", txid=order) == "EOrder:Invalid order"


async def test_a_trade_is_the_same_wherever_it_is_shown(kraken):
    """What one order took at once bears one id in its history, on the order, and asked for by id."""
    placed = await kraken.result("AddOrder", pair="ETHUSD", type="buy", ordertype="market", volume="20")
    ((txid, row),) = (await kraken.result("TradesHistory"))["trades"].items()
    assert await kraken.result("QueryTrades", txid=txid) == {txid: row}
    apart = (await kraken.result("TradesHistory", consolidate_taker="false"))["trades"]
    ask = {"txid": placed["txid"][0], "trades": "true"}
    (order,) = (await kraken.result("QueryOrders", **ask)).values()
    (parts,) = (await kraken.result("QueryOrders", **ask, consolidate_taker="false")).values()
    closed = (await kraken.result("ClosedOrders", trades="true"))["closed"]
    assert order["trades"] == closed[ask["txid"]]["trades"] == [txid]
    assert sorted(parts["trades"]) == sorted(apart)
    assert len(apart) > 1
    other = next(each for each in apart if each != txid)
    assert await kraken.result("QueryTrades", txid=other) == {other: apart[other]}


@pytest.mark.parametrize(
    ("kind", "prices", "traded_as"),
    [
        ("stop-loss", {"price": "+0.01%"}, "stop market"),
        ("stop-loss-limit", {"price": "+0.01%", "price2": "#5%"}, "stop limit"),
        ("take-profit", {"price": "-0.01%"}, "touched market"),
        ("take-profit-limit", {"price": "-0.01%", "price2": "+5%"}, "touched limit"),
        ("trailing-stop", {"price": "+0.01%"}, "stop market"),
    ],
)
async def test_the_trades_of_triggered_orders_tell_how_they_came_about(kraken, kind, prices, traded_as):
    """Under names of their own, as clients recorded them."""
    await kraken.result("AddOrder", pair="XBTUSD", type="buy", ordertype=kind, volume="0.01", **prices)
    for _ in range(200):
        kraken.clock.advance(60)
        if trades := (await kraken.result("TradesHistory"))["trades"]:
            break
    assert {row["ordertype"] for row in trades.values()} == {traded_as}


async def test_ids_have_krakens_form(trader):
    """T... for trades, L... for entries."""
    for name, column in (("TradesHistory", "trades"), ("Ledgers", "ledger")):
        for txid in (await trader.result(name))[column]:
            assert re.fullmatch(ID, txid)


async def test_there_are_no_positions(kraken):
    """Nothing is traded on margin: an empty object, or an empty list when merged by market."""
    assert await kraken.result("OpenPositions", docalcs="true") == {}
    assert await kraken.result("OpenPositions", consolidation="market") == []


async def test_history_needs_its_permission(kraken):
    """Ledgers wants query-ledger, trades query-closed-trades."""
    kraken.sandbox.keys["alice"].permissions = frozenset({"query-closed-trades"})
    assert await kraken.code("Ledgers") == "EGeneral:Permission denied"
    assert await kraken.result("TradesHistory") == {"trades": {}, "count": 0}

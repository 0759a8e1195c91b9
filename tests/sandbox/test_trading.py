"""What each kind of order, and each call that changes orders, does: over the wire, on a clock that stands still."""

from decimal import Decimal

import pytest

pytestmark = pytest.mark.asyncio

PAIR = "XBTUSD"
UUID = "0f3c9e2a-5a07-4cf8-9a1f-3c7f1c1b2a10"


async def test_orders_of_one_price_are_served_in_turn_and_in_part(kraken):
    """Erin came first and is filled first; alice gets the rest, and her hold shrinks to what is left."""
    price = await kraken.inside()
    first = await kraken.buy(str(price), "0.1", key="erin")
    second = await kraken.buy(str(price), "0.3", key="alice")
    sold = await kraken.at_market("sell", "0.25", "carol")
    assert (sold["status"], Decimal(sold["price"])) == ("closed", price)
    assert (await kraken.row(first, "erin"))["status"] == "closed"
    there = await kraken.row(second)
    assert (there["status"], there["vol_exec"]) == ("open", "0.15000000")
    assert Decimal(there["fee"]) == (price * Decimal("0.15") * Decimal("0.0025")).quantize(
        Decimal("0.00001"), "ROUND_HALF_UP"
    )
    cost = price * Decimal("0.15")
    fees = (cost * Decimal("0.0065")).quantize(Decimal("0.0001"), "ROUND_UP")
    assert await kraken.hold() == cost + fees - Decimal(there["fee"]).quantize(Decimal("0.0001"), "ROUND_DOWN")


async def test_who_comes_to_the_market_makers_price_stands_behind_him(kraken):
    """His volume at the best bid goes first, then hers; the time that Level3 shows is when she came."""
    (book,) = (await kraken.public("Depth", pair=PAIR, count=1))["result"].values()
    price, volume, _ = book["bids"][0]
    txid = await kraken.buy(price, "0.1")
    offers = (await kraken.result("Level3", pair=PAIR))["bids"]
    assert [offer["order_id"] for offer in offers].index(txid) == 1
    assert offers[0]["timestamp"] < offers[1]["timestamp"] == kraken.clock.wall_ns()
    await kraken.at_market("sell", volume, "carol")
    assert (await kraken.row(txid))["vol_exec"] == "0.00000000"
    await kraken.at_market("sell", "0.04", "carol")
    assert (await kraken.row(txid))["vol_exec"] == "0.04000000"


async def test_an_iceberg_refills_behind_the_others(kraken):
    """Its tip of 0.1 goes first, then bob who came later, then the next tip."""
    price = await kraken.inside()
    berg = await kraken.buy(str(price), "0.3", ordertype="iceberg", displayvol="0.1")
    other = await kraken.buy(str(price), "0.05", key="bob", oflags="fcib")
    await kraken.at_market("sell", "0.12", "carol")
    assert (await kraken.row(berg))["vol_exec"] == "0.10000000"
    assert (await kraken.row(other, "bob"))["vol_exec"] == "0.02000000"
    await kraken.at_market("sell", "0.05", "carol")
    assert (await kraken.row(berg))["vol_exec"] == "0.12000000"
    assert (await kraken.row(other, "bob"))["status"] == "closed"


@pytest.mark.parametrize(("volume", "display"), [("1.5", "0.09"), ("1", "1.1"), ("1", ""), ("1", "0.123456789")])
async def test_an_iceberg_shows_a_fifteenth_at_least(kraken, volume, display):
    """Less than that, more than there is, and nothing at all are refused."""
    order = {"pair": PAIR, "type": "buy", "ordertype": "iceberg", "price": "20000", "volume": volume}
    assert await kraken.code("AddOrder", **order, displayvol=display) == "EGeneral:Invalid arguments:displayvol"


async def test_fok_takes_all_or_nothing_and_ioc_what_there_is(kraken):
    """With half a bitcoin within the limit, one FOK fails, a smaller one fills, and IOC keeps its part."""
    price = await kraken.inside()
    await kraken.buy(str(price), "0.5")
    sell = {"pair": PAIR, "type": "sell", "ordertype": "limit", "price": str(price)}
    ends = []
    for lifetime, volume in (("FOK", "0.6"), ("FOK", "0.2"), ("IOC", "0.6")):
        (txid,) = (await kraken.result("AddOrder", "carol", **sell, volume=volume, timeinforce=lifetime))["txid"]
        end = await kraken.row(txid, "carol")
        ends.append((end["status"], end["vol_exec"], end["misc"]))
    assert ends == [("canceled", "0.00000000", ""), ("closed", "0.20000000", ""), ("canceled", "0.30000000", "partial")]


@pytest.mark.parametrize(
    ("prevention", "resting", "arriving"),
    [
        ("cancel-newest", "open", "canceled"),
        ("cancel-oldest", "canceled", "closed"),
        ("cancel-both", "canceled", "canceled"),
    ],
)
async def test_an_account_never_trades_with_itself(kraken, prevention, resting, arriving):
    """The one, the other or both are cancelled, as asked for."""
    price = await kraken.inside()
    first = await kraken.buy(str(price), "0.05")
    sold = await kraken.at_market("sell", "0.05", stptype=prevention)
    assert ((await kraken.row(first))["status"], sold["status"]) == (resting, arriving)
    assert all(fill.maker is False for fill in kraken.sandbox.exchange.fills.get("alice", []))


async def wait_for(kraken, txid, *, hours=200):
    """Let time pass until an order is done; returns its row."""
    for _ in range(hours):
        kraken.clock.advance(3600)
        end = await kraken.row(txid)
        if end["status"] != "open":
            return end
    raise AssertionError(f"{txid} is still open")


@pytest.mark.parametrize(
    ("kind", "side", "price", "beyond"),
    [
        ("stop-loss", "sell", "-0.2%", -1),
        ("stop-loss", "buy", "+0.2%", 1),
        ("take-profit", "sell", "+0.2%", 1),
        ("take-profit", "buy", "-0.2%", -1),
    ],
)
async def test_triggers_fire_when_the_price_is_there(kraken, kind, side, price, beyond):
    """Unseen before, a market order after: it fills near its trigger, on the side that sets it off."""
    order = {"pair": PAIR, "type": side, "ordertype": kind, "price": price, "volume": "0.1"}
    (txid,) = (await kraken.result("AddOrder", **order))["txid"]
    assert txid not in str(await kraken.result("Level3", pair=PAIR, depth=0))
    end = await wait_for(kraken, txid)
    trigger, paid = Decimal(end["stopprice"]), Decimal(end["price"])
    assert end["status"] == "closed"
    assert abs(paid / trigger - 1) < Decimal("0.01")
    assert end["misc"] == ("touched" if kind == "take-profit" else "stopped")
    assert kraken.sandbox.exchange.fills["alice"][0].maker is False
    assert beyond * (paid - trigger) > -trigger / 1000


async def test_a_row_says_no_more_than_kraken_s(kraken):
    """No stop price before a stop is set off, no trigger but another than the last price, no userref but one given."""
    stop = {"pair": PAIR, "type": "sell", "ordertype": "stop-loss", "price": "20000", "volume": "0.1"}
    (plain,) = (await kraken.result("AddOrder", **stop))["txid"]
    (named,) = (await kraken.result("AddOrder", **stop, cl_ord_id="mine", trigger="index"))["txid"]
    (marked,) = (await kraken.result("AddOrder", **stop, userref=7))["txid"]
    rows = [await kraken.row(txid) for txid in (plain, named, marked)]
    assert {Decimal(row["stopprice"]) for row in rows} == {0}
    assert [row.get("trigger") for row in rows] == [None, "index", None]
    assert [row["userref"] for row in rows] == [0, None, 7]


async def test_a_limit_behind_a_trigger_rests(kraken):
    """Set off far from its limit it becomes a limit order in the book, for all to see."""
    _, ask = await kraken.best()
    order = {
        "pair": PAIR,
        "type": "sell",
        "ordertype": "stop-loss-limit",
        "price": f"{ask + 50:.1f}",
        "price2": "90000.0",
    }
    (txid,) = (await kraken.result("AddOrder", **order, volume="0.1"))["txid"]
    there = await kraken.row(txid)
    assert (there["status"], there["misc"], Decimal(there["limitprice"])) == ("open", "stopped", 90000)
    assert txid in kraken.sandbox.exchange._matching.pits["XXBTZUSD"].side(buy=False)._queues[Decimal(90000)]
    assert there["descr"]["order"] == f"sell 0.10000000 XBTUSD @ stop loss {ask + 50:.1f} -> limit 90000.0"


async def test_a_trailing_stop_follows_the_market_up_and_never_down(kraken):
    """Its trigger stays the offset below the highest price seen, and what it sells for is near the last trigger."""
    order = {"pair": PAIR, "type": "sell", "ordertype": "trailing-stop", "price": "+0.5%", "volume": "0.1"}
    (txid,) = (await kraken.result("AddOrder", **order))["txid"]
    triggers = [Decimal((await kraken.row(txid))["stopprice"])]
    high = Decimal((await kraken.public("Ticker", pair=PAIR))["result"]["XXBTZUSD"]["c"][0])
    assert abs(triggers[0] - high * Decimal("0.995")) <= Decimal("0.1")
    while (there := await kraken.row(txid))["status"] == "open":
        triggers.append(Decimal(there["stopprice"]))
        # The price it hangs from is told where other orders have their limit.
        assert abs(Decimal(there["limitprice"]) * Decimal("0.995") - triggers[-1]) <= Decimal("0.1")
        kraken.clock.advance(15)
    assert triggers == sorted(triggers)
    assert abs(Decimal(there["price"]) / triggers[-1] - 1) < Decimal("0.005")


async def test_a_trailing_buy_holds_less_as_its_trigger_falls(kraken):
    """What it reserves is the cost at its trigger with the fee, wherever that is now."""
    order = {"pair": PAIR, "type": "buy", "ordertype": "trailing-stop", "price": "+3%", "volume": "0.1"}
    (txid,) = (await kraken.result("AddOrder", **order))["txid"]
    holds = []
    for _ in range(40):
        kraken.clock.advance(900)
        there = await kraken.row(txid)
        if there["status"] != "open":
            break
        cost = Decimal(there["stopprice"]) / 10
        holds.append(await kraken.hold())
        assert holds[-1] == (cost * Decimal("1.004")).quantize(Decimal("0.0001"), "ROUND_UP")
    assert holds[-1] < holds[0]


@pytest.mark.parametrize("price", ["100", "-5%", "#3", "+0", "+100%", "+99999999", ""])
async def test_trailing_orders_take_offsets_only(kraken, price):
    """An absolute price, a wrong sign and an offset as large as the price are refused."""
    order = {"pair": PAIR, "type": "sell", "ordertype": "trailing-stop", "price": price, "volume": "0.1"}
    assert await kraken.code("AddOrder", **order) in ("EGeneral:Invalid arguments:price", "EOrder:Invalid price")


async def test_each_fill_is_followed_by_its_close_order(kraken):
    """Two fills make two orders of the other side, of the fills' volumes, that name their parent."""
    price = await kraken.inside()
    parent = await kraken.buy(str(price), "0.2", **{"close[ordertype]": "limit", "close[price]": "#5%"})
    for volume in ("0.05", "0.15"):
        await kraken.at_market("sell", volume, "carol")
    orders = (await kraken.result("OpenOrders"))["open"].values()
    assert sorted((each["descr"]["type"], each["vol"]) for each in orders) == [
        ("sell", "0.05000000"),
        ("sell", "0.15000000"),
    ]
    assert {each["refid"] for each in orders} == {parent}
    assert (await kraken.row(parent))["descr"]["close"] == "close position @ limit +5.0000%"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ordertype": "settle-position", "volume": "0", "leverage": "2"}, "EOrder:Unknown position"),
        ({"reduce_only": "true"}, "EOrder:Reduce only:Non-PC"),
        ({"reduce_only": "true", "leverage": "2"}, "EOrder:Reduce only:No position exists"),
        ({"leverage": "2"}, "EOrder:Cannot open position"),
        ({"stptype": "never"}, "EGeneral:Invalid arguments:stptype"),
        ({"timeinforce": "IOC", "oflags": "post"}, "EGeneral:Invalid arguments:oflags"),
        ({"ordertype": "stop-loss", "timeinforce": "FOK"}, "EGeneral:Invalid arguments:timeinforce"),
        ({"displayvol": "0.01"}, "EGeneral:Invalid arguments:displayvol"),
        ({"close[ordertype]": "market", "close[price]": "1"}, "EGeneral:Invalid arguments:ordertype"),
        ({"ordertype": "stop-loss-limit"}, "EGeneral:Invalid arguments:price2"),
    ],
)
async def test_what_no_order_can_be_is_refused(kraken, change, code):
    """Margin without positions, and rules that do not go together."""
    order = {"pair": PAIR, "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01", **change}
    assert await kraken.code("AddOrder", **order) == code


async def test_scheduled_orders_start_when_their_time_comes(kraken):
    """Pending and held for until then, in the market after."""
    txid = await kraken.buy(starttm="+60")
    assert (await kraken.row(txid))["status"] == "pending"
    assert await kraken.hold() == Decimal("200.8")
    kraken.clock.advance(60)
    assert (await kraken.row(txid))["status"] == "open"


async def test_fees_fall_with_the_volume_of_thirty_days(kraken):
    """Beyond ten thousand dollars a taker pays 0.35 %, and a month later 0.40 % again."""
    rates = []
    for pause in (0, 0, 31 * 86_400):
        kraken.clock.advance(pause)
        sold = await kraken.at_market("sell", "0.2", "erin")
        rates.append(round(Decimal(sold["fee"]) / Decimal(sold["cost"]) * 100, 2))
    assert rates == [Decimal("0.40"), Decimal("0.35"), Decimal("0.40")]


async def test_closed_orders_lag_like_open_ones(open_caller):
    """An order that filled at once is in neither list for the time of the lag."""
    kraken = open_caller(limits=False, open_order_lag=3.0)
    end = await kraken.at_market("buy", "0.01")
    assert (end["status"], (await kraken.result("OpenOrders"))["open"]) == ("closed", {})
    assert (await kraken.result("ClosedOrders"))["count"] == 0
    kraken.clock.advance(3.1)
    assert (await kraken.result("ClosedOrders"))["count"] == 1


async def test_hours_pass_at_once_by_the_control_page(kraken):
    """An order's life ends within the leap; going back is refused."""
    txid = await kraken.buy(timeinforce="GTD", expiretm="+3600")
    before = kraken.sandbox.clock.wall_ns()
    answer = await kraken.http.post("/sandbox/clock", json={"advance": 7200})
    assert answer.json() == {"wall_ns": before + 7200 * 10**9}
    assert (await kraken.row(txid))["status"] == "expired"
    assert (await kraken.http.post("/sandbox/clock", json={"advance": -1})).status_code == 400
    assert (await kraken.http.post("/sandbox/clock", json={"go": 1})).status_code == 400


@pytest.mark.parametrize("close", ["{}", "", {}, {"ordertype": "", "price": None}])
async def test_an_empty_close_order_is_none(kraken, close):
    """XChange, in Java, sends ``close={}`` with every order, and the exchange takes it."""
    order = {"pair": PAIR, "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01", "close": close}
    (txid,) = (await kraken.result("AddOrder", as_json=isinstance(close, dict), **order))["txid"]
    assert (await kraken.row(txid))["descr"]["close"] == ""


async def test_a_price_between_two_ticks_is_refused(kraken):
    """A tick may be coarser than the digits of a price: DOT/USD has four and moves by 0.0005."""
    about = {"pair": "DOTUSD", "type": "buy", "ordertype": "limit", "volume": "10"}
    (book,) = (await kraken.public("Depth", pair="DOTUSD", count=50))["result"].values()

    assert await kraken.code("AddOrder", **about, price="3.0003") == "EOrder:Tick size check failed"
    assert (await kraken.code("AddOrder", **about, price="3.00005")).startswith("EOrder:Invalid price:DOTUSD price can")
    assert await kraken.result("AddOrder", **about, price="3.0005")
    assert {Decimal(price) % Decimal("0.0005") for price, *_ in book["bids"] + book["asks"]} == {0}

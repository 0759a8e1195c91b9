"""What each kind of order, and each call that changes orders, does: over the wire, on a clock that stands still."""

from decimal import Decimal

import pytest

pytestmark = pytest.mark.asyncio

PAIR = "XBTUSD"
UUID = "0f3c9e2a-5a07-4cf8-9a1f-3c7f1c1b2a10"


async def best(kraken):
    """Return the best bid and ask."""
    (book,) = (await kraken.public("Depth", pair=PAIR, count=1))["result"].values()
    return Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])


async def inside(kraken):
    """Return a price between bid and ask, moving the clock until there is room for one."""
    for _ in range(50):
        bid, ask = await best(kraken)
        if ask - bid > Decimal("0.3"):
            return bid + Decimal("0.1")
        kraken.clock.advance(15)
    raise AssertionError("no room between bid and ask")


async def row(kraken, txid, key="alice"):
    return (await kraken.result("QueryOrders", key, txid=txid, trades="true"))[txid]


async def market(kraken, side, volume, key="alice", **more):
    """Trade at the market; returns the order's row."""
    order = {"pair": PAIR, "type": side, "ordertype": "market", "volume": volume, **more}
    (txid,) = (await kraken.result("AddOrder", key, **order))["txid"]
    return await row(kraken, txid, key)


async def hold(kraken, asset="ZUSD", key="alice"):
    return Decimal((await kraken.result("BalanceEx", key))[asset]["hold_trade"])


async def test_orders_of_one_price_are_served_in_turn_and_in_part(kraken):
    """Erin came first and is filled first; alice gets the rest, and her hold shrinks to what is left."""
    price = await inside(kraken)
    first = await kraken.buy(str(price), "0.1", key="erin")
    second = await kraken.buy(str(price), "0.3", key="alice")
    sold = await market(kraken, "sell", "0.25", "carol")
    assert (sold["status"], Decimal(sold["price"])) == ("closed", price)
    assert (await row(kraken, first, "erin"))["status"] == "closed"
    there = await row(kraken, second)
    assert (there["status"], there["vol_exec"]) == ("open", "0.15000000")
    assert Decimal(there["fee"]) == (price * Decimal("0.15") * Decimal("0.0025")).quantize(
        Decimal("0.0001"), "ROUND_UP"
    )
    cost = price * Decimal("0.15")
    fees = (cost * Decimal("0.0065")).quantize(Decimal("0.0001"), "ROUND_UP")
    assert await hold(kraken) == cost + fees - Decimal(there["fee"])


async def test_an_iceberg_refills_behind_the_others(kraken):
    """Its tip of 0.1 goes first, then bob who came later, then the next tip."""
    price = await inside(kraken)
    berg = await kraken.buy(str(price), "0.3", ordertype="iceberg", displayvol="0.1")
    other = await kraken.buy(str(price), "0.05", key="bob", oflags="fcib")
    await market(kraken, "sell", "0.12", "carol")
    assert (await row(kraken, berg))["vol_exec"] == "0.10000000"
    assert (await row(kraken, other, "bob"))["vol_exec"] == "0.02000000"
    await market(kraken, "sell", "0.05", "carol")
    assert (await row(kraken, berg))["vol_exec"] == "0.12000000"
    assert (await row(kraken, other, "bob"))["status"] == "closed"


@pytest.mark.parametrize(("volume", "display"), [("1.5", "0.09"), ("1", "1.1"), ("1", ""), ("1", "0.123456789")])
async def test_an_iceberg_shows_a_fifteenth_at_least(kraken, volume, display):
    """Less than that, more than there is, and nothing at all are refused."""
    order = {"pair": PAIR, "type": "buy", "ordertype": "iceberg", "price": "20000", "volume": volume}
    assert await kraken.code("AddOrder", **order, displayvol=display) == "EGeneral:Invalid arguments:displayvol"


async def test_fok_takes_all_or_nothing_and_ioc_what_there_is(kraken):
    """With half a bitcoin within the limit, one FOK fails, a smaller one fills, and IOC keeps its part."""
    price = await inside(kraken)
    await kraken.buy(str(price), "0.5")
    sell = {"pair": PAIR, "type": "sell", "ordertype": "limit", "price": str(price)}
    ends = []
    for lifetime, volume in (("FOK", "0.6"), ("FOK", "0.2"), ("IOC", "0.6")):
        (txid,) = (await kraken.result("AddOrder", "carol", **sell, volume=volume, timeinforce=lifetime))["txid"]
        end = await row(kraken, txid, "carol")
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
    price = await inside(kraken)
    first = await kraken.buy(str(price), "0.05")
    sold = await market(kraken, "sell", "0.05", stptype=prevention)
    assert ((await row(kraken, first))["status"], sold["status"]) == (resting, arriving)
    assert all(fill.maker is False for fill in kraken.sandbox.exchange.fills.get("alice", []))


async def wait_for(kraken, txid, *, hours=200):
    """Let time pass until an order is done; returns its row."""
    for _ in range(hours):
        kraken.clock.advance(3600)
        end = await row(kraken, txid)
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


async def test_a_limit_behind_a_trigger_rests(kraken):
    """Set off far from its limit it becomes a limit order in the book, for all to see."""
    _, ask = await best(kraken)
    order = {
        "pair": PAIR,
        "type": "sell",
        "ordertype": "stop-loss-limit",
        "price": f"{ask + 50:.1f}",
        "price2": "90000.0",
    }
    (txid,) = (await kraken.result("AddOrder", **order, volume="0.1"))["txid"]
    there = await row(kraken, txid)
    assert (there["status"], there["misc"], Decimal(there["limitprice"])) == ("open", "stopped", 90000)
    assert txid in kraken.sandbox.exchange._matching.pits["XXBTZUSD"].side(buy=False)._queues[Decimal(90000)]
    assert there["descr"]["order"] == f"sell 0.10000000 XBTUSD @ stop loss {ask + 50:.1f} -> limit 90000.0"


async def test_a_trailing_stop_follows_the_market_up_and_never_down(kraken):
    """Its trigger stays the offset below the highest price seen, and what it sells for is near the last trigger."""
    order = {"pair": PAIR, "type": "sell", "ordertype": "trailing-stop", "price": "+0.5%", "volume": "0.1"}
    (txid,) = (await kraken.result("AddOrder", **order))["txid"]
    triggers = [Decimal((await row(kraken, txid))["stopprice"])]
    high = Decimal((await kraken.public("Ticker", pair=PAIR))["result"]["XXBTZUSD"]["c"][0])
    assert abs(triggers[0] - high * Decimal("0.995")) <= Decimal("0.1")
    while (there := await row(kraken, txid))["status"] == "open":
        triggers.append(Decimal(there["stopprice"]))
        kraken.clock.advance(15)
    assert triggers == sorted(triggers)
    assert abs(Decimal(there["price"]) / triggers[-1] - 1) < Decimal("0.005")


@pytest.mark.parametrize("price", ["100", "-5%", "#3", "+0", "+100%", "+99999999", ""])
async def test_trailing_orders_take_offsets_only(kraken, price):
    """An absolute price, a wrong sign and an offset as large as the price are refused."""
    order = {"pair": PAIR, "type": "sell", "ordertype": "trailing-stop", "price": price, "volume": "0.1"}
    assert await kraken.code("AddOrder", **order) in ("EGeneral:Invalid arguments:price", "EOrder:Invalid price")


async def test_each_fill_is_followed_by_its_close_order(kraken):
    """Two fills make two orders of the other side, of the fills' volumes, that name their parent."""
    price = await inside(kraken)
    parent = await kraken.buy(str(price), "0.2", **{"close[ordertype]": "limit", "close[price]": "#5%"})
    for volume in ("0.05", "0.15"):
        await market(kraken, "sell", volume, "carol")
    orders = (await kraken.result("OpenOrders"))["open"].values()
    assert sorted((each["descr"]["type"], each["vol"]) for each in orders) == [
        ("sell", "0.05000000"),
        ("sell", "0.15000000"),
    ]
    assert {each["refid"] for each in orders} == {parent}
    assert (await row(kraken, parent))["descr"]["close"] == "close position @ limit #5%"


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
    assert (await row(kraken, txid))["status"] == "pending"
    assert await hold(kraken) == Decimal("200.8")
    kraken.clock.advance(60)
    assert (await row(kraken, txid))["status"] == "open"


async def test_fees_fall_with_the_volume_of_thirty_days(kraken):
    """Beyond ten thousand dollars a taker pays 0.35 %, and a month later 0.40 % again."""
    rates = []
    for pause in (0, 0, 31 * 86_400):
        kraken.clock.advance(pause)
        sold = await market(kraken, "sell", "0.2", "erin")
        rates.append(round(Decimal(sold["fee"]) / Decimal(sold["cost"]) * 100, 2))
    assert rates == [Decimal("0.40"), Decimal("0.35"), Decimal("0.40")]


async def test_amending_down_keeps_the_place_in_the_queue_and_up_loses_it(kraken):
    """Alice stays before erin when she wants less, and goes behind her when she wants more."""
    price = await inside(kraken)
    txid = await kraken.buy(str(price), "0.2")
    await kraken.buy(str(price), "0.1", key="erin")
    ids = [offer["order_id"] for offer in (await kraken.result("Level3", pair=PAIR))["bids"][:2]]
    assert ids[0] == txid
    for volume, place in (("0.15", 0), ("0.3", 1)):
        amended = await kraken.result("AmendOrder", txid=txid, order_qty=volume)
        assert amended["amend_id"].startswith("T")
        bids = (await kraken.result("Level3", pair=PAIR))["bids"]
        assert (bids[place]["order_id"], Decimal(bids[place]["qty"])) == (txid, Decimal(volume))
    there = await row(kraken, txid)
    assert (there["vol"], there["misc"], there["status"]) == ("0.30000000", "amended", "open")
    assert await hold(kraken) == (price * Decimal("0.3") * Decimal("1.004")).quantize(Decimal("0.0001"), "ROUND_UP")


async def test_amending_the_price_may_trade_unless_it_must_not(kraken):
    """Beyond the ask it fills; with post_only it is refused and stays as it was."""
    _, ask = await best(kraken)
    txid = await kraken.buy(cl_ord_id=UUID)
    refused = await kraken.code("AmendOrder", cl_ord_id=UUID, limit_price=str(ask + 10), post_only="true")
    assert refused == "EOrder:Post only order"
    assert (await row(kraken, txid))["descr"]["price"] == "20000.0"
    await kraken.result("AmendOrder", cl_ord_id=UUID, limit_price=str(ask + 10))
    assert (await row(kraken, txid))["status"] == "closed"


async def test_amending_below_what_filled_cancels_the_rest(kraken):
    """The order ends as a partly filled, cancelled one."""
    price = await inside(kraken)
    txid = await kraken.buy(str(price), "0.2")
    await market(kraken, "sell", "0.1", "carol")
    await kraken.result("AmendOrder", txid=txid, order_qty="0.05")
    end = await row(kraken, txid)
    assert (end["status"], end["vol_exec"], await hold(kraken)) == ("canceled", "0.10000000", 0)


async def test_the_history_of_an_order_begins_with_the_original(kraken):
    """Each version has its quantity, price and time."""
    txid = await kraken.buy("20000", "0.2")
    start = kraken.clock.wall_ns()
    kraken.clock.advance(5)
    await kraken.result("AmendOrder", txid=txid, order_qty="0.1", limit_price="21000")
    history = await kraken.result("OrderAmends", order_id=txid)
    seen = [
        (each["amend_type"], each["order_qty"], each["limit_price"], each["timestamp"]) for each in history["amends"]
    ]
    assert seen == [("original", "0.20000000", "20000.0", start), ("user", "0.10000000", "21000.0", start + 5 * 10**9)]
    assert history["count"] == 2
    fresh = await kraken.buy()
    assert (await kraken.result("OrderAmends", order_id=fresh))["count"] == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "EGeneral:Invalid arguments:order_qty"),
        ({"order_qty": "0"}, "EGeneral:Invalid arguments:order_qty"),
        ({"order_qty": "100"}, "EOrder:Insufficient funds"),
        ({"limit_price": "20000.05"}, "EOrder:Invalid price:XBTUSD price can only be specified up to 1 decimals."),
        ({"trigger_price": "20000"}, "EGeneral:Invalid arguments:trigger_price"),
        ({"display_qty": "0.01"}, "EGeneral:Invalid arguments:display_qty"),
        ({"order_qty": "0.1", "pair": "ETHUSD"}, "EGeneral:Invalid arguments:pair"),
        ({"order_qty": "0.1", "deadline": "2026-05-28T20:26:41Z"}, "EGeneral:Invalid arguments:deadline"),
    ],
)
async def test_a_wrong_amend_changes_nothing(kraken, change, code):
    """It is refused with its string, and the order is as before."""
    txid = await kraken.buy("20000", "0.01")
    before = await row(kraken, txid)
    assert await kraken.code("AmendOrder", txid=txid, **change) == code
    assert await row(kraken, txid) == before


async def test_editing_cancels_and_places_anew(kraken):
    """A new id with the rest of the volume; the old order is cancelled, its reference is told and not carried over."""
    txid = await kraken.buy("20000", "0.2", userref="5")
    edited = await kraken.result("EditOrder", txid="5", pair=PAIR, price="21000", volume="0.1", userref="6")
    assert (edited["originaltxid"], edited["status"], edited["orders_cancelled"]) == (txid, "ok", 1)
    assert (edited["volume"], edited["price"], edited["olduserref"], edited["newuserref"]) == (
        "0.10000000",
        "21000.0",
        "5",
        "6",
    )
    assert edited["descr"] == {"order": "buy 0.10000000 XBTUSD @ limit 21000.0"}
    assert (await row(kraken, txid))["status"] == "canceled"
    assert list((await kraken.result("OpenOrders"))["open"]) == [edited["txid"]]
    assert await hold(kraken) == Decimal("2108.4")


async def test_editing_may_use_the_money_of_the_order_it_replaces(kraken):
    """Nearly all of dave's dollars are held by the old order, and nearly all go into the new one."""
    txid = await kraken.buy("20000", "0.07", key="dave")
    edited = await kraken.result("EditOrder", "dave", txid=txid, pair=PAIR, volume="0.074")
    assert await hold(kraken, key="dave") == Decimal("1485.92")
    refused = await kraken.code("EditOrder", "dave", txid=edited["txid"], pair=PAIR, volume="0.075")
    assert refused == "EOrder:Insufficient funds"
    assert list((await kraken.result("OpenOrders", "dave"))["open"]) == [edited["txid"]]


async def test_some_orders_cannot_be_edited_or_amended(kraken):
    """Orders with a client id cannot be edited, those with a close order neither edited nor amended."""
    named = await kraken.buy(cl_ord_id=UUID)
    closing = await kraken.buy(**{"close[ordertype]": "limit", "close[price]": "30000"})
    for txid in (named, closing):
        assert (await kraken.code("EditOrder", txid=txid, pair=PAIR, volume="0.02")).startswith("EGeneral:Invalid")
    assert (await kraken.code("AmendOrder", txid=closing, order_qty="0.02")).startswith("EGeneral:Invalid")
    assert len((await kraken.result("OpenOrders"))["open"]) == 2


def batch(*prices, **more):
    return [{"type": "buy", "ordertype": "limit", "price": price, "volume": "0.01", **more} for price in prices]


async def test_a_batch_places_each_order_or_says_why_not(kraken):
    """The one without funds fails alone, in its place; the outer error list is empty."""
    orders = batch("20000", "21000", "22000")
    orders[1]["volume"] = "100"
    answer = await kraken.private("AddOrderBatch", as_json=True, pair=PAIR, orders=orders)
    first, second, third = answer["result"]["orders"]
    assert answer["error"] == []
    assert second == {
        "descr": {"order": "buy 100.00000000 XBTUSD @ limit 21000.0"},
        "error": "EOrder:Insufficient funds",
    }
    assert set((await kraken.result("OpenOrders"))["open"]) == {first["txid"], third["txid"]}


@pytest.mark.parametrize("count", [0, 1, 16])
async def test_a_batch_holds_two_to_fifteen_orders(kraken, count):
    """Fewer and more are refused."""
    orders = batch(*["20000"] * count)
    assert (
        await kraken.code("AddOrderBatch", as_json=True, pair=PAIR, orders=orders)
        == "EGeneral:Invalid arguments:orders"
    )


async def test_one_wrong_order_sinks_the_batch(kraken):
    """Nothing is placed when one of them is malformed, or when only validation is asked for."""
    wrong = await kraken.code("AddOrderBatch", as_json=True, pair=PAIR, orders=batch("20000", "0"))
    assert wrong == "EOrder:Invalid price"
    checked = await kraken.result(
        "AddOrderBatch", as_json=True, pair=PAIR, orders=batch("20000", "21000"), validate=True
    )
    assert [list(item) for item in checked["orders"]] == [["descr"], ["descr"]]
    assert (await kraken.result("OpenOrders"))["open"] == {}


async def test_a_batch_travels_as_a_form_too(kraken):
    """Bracketed names make the same list."""
    form = {
        f"orders[{place}][{name}]": value
        for place, order in enumerate(batch("20000", "21000"))
        for name, value in order.items()
    }
    placed = await kraken.result("AddOrderBatch", pair=PAIR, **form)
    assert len(placed["orders"]) == 2


async def test_cancelling_in_batches_by_any_name(kraken):
    """Ids, user references, client ids, objects around them, and names of nothing, in one call."""
    plain, boxed = await kraken.buy(), await kraken.buy()
    for _ in range(2):
        await kraken.buy(userref="7")
    await kraken.buy(cl_ord_id=UUID)
    await kraken.buy(cl_ord_id="short")
    orders = [plain, {"txid": boxed}, 7, "short", "OAAAAA-AAAAA-AAAAAA"]
    cancelled = await kraken.result("CancelOrderBatch", as_json=True, orders=orders, cl_ord_ids=[UUID])
    assert cancelled == {"count": 6}
    assert (await kraken.result("OpenOrders"))["open"] == {}
    assert (await kraken.code("CancelOrderBatch", as_json=True, orders=["x"] * 51)).endswith("orders")
    assert (await kraken.code("CancelOrderBatch", as_json=True)).endswith("orders")


async def test_the_dead_mans_switch_fires_by_the_clock(kraken):
    """Renewed it waits, switched off it does nothing, left alone it cancels everything at its moment, once."""
    timer = {"timeout": "60"}
    assert await kraken.result("CancelAllOrdersAfter", **timer) == {
        "currentTime": "2026-05-28T20:26:40Z",
        "triggerTime": "2026-05-28T20:27:40Z",
    }
    kept = await kraken.buy()
    kraken.clock.advance(50)
    await kraken.result("CancelAllOrdersAfter", **timer)
    kraken.clock.advance(50)
    assert kept in (await kraken.result("OpenOrders"))["open"]
    assert (await kraken.result("CancelAllOrdersAfter", timeout="0"))["triggerTime"] == "0"
    kraken.clock.advance(1000)
    assert kept in (await kraken.result("OpenOrders"))["open"]
    due = kraken.clock.wall_ns() / 1e9 + 60
    await kraken.result("CancelAllOrdersAfter", **timer)
    kraken.clock.advance(1000)
    end = await row(kraken, kept)
    assert (end["status"], end["closetm"]) == ("canceled", due)
    assert await kraken.buy() in (await kraken.result("OpenOrders"))["open"]


@pytest.mark.parametrize("seconds", ["", "-1", "86400", "soon"])
async def test_the_dead_mans_switch_takes_less_than_a_day(kraken, seconds):
    """Anything else is refused."""
    assert await kraken.code("CancelAllOrdersAfter", timeout=seconds) == "EGeneral:Invalid arguments:timeout"


async def test_closed_orders_lag_like_open_ones(open_caller):
    """An order that filled at once is in neither list for the time of the lag."""
    kraken = open_caller(limits=False, open_order_lag=3.0)
    end = await market(kraken, "buy", "0.01")
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
    assert (await row(kraken, txid))["status"] == "expired"
    assert (await kraken.http.post("/sandbox/clock", json={"advance": -1})).status_code == 400
    assert (await kraken.http.post("/sandbox/clock", json={"go": 1})).status_code == 400

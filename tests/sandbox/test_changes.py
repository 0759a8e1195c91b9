"""Changing and cancelling orders: amends, edits, batches, the dead man's switch."""

from decimal import Decimal

import pytest

pytestmark = pytest.mark.asyncio

PAIR = "XBTUSD"
UUID = "0f3c9e2a-5a07-4cf8-9a1f-3c7f1c1b2a10"


async def test_amending_down_keeps_the_place_in_the_queue_and_up_loses_it(kraken):
    """Alice stays before erin when she wants less, and goes behind her when she wants more."""
    price = await kraken.inside()
    txid = await kraken.buy(str(price), "0.2")
    await kraken.buy(str(price), "0.1", key="erin")
    ids = [offer["order_id"] for offer in (await kraken.result("Level3", pair=PAIR))["bids"][:2]]
    assert ids[0] == txid
    for volume, place in (("0.15", 0), ("0.3", 1)):
        amended = await kraken.result("AmendOrder", txid=txid, order_qty=volume)
        assert amended["amend_id"].startswith("T")
        bids = (await kraken.result("Level3", pair=PAIR))["bids"]
        assert (bids[place]["order_id"], Decimal(bids[place]["qty"])) == (txid, Decimal(volume))
    there = await kraken.row(txid)
    assert (there["vol"], there["misc"], there["status"]) == ("0.30000000", "amended", "open")
    assert await kraken.hold() == (price * Decimal("0.3") * Decimal("1.004")).quantize(Decimal("0.0001"), "ROUND_UP")


async def test_amending_the_price_may_trade_unless_it_must_not(kraken):
    """Beyond the ask it fills; with post_only it is refused and stays as it was."""
    _, ask = await kraken.best()
    txid = await kraken.buy(cl_ord_id=UUID)
    refused = await kraken.code("AmendOrder", cl_ord_id=UUID, limit_price=str(ask + 10), post_only="true")
    assert refused == "EOrder:Post only order"
    assert (await kraken.row(txid))["descr"]["price"] == "20000.0"
    await kraken.result("AmendOrder", cl_ord_id=UUID, limit_price=str(ask + 10))
    assert (await kraken.row(txid))["status"] == "closed"


async def test_amending_below_what_filled_cancels_the_rest(kraken):
    """The order ends as a partly filled, cancelled one."""
    price = await kraken.inside()
    txid = await kraken.buy(str(price), "0.2")
    await kraken.at_market("sell", "0.1", "carol")
    await kraken.result("AmendOrder", txid=txid, order_qty="0.05")
    end = await kraken.row(txid)
    assert (end["status"], end["vol_exec"], await kraken.hold()) == ("canceled", "0.10000000", 0)


async def test_an_amended_volume_is_in_base_whatever_the_order_was_in(kraken):
    """It was in dollars; with the flag its volume would be read as that."""
    order = {"type": "buy", "ordertype": "market", "volume": "50", "oflags": "viqc", "starttm": "+60"}
    (txid,) = (await kraken.result("AddOrder", pair=PAIR, **order))["txid"]
    await kraken.result("AmendOrder", txid=txid, order_qty="0.001")
    row = await kraken.row(txid)
    assert (row["vol"], row["oflags"]) == ("0.00100000", "fciq")
    edited = await kraken.result("EditOrder", txid=txid, pair=PAIR)
    kraken.clock.advance(61)
    assert (await kraken.row(edited["txid"]))["vol_exec"] == "0.00100000"


async def test_an_amend_takes_no_user_reference(kraken):
    """An edit does."""
    await kraken.buy(userref="77")
    assert await kraken.code("AmendOrder", txid="77", order_qty="0.02") == "EOrder:Invalid order"
    assert (await kraken.result("EditOrder", txid="77", pair=PAIR))["status"] == "ok"


async def test_the_history_of_an_order_begins_with_the_original(kraken):
    """Each version has its quantity, price and time."""
    txid = await kraken.buy("20000", "0.2")
    start = kraken.clock.wall_ns() // 10**6
    kraken.clock.advance(5)
    await kraken.result("AmendOrder", txid=txid, order_qty="0.1", limit_price="21000")
    history = await kraken.result("OrderAmends", order_id=txid)
    seen = [
        (each["amend_type"], each["order_qty"], each["limit_price"], each["timestamp"]) for each in history["amends"]
    ]
    assert seen == [("original", "0.20000000", "20000.0", start), ("user", "0.10000000", "21000.0", start + 5_000)]
    assert history["count"] == 2
    fresh = await kraken.buy()
    assert (await kraken.result("OrderAmends", order_id=fresh))["count"] == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "EGeneral:Invalid arguments:order_qty"),
        ({"order_qty": "0"}, "EGeneral:Invalid arguments:order_qty"),
        ({"order_qty": "100"}, "EOrder:Insufficient funds"),
        ({"order_qty": "0.00000001"}, "EOrder:Order minimum not met"),
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
    before = await kraken.row(txid)
    assert await kraken.code("AmendOrder", txid=txid, **change) == code
    assert await kraken.row(txid) == before


async def test_a_part_too_small_is_told_under_the_amend_s_own_name(kraken):
    """AddOrder and EditOrder call it `displayvol`."""
    txid = await kraken.buy("20000", "0.3", ordertype="iceberg", displayvol="0.1")
    assert await kraken.code("AmendOrder", txid=txid, display_qty="0.0001") == "EGeneral:Invalid arguments:display_qty"


async def test_the_distances_of_a_trailing_order_are_amended(kraken):
    """What it stays behind the market, and its limit from its trigger; only such an order takes distances."""
    order = {"pair": PAIR, "type": "sell", "ordertype": "trailing-stop-limit", "volume": "0.1", "price": "+2%"}
    (txid,) = (await kraken.result("AddOrder", **order, price2="-1%"))["txid"]
    before = await kraken.row(txid)
    await kraken.result("AmendOrder", txid=txid, trigger_price="+3%", limit_price="-20.5")
    after = await kraken.row(txid)
    assert (after["descr"]["price"], after["descr"]["price2"]) == ("+3.0000%", "-20.5")
    assert before["descr"]["price"] == "+2.0000%"
    await kraken.result("AmendOrder", txid=txid, order_qty="0.05")
    assert (await kraken.row(txid))["descr"]["price"] == "+3.0000%"
    for wrong in ({"trigger_price": "20000"}, {"trigger_price": "-3%"}, {"limit_price": "100"}):
        assert await kraken.code("AmendOrder", txid=txid, **wrong) == f"EGeneral:Invalid arguments:{next(iter(wrong))}"
    (plain,) = (await kraken.result("AddOrder", **order | {"ordertype": "trailing-stop"}))["txid"]
    await kraken.result("AmendOrder", txid=plain, trigger_price="+600")
    assert (await kraken.row(plain))["descr"]["price"] == "+600.0"
    assert await kraken.code("AmendOrder", txid=plain, limit_price="-1%") == "EGeneral:Invalid arguments:limit_price"
    history = await kraken.result("OrderAmends", order_id=plain)
    assert [each["amend_type"] for each in history["amends"]] == ["original", "user"]


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
    replaced = await kraken.row(txid)
    assert (replaced["status"], replaced["reason"]) == ("canceled", "Order replaced")
    assert list((await kraken.result("OpenOrders"))["open"]) == [edited["txid"]]
    assert await kraken.hold() == Decimal("2108.4")


async def test_editing_may_use_the_money_of_the_order_it_replaces(kraken):
    """Nearly all of dave's dollars are held by the old order, and nearly all go into the new one."""
    txid = await kraken.buy("20000", "0.07", key="dave")
    edited = await kraken.result("EditOrder", "dave", txid=txid, pair=PAIR, volume="0.074")
    assert await kraken.hold(key="dave") == Decimal("1485.92")
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
    end = await kraken.row(kept)
    assert (end["status"], end["closetm"]) == ("canceled", due)
    assert await kraken.buy() in (await kraken.result("OpenOrders"))["open"]


@pytest.mark.parametrize("seconds", ["", "-1", "86400", "soon"])
async def test_the_dead_mans_switch_takes_less_than_a_day(kraken, seconds):
    """Anything else is refused."""
    assert await kraken.code("CancelAllOrdersAfter", timeout=seconds) == "EGeneral:Invalid arguments:timeout"


async def test_the_history_tells_triggers_and_that_an_order_only_rests(kraken):
    """A trigger also where the limit is the same; post-only is not lost by an amend that does not repeat it."""
    order = {"pair": PAIR, "type": "sell", "ordertype": "stop-loss-limit", "volume": "0.1"}
    (txid,) = (await kraken.result("AddOrder", **order, price="20000", price2="20000"))["txid"]
    (only,) = (await kraken.result("OrderAmends", order_id=txid))["amends"]
    assert (only["trigger_price"], only["limit_price"]) == ("20000.0", "20000.0")
    txid = await kraken.buy("20000", oflags="post")
    await kraken.result("AmendOrder", txid=txid, limit_price="21000")
    amends = (await kraken.result("OrderAmends", order_id=txid))["amends"]
    assert [each["post_only"] for each in amends] == [True, True]
    assert [each.get("trigger_price") for each in amends] == [None, None]


@pytest.mark.parametrize("orders", ['["{}"]', "{}", "1"])
async def test_a_list_in_words_cancels_nothing(kraken, orders):
    """A form cannot hold a list as such: the exchange refuses it, and a count of 0 would look like a success."""
    txid = await kraken.buy()
    refused = await kraken.code("CancelOrderBatch", orders=orders.replace("{}", txid))
    assert refused == "EGeneral:Invalid arguments:orders"
    assert await kraken.result("CancelOrderBatch", as_json=True, orders=[txid]) == {"count": 1}

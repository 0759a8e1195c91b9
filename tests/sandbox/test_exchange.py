"""Orders with state: placing, filling, cancelling, and money that is neither made nor lost."""

from decimal import ROUND_DOWN, Decimal

import pytest

from krakenasync.sandbox.listings import PAIRS

pytestmark = pytest.mark.asyncio

XBTUSD = PAIRS["XXBTZUSD"]
UUID = "0f3c9e2a-5a07-4cf8-9a1f-3c7f1c1b2a10"


def money(kraken, asset, name="alice"):
    return kraken.sandbox.accounts[name].balances[asset]


def quote(kraken, pair=XBTUSD):
    market = kraken.sandbox.market
    return market.quote(pair, market.beat(kraken.clock.wall_ns()))


async def test_a_limit_order_rests_and_holds_its_cost_and_fee(kraken):
    """A buy below the market rests, reserves cost plus taker fee, and moves no money."""
    txid = await kraken.buy("20000", "0.5")
    balance = (await kraken.result("BalanceEx"))["ZUSD"]
    assert balance == {"balance": "250000.0000", "hold_trade": "10040.0000"}
    row = (await kraken.result("OpenOrders"))["open"][txid]
    assert (row["status"], row["vol"], row["vol_exec"]) == ("open", "0.50000000", "0.00000000")
    assert row["descr"] == {
        "pair": "XBTUSD",
        "aclass": "forex",
        "type": "buy",
        "ordertype": "limit",
        "price": "20000.0",
        "price2": "0",
        "leverage": "none",
        "order": "buy 0.50000000 XBTUSD @ limit 20000.0",
        "close": "",
    }


async def asks(kraken, volume, pair="XBTUSD", side="asks"):
    """Read from Depth what taking a volume would trade: [(price, volume), ...]."""
    (book,) = (await kraken.public("Depth", pair=pair))["result"].values()
    parts, left = [], Decimal(volume)
    for price, there, _ in book[side]:
        part = min(left, Decimal(there))
        parts.append((Decimal(price), part))
        left -= part
        if not left:
            return parts
    raise AssertionError("the book is too thin for this test")


async def test_a_market_order_walks_the_book_with_the_taker_fee(kraken, total_assets):
    """It takes what Depth showed, level by level, pays 0.40 %, and what is gained and paid is booked exactly."""
    before = total_assets(kraken.sandbox)
    expected = await asks(kraken, "0.5")
    (txid,) = (await kraken.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.5"))["txid"]
    row = (await kraken.result("QueryOrders", txid=txid, trades="true", consolidate_taker="false"))[txid]
    fills = kraken.sandbox.exchange.fills["alice"]
    assert len(expected) > 1
    assert [(fill.price, fill.volume) for fill in fills] == expected
    cost = sum((price * volume).quantize(Decimal("0.0001"), "ROUND_DOWN") for price, volume in expected)
    fee = Decimal(row["fee"])
    assert (row["status"], Decimal(row["cost"])) == ("closed", cost)
    assert abs(fee - cost * Decimal("0.004")) <= Decimal("0.000005")
    paid = cost + fee.quantize(Decimal("0.0001"), "ROUND_DOWN")
    assert (money(kraken, "XXBT"), money(kraken, "ZUSD")) == (Decimal(4), 250000 - paid)
    assert row["trades"] == [fill.txid for fill in fills]
    assert total_assets(kraken.sandbox) == before


async def test_a_crossing_limit_order_fills_at_the_better_price(kraken):
    """A sell far below the bid trades at the bids, best first, not at its limit."""
    expected = await asks(kraken, "0.1", side="bids")
    txid = await kraken.buy("20000", "0.1", type="sell")
    row = (await kraken.result("QueryOrders", txid=txid))[txid]
    mean = sum(price * volume for price, volume in expected) / Decimal("0.1")
    assert (row["status"], Decimal(row["price"])) == ("closed", mean.quantize(Decimal("0.00001")))


async def test_a_resting_order_fills_when_the_market_comes_to_it(kraken):
    """Days later a bid just below the market was reached: filled at its own price, for the maker fee."""
    price = quote(kraken).bid - 1
    txid = await kraken.buy(f"{price:.1f}", "0.1")
    assert txid in (await kraken.result("OpenOrders"))["open"]
    kraken.clock.advance(5 * 86_400)
    row = (await kraken.result("QueryOrders", txid=txid))[txid]
    assert (row["status"], Decimal(row["price"]), row["reason"]) == ("closed", price, None)
    assert Decimal(row["fee"]) == (price / 10 * Decimal("0.0025")).quantize(Decimal("0.00001"), "ROUND_HALF_UP")
    assert row["opentm"] < row["closetm"] < kraken.clock.wall_ns() / 1e9
    assert (await kraken.result("BalanceEx"))["ZUSD"]["hold_trade"] == "0.0000"


async def test_time_in_force_decides_what_may_rest(kraken):
    """IOC and FOK orders that do not cross are cancelled at once; GTD ones expire."""
    for lifetime in ("IOC", "FOK"):
        txid = await kraken.buy(timeinforce=lifetime)
        row = (await kraken.result("QueryOrders", txid=txid))[txid]
        assert (row["status"], row["time_in_force"]) == ("canceled", lifetime.lower())
    assert (await kraken.row(await kraken.buy()))["time_in_force"] == "gtc"
    txid = await kraken.buy(timeinforce="GTD", expiretm="+60")
    kraken.clock.advance(59)
    assert txid in (await kraken.result("OpenOrders"))["open"]
    kraken.clock.advance(1)
    assert (await kraken.result("QueryOrders", txid=txid))[txid]["status"] == "expired"


@pytest.mark.parametrize("lifetime", ["", "GTC"])
async def test_a_moment_to_expire_makes_an_order_good_till_then(kraken, lifetime):
    """It needs no timeinforce, and the default changes nothing; a bare 0 is no moment."""
    txid = await kraken.buy(timeinforce=lifetime, expiretm="+6")
    kraken.clock.advance(5)
    row = (await kraken.result("OpenOrders"))["open"][txid]
    assert (row["time_in_force"], row["expiretm"]) == ("gtd", row["opentm"] + 6)
    kraken.clock.advance(1)
    assert (await kraken.row(txid))["status"] == "expired"
    lasting = await kraken.row(await kraken.buy(timeinforce=lifetime, expiretm="0"))
    assert (lasting["time_in_force"], lasting["expiretm"]) == ("gtc", 0)


async def test_validate_places_nothing(kraken):
    """The answer describes the order and has no id; with the switch on, even "false" only validates."""
    order = {"pair": "BTC/USD", "type": "sell", "ordertype": "market", "volume": "1", "validate": "true"}
    assert await kraken.result("AddOrder", **order) == {"descr": {"order": "sell 1.00000000 XBTUSD @ market"}}
    assert (await kraken.result("ClosedOrders"))["count"] == 0


@pytest.mark.parametrize("presence", [True, False])
async def test_validate_false_is_read_as_the_switch_says(open_caller, presence):
    """Some report that Kraken validates on the mere presence of the field; both readings are offered."""
    kraken = open_caller(limits=False, presence_validates=presence)
    order = {"pair": "XBTUSD", "type": "sell", "ordertype": "market", "volume": "1", "validate": "false"}
    assert ("txid" in await kraken.result("AddOrder", **order)) is not presence


async def test_json_orders_work_like_form_orders(kraken):
    """Numbers and nested objects in a JSON body mean the same as text in a form."""
    order = {
        "pair": "XXBTZUSD",
        "type": "buy",
        "ordertype": "limit",
        "price": 20000,
        "volume": 0.25,
        "userref": 7,
        "close": {"ordertype": "limit", "price": "30000"},
    }
    placed = await kraken.result("AddOrder", as_json=True, **order)
    assert placed["descr"] == {
        "order": "buy 0.25000000 XBTUSD @ limit 20000.0",
        "close": "close position @ limit 30000.0",
    }


async def test_relative_prices_start_from_the_last_trade(kraken):
    """-10 % and #100 are worked out from the last price and put on the tick."""
    last = quote(kraken).last
    for price, expected in (("-10%", last * Decimal("0.9")), ("#100", last - 100)):
        txid = await kraken.buy(price)
        row = (await kraken.result("OpenOrders"))["open"][txid]
        assert Decimal(row["descr"]["price"]) == expected.quantize(Decimal("0.1"))


@pytest.mark.parametrize(
    ("kind", "prices"),
    [
        ("limit", ("#2%",)),
        ("take-profit", ("#2%",)),
        ("stop-loss", ("#2%",)),
        ("stop-loss-limit", ("#2%", "#3%")),
        ("take-profit-limit", ("#2%", "#1%")),
    ],
)
@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_an_order_chooses_the_side_of_its_own(kraken, side, kind, prices):
    """With # a limit and a profit lie on the better side of the market, a stop and the limit behind it on the worse."""
    last = quote(kraken).last
    order = {"pair": "XBTUSD", "type": side, "ordertype": kind, "volume": "0.01", "price": prices[0]}
    (txid,) = (await kraken.result("AddOrder", **order, price2=prices[-1]))["txid"]
    shown = (await kraken.row(txid))["descr"]
    up = (side == "buy") is kind.startswith("stop-loss")
    for name, text in zip(("price", "price2"), prices, strict=False):
        share = int(text[1]) if up else -int(text[1])
        assert abs(Decimal(shown[name]) - last * (100 + share) / 100) <= Decimal("0.1")


CLOSES = [
    ("buy", "limit", ("30000",), "limit 30000.0"),
    ("buy", "stop-loss-limit", ("38000", "36000"), "stop loss 38000.0 -> limit 36000.0"),
    ("buy", "stop-loss", ("#5%",), "stop loss -5.0000%"),
    ("sell", "stop-loss", ("#5%",), "stop loss +5.0000%"),
    ("buy", "limit", ("#2%",), "limit +2.0000%"),
    ("sell", "limit", ("#2%",), "limit -2.0000%"),
    ("buy", "stop-loss-limit", ("-1%", "#2%"), "stop loss -1.0000% -> limit -2.0000%"),
    ("buy", "take-profit", ("#10",), "take profit +10.0"),
    ("buy", "take-profit-limit", ("+5%", "+1000"), "take profit +5.0000% -> limit +1000.0"),
    ("buy", "trailing-stop-limit", ("+1.5%", "-10"), "trailing stop +1.5000% -> limit -10.0"),
    ("buy", "limit", ("30000", "0"), "limit 30000.0"),
]


@pytest.mark.parametrize(("side", "kind", "prices", "said"), CLOSES)
async def test_a_close_order_is_said_with_the_digits_of_its_pair(kraken, side, kind, prices, said):
    """Offsets have their sign, those in percent four digits: in the answer and in the order's row alike."""
    close = dict(zip(("close[price]", "close[price2]"), prices, strict=False))
    order = {"pair": "XBTUSD", "type": side, "ordertype": "limit", "price": "+1%" if side == "sell" else "-1%"}
    placed = await kraken.result("AddOrder", **order, volume="0.01", **{"close[ordertype]": kind, **close})
    row = await kraken.row(placed["txid"][0])
    assert placed["descr"]["close"] == row["descr"]["close"] == f"close position @ {said}"


BASE = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ({"pair": ""}, "EGeneral:Invalid arguments:pair"),
        ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
        ({"ordertype": "magic"}, "EGeneral:Invalid arguments:ordertype"),
        ({"price": ""}, "EGeneral:Invalid arguments:price"),
        ({"price": "-5%%"}, "EGeneral:Invalid arguments:price"),
        ({"price": "0"}, "EOrder:Invalid price"),
        ({"price": "-200%"}, "EOrder:Invalid price"),
        ({"price": "20000.05"}, "EOrder:Invalid price:XBTUSD price can only be specified up to 1 decimals."),
        ({"price": "9" * 12}, "EGeneral:Invalid arguments:price"),
        ({"volume": "-1"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "nan"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "1e30"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "0.010000001"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "0.00004"}, "EOrder:Order minimum not met"),
        ({"price": "0.1"}, "EOrder:Cost minimum not met"),
        ({"volume": "100"}, "EOrder:Insufficient funds"),
        ({"type": "sell", "price": "90000", "volume": "100"}, "EOrder:Insufficient funds"),
        ({"oflags": "post", "price": "200000"}, "EOrder:Post only order"),
        ({"oflags": "fcib,fciq"}, "EGeneral:Invalid arguments:oflags"),
        ({"oflags": "viqc"}, "EGeneral:Invalid arguments:oflags"),
        ({"leverage": "3"}, "EOrder:Cannot open position"),
        ({"timeinforce": "GTX"}, "EGeneral:Invalid arguments:timeinforce"),
        ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments:expiretm"),
        ({"timeinforce": "GTD", "expiretm": "0"}, "EGeneral:Invalid arguments:expiretm"),
        ({"timeinforce": "GTD", "expiretm": "+4"}, "EGeneral:Invalid arguments:expiretm"),
        ({"expiretm": "abc"}, "EGeneral:Invalid arguments:expiretm"),
        ({"expiretm": "1"}, "EGeneral:Invalid arguments:expiretm"),
        ({"expiretm": "1e99999"}, "EGeneral:Invalid arguments:expiretm"),
        ({"expiretm": "+99999999"}, "EGeneral:Invalid arguments:expiretm"),
        ({"timeinforce": "GTC", "expiretm": "+4"}, "EGeneral:Invalid arguments:expiretm"),
        ({"timeinforce": "IOC", "expiretm": "+60"}, "EGeneral:Invalid arguments:expiretm"),
        ({"timeinforce": "FOK", "expiretm": "+60"}, "EGeneral:Invalid arguments:expiretm"),
        ({"starttm": "1e999999"}, "EGeneral:Invalid arguments:starttm"),
        ({"starttm": "1790000000000"}, "EGeneral:Invalid arguments:starttm"),
        ({"cl_ord_id": "this text is too long"}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"userref": str(2**31)}, "EGeneral:Invalid arguments:userref"),
        ({"userref": "1", "cl_ord_id": "abc"}, "EGeneral:Invalid arguments:userref and cl_ord_id exclude each other"),
        ({"price2": "abc"}, "EGeneral:Invalid arguments:price2"),
        ({"ordertype": "market", "price": "abc"}, "EGeneral:Invalid arguments:price"),
        ({"ordertype": "trailing-stop", "price": "+5%", "price2": "x"}, "EGeneral:Invalid arguments:price2"),
        ({"close[ordertype]": "limit", "close[price]": "9", "close[price2]": "x"}, "EGeneral:Invalid arguments:price2"),
        ({"asset_class": "foo"}, "EGeneral:Invalid arguments:asset_class"),
        ({"close": "x"}, "EGeneral:Invalid arguments:close"),
        ({"deadline": "tomorrow"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "2026-05-28T20:26:45"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "2026-05-28T20:26:41.9Z"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "2026-05-28T20:27:40.1Z"}, "EGeneral:Invalid arguments:deadline"),
    ],
)
async def test_a_wrong_order_is_refused_with_krakens_string(kraken, change, code):
    """Each mistake has its own string, and nothing rests afterwards."""
    assert await kraken.code("AddOrder", **{**BASE, **change}) == code
    assert not kraken.sandbox.accounts["alice"].orders


@pytest.mark.parametrize("kind", ["limit", "market", "stop-loss"])
async def test_a_price_without_a_use_is_ignored(kraken, kind):
    """Old clients send a 0 for "none", others what they have: it is read, and left at that."""
    for spare in ("0", "100", "+5%", "#3"):
        order = {**BASE, "ordertype": kind, "price": "200000" if kind == "stop-loss" else "20000", "price2": spare}
        (txid,) = (await kraken.result("AddOrder", **order))["txid"]
        assert (await kraken.row(txid))["descr"]["price2"] == "0"


@pytest.mark.parametrize("deadline", ["2026-05-28T20:26:42Z", "2026-05-28T22:27:40+02:00"])
async def test_a_deadline_may_lie_two_to_sixty_seconds_ahead(kraken, deadline):
    """Both ends of the range are inside it."""
    assert await kraken.buy(deadline=deadline)


async def test_a_client_id_is_unique_among_open_orders_only(kraken):
    """A second order with the id is refused while the first rests, in either spelling, and taken afterwards."""
    await kraken.buy(cl_ord_id=UUID)
    for spelling in (UUID, UUID.upper(), UUID.replace("-", "")):
        refused = await kraken.code("AddOrder", **BASE, cl_ord_id=spelling)
        assert refused == "EGeneral:Invalid arguments:cl_ord_id not unique"
    assert await kraken.result("CancelOrder", cl_ord_id=UUID) == {"count": 1}
    await kraken.buy(cl_ord_id=UUID)
    assert len((await kraken.result("OpenOrders", cl_ord_id=UUID))["open"]) == 1
    assert (await kraken.result("ClosedOrders", cl_ord_id=UUID))["count"] == 1


async def test_cancelling_by_id_reference_and_client_id(kraken):
    """One id cancels one order; a user reference cancels all that bear it."""
    assert (await kraken.result("QueryOrders", txid=(none := await kraken.buy())))[none]["userref"] == 0
    txid = await kraken.buy(userref="5")
    await kraken.buy(userref="5")
    await kraken.buy(userref="6")
    assert await kraken.result("CancelOrder", txid=txid) == {"count": 1}
    assert await kraken.result("CancelOrder", txid="5") == {"count": 1}
    assert await kraken.result("CancelAll") == {"count": 2}
    row = (await kraken.result("ClosedOrders"))["closed"][txid]
    assert (row["status"], row["reason"], row["userref"]) == ("canceled", "User requested", 5)


async def test_cancelling_what_is_not_open_is_an_error(kraken):
    """A finished order is unknown; one that never was is invalid; nothing named is an argument error."""
    txid = await kraken.buy()
    await kraken.result("CancelOrder", txid=txid)
    assert await kraken.code("CancelOrder", txid=txid) == "EOrder:Unknown order"
    assert await kraken.code("CancelOrder", txid="OAAAAA-AAAAA-AAAAAA") == "EOrder:Invalid order"
    assert await kraken.code("CancelOrder", txid="12345") == "EOrder:Unknown order"
    assert await kraken.code("CancelOrder", cl_ord_id="gone") == "EOrder:Unknown order"
    assert await kraken.code("CancelOrder") == "EGeneral:Invalid arguments:txid"


async def test_other_accounts_orders_are_out_of_reach(kraken):
    """Bob neither sees nor cancels alice's order."""
    txid = await kraken.buy()
    assert (await kraken.result("OpenOrders", "bob"))["open"] == {}
    assert await kraken.code("QueryOrders", "bob", txid=txid) == "EOrder:Invalid order"
    assert await kraken.code("CancelOrder", "bob", txid=txid) == "EOrder:Invalid order"


async def test_the_ceiling_of_open_orders_is_per_pair(open_caller):
    """Starter rests sixty orders a pair; the next is refused, on another pair it is not."""
    kraken = open_caller(limits=False)
    for _ in range(60):
        await kraken.buy("1000", "0.001")
    assert await kraken.code("AddOrder", **BASE) == "EOrder:Orders limit exceeded"
    assert await kraken.buy("500", "0.1", pair="ETHUSD")


async def test_a_fresh_order_can_lag_in_open_orders(open_caller):
    """With a lag set, OpenOrders shows an order only after it, QueryOrders at once."""
    kraken = open_caller(limits=False, open_order_lag=2.0)
    txid = await kraken.buy()
    assert (await kraken.result("OpenOrders"))["open"] == {}
    assert txid in await kraken.result("QueryOrders", txid=txid)
    kraken.clock.advance(2)
    assert txid in (await kraken.result("OpenOrders"))["open"]


async def test_fees_in_base_are_taken_from_what_was_bought(kraken, total_assets):
    """With fcib the quote pays the bare cost and the base pays the fee."""
    before = total_assets(kraken.sandbox)
    dollars = money(kraken, "ZUSD")
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.1", "oflags": "fcib"}
    await kraken.result("AddOrder", **order)
    order = next(iter(kraken.sandbox.accounts["alice"].orders.values()))
    assert money(kraken, "ZUSD") == dollars - order.cost
    assert money(kraken, "XXBT") == Decimal("3.6") - order.fee
    assert total_assets(kraken.sandbox) == before


async def test_funds_must_cover_the_fee_where_it_is_taken(kraken):
    """A whole balance buys nothing when the fee comes on top of it, and does when it is taken from the other side."""
    buy = {**BASE, "price": "30000", "volume": "0.05"}
    assert money(kraken, "ZUSD", "dave") == 1500
    assert await kraken.code("AddOrder", "dave", **buy) == "EOrder:Insufficient funds"
    assert await kraken.result("AddOrder", "dave", **buy, oflags="fcib")
    sell = {**BASE, "type": "sell", "price": "200000", "volume": "3.5"}
    assert await kraken.code("AddOrder", **sell, oflags="fcib") == "EOrder:Insufficient funds"
    assert await kraken.result("AddOrder", **sell)
    assert await kraken.code("AddOrder", **{**sell, "volume": "0.001"}) == "EOrder:Insufficient funds"


async def test_volume_in_quote_currency_buys_for_that_much(kraken):
    """With viqc, a volume of 1000 on XBTUSD spends 1000 dollars, to the cent."""
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "1000", "oflags": "viqc"}
    (txid,) = (await kraken.result("AddOrder", **order))["txid"]
    row = (await kraken.result("QueryOrders", txid=txid))[txid]
    assert row["cost"] == "1000.00000"
    assert row["vol"] == "1000.00000000"
    assert row["descr"]["order"] == "buy 1000.00000000 XBTUSD @ market"
    assert Decimal(row["vol_exec"]) < 1


async def test_what_is_bought_through_several_levels_costs_as_much_as_was_said(kraken):
    """Each fill's cost is cut; the last one makes up for that. A book that holds less is bought empty, for less."""
    order = {"pair": "ADAUSD", "type": "buy", "ordertype": "market", "oflags": "viqc"}
    for volume in ("9000", "7000.01", "20000"):
        (txid,) = (await kraken.result("AddOrder", **order, volume=volume))["txid"]
        row = (await kraken.result("QueryOrders", txid=txid, trades="true"))[txid]
        assert Decimal(row["cost"]) == Decimal(volume)
        costs = [trade["cost"] for trade in (await kraken.result("QueryTrades", txid=",".join(row["trades"]))).values()]
        assert sum(map(Decimal, costs)) == Decimal(volume)
        kraken.clock.advance(60)


@pytest.mark.parametrize("volume", ["0.0001", "0.00012345"])
async def test_a_cost_has_the_digits_of_the_pair(kraken, volume):
    """Five for dollars, cut, whatever number of them the balance has; the money that moves has those of the balance."""
    for _ in range(3):
        await kraken.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume=volume)
    rows = (await kraken.result("TradesHistory", consolidate_taker="false"))["trades"].values()
    assert len(rows) >= 3
    for row in rows:
        exact = Decimal(row["price"]) * Decimal(row["vol"])
        assert row["cost"] == f"{exact.quantize(Decimal('0.00001'), ROUND_DOWN)}"
    assert any(not row["cost"].endswith("0") for row in rows)
    for line in kraken.sandbox.exchange.movements["alice"]:
        assert line.amount == round(line.amount, 10 if line.asset == "XXBT" else 4)


async def test_every_trade_is_in_the_ledger(kraken):
    """Each trade makes two lines; their amounts and fees add up to the balance."""
    await kraken.result("AddOrder", pair="ETHUSD", type="sell", ordertype="market", volume="2")
    rows = (await kraken.result("Ledgers"))["ledger"].values()
    assert {(row["type"], row["subtype"]) for row in rows} == {("trade", "tradespot")}
    rows = (await kraken.result("TradesHistory"))["trades"].values()
    assert {row["postxid"] for row in rows} == {"TKH2SE-M7IF5-CFI7LT"}  # no position was opened
    lines = kraken.sandbox.exchange.movements["alice"]
    fills = kraken.sandbox.exchange.fills["alice"]
    assert [line.refid for line in lines] == [fill.txid for fill in fills for _ in range(2)]
    assert [(line.asset, line.kind) for line in lines] == [("XETH", "trade"), ("ZUSD", "trade")] * len(fills)
    assert lines[-2].balance == money(kraken, "XETH") == 25 + sum(line.amount for line in lines[::2]) == 23
    assert lines[-1].balance == money(kraken, "ZUSD") == 250000 + sum(line.amount - line.fee for line in lines[1::2])


async def test_order_ids_look_like_krakens_and_follow_the_seed(open_caller):
    """The same seed gives the same ids, of the form OXXXXX-XXXXX-XXXXXX."""
    first, second, other = [await open_caller(seed=seed).buy() for seed in (1, 1, 2)]
    assert first == second != other
    head, middle, tail = first.split("-")
    assert (head[0], len(head), len(middle), len(tail)) == ("O", 6, 5, 6)

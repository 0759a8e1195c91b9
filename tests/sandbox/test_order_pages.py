"""Looking orders up: pages, bounds, filters."""

import pytest

pytestmark = pytest.mark.asyncio


async def closed(kraken, **params):
    page = await kraken.result("ClosedOrders", **params)
    return list(page["closed"]), page.get("count")


async def cancelled_orders(kraken, number):
    """Place orders ten seconds apart and cancel each five seconds later; returns their ids, oldest first."""
    txids = []
    for _ in range(number):
        txids.append(await kraken.buy())
        kraken.clock.advance(5)
        await kraken.result("CancelOrder", txid=txids[-1])
        kraken.clock.advance(5)
    return txids


async def test_pages_hold_fifty_rows_newest_first(kraken):
    """`ofs` counts rows, `count` is the grand total, and all pages together are all orders once."""
    txids = await cancelled_orders(kraken, 120)
    seen = []
    for offset in (0, 50, 100, 150):
        rows, count = await closed(kraken, ofs=str(offset))
        assert (len(rows), count) == (min(50, max(0, 120 - offset)), 120)
        seen += rows
    assert seen == txids[::-1]


async def test_without_count_leaves_the_total_out(kraken):
    """The page then holds rows only."""
    await cancelled_orders(kraken, 1)
    assert "count" not in await kraken.result("ClosedOrders", without_count="true")


async def test_start_is_exclusive_and_end_inclusive(kraken):
    """By closing time: an order closed exactly at `start` is left out, one closed exactly at `end` is in."""
    start = kraken.clock.wall_ns() // 10**9
    txids = await cancelled_orders(kraken, 4)  # closed at start + 5, 15, 25, 35
    rows, count = await closed(kraken, closetime="close", start=str(start + 5), end=str(start + 25))
    assert (rows, count) == ([txids[2], txids[1]], 2)


async def test_closetime_chooses_the_time_that_is_looked_at(kraken):
    """An order opened before and closed after a bound is found by the one time and not by the other."""
    start = kraken.clock.wall_ns() // 10**9
    (txid,) = await cancelled_orders(kraken, 1)  # opened at start, closed at start + 5
    assert await closed(kraken, closetime="open", start=str(start + 2)) == ([], 0)
    assert await closed(kraken, closetime="close", start=str(start + 2)) == ([txid], 1)
    assert await closed(kraken, start=str(start + 2)) == ([txid], 1)
    assert await kraken.code("ClosedOrders", closetime="never") == "EGeneral:Invalid arguments:closetime"


async def test_an_order_id_as_bound_means_its_opening_time(kraken):
    """`end` given as an id includes that order, `start` given as an id leaves it out."""
    txids = await cancelled_orders(kraken, 4)
    assert (await closed(kraken, closetime="open", start=txids[1]))[0] == [txids[3], txids[2]]
    assert (await closed(kraken, closetime="open", end=txids[1]))[0] == [txids[1], txids[0]]


async def test_filters_by_user_reference_and_client_id(kraken):
    """OpenOrders and ClosedOrders show only what bears the reference asked for."""
    plain, marked = await kraken.buy(), await kraken.buy(userref="9")
    named = await kraken.buy(cl_ord_id="mine-1")
    assert list((await kraken.result("OpenOrders", userref="9"))["open"]) == [marked]
    assert list((await kraken.result("OpenOrders", cl_ord_id="mine-1"))["open"]) == [named]
    await kraken.result("CancelAll")
    assert (await closed(kraken, userref="9"))[0] == [marked]
    assert (await closed(kraken))[1] == 3
    assert (await kraken.result("QueryOrders", txid=plain, userref="9")) == {}


@pytest.mark.parametrize("wrong", [{"userref": "abc"}, {"userref": str(2**31)}, {"cl_ord_id": "x" * 40}])
async def test_a_malformed_filter_is_refused(kraken, wrong):
    """Even where there is no order yet that it could leave out."""
    for name in ("OpenOrders", "ClosedOrders"):
        assert await kraken.code(name, **wrong) == f"EGeneral:Invalid arguments:{next(iter(wrong))}"


async def test_query_orders_takes_up_to_fifty_ids(kraken):
    """Fifty ids are answered, fifty-one and none at all are refused."""
    txid = await kraken.buy()
    assert list(await kraken.result("QueryOrders", txid=",".join([txid] * 50))) == [txid]
    assert await kraken.code("QueryOrders", txid=",".join([txid] * 51)) == "EGeneral:Invalid arguments:txid"
    assert await kraken.code("QueryOrders") == "EGeneral:Invalid arguments:txid"


async def test_open_and_closed_orders_need_their_own_permission(kraken):
    """A key that may see open orders only is refused a closed one, and the other way round."""
    kraken.sandbox.add_key("alice", label="open", permissions=("query-open-trades",))
    kraken.sandbox.add_key("alice", label="closed", permissions=("query-closed-trades",))
    resting, done = await kraken.buy(), await kraken.buy()
    await kraken.result("CancelOrder", txid=done)
    assert await kraken.result("QueryOrders", "open", txid=resting)
    assert await kraken.result("QueryOrders", "closed", txid=done)
    assert await kraken.code("QueryOrders", "open", txid=done) == "EGeneral:Permission denied"
    assert await kraken.code("QueryOrders", "closed", txid=resting) == "EGeneral:Permission denied"

"""The counters, by the examples worked out from Kraken's rules (https://docs.kraken.com/exchange/guides/rest/ratelimits)."""

import anyio
import pytest

pytestmark = pytest.mark.asyncio

REST_LIMIT = "EAPI:Rate limit exceeded"
ENGINE_LIMIT = "EOrder:Rate limit exceeded"
PUBLIC_LIMIT = "EGeneral:Too many requests"
ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.001"}


async def passes(caller, name="Balance", who="alice", **params):
    """Whether a call is let through."""
    answer = await caller.private(name, who, **params)
    assert answer["error"] in ([], [REST_LIMIT], [ENGINE_LIMIT])
    return not answer["error"]


def level(caller, pair="XXBTZUSD"):
    return caller.sandbox.limits.engine_level(caller.sandbox.accounts["alice"], pair)


async def test_starter_takes_fifteen_calls_and_then_one_per_three_seconds(open_caller):
    """E1: fifteen at once; the next needs 1/0.33 seconds; an empty counter after 45.5 seconds."""
    kraken = open_caller(tier="starter")
    for _ in range(15):
        assert await passes(kraken)
    assert kraken.sandbox.level("alice") == 15
    assert not await passes(kraken)
    kraken.clock.advance(3)
    assert not await passes(kraken)
    kraken.clock.advance(0.0304)
    assert await passes(kraken)
    assert not await passes(kraken)
    assert kraken.sandbox.stats.refusals(REST_LIMIT) == 3
    kraken.clock.advance(45.5)
    assert kraken.sandbox.level("alice") == 0
    assert kraken.sandbox.limits.peaks["alice"] == pytest.approx(15, abs=1e-4)


@pytest.mark.parametrize(("cost", "at_once"), [(2, 20), (4, 5)])
async def test_history_calls_cost_what_the_switch_says(open_caller, cost, at_once):
    """E2: on Pro, ClosedOrders at its dearer figure passes five times; the cheaper page counts it as one."""
    kraken = open_caller(tier="pro", history_cost=cost)
    for _ in range(at_once):
        assert await passes(kraken, "ClosedOrders")
    assert not await passes(kraken, "ClosedOrders")
    kraken.clock.advance(4)
    assert await passes(kraken, "ClosedOrders")


async def test_the_loose_reading_refuses_only_beyond_the_cap(open_caller):
    """E4: sixteen calls pass on Starter, the seventeenth finds the counter beyond the cap."""
    kraken = open_caller(strict=False)
    assert [await passes(kraken) for _ in range(17)] == [True] * 16 + [False]


async def test_stepped_decay_gives_nothing_between_two_steps(open_caller):
    """With steps of two seconds, the counter falls by two points at once."""
    kraken = open_caller(tier="pro", step=2.0)
    for _ in range(20):
        assert await passes(kraken)
    kraken.clock.advance(1.9)
    assert not await passes(kraken)
    kraken.clock.advance(0.1)
    assert [await passes(kraken) for _ in range(3)] == [True, True, False]


async def test_refused_calls_can_fill_the_counter_again(open_caller):
    """With the switch on, calling on while refused keeps the counter full."""
    kraken = open_caller(tier="pro", refused_counts=True)
    kraken.sandbox.limits.fill(kraken.sandbox.keys["alice"], 20)
    for _ in range(3):
        kraken.clock.advance(0.9)
        assert not await passes(kraken)
    kraken.clock.advance(1)
    assert await passes(kraken)


async def test_each_key_has_a_counter_of_its_own(open_caller):
    """A full counter of one key refuses no call of another."""
    kraken = open_caller()
    kraken.sandbox.limits.fill(kraken.sandbox.keys["alice"], 15)
    assert not await passes(kraken)
    assert await passes(kraken, who="bob")


async def test_limits_can_be_off(open_caller):
    """Without limits nothing is counted."""
    kraken = open_caller(limits=False)
    for _ in range(50):
        assert await passes(kraken)
    assert kraken.sandbox.level("alice") == 0


async def test_public_calls_share_the_address_but_trades_and_ohlc_count_per_pair(open_caller):
    """Time fills the address's bucket; OHLC of each pair has its own, whatever the pair is called."""
    kraken = open_caller(public_burst=2)
    for _ in range(2):
        assert (await kraken.public("Time"))["error"] == []
    assert (await kraken.public("SystemStatus"))["error"] == [PUBLIC_LIMIT]
    for name in ("XBTUSD", "BTC/USD"):
        assert (await kraken.public("OHLC", pair=name))["error"] == []
    assert (await kraken.public("OHLC", pair="XXBTZUSD"))["error"] == [PUBLIC_LIMIT]
    assert (await kraken.public("OHLC", pair="ETHUSD"))["error"] == []
    kraken.clock.advance(1)
    assert (await kraken.public("Time"))["error"] == []


async def test_placing_is_free_on_the_key_and_counted_by_the_engine(open_caller):
    """AddOrder leaves the REST counter alone and adds one point to the pair's."""
    kraken = open_caller()
    await kraken.buy()
    assert (kraken.sandbox.level("alice"), level(kraken), level(kraken, "XETHZUSD")) == (0, 1, 0)


async def test_a_refused_order_costs_its_point_all_the_same(open_caller):
    """The fixed point is charged on receipt even if the order fails validation."""
    kraken = open_caller()
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.0000001"}
    assert await kraken.code("AddOrder", **order) == "EOrder:Order minimum not met"
    assert level(kraken) == 1


async def test_cancelling_costs_by_the_age_of_the_order(open_caller):
    """F2 without the edit: young orders are dear to cancel, and the counter decays meanwhile."""
    kraken = open_caller(tier="starter")
    first = await kraken.buy()
    kraken.clock.advance(2)
    await kraken.result("CancelOrder", txid=first)
    assert level(kraken) == 8
    second = await kraken.buy()
    assert level(kraken) == 9
    kraken.clock.advance(8)
    await kraken.result("CancelOrder", txid=second)
    assert level(kraken) == 7
    kraken.clock.advance(2)
    third = await kraken.buy()
    assert level(kraken) == 6
    kraken.clock.advance(48)
    await kraken.result("CancelOrder", txid=third)
    assert level(kraken) == 2


@pytest.mark.parametrize(("tier", "left"), [("starter", 4.0), ("intermediate", 4.0), ("pro", 4.0)])
async def test_the_official_example_with_decay(open_caller, tier, left):
    """F1 without the amendment: an order cancelled after 43 seconds costs four points."""
    kraken = open_caller(tier=tier)
    txid = await kraken.buy()
    kraken.clock.advance(43)
    await kraken.result("CancelOrder", txid=txid)
    assert level(kraken) == left


@pytest.mark.parametrize("strict", [True, False])
async def test_add_and_cancel_in_cycles_until_the_counter_is_full(open_caller, strict):
    """F3: the eighth cancel meets 56 + 8 points: refused by the strict reading, let through by the loose one."""
    kraken = open_caller(tier="starter", strict=strict)
    for _ in range(7):
        txid = await kraken.buy()
        kraken.clock.advance(1)
        await kraken.result("CancelOrder", txid=txid)
    assert level(kraken) == 56
    txid = await kraken.buy()
    kraken.clock.advance(1)
    assert await passes(kraken, "CancelOrder", txid=txid) is not strict
    if not strict:
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01"}
        kraken.clock.advance(3.9)
        assert not await passes(kraken, "AddOrder", **order)
        kraken.clock.advance(0.2)
        assert await passes(kraken, "AddOrder", **order)


async def test_too_many_calls_at_once_are_throttled_until_a_time(open_caller):
    """With a concurrency limit, the call too many is told the unix time after which Kraken listens again."""
    for latency in (0.0, 0.01):
        kraken = open_caller(limits=False, most_at_once=2, latency=latency)
        answers = []

        async def ask(kraken=kraken, answers=answers):
            answers.append(await kraken.private("Balance"))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask)
            group.start_soon(kraken.result, "Balance", "bob")
        refused = [answer["error"] for answer in answers if answer["error"]]
        assert len(refused) == 3
        assert all(error[0].startswith("EService: Throttled: ") for error in refused)
        assert await kraken.result("Balance")


async def test_a_batch_cancel_is_carried_out_and_counted_beyond_the_threshold(open_caller):
    """F5: it is accepted whatever it costs; then the pair is blocked until the counter is below again."""
    kraken = open_caller(tier="starter")
    young = [await kraken.buy() for _ in range(20)]
    assert level(kraken) == 20
    assert await kraken.result("CancelOrderBatch", as_json=True, orders=young) == {"count": 20}
    assert level(kraken) == 20 + 20 * 8
    assert await kraken.code("AddOrder", **ORDER) == ENGINE_LIMIT
    assert await kraken.result("CancelAll") == {"count": 0}
    kraken.clock.advance(180 - 60 + 1)
    assert await kraken.result("AddOrder", **ORDER)


async def test_cancelling_everything_is_not_refused(open_caller):
    """It makes the account safer; a point for each pair is counted on top of a full counter."""
    kraken = open_caller(tier="starter")
    for _ in range(60):
        await kraken.buy()
    assert await kraken.code("AddOrder", **ORDER) == ENGINE_LIMIT
    assert await kraken.result("CancelAll") == {"count": 60}
    assert level(kraken) == 61


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("AmendOrder", {"limit_price": "20000.123456"}),
        ("AmendOrder", {"limit_price": "20001", "deadline": "2020-01-01T00:00:00Z"}),
        ("AmendOrder", {}),
        ("EditOrder", {"pair": "XBTUSD", "price": "20000.123456"}),
        ("EditOrder", {"pair": "XBTUSD", "price": "20001", "deadline": "2020-01-01T00:00:00Z"}),
        ("EditOrder", {"pair": "ETHUSD", "price": "20001"}),
        ("AddOrder", {**ORDER, "price": "20000.123456"}),
    ],
)
async def test_a_change_that_fails_validation_costs_its_fixed_part(open_caller, name, wrong):
    """It is charged on receipt; the penalty for a young order is not."""
    kraken = open_caller(tier="pro")
    txid = await kraken.buy()
    before = level(kraken)
    await kraken.code(name, **({} if name == "AddOrder" else {"txid": txid}), **wrong)
    assert level(kraken) == before + 1

"""An amend to less than has filled cancels the order, and is charged as the cancel that it may be."""

from decimal import Decimal
from fractions import Fraction

import anyio
import httpx
import pytest

from krakenasync import OutcomeUnknown
from krakenasync.spot.changes import AmendOrder

from .strict import add, costs, played, stands, unused


def test_an_amend_to_less_than_may_have_filled_is_charged_as_the_cancel_it_may_be():
    """Which of the two it is, Kraken does not tell; that it is no cancel is certain when the volume stays or grows."""

    async def script(engine, kraken, clock):
        ids = [await add(kraken) for _ in range(3)]
        await kraken.amend_order(txid=ids[0], order_qty="1")
        assert stands(kraken) == 3 + 4
        await kraken.amend_order(txid=ids[1], order_qty="0.5")
        assert stands(kraken) == 3 + 4 + 8
        await kraken.amend_order(txid=ids[1], order_qty="0.5", limit_price="99")  # was it no cancel, this is none
        assert stands(kraken) == 3 + 4 + 8 + 4
        await kraken.amend_order(txid=ids[2], limit_price="99")
        assert stands(kraken) == 3 + 4 + 8 + 4 + 4

    played(script)


@pytest.mark.parametrize("lost", [False, True])
def test_a_volume_that_an_unanswered_amend_may_have_raised_is_taken_for_raised(lost):
    """What then goes below it may be less than has filled."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        if lost:
            engine.script = [("AmendOrder", httpx.ReadTimeout("lost"), "answer lost")]
            with pytest.raises(OutcomeUnknown):
                await kraken.amend_order(txid=txid, order_qty="3")
        else:
            await kraken.amend_order(txid=txid, order_qty="3")
        before = stands(kraken)
        await kraken.amend_order(txid=txid, order_qty="2")
        assert stands(kraken) - before > 7  # not 4

    played(script)


def test_a_volume_is_lowered_only_if_it_is_known_which_amend_came_last():
    """Of two under way at once, and after one without an answer, the greater volume counts on."""

    async def price(kraken, txid, qty):
        before = stands(kraken)
        await kraken.amend_order(txid=txid, order_qty=qty)
        return stands(kraken) - before

    async def script(engine, kraken, clock):
        both, lost, clear = [await add(kraken) for _ in range(3)]
        async with anyio.create_task_group() as tasks:
            for qty in ("5", "3"):
                tasks.start_soon(lambda qty=qty: kraken.amend_order(txid=both, order_qty=qty))
        assert await price(kraken, both, "4") > 7
        engine.script = [("AmendOrder", httpx.ReadTimeout("lost"), "request lost")]
        with pytest.raises(OutcomeUnknown):
            await kraken.amend_order(txid=lost, order_qty="50")
        await kraken.amend_order(txid=lost, order_qty="3")
        assert await price(kraken, lost, "10") > 7
        await kraken.amend_order(txid=clear, limit_price="99")
        await kraken.amend_order(txid=clear, order_qty="0.5")
        assert await price(kraken, clear, "0.7") < 5

    played(script, tier="pro")


@pytest.mark.parametrize(
    ("may_arrive_for", "cost"), [(0.0, 4), (10.0, 8), (None, 8)], ids=["carried out", "unanswered", "not sent"]
)
def test_a_volume_is_lowered_only_by_an_amend_that_was_certainly_carried_out(may_arrive_for, cost):
    """Else the next one may still go below what has filled, and costs what a cancel does."""
    engine, ages, clock = unused()
    ages.born("XBTUSD", ["O1"], clock.monotonic(), volume=Decimal(1))
    over = engine.begin(AmendOrder.spec, {"txid": "O1", "order_qty": "0.5"})
    over(may_arrive_for)
    assert costs(engine, AmendOrder, txid="O1", order_qty="0.7") == {"XBTUSD": cost}


def test_an_amend_is_priced_by_the_volume_of_the_moment_it_is_sent():
    """One that came before it in line may have raised the order."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        for _ in range(58):
            await add(kraken)
        async with anyio.create_task_group() as tasks:
            for qty in ("12", "11"):
                tasks.start_soon(lambda qty=qty: kraken.amend_order(txid=txid, order_qty=qty))
        # The first goes after 3 s, for 4 points; the second would after 4 more, but costs 6 when it is 6 s old.
        assert clock.monotonic() == pytest.approx(3 + 6)

    played(script)


def test_an_unknown_order_is_amended_as_one_that_may_end():
    """Its volume is not known either."""

    async def script(engine, kraken, clock):
        await add(kraken)
        (price,) = kraken.limits.engine.price(AmendOrder.spec, {"txid": "O99999", "order_qty": "1"})
        assert price.cost() == 8

    played(script)


def test_a_volume_in_quote_currency_says_nothing_of_what_may_have_filled():
    """100 dollars' worth may be less than 1 bitcoin, or more."""

    async def script(engine, kraken, clock):
        txid = await add(kraken, oflags="viqc", ordertype="market", volume="100", price=None)
        (price,) = kraken.limits.engine.price(AmendOrder.spec, {"txid": txid, "order_qty": "100"})
        assert price.cost() == 8

    played(script)


@pytest.mark.parametrize("odd", ["NaN", "x", None, [1], True])
def test_a_raw_amend_of_any_volume_has_a_price(odd):
    """It is the dearer one where that is no volume."""

    async def script(engine, kraken, clock):
        txid = await add(kraken)
        (price,) = kraken.limits.engine.price(AmendOrder.spec, {"txid": txid, "order_qty": odd})
        assert price.cost() == (4 if odd is True else 8)

    played(script)


def test_amends_that_cancel_are_never_refused():
    """More than half of each order has filled when it is amended to half of it, again and again."""

    async def script(engine, kraken, clock):
        engine.fills = Fraction(6, 10)
        for _ in range(40):
            await kraken.amend_order(txid=await add(kraken), order_qty="0.5")
        assert not engine.orders

    played(script)

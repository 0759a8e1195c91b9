"""Orders of every kind, over the client, against the sandbox: what was placed can be read, wherever it is listed."""

from decimal import Decimal

import pytest

from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import in_process, run

# Kind, its prices as given, and as they are told of; those of trailing orders stay offsets.
KINDS = [
    ("limit", {"price": "20000"}, (Decimal("20000.0"), Decimal(0))),
    ("iceberg", {"price": "20000", "displayvol": "0.01"}, (Decimal("20000.0"), Decimal(0))),
    ("stop-loss", {"price": "900000"}, (Decimal("900000.0"), Decimal(0))),
    ("take-profit", {"price": "20000"}, (Decimal("20000.0"), Decimal(0))),
    ("stop-loss-limit", {"price": "900000", "price2": "910000"}, (Decimal("900000.0"), Decimal("910000.0"))),
    ("take-profit-limit", {"price": "20000", "price2": "21000"}, (Decimal("20000.0"), Decimal("21000.0"))),
    ("trailing-stop", {"price": "+5%"}, ("+5.0000%", Decimal(0))),
    ("trailing-stop", {"price": "+5000"}, ("+5000.0", Decimal(0))),
    ("trailing-stop-limit", {"price": "+5%", "price2": "-1%"}, ("+5.0000%", "-1.0000%")),
    ("trailing-stop-limit", {"price": "+5000", "price2": "+0"}, ("+5000.0", "+0.0")),
]
each_kind = pytest.mark.parametrize(("kind", "given", "told"), KINDS)


def play(scene):
    """Run ``scene(kraken, sandbox)`` in virtual time."""

    async def main(clock):
        running = in_process(SandboxConfig(limits=False), clock=clock)
        async with running.client() as kraken:
            return await scene(kraken, running.sandbox)

    return run(main)


@each_kind
def test_it_can_be_read_wherever_it_is_listed(kind, given, told):
    """Open, edited, cancelled, closed; one order that cannot be read would hide all others in the answer."""

    async def scene(kraken, _sandbox):
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": kind, "volume": "0.01"}
        (txid,) = (await kraken.add_order(**order, **given)).txid
        opened = (await kraken.open_orders()).open[txid]
        assert (opened.descr.price, opened.descr.price2) == told
        assert (await kraken.order_amends(order_id=txid)).amends[0].order_qty == Decimal("0.01")

        edited = await kraken.edit_order(txid=txid, pair="XBTUSD", volume="0.02")
        assert edited.ok
        assert (edited.price, edited.price2) == told
        await kraken.cancel_order(txid=edited.txid)

        asked = (await kraken.query_orders([edited.txid]))[edited.txid]
        listed = (await kraken.closed_orders()).closed[edited.txid]
        iterated = {closed.id: closed async for closed in kraken.iter_closed_orders()}[edited.txid]
        assert {asked.status, listed.status, iterated.status} == {"canceled"}
        assert asked.descr == listed.descr == iterated.descr
        assert (asked.descr.price, asked.descr.price2) == told

    play(scene)


@each_kind
def test_it_is_found_when_its_answer_is_lost(kind, given, told):
    """And adopted, not placed a second time."""

    async def scene(kraken, sandbox):
        sandbox.faults.add("AddOrder", "answer-lost-after")
        placed = await kraken.place_order(pair="XBTUSD", type="buy", ordertype=kind, volume="0.01", **given)
        assert (placed.adopted, placed.sends) == (True, 1)
        assert (placed.order.descr.price, placed.order.descr.price2) == told
        assert len(sandbox.accounts["alice"].orders) == 1

    play(scene)

"""Earn: strategies, operations that go on for a while, bonds, and money that stays the account's."""

from decimal import Decimal

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio

INSTANT = {"strategy_id": "ESRFUO3-Q62XD-WIOIL7"}
BONDED = {"strategy_id": "ESDQCOL-WTZEU-NU55QF"}
FLEX = {"strategy_id": "ESXUM7H-SJHQ6-KOQNNI"}
DAY = 86_400


@pytest_asyncio.fixture
async def saver(kraken):
    """A caller whose account has something of every asset."""
    kraken.sandbox.accounts["alice"].balances["DOT"] = Decimal(100)
    return kraken


async def amounts(kraken):
    (item,) = (await kraken.result("Earn/Allocations", hide_zero_allocations="true"))["items"]
    return {name: bucket["native"] for name, bucket in item["amount_allocated"].items()}


async def test_an_allocation_goes_on_after_its_answer(saver):
    """It is pending, another one of the strategy is refused as busy, then it is done; the balance is bound at once."""
    assert await saver.result("Earn/Allocate", amount="40", **INSTANT) is True
    assert await saver.result("Earn/AllocateStatus", **INSTANT) == {"pending": True}
    assert await amounts(saver) == {"total": "40.0000000000", "pending": "40.0000000000"}
    for call in ("Earn/Allocate", "Earn/Deallocate"):
        assert (await saver.code(call, amount="1", **INSTANT)).startswith("EEarnings:Busy:")
    saver.clock.advance(60)
    assert await saver.result("Earn/AllocateStatus", **INSTANT) == {"pending": False}
    assert await amounts(saver) == {"total": "40.0000000000"}
    balance = await saver.result("Balance")
    assert (balance["DOT"], balance["DOT.B"]) == ("60.0000000000", "40.0000000000")


async def test_what_is_taken_out_comes_back(saver):
    """Negative while pending; then it can be spent again, and the ledger has both ways."""
    await saver.result("Earn/Allocate", amount="40", **INSTANT)
    saver.clock.advance(60)
    await saver.result("Earn/Deallocate", amount="15", **INSTANT)
    assert await saver.result("Earn/DeallocateStatus", **INSTANT) == {"pending": True}
    assert await amounts(saver) == {"total": "40.0000000000", "pending": "-15.0000000000"}
    assert (await saver.result("Balance"))["DOT"] == "60.0000000000"
    saver.clock.advance(60)
    assert await amounts(saver) == {"total": "25.0000000000"}
    assert (await saver.result("Balance"))["DOT"] == "75.0000000000"
    entries = (await saver.result("Ledgers"))["ledger"].values()
    assert [(row["asset"], row["amount"], row["subtype"]) for row in entries if row["type"] == "earn"] == [
        ("DOT", "15.0000000000", "deallocation"),
        ("DOT.B", "-15.0000000000", "deallocation"),
        ("DOT.B", "40.0000000000", "allocation"),
        ("DOT", "-40.0000000000", "allocation"),
    ]


async def test_bonds_take_their_time(saver):
    """A bonded strategy bonds for days first, and lets go after days only."""
    await saver.result("Earn/Allocate", amount="2", **BONDED)
    saver.clock.advance(60)
    assert await amounts(saver) == {"total": "2.0000000000", "bonding": "2.0000000000"}
    saver.clock.advance(2 * DAY)
    assert await amounts(saver) == {"total": "2.0000000000"}
    await saver.result("Earn/Deallocate", amount="0.5", **BONDED)
    saver.clock.advance(60)
    assert await amounts(saver) == {"total": "2.0000000000", "unbonding": "0.5000000000"}
    saver.clock.advance(5 * DAY)
    assert await amounts(saver) == {"total": "1.5000000000"}
    assert (await saver.result("Balance"))["XETH"] == "23.5000000000"


@pytest.mark.parametrize(
    ("call", "params", "code"),
    [
        ("Earn/Allocate", {"amount": "1", "strategy_id": "none"}, "EGeneral:Invalid arguments:Invalid strategy ID"),
        ("Earn/AllocateStatus", {"strategy_id": "none"}, "EGeneral:Invalid arguments:Invalid strategy ID"),
        ("Earn/Allocate", {"amount": "1", **FLEX}, "EEarnings:Permission denied"),
        ("Earn/Allocate", {"amount": "0", **INSTANT}, "EGeneral:Invalid arguments:Invalid amount"),
        ("Earn/Allocate", {"amount": "0.0001", **BONDED}, "EEarnings:Below min"),
        ("Earn/Allocate", {"amount": "101", **INSTANT}, "EEarnings:Insufficient funds"),
        ("Earn/Deallocate", {"amount": "1", **INSTANT}, "EEarnings:Insufficient funds"),
        ("Earn/Allocate", {"amount": "1001", "strategy_id": "ESJ4KQ2-6QPRA-X7MHBD"}, "EEarnings:Above max"),
    ],
)
async def test_what_cannot_be_allocated_is_refused(saver, call, params, code):
    """Each in Kraken's words."""
    assert (await saver.code(call, **params)).startswith(code)


async def test_strategies_are_listed(kraken):
    """Filtered by asset and lock, sorted either way, cut into pages if asked."""
    items = (await kraken.result("Earn/Strategies"))["items"]
    assert {item["lock_type"]["type"] for item in items} == {"instant", "bonded", "flex"}
    upward = (await kraken.result("Earn/Strategies", ascending="true"))["items"]
    assert upward == items[::-1]
    (dot,) = (await kraken.result("Earn/Strategies", asset="DOT"))["items"]
    assert (dot["id"], dot["asset_class"]) == (INSTANT["strategy_id"], "currency")
    bonded = (await kraken.result("Earn/Strategies", **{"lock_type[0]": "bonded"}))["items"]
    assert all(item["lock_type"]["unbonding_period"] for item in bonded)
    page = await kraken.result("Earn/Strategies", limit=4)
    rest = await kraken.result("Earn/Strategies", limit=4, cursor=page["next_cursor"])
    assert (page["items"] + rest["items"], rest["next_cursor"]) == (items, None)


async def test_allocations_are_converted(saver):
    """By the market, into the currency asked for; past ones stay unless hidden."""
    await saver.result("Earn/Allocate", amount="2", **BONDED)
    dollars = await saver.result("Earn/Allocations")
    euros = await saver.result("Earn/Allocations", converted_asset="EUR")
    assert (dollars["converted_asset"], euros["converted_asset"]) == ("USD", "EUR")
    assert dollars["converted_asset_class"] == dollars["items"][0]["asset_class"] == "currency"
    assert dollars["items"][0]["is_utilized"] is False
    assert Decimal(dollars["total_allocated"]) > Decimal(euros["total_allocated"]) > 0
    saver.clock.advance(60)
    await saver.result("Earn/Deallocate", amount="2", **BONDED)
    saver.clock.advance(6 * DAY)
    assert len((await saver.result("Earn/Allocations"))["items"]) == 1
    assert (await saver.result("Earn/Allocations", hide_zero_allocations="true"))["items"] == []


async def test_what_no_market_prices_is_no_currency(saver):
    """Nothing trades XLM against dollars, so nothing can be converted into it."""
    code = await saver.code("Earn/Allocations", converted_asset="XLM")
    assert code == "EGeneral:Invalid arguments:converted_asset"

"""Fees by volume, as TradeVolume tells them and as trades pay them."""

from decimal import Decimal

import pytest

from krakenasync.sandbox.listings import PAIRS
from krakenasync.sandbox.schedules import fee_row, schedule_of, schedule_row

XBTUSD, EURUSD = PAIRS["XXBTZUSD"], PAIRS["ZEURZUSD"]
DAYS = 86_400


@pytest.mark.parametrize(
    ("volume", "fee", "following"),
    [
        ("0", "0.4000", ("0.3500", "10000.0000")),
        ("9999.9999", "0.4000", ("0.3500", "10000.0000")),
        ("10000", "0.3500", ("0.2400", "50000.0000")),
        ("99999999", "0.1000", (None, None)),
    ],
)
def test_a_step_is_reached_from_its_volume_on(volume, fee, following):
    """The fee of the step, the next one's, and the ends of the schedule."""
    row = fee_row(schedule_of(XBTUSD, maker=False), Decimal(volume))
    assert (row["fee"], (row["nextfee"], row["nextvolume"])) == (fee, following)
    assert (row["minfee"], row["maxfee"]) == ("0.1000", "0.4000")


def test_one_step_of_a_schedule_is_active():
    """The one that was reached."""
    tiers = schedule_row(XBTUSD, Decimal(60_000))["tiers"]
    assert [tier["min_spot_volume"] for tier in tiers if tier["active"]] == ["50000.0000"]


@pytest.mark.asyncio
async def test_fees_come_for_named_pairs_only(kraken):
    """By comma list or as objects with a class; pairs of two states' money have no maker's schedule."""
    assert (await kraken.result("TradeVolume"))["fees"] is None
    both = await kraken.result("TradeVolume", pair="XBTUSD,EURUSD")
    assert (set(both["fees"]), set(both["fees_maker"])) == ({"XXBTZUSD", "ZEURZUSD"}, {"XXBTZUSD"})
    listed = await kraken.result("TradeVolume", as_json=True, pair=[{"asset": "XBTUSD", "aclass": "forex"}])
    assert listed["fees"] == {"XXBTZUSD": both["fees"]["XXBTZUSD"]}
    assert "schedules" not in both
    (schedule,) = (await kraken.result("TradeVolume", pair="XBTUSD", fee_schedule="true"))["schedules"]
    assert schedule["pair"] == "XXBTZUSD"


@pytest.mark.asyncio
async def test_what_was_traded_lowers_the_fee_for_thirty_days(kraken):
    """The volume is the cost of the trades in dollars, the fee that is told is the fee that is paid."""
    for _ in range(2):
        await kraken.result("AddOrder", "erin", pair="XBTUSD", type="buy", ordertype="market", volume="1")
    first, second = (
        {key: Decimal(row[key]) for key in ("cost", "fee")}
        for row in reversed((await kraken.result("TradesHistory", "erin"))["trades"].values())
    )
    told = await kraken.result("TradeVolume", "erin", pair="XBTUSD")
    assert abs(Decimal(told["volume"]) - first["cost"] - second["cost"]) < Decimal("0.001")
    assert [round(each["fee"] / each["cost"] * 100, 4) for each in (first, second)] == [Decimal("0.4"), Decimal("0.24")]
    assert told["fees"]["XXBTZUSD"]["fee"] == "0.2200"
    kraken.clock.advance(30 * DAYS + 1)
    assert (await kraken.result("TradeVolume", "erin"))["volume"] == "0.0000"

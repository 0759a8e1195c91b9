"""Reports: queued, processed, fetched as a real zip, removed."""

import csv
import io
import json
import zipfile

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def trader(kraken):
    """A caller whose account has bought."""
    await kraken.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.1")
    kraken.clock.advance(1)
    return kraken


async def order(kraken, **more):
    return (await kraken.result("AddExport", **{"report": "trades", "description": "mine", **more}))["id"]


async def fetch(kraken, report):
    response = await kraken.send("RetrieveExport", id=report)
    assert response.headers["content-type"] == "application/octet-stream"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        (name,) = archive.namelist()
        return name, archive.read(name).decode()


async def test_a_report_is_made_with_time(trader):
    """Queued, Processing, Processed; it can be fetched only then."""
    report, seen = await order(trader), []
    assert (await trader.code("RetrieveExport", id=report)).startswith("EGeneral:Invalid arguments")
    for _ in range(3):
        (row,) = await trader.result("ExportStatus", report="trades")
        seen.append((row["status"], row["starttm"] != "0", row["completedtm"] != "0"))
        trader.clock.advance(8)
    assert seen == [("Queued", False, False), ("Processing", True, False), ("Processed", True, True)]
    assert (row["id"], row["descr"], row["datastarttm"]) == (report, "mine", "1777593600")
    assert (row["asset"], row["assets"]) == ("all", "all")
    assert await trader.result("ExportStatus", report="ledgers") == []


async def test_the_rows_are_those_of_the_history(trader):
    """All documented columns of every trade, oldest first, times as text."""
    report = await order(trader)
    trader.clock.advance(20)
    name, text = await fetch(trader, report)
    rows = list(csv.DictReader(io.StringIO(text)))
    history = (await trader.result("TradesHistory", consolidate_taker="false", ledgers="true"))["trades"]
    assert name == "trades.csv"
    assert [row["txid"] for row in rows] == list(reversed(history))
    for row in rows:
        shown = history[row["txid"]]
        assert row["time"].startswith("2026-05-28 20:26:40.")
        assert row["ledgers"].split(",") == shown["ledgers"]
        assert all(row[column] == shown[column] for column in ("price", "cost", "fee", "vol", "ordertxid", "pair"))


async def test_columns_format_and_span_are_chosen(trader):
    """A TSV of two columns of the ledger, newer names of assets; what lies outside the span is left out."""
    report = await order(trader, report="ledgers", format="TSV", fields="asset,amount")
    now = trader.clock.wall_ns() // 10**9
    empty = await order(trader, report="ledgers", starttm=now + 100, endtm=now + 200)
    trader.clock.advance(20)
    name, text = await fetch(trader, report)
    header, *rows = csv.reader(io.StringIO(text), delimiter="\t")
    assert (name, header) == ("ledgers.tsv", ["txid", "asset", "amount"])
    assert {row[1] for row in rows} == {"BTC", "USD"}
    assert len((await fetch(trader, empty))[1].splitlines()) == 1


async def test_numbers_are_bare_and_texts_quoted(trader):
    """As in Kraken's own files: a number keeps the digits of the history, and an empty text its quotes."""
    trades, ledger = await order(trader, fields="type,price,vol,misc"), await order(trader, report="ledgers")
    trader.clock.advance(20)
    header, first, *_ = (await fetch(trader, trades))[1].splitlines()
    assert header == '"txid","type","price","vol","misc"'
    history = (await trader.result("TradesHistory", consolidate_taker="false"))["trades"]
    row = history[json.loads(first.split(",")[0])]
    assert first.split(",")[1:] == ['"buy"', row["price"], row["vol"], '""']
    numbers = [line.rsplit(",", 3)[1:] for line in (await fetch(trader, ledger))[1].splitlines()[1:]]
    entries = reversed((await trader.result("Ledgers"))["ledger"].values())
    assert numbers == [[entry[name] for name in ("amount", "fee", "balance")] for entry in entries]


async def test_ledger_times_are_whole_seconds(trader):
    """Unlike those of trades, which have four digits more."""
    trader.clock.advance(0.25)
    await trader.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.1")
    reports = [await order(trader, report=kind, fields="time") for kind in ("trades", "ledgers")]
    trader.clock.advance(20)
    trades, ledger = [(await fetch(trader, report))[1].splitlines()[-1].split(",")[1] for report in reports]
    assert ledger == '"2026-05-28 20:26:41"'
    assert trades.startswith('"2026-05-28 20:26:41.2')


async def test_a_report_is_removed_in_the_way_that_fits(trader):
    """Cancel while it is made, delete when it is ready."""
    report = await order(trader)
    assert await trader.code("RemoveExport", id=report, type="delete") == "EGeneral:Invalid arguments:type"
    assert await trader.result("RemoveExport", id=report, type="cancel") == {"cancel": True}
    report = await order(trader)
    trader.clock.advance(20)
    assert await trader.result("RemoveExport", id=report, type="delete") == {"delete": True}
    assert await trader.code("RetrieveExport", id=report) == "EGeneral:Invalid arguments:id"


@pytest.mark.parametrize("wrong", [{"report": "x"}, {"format": "PDF"}, {"fields": "price,colour"}, {"description": ""}])
async def test_a_report_that_cannot_be_made_is_refused(trader, wrong):
    """The argument is named."""
    params = {"report": "trades", "description": "mine", **wrong}
    assert await trader.code("AddExport", **params) == f"EGeneral:Invalid arguments:{next(iter(wrong))}"


async def test_a_report_needs_the_right_to_its_data(trader):
    """export-data alone exports nothing."""
    trader.sandbox.keys["alice"].permissions = frozenset({"export-data"})
    code = await trader.code("AddExport", report="trades", description="mine")
    assert code == "EGeneral:Permission denied"

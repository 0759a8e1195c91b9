"""History on disk: no missing and no doubled row, whatever interrupts it."""

import csv
import json
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import anyio
import pytest

from krakenasync import ConfigurationError, InvalidArguments, LimitsConfig, ServiceUnavailable
from krakenasync.archive import KINDS, Progress, download
from krakenasync.archive.download import _Run
from krakenasync.archive.journal import Journal
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import in_process, run

TRADES = 70
ROWS = 2 * TRADES
SOURCE = ("http://sandbox", "key")

KILLED = """
import asyncio, os, signal, sys
from krakenasync import KrakenClient
from krakenasync.archive import download, journal

left, append = int(sys.argv[2]), journal.Journal.append

def last_words(self, line):
    global left
    append(self, line)
    left -= 1
    if left < 0:
        self._file.flush()  # as if the system had written a part of it
        os.kill(os.getpid(), signal.SIGKILL)

journal.Journal.append = last_words

async def main():
    async with KrakenClient.from_env() as kraken:
        await download(kraken, "ledgers", sys.argv[1])

asyncio.run(main())
"""


@pytest.fixture
def kraken_sandbox_config():
    """An exchange that counts nothing: how long one waits is not the question here."""
    return SandboxConfig(limits=False, tier="pro")


@pytest.fixture
def environment(monkeypatch, kraken_sandbox):
    """The environment of someone whose Kraken is the sandbox."""
    monkeypatch.setenv("KRAKEN_API_KEY", kraken_sandbox.api_key)
    monkeypatch.setenv("KRAKEN_API_SECRET", kraken_sandbox.api_secret)
    monkeypatch.setenv("KRAKEN_BASE_URL", kraken_sandbox.base_url)
    return kraken_sandbox


async def trade(kraken, times=TRADES):
    """Make history: two ledger entries a trade."""
    for _ in range(times):
        await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="0.0001")


async def expected(kraken):
    """Return the ids of all there is."""
    return sorted([row.id async for row in kraken.iter_ledgers()])


def ids(path):
    """Return the ids in a CSV file, sorted but not made unique."""
    with path.open(newline="") as lines:
        return sorted(row["id"] for row in csv.DictReader(lines))


@pytest.mark.asyncio
async def test_all_rows_are_there_and_later_runs_add_the_new_ones(kraken_sandbox, tmp_path):
    """A first run fetches all and agrees with Kraken's count; a second adds what has happened since, once."""
    out = tmp_path / "ledgers.csv"
    async with kraken_sandbox.client() as kraken:
        await trade(kraken)
        first = await download(kraken, "ledgers", out)
        await trade(kraken, 3)
        second = await download(kraken, "ledgers", out)
        third = await download(kraken, "ledgers", out)

        assert (first.new, first.rows, first.count, first.complete) == (ROWS, ROWS, ROWS, True)
        assert (second.new, second.rows, second.complete) == (6, ROWS + 6, True)
        assert third.new == 0
        assert ids(out) == await expected(kraken)


@pytest.mark.parametrize("lines", [0, 1, 20, 50, 51, 75, 100, 101, 130])
@pytest.mark.asyncio
async def test_a_broken_run_leaves_nothing_missing_or_doubled(kraken_sandbox, tmp_path, monkeypatch, lines):
    """Wherever a run ends, with rows on disk that do not count yet: the next one makes the file whole."""
    out = tmp_path / "ledgers.csv"
    append, left = Journal.append, iter(range(lines))

    def breaking(journal, line):
        append(journal, line)
        if next(left, None) is None:
            raise KeyboardInterrupt

    async with kraken_sandbox.client() as kraken:
        await trade(kraken)
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "append", breaking)
            with pytest.raises(KeyboardInterrupt):
                await download(kraken, "ledgers", out)
        await trade(kraken, 2)
        await download(kraken, "ledgers", out)  # ends the broken run
        await download(kraken, "ledgers", out)  # fetches what is newer
        assert ids(out) == await expected(kraken)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "save",
    [
        lambda whole: whole.replace(b"\n", b"\r\n"),
        lambda whole: b"\xef\xbb\xbf" + whole,
        lambda whole: whole.replace(b",", b";"),
        lambda whole: whole + whole[-400:],
    ],
)
async def test_what_another_program_has_saved_is_not_gone_on_with(kraken_sandbox, tmp_path, save):
    """A spreadsheet writes rows in its own way: cutting them off at the old place would lose some. More of the same
    behind them is what a killed run leaves, and is cut off."""
    out = tmp_path / "ledgers.csv"
    async with kraken_sandbox.client() as kraken:
        await trade(kraken, 5)
        await download(kraken, "ledgers", out)
        before = out.read_bytes()
        out.write_bytes(save(before))
        if save(before).startswith(before):
            await download(kraken, "ledgers", out)
            assert out.read_bytes() == before
        else:
            with pytest.raises(ConfigurationError, match="was changed since"):
                await download(kraken, "ledgers", out)
            assert out.read_bytes() == save(before)


@pytest.mark.asyncio
@pytest.mark.parametrize("wrong", ['"covered":"yesterday"', '"offset":-1', '"rows":"many"'])
async def test_a_damaged_position_is_told(kraken_sandbox, tmp_path, wrong):
    """In one line."""
    out = tmp_path / "ledgers.csv"
    async with kraken_sandbox.client() as kraken:
        await trade(kraken, 1)
        await download(kraken, "ledgers", out)
        beside = out.with_name("ledgers.csv.position")
        name = wrong.partition(":")[0]
        beside.write_text(re.sub(f"{name}:[^,]+", wrong, beside.read_text(encoding="utf-8")), encoding="utf-8")
        with pytest.raises(ConfigurationError, match="position cannot be read"):
            await download(kraken, "ledgers", out)


@pytest.mark.asyncio
@pytest.mark.parametrize("ending", ["csv", "ndjson"])
async def test_damaged_rows_are_told(kraken_sandbox, tmp_path, ending):
    """As a power cut leaves them, far before the end."""
    out = tmp_path / f"ledgers.{ending}"
    async with kraken_sandbox.client() as kraken:
        await trade(kraken, 40)
        await download(kraken, "ledgers", out)
        whole = out.read_bytes()
        out.write_bytes(whole[:20] + b"\0\xff" * 100 + whole[220:])
        with pytest.raises(ConfigurationError, match="cannot be read"):
            await download(kraken, "ledgers", out)


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
@pytest.mark.asyncio
async def test_rows_whose_position_was_not_written_do_not_count(kraken_sandbox, tmp_path, monkeypatch, writes):
    """Between the rows and their position on disk is a moment, too; ending there loses and doubles nothing."""
    out = tmp_path / "ledgers.csv"
    write, left = Journal._write_position, iter(range(writes))

    def breaking(journal):
        if next(left, None) is None:
            raise KeyboardInterrupt
        write(journal)

    async with kraken_sandbox.client() as kraken:
        await trade(kraken)
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "_write_position", breaking)
            with pytest.raises(KeyboardInterrupt):
                await download(kraken, "ledgers", out)
        report = await download(kraken, "ledgers", out)
        assert report.complete
        assert ids(out) == await expected(kraken)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such claim")
def test_two_runs_do_not_write_to_one_file(tmp_path):
    """The second one is refused while the first is at it, and welcome afterwards."""
    out = tmp_path / "ledgers.csv"
    with Journal(out, "csv", "ledgers", {}, SOURCE), pytest.raises(ConfigurationError, match="another run"):
        Journal(out, "csv", "ledgers", {}, SOURCE)
    with Journal(out, "csv", "ledgers", {}, SOURCE) as journal:
        assert journal.position.rows == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
@pytest.mark.parametrize("lines", [30, 90])
@pytest.mark.asyncio
async def test_kill_9_leaves_nothing_missing_or_doubled(environment, tmp_path, lines):
    """A process that is killed in the middle of a page leaves a file that the next run makes whole."""
    out = tmp_path / "ledgers.csv"
    async with environment.client() as kraken:
        await trade(kraken)
        killed = [sys.executable, "-c", KILLED, str(out), str(lines)]
        died = subprocess.run(killed, check=False)  # noqa: ASYNC221 - the sandbox runs in a thread
        assert died.returncode == -signal.SIGKILL
        assert out.stat().st_size > 0
        report = await download(kraken, "ledgers", out)
        assert (report.rows, report.complete) == (ROWS, True)
        assert ids(out) == await expected(kraken)


@pytest.mark.asyncio
async def test_a_failed_call_costs_no_row(kraken_sandbox, tmp_path):
    """An error ends the run; what is on disk counts."""
    out = tmp_path / "ledgers.csv"
    async with kraken_sandbox.client(max_attempts=1) as kraken:
        await trade(kraken)
        reached = []

        def fail_on_the_second_page(progress):
            reached.append(progress)
            if len(reached) == 1:
                kraken_sandbox.faults.add("Ledgers", "502")

        with pytest.raises(ServiceUnavailable):
            await download(kraken, "ledgers", out, on_progress=fail_on_the_second_page)
        report = await download(kraken, "ledgers", out)
        assert (report.new, report.rows) == (ROWS - 50, ROWS)
        assert ids(out) == await expected(kraken)


@pytest.mark.asyncio
async def test_the_time_left_is_what_the_limiter_needs(tmp_path):
    """A Starter's counter gets 0.33 points a second: two pages of 4 points after one are 0 s, many are not."""
    exchange = in_process(SandboxConfig())
    async with exchange.client() as kraken:
        with Journal(tmp_path / "x.csv", "csv", "ledgers", {}, SOURCE) as journal:
            run = _Run(kraken, KINDS["ledgers"], journal, "csv", {}, lambda _: None)
            journal.position.seen = 50
            assert run._progress(150) == Progress(50, 150, 0.0)
            assert run._progress(2050).seconds_left == pytest.approx((40 * 4 - 15) / 0.33)
            assert run._progress(None) == Progress(50, None, None)
    async with exchange.client(limits=LimitsConfig(dear_history=False)) as kraken:
        with Journal(tmp_path / "y.csv", "csv", "ledgers", {}, SOURCE) as journal:
            run = _Run(kraken, KINDS["ledgers"], journal, "csv", {}, lambda _: None)
            assert run._progress(2000).seconds_left == pytest.approx((40 * 2 - 15) / 0.33)


@pytest.mark.parametrize(
    ("kind", "filters", "key"),
    [
        ("trades", {}, "id"),
        ("closed-orders", {}, "id"),
        ("public-trades", {"pair": "XBTUSD"}, "trade_id"),
        ("ohlc", {"pair": "XBTUSD", "interval": 60}, "time"),
    ],
)
@pytest.mark.asyncio
async def test_every_kind_is_kept_and_kept_up_to_date(kraken_sandbox, tmp_path, kind, filters, key):
    """Each list comes to the disk, each row once, also when it is fetched again."""
    out = tmp_path / "history.ndjson"
    if kind == "public-trades":
        now = kraken_sandbox.sandbox.clock.wall_ns() // 10**9
        filters = {**filters, "since": datetime.fromtimestamp(now - 600, UTC)}
    async with kraken_sandbox.client() as kraken:
        await trade(kraken, 5)
        first = await download(kraken, kind, out, **filters)
        await trade(kraken, 2)
        kraken_sandbox.sandbox.clock.advance(5)
        second = await download(kraken, kind, out, **filters)
    keys = [json.loads(line)[key] for line in out.read_text().splitlines()]
    assert first.rows > 0
    assert second.rows == len(keys) == len(set(keys))
    assert kind == "ohlc" or second.new >= 2


@pytest.mark.asyncio
async def test_parquet_holds_exact_numbers(kraken_sandbox, tmp_path):
    """Amounts are decimals, moments are moments, and a second run's rows are in the file as well."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `export` is not installed")
    out = tmp_path / "ledgers.parquet"
    async with kraken_sandbox.client() as kraken:
        await trade(kraken, 4)
        await download(kraken, "ledgers", out)
        await trade(kraken, 1)
        await download(kraken, "ledgers", out)
        rows = parquet.read_table(out).to_pylist()
        entries = {entry.id: entry async for entry in kraken.iter_ledgers()}
    assert len(rows) == len(entries) == 10
    for row in rows:
        assert isinstance(row["amount"], Decimal)
        assert (row["amount"], row["time"]) == (entries[row["id"]].amount, entries[row["id"]].time)


@pytest.mark.parametrize("kind", ["trades", "closed-orders"])
@pytest.mark.asyncio
async def test_parquet_holds_lists_and_nested_fields(kraken_sandbox, tmp_path, kind):
    """Every kind of row fits its table."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `export` is not installed")
    out = tmp_path / "history.parquet"
    async with kraken_sandbox.client() as kraken:
        await trade(kraken, 2)
        await download(kraken, kind, out, trades=True)
    rows = parquet.read_table(out).to_pylist()
    assert len(rows) == 2
    assert all(isinstance(row["trades"], list) for row in rows)
    assert kind == "trades" or rows[0]["descr.pair"] == "XBTUSD"


@pytest.mark.asyncio
async def test_a_wrong_question_does_not_block_the_file(kraken_sandbox, tmp_path):
    """A run that got nothing leaves a file that may hold something else."""
    out = tmp_path / "candles.csv"
    async with kraken_sandbox.client() as kraken:
        with pytest.raises(InvalidArguments):
            await download(kraken, "ohlc", out, pair="XBTUSD", interval=7)
        assert (await download(kraken, "ohlc", out, pair="XBTUSD", interval=60)).rows > 0


@pytest.mark.asyncio
async def test_a_folder_that_is_not_there_is_said(kraken_sandbox, tmp_path):
    """Nothing is asked when there is no place to put it."""
    async with kraken_sandbox.client() as kraken:
        with pytest.raises(ConfigurationError, match="does its folder exist"):
            await download(kraken, "ledgers", tmp_path / "none" / "x.csv")
    assert not kraken_sandbox.stats.requests


@pytest.mark.asyncio
async def test_a_file_that_is_something_else_is_left_alone(kraken_sandbox, tmp_path):
    """Neither a file of the user's, nor another list's, nor one that was cut is written to."""
    async with kraken_sandbox.client() as kraken:
        await trade(kraken, 2)
        mine = tmp_path / "mine.csv"
        mine.write_text("precious")
        with pytest.raises(ConfigurationError, match="no position file beside it"):
            await download(kraken, "ledgers", mine)
        assert mine.read_text() == "precious"

        out = tmp_path / "ledgers.csv"
        await download(kraken, "ledgers", out)
        kept = out.read_bytes()
        with pytest.raises(ConfigurationError, match="not what is asked for"):
            await download(kraken, "trades", out)
        assert out.read_bytes() == kept
        out.write_bytes(kept[:-10])
        with pytest.raises(ConfigurationError, match="shorter"):
            await download(kraken, "ledgers", out)


@pytest.mark.asyncio
async def test_wrong_names_say_what_is_right(kraken_sandbox, tmp_path):
    """An unknown list and an unknown ending are refused before anything is asked."""
    async with kraken_sandbox.client() as kraken:
        with pytest.raises(InvalidArguments, match="closed-orders"):
            await download(kraken, "leggers", tmp_path / "x.csv")
        with pytest.raises(ConfigurationError, match=r"\.parquet"):
            await download(kraken, "ledgers", tmp_path / "x.xls")
    assert not kraken_sandbox.stats.requests


@pytest.mark.asyncio
async def test_a_file_belongs_to_one_account(kraken_sandbox, tmp_path):
    """Another key is refused and leaves the file as it was; `adopt` goes on; the key itself stands nowhere."""
    out = tmp_path / "ledgers.csv"
    async with kraken_sandbox.client() as alice, kraken_sandbox.client("bob") as bob:
        await trade(alice, 2)
        await download(alice, "ledgers", out)
        before, beside = out.read_bytes(), out.with_name("ledgers.csv.position")
        assert kraken_sandbox.api_key not in beside.read_text()
        with pytest.raises(ConfigurationError, match="another key"):
            await download(bob, "ledgers", out)
        assert out.read_bytes() == before
        await download(alice, "ledgers", out)  # its own key still goes on
        await download(bob, "ledgers", out, adopt=True)
        with pytest.raises(ConfigurationError, match="another key"):
            await download(alice, "ledgers", out)


@pytest.mark.asyncio
async def test_a_file_belongs_to_one_exchange(tmp_path):
    """What came from one address is not continued from another; a public list takes any key."""
    out = tmp_path / "candles.csv"
    exchange = in_process(SandboxConfig(limits=False))
    async with exchange.client() as kraken:
        await download(kraken, "ohlc", out, pair="XBTUSD")
    async with exchange.client("bob") as kraken:
        await download(kraken, "ohlc", out, pair="XBTUSD")
    beside = out.with_name("candles.csv.position")
    beside.write_text(beside.read_text().replace(kraken.identity[0], "https://api.kraken.com"))
    async with exchange.client() as kraken:
        with pytest.raises(ConfigurationError, match=r"from https://api\.kraken\.com, not from"):
            await download(kraken, "ohlc", out, pair="XBTUSD")


@pytest.mark.parametrize("tail", ["\n", "x", "rubbish\n" * 50])
@pytest.mark.asyncio
async def test_what_others_wrote_behind_the_rows_is_cut_off(kraken_sandbox, tmp_path, tail):
    """Also if there is nothing new to write in its place, and again and again."""
    path = tmp_path / "ledgers.csv"
    async with kraken_sandbox.client() as kraken:
        await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="0.01")
        await download(kraken, "ledgers", path)
        rows = path.read_text(encoding="utf-8")
        for _ in range(2):
            with path.open("a", encoding="utf-8") as file:
                file.write(tail)
            await download(kraken, "ledgers", path)
            assert path.read_text(encoding="utf-8") == rows


@pytest.mark.parametrize("kind", ["ledgers", "trades"])
@pytest.mark.parametrize(
    "write", [lambda each: each, lambda each: each.timestamp(), lambda each: str(each.timestamp())]
)
def test_a_later_run_adds_nothing_from_before_the_start(tmp_path, kind, write):
    """Though it begins a minute before the newest row it has."""

    async def main(clock):
        async with in_process(SandboxConfig(limits=False), clock=clock).client() as kraken:
            await trade(kraken, 3)
            await anyio.sleep(2)
            start = datetime.fromtimestamp(clock.wall_ns() / 1e9, UTC)
            await anyio.sleep(2)
            await trade(kraken, 3)
            out = tmp_path / "rows.ndjson"
            first = await download(kraken, kind, out, start=write(start))
            again = await download(kraken, kind, out, start=write(start))
            await trade(kraken, 1)
            third = await download(kraken, kind, out, start=write(start))
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        assert (first.new > 0, again.new, third.new > 0) == (True, 0, True)
        assert all(datetime.fromisoformat(row["time"]) > start for row in rows)

    run(main)


def test_a_later_run_of_public_trades_keeps_to_the_start_in_nanoseconds(tmp_path):
    """Whichever unit it is written in; an id as a start says no time, so the overlap decides."""

    async def main(clock):
        async with in_process(SandboxConfig(limits=False), clock=clock).client() as kraken:
            await trade(kraken, 2)
            await anyio.sleep(3)
            start = clock.wall_ns()
            await trade(kraken, 2)
            out = tmp_path / "rows.ndjson"
            await anyio.sleep(30)
            first = await download(kraken, "public-trades", out, pair="XBTUSD", since=str(start))
            again = await download(kraken, "public-trades", out, pair="XBTUSD", since=str(start))
        assert first.new >= 2
        assert again.new == 0

    run(main)


@pytest.mark.parametrize("made", ["rows.parquet", "rows.csv", "rows.csv.position", "rows.csv.position.new"])
@pytest.mark.asyncio
async def test_what_is_no_file_is_told_before_anything_is_fetched(kraken_sandbox, tmp_path, made):
    """A folder of that name, or where the position would be."""
    (tmp_path / made).mkdir()
    async with kraken_sandbox.client() as kraken:
        with pytest.raises(ConfigurationError):
            await download(kraken, "ledgers", tmp_path / (made if made.endswith("parquet") else "rows.csv"))
    assert not kraken_sandbox.stats.requests["Ledgers"]


@pytest.mark.asyncio
async def test_a_name_too_long_for_the_position_is_told(kraken_sandbox, tmp_path):
    """The rows' own name would just do."""
    async with kraken_sandbox.client() as kraken:
        with pytest.raises(ConfigurationError, match="cannot be written"):
            await download(kraken, "ledgers", tmp_path / ("a" * 246 + ".csv"))

"""Pictures: each of them shows what it was given."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from krakenasync import BalanceSnapshot, ConfigurationError, InvalidKey
from krakenasync.plots import Budget, bars, plot_balances, plot_budget, plot_candles, require
from krakenasync.sandbox import SandboxConfig
from krakenasync.spot.trades import Candle
from krakenasync.testing import in_process, run

REPORT = Path(__file__).parent.parent / "benchmarks" / "report.py"


@pytest.fixture
def picture(tmp_path):
    """Where a picture may go, if one can be made here."""
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    return tmp_path / "picture.svg"


def candle(hour, opened, closed):
    price = [Decimal(opened), Decimal(max(opened, closed) + 1), Decimal(min(opened, closed) - 1), Decimal(closed)]
    return Candle(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour), *price, Decimal(1), Decimal(1), 1)


def test_candles_that_rise_and_fall_differ(picture):
    """A candle has the colour of its direction, and the same candles are the same bytes."""
    plot_candles(picture, [candle(0, 10, 12), candle(1, 12, 9)], "XBTUSD - SANDBOX")
    drawn = picture.read_bytes()
    assert b"#2a9d6f" in drawn
    assert b"#c8553d" in drawn
    plot_candles(picture, [candle(0, 10, 12), candle(1, 12, 9)], "XBTUSD - SANDBOX")
    assert picture.read_bytes() == drawn


def test_png_is_made_too(picture):
    """The ending chooses the format."""
    target = picture.with_suffix(".png")
    plot_candles(target, [candle(0, 10, 12)], "XBTUSD")
    assert target.read_bytes().startswith(b"\x89PNG")


def test_balances_have_a_panel_for_each_asset(picture):
    """Snapshots without an answer are left out; every asset has its own scale."""
    seen = [
        BalanceSnapshot(at=n * 10**9, number=n, balances={"ZEUR": Decimal(n), "BCH": Decimal(1)}, changed={})
        for n in (1, 2)
    ]
    failed = BalanceSnapshot(at=3 * 10**9, number=3, balances={"X": Decimal(1)}, changed={}, error=InvalidKey("no"))
    plot_balances(picture, [*seen, failed])
    drawn = picture.read_text()
    assert drawn.count('<g id="axes_') == 2


def test_the_budget_stays_below_its_cap(picture):
    """Levels are recorded at every event of a client, and never pass the cap."""

    async def main(clock):
        budget = Budget(clock=clock)
        async with in_process(SandboxConfig(), clock=clock).client(hooks=[budget]) as kraken:
            budget.watch(kraken.limits)
            for _ in range(20):
                await kraken.balance()
        return budget.levels

    levels = run(main)
    assert len(levels) > 40
    assert 14 < max(level.points for level in levels) <= 15
    assert levels[-1].at > 10
    plot_budget(picture, levels)
    assert picture.read_text().count('<g id="line2d_') > 2


@pytest.mark.parametrize("draw", [plot_candles, plot_balances, plot_budget])
def test_nothing_makes_no_picture(draw, tmp_path):
    """There is no picture of nothing."""
    with pytest.raises(ConfigurationError, match="nothing to draw"):
        draw(tmp_path / "x.png", [], "title")
    with pytest.raises(ConfigurationError, match="nothing to draw"):
        bars(tmp_path / "x.png", "title", [], [])


def test_what_cannot_be_drawn_is_said_before(monkeypatch):
    """A wrong ending and a missing library are errors with a hint."""
    with pytest.raises(ConfigurationError, match=r"\.png or \.svg"):
        require("x.gif")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigurationError, match=r"krakenasync\[plot\]"):
        require("x.png")


PRINTED = (
    "Question: how many?\nBaseline: none at all\nMachine:  CPython 3.11.7, 2 CPUs, Linux x86_64, 2026-11-21\n\n"
    "client        tier   used  refused\n------------  ----  -----  -------\n"
    "krakenasync   pro   97.5%       50\nno limiter    pro   98.8%      200\n\nvirtual time\n"
)


def report(printed, picture, *more):
    asked = [sys.executable, str(REPORT), "--out", str(picture), *more]
    return subprocess.run(asked, input=printed, text=True, capture_output=True, check=False)


def test_a_benchmark_becomes_a_chart(picture):
    """benchmarks/report.py reads what a benchmark printed: a panel for each column of numbers, and whence they are."""
    assert report(PRINTED, picture).returncode == 0
    drawn = picture.read_text()
    assert drawn.count('<g id="axes_') == 2
    for said in ("how many?", "Baseline: none at all", "2 CPUs, Linux x86_64, 2026-11-21", "97.5%", "no limiter, pro"):
        assert said in drawn


def test_a_chart_tells_the_ratio(picture):
    """With --to every bar says how many times the baseline's it is; what no row is named is refused."""
    assert report(PRINTED, picture, "--to", "no limiter", "--title", "My own").returncode == 0
    drawn = picture.read_text()
    assert "50 (0.25x)" in drawn
    assert "97.5% (0.99x)" in drawn
    assert "My own" in drawn
    assert "how many?" not in drawn
    assert "no row is named" in report(PRINTED, picture, "--to", "nobody").stderr


def test_a_chart_shows_less_if_asked_to(picture):
    """Columns are chosen, rows left out; what is neither is refused."""
    assert report(PRINTED, picture, "--only", "refused", "--without", "krakenasync").returncode == 0
    drawn = picture.read_text()
    assert drawn.count('<g id="axes_') == 1
    assert "200" in drawn
    assert "krakenasync" not in drawn
    assert (
        "nothing is named 'lost', 'nobody'" in report(PRINTED, picture, "--only", "lost", "--without", "nobody").stderr
    )


def test_no_row_and_no_column_is_lost(picture):
    """Rows that only a number tells apart are named by it; two columns may bear one name."""
    printed = (
        "lock     calls  refused  beside  beside\n-------  -----  -------  ------  ------\n"
        "no lock     10        8      +0      -1\nno lock     50       47      +0      -2\n"
    )
    assert report(printed, picture).returncode == 0
    drawn = picture.read_text()
    assert drawn.count('<g id="axes_') == 3
    assert "no lock, 10" in drawn
    assert "no lock, 50" in drawn


def test_every_benchmark_prints_what_a_chart_is_made_of(picture):
    """The quickest of them, run for real: what `table` prints is what `report` reads, within each of its groups."""
    quick = [sys.executable, str(REPORT.parent / "bulk.py"), "--rounds", "1"]
    printed = subprocess.run(quick, capture_output=True, text=True, check=True).stdout
    ended = report(printed, picture, "--to", "json.loads")
    assert ended.returncode == 0, ended.stderr
    assert picture.read_text().count("(1.00x)") >= 4


def test_a_text_without_a_table_is_refused(picture):
    """What no benchmark printed ends with a sentence, not with a traceback."""
    ended = report("hello\n", picture)
    assert ended.returncode == 2
    assert "no table" in ended.stderr
    assert "Traceback" not in ended.stderr

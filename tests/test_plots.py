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
        bars(tmp_path / "x.png", "title", {})


def test_what_cannot_be_drawn_is_said_before(monkeypatch):
    """A wrong ending and a missing library are errors with a hint."""
    with pytest.raises(ConfigurationError, match=r"\.png or \.svg"):
        require("x.gif")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigurationError, match=r"krakenasync\[plot\]"):
        require("x.png")


def test_a_benchmark_becomes_a_chart(picture):
    """benchmarks/report.py reads what a benchmark printed: a panel for each column of numbers."""
    printed = (
        "Question: how many?\nBaseline: none\n\n"
        "client        tier   used  refused\n------------  ----  -----  -------\n"
        "krakenasync   pro   97.5%        0\nno limiter    pro   98.8%      198\n\nvirtual time\n"
    )
    subprocess.run([sys.executable, str(REPORT), "--out", str(picture)], input=printed, text=True, check=True)
    assert picture.read_text().count('<g id="axes_') == 2


def test_a_text_without_a_table_is_refused(picture):
    """What no benchmark printed ends with a sentence, not with a traceback."""
    asked = [sys.executable, str(REPORT), "--out", str(picture)]
    ended = subprocess.run(asked, input="hello\n", text=True, capture_output=True, check=False)
    assert ended.returncode == 2
    assert "no table" in ended.stderr
    assert "Traceback" not in ended.stderr

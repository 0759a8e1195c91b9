"""``krakenasync history``."""

import csv
import json

import pytest

from krakenasync.archive import Progress, Report
from krakenasync.cli import main
from krakenasync.cli.history import _advance, _bar, _conclude, _duration


def test_candles_come_into_a_file(tmp_path, capsys):
    """One command fetches, and says how many rows there are."""
    out = tmp_path / "candles.csv"
    assert main(["history", "ohlc", "--out", str(out), "--pair", "XBTUSD", "--interval", "60", "--sandbox"]) == 0
    with out.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["time", "open", "high", "low", "close", "vwap", "volume", "count"]
    assert f"{len(rows)} new rows of ohlc" in capsys.readouterr().out


def test_an_account_without_history_is_complete(tmp_path, capsys):
    """No rows is an answer, and agrees with Kraken's count."""
    assert main(["history", "trades", "--out", str(tmp_path / "trades.csv"), "--sandbox"]) == 0
    assert "0 new rows of trades, 0 in all, Kraken counts 0" in capsys.readouterr().out
    out = str(tmp_path / "again.csv")
    assert main(["history", "trades", "--out", out, "--sandbox", "--json"]) == 0
    told = {"file": out, "kind": "trades", "new": "0", "rows": "0", "kraken counts": "0"}
    assert json.loads(capsys.readouterr().out) == told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ohlc"], "--pair"),
        (["ledgers", "--pair", "XBTUSD"], "takes no --pair"),
        (["ohlc", "--pair", "XBTUSD", "--interval", "7"], "Choose from: 1, 5, 15"),
        (["ledgers", "--since", "soon"], "not a point in time"),
        (["trades", "--interval", "5"], "takes no --interval"),
    ],
)
def test_what_does_not_belong_together_is_refused(words, said, tmp_path, capsys):
    """A wrong combination is a matter of usage: 2."""
    assert main(["history", *words, "--out", str(tmp_path / "x.csv"), "--sandbox"]) == 2
    assert said in capsys.readouterr().err


def test_a_misspelled_pair_gets_its_suggestion(tmp_path, capsys):
    """And leaves nothing that hinders the next try."""
    words = ["history", "ohlc", "--sandbox", "--out", str(tmp_path / "x.csv"), "--pair"]
    assert main([*words, "XBTUDS"]) == 1
    assert "did you mean XBTUSD" in capsys.readouterr().err


def test_a_missing_row_is_not_passed_over(tmp_path, capsys):
    """Fewer rows than Kraken counts end with 1 and say what to do."""
    assert _conclude("ledgers", tmp_path / "x.csv", Report(90, 90, 90, 100)) == 1
    assert "100 rows were announced and 90 came" in capsys.readouterr().err


def test_the_bar_shows_the_time_the_limiter_needs():
    """The bar's words are rows, their count, and the limiter's time."""
    bar = _bar()
    task = bar.add_task("ledgers", total=None, left="")
    _advance(bar, task, Progress(50, 200, 75.2))
    (shown,) = bar.tasks
    assert (shown.completed, shown.total, shown.fields["left"]) == (50, 200, "of 200, 1:16 min left")
    assert _duration(5) == "5 s"

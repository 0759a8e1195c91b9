"""``krakenasync demo``."""

import json
import signal
import subprocess
import sys
from decimal import Decimal

import pytest

from krakenasync import Tier
from krakenasync.cli import demo, main
from krakenasync.cli.demo_view import Tally


def start(module, *tokens):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", module, *tokens],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("module", ["krakenasync", "krakenasync.cli"])
def test_json_lines_end_with_a_summary_without_refusals(module):
    """Several accounts are polled, balances move, nothing is refused, the exit code is 0."""
    process = start(module, "demo", "--seconds", "1.2", "--json")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    *snapshots, summary = map(json.loads, out.splitlines())
    assert {each["account"] for each in snapshots} == set(demo.TIERS)
    assert any(Decimal(amount) for each in snapshots for amount in each["changed"].values())
    assert summary["type"] == "summary"
    assert summary["answered"] >= len(snapshots)
    assert summary["refusals"] == summary["invalid_nonces"] == summary["rate_limited"] == 0
    assert 0 < summary["allowance_used"] <= 1


def test_plain_lines_without_a_terminal(capsys):
    """Piped, the demo prints lines and a summary."""
    assert main(["demo", "--seconds", "0.3"]) == 0
    out = capsys.readouterr().out
    assert "alice  starter" in out
    assert "0 refused (0 for the rate, 0 for their nonce)" in out


def test_a_live_table_on_a_terminal(capsys, monkeypatch):
    """On a terminal the table shows accounts, balances and budgets."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "140")
    assert main(["demo", "--seconds", "0.3"]) == 0
    out = capsys.readouterr().out
    assert "SANDBOX at http://127.0.0.1:" in out
    assert "of 15, -0.33/s" in out


def test_a_narrow_terminal_cuts_no_number_short(capsys, monkeypatch):
    """Where not all columns have room, counts are left out and amounts are not."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "60")
    assert main(["demo", "--seconds", "0.3"]) == 0
    out = capsys.readouterr().out
    assert "75.0000000000" in out or "250000.0000" in out
    assert "…" not in out


def test_a_terminal_that_cannot_draw_gets_lines(capsys, monkeypatch):
    """TERM=dumb: a live table would only be seen at the end."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    assert main(["demo", "--seconds", "0.3"]) == 0
    assert "alice  starter" in capsys.readouterr().out


def test_ctrl_c_ends_it_quietly():
    """An interruption is no error: 130, and nothing on standard error."""
    process = start("krakenasync", "demo", "--json")
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")


def test_a_reader_that_goes_away_ends_it_quietly():
    """`krakenasync demo | head -1` shows no error."""
    process = start("krakenasync", "demo", "--json")
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=20) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_refusal_would_break_the_promise():
    """The demo fails when the exchange refused anything."""
    kept = Tally(seconds=1, sent=3, answered=3, refusals=0, invalid_nonces=0, rate_limited=0, share=0.1)
    broken = Tally(seconds=1, sent=3, answered=2, refusals=1, invalid_nonces=1, rate_limited=0, share=0.1)
    assert kept.promise_kept
    assert not broken.promise_kept
    assert "1 refused (0 for the rate, 1 for their nonce)" in broken.text().plain


def test_each_tier_is_shown():
    """The demo covers all tiers."""
    assert set(demo.TIERS.values()) == set(Tier)

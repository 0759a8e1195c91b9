"""What commands print."""

from decimal import Decimal

import pytest

from krakenasync import InvalidArguments
from krakenasync.cli.rendering import AS_TABLE, Output, Screen, Sheet, amount, moment, remark, show


@pytest.mark.parametrize(("value", "text"), [("0E-10", "0.0000000000"), ("1E+3", "1000"), ("1.50", "1.50")])
def test_an_amount_is_written_out(value, text):
    """No exponent, no digit lost."""
    assert amount(Decimal(value)) == text


def test_a_moment_is_utc_to_the_millisecond():
    """Moments sort as text."""
    assert moment(1_780_000_000_250_000_000) == "2026-05-28T20:26:40.250Z"


def test_one_form_at_a_time():
    """JSON and CSV at once make no sense."""
    with pytest.raises(InvalidArguments, match="exclude"):
        Output(json=True, csv=True)


def test_cells_are_shown_as_they_are(capsys):
    """What a server says is not taken for markup."""
    show(Sheet("title", ["name"], [["[red]x[/red]"]]), Output())
    assert "[red]x[/red]" in capsys.readouterr().out


def test_a_closed_pipe_is_told_to_the_command():
    """rich would leave the process with 1."""
    with pytest.raises(BrokenPipeError):
        Screen().on_broken_pipe()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 160])
def test_no_digit_is_cut_off_on_a_narrow_terminal(width, monkeypatch, capsys):
    """Where a table has no room its fields stand below each other; names and numbers are whole in any width."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "dumb")
    row = ["XXBTZUSD", *["62152.40000"] * 5, "172.79372500"]
    columns = ["pair", "bid", "ask", "last", "high 24h", "low 24h", "volume 24h"]
    show(Sheet("Prices - SANDBOX", columns, [row, row], right=frozenset(columns[1:])), Output())
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert (out.count("62152.40000"), out.count("172.79372500"), out.count("XXBTZUSD")) == (10, 2, 2)
    assert "…" not in out


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_word_is_cut_off_on_a_narrow_terminal(width, monkeypatch, capsys):
    """An id is copied whole into the next command."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "dumb")
    own = "5962ad2b-e706-4a26-9e45-8d1f0c2b7a11"
    row = ("OABCDE-FGHIJ-KLMNOP", own, "buy 0.01000000 XBTUSD @ limit 30000.0")
    show(Sheet("Order placed - SANDBOX", ("id", "cl_ord_id", "order"), [row]), Output())
    assert own in capsys.readouterr().out


def test_what_would_steer_a_terminal_is_written_out(capsys):
    """An error and a table show what a server said, but do not do it; lines stay lines, letters of any script too."""
    remark("no: \x1b]0;you\x07 \x9b2J\nnext: é €")
    assert capsys.readouterr().err == "no: \\x1b]0;you\\x07 \\x9b2J\nnext: é €\n"
    show(Sheet("t", ("a",), [("\x1b[31mred",)]), AS_TABLE)
    assert "\x1b[31mred" not in capsys.readouterr().out

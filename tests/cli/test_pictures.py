"""``--plot`` and ``--chart``: checked before anything is asked, drawn instead of a table."""

import sys

import pytest

from krakenasync.cli import main

COMMANDS = [["ohlc", "XBTUSD"], ["limits", "--calls", "2"], ["balances", "--watch"]]


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize(
    ("plot", "said"), [("x.gif", ".png or .svg"), ("missing/x.png", "cannot be written"), (".svg", "not a picture")]
)
def test_a_file_that_cannot_be_is_said_before_kraken_is_asked(words, plot, said, environment, tmp_path, capsys):
    """A wrong ending and a folder that is not there are a matter of usage: 2, and nothing was sent."""
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    asked = environment.stats.requests
    assert main([*words, "--plot", str(tmp_path / plot)]) == 2
    assert said in capsys.readouterr().err
    assert environment.stats.requests == asked
    assert not [*tmp_path.glob("**/*.svg")]


@pytest.mark.parametrize(("option", "module"), [("--plot=x.png", "matplotlib"), ("--chart", "plotext")])
def test_a_missing_extra_is_named(option, module, environment, monkeypatch, capsys):
    """Without the library the error says what to install: 2, and nothing was sent."""
    asked = environment.stats.requests
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["ohlc", "XBTUSD", option]) == 2
    assert "pip install 'krakenasync[plot]'" in capsys.readouterr().err
    assert environment.stats.requests == asked


@pytest.mark.parametrize("words", [["ohlc", "XBTUSD"], ["limits", "--calls", "2"]])
def test_a_picture_is_written(words, environment, tmp_path, capsys):
    """The file is there and named on standard error; rows for programs still come."""
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    target = tmp_path / "x.svg"
    assert main([*words, "--plot", str(target)]) == 0
    shown = capsys.readouterr()
    assert (shown.out, "is written" in shown.err) == ("", True)
    assert "SANDBOX" in target.read_text()
    assert main([*words, "--plot", str(target), "--json"]) == 0
    assert capsys.readouterr().out.startswith("{")


@pytest.mark.parametrize("words", [["ohlc", "XBTUSD"], ["limits", "--calls", "2"]])
def test_a_chart_stands_on_the_terminal(words, environment, capsys):
    """It has the title with its source, fits the width and has no colours in a pipe."""
    pytest.importorskip("plotext", reason="the extra `plot` is not installed")
    assert main([*words, "--chart"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "SANDBOX" in lines[0]
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["limits", "--chart"], "--calls"),
        (["balances", "--chart"], "--watch"),
        (["balances", "--watch", "--chart"], "terminal"),
        (["ohlc", "XBTUSD", "--chart", "--json"], "exclude each other"),
    ],
)
def test_what_gives_no_picture_is_refused(words, said, environment, capsys):
    """Each wrong combination says what to add or leave out."""
    assert main(words) == 2
    assert said in capsys.readouterr().err

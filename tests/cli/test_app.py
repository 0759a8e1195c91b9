"""The command as a whole: words in, exit code out."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from krakenasync import __version__, cli

MARKET = {"ticker", "ohlc", "depth", "trades"}
ACCOUNT = {"balances", "orders", "order", "export", "limits"}
COMMANDS = MARKET | ACCOUNT | {"call", "completion", "demo", "doctor", "endpoints", "login", "sandbox"}


@pytest.mark.parametrize("tokens", [[], ["--help"], ["-h"]])
def test_help_names_every_command(tokens, capsys):
    """Without words, or asked for help, the commands are listed."""
    assert cli.main(tokens) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


def test_version(capsys):
    """--version prints the version alone."""
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["balancs"], 'Did you mean "balances"?'),
        (["--sandbox"], "--sandbox alone is no command"),
        (["--tier"], "--tier alone is no command"),
        (["--verson"], "unknown option --verson"),
        (["balances", "extra"], "balances does not take 'extra'"),
        (["ticker"], "ticker: PAIR is missing"),
        (["zzz"], 'Unknown command "zzz" hint:'),
        (["order", "buy", "XBTUSD", "1", "--price"], "order buy: --price needs a value"),
        (["history", "ledgers"], "history: --out is missing"),
        (["history", "ledgers", "-o"], "history: -o needs a value"),
        (["ohlc", "XBTUSD", "--interval", "7"], "Choose from: 1, 5, 15"),
        (["completion", "tcsh"], "fish"),
        (["endpoints", "--cvs"], "Did you mean --csv?"),
        (["balances", "--wach"], "Did you mean --watch?"),
        (["balances", "--every", "soon"], "--every"),
        (["balances", "--every", "0"], "Must be > 0"),
        (["balances", "--json", "--csv"], "exclude each other"),
        (["balances", "--sandbox", "--base-url", "http://x"], "exclude each other"),
        (["balances", "--sandbox", "--tier", "gold"], "unknown tier 'gold'"),
        (["demo", "--seconds", "-1"], "--seconds"),
        (["sandbox", "--prt", "1"], "Did you mean --port?"),
        (["sandbox", "--port", "70000"], "65535"),
        (["sandbox", "--api-key", "k"], "--api-secret is missing"),
        (["sandbox", "--api-key", "k", "--api-secret", "?"], "not base64"),
        (["sandbox", "--history-cost", "3"], "--history-cost"),
    ],
)
def test_a_wrong_word_is_explained_and_ends_with_2(tokens, said, capsys):
    """Usage errors say what is wrong, on standard error, and exit with 2."""
    assert cli.main(tokens) == 2
    shown = capsys.readouterr()
    assert said in " ".join(shown.err.replace("│", " ").split())
    assert not shown.out


def test_a_missing_extra_says_what_to_install(monkeypatch, capsys):
    """Without the extra the command is one clear line, not a traceback."""
    monkeypatch.delitem(sys.modules, "krakenasync.cli.app")
    monkeypatch.setitem(sys.modules, "cyclopts", None)
    assert cli.main(["demo"]) == 2
    assert "pip install 'krakenasync[cli]'" in capsys.readouterr().err


def test_another_missing_module_is_not_explained_away(monkeypatch):
    """Only what the extra would bring is answered with the extra."""
    monkeypatch.delitem(sys.modules, "krakenasync.cli.app")
    monkeypatch.setitem(sys.modules, "krakenasync.cli.demo", None)
    with pytest.raises(ModuleNotFoundError, match=r"krakenasync\.cli\.demo"):
        cli.main(["demo"])


def in_a_shell(line, **environment):
    """Run a line as a shell does, with krakenasync as a function."""
    line = f'krakenasync() {{ {shlex.quote(sys.executable)} -m krakenasync "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=False, timeout=60, env=os.environ | environment
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash on this machine")
@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("krakenasync endpoints >&-", 0, ""),
        ("krakenasync --help >&-", 0, ""),
        ("krakenasync balancs 2>&-", 2, ""),
        ("krakenasync order cancel-all --base-url http://127.0.0.1:1 <&-", 2, "add --yes"),
        ("krakenasync endpoints --json | head -1 >&2; exit ${PIPESTATUS[0]}", 0, '{"method":'),
        ("krakenasync --help | head -1 >&2; exit ${PIPESTATUS[0]}", 0, "Usage:"),
        ("krakenasync endpoints > /dev/full", 6, "the result cannot be written: No space left on device"),
        ("krakenasync endpoints > /dev/full", 6, "a history goes on where it stood"),
    ],
)
def test_streams_that_are_closed_or_full_are_no_accident(line, code, said):
    """Nobody reads, nobody can answer, the disk is full: each ends as documented, and never with a traceback."""
    if "/dev/full" in line and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    ended = in_a_shell(line, KRAKEN_API_KEY="key", KRAKEN_API_SECRET="c2VjcmV0")
    assert ended.returncode == code
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["completion zsh", "endpoints", "--help"])
def test_a_terminal_without_unicode_is_no_accident(command):
    """What ASCII cannot show is spelled out or drawn with what there is."""
    ended = in_a_shell(f"krakenasync {command}", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stdout.isascii()) == (0, True)

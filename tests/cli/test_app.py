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
        (["--sandbox"], "--sandbox alone is not a command"),
        (["--tier"], "--tier alone is not a command"),
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
        ("krakenasync endpoints > /dev/full", 6, "a history resumes where it stopped"),
        ("krakenasync endpoints &> /dev/full", 6, ""),
        ("krakenasync balancs 2> /dev/full", 2, ""),
        ("krakenasync ticker XBTUSD --base-url http://127.0.0.1:1 2> /dev/full", 3, ""),
        ("krakenasync ticker XBTUSD --base-url http://127.0.0.1:1 2>&1 | true; exit ${PIPESTATUS[0]}", 3, ""),
        ("krakenasync sandbox > /dev/full", 6, "the result cannot be written: No space left on device"),
        ("krakenasync sandbox | true; exit ${PIPESTATUS[0]}", 0, ""),
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


def test_an_order_that_nobody_could_be_told_of_was_placed_all_the_same(kraken_sandbox):
    """A script that repeats what was refused must not repeat this: standard error is full as well."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    key = {"KRAKEN_API_KEY": kraken_sandbox.api_key, "KRAKEN_API_SECRET": kraken_sandbox.api_secret}
    order = "krakenasync order buy XBTUSD 0.01 --price 30000 --yes &> /dev/full"
    assert in_a_shell(order, KRAKEN_BASE_URL=kraken_sandbox.base_url, **key).returncode == 6
    assert kraken_sandbox.stats.requests["AddOrder"] == 1


SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="


@pytest.mark.parametrize(
    "line",
    [
        f"krakenasync login key {SECRET}",
        "krakenasync login hunter2",
        f"krakenasync balances {SECRET}",
        f"KRAKEN_PROFILE={SECRET} krakenasync balances",
        f"KRAKEN_NONCE_WINDOW={SECRET} krakenasync balances",
        f"KRAKEN_TIER={SECRET} krakenasync balances",
        f"KRAKEN_API_KEY=k KRAKEN_API_SECRET_FILE={SECRET} krakenasync balances",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(line):
    """What is said ends up in logs."""
    ended = in_a_shell(line)
    assert ended.returncode == 2
    assert "error: " in ended.stderr
    assert SECRET[:20] not in ended.stderr
    assert "hunter2" not in ended.stderr


@pytest.mark.parametrize("command", ["completion zsh", "endpoints", "--help"])
def test_a_terminal_without_unicode_is_no_accident(command):
    """What ASCII cannot show is spelled out or drawn with what there is."""
    ended = in_a_shell(f"krakenasync {command}", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stdout.isascii()) == (0, True)

"""Options of all commands, before and behind the command; how much is said."""

import json

import pytest

from krakenasync.cli import main
from krakenasync.cli.words import Voice, arrange


@pytest.mark.parametrize(
    ("tokens", "before", "rest"),
    [
        (["balances", "--json"], [], ["balances", "--json"]),
        (["--json", "--tier", "pro", "balances"], ["--json", "--tier", "pro"], ["balances"]),
        (["--base-url=http://x", "orders", "open"], ["--base-url=http://x"], ["orders", "open"]),
        (["--help"], [], ["--help"]),
        (["--tier"], ["--tier"], []),
        (["call", "X", "--", "-q"], [], ["call", "X", "--", "-q"]),
    ],
)
def test_options_before_the_command_are_found(tokens, before, rest):
    """Only what stands before the command is taken away, and nothing behind a double dash."""
    assert arrange(tokens) == (before, rest, Voice())


@pytest.mark.parametrize(
    "tokens",
    [
        ["--sandbox", "--json", "order", "buy", "XBTUSD", "0.01", "--price", "30000", "--validate"],
        ["order", "--sandbox", "buy", "--json", "XBTUSD", "0.01", "--price", "30000", "--validate"],
        ["order", "buy", "XBTUSD", "0.01", "--price", "30000", "--validate", "--sandbox", "--json"],
    ],
)
def test_before_or_behind_is_the_same(tokens, capsys):
    """The options of all commands mean the same wherever they stand."""
    assert main(tokens) == 0
    rows = {row["parameter"]: row["value"] for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["price"] == "30000"


def test_quiet_leaves_errors_and_results(capsys):
    """--quiet silences remarks, not results and not errors."""
    assert main(["-q", "--sandbox", "limits"]) == 0
    shown = capsys.readouterr()
    assert "SANDBOX" in shown.out
    assert not shown.err
    assert main(["ticker", "NOPE", "--sandbox", "--quiet"]) == 1
    assert "error:" in capsys.readouterr().err


def test_verbose_tells_every_step_without_secrets(environment, capsys):
    """--verbose tells of each call on standard error, and of no key."""
    assert main(["balances", "--verbose"]) == 0
    shown = capsys.readouterr()
    assert "Answered(endpoint='Balance'" in shown.err
    assert environment.api_key not in shown.err
    assert environment.api_secret not in shown.err
    assert main(["balances"]) == 0
    assert not capsys.readouterr().err


def test_quiet_and_verbose_exclude_each_other(capsys):
    """Both at once is a usage error."""
    assert main(["-q", "-v", "limits"]) == 2
    assert "exclude each other" in capsys.readouterr().err

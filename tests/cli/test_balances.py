"""``krakenasync balances``."""

import asyncio
import csv
import json
from decimal import Decimal

import pytest

from krakenasync import InvalidKey, NotSent
from krakenasync.cli import main
from krakenasync.cli.balances import _good, _news
from krakenasync.client.polling import BalanceSnapshot


def snapshot(number=1, error=None, changed=None):
    return BalanceSnapshot(at=0, number=number, balances={"ZUSD": Decimal("1.50")}, changed=changed or {}, error=error)


def test_a_table_says_sandbox(capsys):
    """--sandbox needs nothing, and the table's title says that it is not real."""
    assert main(["balances", "--sandbox"]) == 0
    shown = capsys.readouterr()
    assert "SANDBOX" in shown.out
    assert "250000.0000" in shown.out
    assert not shown.err


def test_json_keeps_every_digit(capsys):
    """--json is one object a line, amounts as text."""
    assert main(["balances", "--sandbox", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["source"] == "SANDBOX"
    assert record["balances"]["ZUSD"] == "250000.0000"


def test_csv_has_a_header(capsys):
    """--csv is a header and a row for each asset."""
    assert main(["balances", "--sandbox", "--csv"]) == 0
    rows = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert rows[0] == ["asset", "balance"]
    assert ["ZUSD", "250000.0000"] in rows


def test_the_environment_names_the_account(environment, capsys):
    """Key, secret and address come from the environment; a sandbox's address is recognised as one."""
    assert main(["balances"]) == 0
    assert "SANDBOX" in capsys.readouterr().out
    assert environment.stats.requests["Balance"] == 1


def test_a_refusal_ends_with_1(environment, capsys):
    """What Kraken refuses is one line and a hint."""
    environment.faults.add("Balance", "EAPI:Invalid key")
    assert main(["balances"]) == 1
    assert "error: Balance: EAPI:Invalid key" in capsys.readouterr().err


def test_without_a_key_it_says_what_to_set(capsys):
    """No key is a matter of settings: 2, and how to go on without one."""
    assert main(["balances"]) == 2
    assert "--sandbox" in capsys.readouterr().err


def test_the_news_are_all_assets_first_and_changes_later():
    """A watch without a terminal prints what is new."""
    assert list(_news(snapshot())) == [("ZUSD", "1.50", "")]
    assert list(_news(snapshot(2))) == []
    assert list(_news(snapshot(2, changed={"XXBT": Decimal(-2)}))) == [("XXBT", "0", "-2")]


def test_a_watch_outlives_a_passing_failure(capsys):
    """A failure that may pass is remarked on; one that will not ends the watch."""

    async def snapshots():
        yield snapshot(1)
        yield snapshot(2, NotSent("no route"))
        yield snapshot(3)
        yield snapshot(4, InvalidKey("EAPI:Invalid key"))

    async def watch():
        return [each.number async for each in _collect(_good(snapshots()))]

    seen = []

    async def _collect(source):
        async for each in source:
            seen.append(each.number)
            yield each

    with pytest.raises(InvalidKey):
        asyncio.run(watch())
    assert seen == [1, 3]
    assert "no route" in capsys.readouterr().err

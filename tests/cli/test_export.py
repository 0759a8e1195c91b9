"""``krakenasync export``."""

import csv
import json

import pytest

from krakenasync.cli import main
from krakenasync.cli.export import _unzipped
from krakenasync.errors import ProtocolError

SOON = ["--every", "0.001"]
# A report takes 15 of the sandbox's seconds: those are made short, and calls are not counted.
hasty = pytest.mark.kraken_sandbox(speed=5000.0, limits=False)


@pytest.fixture
def traded(environment):
    """An account with a trade to report."""
    # So little that the best offer suffices: one trade, whatever the market looks like just now.
    order = ["pair=XBTUSD", "type=buy", "ordertype=market", "volume=0.0002"]
    assert main(["-q", "call", "AddOrder", *order]) == 0
    return environment


@hasty
def test_a_report_is_ordered_fetched_and_removed(traded, capsys):
    """Rows on standard output, progress on standard error, nothing left behind at Kraken."""
    capsys.readouterr()
    assert main(["export", "trades", *SOON]) == 0
    shown = capsys.readouterr()
    rows = list(csv.DictReader(shown.out.splitlines()))
    assert [row["type"] for row in rows] == ["buy"]
    assert "processed" in shown.err
    assert traded.stats.requests["RemoveExport"] == 1


@hasty
def test_json_is_an_object_a_line_and_keep_keeps(traded, capsys):
    """--json turns rows into objects; --keep leaves the report where it is."""
    capsys.readouterr()
    assert main(["export", "trades", "--json", "--keep", *SOON]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "buy"
    assert traded.stats.requests["RemoveExport"] == 0


@hasty
def test_a_file_is_written_whole_and_never_over_another(traded, home, capsys):
    """--file writes a new file; one that exists is refused before anything is ordered."""
    target = home / "trades.csv"
    assert main(["export", "trades", "--file", str(target), *SOON]) == 0
    assert target.read_text(encoding="utf-8").startswith('"txid"')
    assert [each.name for each in home.iterdir()] == ["trades.csv"]
    assert main(["export", "trades", "--file", str(target), *SOON]) == 2
    assert "exists" in capsys.readouterr().err
    assert traded.stats.requests["AddExport"] == 1


def test_impatience_ends_with_4_and_cancels_the_report(environment, capsys):
    """A report that takes too long is cancelled at Kraken."""
    assert main(["export", "ledgers", "--patience", "0.02"]) == 4
    assert "--patience" in capsys.readouterr().err
    assert environment.stats.requests["RemoveExport"] == 1


@hasty
def test_a_report_that_cannot_be_removed_is_only_remarked_on(traded, capsys):
    """The rows are there; how to remove the report later is said."""
    traded.faults.add("RemoveExport", "EGeneral:Permission denied")
    assert main(["export", "trades", *SOON]) == 0
    shown = capsys.readouterr()
    assert "krakenasync call RemoveExport id=" in shown.err
    assert "buy" in shown.out


def test_half_an_archive_is_an_error():
    """Bytes that are no archive are not taken for rows."""
    with pytest.raises(ProtocolError, match="no whole zip"):
        _unzipped(b"PK\x03\x04half")


def test_an_unknown_report_is_explained(capsys):
    """There are two kinds."""
    assert main(["export", "orders"]) == 2
    assert "ledgers" in capsys.readouterr().err

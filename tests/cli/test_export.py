"""``krakenasync export``."""

import csv
import errno
import io
import json
import sys
import zipfile

import pytest

from krakenasync import KrakenClient
from krakenasync.cli import main
from krakenasync.errors import ProtocolError
from krakenasync.spot.exports import Export, ExportReportStatus

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


def zipped(*contents):
    """Return an archive of files that hold this."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.csv", content)
    return packed.getvalue()


def spoilt(at, value):
    """Return an archive with a byte of its directory, and of what stands before a file, changed."""
    whole = bytearray(zipped(b'"a"\n"1"\n'))
    for start, shift in ((0, 0), (whole.find(b"PK\1\2"), 2)):
        whole[start + at + shift] = value
    return bytes(whole)


@pytest.mark.parametrize(
    "found",
    [b"PK\x03\x04half", spoilt(6, 1), spoilt(8, 99), zipped(b"a" * 99).replace(b"KL\xa4", b"\xff\xff\xff")],
    ids=["half", "encrypted", "unknown packing", "broken"],
)
def test_what_is_no_archive_is_an_error(found):
    """Nor one that is packed in a way that cannot be undone; nobody gets a traceback."""
    for read in (Export(found).pieces, Export(found).rows):
        with pytest.raises(ProtocolError, match="not a whole zip"):
            list(read())


@pytest.mark.parametrize("content", [b'"a"\n"\xe9"\n', b'"a"\n"1","2"\n', b'"a"\n"' + b"x" * 200_000 + b'"\n'])
def test_what_is_no_table_is_an_error(content):
    """Other letters, more cells than the first row, a cell without an end."""
    with pytest.raises(ProtocolError, match="no table"):
        list(Export(zipped(content)).rows())


def test_files_of_an_archive_follow_one_another():
    """A last line without an end does not run into the next file's first."""
    found = Export(zipped(b'"a"\n"1"', b'"a"\n"2"\n'))
    assert b"".join(found.pieces()) == b'"a"\n"1"\n"a"\n"2"\n'
    assert list(found.rows()) == [{"a": "1"}, {"a": "2"}]


@hasty
@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ({"status": "Queued", "error": "EExport:Exported size too big"}, 1, "Exported size too big"),
        ({"status": "Failed"}, 1, "Failed"),
        (None, 3, "is gone"),
    ],
)
def test_a_report_that_cannot_come_is_not_waited_for(traded, monkeypatch, capsys, answer, code, said):
    """What Kraken says of it is passed on."""

    async def status(client, *, report):
        name = next(iter(traded.sandbox.treasury.exports.of(traded.sandbox.accounts["alice"])))
        return [] if answer is None else [ExportReportStatus(id=name, **answer)]

    monkeypatch.setattr(KrakenClient, "export_status", status)
    assert main(["export", "trades", *SOON]) == code
    assert said in capsys.readouterr().err


@hasty
def test_a_report_that_cannot_be_read_stays_at_kraken(traded, monkeypatch, capsys):
    """It can be fetched again; no draft is left behind."""

    async def retrieve(client, name):
        return Export(b"PK")

    monkeypatch.setattr(KrakenClient, "retrieve_export", retrieve)
    assert main(["export", "trades", *SOON]) == 3
    assert "is still at Kraken" in capsys.readouterr().err
    assert traded.stats.requests["RemoveExport"] == 0


def test_an_unknown_report_is_explained(capsys):
    """There are two kinds."""
    assert main(["export", "orders"]) == 2
    assert "ledgers" in capsys.readouterr().err


@hasty
def test_a_report_stays_at_kraken_if_a_full_disk_shows_late(traded, monkeypatch):
    """Standard output is buffered: it has to be written before the report is removed."""

    class Full(io.StringIO):
        def reconfigure(self, **_how):
            pass

        def flush(self):
            if self.tell():
                raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    assert main(["export", "trades", *SOON]) == 6
    assert traded.stats.requests["RemoveExport"] == 0

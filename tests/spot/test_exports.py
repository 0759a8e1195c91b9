"""Reports: ordered, watched, fetched, removed."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest

from krakenasync.errors import PermissionDenied, ProtocolError
from krakenasync.protocol import wire
from krakenasync.spot.exports import AddExport, Export, ExportStatus, RemoveExport, RetrieveExport


def test_export_times_are_whole_seconds():
    """Kraken types the bounds as integers."""
    request = AddExport(
        report="trades",
        description="mine",
        fields=["time", "fee"],
        starttm=datetime(2026, 2, 26, 0, 0, 0, 9, tzinfo=UTC),
    )

    assert request.params() == {
        "report": "trades",
        "description": "mine",
        "fields": "time,fee",
        "starttm": "1772064000",
    }


def test_status_times_are_text_and_zero_is_none(sample):
    """Seconds as text become aware datetimes; what has not happened is None."""
    done, queued = sample(ExportStatus)

    assert done.completedtm == datetime(2023, 7, 6, 18, 44, 53, tzinfo=UTC)
    assert (queued.starttm, queued.completedtm) == (None, None)


def test_a_report_that_failed_says_why(answer):
    """As clients list the fields."""
    row = {"id": "Q", "status": "Processed", "error": "EExport:Exported size too big", "delete": True}
    (report,) = answer(ExportStatus, [row | {"assets": "all", "asset_classes": ["currency"]}])
    assert (report.error, report.delete) == ("EExport:Exported size too big", True)
    assert (report.assets, report.asset_classes) == ("all", ["currency"])


def test_rows_of_an_export(sample):
    """The bytes are the zip's, and its rows are read by the names of their columns."""
    export = sample(RetrieveExport)
    (row,) = export.rows()

    assert export.startswith(b"PK")
    assert (row["txid"], row["vol"]) == ("THVRQM-33VKH-UCI7BS", "0.02000000")
    assert row["ledgers"] == "LD3O4K-YXG5U-XMBQ7M,LEZY2F-D4BOP-RQ4KFK"


def test_rows_of_tsv_and_of_several_files():
    """Tabs are told from commas, and every file of the archive is read."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.tsv", "txid\tfee\nT1\t0.1\n")
        opened.writestr("b.csv", '"txid","fee"\n"T2","0.2"\n')
        opened.writestr("c.csv", "")

    assert list(Export(archive.getvalue()).rows()) == [{"txid": "T1", "fee": "0.1"}, {"txid": "T2", "fee": "0.2"}]


def test_rows_are_read_whether_numbers_are_quoted_or_bare():
    """Kraken's own files leave numbers bare, other people's tools quote them: either way all digits are text."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, delimiter in (("a.csv", ","), ("b.tsv", "\t")):
            lines = [["txid", "fee", "misc"], ['"L,1"', "0.0000000000", '""'], ['"L,1"', '"0.0000000000"', '""']]
            opened.writestr(name, "".join(delimiter.join(line) + "\n" for line in lines))

    assert list(Export(archive.getvalue()).rows()) == [{"txid": "L,1", "fee": "0.0000000000", "misc": ""}] * 4


def test_a_cut_archive_is_told():
    """A download that broke off is no empty report."""
    with pytest.raises(ProtocolError, match="not a whole zip"):
        list(Export(b"PK\x03\x04 cut").rows())


def test_refusal_in_place_of_the_file():
    """An error envelope instead of the zip is the error it says."""
    body = b'{"error":["EGeneral:Permission denied"]}'
    with pytest.raises(PermissionDenied):
        wire.decode(Export, 200, body, endpoint="RetrieveExport")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error":[],"result":1}'])
def test_neither_file_nor_refusal(body):
    """Anything else in its place is no report."""
    with pytest.raises(ProtocolError):
        wire.decode(Export, 200, body, endpoint="RetrieveExport")


def test_removing(sample):
    """`type` is asked for: Kraken's page requires it."""
    assert RemoveExport("VSKC", type="delete").params() == {"id": "VSKC", "type": "delete"}
    assert (sample(RemoveExport).delete, sample(RemoveExport).cancel) == (True, False)

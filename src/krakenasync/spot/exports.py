"""Account data: reports, ordered now and fetched when they are ready.

A key may need the permission to query the reported data as well.

Source: https://docs.kraken.com/api/docs/rest-api/add-export
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

import msgspec

from krakenasync.errors import ProtocolError
from krakenasync.protocol.requests import Request, Reshaped
from krakenasync.protocol.specs import Effect, Need, Spec, private_call
from krakenasync.spot.values import (
    ExportFields,
    ExportFormat,
    ExportRemoval,
    ExportReport,
    WholeMoment,
    Word,
    not_zero,
)

if TYPE_CHECKING:
    import zipfile

__all__ = [
    "STAGES",
    "AddExport",
    "Export",
    "ExportId",
    "ExportRemoved",
    "ExportReportStatus",
    "ExportStatus",
    "RemoveExport",
    "RetrieveExport",
]

R = TypeVar("R")

STAGES: Final = ("Queued", "Processing", "Processed")
"""The stages of a report; any other status means that it has ended without a file.

Source: https://docs.kraken.com/api/docs/rest-api/export-status
"""
_PIECE: Final = 64 * 1024
"""Bytes of a file that are unpacked at once."""
_EXPORT_DATA: Final = Need(("export-data",), every=True)


class ExportId(msgspec.Struct, frozen=True):
    """The report's id."""

    id: str


class AddExport(Request[ExportId], frozen=True, kw_only=True):
    """Order a report of trades or ledger entries, from the first of this month until now if no times are given."""

    spec: ClassVar[Spec] = private_call("AddExport", "account", "add-export", need=_EXPORT_DATA, effect=Effect.WRITE)

    report: ExportReport
    description: Word
    format: ExportFormat | None = None
    fields: ExportFields | None = None
    starttm: WholeMoment | None = None
    endtm: WholeMoment | None = None


class ExportReportStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a report.

    Attributes:
        status: One of `STAGES`.
        starttm: When its processing began; AddExport's `starttm` is `datastarttm` here.
        endtm: Seen in one client's examples, documented nowhere.
        error: Why there is no report (``EExport:Exported size too big``), or empty.
        delete: Whether it waits to be deleted.
    """

    id: str
    status: str
    descr: str = ""
    format: str = ""
    report: str = ""
    subtype: str = ""
    flags: str = ""
    fields: str = ""
    createdtm: datetime | None = None
    expiretm: datetime | None = None
    starttm: datetime | None = None
    endtm: datetime | None = None
    completedtm: datetime | None = None
    datastarttm: datetime | None = None
    dataendtm: datetime | None = None
    aclass: str = ""
    asset: str = ""
    assets: str = ""
    asset_classes: list[str] = []
    error: str = ""
    delete: bool = False

    def __post_init__(self) -> None:
        """Read 0 as "not yet"."""
        not_zero(self, "createdtm", "expiretm", "starttm", "endtm", "completedtm", "datastarttm", "dataendtm")


class OfReport(Request[list[ExportReportStatus]], frozen=True):
    """A call about a kind of report."""

    report: ExportReport


class ExportStatus(OfReport, frozen=True, kw_only=True):
    """The progress of all reports of a kind."""

    spec: ClassVar[Spec] = private_call("ExportStatus", "account", "export-status", need=_EXPORT_DATA)


class Export(Reshaped, bytes):
    """A report as it comes: the bytes of a zip archive.

    Files of ledger entries use newer names of assets than the API: BTC and DOGE, not XBT and XDG.
    """

    __slots__ = ()

    arrives_as: ClassVar[Any] = bytes

    @classmethod
    def from_wire(cls, arrived: bytes) -> Self:
        """Keep the bytes."""
        return cls(arrived)

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield each row of each file of the archive, by the names of its columns.

        Raises:
            ProtocolError: The bytes are not a whole zip archive, or a file in it is not a table.
        """
        with _readable(self) as archive:
            for name in archive.namelist():
                with io.TextIOWrapper(archive.open(name), encoding="utf-8-sig", newline="") as lines:
                    yield from _rows(lines)

    def pieces(self) -> Iterator[bytes]:
        """Yield the contents of the archive's files, one file after the other, piece by piece.

        Raises:
            ProtocolError: The bytes are not a whole zip archive.
        """
        with _readable(self) as archive:
            last = b"\n"
            for name in archive.namelist():
                if not last.endswith(b"\n"):
                    yield b"\n"
                with archive.open(name) as content:
                    while piece := content.read(_PIECE):
                        last = piece
                        yield piece


@contextmanager
def _readable(found: bytes) -> Iterator[zipfile.ZipFile]:
    """Open an archive; explain in words what is wrong with it, or with the tables in it."""
    import csv  # noqa: PLC0415 - with zipfile a fortieth of our time to import, for a call that few make
    import zipfile  # noqa: PLC0415 - as above
    import zlib  # noqa: PLC0415 - as above

    try:
        with zipfile.ZipFile(io.BytesIO(found)) as archive:
            yield archive
    # An encrypted archive is a RuntimeError, and so is an unknown compression.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ProtocolError(
            f"the export is not a whole zip archive: {error}", endpoint="RetrieveExport", effect="none", retryable=False
        ) from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise ProtocolError(
            f"the export contains no table: {error}", endpoint="RetrieveExport", effect="none", retryable=False
        ) from None


def _rows(lines: io.TextIOWrapper) -> Iterator[dict[str, str]]:
    """Read CSV or TSV, whichever its first line is."""
    import csv  # noqa: PLC0415 - as above

    first = lines.readline()
    rows = csv.DictReader(itertools.chain([first], lines), delimiter="\t" if "\t" in first else ",")
    for row in rows:
        if None in row:
            raise csv.Error(f"line {rows.line_num} has more cells than the first one")
        yield row


class OfExport(Request[R], frozen=True):
    """A call about one report by its id."""

    id: Word


class RetrieveExport(OfExport[Export], frozen=True, kw_only=True):
    """Fetch a report that has been processed."""

    spec: ClassVar[Spec] = private_call("RetrieveExport", "account", "retrieve-export", need=_EXPORT_DATA, binary=True)


class ExportRemoved(msgspec.Struct, frozen=True):
    """Whether the report was deleted or cancelled."""

    delete: bool = False
    cancel: bool = False


class RemoveExport(OfExport[ExportRemoved], frozen=True, kw_only=True):
    """Remove a report: ``delete`` one that has been processed, ``cancel`` one that has not."""

    spec: ClassVar[Spec] = private_call(
        "RemoveExport", "account", "remove-export", need=_EXPORT_DATA, effect=Effect.WRITE
    )

    type: ExportRemoval

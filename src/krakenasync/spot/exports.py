"""Account data: reports, ordered now and fetched when they are ready.

A key may need the permission to query the reported data as well.

Source: https://docs.kraken.com/api/docs/rest-api/add-export
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar, Final, Self, TypeVar

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

__all__ = [
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
    """How far a report is.

    Attributes:
        status: ``Queued``, ``Processing``, ``Processed``.
        starttm: When its processing began; AddExport's `starttm` is `datastarttm` here.
        endtm: In examples of one client, documented nowhere.
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
    """How far the reports of a kind are."""

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
            ProtocolError: The bytes are no whole zip archive.
        """
        import zipfile  # noqa: PLC0415 - a fortieth of our time to import, for a call that few make

        try:
            with zipfile.ZipFile(io.BytesIO(self)) as archive:
                for name in archive.namelist():
                    with io.TextIOWrapper(archive.open(name), encoding="utf-8-sig", newline="") as lines:
                        yield from _rows(lines)
        except zipfile.BadZipFile:
            raise ProtocolError("the export is no whole zip archive", endpoint="RetrieveExport") from None


def _rows(lines: io.TextIOWrapper) -> Iterator[dict[str, str]]:
    """Read CSV or TSV, whichever its first line is."""
    import csv  # noqa: PLC0415 - as zipfile

    header = lines.readline()
    delimiter = "\t" if "\t" in header else ","
    names = next(csv.reader([header], delimiter=delimiter), [])
    yield from csv.DictReader(lines, fieldnames=names, delimiter=delimiter)


class OfExport(Request[R], frozen=True):
    """A call about one report by its id."""

    id: Word


class RetrieveExport(OfExport[Export], frozen=True, kw_only=True):
    """Fetch a report that is processed."""

    spec: ClassVar[Spec] = private_call("RetrieveExport", "account", "retrieve-export", need=_EXPORT_DATA, binary=True)


class ExportRemoved(msgspec.Struct, frozen=True):
    """Which of the two was done."""

    delete: bool = False
    cancel: bool = False


class RemoveExport(OfExport[ExportRemoved], frozen=True, kw_only=True):
    """Remove a report: ``delete`` one that is processed, ``cancel`` one that is not."""

    spec: ClassVar[Spec] = private_call(
        "RemoveExport", "account", "remove-export", need=_EXPORT_DATA, effect=Effect.WRITE
    )

    type: ExportRemoval

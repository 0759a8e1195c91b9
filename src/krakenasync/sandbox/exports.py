"""Reports: ordered, waited for, fetched as a zip of one file, removed.

Source: https://docs.kraken.com/api/docs/rest-api/add-export
"""

from __future__ import annotations

import io
import random
import string
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.refusals import Refusal, invalid

__all__ = ["FIELDS", "Exports", "Report", "archive"]

QUEUE: Final = 5 * NANOS
"""How long a report waits."""
PROCESSING: Final = 10 * NANOS
"""How long it takes after that."""
KEEP: Final = 14 * 86_400
"""Seconds after which it expires, as its row says."""
NOT_READY: Final = "EGeneral:Invalid arguments:Report is not ready"

# Source: https://docs.kraken.com/api/docs/rest-api/add-export, except `pair` and `type` of trades, seen in real files.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "trades": (
        "ordertxid",
        "pair",
        "time",
        "type",
        "ordertype",
        "price",
        "cost",
        "fee",
        "vol",
        "margin",
        "misc",
        "ledgers",
    ),
    "ledgers": ("refid", "time", "type", "subtype", "aclass", "asset", "wallet", "amount", "fee", "balance"),
}
NUMBERS: Final = frozenset({"price", "cost", "fee", "vol", "margin", "amount", "balance"})
"""Columns that real files write without quotes; all others, and all column names, are quoted."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report that was ordered.

    Attributes:
        kind: ``trades`` or ``ledgers``.
        format: ``CSV`` or ``TSV``.
        fields: The requested columns; empty for all.
        start: Unix seconds; older rows are left out.
        end: Unix seconds; newer rows are left out.
        at: When it was ordered, in unix nanoseconds.
    """

    id: str
    kind: str
    description: str
    format: str
    fields: tuple[str, ...]
    start: int
    end: int
    at: int

    def status(self, now: int) -> str:
        """Return Kraken's word for the report's status."""
        age = now - self.at
        if age < QUEUE:
            return "Queued"
        return "Processing" if age < QUEUE + PROCESSING else "Processed"

    def row(self, now: int) -> dict[str, Any]:
        """Write the report as ExportStatus has it."""
        status, created = self.status(now), self.at // NANOS
        return {
            "id": self.id,
            "descr": self.description,
            "format": self.format,
            "report": self.kind,
            "subtype": "all",
            "status": status,
            "flags": "0",
            "fields": ",".join(self.fields) or "all",
            "createdtm": str(created),
            "expiretm": str(created + KEEP),
            "starttm": "0" if status == "Queued" else str((self.at + QUEUE) // NANOS),
            "completedtm": str((self.at + QUEUE + PROCESSING) // NANOS) if status == "Processed" else "0",
            "datastarttm": str(self.start),
            "dataendtm": str(self.end),
            "aclass": "forex",
            "asset": "all",
            "assets": "all",
        }


class Exports:
    """All accounts' reports."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._reports: dict[str, dict[str, Report]] = {}

    def of(self, account: Account) -> dict[str, Report]:
        """Return an account's reports by id, oldest first."""
        return self._reports.setdefault(account.name, {})

    def order(self, account: Account, **facts: Any) -> Report:
        """Order a report; `facts` are the fields of a `Report`, except its id."""
        known = self.of(account)
        while (name := "".join(self._chance.choices(string.ascii_uppercase, k=4))) in known:
            pass
        known[name] = Report(id=name, **facts)
        return known[name]

    def find(self, account: Account, name: str) -> Report:
        """Look a report up.

        Raises:
            Refusal: There is no such report.
        """
        report = self.of(account).get(name)
        if report is None:
            raise invalid("id")
        return report

    def ready(self, account: Account, name: str, now: int) -> Report:
        """Look up a report that can be fetched.

        Raises:
            Refusal: There is no such report, or it is not processed yet.
        """
        report = self.find(account, name)
        if report.status(now) != "Processed":
            raise Refusal(NOT_READY)
        return report

    def remove(self, account: Account, name: str, how: str, now: int) -> None:
        """Delete a report that is processed, or cancel one that is not.

        Raises:
            Refusal: There is no such report, or it needs the other of the two.
        """
        report = self.find(account, name)
        if (report.status(now) == "Processed") != (how == "delete"):
            raise invalid("type")
        del self.of(account)[name]


def archive(report: Report, rows: Sequence[Mapping[str, str]]) -> bytes:
    """Write rows as the zip that RetrieveExport answers with: the id first, then the columns that were ordered.

    Args:
        report: What was ordered.
        rows: Each with ``txid`` and all of the report's `FIELDS`.
    """
    columns = ["txid", *(field for field in FIELDS[report.kind] if not report.fields or field in report.fields)]
    cells = [[_quoted(column) for column in columns]]
    cells += ([row[name] if name in NUMBERS else _quoted(row[name]) for name in columns] for row in rows)
    delimiter = "\t" if report.format == "TSV" else ","
    text = "".join(f"{delimiter.join(line)}\n" for line in cells)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        # A fixed date: the same report is the same bytes.
        name = zipfile.ZipInfo(f"{report.kind}.{report.format.lower()}", (2024, 1, 1, 0, 0, 0))
        opened.writestr(name, text)
    return packed.getvalue()


def _quoted(text: str) -> str:
    """Quote a cell. Python's csv recognises numbers by type, and writes a zero with many decimals as 0E-8."""
    return '"' + text.replace('"', '""') + '"'

"""Reports of trades and ledger entries.

Source: https://docs.kraken.com/api/docs/rest-api/add-export
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.endpoints.history import ledger_row, lines_by_trade, trade_groups, trade_row
from krakenasync.sandbox.exports import FIELDS, Report, archive
from krakenasync.sandbox.ledger import asset_of
from krakenasync.sandbox.refusals import PERMISSION_DENIED, Refusal, invalid
from krakenasync.spot.values import ExportFormat, ExportRemoval, ExportReport, words

__all__ = ["HANDLERS"]

RIGHT_TO: Final = {"trades": "query-closed-trades", "ledgers": "query-ledger"}
"""The additional permissions a key needs to see the data itself."""
WALLET: Final = "spot / main"


def add_export(context: Context) -> dict[str, str]:
    """Order a report; by default from the first of this month until now."""
    arguments, now = context.arguments, context.now // NANOS
    kind = arguments.word("report", words(ExportReport))
    if RIGHT_TO[kind] not in context.key.permissions:
        raise Refusal(PERMISSION_DENIED)
    fields = tuple(field for field in arguments.names("fields") if field != "all")
    if not set(fields) <= set(FIELDS[kind]):
        raise invalid("fields")
    first = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0)
    report = context.world.treasury.exports.order(
        context.account,
        kind=kind,
        description=arguments.text("description"),
        format=arguments.word("format", words(ExportFormat), "CSV"),
        fields=fields,
        start=int(arguments.number("starttm", str(int(first.timestamp())))),
        end=int(arguments.number("endtm", str(now))),
        at=context.now,
    )
    return {"id": report.id}


def export_status(context: Context) -> list[dict[str, Any]]:
    """List the account's reports of a kind, newest first."""
    kind = context.arguments.word("report", words(ExportReport))
    reports = reversed(context.world.treasury.exports.of(context.account).values())
    return [report.row(context.now) for report in reports if report.kind == kind]


def retrieve_export(context: Context) -> bytes:
    """Return a report that is processed."""
    report = context.world.treasury.exports.ready(context.account, context.arguments.text("id"), context.now)
    rows = _trades(context, report) if report.kind == "trades" else _ledger(context, report)
    return archive(report, list(rows))


def remove_export(context: Context) -> dict[str, bool]:
    """Delete a report that is processed, or cancel one that is not."""
    how = context.arguments.word("type", words(ExportRemoval))
    context.world.treasury.exports.remove(context.account, context.arguments.text("id"), how, context.now)
    return {how: True}


def _trades(context: Context, report: Report) -> Iterator[dict[str, str]]:
    """Yield the rows of a report of trades, oldest first."""
    lines = lines_by_trade(context)
    for (fill,) in reversed(trade_groups(context, merged=False)):
        if report.start <= fill.at // NANOS <= report.end:
            row = trade_row(context.account, [fill], lines)
            row |= {"txid": fill.txid, "time": _time(fill.at), "ledgers": ",".join(row["ledgers"])}
            yield row


def _ledger(context: Context, report: Report) -> Iterator[dict[str, str]]:
    """Yield the rows of a report of the ledger, oldest first. Files use the newer asset names (BTC, not XXBT)."""
    for line in reversed(context.world.treasury.ledger.lines(context.account)):
        if report.start <= line.at // NANOS <= report.end:
            asset = asset_of(line.asset)
            name = asset.public or asset.altname
            yield ledger_row(line) | {"txid": line.txid, "time": _second(line.at), "asset": name, "wallet": WALLET}


def _second(at: int) -> str:
    """Write unix nanoseconds as ledger files do, without a fraction."""
    return f"{datetime.fromtimestamp(at // NANOS, UTC):%Y-%m-%d %H:%M:%S}"


def _time(at: int) -> str:
    """Write unix nanoseconds as trade files do."""
    return f"{_second(at)}.{at % NANOS // 100_000:04d}"


HANDLERS: Final[Mapping[str, Handler]] = {
    "AddExport": add_export,
    "ExportStatus": export_status,
    "RetrieveExport": retrieve_export,
    "RemoveExport": remove_export,
}

"""``krakenasync export``: Kraken's own report job: ordered, waited for, fetched, unzipped, removed."""

from __future__ import annotations

import codecs
import os
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

import anyio
import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from krakenasync.archive.journal import FULL
from krakenasync.cli.connection import ENVIRONMENT, Where, connect
from krakenasync.cli.moments import when
from krakenasync.cli.rendering import AS_TABLE, Output, remark
from krakenasync.client.client import KrakenClient
from krakenasync.errors import ConfigurationError, KrakenError, ProtocolError, RateLimitTimeout, Refused
from krakenasync.plots import writable
from krakenasync.spot.exports import STAGES, Export

__all__ = ["export"]

_UNSEEN: Final = 3
"""The number of status calls within which a report that was ordered must be listed."""
_PARTING: Final = 10.0
"""Seconds allowed for removing a report when the command is interrupted."""


async def export(
    report: Literal["trades", "ledgers"],
    /,
    *,
    start: Annotated[str | None, Parameter(alias="--since")] = None,
    end: str | None = None,
    file: Annotated[Path | None, Parameter(alias="-o")] = None,
    every: Annotated[float, Parameter(validator=Number(gt=0))] = 5.0,
    patience: Annotated[float, Parameter(validator=Number(gt=0))] = 1800.0,
    keep: bool = False,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> None:
    """Have Kraken write a report of trades or ledger entries, and print it as CSV (--json: one object per line).

    Args:
        report: trades or ledgers.
        start: Rows from this moment on: 2026-01-31, 2026-01-31T12:00 or unix seconds; by default this month's.
        end: Rows up to this moment.
        file: Write into this file, not to standard output.
        every: Seconds between two checks whether it is ready.
        patience: The most seconds to wait for it.
        keep: Leave the report at Kraken.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    first, last = when("--start", start), when("--end", end)
    if file is not None and file.exists():
        raise ConfigurationError(f"{file} exists", hint="name another file, or remove it first")
    if file is not None:
        writable(file)  # before Kraken starts to work on it
    async with connect(where) as connection:
        client = connection.client
        name = (await client.add_export(report=report, description="krakenasync", starttm=first, endtm=last)).id
        remark(f"report {name} ordered - {connection.source}")
        try:
            await _ready(client, report, name, every, patience)
            found = await client.retrieve_export(name)
        except BaseException:
            if not keep:
                await _remove(client, report, name)
            raise
        try:
            _deliver(found, file, output)
        except BaseException:
            remark(f"report {name} is still at Kraken - {connection.source}", style="yellow")
            raise
        if not keep:
            await _remove(client, report, name)


async def _ready(client: KrakenClient, report: str, name: str, every: float, patience: float) -> None:
    """Wait until a report is processed.

    Raises:
        RateLimitTimeout: The report takes longer than `patience`.
        Refused: Kraken says that it will not make the report.
        ProtocolError: Kraken no longer knows the report.
    """
    said, unseen = "", 0
    with anyio.move_on_after(patience):
        while True:
            found = next((each for each in await client.export_status(report=report) if each.id == name), None)
            unseen = 0 if found else unseen + 1
            if found is None and (said or unseen >= _UNSEEN):
                raise ProtocolError(f"report {name} is gone", endpoint="ExportStatus", effect="none", retryable=False)
            if found is not None:
                if found.error or found.status not in STAGES:
                    why = found.error or found.status
                    raise Refused(f"Kraken does not make report {name}: {why}", endpoint="ExportStatus")
                if found.status != said:
                    remark(f"report {name}: {found.status.lower()}")
                    said = found.status
                if said == "Processed":
                    return
            await anyio.sleep(every)
    raise RateLimitTimeout(f"report {name} took longer than {patience:g} s", hint="give it more --patience")


async def _remove(client: KrakenClient, report: str, name: str) -> None:
    """Remove a report, even after the command was interrupted; a failure is only reported."""
    with anyio.move_on_after(_PARTING, shield=True):
        try:
            listed = await client.export_status(report=report)
            done = any(each.id == name and each.status == "Processed" for each in listed)
            await client.remove_export(name, type="delete" if done else "cancel")
        except KrakenError as error:
            remark(f"report {name} could not be removed: {error}", style="yellow")
            remark(f"hint: krakenasync call RemoveExport id={name} type=delete")


def _deliver(found: Export, file: Path | None, output: Output) -> None:
    """Write what the archive contains; a file is written completely or not at all.

    Raises:
        OSError: The disk is full.
        ConfigurationError: The file cannot be written.
        ProtocolError: The archive is incomplete or damaged.
    """
    pieces = (msgspec.json.encode(row) + b"\n" for row in found.rows()) if output.json else found.pieces()
    if file is None:
        decoded = codecs.iterdecode(pieces, "utf-8", errors="replace")
        for text in decoded:
            sys.stdout.write(text)
        sys.stdout.flush()  # a full disk has to show before the report is removed at Kraken
        return
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as draft:
            draft.writelines(pieces)
        fresh.replace(file)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from None
    finally:
        fresh.unlink(missing_ok=True)
    remark(f"written to {file}")

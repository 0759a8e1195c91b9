"""``krakenasync export``: Kraken's own report job: ordered, waited for, fetched, unzipped, removed."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from pathlib import Path
from typing import Annotated, Final, Literal

import anyio
import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from krakenasync.cli.connection import ENVIRONMENT, Where, connect
from krakenasync.cli.moments import when
from krakenasync.cli.rendering import AS_TABLE, Output, remark
from krakenasync.client.client import KrakenClient
from krakenasync.errors import ConfigurationError, KrakenError, ProtocolError, RateLimitTimeout
from krakenasync.plots import writable
from krakenasync.spot.exports import Export

__all__ = ["export"]

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
    """Have Kraken write a report of trades or ledger entries, and print it as CSV (--json: an object a line).

    Args:
        report: trades or ledgers.
        start: Rows from this moment on: 2026-01-31, 2026-01-31T12:00 or unix seconds; else this month's.
        end: Rows up to this moment.
        file: Write into this file, not to standard output.
        every: Seconds between two questions whether it is ready.
        patience: Seconds to wait for it at the most.
        keep: Leave the report at Kraken.
        where: Whom to ask.
        output: In which form.
    """
    first, last = when("--start", start), when("--end", end)
    if file is not None and file.exists():
        raise ConfigurationError(f"{file} exists", hint="name another file, or remove it first")
    if file is not None:
        writable(file)  # before Kraken is set to work
    async with connect(where) as connection:
        client = connection.client
        name = (await client.add_export(report=report, description="krakenasync", starttm=first, endtm=last)).id
        remark(f"report {name} ordered - {connection.source}")
        try:
            await _ready(client, report, name, every, patience)
            found = await client.retrieve_export(name)
        finally:
            if not keep:
                await _remove(client, report, name)
    _deliver(found, file, output)


async def _ready(client: KrakenClient, report: str, name: str, every: float, patience: float) -> None:
    """Wait until a report is processed.

    Raises:
        RateLimitTimeout: It takes longer than the caller's patience.
        ProtocolError: Kraken does not know it any more.
    """
    said = ""
    with anyio.move_on_after(patience):
        while True:
            status = next((each.status for each in await client.export_status(report=report) if each.id == name), None)
            if status is None:
                raise ProtocolError(f"report {name} is gone", endpoint="ExportStatus")
            if status != said:
                remark(f"report {name}: {status.lower()}")
                said = status
            if status == "Processed":
                return
            await anyio.sleep(every)
    raise RateLimitTimeout(f"report {name} took longer than {patience:g} s", hint="give it more --patience")


async def _remove(client: KrakenClient, report: str, name: str) -> None:
    """Remove a report, also when the command was interrupted; that it fails is only worth a remark."""
    with anyio.move_on_after(_PARTING, shield=True):
        try:
            listed = await client.export_status(report=report)
            done = any(each.id == name and each.status == "Processed" for each in listed)
            await client.remove_export(name, type="delete" if done else "cancel")
        except KrakenError as error:
            remark(f"report {name} could not be removed: {error}", style="yellow")
            remark(f"hint: krakenasync call RemoveExport id={name} type=delete")


def _deliver(found: Export, file: Path | None, output: Output) -> None:
    """Write what the archive holds, to a file whole or not at all.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    content = b"".join(msgspec.json.encode(row) + b"\n" for row in found.rows()) if output.json else _unzipped(found)
    if file is None:
        sys.stdout.write(content.decode())
        return
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        fresh.write_bytes(content)
        fresh.replace(file)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from None
    remark(f"written to {file}")


def _unzipped(found: bytes) -> bytes:
    """Take the files out of the archive, one after the other.

    Raises:
        ProtocolError: It is no whole archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(found)) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())
    except zipfile.BadZipFile:
        raise ProtocolError("the report is no whole zip archive", endpoint="RetrieveExport") from None

"""Parquet, made from the rows once a run is finished: it cannot be appended to. Needs the extra `export`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

from krakenasync.archive.formats import Column, read
from krakenasync.errors import ConfigurationError

__all__ = ["require", "write"]

BATCH: Final = 10_000
DIGITS, DECIMALS = 38, 18
"""The widest exact number of Parquet; a value with more decimals is an error, never rounded."""


def require() -> Any:
    """Load pyarrow.

    Raises:
        ConfigurationError: pyarrow is not installed.
    """
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ModuleNotFoundError:
        raise ConfigurationError("Parquet needs pyarrow", hint="pip install 'krakenasync[export]'") from None


def write(target: Path, rows: Path, of: Sequence[Column]) -> None:
    """Make the Parquet file from the rows, in one step: a reader sees the old file or the new one.

    Args:
        target: The file to make.
        rows: The rows in NDJSON.
        of: Their columns.
    """
    arrow = require()
    schema = arrow.schema([(column.name, _type(arrow, column.type)) for column in of])
    draft = target.with_name(f"{target.name}.new")
    with rows.open(encoding="utf-8") as lines, arrow.parquet.ParquetWriter(draft, schema) as writer:
        values = read(lines, "ndjson")
        while batch := [_typed(row, of) for row in islice(values, BATCH)]:
            writer.write_table(arrow.Table.from_pylist(batch, schema=schema))
    draft.replace(target)


def _type(arrow: Any, kind: Any) -> Any:
    """Return the Parquet type of a column; a type that Parquet lacks becomes text."""
    types = {
        Decimal: arrow.decimal128(DIGITS, DECIMALS),
        datetime: arrow.timestamp("us", tz="UTC"),
        bool: arrow.bool_(),
        int: arrow.int64(),
        list: arrow.list_(arrow.string()),
    }
    return types.get(kind, arrow.string())


def _typed(row: dict[str, Any], of: Sequence[Column]) -> dict[str, Any]:
    """Restore the types that JSON does not have."""
    return {column.name: _value(row[column.name], column.type) for column in of}


def _value(value: Any, kind: Any) -> Any:
    if value is None:
        return None
    if kind is Decimal:
        return Decimal(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    return value

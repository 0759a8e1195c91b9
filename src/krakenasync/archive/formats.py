"""Rows as lines: CSV, where nested fields become columns (`descr.pair`), or NDJSON. No digit is lost in either."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

import msgspec

__all__ = ["Column", "cell", "columns", "flat", "header", "line", "read"]


class Column(NamedTuple):
    """One column: its name and the type of its values, unless they are empty."""

    name: str
    type: Any


def columns(row: type[msgspec.Struct], without: frozenset[str] = frozenset(), prefix: str = "") -> tuple[Column, ...]:
    """Return the columns of a kind of row."""
    found: list[Column] = []
    for field in msgspec.structs.fields(row):
        kind = _held(field.type)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            found += columns(kind, prefix=f"{prefix}{field.name}.")
        elif field.name not in without:
            found.append(Column(f"{prefix}{field.name}", kind))
    return tuple(found)


def _held(kind: Any) -> Any:
    """Return a field's type unless it is empty: `Decimal` for ``Decimal | None``, `list` for ``list[str]``."""
    if get_origin(kind) in {Union, UnionType}:
        kind = next(each for each in get_args(kind) if each is not type(None))
    return get_origin(kind) or kind


def flat(row: msgspec.Struct, of: Sequence[Column]) -> dict[str, Any]:
    """Return a row as column name -> value."""
    return {column.name: _value(row, column.name) for column in of}


def _value(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = getattr(row, name, None)
    return row


def header(of: Sequence[Column], form: str) -> bytes:
    """Return the header of a file."""
    return _csv(column.name for column in of) if form == "csv" else b""


def line(values: dict[str, Any], form: str) -> bytes:
    """Return a row as one line; amounts are written out in full, moments in UTC."""
    texts = {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in values.items()}
    if form == "csv":
        return _csv(cell(value) for value in texts.values())
    return msgspec.json.encode(texts) + b"\n"


def cell(value: Any) -> str:
    """Return a value as text; None is empty."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _csv(cells: Iterator[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def read(lines: Iterator[str], form: str) -> Iterator[dict[str, Any]]:
    """Read rows back, their values as text where they were written as text."""
    if form == "csv":
        yield from csv.DictReader(lines)
    else:
        yield from (msgspec.json.decode(each) for each in lines)

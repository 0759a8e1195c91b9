"""Rows as lines, and back."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from krakenasync.archive.formats import Column, cell, columns, flat, header, line, read


class Inner(msgspec.Struct):
    pair: str
    close: str | None = None


class Row(msgspec.Struct):
    id: str
    time: datetime
    amount: Decimal
    descr: Inner
    trades: list[str] = []
    maker: bool | None = None


ROW = Row("L1", datetime(2026, 1, 2, tzinfo=UTC), Decimal("1E-10"), Inner('X"BT,USD'), ["T1", "T2"])


def test_nested_fields_become_columns():
    """Columns bear the way to them, and some can be left out."""
    assert [column.name for column in columns(Row, frozenset({"maker"}))] == [
        "id",
        "time",
        "amount",
        "descr.pair",
        "descr.close",
        "trades",
    ]


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_what_is_written_is_read_back(form):
    """Commas and quotes survive, an amount keeps every digit without an exponent, moments are in UTC."""
    of = columns(Row)
    text = (header(of, form) + line(flat(ROW, of), form)).decode()
    (found,) = read(iter(text.splitlines(keepends=True)), form)
    assert found["amount"] == "0.0000000001"
    assert found["time"] == "2026-01-02T00:00:00Z"
    assert found["descr.pair"] == 'X"BT,USD'
    assert found["maker"] in (None, "")


def test_a_cell_is_text():
    """None is empty, lists and flags are JSON."""
    assert [cell(value) for value in (None, ["a"], True, 3, "x")] == ["", '["a"]', "true", "3", "x"]


def test_a_column_knows_its_type():
    """An optional column is known by what it holds, a list as a list."""
    assert {Column("id", str), Column("maker", bool), Column("trades", list)} < set(columns(Row))

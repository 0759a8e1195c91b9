"""Pages: by offset as history calls cut them, by cursor as deposits and withdrawals are cut."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.paging import PAGE, Row, by_cursor, by_offset, moment, remembered, within
from krakenasync.sandbox.refusals import Refusal

TIMES = st.lists(st.integers(0, 300), max_size=150).map(lambda seconds: sorted(seconds, reverse=True))


def rows_at(seconds):
    """Make rows, newest first."""
    return [Row(f"L{place}", (1_780_000_000 + at) * NANOS, {"n": place}) for place, at in enumerate(seconds)]


def page(rows, **params):
    return by_offset(Arguments(params), rows, "ledger", dict, {"L of another asset": (1_780_000_000 + 5) * NANOS})


@given(TIMES, st.integers(0, 300), st.integers(0, 300), st.integers(0, 160))
def test_start_is_excluded_and_end_included(times, start, end, offset):
    """A page holds at most 50 of the rows after `start` and not after `end`, and counts all of those."""
    rows = rows_at(times)
    found = page(rows, start=str(1_780_000_000 + start), end=str(1_780_000_000 + end), ofs=str(offset))
    wanted = [row for row, at in zip(rows, times, strict=True) if start < at <= end]
    assert list(found["ledger"]) == [row.id for row in wanted[offset : offset + PAGE]]
    assert found["count"] == len(wanted)


def test_an_id_is_a_bound_as_well():
    """Of several rows of one moment only those on the right side of the named one are given."""
    rows = rows_at([9, 5, 5, 5, 1])
    assert list(page(rows, start="L3")["ledger"]) == ["L0", "L1", "L2"]
    assert list(page(rows, end="L2")["ledger"]) == ["L2", "L3", "L4"]
    with pytest.raises(Refusal, match="Invalid arguments:end"):
        page(rows, end="L9")


def test_the_id_of_a_row_that_is_not_asked_for_stands_for_its_moment():
    """What a filter leaves out may be a bound too: all of its moment lies before a `start`, within an `end`."""
    rows = rows_at([9, 5, 5, 1])
    assert list(page(rows, start="L of another asset")["ledger"]) == ["L0"]
    assert list(page(rows, end="L of another asset")["ledger"]) == ["L1", "L2", "L3"]


def test_without_count_the_total_is_left_out():
    """The switch saves Kraken the counting."""
    assert "count" not in page(rows_at([1]), without_count="true")


@given(st.integers(1_700_000_000 * NANOS, 1_900_000_000 * NANOS))
def test_a_time_copied_from_an_answer_meets_its_row(at):
    """The time an answer shows excludes its own row as `start` and includes it as `end`, whatever digits it lost."""
    row = Row("L0", at, {})
    shown = str(moment(at))
    assert page([row], start=shown)["ledger"] == {}
    assert list(page([row], end=shown)["ledger"]) == ["L0"]
    assert within(Arguments({"start": shown, "end": shown}))(at)


@given(st.lists(st.integers(), unique=True, max_size=60), st.integers(1, 20), st.integers(0, 5))
def test_cursors_pass_every_row_once(rows, limit, fresh):
    """Page by page every row comes once, also when new ones arrive meanwhile."""
    arguments, seen, ids = Arguments({"cursor": "true", "limit": str(limit)}), [], [str(row) for row in rows]
    while True:
        cut = by_cursor(remembered(arguments, first=("true",)), ids, str, (), 25)
        seen += cut.rows
        if cut.next is None:
            break
        ids = [f"new{len(ids)}-{number}" for number in range(fresh)] + ids
        arguments = Arguments({"cursor": cut.next})
    assert seen == [str(row) for row in rows]


def test_a_cursor_remembers_the_filters():
    """The next call needs nothing but the cursor; what else it says does not count."""
    begun = Arguments({"cursor": "true", "limit": "1", "asset": "XBT"})
    following = by_cursor(begun, ["a", "b"], str, ("asset",), 25).next
    arguments = remembered(Arguments({"cursor": following, "asset": "ETH"}))
    assert (arguments.text("asset"), arguments.text("limit")) == ("XBT", "1")


@pytest.mark.parametrize("cursor", ["nonsense", "e30=", "=", "ä"])
def test_a_made_up_cursor_is_refused(cursor):
    """Only what was handed out leads on."""
    with pytest.raises(Refusal, match="cursor"):
        remembered(Arguments({"cursor": cursor}))


def test_moments_are_what_answers_show():
    """Seven digits at most."""
    assert moment(1_780_000_000_123_456_789) == Decimal("1780000000.1234567").quantize(Decimal("1E-7"))

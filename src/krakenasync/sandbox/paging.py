"""Pages as Kraken cuts them: by offset (history calls) and by cursor (deposits and withdrawals).

Sources: https://docs.kraken.com/api/docs/rest-api/get-trade-history,
https://docs.kraken.com/api/docs/rest-api/get-status-recent-deposits
"""

from __future__ import annotations

import base64
import binascii
import bisect
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from krakenasync.protocol.paging import PAGING
from krakenasync.sandbox.arguments import Arguments, as_number
from krakenasync.sandbox.orders import seconds
from krakenasync.sandbox.refusals import invalid

__all__ = ["PAGE", "CursorPage", "Row", "by_cursor", "by_offset", "moment", "remembered", "within"]

T = TypeVar("T")

PAGE: Final = PAGING["Ledgers"].rows
"""Rows on a page of history."""
LARGEST_OFFSET: Final = 2**63 - 1
MOST: Final = 2**31 - 1


class Row(NamedTuple):
    """Something that has an id and a time.

    Attributes:
        id: The id that a `start` or `end` may name.
        at: Unix nanoseconds.
        item: The thing itself; written into the answer only if it is on the page.
    """

    id: str
    at: int
    item: Any


def moment(at: int) -> Decimal:
    """Return a time in seconds exactly as answers show it, so that a bound copied from an answer meets its row."""
    return Decimal(repr(seconds(at)))


def by_offset(
    arguments: Arguments,
    rows: Sequence[Row],
    name: str,
    write: Callable[[Any], dict[str, Any]],
    moments: Mapping[str, int],
) -> dict[str, Any]:
    """Write a page of rows, newest first: `start` is excluded, `end` included, each a time or the id of a row.

    Args:
        arguments: ``start``, ``end``, ``ofs``, ``without_count``.
        rows: All rows there are, newest first.
        name: The key of the page in the answer.
        write: Writes an item.
        moments: The time of every id that may be a bound, even of rows that are filtered out, in unix nanoseconds.

    Raises:
        Refusal: A bound is neither a time nor such an id.
    """
    offset = arguments.whole("ofs", 0, 0, LARGEST_OFFSET)
    newer, older = (_bound(arguments, rows, bound, moments) for bound in ("end", "start"))
    found = rows[_first(rows, newer) : _first(rows, older)]
    page: dict[str, Any] = {name: {row.id: write(row.item) for row in found[offset : offset + PAGE]}}
    if not arguments.flag("without_count"):
        page["count"] = len(found)
    return page


def _bound(arguments: Arguments, rows: Sequence[Row], name: str, moments: Mapping[str, int]) -> int | Decimal | None:
    """Read a bound: the position of the row it names, or a time in seconds."""
    if not arguments.given(name):
        return None if name == "end" else Decimal(-1)
    text = arguments.text(name)
    place = next((place for place, row in enumerate(rows) if row.id == text), None)
    if place is not None:
        return place
    return moment(moments[text]) if text in moments else as_number(name, text)


def _first(rows: Sequence[Row], bound: int | Decimal | None) -> int:
    """Return the position of the first row that is not after a bound."""
    if bound is None:
        return 0
    if isinstance(bound, int):
        return bound
    return bisect.bisect_left(rows, True, key=lambda row: moment(row.at) <= bound)


class CursorPage(NamedTuple):
    """Rows, and what leads to the next ones.

    Attributes:
        rows: Newest first.
        next: None at the end.
    """

    rows: list[Any]
    next: str | None


def remembered(arguments: Arguments, *, first: tuple[str, ...] = ()) -> Arguments:
    """Return the arguments that a cursor stands for: those of the first call, and where the last page ended.

    Args:
        arguments: The call's; its ``cursor`` may come from `by_cursor`.
        first: Values of ``cursor`` that ask for the first page.

    Raises:
        Refusal: The sandbox did not issue this cursor.
    """
    # Kraken's page types it "boolean or string".
    text = arguments.spelled("cursor", "")
    if not text or text.lower() in first:
        return arguments
    try:
        known = msgspec.json.decode(base64.urlsafe_b64decode(text.encode()), type=dict[str, Any])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise invalid("cursor") from None
    if "after" not in known:
        raise invalid("cursor")
    return Arguments({**known, "cursor": text})


def by_cursor(
    arguments: Arguments, rows: Sequence[T], id_of: Callable[[T], str], filters: tuple[str, ...], size: int
) -> CursorPage:
    """Cut the next page out of rows, newest first; rows that arrive meanwhile do not shift it.

    Args:
        arguments: What `remembered` returned.
        rows: Those that pass the filters.
        id_of: Returns a row's id.
        filters: The names of the filters, which the cursor remembers.
        size: Rows per page unless ``limit`` says otherwise.
    """
    limit = arguments.whole("limit", size, 1, MOST)
    after = arguments.text("after", "") if arguments.given("after") else None
    begin = 0
    if after is not None:
        begin = next((place + 1 for place, row in enumerate(rows) if id_of(row) == after), len(rows))
    page = list(rows[begin : begin + limit])
    if begin + limit >= len(rows):
        return CursorPage(page, None)
    known = {"after": id_of(page[-1]), "limit": limit, **arguments.only(filters)}
    return CursorPage(page, base64.urlsafe_b64encode(msgspec.json.encode(known)).decode())


def within(arguments: Arguments) -> Callable[[int], bool]:
    """Read ``start`` and ``end``, and return a test whether a time is between them, both included.

    Raises:
        Refusal: One of them is not a time, even if there is nothing to compare it with.
    """
    start = arguments.number("start", "0")
    end = arguments.number("end") if arguments.given("end") else None
    return lambda at: start <= moment(at) and (end is None or moment(at) <= end)

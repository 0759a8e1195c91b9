"""Paging: iterations over histories that grow while they are read, interrupted and resumed at every turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol import paging
from krakenasync.protocol.paging import PAGING, Cursor, Page, Paging, Style

SECOND = 10**9
OFFSET = Paging(Style.OFFSET, 4)
FLAG = Paging(Style.FLAG, 4)
NANOSECONDS = Paging(Style.NANOSECONDS, 5)

growth = st.lists(st.sampled_from([0, 0, 1, 2, 5]), max_size=12)
gaps = st.lists(st.integers(0, 2), max_size=25)


class Ledger:
    """Kraken's offset pages as documented: (start, end], newest first, `ofs`; rows arrive between the pages."""

    def __init__(self, gaps: list[int], growth: list[int], rows: int = 4) -> None:
        self.rows: list[tuple[str, int]] = []
        self.size = rows
        self.now = 100
        for gap in gaps:
            self.arrive(gap)
        self.growth = list(growth)
        self.requests: list[dict[str, Any]] = []

    def arrive(self, gap: int) -> None:
        self.now += gap
        self.rows.append((f"L{len(self.rows):03}", self.now))

    def clock(self) -> int:
        return self.now * SECOND

    def answer(self, params: dict[str, Any]) -> Page:
        self.requests.append(params)
        low, high = int(params.get("start", 0)), int(params.get("end", 10**9))
        window = [name for name, time in reversed(self.rows) if low < time <= high]
        offset = params.get("ofs", 0)
        count = None if params.get("without_count") else len(window)
        page = Page(window[offset : offset + self.size], count=count)
        for gap in range(self.growth.pop(0) if self.growth else 0):
            self.arrive(gap % 2)
        return page


class Deposits(Ledger):
    """Kraken's pages by token: the token stands for the row that comes next; start and end are included."""

    def answer(self, params: dict[str, Any]) -> Page:
        self.requests.append(params)
        window = [name for name, time in reversed(self.rows) if time <= int(params["end"])]
        first = 0 if params["cursor"] is True else window.index(params["cursor"])
        rest = window[first + self.size :]
        page = Page(window[first : first + self.size], rest[0] if rest else None)
        for gap in range(self.growth.pop(0) if self.growth else 0):
            self.arrive(gap % 2)
        return page


class Market(Ledger):
    """Kraken's trades: after `since` (excluded, or included), oldest first, `last` is the last one's nanosecond."""

    included = False

    def clock(self) -> int:
        return (self.now + 1) * SECOND

    def answer(self, params: dict[str, Any]) -> Page:
        self.requests.append(params)
        since = int(params["since"]) + (not self.included)
        trades = [(name, time) for name, time in self.rows if time * SECOND >= since][: self.size]
        page = Page([name for name, _time in trades], trades[-1][1] * SECOND if trades else None)
        for gap in range(self.growth.pop(0) if self.growth else 0):
            self.arrive(gap + 1)
        return page


def walk(how: Paging, kraken: Ledger, cursor: Cursor, read: Callable[[Cursor, Page], Page]) -> Iterator[Any]:
    """Yield (row, cursor behind it), as an iterator of the client's does."""
    following: Cursor | None = cursor
    while following is not None:
        asked = paging.begin(how, following, kraken.clock())
        page = read(asked, kraken.answer(paging.parameters(how, asked)))
        following = paging.following(how, asked, page)
        new = paging.first_new(asked, page)
        for index in range(len(page.marks) if new is None else new, len(page.marks)):
            yield page.marks[index], paging.behind(how, asked, page, index)


def rows_of(how: Paging, kraken: Ledger, *stops: int, params: dict[str, Any] | None = None, read: Any = None) -> list:
    """Iterate to the end; after each number of rows break off, store the cursor and go on with what was stored."""
    cursor = Cursor(endpoint="Ledgers", params=params or {})
    read = read or (lambda _cursor, page: page)
    found: list[str] = []
    for stop in (*stops, None):
        for number, (row, place) in enumerate(walk(how, kraken, cursor, read), 1):
            found.append(row)
            cursor = Cursor.parse(place.text(), "Ledgers")
            if number == stop:
                break
        if not found:  # nothing was handed out, so to go on would be to begin
            break
    return found


def until(kraken: Ledger) -> Callable[[Cursor, Page], Page]:
    """Cut trades that are later than the pinned end, as the client does."""

    def read(cursor: Cursor, page: Page) -> Page:
        times = dict(kraken.rows)
        kept = [mark for mark in page.marks if times[mark] <= float(cursor.until or 0)]
        return Page(kept, page.onward if len(kept) == len(page.marks) else None)

    return read


@given(gaps=gaps, growth=growth, stops=st.lists(st.integers(1, 9), max_size=6))
def test_a_growing_ledger_is_read_once_each(gaps, growth, stops):
    """Rows that arrive between pages, of equal times too, neither double nor drop one, interrupted or not."""
    there = Ledger(gaps, []).rows

    found = rows_of(OFFSET, Ledger(gaps, growth), *stops)

    assert found == [name for name, _time in reversed(there)]


@given(gaps=gaps, growth=growth, stops=st.lists(st.integers(1, 9), max_size=6), data=st.data())
def test_bounds_given_by_the_caller_hold(gaps, growth, stops, data):
    """`start` excludes its own moment, `end` includes it, in pieces as in one go."""
    there = Ledger(gaps, []).rows
    low, high = sorted((data.draw(st.integers(99, 130)), data.draw(st.integers(99, 130))))

    found = rows_of(OFFSET, Ledger(gaps, growth), *stops, params={"start": str(low), "end": str(high)})

    assert found == [name for name, time in reversed(there) if low < time <= high]


@given(gaps=gaps, growth=growth, stops=st.lists(st.integers(1, 9), max_size=6))
def test_deposits_are_read_once_each(gaps, growth, stops):
    """The same with tokens: what arrives pushes rows off the first page, where they are found again."""
    there = Ledger(gaps, []).rows

    found = rows_of(FLAG, Deposits(gaps, growth), *stops)

    assert found == [name for name, _time in reversed(there)]


@given(
    gaps=st.lists(st.sampled_from([0, 0, 1, 3]), max_size=25),
    growth=growth,
    stops=st.lists(st.integers(1, 9), max_size=6),
    included=st.booleans(),
)
def test_trades_are_read_once_each_up_to_the_beginning(gaps, growth, stops, included):
    """Trades of one nanosecond at a page's edge are all there, whether Kraken excludes `since` or not."""
    kraken = Market(gaps, growth, rows=30)
    kraken.included = included
    there = list(kraken.rows)

    found = rows_of(Paging(Style.NANOSECONDS, 30), kraken, *stops, read=until(kraken))

    assert found == [name for name, _time in there]


@given(groups=st.lists(st.integers(1, 4), max_size=10), growth=growth, included=st.booleans())
def test_small_pages_of_trades_cut_groups_of_one_nanosecond(groups, growth, included):
    """Whatever the groups of equal moments and wherever a page cuts one: each trade once, oldest first."""
    kraken = Market([gap for size in groups for gap in (1, *[0] * (size - 1))], growth, rows=5)
    kraken.included = included
    there = list(kraken.rows)

    assert rows_of(NANOSECONDS, kraken, read=until(kraken)) == [name for name, _time in there]


def test_a_nanosecond_that_fills_a_page_is_said():
    """More trades at one moment than a page holds: an error that says what to do, never a gap."""
    with pytest.raises(InvalidArguments, match="count=1000"):
        rows_of(
            NANOSECONDS, Market([1, 0, 0, 0, 0, 0, 0], [], rows=5), params={"count": 5}, read=lambda _cursor, page: page
        )


def test_trades_end_where_last_is_empty():
    """No `last` means that there is nothing more."""
    cursor = Cursor(endpoint="Trades", page="0", until=Decimal(1))

    assert paging.following(NANOSECONDS, cursor, Page(["1", "2"])) is None
    assert paging.following(NANOSECONDS, cursor, Page([], 7)) is None


def test_the_count_is_asked_for_once():
    """The total comes with the first page; counting again would only slow Kraken down."""
    kraken = Ledger([1] * 9, [])
    cursors = [cursor for _row, cursor in walk(OFFSET, kraken, Cursor(endpoint="Ledgers"), lambda _c, page: page)]

    assert [request.get("without_count") for request in kraken.requests] == [None, True, True]
    assert {cursor.count for cursor in cursors} == {9}


def test_a_page_begins_with_the_row_handed_out_last():
    """Pages overlap by one row, which shows whether rows have moved."""
    kraken = Ledger([1] * 9, [])
    rows_of(OFFSET, kraken)

    assert [request["ofs"] for request in kraken.requests] == [0, 3, 6]


def test_the_end_is_pinned_once_and_for_all():
    """All pages, and the pages of a resumed iteration, ask for the same window."""
    kraken = Ledger([1] * 10, [3, 3, 3, 3])
    rows_of(OFFSET, kraken, 2, 5)

    assert {request["end"] for request in kraken.requests} == {"112"}


@pytest.mark.parametrize(
    ("given_end", "pinned"),
    [(None, "102"), ("90", "90"), ("90.5", "90.5"), ("5000", "102"), ("Infinity", "102"), ("L4UESK-KG3EQ", None)],
)
def test_the_earlier_end_wins(given_end, pinned):
    """An end in the past is kept, one yet to come is replaced by now; an id names a row and stays."""
    params = {} if given_end is None else {"end": given_end}

    cursor = paging.begin(OFFSET, Cursor(endpoint="Ledgers", params=params), 100 * SECOND)

    assert cursor.params["end"] == (pinned or given_end)


def test_fewer_rows_a_page_than_documented_lose_none():
    """Were Kraken to shorten its pages, the count says that there is more."""
    found = rows_of(Paging(Style.OFFSET, 50), Ledger([1] * 10, [], rows=4))

    assert len(found) == 10


def test_a_full_last_page_is_followed_by_nothing():
    """When the rows fill the page, one more request shows that there are no others."""
    kraken = Ledger([1] * 4, [])

    assert len(rows_of(OFFSET, kraken)) == 4
    assert len(kraken.requests) == 2


def test_no_rows_at_all():
    """An empty ledger takes one request and gives nothing."""
    kraken = Ledger([], [])

    assert rows_of(OFFSET, kraken) == []
    assert len(kraken.requests) == 1


@pytest.mark.parametrize("how", [OFFSET, FLAG, NANOSECONDS, Paging(Style.SECONDS, 4)])
def test_a_row_that_is_gone_is_said(how):
    """A cursor of another account, or one older than what Kraken keeps, is an error and no silent end."""
    cursor = Cursor(endpoint="Ledgers", page=0, last="gone")

    with pytest.raises(InvalidArguments, match="no longer there"):
        paging.following(how, cursor, Page(["a", "b"], None))


def test_tokens_lead_from_page_to_page():
    """What the answer names leads to the next page; without it, or when it leads nowhere, that was all."""
    cursor = paging.begin(FLAG, Cursor(endpoint="DepositStatus"), 0)

    assert paging.parameters(FLAG, cursor) == {"cursor": True, "end": "2"}
    after = paging.following(FLAG, cursor, Page(["a", "b"], "next"))
    assert after is not None
    assert paging.parameters(FLAG, after) == {"cursor": "next", "end": "2"}
    assert paging.following(FLAG, after, Page(["c", "d"], "next")) is None
    assert paging.following(FLAG, after, Page(["c"], None)) is None
    again = paging.behind(FLAG, after, Page(["c", "d"], "last"), 0)
    assert paging.parameters(FLAG, again) == {"cursor": "next", "end": "2"}
    assert paging.first_new(again, Page(["c", "d"], "last")) == 1


def test_candles_are_one_page():
    """One answer holds all the candles there are; the unfinished one is no place to go on behind."""
    how = PAGING["OHLC"]
    cursor = paging.begin(how, Cursor(endpoint="OHLC", params={"pair": "XBTUSD", "since": "5"}), 0)
    page = Page(["a", "b", "c"], 3, unfinished=True)

    assert paging.parameters(how, cursor) == {"pair": "XBTUSD", "since": "5"}
    assert paging.following(how, cursor, page) is None
    assert [paging.behind(how, cursor, page, index).last for index in range(3)] == ["a", "b", "b"]
    assert paging.behind(how, cursor, Page(["c"], 3, unfinished=True), 0) == cursor


@given(
    page=st.none() | st.booleans() | st.integers(0, 2**40) | st.text(st.characters(codec="utf-8")),
    last=st.none() | st.text(st.characters(codec="utf-8")),
    count=st.none() | st.integers(0, 2**40),
)
def test_a_cursor_survives_storage(page, last, count):
    """Text and back is the same cursor."""
    cursor = Cursor(endpoint="Ledgers", params={"asset": "ZEUR", "end": "1"}, page=page, last=last, count=count)

    assert Cursor.parse(cursor.text(), "Ledgers") == cursor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"endpoint": 3}',
        '{"endpoint":"Ledgers","offset":3}',
        "\ud800",
        '{"endpoint":"Trades","until":"x"}',
    ],
)
def test_what_is_no_cursor_is_refused(text):
    """A text that was not written by a cursor says so."""
    with pytest.raises(InvalidArguments, match="cannot be read"):
        Cursor.parse(text, "Ledgers")


def test_a_cursor_may_be_of_a_class_of_the_callers_own():
    """Such as one that a configuration library makes of every text."""

    class Own(str):
        __slots__ = ()

    cursor = Cursor(endpoint="Ledgers")
    assert Cursor.parse(Own(cursor.text()), "Ledgers") == cursor


def test_a_cursor_of_another_call_is_refused():
    """Trades cannot go on in the ledger; and a cursor is a text."""
    with pytest.raises(InvalidArguments, match="belongs to TradesHistory"):
        Cursor.parse(Cursor(endpoint="TradesHistory").text(), "Ledgers")
    with pytest.raises(InvalidType, match="must be a str"):
        Cursor.parse(7, "Ledgers")  # type: ignore[arg-type]  # the point of the test


def test_a_call_that_does_not_page_is_not_in_the_table():
    """The table names the calls that page, each with its kind."""
    assert "Balance" not in PAGING
    assert {how.style for how in PAGING.values()} == set(Style)
    assert msgspec.structs.asdict(PAGING["Ledgers"]) == {"style": Style.OFFSET, "rows": 50}

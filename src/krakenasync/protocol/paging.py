"""Kraken's ways of paging, as data; the position of an iteration, as a value; and the next request, as a function.

Continuing an iteration and resuming one are the same: each request is made from a `Cursor` alone, and each row has the
cursor that continues after it. Where Kraken's own position is not stable, because rows can be inserted before it, a
request starts at the row that was handed out last and continues after it, wherever that row is by now.

Sources: https://docs.kraken.com/api/docs/rest-api/get-ledgers (start excluded, end included, 50 rows, ofs),
https://docs.kraken.com/api/docs/rest-api/get-recent-trades, https://docs.kraken.com/api/docs/rest-api/get-ohlc-data,
https://docs.kraken.com/api/docs/rest-api/get-status-recent-deposits
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

import msgspec

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.exact import EXACT, decimal_text
from krakenasync.protocol.moments import CALENDAR_END
from krakenasync.protocol.servertime import SECOND

__all__ = ["PAGING", "Cursor", "Page", "Paging", "Style", "begin", "behind", "first_new", "following", "parameters"]

_AHEAD: Final = 2
"""Seconds from the least that a reading of Kraken's clock can mean to a moment that is certainly not past."""
_SETTLED: Final = 1
"""Seconds after which all trades of a moment are certainly listed."""


class Style(Enum):
    """Kraken's cursor kinds."""

    OFFSET = "start_end_ofs"
    """`ofs` counts rows from the newest in (start, end]: it slips when rows arrive."""
    NANOSECONDS = "since_last"
    """The answer's `last`, in nanoseconds, is the next `since`. Oldest first."""
    SECONDS = "since"
    """`since` in seconds; one answer contains everything available."""
    FLAG = "cursor_flag"
    """``cursor=true`` for the first page, then the answer's `next_cursor`."""


_PARAMETER: Final = {
    Style.OFFSET: "ofs",
    Style.NANOSECONDS: "since",
    Style.SECONDS: "since",
    Style.FLAG: "cursor",
}
"""The parameter that says which page."""


class Paging(msgspec.Struct, frozen=True):
    """How one endpoint pages.

    Attributes:
        style: Which kind of cursor it has.
        rows: How many rows a full page contains, unless the call says otherwise.
    """

    style: Style
    rows: int

    @property
    def pinned(self) -> bool:
        """Whether the end of what is asked for is pinned by Kraken's clock."""
        return self.style in {Style.OFFSET, Style.FLAG, Style.NANOSECONDS}


PAGING: Final[Mapping[str, Paging]] = {
    "ClosedOrders": Paging(Style.OFFSET, 50),
    "TradesHistory": Paging(Style.OFFSET, 50),
    "Ledgers": Paging(Style.OFFSET, 50),
    "DepositStatus": Paging(Style.FLAG, 25),
    "WithdrawStatus": Paging(Style.FLAG, 500),
    "Trades": Paging(Style.NANOSECONDS, 1000),
    "OHLC": Paging(Style.SECONDS, 720),
}


class Cursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where an iteration stands: a plain value, stored as `text` and read back by `parse`.

    Attributes:
        endpoint: Kraken's name of the call.
        params: What it asks for, as sent; `end` is pinned here when the first page is requested.
        page: The value of the parameter that says which page; None before the first.
        last: The mark of the row handed out last, after which to continue; None if all of the page is new.
        until: Unix seconds after which rows are left out, where Kraken has no parameter for it.
        count: How many rows there are in all, if Kraken has said so.
    """

    endpoint: str
    params: dict[str, Any] = {}
    page: bool | int | str | None = None
    last: str | None = None
    until: Decimal | None = None
    count: int | None = None

    def text(self) -> str:
        """Return the cursor as JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def parse(cls, text: str, endpoint: str) -> Cursor:
        """Read what `text` wrote.

        Raises:
            InvalidArguments: The text is not a cursor, or belongs to another call.
        """
        if not isinstance(text, str):
            raise InvalidType(f"cursor must be a str, not {type(text).__name__}", hint="pass what `.cursor` gave")
        try:
            cursor = _CURSOR.decode(str.__str__(text))  # msgspec does not read the caller's own classes
            possible = cursor.until is None or (cursor.until.is_finite() and 0 <= cursor.until < CALENDAR_END)
        except (msgspec.MsgspecError, UnicodeEncodeError):
            possible = False
        if not possible:
            raise InvalidArguments("the cursor cannot be read", hint="pass what `.cursor` gave, unchanged")
        if cursor.endpoint != endpoint:
            raise InvalidArguments(f"the cursor belongs to {cursor.endpoint}, not to {endpoint}")
        return cursor


_CURSOR: Final = msgspec.json.Decoder(Cursor)


class Page(msgspec.Struct, frozen=True):
    """What an answer says about its rows.

    Attributes:
        marks: What distinguishes each row from all others, in the answer's order.
        onward: Kraken's value for what comes next: `last`, `next_cursor`; None at the end.
        count: How many rows there are in all.
        unfinished: Whether the last row may still change, so that the next request starts with it.
    """

    marks: Sequence[str]
    onward: int | str | None = None
    count: int | None = None
    unfinished: bool = False


def begin(paging: Paging, cursor: Cursor, now: int) -> Cursor:
    """Pin the end of what is asked for and go to the first page; a cursor that is past that is returned unchanged.

    The end lies a little ahead of Kraken's clock, so that the newest rows are there. What arrives in between pushes
    rows to higher offsets, which is harmless: see `first_new`. An end too early would pull them to lower ones. `until`
    leaves no room for rows yet to come: it is a moment that is certainly past.

    Args:
        paging: How the endpoint pages.
        cursor: Where the iteration stands.
        now: The least that Kraken's clock can show, in nanoseconds since the unix epoch.
    """
    if cursor.page is not None:
        return cursor
    params, until, page = dict(cursor.params), cursor.until, _first_page(paging, cursor)
    if paging.style in {Style.OFFSET, Style.FLAG}:
        params["end"] = _earlier(params.get("end"), Decimal(now // SECOND + _AHEAD))
    elif paging.style is Style.NANOSECONDS:
        settled = EXACT.scaleb(Decimal(now - _SETTLED * SECOND), -9)
        until = settled if until is None else min(until, settled)
    return msgspec.structs.replace(cursor, params=params, until=until, page=page)


def _first_page(paging: Paging, cursor: Cursor) -> bool | int | str:
    match paging.style:
        case Style.OFFSET:
            return 0
        case Style.FLAG:
            return True
        case Style.NANOSECONDS:
            first: str = cursor.params.get("since", "0")
            return first
        case _:
            given: str = cursor.params.get(_PARAMETER[paging.style], "")
            return given


def _earlier(given: str | None, pin: Decimal) -> str:
    """Choose the earlier of two moments; an id is left alone, as it names one in the past."""
    try:
        moment = Decimal(given) if given is not None else pin
    except InvalidOperation:
        return given or ""
    return decimal_text(min(moment, pin) if moment.is_finite() else pin)


def parameters(paging: Paging, cursor: Cursor) -> dict[str, Any]:
    """Return the parameters of the next request."""
    params = dict(cursor.params)
    if cursor.page not in {None, ""}:
        params[_PARAMETER[paging.style]] = cursor.page
    if paging.style is Style.OFFSET and cursor.last is not None:
        params["without_count"] = True
    return params


def first_new(cursor: Cursor, page: Page) -> int | None:
    """Return the first row of a page that was not handed out yet.

    Rows that have arrived since push the known ones to higher offsets, so the one to continue after may have moved.

    Returns:
        Its index, the number of rows if there is none, or None if the row to continue after is not on the page.
    """
    if cursor.last is None:
        return 0
    return page.marks.index(cursor.last) + 1 if cursor.last in page.marks else None


def behind(paging: Paging, cursor: Cursor, page: Page, index: int) -> Cursor:
    """Return the cursor that continues after a row.

    Args:
        paging: How the endpoint pages.
        cursor: The cursor with which the page was requested.
        page: The page.
        index: The row's place on it.
    """
    if page.unfinished and index == len(page.marks) - 1:
        index -= 1
    if index < 0:
        return cursor
    place = cursor.page
    if paging.style is Style.OFFSET and isinstance(place, int):
        place += index
    count = page.count if cursor.count is None else cursor.count
    return msgspec.structs.replace(cursor, page=place, last=page.marks[index], count=count)


def following(paging: Paging, cursor: Cursor, page: Page) -> Cursor | None:
    """Return the cursor of the request after this page, or None when there is nothing more to ask for.

    Raises:
        InvalidArguments: The row to continue after is gone, or a page is too small for the rows of one moment.
    """
    lost = first_new(cursor, page) is None
    match paging.style:
        case Style.OFFSET:
            after = _next_offset(paging, cursor, page, lost=lost)
        case Style.NANOSECONDS:
            after = None if lost else _next_nanosecond(paging, cursor, page)
        case Style.SECONDS:
            after = None
        case _:
            after = _next_token(cursor, page, lost=lost)
    if lost and after is None:
        raise InvalidArguments(
            "the row to continue after is no longer there",
            endpoint=cursor.endpoint,
            hint="the cursor is too old, or of another account: start again",
        )
    return after


def _next_offset(paging: Paging, cursor: Cursor, page: Page, *, lost: bool) -> Cursor | None:
    """Start the next page with the last row of this one, to see whether the rows have moved."""
    here = cursor.page if isinstance(cursor.page, int) else 0
    rows = len(page.marks)
    count = page.count if cursor.count is None else cursor.count
    short = rows < paging.rows and (count is None or here + rows >= count)
    if short or not rows:
        return None
    if lost:  # pushed on by more than a page: look for it there
        return msgspec.structs.replace(cursor, page=here + rows)
    after = behind(paging, cursor, page, rows - 1)
    return None if after == cursor else after


def _next_nanosecond(paging: Paging, cursor: Cursor, page: Page) -> Cursor | None:
    """Continue one nanosecond before `last`: the page may have ended among trades of the same nanosecond.

    It then does not matter whether Kraken excludes `since` itself.
    """
    if page.onward is None or not page.marks:
        return None
    since = str(int(page.onward) - 1)
    if since == str(cursor.page):
        if len(page.marks) >= int(cursor.params.get("count", paging.rows)):
            raise InvalidArguments(
                f"more trades at one moment than the {len(page.marks)} of a page",
                endpoint=cursor.endpoint,
                hint="ask for larger pages: count=1000",
            )
        return None
    return msgspec.structs.replace(cursor, page=since, last=page.marks[-1])


def _next_token(cursor: Cursor, page: Page, *, lost: bool) -> Cursor | None:
    """Continue with Kraken's token for the next page; a row that was pushed off its page is looked for there."""
    if page.onward is None or page.onward == cursor.page:
        return None
    return msgspec.structs.replace(cursor, page=page.onward, last=cursor.last if lost else None)

"""Download a long list to disk, and keep it up to date."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from krakenasync.archive import parquet
from krakenasync.archive.formats import cell, columns, flat, header, line
from krakenasync.archive.journal import BEGIN_ANEW, Journal
from krakenasync.archive.kinds import KINDS, OVERLAP, Kind
from krakenasync.client.client import KrakenClient
from krakenasync.client.rows import Rows
from krakenasync.errors import ConfigurationError, InvalidArguments
from krakenasync.protocol.charges import Counter
from krakenasync.protocol.paging import PAGING
from krakenasync.spot.catalog import by_name

__all__ = ["Progress", "Report", "download"]

FORMS: Final = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "ndjson"}
PARQUET: Final = ".parquet"


class Progress(msgspec.Struct, frozen=True):
    """How far a run has come.

    Attributes:
        seen: Rows received so far.
        count: How many rows there are, by Kraken's count; None if Kraken does not say.
        seconds_left: How long the limiter needs for the rest; None if the count is not known.
    """

    seen: int
    count: int | None
    seconds_left: float | None


class Report(msgspec.Struct, frozen=True):
    """What a run has done.

    Attributes:
        new: Rows that were added.
        rows: Rows in the file.
        seen: Rows the run received, including those known before.
        count: How many rows there should be, by Kraken's count; None if Kraken does not say.
    """

    new: int
    rows: int
    seen: int
    count: int | None

    @property
    def complete(self) -> bool:
        """Whether no row is missing, as far as Kraken counts them."""
        return self.count is None or self.seen >= self.count


async def download(
    client: KrakenClient,
    kind: str,
    out: Path | str,
    *,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    adopt: bool = False,
    **filters: Any,
) -> Report:
    """Download a list to disk. An interrupted file is continued where it stopped; a finished one gets what is newer.

    The first run writes Kraken's order: private lists newest first, public ones oldest first. Each later run appends
    what is new in the same order. A file belongs to one account: another key or address is refused.

    Args:
        client: Whom to ask.
        kind: ``"ledgers"``, ``"trades"``, ``"closed-orders"``, ``"public-trades"`` or ``"ohlc"``.
        out: The file; its suffix decides the format: ``.csv``, ``.ndjson``, ``.jsonl`` or ``.parquet``.
        on_progress: Called from time to time with the progress.
        adopt: Continue a file of another key or address, if the account is the same and has a new key.
        filters: What the client's iterator takes, such as ``asset="XBT"`` or ``pair="XBTUSD"``.

    Raises:
        ConfigurationError: The file cannot be used for this.
        KrakenError: A call failed. What is on disk is kept; run it again.
    """
    path = Path(out)
    wanted, form = _kind(kind), _form(path)
    keep = path.with_name(f"{path.name}.rows") if path.suffix == PARQUET else path
    base_url, key_id = client.identity
    source = base_url, key_id if wanted.private else None
    with Journal(keep, form, kind, _plain(filters), source, adopt=adopt) as journal:
        report = await _Run(client, wanted, journal, form, filters, on_progress).go()
        if path.suffix == PARQUET:  # while nobody else may write to it
            parquet.write(path, keep, columns(wanted.row, wanted.without))
    return report


def _kind(kind: str) -> Kind:
    try:
        return KINDS[kind]
    except KeyError:
        raise InvalidArguments(f"there is no history of {kind!r}", hint=f"one of {', '.join(KINDS)}") from None


def _form(path: Path) -> str:
    """Return the format from the file's name; refuse a name that no file can have."""
    if path.suffix not in FORMS:
        raise ConfigurationError(
            f"{path.name!r} does not say which format", hint=f"end it with one of {', '.join(FORMS)}"
        )
    if path.is_dir():  # as some programs leave for a Parquet file
        raise ConfigurationError(f"{path} is a folder", hint="choose another name")
    if path.suffix == PARQUET:
        parquet.require()
    return FORMS[path.suffix]


def _plain(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters in the form in which they are stored."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(filters))
    return plain


class _Run:
    """One run over a list."""

    def __init__(
        self,
        client: KrakenClient,
        kind: Kind,
        journal: Journal,
        form: str,
        filters: Mapping[str, Any],
        tell: Callable[[Progress], None],
    ) -> None:
        self._client = client
        self._kind = kind
        self._journal = journal
        self._form = form
        self._filters = filters
        self._tell = tell
        self._columns = columns(kind.row, kind.without)
        self._page = PAGING[kind.endpoint].rows

    async def go(self) -> Report:
        """Fetch all that is not there yet."""
        position, before = self._journal.position, self._journal.position.rows
        rows = self._rows()
        known = self._known()
        if not position.offset:
            self._journal.append(header(self._columns, self._form))
        async for row in rows:
            values = flat(row, self._columns)
            position.seen += 1
            moment = values[self._kind.time].isoformat()
            position.newest = max(position.newest or moment, moment)
            if cell(values[self._kind.key]) not in known:
                self._journal.append(line(values, self._form))
                position.rows += 1
            if position.seen % self._page == 0:
                position.cursor = rows.cursor
                self._journal.commit()
                self._tell(self._progress(rows.count))
        return self._finish(rows.count, before)

    def _rows(self) -> Rows[Any]:
        """Continue the iteration under way, or begin a new one where the last one ended."""
        position = self._journal.position
        if position.cursor is not None:
            return self._kind.resume(self._client, position.cursor)
        position.seen, position.newest, position.since = 0, None, None
        if position.covered is not None:
            position.since = (datetime.fromisoformat(position.covered) - OVERLAP).isoformat()
        since = None if position.since is None else datetime.fromisoformat(position.since)
        return self._kind.begin(self._client, self._filters, since)

    def _known(self) -> set[str]:
        """Return the keys of the rows on disk that the iteration may meet again."""
        since = self._journal.position.since
        if since is None:
            return set()
        from_when = datetime.fromisoformat(since)
        try:
            times = ((row[self._kind.key], row[self._kind.time]) for row in self._journal.rows())
            return {str(key) for key, time in times if datetime.fromisoformat(time) >= from_when}
        except (ValueError, KeyError, TypeError, AttributeError, csv.Error, msgspec.MsgspecError):
            raise ConfigurationError(f"{self._journal.path.name} cannot be read", hint=BEGIN_ANEW) from None

    def _finish(self, count: int | None, before: int) -> Report:
        """Record that the list is complete: the next run begins after it."""
        position = self._journal.position
        report = Report(position.rows - before, position.rows, position.seen, count)
        self._tell(Progress(position.seen, count, 0.0))
        times = [each for each in (position.covered, position.newest) if each is not None]
        position.covered = max(times, default=None)
        position.cursor = None
        self._journal.commit()
        return report

    def _progress(self, count: int | None) -> Progress:
        """Return how far it is, and how long the limiter needs for the rest."""
        seen = self._journal.position.seen
        if count is None:
            return Progress(seen, None, None)
        charge = self._client.limits.cost(by_name(self._kind.endpoint).spec)
        pages = math.ceil(max(count - seen, 0) / self._page)
        counter = self._client.limits.snapshot()[Counter.REST.value]
        over = charge * pages + counter.level + counter.held - counter.cap
        return Progress(seen, count, max(over / counter.decay, counter.blocked_for, 0.0))

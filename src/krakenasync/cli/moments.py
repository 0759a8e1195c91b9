"""Points in time, as they are written on the command line and in tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.exact import EXACT
from krakenasync.spot.values import EPOCH

__all__ = ["spoken", "when"]


def when(name: str, text: str | None) -> datetime | None:
    """Read a point in time: unix seconds, or a date with or without a time, in UTC unless it says otherwise.

    >>> when("--since", "2026-01-02")
    datetime.datetime(2026, 1, 2, 0, 0, tzinfo=datetime.timezone.utc)

    Raises:
        InvalidArguments: The text is neither.
    """
    if text is None:
        return None
    try:
        if text.replace(".", "", 1).isdecimal():
            return EPOCH + timedelta(microseconds=int(EXACT.multiply(Decimal(text), 10**6)))
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise InvalidArguments(
            f"{name} {text!r} is not a point in time", hint="write 2026-01-31, 2026-01-31T12:00 or unix seconds"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def spoken(time: datetime | None) -> str:
    """Write a point in time in UTC; empty text for None.

    >>> spoken(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    if time is None:
        return ""
    return time.astimezone(UTC).isoformat(timespec="milliseconds" if time.microsecond else "seconds")[:-6] + "Z"

"""How a parameter that is a moment is checked and written."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.exact import EXACT, bounded, decimal_text
from krakenasync.protocol.fields import Marker, Text
from krakenasync.protocol.quoting import quoted

__all__ = ["CALENDAR_END", "EPOCH", "Deadline", "Instant"]

_NO_MOMENT: Final = re.compile(
    r"-.*|\+?(?:[\d.]+e[-+]?\d+|[\d.]{100,}|s?nan\d*|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)
"""Text that is a number, but not a moment. Ids contain letters and dashes, and begin with a letter."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS: Final = re.compile(r"\d+(?:\.\d*)?", re.ASCII)
_HINT: Final = "unix seconds since 1970, or an aware datetime"
CALENDAR_END: Final = 253_402_300_800
"""The year 10000, in unix seconds: no datetime is that late. As milliseconds it was in 1978."""
_LEAST_NANOSECONDS: Final = 10**17
"""In 1973."""


class Instant(Marker):
    """A moment as unix time; also takes an aware datetime, or an id where Kraken accepts one.

    A number below 0 is refused: it is meant as "so long ago", but Kraken reads it as a time before 1970.

    Args:
        whole_seconds: Whether Kraken requires whole seconds: fractions are cut, not rounded.
        nanoseconds: Whether a datetime is written as a whole number of nanoseconds instead.
    """

    def __init__(self, *, whole_seconds: bool = False, nanoseconds: bool = False) -> None:
        self._whole_seconds = whole_seconds
        self._nanoseconds = nanoseconds

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        if isinstance(value, datetime):
            return self._write(_aware(name, value))
        if isinstance(value, str):
            text = Text().wire(name, value)
            if _NO_MOMENT.fullmatch(text):
                raise InvalidArguments(f"{name}={quoted(text)} is not a point in time", hint=_HINT)
            if not _DIGITS.fullmatch(text):
                return text
            value = Decimal(text)
            self._check_unit(name, value)
            if not self._whole_seconds or value == value.to_integral_value():
                return text
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            raise InvalidType(f"{name} must be unix seconds, an aware datetime or an id, not {type(value).__name__}")
        number = Decimal(repr(float(value)) if isinstance(value, float) else value)
        if not number.is_finite() or number < 0 or not bounded(number):
            raise InvalidArguments(f"{name}={quoted(value)} is not a point in time", hint=_HINT)
        self._check_unit(name, number)
        number = number.copy_abs()  # 0 without the sign it may have
        return decimal_text(number.to_integral_value(ROUND_FLOOR) if self._whole_seconds else number)

    def _check_unit(self, name: str, number: Decimal) -> None:
        """Refuse milliseconds and the like, which Kraken would read as a time in thousands of years."""
        if number < CALENDAR_END or (self._nanoseconds and number >= _LEAST_NANOSECONDS):
            return
        units = "seconds (or nanoseconds)" if self._nanoseconds else "seconds"
        raise InvalidArguments(f"{name}={quoted(number)} is not in {units}", hint=f"milliseconds? Write {_HINT}")

    def _write(self, value: datetime) -> str:
        """Write a datetime exactly, without going through a float."""
        since = value - EPOCH
        micros = (since.days * 86400 + since.seconds) * 10**6 + since.microseconds
        if self._nanoseconds and not 0 <= micros * 1000 < _LEAST_NANOSECONDS:
            return str(micros * 1000)
        if self._whole_seconds or self._nanoseconds:  # so few nanoseconds would be read as something else
            return str(micros // 10**6)
        return decimal_text(EXACT.normalize(EXACT.scaleb(Decimal(micros), -6)))


class Deadline(Marker):
    """A moment as RFC 3339 text; takes an aware datetime or the text itself.

    Args:
        timespec: How finely a datetime is written, as in `datetime.isoformat`.

    Source: https://docs.kraken.com/api/docs/rest-api/add-order (deadline: now + 2 s to now + 60 s, server time)
    """

    def __init__(self, timespec: str = "milliseconds") -> None:
        self._timespec = timespec

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        if not isinstance(value, datetime):
            return _iso(name, Text().wire(name, value))
        try:
            moment = _aware(name, value).astimezone(UTC)
        except OverflowError:  # the last hours of the year 9999, west of Greenwich
            raise InvalidArguments(f"{name}={value.isoformat()} is beyond the calendar in UTC") from None
        return moment.isoformat(timespec=self._timespec).replace("+00:00", "Z")


def _iso(name: str, text: str) -> str:
    """Refuse a text that is not ISO 8601."""
    hint = "write it like '2026-05-28T20:26:40Z', or pass an aware datetime"
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise InvalidArguments(f"{name}={quoted(text)} is not a point in time", hint=hint) from None
    if moment.tzinfo is None:
        raise InvalidArguments(f"{name}={quoted(text)} does not say its zone", hint=hint)
    return text


def _aware(name: str, value: datetime) -> datetime:
    """Refuse a datetime without a time zone, and pandas' "not a time"."""
    try:
        zone = value.utcoffset()
    except ValueError:
        raise InvalidArguments(f"{name} is not a point in time", hint=_HINT) from None
    if zone is None:
        raise InvalidArguments(f"{name} is a naive datetime", hint="say which zone: datetime.now(UTC)")
    return value

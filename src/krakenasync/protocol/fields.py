"""How one parameter of a request is checked and written, as markers for `typing.Annotated`.

A request type says ``volume: Annotated[Decimal | int | str, Money()]``; `Request.params` asks the marker for the value
that travels. Every check that can be made without Kraken is made here, before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

import msgspec

from krakenasync.errors import InvalidArguments, InvalidType

__all__ = [
    "Deadline",
    "Id",
    "Instant",
    "List",
    "Marker",
    "Money",
    "Names",
    "Price",
    "Range",
    "Tag",
    "Text",
    "decimal_text",
    "order_price",
    "plain",
]

Wire = str | int | bool | list[Any] | dict[str, Any]

_ABSOLUTE: Final = re.compile(r"\d", re.ASCII)
"""How a price begins that is not relative to the market."""
_RELATIVE: Final = re.compile(r"[+\-#]\d+(?:\.\d+)?%?|\d+(?:\.\d+)?%", re.ASCII)

_LARGEST: Final = 40
"""Digits before the point that no price or volume has."""
_FINEST: Final = 100
"""Digits after the point that none needs, not even one that was divided and not rounded."""


def decimal_text(value: Decimal) -> str:
    """Write a Decimal digit for digit, never in scientific notation.

    >>> decimal_text(Decimal("1E-8"))
    '0.00000001'
    """
    return format(value, "f")


def order_price(value: object) -> Decimal | str | None:
    """Read the price of an order as an answer has it: a Decimal, or text as Kraken wrote it if it is relative.

    >>> order_price("30000.0"), order_price("+5.0000%"), order_price("-100.0")
    (Decimal('30000.0'), '+5.0000%', '-100.0')

    Raises:
        TypeError: It is neither a number nor text.
    """
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError(f"expected a price, got {type(value).__name__}")
    try:
        return Decimal(value) if _ABSOLUTE.match(str(value)) else str(value)
    except InvalidOperation:
        return str(value)


def _exact(name: str, value: object) -> Decimal:
    """Read a number that must be exact."""
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        hint = (
            "floats are inexact: pass Decimal('0.1') or '0.1'"
            if isinstance(value, float)
            else "pass a Decimal or a str"
        )
        raise InvalidType(f"{name} must be a Decimal, an int or a str, not {type(value).__name__}", hint=hint)
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidArguments(f"{name}={value!r} is not a number", hint="write it like '0.015'") from None
    if not number.is_finite():
        raise InvalidArguments(f"{name}={value!r} is not a finite number", hint="write it like '0.015'")
    if number.adjusted() > _LARGEST or int(number.as_tuple().exponent) < -_FINEST:
        # Written in full, as it travels, 1e999999999 would fill the memory.
        raise InvalidArguments(
            f"{name}={value} is beyond any market", hint="is the exponent meant? write it like '0.015'"
        )
    return number


class Marker:
    """Turns a parameter's value into what travels; None in, None out means "leave it out"."""

    def wire(self, name: str, value: Any) -> Wire | None:
        """Check `value` and return what is sent for it.

        Raises:
            InvalidArguments: The value cannot be right. `InvalidType` if already its type is wrong.
        """
        raise NotImplementedError


class Money(Marker):
    """An exact, non-negative amount, volume or price: Decimal, int or str. A float is refused."""

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        number = _exact(name, value)
        if number < 0:
            raise InvalidArguments(f"{name}={value} is negative", hint="the side is given by type='buy' or 'sell'")
        return decimal_text(number)


class Price(Marker):
    """A price above 0, or one relative to the market: ``+5%``, ``-100``, ``#3``.

    Source: https://docs.kraken.com/api/docs/rest-api/add-order (price, price2)
    """

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        if isinstance(value, str) and _RELATIVE.fullmatch(value):
            return value
        number = _exact(name, value)
        if number < 0:
            raise InvalidArguments(f"{name}={value} is negative", hint="as text, '-100' is 100 below the last trade")
        if not number:
            raise InvalidArguments(f"{name}={value} is no price", hint="it is above 0; a market order has none")
        return decimal_text(number)


class Text(Marker):
    """A non-empty text."""

    def __init__(self, *, pattern: str | None = None, what: str = "") -> None:
        self._pattern = pattern
        self._what = what

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        if isinstance(value, Enum):
            value = value.value
        if not isinstance(value, str):
            raise InvalidType(f"{name} must be a str, not {type(value).__name__}")
        if not value.strip():
            raise InvalidArguments(f"{name} is empty", hint=f"leave {name} out or give it a value")
        if self._pattern and not re.fullmatch(self._pattern, value):
            raise InvalidArguments(f"{name}={value!r} is not {self._what}")
        return value


class Id(Marker):
    """An order's id, or the whole number (`userref`) that Kraken takes in its place."""

    def wire(self, name: str, value: Any) -> str | int:  # noqa: D102 - see Marker
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return Text().wire(name, value)


class Names(Marker):
    """One name or several, sent as a comma list.

    Args:
        most: The largest number of names Kraken takes in one call.
    """

    def __init__(self, *, most: int | None = None) -> None:
        self._most = most

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, Sequence):
            raise InvalidType(f"{name} must be a str or a sequence of str, not {type(value).__name__}")
        if not parts:
            raise InvalidArguments(f"{name} is empty", hint=f"leave {name} out to ask for all")
        if self._most is not None and len(parts) > self._most:
            raise InvalidArguments(f"{name} holds {len(parts)} names, Kraken takes {self._most}", hint="split the call")
        return ",".join(Text().wire(name, part) for part in parts)


class List(Marker):
    """A list that travels as a list: JSON array, or bracketed names in a form."""

    def __init__(self, *, least: int = 1, most: int | None = None) -> None:
        self._least = least
        self._most = most

    def wire(self, name: str, value: Any) -> list[Any]:  # noqa: D102 - see Marker
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise InvalidType(f"{name} must be a sequence, not {type(value).__name__}")
        if len(value) < self._least or (self._most is not None and len(value) > self._most):
            limits = f"at least {self._least}" if self._most is None else f"{self._least} to {self._most}"
            raise InvalidArguments(f"{name} holds {len(value)} items, Kraken takes {limits}")
        return [plain(name, item) for item in value]


class Range(Marker):
    """A whole number between two bounds, both included."""

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    def wire(self, name: str, value: Any) -> int:  # noqa: D102 - see Marker
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidType(f"{name} must be an int, not {type(value).__name__}")
        if not self._low <= value <= self._high:
            raise InvalidArguments(f"{name}={value} is outside {self._low}..{self._high}")
        return value


class Instant(Marker):
    """A moment as unix time; also takes an aware datetime, or an id where Kraken accepts one.

    Args:
        digits: Digits after the second that a datetime is written with (cut, not rounded): 6, or 0 where Kraken
            wants whole seconds.
        nanoseconds: Whether a datetime is written as a whole number of nanoseconds instead.
    """

    def __init__(self, *, digits: int = 6, nanoseconds: bool = False) -> None:
        self._digits = digits
        self._nanoseconds = nanoseconds

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        if isinstance(value, datetime):
            return self._write(_aware(name, value))
        if isinstance(value, str):
            return Text().wire(name, value)
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            raise InvalidType(f"{name} must be unix seconds, an aware datetime or an id, not {type(value).__name__}")
        number = Decimal(repr(value) if isinstance(value, float) else value)
        if not number.is_finite():
            raise InvalidArguments(f"{name}={value} is not a moment")
        return decimal_text(number if self._digits else number.to_integral_value(ROUND_FLOOR))

    def _write(self, value: datetime) -> str:
        """Write a datetime exactly, without going through a float."""
        since = value - datetime(1970, 1, 1, tzinfo=UTC)
        micros = (since.days * 86400 + since.seconds) * 10**6 + since.microseconds
        if self._nanoseconds:
            return str(micros * 1000)
        if not self._digits:
            return str(micros // 10**6)
        return decimal_text(Decimal(micros).scaleb(-6).normalize() + 0)


class Deadline(Marker):
    """A moment as RFC 3339 text; takes an aware datetime or the text itself.

    Args:
        timespec: How finely a datetime is written, as in `datetime.isoformat`.

    Source: https://docs.kraken.com/api/docs/rest-api/add-order (deadline: now + 2 s to now + 60 s, server time)
    """

    def __init__(self, timespec: str = "milliseconds") -> None:
        self._timespec = timespec

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        if isinstance(value, datetime):
            moment = _aware(name, value).astimezone(UTC)
            return moment.isoformat(timespec=self._timespec).replace("+00:00", "Z")
        return Text().wire(name, value)


def _aware(name: str, value: datetime) -> datetime:
    """Refuse a datetime that does not say its zone."""
    if value.tzinfo is None:
        raise InvalidArguments(f"{name} is a naive datetime", hint="say which zone: datetime.now(UTC)")
    return value


class Tag(Marker):
    """A switch that is sent only when it is set: Kraken takes the mere presence of ``validate`` for yes."""

    def wire(self, name: str, value: Any) -> bool | None:  # noqa: D102 - see Marker
        if not isinstance(value, bool):
            raise InvalidType(f"{name} must be True or False, not {type(value).__name__}")
        return value or None


def plain(name: str, value: Any) -> Wire:
    """Write a value that has no marker, by its type."""
    write = _PLAIN.get(type(value))
    if write is not None:
        return write(name, value)
    if isinstance(value, Enum):
        return plain(name, value.value)
    if isinstance(value, msgspec.Struct):
        params: Callable[[], dict[str, Any]] = value.params  # type: ignore[attr-defined]  # nested parts are Parts
        return params()
    if isinstance(value, dict):
        return {key: plain(f"{name}[{key}]", item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [plain(name, item) for item in value]
    if isinstance(value, datetime):
        return Instant().wire(name, value)
    raise InvalidType(f"{name} cannot be sent as {type(value).__name__}")


def _float(name: str, value: float) -> Wire:
    raise InvalidType(f"{name}={value} is a float", hint="floats are inexact: pass Decimal('0.1') or '0.1'")


_PLAIN: dict[type, Callable[[str, Any], Wire]] = {
    str: lambda _name, value: value,
    bool: lambda _name, value: value,
    int: lambda _name, value: value,
    Decimal: lambda name, value: decimal_text(_exact(name, value)),
    float: _float,
}

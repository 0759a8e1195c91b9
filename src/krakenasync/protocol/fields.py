"""How one parameter of a request is checked and written, as markers for `typing.Annotated`.

A request type says ``volume: Annotated[Decimal | int | str, Money()]``; `Request.params` asks the marker for the value
to send. Every check that can be made without Kraken is made here, before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.exact import decimal_text, exact
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.relative import RELATIVE

__all__ = [
    "USERREF",
    "Id",
    "Leverage",
    "Marker",
    "Money",
    "Names",
    "Price",
    "Range",
    "Tag",
    "Text",
    "Wire",
    "sendable",
]

Wire = str | int | bool | list[Any] | dict[str, Any]

_SIGNS: Final = frozenset("+-#")
_PERCENT: Final = re.compile(r"\d{1,40}(?:\.\d{1,40})?%", re.ASCII)
_LEVERAGE: Final = re.compile(r"none|\d+(?:\.\d+)?(?::\d+)?", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Line ends, NUL and the like: none of Kraken's names, ids or words contains one."""
_UNSEEN: Final = re.compile(r"[\u200b\u2060\ufeff]")
"""Blanks without a width, and the byte order mark."""


class Marker:
    """Turns a parameter's value into what is sent; None stands for "leave it out", both given and returned."""

    def wire(self, name: str, value: Any) -> Wire | None:
        """Check `value` and return what to send for it.

        Raises:
            InvalidArguments: The value cannot be right. `InvalidType` if its type is wrong.
        """
        raise NotImplementedError


class Money(Marker):
    """An exact, non-negative amount, volume or price: Decimal, int or str. A float is refused."""

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        number = exact(name, value)
        if number < 0:
            raise InvalidArguments(
                f"{name}={quoted(value)} is negative", hint="the side is given by type='buy' or 'sell'"
            )
        return decimal_text(number.copy_abs())  # 0 without the sign it may have


class Price(Marker):
    """A price above 0, or one relative to the market: ``+5%``, ``-100``, ``#3``.

    Source: https://docs.kraken.com/api/docs/rest-api/add-order (price, price2)
    """

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        if isinstance(value, str) and (RELATIVE.fullmatch(value) or _PERCENT.fullmatch(value)):
            return str.__str__(value)
        if isinstance(value, str) and value.strip()[:1] in _SIGNS:
            # Read as a number it would lose its sign and become an absolute price.
            raise InvalidArguments(
                f"{name}={quoted(value)} is not a price relative to the market", hint="write '+5.5', '-100' or '#3%'"
            )
        number = exact(name, value)
        if number < 0:
            hint = "as text, '-100' is 100 below the last trade"
            raise InvalidArguments(f"{name}={quoted(value)} is negative", hint=hint)
        if not number:
            hint = "it is above 0; a market order has none"
            raise InvalidArguments(f"{name}={quoted(value)} is not a price", hint=hint)
        return decimal_text(number)


def sendable(name: str, value: str) -> str:
    """Refuse a text that no body can contain; return it as a plain `str`.

    Raises:
        InvalidArguments: The text contains a lone surrogate, as a text read with ``errors="surrogateescape"`` may.
    """
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidArguments(
                f"{name}={quoted(value)} contains a lone surrogate, which cannot be sent", hint="read the text as UTF-8"
            ) from None
    return value if type(value) is str else str.__str__(value)  # msgspec does not write the caller's own classes


class Text(Marker):
    """A non-empty text of one line."""

    def __init__(self, *, pattern: str | None = None, what: str = "") -> None:
        self._pattern = pattern
        self._what = what

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        if isinstance(value, Enum):
            value = value.value
        if not isinstance(value, str):
            raise InvalidType(f"{name} must be a str, not {type(value).__name__}")
        if not (stripped := value.strip()):
            raise InvalidArguments(f"{name} is empty", hint=f"leave {name} out or give it a value")
        if not value.isprintable() and _CONTROL.search(value):
            raise InvalidArguments(
                f"{name}={quoted(value)} contains a control character", hint="is a line end left over? strip() the text"
            )
        if not value.isascii() and _UNSEEN.search(value):
            raise InvalidArguments(
                f"{name}={quoted(value)} contains an invisible character", hint="type it anew; read files as utf-8-sig"
            )
        if stripped != value:  # Kraken may take it, but answers under the name without the blank
            raise InvalidArguments(f"{name}={quoted(value)} begins or ends with a blank", hint="strip() the text")
        if self._pattern and not re.fullmatch(self._pattern, value):
            raise InvalidArguments(f"{name}={quoted(value)} is not {self._what}")
        return sendable(name, value)


class Id(Marker):
    """An order's id, or the whole number (`userref`) that Kraken takes in its place."""

    def wire(self, name: str, value: Any) -> str | int:  # noqa: D102 - see Marker
        if isinstance(value, int) and not isinstance(value, bool):
            return USERREF.wire(name, value)
        return Text().wire(name, value)


def _parted(text: str) -> list[str]:
    """Part a comma list, as in Kraken's own examples also where blanks follow the commas."""
    first, *others = text.split(",")
    return [first, *(each.lstrip(" ") for each in others)]


class Names(Marker):
    """One name or several, sent as a comma list.

    Args:
        most: The largest number of names Kraken takes in one call.
    """

    def __init__(self, *, most: int | None = None) -> None:
        self._most = most

    def wire(self, name: str, value: Any) -> str:  # noqa: D102 - see Marker
        parts = _parted(value) if isinstance(value, str) else value
        if not isinstance(parts, Sequence):
            raise InvalidType(f"{name} must be a str or a sequence of str, not {type(value).__name__}")
        if not parts:
            raise InvalidArguments(f"{name} is empty", hint=f"leave {name} out to ask for all")
        if self._most is not None and len(parts) > self._most:
            raise InvalidArguments(f"{name} holds {len(parts)} names, Kraken takes {self._most}", hint="split the call")
        return ",".join(Text().wire(name, part) for part in parts)


class Range(Marker):
    """A whole number between two bounds, both included."""

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    def wire(self, name: str, value: Any) -> int:  # noqa: D102 - see Marker
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidType(f"{name} must be an int, not {type(value).__name__}")
        if not self._low <= value <= self._high:
            raise InvalidArguments(f"{name}={quoted(value)} is outside {self._low}..{self._high}")
        return int(value)


USERREF: Final = Range(-(2**31), 2**31 - 1)
"""The caller's own number, which several orders may have.

Source: https://docs.kraken.com/api/docs/rest-api/add-order (userref)
"""


class Leverage(Marker):
    """How large a margin order is in relation to its collateral: ``"none"``, ``2``, ``"5"``, ``"5:1"``."""

    def wire(self, name: str, value: Any) -> str | int:  # noqa: D102 - see Marker
        if isinstance(value, int) and not isinstance(value, bool):
            return Range(1, 2**31 - 1).wire(name, value)
        text = Text().wire(name, value)
        if not _LEVERAGE.fullmatch(text):
            raise InvalidArguments(f"{name}={quoted(text)} is not leverage", hint="like 2 or '5:1', or leave it out")
        return text


class Tag(Marker):
    """A switch that is sent only when it is set: Kraken takes the mere presence of ``validate`` as true."""

    def wire(self, name: str, value: Any) -> bool | None:  # noqa: D102 - see Marker
        if not isinstance(value, bool):
            raise InvalidType(f"{name} must be True or False, not {type(value).__name__}")
        return value or None

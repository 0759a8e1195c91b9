"""Exact numbers: read, bounded, and written digit for digit."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Final

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.quoting import quoted

__all__ = ["EXACT", "bounded", "decimal_text", "exact", "order_price", "whole"]

EXACT: Final = Context(
    prec=300,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
"""Calculate in this context: `decimal.getcontext()` is the user's, and may round everything to eight digits.

Its digits are enough for the product of any two numbers that are `bounded`. Nothing is left to
`decimal.DefaultContext`, which is the user's as well.
"""

_ABSOLUTE: Final = re.compile(r"\d", re.ASCII)
"""How a price that is not relative to the market begins."""

_LARGEST: Final = 40
"""More digits before the point than any price, volume or time has."""
_FINEST: Final = 100
"""More digits after the point than any number needs, even one that was divided and not rounded."""
_BITS: Final = 136
"""Bits of a whole number with that many digits."""


def decimal_text(value: Decimal) -> str:
    """Write a Decimal digit for digit, never in scientific notation.

    >>> decimal_text(Decimal("1E-8"))
    '0.00000001'
    """
    return format(value, "f")


def order_price(value: object) -> Decimal | str | None:
    """Read the price of an order from an answer: a Decimal, or text as Kraken wrote it if it is relative.

    >>> order_price("30000.0"), order_price("+5.0000%"), order_price("-100.0")
    (Decimal('30000.0'), '+5.0000%', '-100.0')

    Raises:
        TypeError: The value is neither a number nor text.
    """
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError(f"expected a price, got {type(value).__name__}")
    try:
        return Decimal(value) if _ABSOLUTE.match(str(value)) else str(value)
    except InvalidOperation:
        return str(value)


def exact(name: str, value: object) -> Decimal:
    """Read a number that must be exact.

    Raises:
        InvalidArguments: The value is not a finite number, or is beyond any market.
        InvalidType: The value's type cannot be an exact number.
    """
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
        raise InvalidArguments(f"{name}={quoted(value)} is not a number", hint="write it like '0.015'") from None
    if not number.is_finite():
        raise InvalidArguments(f"{name}={quoted(value)} is not a finite number", hint="write it like '0.015'")
    if not bounded(number):
        raise InvalidArguments(
            f"{name}={quoted(value)} is out of range", hint="is the exponent intended? write it like '0.015'"
        )
    return number


def bounded(number: Decimal) -> bool:
    """Whether a finite number can be written in full, as it is sent: 1e999999999 would fill the memory."""
    return number.adjusted() <= _LARGEST and int(number.as_tuple().exponent) >= -_FINEST


def whole(name: str, value: int) -> int:
    """Refuse a whole number with more digits than any of Kraken's has; Python would not write it.

    Raises:
        InvalidArguments: The number has too many digits.
    """
    if value.bit_length() > _BITS:
        raise InvalidArguments(f"{name}={quoted(value)} is too large", hint=f"at most {_LARGEST} digits")
    return int(value)

"""Reading prices: absolute, relative to the last trade, and the offsets of trailing orders.

Source: https://docs.kraken.com/api/docs/rest-api/add-order (price, price2)
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from krakenasync.protocol.relative import RELATIVE, leads_up
from krakenasync.sandbox.arguments import as_number
from krakenasync.sandbox.listings import Pair
from krakenasync.sandbox.orders import Trail
from krakenasync.sandbox.refusals import INVALID_PRICE, TICK_SIZE, Refusal, invalid
from krakenasync.sandbox.triggers import on_tick

__all__ = ["Terms", "bounded", "read_price", "read_terms", "read_trail", "with_limit"]

LARGEST: Final = 10**9
"""The bound of volumes and prices."""


class Terms(NamedTuple):
    """The prices of an order."""

    price: Decimal | None
    price2: Decimal | None
    trail: Trail | None


def read_terms(kind: str, price: str, price2: str, pair: Pair, last: Decimal, *, buy: bool) -> Terms:
    """Read the prices of an order; empty text stands for none.

    Raises:
        Refusal: A price is missing, wrong, or off the pair's tick.
    """
    limited = kind.endswith("-limit")
    if not limited:
        _check_spare("price2", price2)
    if kind == "market":
        _check_spare("price", price)
        return Terms(None, None, None)
    if kind.startswith("trailing-stop"):
        return _read_trail(kind, price, price2, pair, last)
    first = read_price("price", price, pair, last, kind, buy=buy)
    return Terms(first, read_price("price2", price2, pair, last, kind, buy=buy) if limited else None, None)


def _check_spare(name: str, text: str) -> None:
    """Check a price that the kind of order does not use: it is ignored, like the 0 that old clients send for "none".

    Raises:
        Refusal: The text is not a price at all.
    """
    if text and not RELATIVE.fullmatch(text):
        bounded(name, text)


def read_price(name: str, text: str, pair: Pair, last: Decimal, kind: str, *, buy: bool) -> Decimal:
    """Read a price of an order and check it against the pair's tick; a relative one starts from the last price.

    Raises:
        Refusal: The text is not a price, or is off the tick.
    """
    if not text:
        raise invalid(name)
    if relative := RELATIVE.fullmatch(text):
        sign, size, percent = relative.groups()
        offset = bounded(name, size) * (last / 100 if percent else 1)
        return _at_offset(offset if leads_up(sign, kind, buy=buy) else -offset, last, pair)
    price = bounded(name, text)
    if price <= 0:
        raise Refusal(INVALID_PRICE)
    _check_digits(price, pair)
    return price


def _check_digits(price: Decimal, pair: Pair) -> None:
    digits = price.normalize().as_tuple().exponent
    if isinstance(digits, int) and -digits > pair.price_decimals:
        raise Refusal(
            f"{INVALID_PRICE}:{pair.altname} price can only be specified up to {pair.price_decimals} decimals."
        )
    if price % pair.tick_size:
        raise Refusal(TICK_SIZE)


def bounded(name: str, text: str) -> Decimal:
    """Read an amount or a price, bounded so that a product of two is exact.

    Raises:
        Refusal: The text is not a number, or is negative or too large.
    """
    number = as_number(name, text)
    if number >= LARGEST:
        raise invalid(name)
    return number


def _at_offset(offset: Decimal, last: Decimal, pair: Pair) -> Decimal:
    """Work out a relative price, rounded to the tick."""
    price = on_tick(last + offset, pair.tick_size)
    if price <= 0:
        raise Refusal(INVALID_PRICE)
    return price


def _read_trail(kind: str, price: str, price2: str, pair: Pair, last: Decimal) -> Terms:
    """Read the offsets of a trailing order; where it starts is worked out when it enters the market."""
    trail = read_trail("price", price, pair, last)
    if not kind.endswith("-limit"):
        return Terms(last, None, trail)
    return Terms(last, last, with_limit(trail, "price2", price2, pair))


def read_trail(name: str, text: str, pair: Pair, last: Decimal) -> Trail:
    """Read how far a trailing order stays behind the market.

    Raises:
        Refusal: The text is not such a distance, or is zero, or is more than the whole price.
    """
    trail = _read_offset(name, text, pair, "+")
    if not trail.offset or (trail.offset >= 100 if trail.percent else trail.offset >= last):  # noqa: PLR2004 - percent
        raise Refusal(INVALID_PRICE)
    return trail


def with_limit(trail: Trail, name: str, text: str, pair: Pair) -> Trail:
    """Read how far a trailing order's limit is from its trigger.

    Raises:
        Refusal: The text is not a distance.
    """
    limit = _read_offset(name, text, pair, "+-")
    offset = -limit.offset if text.startswith("-") else limit.offset
    return msgspec.structs.replace(trail, limit_offset=offset, limit_percent=limit.percent)


def _read_offset(name: str, text: str, pair: Pair, signs: str) -> Trail:
    """Read a distance from the market.

    Raises:
        Refusal: The text is not a distance, or is finer than the pair's tick.
    """
    relative = RELATIVE.fullmatch(text)
    if relative is None or relative[1] not in signs:
        raise invalid(name)
    offset, percent = bounded(name, relative[2]), bool(relative[3])
    if not percent:
        _check_digits(offset, pair)
    return Trail(offset=offset, percent=percent)

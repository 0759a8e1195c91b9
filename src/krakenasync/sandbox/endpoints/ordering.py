"""From an order's parameters to an order, with all checks that need neither account nor book.

Sources: https://docs.kraken.com/api/docs/rest-api/add-order, https://docs.kraken.com/api/docs/guides/spot-errors
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final, get_args

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.fields import Marker
from krakenasync.sandbox.arguments import Arguments, as_number
from krakenasync.sandbox.endpoints.context import Context
from krakenasync.sandbox.listings import Pair
from krakenasync.sandbox.orders import NANOS, Order
from krakenasync.sandbox.refusals import COST_MINIMUM, INVALID_PRICE, ORDER_MINIMUM, TICK_SIZE, Refusal, invalid
from krakenasync.spot.values import ClientOrderId

__all__ = ["check_deadline", "describe", "read_order"]

SIDES: Final = frozenset({"buy", "sell"})
LIMITED: Final = frozenset({"limit", "iceberg"})
TRIGGERED: Final = frozenset(
    {
        "stop-loss",
        "take-profit",
        "stop-loss-limit",
        "take-profit-limit",
        "trailing-stop",
        "trailing-stop-limit",
    }
)
KINDS: Final = LIMITED | TRIGGERED | {"market"}
LIFETIMES: Final = frozenset({"GTC", "IOC", "GTD", "FOK"})
FLAGS: Final = frozenset({"post", "fcib", "fciq", "nompp", "viqc"})
RELATIVE: Final = re.compile(r"([+\-#])([0-9]+(?:\.[0-9]+)?)(%?)")
LOT_DECIMALS: Final = 8
LARGEST: Final = 10**9
"""Volumes and prices stay below this."""
SOONEST_EXPIRY: Final = 5 * NANOS
LATEST_EXPIRY: Final = 31 * 86_400 * NANOS
SOONEST_DEADLINE: Final = 2 * NANOS
LATEST_DEADLINE: Final = 60 * NANOS
INT32: Final = 2**31


def check_deadline(context: Context) -> int | None:
    """Read the deadline; it must lie 2 to 60 seconds after the request arrived.

    Returns:
        Unix nanoseconds after which the engine must not take the order, or None.

    Raises:
        Refusal: It is out of range.
    """
    deadline = context.arguments.instant("deadline")
    if deadline is None:
        return None
    if not SOONEST_DEADLINE <= deadline - context.arrived <= LATEST_DEADLINE:
        raise invalid("deadline")
    return deadline


def read_order(arguments: Arguments, pair: Pair, last: Decimal, now: int) -> Order:
    """Read an order and check it against its pair's rules.

    Args:
        arguments: The parameters, of the call or of one order of a batch.
        pair: What is traded.
        last: The last price, which relative prices start from.
        now: Unix nanoseconds.

    Raises:
        Refusal: Something is wrong; Kraken's string says what.
    """
    side = arguments.word("type", SIDES)
    kind = arguments.word("ordertype", KINDS)
    flags = _flags(arguments, kind, side)
    if arguments.text("leverage", "none") not in ("none", "0", "1"):
        raise Refusal("EOrder:Cannot open position")
    price = _price(arguments, "price", pair, last, buy=side == "buy", needed=kind != "market")
    price2 = _price(arguments, "price2", pair, last, buy=side == "buy", needed=kind.endswith("-limit"))
    if kind == "market":
        price = price2 = None
    order = Order(
        txid="",
        pair=pair,
        buy=side == "buy",
        kind=kind,
        volume=_volume(arguments, flags, last),
        price=price,
        price2=price2,
        opened=now,
        touched=now,
        userref=_userref(arguments),
        cl_ord_id=_client_id(arguments),
        oflags=flags,
        time_in_force=arguments.word("timeinforce", LIFETIMES, "GTC").upper(),
        starts=_moment(arguments, "starttm", now),
        trigger=arguments.word("trigger", frozenset({"last", "index"}), "last"),
        close=_close(arguments),
    )
    if order.userref is not None and order.cl_ord_id is not None:
        raise invalid("userref and cl_ord_id exclude each other")
    if order.time_in_force == "GTD":
        order.expires = _moment(arguments, "expiretm", now)
        if not now + SOONEST_EXPIRY <= order.expires <= now + LATEST_EXPIRY:
            raise invalid("expiretm")
    _check_minimums(order, last)
    return order


def describe(order: Order) -> dict[str, str]:
    """Write the sentences of an order, as the answer has them."""
    sentences = {"order": order.description()}
    if order.close:
        sentences["close"] = order.close
    return sentences


def _check_minimums(order: Order, last: Decimal) -> None:
    if order.volume < Decimal(order.pair.ordermin):
        raise Refusal(ORDER_MINIMUM)
    price = order.price if order.kind in LIMITED and order.price is not None else last
    if price * order.volume < Decimal(order.pair.costmin):
        raise Refusal(COST_MINIMUM)


def _volume(arguments: Arguments, flags: tuple[str, ...], last: Decimal) -> Decimal:
    """Read the volume in base; with ``viqc`` it is given in quote."""
    volume = _bounded("volume", arguments.text("volume"))
    unit = Decimal(1).scaleb(-LOT_DECIMALS)
    if "viqc" in flags:
        return (volume / last).quantize(unit)
    if volume != volume.quantize(unit):
        raise invalid("volume")
    return volume.quantize(unit)


def _price(arguments: Arguments, name: str, pair: Pair, last: Decimal, *, buy: bool, needed: bool) -> Decimal | None:
    """Read a price, absolute or relative to the last one, and check it against the pair's tick."""
    if not arguments.given(name):
        if needed:
            raise invalid(name)
        return None
    text = arguments.text(name)
    if relative := RELATIVE.fullmatch(text):
        return _relative(relative, last, pair, buy=buy)
    price = _bounded(name, text)
    if price <= 0:
        if needed:
            raise Refusal(INVALID_PRICE)
        return None
    digits = price.normalize().as_tuple().exponent
    if isinstance(digits, int) and -digits > pair.price_decimals:
        raise Refusal(
            f"{INVALID_PRICE}:{pair.altname} price can only be specified up to {pair.price_decimals} decimals."
        )
    if price % pair.tick_size:
        raise Refusal(TICK_SIZE)
    return price


def _relative(relative: re.Match[str], last: Decimal, pair: Pair, *, buy: bool) -> Decimal:
    """Work a relative price out, rounded to the tick. ``#`` goes to the order's better side."""
    sign, digits, percent = relative.groups()
    offset = _bounded("price", digits) * (last / 100 if percent else 1)
    up = sign == "+" or (sign == "#" and not buy)
    price = last + offset if up else last - offset
    price = (price / pair.tick_size).quantize(Decimal(1)) * pair.tick_size
    if price <= 0:
        raise Refusal(INVALID_PRICE)
    return price


def _bounded(name: str, text: str) -> Decimal:
    """Read an amount or a price that leaves the products of two of them exact."""
    number = as_number(name, text)
    if number >= LARGEST:
        raise invalid(name)
    return number


def _flags(arguments: Arguments, kind: str, side: str) -> tuple[str, ...]:
    flags = tuple(arguments.names("oflags"))
    wrong = (
        not FLAGS.issuperset(flags)
        or {"fcib", "fciq"} <= set(flags)
        or ("post" in flags and kind not in LIMITED)
        or ("viqc" in flags and (kind, side) != ("market", "buy"))
    )
    if wrong:
        raise invalid("oflags")
    # The fee is taken in quote unless asked otherwise.
    return flags if "fcib" in flags or "fciq" in flags else ("fciq", *flags)


def _userref(arguments: Arguments) -> int | None:
    return arguments.whole("userref", 0, -INT32, INT32 - 1) if arguments.given("userref") else None


def _client_id(arguments: Arguments) -> str | None:
    if not arguments.given("cl_ord_id"):
        return None
    marker = next(extra for extra in get_args(ClientOrderId) if isinstance(extra, Marker))
    text = arguments.text("cl_ord_id")
    try:
        marker.wire("cl_ord_id", text)
    except InvalidArguments:
        raise invalid("cl_ord_id") from None
    return text


def _moment(arguments: Arguments, name: str, now: int) -> int:
    """Read ``0``, ``+seconds`` or a unix time as unix nanoseconds."""
    text = arguments.text(name, "0")
    ahead = text.startswith("+")
    number = int(as_number(name, text.removeprefix("+")) * NANOS)
    return now + number if ahead else number


def _close(arguments: Arguments) -> str:
    """Say what the conditional close order would be; it is kept as words only."""
    close: Any = arguments.part("close")
    if close is None:
        return ""
    kind = close.word("ordertype", LIMITED | TRIGGERED)
    prices = [close.text(name) for name in ("price", "price2") if close.given(name)]
    return f"close position @ {kind} {' -> limit '.join(prices)}".rstrip()

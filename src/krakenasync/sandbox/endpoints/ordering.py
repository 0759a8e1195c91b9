"""Making an order from its parameters, with all checks that need neither account nor book.

Sources: https://docs.kraken.com/api/docs/rest-api/add-order, https://docs.kraken.com/api/docs/guides/spot-errors
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, get_args

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.bounds import DEADLINE, EXPIRY, ICEBERG_PARTS
from krakenasync.protocol.fields import Marker
from krakenasync.protocol.kinds import LIMITED, TRIGGERED
from krakenasync.protocol.moments import CALENDAR_END
from krakenasync.sandbox.arguments import Arguments, as_number
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.closing import check_close
from krakenasync.sandbox.endpoints.context import Context
from krakenasync.sandbox.listings import Pair
from krakenasync.sandbox.orders import Close, Order
from krakenasync.sandbox.prices import bounded, read_terms
from krakenasync.sandbox.refusals import (
    CANNOT_OPEN,
    COST_MINIMUM,
    NO_POSITION,
    NOT_CLOSING,
    ORDER_MINIMUM,
    UNKNOWN_POSITION,
    Refusal,
    invalid,
)
from krakenasync.spot.values import (
    ClientOrderId,
    OrderFlags,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
    Trigger,
    words,
)

__all__ = [
    "check_deadline",
    "check_display",
    "check_minimums",
    "read_client_id",
    "read_order",
    "read_userref",
    "read_volume",
]

FLAGS: Final = words(OrderFlags)
INT32: Final = 2**31


def check_deadline(context: Context) -> int | None:
    """Read the deadline; it must be 2 to 60 seconds after the request arrived.

    Returns:
        Unix nanoseconds after which the engine must not accept the order, or None.

    Raises:
        Refusal: The deadline is out of range.
    """
    deadline = context.arguments.instant("deadline")
    if deadline is None:
        return None
    if not DEADLINE[0] * NANOS <= deadline - context.arrived <= DEADLINE[1] * NANOS:
        raise invalid("deadline")
    return deadline


def read_order(arguments: Arguments, pair: Pair, last: Decimal, now: int) -> Order:
    """Read an order and check it against its pair's rules.

    Args:
        arguments: The parameters, of the call or of one order in a batch.
        pair: What is traded.
        last: The last price, which relative prices start from.
        now: Unix nanoseconds.

    Raises:
        Refusal: Something is wrong; Kraken's string says what.
    """
    buy = arguments.word("type", words(Side)) == "buy"
    kind = arguments.word("ordertype", words(OrderType))
    flags = _flags(arguments, kind, buy=buy)
    _refuse_margin(arguments, kind)
    terms = read_terms(kind, arguments.text("price", ""), arguments.text("price2", ""), pair, last, buy=buy)
    order = Order(
        txid="",
        pair=pair,
        buy=buy,
        kind=kind,
        volume=read_volume(arguments, "volume", pair),
        price=terms.price,
        price2=terms.price2,
        trail=terms.trail,
        opened=now,
        touched=now,
        userref=read_userref(arguments),
        cl_ord_id=read_client_id(arguments),
        oflags=flags,
        time_in_force=arguments.word("timeinforce", words(TimeInForce), "GTC"),
        starts=_moment(arguments, "starttm", now),
        trigger=arguments.word("trigger", words(Trigger), "last"),
        stp=arguments.word("stptype", words(SelfTradePrevention), "cancel-newest"),
    )
    if order.userref is not None and order.cl_ord_id is not None:
        raise invalid("userref and cl_ord_id exclude each other")
    _read_lifetime(arguments, order, now)
    check_minimums(order, last)
    order.display = _display(arguments, order)
    order.close = _close(arguments, order, last)
    return order


def check_minimums(order: Order, last: Decimal) -> None:
    """Check an order's volume and cost against its pair's minimums.

    Raises:
        Refusal: The order is too small.
    """
    volume = order.volume / last if "viqc" in order.oflags else order.volume
    if volume < Decimal(order.pair.ordermin):
        raise Refusal(ORDER_MINIMUM)
    price = order.price if order.kind in LIMITED and order.price is not None else last
    if price * volume < Decimal(order.pair.costmin):
        raise Refusal(COST_MINIMUM)


def check_display(display: Decimal, volume: Decimal, name: str = "displayvol") -> None:
    """Check that an iceberg shows at least a fifteenth of itself, and no more than there is.

    Args:
        display: What it shows at a time.
        volume: The whole volume.
        name: The name of the parameter.

    Raises:
        Refusal: The displayed volume is too small or too large.
    """
    if not display <= volume <= display * ICEBERG_PARTS:
        raise invalid(name)


def read_volume(arguments: Arguments, name: str, pair: Pair) -> Decimal:
    """Read a volume, in the digits of the pair's lots.

    Raises:
        Refusal: The volume is not a number, or has more digits than the pair's lots.
    """
    volume = bounded(name, arguments.text(name))
    rounded = volume.quantize(Decimal(1).scaleb(-pair.lot_decimals))
    if volume != rounded:
        raise invalid(name)
    return rounded


def _refuse_margin(arguments: Arguments, kind: str) -> None:
    """Refuse anything that needs a margin position: there are none here."""
    borrows = arguments.text("leverage", "none") not in ("none", "0", "1")
    if kind == "settle-position":
        raise Refusal(UNKNOWN_POSITION)
    if arguments.flag("reduce_only"):
        raise Refusal(NO_POSITION if borrows else NOT_CLOSING)
    if borrows:
        raise Refusal(CANNOT_OPEN)


def _read_lifetime(arguments: Arguments, order: Order, now: int) -> None:
    """Read when an order expires, and refuse a lifetime that its kind cannot have.

    Older clients send `expiretm` alone, or with the default GTC: that makes an order good till that time as well.
    """
    if order.time_in_force == "FOK" and order.kind in TRIGGERED:
        raise invalid("timeinforce")
    if order.time_in_force in ("IOC", "FOK") and order.post_only:
        raise invalid("oflags")
    order.expires = _moment(arguments, "expiretm", now)
    if not order.expires and order.time_in_force != "GTD":
        return
    fits = now + EXPIRY[0] * NANOS <= order.expires <= now + EXPIRY[1] * NANOS
    if not fits or order.time_in_force in ("IOC", "FOK"):
        raise invalid("expiretm")
    order.time_in_force = "GTD"


def _display(arguments: Arguments, order: Order) -> Decimal | None:
    """Read what an iceberg shows; other kinds show their whole volume."""
    if order.kind != "iceberg":
        if arguments.given("displayvol"):
            raise invalid("displayvol")
        return None
    display = read_volume(arguments, "displayvol", order.pair)
    check_display(display, order.volume)
    return display


def _flags(arguments: Arguments, kind: str, *, buy: bool) -> tuple[str, ...]:
    flags = tuple(arguments.names("oflags"))
    wrong = (
        not FLAGS.issuperset(flags)
        or {"fcib", "fciq"} <= set(flags)
        or ("post" in flags and kind not in LIMITED)
        or ("viqc" in flags and not (buy and kind == "market"))
    )
    if wrong:
        raise invalid("oflags")
    # The fee is taken in quote unless asked otherwise.
    return flags if "fcib" in flags or "fciq" in flags else ("fciq", *flags)


def read_userref(arguments: Arguments) -> int | None:
    """Read the user reference; None when left out.

    Raises:
        Refusal: The user reference is not a 32-bit number.
    """
    return arguments.whole("userref", 0, -INT32, INT32 - 1) if arguments.given("userref") else None


def read_client_id(arguments: Arguments) -> str | None:
    """Read the client's id of an order; None when left out.

    Raises:
        Refusal: The id is neither a UUID nor a short text.
    """
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
    moment = now + number if ahead else number
    if moment >= CALENDAR_END * NANOS:
        raise invalid(name)  # such as milliseconds: no answer could name the time
    return moment


def _close(arguments: Arguments, order: Order, last: Decimal) -> Close | None:
    """Read the conditional close order, and check that its prices can be worked out."""
    part = arguments.part("close")
    if part is None or part.empty():
        return None
    kind = part.word("ordertype", LIMITED | TRIGGERED)
    close = Close(kind=kind, price=part.text("price"), price2=part.text("price2", ""))
    check_close(close, order, last)
    return close

"""Conditional closes: each fill of an order is followed by an order of the opposite side, on its own from then on.

Source: https://docs.kraken.com/api/docs/rest-api/add-order (close)
"""

from __future__ import annotations

from decimal import Decimal

from krakenasync.sandbox.fills import Fill
from krakenasync.sandbox.orders import Close, Order
from krakenasync.sandbox.prices import read_terms
from krakenasync.sandbox.refusals import invalid

__all__ = ["check_close", "close_order"]


def close_order(parent: Order, fill: Fill, last: Decimal, at: int) -> Order:
    """Make the order that closes what a fill opened.

    A fee that was paid in the base asset cannot be sold.

    Raises:
        Refusal: Its prices cannot be worked out from the current market price.
    """
    close = parent.close
    if close is None:
        raise invalid("close")
    pair, buy = parent.pair, not parent.buy
    paid = fill.fee if fill.fee_asset == pair.base and not buy else Decimal(0)
    volume = (fill.volume - paid).quantize(Decimal(1).scaleb(-pair.lot_decimals), "ROUND_DOWN")
    if volume <= 0:
        raise invalid("volume")
    terms = read_terms(close.kind, close.price, close.price2, pair, last, buy=buy)
    return Order(
        txid="",
        pair=pair,
        buy=buy,
        kind=close.kind,
        volume=volume,
        price=terms.price,
        price2=terms.price2,
        trail=terms.trail,
        opened=at,
        touched=at,
        userref=parent.userref,
        oflags=("fciq",),
        trigger=parent.trigger,
        display=volume if close.kind == "iceberg" else None,
        parent=parent.txid,
        stp=parent.stp,
    )


def check_close(close: Close, parent: Order, last: Decimal) -> None:
    """Check that a close order could be placed at the current market price.

    Raises:
        Refusal: The close order could not be placed.
    """
    read_terms(close.kind, close.price, close.price2, parent.pair, last, buy=not parent.buy)

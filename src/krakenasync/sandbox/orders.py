"""An order: what was asked for, what became of it, and how Kraken writes it down.

Source: https://docs.kraken.com/api/docs/rest-api/get-open-orders
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec

from krakenasync.protocol.fields import decimal_text
from krakenasync.sandbox.listings import Pair

__all__ = ["NANOS", "Fill", "Order", "seconds"]

NANOS: Final = 10**9
ZERO: Final = Decimal(0)


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One trade of an account's order.

    Attributes:
        txid: Kraken's id of the trade (``T...``).
        order: The order's id.
        at: Unix nanoseconds.
        fee: What was paid for it, in `fee_asset`.
    """

    txid: str
    order: str
    pair: Pair
    buy: bool
    at: int
    price: Decimal
    volume: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    number: int


class Order(msgspec.Struct, kw_only=True):
    """An order of an account.

    Attributes:
        txid: Kraken's id (``O...``).
        kind: Kraken's order type.
        volume: How much, in base.
        price: The limit or trigger price; None for a market order.
        price2: The limit price of the triggered kinds.
        opened: Unix nanoseconds.
        touched: When it was created or last amended: what its age is counted from.
        expires: Unix nanoseconds; 0 for never.
        status: Kraken's word.
        hold: What is reserved for it, of `hold_asset`.
    """

    txid: str
    pair: Pair
    buy: bool
    kind: str
    volume: Decimal
    opened: int
    price: Decimal | None = None
    price2: Decimal | None = None
    touched: int = 0
    expires: int = 0
    starts: int = 0
    status: str = "open"
    userref: int | None = None
    cl_ord_id: str | None = None
    oflags: tuple[str, ...] = ()
    time_in_force: str = "GTC"
    trigger: str = "last"
    close: str = ""
    hold: Decimal = ZERO
    hold_asset: str = ""
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    closed: int = 0
    reason: str | None = None
    fills: list[Fill] = msgspec.field(default_factory=list)

    @property
    def left(self) -> Decimal:
        """The volume that is not filled yet."""
        return self.volume - self.filled

    @property
    def fee_in_base(self) -> bool:
        """Whether the fee is taken from the base asset."""
        return "fcib" in self.oflags

    def description(self) -> str:
        """Say in words what was asked for, as Kraken does."""
        pair, digits = self.pair, self.pair.price_text
        words = [("buy" if self.buy else "sell"), f"{self.volume:.8f}", pair.altname, "@"]
        if self.price is None:
            return " ".join([*words, self.kind])
        words += [self.kind, digits(self.price)]
        return " ".join([*words, "-> limit", digits(self.price2)] if self.price2 is not None else words)

    def row(self, *, trades: bool = False) -> dict[str, Any]:
        """Write the order as OpenOrders, ClosedOrders and QueryOrders have it."""
        pair = self.pair
        average = self.cost / self.filled if self.filled else ZERO
        triggered = self.kind not in ("market", "limit", "iceberg")
        row: dict[str, Any] = {
            "refid": None,
            "userref": self.userref,
            "status": self.status,
            "opentm": seconds(self.opened),
            "starttm": seconds(self.starts),
            "expiretm": seconds(self.expires),
            "descr": {
                "pair": pair.altname,
                "aclass": "forex",
                "type": "buy" if self.buy else "sell",
                "ordertype": self.kind,
                "price": pair.price_text(self.price) if self.price is not None else "0",
                "price2": pair.price_text(self.price2) if self.price2 is not None else "0",
                "leverage": "none",
                "order": self.description(),
                "close": self.close,
            },
            "vol": f"{self.volume:.8f}",
            "vol_exec": f"{self.filled:.8f}",
            "cost": pair.cost_text(self.cost),
            "fee": pair.cost_text(self.fee),
            "price": pair.long_price_text(average),
            "stopprice": pair.long_price_text((triggered and self.price) or ZERO),
            "limitprice": pair.long_price_text(ZERO),
            "misc": "partial" if self.status == "canceled" and self.filled else "",
            "oflags": ",".join(self.oflags or ("fciq",)),
            "time_in_force": self.time_in_force,
        }
        if self.cl_ord_id is not None:
            row["cl_ord_id"] = self.cl_ord_id
        if triggered:
            row["trigger"] = self.trigger
        if trades:
            row["trades"] = [fill.txid for fill in self.fills]
        if self.closed:
            row["closetm"] = seconds(self.closed)
            row["reason"] = self.reason
        return row


def seconds(at: int) -> float | int:
    """Write unix nanoseconds as Kraken writes times: seconds with up to seven digits, a bare 0 for none."""
    return round(at / NANOS, 7) if at else 0


def plain(amount: Decimal) -> str:
    """Write an amount without the zeros at its end."""
    return decimal_text(amount.normalize() + 0)

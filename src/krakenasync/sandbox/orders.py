"""An order: what was asked for, what became of it, and how Kraken writes it down.

Source: https://docs.kraken.com/api/docs/rest-api/get-open-orders
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from krakenasync.protocol.kinds import LIMITED, TRIGGERED
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.fills import Amendment, Fill
from krakenasync.sandbox.listings import Pair
from krakenasync.sandbox.relative import offset_text, price_text

__all__ = ["Close", "Order", "Trail", "seconds"]

ZERO: Final = Decimal(0)


class Close(msgspec.Struct, frozen=True, kw_only=True):
    """The order on the opposite side that follows each fill; prices as they were given, and checked.

    Source: https://docs.kraken.com/api/docs/rest-api/add-order (close)
    """

    kind: str
    price: str
    price2: str = ""

    def description(self, pair: Pair, *, buy: bool) -> str:
        """Describe it in words, as Kraken does; `buy` is its own side."""
        given = (self.price, self.price2) if self.kind.endswith("-limit") else (self.price,)
        prices = [price_text(text, self.kind, pair, buy=buy) for text in given]
        return f"close position @ {spoken(self.kind)} {' -> limit '.join(prices)}"


class Trail(msgspec.Struct, kw_only=True):
    """How a trailing stop follows the market.

    Attributes:
        offset: How far it stays behind: a distance, or percent.
        limit_offset: How far its limit is from its trigger, signed; None without a limit.
        best: The best price seen so far, which it follows.
    """

    offset: Decimal
    percent: bool
    limit_offset: Decimal | None = None
    limit_percent: bool = False
    best: Decimal = ZERO


class Order(msgspec.Struct, kw_only=True, eq=False):
    """An order of an account. Orders are equal only if they are the same object.

    Attributes:
        txid: Kraken's id (``O...``).
        account: Its account's name.
        kind: Kraken's order type.
        volume: How much, in base.
        worth: How much was asked for in quote, with the flag ``viqc``.
        price: The limit or trigger price, where it is now; None for a market order.
        price2: The limit price of the triggered kinds.
        opened: Unix nanoseconds.
        touched: When it was created or last amended: what its age is counted from.
        queued: When it took its place in the queue at its price.
        expires: Unix nanoseconds; 0 for never.
        starts: When it is to enter the market; 0 for at once.
        status: Kraken's word.
        display: What an iceberg shows at a time.
        shown: What others see of it now.
        triggered: Whether an order of a triggered kind has been triggered.
        parent: The order whose fill made this one.
        replaced: The order that this one replaced in an edit.
        stp: What is cancelled if it would trade with its own account.
        maker_rate: The fee of what it fills while it rests, as a fraction; fixed when it is placed.
        taker_rate: The fee of what it fills on arrival.
        owed: Its fees so far, not rounded.
        kept: What of them has been taken from the account.
        hold: What is reserved for it, of `hold_asset`.
    """

    txid: str
    pair: Pair
    buy: bool
    kind: str
    volume: Decimal
    opened: int
    account: str = ""
    worth: Decimal | None = None
    price: Decimal | None = None
    price2: Decimal | None = None
    touched: int = 0
    queued: int = 0
    expires: int = 0
    starts: int = 0
    status: str = "open"
    userref: int | None = None
    cl_ord_id: str | None = None
    oflags: tuple[str, ...] = ()
    time_in_force: str = "GTC"
    trigger: str = "last"
    trail: Trail | None = None
    triggered: bool = False
    display: Decimal | None = None
    shown: Decimal = ZERO
    close: Close | None = None
    parent: str | None = None
    replaced: str | None = None
    stp: str = "cancel-newest"
    maker_rate: Decimal = ZERO
    taker_rate: Decimal = ZERO
    owed: Decimal = ZERO
    kept: Decimal = ZERO
    hold: Decimal = ZERO
    hold_asset: str = ""
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    closed: int = 0
    reason: str | None = None
    fills: list[Fill] = msgspec.field(default_factory=list)
    amends: list[Amendment] = msgspec.field(default_factory=list)

    @property
    def left(self) -> Decimal:
        """The volume that is not filled yet."""
        return self.volume - self.filled

    @property
    def average(self) -> Decimal:
        """The average price of what is filled; 0 if nothing is."""
        worth = sum((fill.price * fill.volume for fill in self.fills), ZERO)
        return worth / self.filled if self.filled else ZERO

    @property
    def alive(self) -> bool:
        """Whether it may still trade."""
        return not self.closed

    @property
    def fee_in_base(self) -> bool:
        """Whether the fee is taken from the base asset."""
        return "fcib" in self.oflags

    @property
    def post_only(self) -> bool:
        """Whether it must not take liquidity."""
        return "post" in self.oflags

    @property
    def waits(self) -> bool:
        """Whether it waits for its trigger, unseen by the market."""
        return self.kind in TRIGGERED and not self.triggered

    @property
    def limit(self) -> Decimal | None:
        """The worst price it trades at; None if any will do."""
        if self.kind in LIMITED:
            return self.price
        return self.price2 if self.kind.endswith("-limit") else None

    @property
    def rises(self) -> bool:
        """Whether the market has to rise to the trigger: buy stops and the profits of sellers."""
        return self.buy != self.kind.startswith("take-profit")

    def reaches(self, price: Decimal) -> bool:
        """Whether its limit lets it trade at a price."""
        limit = self.limit
        return limit is None or (price <= limit if self.buy else price >= limit)

    def sentences(self) -> dict[str, str]:
        """Describe it, and its close order, as answers do."""
        sentences = {"order": self.description()}
        if self.close is not None:
            sentences["close"] = self._closing()
        return sentences

    def _closing(self) -> str:
        return self.close.description(self.pair, buy=not self.buy) if self.close is not None else ""

    def description(self) -> str:
        """Describe in words what was asked for, as Kraken does."""
        words = [("buy" if self.buy else "sell"), self._asked(), self.pair.altname, "@", spoken(self.kind)]
        price, price2 = self.price_texts()
        if self.kind != "market":
            words.append(price)
        return " ".join([*words, "-> limit", price2] if price2 != "0" else words)

    def _asked(self) -> str:
        """Write the volume that was asked for, in quote with ``viqc``; the filled volume is in base nevertheless.

        Source: https://github.com/dominiktraxl/pykrakenapi, which quotes Kraken's older documentation
        """
        return f"{self.volume if self.worth is None else self.worth:.8f}"

    def price_texts(self) -> tuple[str, str]:
        """Write both prices as in ``descr``; those of trailing orders are offsets."""
        digits = self.pair.price_text
        if self.trail is None:
            price, price2 = (digits(each) if each is not None else "0" for each in (self.price, self.price2))
            return price, price2
        trail = self.trail
        offset = offset_text(trail.offset, self.pair, up=True, percent=trail.percent)
        if trail.limit_offset is None:
            return offset, "0"
        up, size = trail.limit_offset >= 0, abs(trail.limit_offset)
        return offset, offset_text(size, self.pair, up=up, percent=trail.limit_percent)

    def row(self, trades: Sequence[list[Fill]] | None = None) -> dict[str, Any]:
        """Write the order as OpenOrders, ClosedOrders and QueryOrders do, with its trades if they are given."""
        pair = self.pair
        row: dict[str, Any] = {
            "refid": self.parent,
            # In what clients have recorded since 2023, it is null beside a cl_ord_id and never otherwise.
            "userref": self.userref if self.cl_ord_id is not None else self.userref or 0,
            "status": self.status,
            "opentm": seconds(self.opened),
            "starttm": seconds(self.starts),
            "expiretm": seconds(self.expires),
            "descr": self._descr(),
            "vol": self._asked(),
            "vol_exec": f"{self.filled:.8f}",
            "cost": pair.cost_text(self.cost),
            "fee": pair.cost_text(sum((fill.fee_in_quote for fill in self.fills), ZERO)),
            "price": pair.long_price_text(self.average),
            # Clients saw it on a trailing stop from the beginning, on the others once they were triggered.
            "stopprice": pair.long_price_text(((self.trail or self.triggered) and self.price) or ZERO),
            "limitprice": pair.long_price_text(self._limit_shown()),
            "misc": ",".join(self._remarks()),
            "oflags": ",".join(self.oflags or ("fciq",)),
            # It is upper case in requests and executions; rows that clients recorded live have "gtc".
            "time_in_force": self.time_in_force.lower(),
        }
        if self.cl_ord_id is not None:
            row["cl_ord_id"] = self.cl_ord_id
        if self.replaced is not None:
            row["link_id"] = self.replaced
        if self.kind in TRIGGERED and self.trigger != "last":  # "last" is left out
            row["trigger"] = self.trigger
        if trades is not None:
            row["trades"] = [group[0].txid for group in trades]
        if self.closed:
            row["closetm"] = seconds(self.closed)
            row["reason"] = self.reason
        return row

    def _limit_shown(self) -> Decimal:
        """The limit of a triggered order; for a trailing stop, the best price that it follows, as clients saw."""
        if self.trail is not None and self.trail.limit_offset is None:
            return self.trail.best
        return (self.triggered and self.price2) or ZERO

    def _descr(self) -> dict[str, str]:
        price, price2 = self.price_texts()
        return {
            "pair": self.pair.altname,
            "aclass": "forex",
            "type": "buy" if self.buy else "sell",
            "ordertype": self.kind,
            "price": price,
            "price2": price2,
            "leverage": "none",
            "order": self.description(),
            "close": self._closing(),
        }

    def _remarks(self) -> list[str]:
        remarks = []
        if self.triggered:
            remarks.append("touched" if self.kind.startswith("take-profit") else "stopped")
        if self.filled and self.left and self.closed:
            remarks.append("partial")
        return [*remarks, "amended"] if self.amends else remarks


def spoken(kind: str) -> str:
    """Write an order type as descriptions do: they name the limit of a triggered kind after its trigger."""
    return kind.removesuffix("-limit").replace("-", " ") if kind != "limit" else kind


def seconds(at: int) -> float | int:
    """Write unix nanoseconds as Kraken writes times: seconds with up to seven digits, a bare 0 for no time."""
    return round(at / NANOS, 7) if at else 0

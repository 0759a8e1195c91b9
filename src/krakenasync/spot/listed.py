"""An asset and a pair as the book of names gives them: their names, and the rules for orders.

Sources: https://docs.kraken.com/api/docs/rest-api/get-tradable-asset-pairs,
https://docs.kraken.com/api/docs/guides/spot-errors (the refusals)
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from math import lcm

import msgspec

from krakenasync.protocol.exact import EXACT
from krakenasync.protocol.fields import Money
from krakenasync.spot.market import AssetInfo, AssetPair
from krakenasync.spot.values import Number

__all__ = ["Asset", "Objection", "Pair"]


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset, or a balance of one that is tied up somewhere (``DOT28.S``).

    Attributes:
        id: Kraken's id, the key in answers: ``XXBT``.
        altname: Kraken's short name: ``XBT``.
        name: The common name: ``BTC``.
        base: The id of the asset itself, without suffix.
        suffix: ``.S``, ``.F``, ...; empty for the asset itself.
        meaning: What the suffix says; empty without one, and for one that this version does not know.
        bonding_days: Days until a staked balance is free again, if its name says so.
        decimals: Digits of the bookkeeping; None where Kraken lists neither the asset nor its base.
        display_decimals: Digits shown to people.
        listed: Whether Assets has it under this exact id.
        info: All that Assets says about it, or about the base if it is not listed itself.
    """

    id: str
    altname: str
    name: str
    base: str
    suffix: str = ""
    meaning: str = ""
    bonding_days: int | None = None
    decimals: int | None = None
    display_decimals: int | None = None
    listed: bool = True
    info: AssetInfo | None = None

    @property
    def tradable(self) -> bool:
        """Whether it can be traded and moved; suffixed balances only through their base."""
        return not self.suffix


class Objection(msgspec.Struct, frozen=True):
    """Why Kraken would refuse an order.

    Attributes:
        code: The error with which Kraken would answer.
        message: What is wrong, with the figures.
    """

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A pair, and the rules for its orders.

    Attributes:
        id: Kraken's id, the key in answers: ``XXBTZUSD``.
        altname: Kraken's short name: ``XBTUSD``.
        name: The common name: ``BTC/USD``.
        base: What is bought and sold.
        quote: What it is paid with.
        info: All that AssetPairs says about it: fees, leverage, status.
    """

    id: str
    altname: str
    name: str
    base: Asset
    quote: Asset
    info: AssetPair

    @property
    def pair_decimals(self) -> int:
        """Digits of a price."""
        return self.info.pair_decimals

    @property
    def lot_decimals(self) -> int:
        """Digits of a volume."""
        return self.info.lot_decimals

    @property
    def tick_size(self) -> Decimal:
        """The step of a price; may be coarser than `pair_decimals`."""
        return self.info.tick_size or _unit(self.pair_decimals)

    @property
    def price_step(self) -> Decimal:
        """The step that satisfies both `tick_size` and `pair_decimals`."""
        tick, fraction = self.tick_size.as_integer_ratio()
        digits = 10**self.pair_decimals
        return EXACT.divide(Decimal(lcm(tick * digits, fraction)), Decimal(fraction * digits))

    @property
    def ordermin(self) -> Decimal | None:
        """The least volume, in base currency."""
        return self.info.ordermin

    @property
    def costmin(self) -> Decimal | None:
        """The least cost, in quote currency."""
        return self.info.costmin

    @property
    def status(self) -> str:
        """``online``, ``cancel_only``, ``post_only``, ``limit_only``, ``reduce_only``; as last read."""
        return self.info.status

    def quantize_price(self, value: Number, rounding: str = ROUND_HALF_EVEN) -> Decimal:
        """Round a price to one that Kraken accepts.

        Args:
            value: The price; a float is refused.
            rounding: One of decimal's words; ``ROUND_DOWN`` never pays more, ``ROUND_UP`` never sells for less.

        Raises:
            InvalidArguments: The value is not a number, or is negative.
        """
        steps = EXACT.divide(_exact("price", value), self.price_step).to_integral_value(rounding, EXACT)
        return EXACT.multiply(steps, self.price_step).quantize(_unit(self.pair_decimals), context=EXACT)

    def quantize_volume(self, value: Number) -> Decimal:
        """Round a volume down to the digits that Kraken accepts: never more than was given.

        Raises:
            InvalidArguments: The value is not a number, or is negative.
        """
        return _exact("volume", value).quantize(_unit(self.lot_decimals), ROUND_DOWN, EXACT)

    def check(self, volume: Number, price: Number | None = None) -> list[Objection]:
        """Name everything in an order that Kraken would refuse; empty if there is nothing.

        Args:
            volume: In base currency.
            price: In quote currency; None for a market order, whose cost is not known yet.

        Raises:
            InvalidArguments: One of the values is not a number, or is negative.
        """
        amount, found = _exact("volume", volume), []
        if amount != self.quantize_volume(amount):
            found.append(Objection("EGeneral:Invalid arguments", f"{amount} has over {self.lot_decimals} digits"))
        if self.ordermin is not None and amount < self.ordermin:
            found.append(Objection("EOrder:Order minimum not met", f"{amount} < {self.ordermin} {self.base.name}"))
        if price is None:
            return found
        limit = _exact("price", price)
        if limit != self.quantize_price(limit, ROUND_DOWN):
            coarse = limit == limit.quantize(_unit(self.pair_decimals), ROUND_DOWN, EXACT)
            code = "EOrder:Tick size check failed" if coarse else "EOrder:Invalid price"
            found.append(Objection(code, f"{limit} is not a multiple of {self.price_step}"))
        cost = EXACT.multiply(amount, limit)
        if self.costmin is not None and cost < self.costmin:
            found.append(Objection("EOrder:Cost minimum not met", f"{cost} < {self.costmin} {self.quote.name}"))
        return found


def _exact(name: str, value: Number) -> Decimal:
    return Decimal(Money().wire(name, value))


def _unit(digits: int) -> Decimal:
    """Return the unit of the last digit after the point, given how many there are."""
    return EXACT.scaleb(Decimal(1), -digits)

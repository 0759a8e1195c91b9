"""The assets and pairs that the sandbox lists: real ones, with realistic rows, found by any of Kraken's names.

The rows follow recorded answers of https://api.kraken.com/0/public/Assets and .../AssetPairs; fee schedule:
https://www.kraken.com/features/fee-schedule
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

import msgspec

from krakenasync.protocol.exact import decimal_text
from krakenasync.sandbox.refusals import UNKNOWN_ASSET, UNKNOWN_PAIR, Refusal

__all__ = ["ASSETS", "FOREX", "MAKER", "PAIRS", "TAKER", "Asset", "Pair", "find_asset", "find_pair", "public_name"]

TAKER: Final = (
    (0, "0.40"),
    (10_000, "0.35"),
    (50_000, "0.24"),
    (100_000, "0.22"),
    (250_000, "0.20"),
    (500_000, "0.18"),
    (1_000_000, "0.16"),
    (2_500_000, "0.14"),
    (5_000_000, "0.12"),
    (10_000_000, "0.10"),
)
MAKER: Final = (
    (0, "0.25"),
    (10_000, "0.20"),
    (50_000, "0.14"),
    (100_000, "0.12"),
    (250_000, "0.10"),
    (500_000, "0.08"),
    (1_000_000, "0.06"),
    (2_500_000, "0.04"),
    (5_000_000, "0.02"),
    (10_000_000, "0.00"),
)
FOREX: Final = (
    (0, "0.20"),
    (50_000, "0.16"),
    (100_000, "0.12"),
    (250_000, "0.08"),
    (500_000, "0.04"),
    (1_000_000, "0.00"),
)


class Asset(msgspec.Struct, frozen=True):
    """An asset as Kraken lists it.

    Attributes:
        name: Its id, the key of answers.
        altname: Its short name.
        decimals: Digits used for bookkeeping.
        display_decimals: Digits people are shown.
        public: The name people use, where it differs from the altname.
        collateral: Its collateral value, as text, or empty.
    """

    name: str
    altname: str
    decimals: int
    display_decimals: int
    public: str = ""
    collateral: str = ""

    @property
    def called(self) -> str:
        """The name people use."""
        return self.public or self.altname

    def row(self) -> dict[str, Any]:
        """Write the asset as Assets answers it."""
        row: dict[str, Any] = {
            "aclass": "currency",
            "altname": self.altname,
            "decimals": self.decimals,
            "display_decimals": self.display_decimals,
        }
        if self.collateral:
            row["collateral_value"] = float(self.collateral)
        return {**row, "status": "enabled"}

    def text(self, amount: Decimal) -> str:
        """Write an amount with all its digits."""
        return f"{amount:.{self.decimals}f}"

    def quantise(self, amount: Decimal, rounding: str | None = None) -> Decimal:
        """Round an amount to the bookkeeping's digits."""
        return amount.quantize(Decimal(1).scaleb(-self.decimals), rounding)


class Pair(msgspec.Struct, frozen=True):
    """A tradable pair.

    Attributes:
        name: Its id, the key of answers.
        altname: Its short name, which order descriptions use.
        wsname: Its name with a slash.
        base: The id of the traded asset.
        quote: The id of the asset that it is paid with.
        price_decimals: Digits of a price.
        ordermin: The smallest volume, in base.
        costmin: The smallest cost, in quote.
        start: The price around which the seeded market moves.
        lot: The market maker's usual volume.
        tick: The smallest step of a price; empty for one unit of the last digit.
        leverage: The leverages that may be used.
        forex: Whether both sides are fiat currencies.
    """

    name: str
    altname: str
    wsname: str
    base: str
    quote: str
    price_decimals: int
    ordermin: str
    costmin: str
    start: str
    lot: str
    tick: str = ""
    leverage: tuple[int, ...] = (2, 3, 4, 5)
    cost_decimals: int = 5
    forex: bool = False

    @property
    def tick_size(self) -> Decimal:
        """The smallest step of a price."""
        return Decimal(self.tick) if self.tick else Decimal(1).scaleb(-self.price_decimals)

    @property
    def lot_decimals(self) -> int:
        """Digits of a volume: Kraken's eight, or fewer where the base asset is booked with fewer."""
        return min(8, ASSETS[self.base].decimals)

    def price_text(self, price: Decimal) -> str:
        """Write a price with the pair's digits."""
        return f"{price:.{self.price_decimals}f}"

    def long_price_text(self, price: Decimal) -> str:
        """Write a price with five digits or more, as Ticker, Depth and Trades do."""
        return f"{price:.{max(5, self.price_decimals)}f}"

    def cost(self, worth: Decimal) -> Decimal:
        """Round what a trade is worth, in quote, to a cost: down."""
        return worth.quantize(Decimal(1).scaleb(-self.cost_decimals), ROUND_DOWN)

    def cost_text(self, cost: Decimal) -> str:
        """Write a cost or a fee."""
        return f"{cost:.{self.cost_decimals}f}"

    def row(self, *, public: bool = False) -> dict[str, Any]:
        """Write the pair as AssetPairs answers it, with its assets by id, or by the names that people use."""
        taker, maker = (FOREX, FOREX) if self.forex else (TAKER, MAKER)
        base, quote, dollar = (ASSETS[name].called if public else name for name in (self.base, self.quote, "ZUSD"))
        return {
            "altname": self.altname,
            "wsname": self.wsname,
            "aclass_base": "currency",
            "base": base,
            "aclass_quote": "currency",
            "quote": quote,
            "lot": "unit",
            "cost_decimals": self.cost_decimals,
            "pair_decimals": self.price_decimals,
            "lot_decimals": self.lot_decimals,
            "lot_multiplier": 1,
            "leverage_buy": list(self.leverage),
            "leverage_sell": list(self.leverage),
            "fees": [[volume, float(percent)] for volume, percent in taker],
            "fees_maker": [[volume, float(percent)] for volume, percent in maker],
            "fee_volume_currency": dollar,
            "margin_call": 80,
            "margin_stop": 40,
            "ordermin": self.ordermin,
            "costmin": self.costmin,
            "tick_size": decimal_text(self.tick_size),
            "status": "online",
            "long_position_limit": 250 if self.leverage else 0,
            "short_position_limit": 200 if self.leverage else 0,
            "execution_venue": "international",
        }


ASSETS: Final = {
    asset.name: asset
    for asset in (
        Asset("XXBT", "XBT", 10, 5, "BTC", "1.0"),
        Asset("XETH", "ETH", 10, 5, collateral="1.0"),
        Asset("XXDG", "XDG", 8, 2, "DOGE", "0.7"),
        Asset("XXLM", "XLM", 8, 5, collateral="0.9"),
        Asset("ADA", "ADA", 8, 6, collateral="0.9"),
        Asset("BCH", "BCH", 10, 5, collateral="0.9"),
        Asset("DOT", "DOT", 10, 8, collateral="0.9"),
        Asset("SOL", "SOL", 10, 5, collateral="0.95"),
        Asset("USDT", "USDT", 8, 4, collateral="0.99"),
        Asset("ZEUR", "EUR", 4, 2, collateral="1.0"),
        Asset("ZUSD", "USD", 4, 2, collateral="1.0"),
        Asset("ADA.S", "ADA.S", 8, 6),
        Asset("DOT28.S", "DOT28.S", 10, 8),
        Asset("ETH2.S", "ETH2.S", 10, 5),
        Asset("EUR.HOLD", "EUR.HOLD", 4, 2),
        Asset("EUR.M", "EUR.M", 4, 2),
        Asset("SOL.S", "SOL.S", 10, 5),
        Asset("USD.HOLD", "USD.HOLD", 4, 2),
        Asset("USD.M", "USD.M", 4, 2),
        Asset("XBT.M", "XBT.M", 10, 5, "BTC.M"),
    )
}

PAIRS: Final = {
    pair.name: pair
    for pair in (
        Pair("ADAUSD", "ADAUSD", "ADA/USD", "ADA", "ZUSD", 6, "20", "0.5", "0.512340", "850"),
        Pair("BCHEUR", "BCHEUR", "BCH/EUR", "BCH", "ZEUR", 2, "0.01", "0.45", "442.50", "0.8"),
        Pair("BCHUSD", "BCHUSD", "BCH/USD", "BCH", "ZUSD", 2, "0.01", "0.5", "480.00", "0.8"),
        Pair("DOTUSD", "DOTUSD", "DOT/USD", "DOT", "ZUSD", 4, "1.5", "0.5", "4.2150", "120", "0.0005"),
        Pair("SOLUSD", "SOLUSD", "SOL/USD", "SOL", "ZUSD", 2, "0.06", "0.5", "142.00", "4"),
        Pair("USDTZUSD", "USDTUSD", "USDT/USD", "USDT", "ZUSD", 5, "5", "0.5", "1.00010", "1500", leverage=(2, 3)),
        Pair("XBTUSDT", "XBTUSDT", "XBT/USDT", "XXBT", "USDT", 1, "0.00005", "0.5", "68335.0", "0.03"),
        Pair("XDGUSD", "XDGUSD", "XDG/USD", "XXDG", "ZUSD", 7, "50", "0.5", "0.1512000", "5200"),
        Pair(
            "XETHXXBT", "ETHXBT", "ETH/XBT", "XETH", "XXBT", 5, "0.001", "0.00002", "0.03780", "0.6", cost_decimals=10
        ),
        Pair("XETHZEUR", "ETHEUR", "ETH/EUR", "XETH", "ZEUR", 2, "0.001", "0.45", "2380.00", "0.5"),
        Pair("XETHZUSD", "ETHUSD", "ETH/USD", "XETH", "ZUSD", 2, "0.001", "0.5", "2580.00", "0.5"),
        Pair("XXBTZEUR", "XBTEUR", "XBT/EUR", "XXBT", "ZEUR", 1, "0.00005", "0.45", "63050.0", "0.02"),
        Pair("XXBTZUSD", "XBTUSD", "XBT/USD", "XXBT", "ZUSD", 1, "0.00005", "0.5", "68342.0", "0.03"),
        Pair(
            "ZEURZUSD", "EURUSD", "EUR/USD", "ZEUR", "ZUSD", 5, "0.5", "0.5", "1.08450", "900", "", (2, 3), forex=True
        ),
    )
}


def public_name(pair: Pair) -> str:
    """Return the pair's display name (``BTC/USD``), the key of answers with ``assetVersion=1``."""
    return f"{ASSETS[pair.base].called}/{ASSETS[pair.quote].called}"


_ASSET_NAMES: Final = {alias: asset for asset in ASSETS.values() for alias in (asset.name, asset.altname, asset.called)}
_PAIR_NAMES: Final = {
    alias: pair
    for pair in PAIRS.values()
    for alias in (pair.name, pair.altname, pair.wsname, public_name(pair), public_name(pair).replace("/", ""))
}


def find_asset(name: str) -> Asset:
    """Look an asset up by any of its names.

    Raises:
        Refusal: There is no such asset.
    """
    asset = _ASSET_NAMES.get(name.strip().upper())
    if asset is None:
        raise Refusal(UNKNOWN_ASSET)
    return asset


def find_pair(name: str) -> Pair:
    """Look a pair up by any of its names.

    Raises:
        Refusal: There is no such pair.
    """
    pair = _PAIR_NAMES.get(name.strip().upper())
    if pair is None:
        raise Refusal(UNKNOWN_PAIR)
    return pair

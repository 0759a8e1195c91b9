"""Market data: time, status, assets, pairs and the ticker; books and trades are in `books` and `trades`.

Source: https://docs.kraken.com/api/docs/category/rest-api/market-data
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeVar

import msgspec

from krakenasync.protocol.requests import Request
from krakenasync.protocol.specs import Spec, public_call
from krakenasync.spot.maintenance import Incident, Maintenance
from krakenasync.spot.values import AssetClass, AssetNames, PairInfo, PairName, PairNames, PriceClass, Venues

__all__ = [
    "AssetInfo",
    "AssetPair",
    "AssetPairs",
    "Assets",
    "BestPrice",
    "FeeStep",
    "LastTrade",
    "Named",
    "OfPair",
    "ServerTime",
    "Status",
    "SystemStatus",
    "Ticker",
    "TickerInfo",
    "Time",
    "TodayAndDay",
]

R = TypeVar("R")

_CALENDAR: Final = 253_370_764_800
"""Unix seconds at which the year 9999 begins, the calendar's last."""


class Named(Request[R], frozen=True, kw_only=True):
    """A call whose answer can use display names (``BTC/USD``) instead of Kraken's ids (``XXBTZUSD``)."""

    assetVersion: Literal[1] | None = None  # noqa: N815 - Kraken's spelling


class OfPair(Named[R], frozen=True):
    """A call about one pair."""

    pair: PairName


class ServerTime(msgspec.Struct, frozen=True):
    """Kraken's clock, to the second.

    Attributes:
        unixtime: Unix seconds.
        rfc1123: The same as text.
    """

    unixtime: int
    rfc1123: str = ""

    def __post_init__(self) -> None:
        """Refuse a time outside the calendar: deadlines are calculated from it."""
        if not 0 <= self.unixtime < _CALENDAR:
            raise ValueError("unixtime is not a point in time")

    @property
    def time(self) -> datetime:
        """The same as an aware datetime."""
        return datetime.fromtimestamp(self.unixtime, UTC)


class Time(Request[ServerTime], frozen=True, kw_only=True):
    """Kraken's clock."""

    spec: ClassVar[Spec] = public_call("Time", "market", "get-server-time")


class Status(msgspec.Struct, frozen=True):
    """What the exchange accepts.

    Attributes:
        status: ``online``, ``maintenance`` (nothing), ``cancel_only``, ``post_only`` (post-only limits and cancels).
        timestamp: When this was stated.
        upcoming_maintenance: Windows of maintenance that begin within 72 hours.
        emergency: What is wrong and not yet resolved; it explains `status`, which the trading engine alone decides.
    """

    status: str
    timestamp: datetime | None = None
    upcoming_maintenance: list[Maintenance] = []
    emergency: list[Incident] = []


class SystemStatus(Request[Status], frozen=True, kw_only=True):
    """What the exchange currently accepts."""

    spec: ClassVar[Spec] = public_call("SystemStatus", "market", "get-system-status")


class AssetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What Kraken says about an asset.

    Attributes:
        decimals: Digits of the bookkeeping.
        display_decimals: Digits shown to people.
        collateral_value: Share of its value that counts as margin collateral.
        margin_rate: Seen in live answers, documented nowhere.
    """

    aclass: str
    altname: str
    decimals: int
    display_decimals: int
    collateral_value: Decimal | None = None
    status: str = ""
    margin_rate: Decimal | None = None


class OfAssets(Named[R], frozen=True):
    """A call about the named assets, or all."""

    asset: AssetNames | None = None


class Assets(OfAssets[dict[str, AssetInfo]], frozen=True, kw_only=True):
    """All assets, by id. Without `aclass` only currencies: xStocks need a second call."""

    spec: ClassVar[Spec] = public_call("Assets", "market", "get-asset-info")

    aclass: AssetClass | None = None


class FeeStep(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fee in percent from a 30-day volume upwards, in units of `fee_volume_currency`."""

    volume: Decimal
    percent: Decimal


_FEES: Final = msgspec.json.Decoder(tuple[FeeStep, ...], strict=False)


@functools.lru_cache(maxsize=64)
def _steps(table: bytes) -> tuple[FeeStep, ...]:
    """Read a fee table, or return it if it has been read before."""
    return _FEES.decode(table)


_NO_FEES: Final = msgspec.Raw(b"[]")
_LEFT_OUT: Final[Any] = msgspec.UNSET
"""In place of what a slice (``info="fees"``) leaves out: calculating with it fails loudly, a 0 would mislead."""


class AssetPair(msgspec.Struct, frozen=True, kw_only=True):
    """What Kraken says about a pair.

    Attributes:
        pair_decimals: Digits of a price; `tick_size` may be coarser.
        lot_decimals: Digits of a volume.
        cost_decimals: Digits of a cost.
        ordermin: The least volume, in base currency.
        costmin: The least cost, in quote currency.
        status: ``online``, ``cancel_only``, ``post_only``, ``limit_only``, ``reduce_only``.
        margin_stop: Percent of margin at which positions are closed; comes as `margin_level` with ``info="margin"``.
        fees: The taker's fees. At run time their annotation is what they are decoded from, `msgspec.Raw`.
        fees_maker: The maker's fees; empty where `fees` applies to both.
    """

    altname: str = _LEFT_OUT
    wsname: str | None = None
    aclass_base: str = _LEFT_OUT
    base: str = _LEFT_OUT
    aclass_quote: str = _LEFT_OUT
    quote: str = _LEFT_OUT
    execution_venue: str | None = None
    lot: str | None = None
    cost_decimals: int = _LEFT_OUT
    pair_decimals: int = _LEFT_OUT
    lot_decimals: int = _LEFT_OUT
    lot_multiplier: int = 1
    leverage_buy: list[int | Decimal] = []
    leverage_sell: list[int | Decimal] = []
    if TYPE_CHECKING:
        fees: list[FeeStep] = []
        fees_maker: list[FeeStep] = []
    else:  # not read in place: hundreds of pairs share a few tables
        fees: msgspec.Raw = _NO_FEES
        fees_maker: msgspec.Raw = _NO_FEES
    fee_volume_currency: str | None = None
    margin_call: int | None = None
    margin_stop: int | None = None
    margin_level: int | None = None
    ordermin: Decimal | None = None
    costmin: Decimal | None = None
    tick_size: Decimal | None = None
    status: str = ""
    long_position_limit: Decimal | None = None
    short_position_limit: Decimal | None = None

    def __post_init__(self) -> None:
        """Read the fee tables, once each; give one figure one name."""
        if self.margin_stop is None and self.margin_level is not None:
            msgspec.structs.force_setattr(self, "margin_stop", self.margin_level)
        for name in ("fees", "fees_maker"):
            table: Any = getattr(self, name)
            if isinstance(table, msgspec.Raw):
                msgspec.structs.force_setattr(self, name, [*_steps(bytes(table))])


class OfPairs(Named[R], frozen=True):
    """A call about the named pairs, or all."""

    pair: PairNames | None = None


class AssetPairs(OfPairs[dict[str, AssetPair]], frozen=True, kw_only=True):
    """The pairs that can be traded, by id.

    Pair ids follow no rule by which they could be taken apart: read `base` and `quote`.
    """

    spec: ClassVar[Spec] = public_call("AssetPairs", "market", "get-tradable-asset-pairs")

    aclass_base: AssetClass | None = None
    info: PairInfo | None = None
    country_code: str | None = None
    execution_venue: Venues | None = None


class BestPrice(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The best ask or bid: its price, and the volume there in whole lots and exactly."""

    price: Decimal
    whole_lot_volume: Decimal
    lot_volume: Decimal


class LastTrade(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last trade. A price of 0 means that there was none in the last 24 hours."""

    price: Decimal
    lot_volume: Decimal


class TodayAndDay(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A figure since 00:00 UTC, and over the last 24 hours."""

    today: Decimal
    last_24h: Decimal


class TradeCount(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Trades since 00:00 UTC, and over the last 24 hours."""

    today: int
    last_24h: int


class TickerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A pair's prices and volumes, under plain words for Kraken's letters (a, b, c, v, p, t, h, l, o).

    Prices can have more digits than the pair's `pair_decimals`.
    """

    ask: BestPrice = msgspec.field(name="a")
    bid: BestPrice = msgspec.field(name="b")
    last: LastTrade = msgspec.field(name="c")
    volume: TodayAndDay = msgspec.field(name="v")
    vwap: TodayAndDay = msgspec.field(name="p")
    trades: TradeCount = msgspec.field(name="t")
    high: TodayAndDay = msgspec.field(name="h")
    low: TodayAndDay = msgspec.field(name="l")
    open: Decimal = msgspec.field(name="o")
    """The first price of the day (00:00 UTC)."""


class Ticker(OfPairs[dict[str, TickerInfo]], frozen=True, kw_only=True):
    """Prices of the named pairs, or of every pair, by pair id."""

    spec: ClassVar[Spec] = public_call("Ticker", "market", "get-ticker-information")

    asset_class: PriceClass | None = None

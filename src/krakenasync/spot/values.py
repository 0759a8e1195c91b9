"""The words and values that requests and results share.

Kraken adds words to its lists without notice, so results carry plain `str` and the known words are listed here for
readers, completion and documentation; requests offer them as `Literal` beside `str`, so an unknown word passes, with a
warning in the log.
"""
# ruff: noqa: PYI051 - see above

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias, TypeVar

import msgspec

from krakenasync.protocol.exact import order_price
from krakenasync.protocol.fields import USERREF, Leverage, Money, Names, Price, Range, Tag, Text
from krakenasync.protocol.moments import EPOCH, Deadline, Instant
from krakenasync.protocol.vocabulary import words

__all__ = [
    "CLIENT_ORDER_ID",
    "ENDED",
    "EPOCH",
    "Amount",
    "AssetClass",
    "AssetName",
    "AssetNames",
    "BookDepth",
    "CandleInterval",
    "CandleMinutes",
    "ClientOrderId",
    "CloseOrderType",
    "CloseTime",
    "Consolidation",
    "Cursor",
    "CursorMoment",
    "DeadlineAt",
    "Direction",
    "ExportFields",
    "ExportFormat",
    "ExportRemoval",
    "ExportReport",
    "FundingState",
    "Grouping",
    "Ids",
    "LedgerType",
    "Level3Depth",
    "LockType",
    "MarginLeverage",
    "Moment",
    "Number",
    "OrderFlags",
    "OrderKind",
    "OrderPrice",
    "OrderType",
    "PageSize",
    "PairInfo",
    "PairName",
    "PairNames",
    "PreciseMoment",
    "PriceClass",
    "RebaseMultiplier",
    "RelativePrice",
    "SelfTradePrevention",
    "Side",
    "TimeInForce",
    "TokenizedClass",
    "TradeType",
    "Trigger",
    "UserRef",
    "Validate",
    "Venues",
    "WalletFrom",
    "WalletTo",
    "WholeMoment",
    "Word",
    "from_nanoseconds",
    "from_unix",
    "not_zero",
    "priced",
    "respelled",
    "to_nanoseconds",
    "words",
]

T = TypeVar("T")

Number = Decimal | int | str
"""An exact number: Decimal, int or its decimal text."""

Amount = Annotated[Number, Money()]
"""A non-negative exact amount or volume."""
RelativePrice = Annotated[Number, Price()]
"""A price above 0, or one relative to the market: ``+5%``, ``-100``, ``#3``."""

if TYPE_CHECKING:
    OrderPrice: TypeAlias = Decimal | str
    """The price of an order in an answer: a Decimal, or text if it is relative to the market: ``+5.0000%``, ``-100.0``.

    Text, so that an offset is not mistaken for a price.
    """
else:
    OrderPrice = Any  # msgspec cannot choose between two kinds of text: `priced` does

Word = Annotated[str, Text()]
"""A text that is not empty."""
Ids = Annotated[str | Sequence[str], Names()]
AssetName = Annotated[str, Text()]
"""An asset by any of Kraken's names (``XXBT``, ``XBT``)."""
AssetNames = Annotated[str | Sequence[str], Names()]
PairName = Annotated[str, Text()]
"""A pair by any of Kraken's names (``XXBTZUSD``, ``XBTUSD``, ``XBT/USD``)."""
PairNames = Annotated[str | Sequence[str], Names()]
Venues = Annotated[Literal["international", "bitnomial_exchange"] | str | Sequence[str], Names()]

Moment = Annotated[datetime | Decimal | float | int | str, Instant()]
"""Unix seconds, an aware datetime, or an id where Kraken takes one."""
WholeMoment = Annotated[datetime | Decimal | float | int | str, Instant(whole_seconds=True)]
"""The same, cut to whole seconds."""
CursorMoment = Annotated[datetime | int | str, Instant(nanoseconds=True)]
"""The nanoseconds in `last` of a Trades answer, unix seconds, or an aware datetime."""
PreciseMoment = Annotated[datetime | str, Deadline("microseconds")]
"""An aware datetime, or ISO 8601 text of up to nanoseconds."""
DeadlineAt = Annotated[datetime | str, Deadline()]
"""An aware datetime or RFC 3339 text, in server time."""
Validate = Annotated[bool, Tag()]
"""Check only; sent when True, left out when False, because Kraken takes its mere presence as true."""

UserRef = Annotated[int, USERREF]
CLIENT_ORDER_ID: Final = Text(
    pattern=r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|[\x21-\x7e]{1,18}",
    what="a UUID, 32 hex digits or up to 18 ASCII characters",
)
"""Source: https://docs.kraken.com/api/docs/guides/spot-clordid"""
ClientOrderId = Annotated[str, CLIENT_ORDER_ID]
MarginLeverage = Annotated[str | int, Leverage()]
"""``2`` or ``"2:1"``; left out for an order without margin."""

OrderFlags = Annotated[Literal["post", "fcib", "fciq", "nompp", "viqc"] | str | Sequence[str], Names()]
"""``post``, ``fcib``, ``fciq``, ``nompp`` (ignored), ``viqc``; several as a list or comma text."""

Side = Annotated[Literal["buy", "sell"] | str, Text()]
CloseOrderKind = Literal[
    "limit",
    "iceberg",
    "stop-loss",
    "take-profit",
    "stop-loss-limit",
    "take-profit-limit",
    "trailing-stop",
    "trailing-stop-limit",
]
OrderKind = Literal["market", CloseOrderKind, "settle-position"]
OrderType = Annotated[OrderKind | str, Text()]
CloseOrderType = Annotated[CloseOrderKind | str, Text()]
TimeInForce = Annotated[Literal["GTC", "IOC", "GTD", "FOK"] | str, Text()]
Trigger = Annotated[Literal["last", "index"] | str, Text()]
SelfTradePrevention = Annotated[Literal["cancel-newest", "cancel-oldest", "cancel-both"] | str, Text()]
RebaseMultiplier = Annotated[Literal["rebased", "base"] | str, Text()]
"""xStocks view: quantities as underlying shares (rebased, the default) or as token units (base)."""
AssetClass = Annotated[Literal["currency", "tokenized_asset"] | str, Text()]
PriceClass = Annotated[Literal["forex", "tokenized_asset"] | str, Text()]
"""Ticker's name for the ordinary class is ``forex``."""
TokenizedClass = Annotated[Literal["tokenized_asset"] | str, Text()]
"""Needed for xStocks; left out for crypto and fiat pairs."""
PairInfo = Annotated[Literal["info", "leverage", "fees", "margin"] | str, Text()]
CandleMinutes = Literal[1, 5, 15, 30, 60, 240, 1440, 10080, 21600]
CandleInterval = CandleMinutes | int
"""Minutes."""
BookDepth = Literal[10, 25, 100, 250, 1000] | int
Level3Depth = Literal[0, 10, 25, 100, 250, 1000] | int
"""Levels a side; 0 is the whole book."""
Grouping = Literal[1, 5, 10, 25, 50, 100, 250, 500, 1000] | int
"""Ticks that make one level."""
CloseTime = Annotated[Literal["open", "close", "both"] | str, Text()]
TradeType = Annotated[
    Literal["all", "any position", "closed position", "closing position", "no position"] | str, Text()
]
ExportReport = Annotated[Literal["trades", "ledgers"] | str, Text()]
ExportFormat = Annotated[Literal["CSV", "TSV"] | str, Text()]
ExportFields = Annotated[str | Sequence[str], Names()]
ExportRemoval = Annotated[Literal["cancel", "delete"] | str, Text()]
Consolidation = Annotated[Literal["market"] | str, Text()]
LedgerType = Annotated[
    Literal[
        "all",
        "trade",
        "deposit",
        "withdrawal",
        "transfer",
        "margin",
        "adjustment",
        "rollover",
        "credit",
        "settled",
        "staking",
        "dividend",
        "sale",
        "nft_rebate",
    ]
    | str,
    Text(),
]
Cursor = bool | str
"""True for the first page, then the `next_cursor` of the previous page."""
PageSize = Annotated[int, Range(1, 2**31 - 1)]
WalletFrom = Annotated[Literal["Spot Wallet"] | str, Text()]
WalletTo = Annotated[Literal["Futures Wallet"] | str, Text()]
FundingState = Annotated[Literal["pending", "success", "failed"] | str, Text()]
Direction = Annotated[Literal["deposit", "withdraw"] | str, Text()]
LockType = Annotated[Literal["flex", "bonded", "timed", "instant"] | str, Text()]

ENDED: Final = frozenset({"closed", "canceled", "expired"})
"""The final states of an order; before them it is ``pending`` or ``open``."""


def from_nanoseconds(nanoseconds: int) -> datetime:
    """Convert Kraken's nanoseconds to a datetime, cut to whole microseconds."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


def to_nanoseconds(moment: datetime) -> int:
    """Convert an aware datetime to nanoseconds since the unix epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


_MICROSECONDS: Final = 10**14
_NANOSECONDS: Final = 10**17


def from_unix(number: int) -> datetime:
    """Convert milliseconds, microseconds or nanoseconds, told apart by their size, to a datetime.

    >>> from_unix(1_780_000_000_123) == from_unix(1_780_000_000_123_000_000)
    True
    """
    if number >= _NANOSECONDS:
        return from_nanoseconds(number)
    return EPOCH + timedelta(microseconds=number if number >= _MICROSECONDS else number * 1000)


def not_zero(struct: msgspec.Struct, *names: str) -> None:
    """Turn times that Kraken writes as 0, meaning "none", into None; for `__post_init__`."""
    for name in names:
        if getattr(struct, name) == EPOCH:
            msgspec.structs.force_setattr(struct, name, None)


def priced(struct: msgspec.Struct, *names: str) -> None:
    """Turn what Kraken wrote into `OrderPrice`; for `__post_init__`.

    Raises:
        TypeError: A value is neither a number nor text.
    """
    for name in names:
        msgspec.structs.force_setattr(struct, name, order_price(getattr(struct, name)))


_NOTHING: Final = frozenset({b"null", b'""'})


def respelled(arrived: Mapping[str, msgspec.Raw], names: Mapping[str, str], into: msgspec.json.Decoder[T]) -> T:
    """Read an object some of whose keys may be spelled differently.

    Args:
        arrived: The object, its values not yet decoded.
        names: The other spelling of a key -> the one that `into` knows.
        into: The decoder of the object's type.
    """
    renamed: dict[str, Any] = {names.get(key, key): value for key, value in arrived.items()}
    try:
        return into.decode(msgspec.json.encode(renamed))
    except msgspec.ValidationError:  # a null or an empty text where the type expresses absence differently
        renamed = {key: value for key, value in renamed.items() if bytes(value) not in _NOTHING}
    return into.decode(msgspec.json.encode(renamed))

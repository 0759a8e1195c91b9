"""Account data: trades, positions and ledger entries.

Source: https://docs.kraken.com/api/docs/category/rest-api/account-data
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Self

import msgspec

from krakenasync.protocol.bounds import HISTORY_IDS
from krakenasync.protocol.charges import HISTORY
from krakenasync.protocol.fields import Names, Range
from krakenasync.protocol.requests import Request, Reshaped
from krakenasync.protocol.specs import Need, Spec, private_call
from krakenasync.spot.values import (
    AssetClass,
    AssetNames,
    Consolidation,
    Ids,
    LedgerType,
    Moment,
    OrderPrice,
    RebaseMultiplier,
    TradeType,
    not_zero,
    priced,
)

__all__ = [
    "LedgerEntry",
    "Ledgers",
    "LedgersPage",
    "MarketPosition",
    "OpenPositions",
    "Position",
    "Positions",
    "QueryLedgers",
    "QueryTrades",
    "Trade",
    "TradesHistory",
    "TradesPage",
]

_QUERY_CLOSED: Final = Need(("query-closed-trades",))
_QUERY_LEDGER: Final = Need(("query-ledger",))

Offset = Annotated[int, Range(0, 2**63 - 1)]


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One of the account's trades, under Kraken's names. Its digits follow the pair, not the assets.

    `vol` is in base currency; `price`, `cost`, `fee` and `margin` are in quote currency.
    The fields from `posstatus` on are present only if the trade opened a margin position; those that begin with ``c``
    describe the closed part.

    Attributes:
        ordertxid: The order's id.
        postxid: The position's id.
        misc: Comma list: ``closing``, ...
        ledgers: Ids of its ledger entries, if asked for.
        trade_id: The trade's number on the pair, as in public trades.
        ext_exec_id: An institution's own id.
    """

    ordertxid: str
    pair: str
    time: datetime
    type: str
    ordertype: str
    price: Decimal
    cost: Decimal
    fee: Decimal
    vol: Decimal
    postxid: str | None = None
    margin: Decimal = Decimal(0)
    leverage: Decimal | None = None
    misc: str = ""
    ledgers: list[str] = []
    trade_id: int | None = None
    ext_exec_id: str | None = None
    maker: bool | None = None
    aclass: str | None = None
    tradeordertype: str | None = None
    posstatus: str | None = None
    cprice: Decimal | None = None
    ccost: Decimal | None = None
    cfee: Decimal | None = None
    cvol: Decimal | None = None
    cmargin: Decimal | None = None
    net: Decimal | None = None
    trades: list[str] = []


class TradesPage(msgspec.Struct, frozen=True):
    """Up to 50 trades by id, newest first.

    Attributes:
        count: How many there are in all; None if the count was not asked for.
    """

    trades: dict[str, Trade]
    count: int | None = None


class TradesHistory(Request[TradesPage], frozen=True, kw_only=True):
    """The account's trades, 50 a page; `start` is excluded, `end` included.

    With `consolidate_taker`, which is on unless switched off, a taker's fills are merged into one row.
    """

    spec: ClassVar[Spec] = private_call(
        "TradesHistory", "account", "get-trade-history", need=_QUERY_CLOSED, charge=HISTORY
    )

    type: TradeType | None = None
    trades: bool | None = None
    start: Moment | None = None
    end: Moment | None = None
    ofs: Offset | None = None
    without_count: bool | None = None
    consolidate_taker: bool | None = None
    ledgers: bool | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class OfTrades(Request[dict[str, Trade]], frozen=True):
    """A call about trades by their ids."""

    txid: Annotated[str | Sequence[str], Names(most=HISTORY_IDS)]


class QueryTrades(OfTrades, frozen=True, kw_only=True):
    """Trades by their ids, 20 at most."""

    # No page states its cost; it is counted like the history it reads.
    spec: ClassVar[Spec] = private_call("QueryTrades", "account", "get-trades-info", need=_QUERY_CLOSED, charge=HISTORY)

    trades: bool | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """An open margin position.

    Attributes:
        asset_class: Kraken's ``class``.
        value: The value of what is open, with `docalcs`.
        net: Profit or loss, with `docalcs`.
        rollovertm: When the next rollover fee is due.
    """

    ordertxid: str
    pair: str
    time: datetime
    type: str
    ordertype: str
    cost: Decimal
    fee: Decimal
    vol: Decimal
    vol_closed: Decimal
    margin: Decimal
    posstatus: str = "open"
    asset_class: str | None = msgspec.field(name="class", default=None)
    value: Decimal | None = None
    net: Decimal | None = None
    terms: str = ""
    rollovertm: datetime | None = None
    misc: str = ""
    oflags: str = ""

    def __post_init__(self) -> None:
        """Read 0 as "no time"."""
        not_zero(self, "rollovertm")


class MarketPosition(msgspec.Struct, frozen=True, kw_only=True):
    """All positions on a market as one. Provisional: Kraken publishes no schema of it.

    Attributes:
        leverage: The average, a Decimal; None where Kraken writes ``n/a``.
    """

    pair: str
    positions: int | None = None
    type: str | None = None
    leverage: OrderPrice | None = None
    cost: Decimal | None = None
    fee: Decimal | None = None
    vol: Decimal | None = None
    vol_closed: Decimal | None = None
    margin: Decimal | None = None
    value: Decimal | None = None
    net: Decimal | None = None
    asset_class: str | None = msgspec.field(name="class", default=None)

    def __post_init__(self) -> None:
        """Read ``n/a`` as None."""
        priced(self, "leverage")
        if self.leverage == "n/a":
            msgspec.structs.force_setattr(self, "leverage", None)


class Positions(Reshaped, dict[str, Position]):
    """Open positions by id; with ``consolidation="market"`` empty, and the merged ones are in `markets`."""

    arrives_as: ClassVar[Any] = dict[str, Position] | list[MarketPosition]

    markets: list[MarketPosition]

    @classmethod
    def from_wire(cls, arrived: dict[str, Position] | list[MarketPosition]) -> Self:
        """Tell the two forms apart."""
        positions = cls() if isinstance(arrived, list) else cls(arrived)
        positions.markets = arrived if isinstance(arrived, list) else []
        return positions


class OpenPositions(Request[Positions], frozen=True, kw_only=True):
    """The account's open margin positions."""

    spec: ClassVar[Spec] = private_call(
        "OpenPositions", "account", "get-open-positions", need=Need(("query-open-trades",))
    )

    txid: Ids | None = None
    docalcs: bool | None = None
    consolidation: Consolidation | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A movement on the account.

    Attributes:
        refid: What it belongs to: a trade, a deposit, ...
        amount: Signed.
        balance: The balance after it.
        amount_token: The amount in the token's smallest units; QueryLedgers only.
    """

    refid: str
    time: datetime
    type: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    subtype: str = ""
    aclass: str = "currency"
    subclass: str | None = None
    wallet: str | None = None
    amount_token: str | int | None = None


class LedgersPage(msgspec.Struct, frozen=True):
    """Up to 50 ledger entries by id, newest first.

    Attributes:
        count: How many there are in all; None if the count was not asked for.
    """

    ledger: dict[str, LedgerEntry]
    count: int | None = None


class Ledgers(Request[LedgersPage], frozen=True, kw_only=True):
    """The movements on the account, 50 a page; `start` is excluded, `end` included.

    `type` accepts fewer words than answers use, and NFT rebates are spelled differently.
    """

    spec: ClassVar[Spec] = private_call("Ledgers", "account", "get-ledgers", need=_QUERY_LEDGER, charge=HISTORY)

    asset: AssetNames | None = None
    aclass: AssetClass | None = None
    type: LedgerType | None = None
    start: Moment | None = None
    end: Moment | None = None
    ofs: Offset | None = None
    without_count: bool | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class OfEntries(Request[dict[str, LedgerEntry]], frozen=True):
    """A call about ledger entries by their ids."""

    id: Annotated[str | Sequence[str], Names(most=HISTORY_IDS)]


class QueryLedgers(OfEntries, frozen=True, kw_only=True):
    """Ledger entries by their ids, 20 at most."""

    spec: ClassVar[Spec] = private_call(
        "QueryLedgers", "account", "get-ledgers-info", need=_QUERY_LEDGER, charge=HISTORY
    )

    trades: bool | None = None
    rebase_multiplier: RebaseMultiplier | None = None

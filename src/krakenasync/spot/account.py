"""Account data: balances, credit lines, the key itself; the rest is in `orders`, `history`, `fees` and `exports`.

Source: https://docs.kraken.com/api/docs/category/rest-api/account-data
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal, Self

import msgspec

from krakenasync.protocol.exact import EXACT
from krakenasync.protocol.requests import Request, Reshaped
from krakenasync.protocol.specs import Need, Spec, private_call
from krakenasync.spot.values import AssetName, RebaseMultiplier, not_zero, respelled

__all__ = [
    "ApiKeyInfo",
    "Balance",
    "BalanceEx",
    "CreditAsset",
    "CreditInfo",
    "CreditLimits",
    "CreditLines",
    "ExtendedBalance",
    "GetApiKeyInfo",
    "ListWalletAccounts",
    "MarginBalance",
    "TradeBalance",
    "WalletAccount",
    "WalletAccounts",
    "WalletCursor",
    "WalletFlags",
]

_QUERY_FUNDS: Final = Need(("query-funds",))


class Balance(Request[dict[str, Decimal]], frozen=True, kw_only=True):
    """All balances, net of pending withdrawals, by asset id.

    Suffixed assets (``.S`` staked, ``.F`` auto-earning, ...) are read-only.
    """

    spec: ClassVar[Spec] = private_call("Balance", "account", "get-account-balance", need=_QUERY_FUNDS)

    rebase_multiplier: RebaseMultiplier | None = None
    assetVersion: Literal[1] | None = None  # noqa: N815 - Kraken's spelling; known from clients only, not from a page


_NOT_SAID: Final = Decimal(0)


class ExtendedBalance(msgspec.Struct, frozen=True, kw_only=True):
    """A balance and what is reserved of it.

    Attributes:
        hold_trade: Amount held by open spot orders without margin.
        hold_trading: The same, as spelled in one of Kraken's guides.
    """

    balance: Decimal
    hold_trade: Decimal = _NOT_SAID
    hold_trading: Decimal = _NOT_SAID
    credit: Decimal = Decimal(0)
    credit_used: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Accept either spelling."""
        held = self.hold_trading if self.hold_trade is _NOT_SAID else self.hold_trade
        msgspec.structs.force_setattr(self, "hold_trade", held)
        msgspec.structs.force_setattr(self, "hold_trading", held)

    @property
    def available(self) -> Decimal:
        """What can be traded with: balance + credit - credit_used - hold_trade."""
        return EXACT.subtract(EXACT.add(self.balance, self.credit), EXACT.add(self.credit_used, self.hold_trade))


class BalanceEx(Request[dict[str, ExtendedBalance]], frozen=True, kw_only=True):
    """All balances with what is held for orders, by asset id."""

    spec: ClassVar[Spec] = private_call("BalanceEx", "account", "get-extended-balance", need=_QUERY_FUNDS)

    rebase_multiplier: RebaseMultiplier | None = None


class CreditAsset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset's part of a credit line. Kraken's schema and its example name different things; all are read."""

    balance: Decimal | None = None
    credit: Decimal | None = None
    credit_limit: Decimal | None = None
    credit_used: Decimal | None = None
    available_credit: Decimal | None = None
    hold_trade: Decimal | None = None
    collateral_value: Decimal | None = None
    rollover_fees: Decimal | None = None
    reserve_fees: Decimal | None = None


class CreditLimits(msgspec.Struct, frozen=True, kw_only=True):
    """A credit line as a whole, in US dollars."""

    total_credit_usd: Decimal | None = None
    total_credit_used_usd: Decimal | None = None
    total_collateral_value_usd: Decimal | None = None
    equity_usd: Decimal | None = None
    ongoing_balance: Decimal | None = None
    debt_to_equity: Decimal | None = None


class CreditInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The account's credit lines."""

    asset_details: dict[str, CreditAsset] = {}
    limits_monitor: CreditLimits | None = None


class CreditLines(Request[CreditInfo | None], frozen=True, kw_only=True):
    """The account's credit lines; None without any."""

    spec: ClassVar[Spec] = private_call("CreditLines", "account", "get-credit-lines", need=_QUERY_FUNDS)

    rebase_multiplier: RebaseMultiplier | None = None


class MarginBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Collateral, margin and equity, under plain words; Kraken's short name is given for each.

    Attributes:
        equivalent_balance: ``eb``: all currencies together.
        trade_balance: ``tb``: the part that is collateral.
        margin: ``m``: in use by open positions.
        unrealised: ``n``: net profit or loss of open positions.
        cost_basis: ``c``: of open positions.
        valuation: ``v``: floating value of open positions.
        equity: ``e``: trade balance and unrealised together.
        free_margin: ``mf``: equity less margin.
        margin_level: ``ml``: percent; None without positions.
        unexecuted_value: ``uv``: of orders not yet filled.
        free_margin_orders: ``mfo``: documented nowhere, seen by clients.
    """

    equivalent_balance: Decimal = msgspec.field(name="eb")
    trade_balance: Decimal = msgspec.field(name="tb")
    margin: Decimal = msgspec.field(name="m", default=Decimal(0))
    unrealised: Decimal = msgspec.field(name="n", default=Decimal(0))
    cost_basis: Decimal = msgspec.field(name="c", default=Decimal(0))
    valuation: Decimal = msgspec.field(name="v", default=Decimal(0))
    equity: Decimal = msgspec.field(name="e")
    free_margin: Decimal = msgspec.field(name="mf")
    margin_level: Decimal | None = msgspec.field(name="ml", default=None)
    unexecuted_value: Decimal | None = msgspec.field(name="uv", default=None)
    free_margin_orders: Decimal | None = msgspec.field(name="mfo", default=None)


class TradeBalance(Request[MarginBalance], frozen=True, kw_only=True):
    """Collateral, margin and equity. Needs the permission for open orders, not the one for funds."""

    spec: ClassVar[Spec] = private_call(
        "TradeBalance", "account", "get-trade-balance", need=Need(("query-open-trades",))
    )

    asset: AssetName | None = None
    rebase_multiplier: RebaseMultiplier | None = None


class _KeyFacts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    api_key_name: str
    api_key: str
    nonce: int
    nonce_window: int
    permissions: list[str]
    iban: str | None = None
    valid_until: datetime | None = None
    query_from: datetime | None = None
    query_to: datetime | None = None
    created_time: datetime | None = None
    modified_time: datetime | None = None
    ip_allowlist: list[str] = []
    last_used: datetime | None = None

    def __post_init__(self) -> None:
        """Read 0 as "no bound"."""
        not_zero(self, "valid_until", "query_from", "query_to", "last_used")


class ApiKeyInfo(Reshaped, _KeyFacts, frozen=True, kw_only=True, rename="camel"):
    """What the key is and may do. Kraken's page and its clients spell these names differently; both are read.

    Attributes:
        nonce: The last one Kraken has accepted.
        nonce_window: How far below the last nonce one may still lie, in the key's own ticks.
        permissions: By the names that `Need` uses.
        valid_until: None if the key never expires; likewise for `query_from` and `query_to`.
    """

    arrives_as: ClassVar[Any] = dict[str, msgspec.Raw]

    @classmethod
    def from_wire(cls, arrived: dict[str, msgspec.Raw]) -> Self:
        """Read either spelling."""
        return respelled(arrived, _SNAKE, msgspec.json.Decoder(cls, strict=False))


_SNAKE: Final = dict(zip(ApiKeyInfo.__struct_fields__, ApiKeyInfo.__struct_encode_fields__, strict=True))


class GetApiKeyInfo(Request[ApiKeyInfo], frozen=True, kw_only=True):
    """What the key is and may do. Any valid key may ask: the cheapest way to check a set-up."""

    spec: ClassVar[Spec] = private_call("GetApiKeyInfo", "account", "get-api-key-info")


class WalletFlags(msgspec.Struct, frozen=True):
    """What a wallet account is like."""

    user_defined: bool | None = None
    active: bool | None = None


class WalletAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One of the account's wallets.

    Attributes:
        account_id: Its name in calls that take an ``account_id`` (``WX6V-JUKW-KKPB-QE36``).
        status: ``active``, ``disabled``, ``closed``.
        type: ``main``, ``spot``, ``pay``, ``prop_paper``, ``prop_real``.
    """

    account_id: str
    flags: WalletFlags = WalletFlags()
    status: str = ""
    type: str = ""
    name: str | None = None


class WalletCursor(msgspec.Struct, frozen=True):
    """Where the next page would begin; how to ask for it is not documented."""

    next: str | None = None


class WalletAccounts(msgspec.Struct, frozen=True):
    """The wallets of the account."""

    accounts: list[WalletAccount]
    cursor: WalletCursor = WalletCursor()


class ListWalletAccounts(Request[WalletAccounts], frozen=True, kw_only=True):
    """The wallets of the account. Any valid key may ask."""

    spec: ClassVar[Spec] = private_call(
        "ListWalletAccounts", "account", "/api-reference/account-data/list-wallet-accounts"
    )

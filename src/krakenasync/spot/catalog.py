"""All request types: used by the client, the sandbox, the documentation and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from krakenasync.protocol.requests import Request
from krakenasync.spot import (
    account,
    beta,
    beta_addresses,
    beta_limits,
    beta_methods,
    beta_transfers,
    books,
    changes,
    deposits,
    earn,
    exports,
    fees,
    history,
    maintenance,
    market,
    orders,
    subaccounts,
    trades,
    trading,
    transparency,
    websockets,
    withdrawals,
)

__all__ = ["ENDPOINTS", "by_name"]

ENDPOINTS: Final[Mapping[str, type[Request[Any]]]] = MappingProxyType(
    {
        # market data and transparency
        "server_time": market.Time,
        "system_status": market.SystemStatus,
        "maintenance_schedule": maintenance.MaintenanceSchedule,
        "assets": market.Assets,
        "asset_pairs": market.AssetPairs,
        "ticker": market.Ticker,
        "ohlc": trades.OHLC,
        "depth": books.Depth,
        "grouped_book": books.GroupedBook,
        "trades": trades.Trades,
        "spread": trades.Spread,
        "level3": books.Level3,
        "pre_trade": transparency.PreTrade,
        "post_trade": transparency.PostTrade,
        # account data
        "balance": account.Balance,
        "balance_ex": account.BalanceEx,
        "list_wallet_accounts": account.ListWalletAccounts,
        "credit_lines": account.CreditLines,
        "trade_balance": account.TradeBalance,
        "open_orders": orders.OpenOrders,
        "closed_orders": orders.ClosedOrders,
        "query_orders": orders.QueryOrders,
        "order_amends": orders.OrderAmends,
        "trades_history": history.TradesHistory,
        "query_trades": history.QueryTrades,
        "open_positions": history.OpenPositions,
        "ledgers": history.Ledgers,
        "query_ledgers": history.QueryLedgers,
        "trade_volume": fees.TradeVolume,
        "get_api_key_info": account.GetApiKeyInfo,
        "add_export": exports.AddExport,
        "export_status": exports.ExportStatus,
        "retrieve_export": exports.RetrieveExport,
        "remove_export": exports.RemoveExport,
        # trading
        "add_order": trading.AddOrder,
        "add_order_batch": trading.AddOrderBatch,
        "amend_order": changes.AmendOrder,
        "edit_order": changes.EditOrder,
        "cancel_order": changes.CancelOrder,
        "cancel_all": changes.CancelAll,
        "cancel_all_orders_after": changes.CancelAllOrdersAfter,
        "cancel_order_batch": changes.CancelOrderBatch,
        # WebSocket authentication
        "get_websockets_token": websockets.GetWebSocketsToken,
        # funding
        "deposit_methods": deposits.DepositMethods,
        "deposit_addresses": deposits.DepositAddresses,
        "deposit_status": deposits.DepositStatus,
        "withdraw_methods": withdrawals.WithdrawMethods,
        "withdraw_addresses": withdrawals.WithdrawAddresses,
        "withdraw_info": withdrawals.WithdrawInfo,
        "withdraw": withdrawals.Withdraw,
        "withdraw_status": withdrawals.WithdrawStatus,
        "withdraw_cancel": withdrawals.WithdrawCancel,
        "wallet_transfer": withdrawals.WalletTransfer,
        # subaccounts
        "create_subaccount": subaccounts.CreateSubaccount,
        "account_transfer": subaccounts.AccountTransfer,
        # earn
        "earn_allocate": earn.EarnAllocate,
        "earn_deallocate": earn.EarnDeallocate,
        "earn_allocate_status": earn.EarnAllocateStatus,
        "earn_deallocate_status": earn.EarnDeallocateStatus,
        "earn_strategies": earn.EarnStrategies,
        "earn_allocations": earn.EarnAllocations,
        # Funding Beta
        "funding_beta_fees": beta_methods.FeeQuote,
        "funding_beta_deposit_address_claim": beta_addresses.DepositAddressClaim,
        "funding_beta_addresses_create": beta_addresses.CreateAddress,
        "funding_beta_addresses_list": beta_addresses.ListAddresses,
        "funding_beta_addresses_update": beta_addresses.UpdateAddress,
        "funding_beta_addresses_delete": beta_addresses.DeleteAddress,
        "funding_beta_assets": beta.FundableAssets,
        "funding_beta_deposit_addresses": beta_addresses.DepositAddressesBeta,
        "funding_beta_limits_deposit": beta_limits.DepositLimits,
        "funding_beta_limits_withdrawal": beta_limits.WithdrawalLimits,
        "funding_beta_deposits": beta_transfers.ListDeposits,
        "funding_beta_methods": beta_methods.FundingMethods,
        "funding_beta_networks": beta_methods.Networks,
        "funding_beta_withdrawals_create": beta_transfers.CreateWithdrawal,
        "funding_beta_withdrawals_list": beta_transfers.ListWithdrawals,
    }
)
"""The client's method -> its request type. The names are Kraken's in snake case, except `server_time` for Time."""

_BY_NAME: Final = {request.spec.name: request for request in ENDPOINTS.values()}


def by_name(name: str) -> type[Request[Any]]:
    """Find a request type by Kraken's name of the call.

    >>> by_name("AddOrder").spec.path
    '/0/private/AddOrder'

    Raises:
        KeyError: Kraken has no such call, or this version does not know it.
    """
    return _BY_NAME[name]

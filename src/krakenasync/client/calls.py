"""The table of calls: one row per endpoint. What a call takes and returns is stated by its request type alone."""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, Protocol, Self, TypeVar, cast, overload

import msgspec

from krakenasync.protocol.fields import Names
from krakenasync.protocol.requests import Request, result_type
from krakenasync.protocol.wire import Answer
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
    trading,
    transparency,
    websockets,
    withdrawals,
)
from krakenasync.spot.trades import OHLC, Spread, Trades
from krakenasync.spot.values import PriceClass

__all__ = ["Action", "Calls", "Row"]

P = ParamSpec("P")
B = TypeVar("B")
R = TypeVar("R")


class Sender(Protocol):
    """Anything that can make a call."""

    async def send(self, request: Request[R]) -> Answer[R]:
        """Make a call and return its result with what came along with it."""
        ...


class Action(Generic[P, B, R]):
    """A method made of two things: a type that says what it takes, and a function that does it.

    A type checker sees exactly the type's parameters and the function's result; so does anyone who inspects the method
    with `help` or in a notebook.
    """

    def __init__(self, takes: Callable[P, B], does: Callable[[Any, B], Coroutine[Any, Any, R]]) -> None:
        self.takes = takes
        self._does = does
        self.__doc__ = takes.__doc__
        self.__wrapped__ = takes  # `inspect.getsource` is to show this: the parameters, their meaning and the answer

    def __set_name__(self, owner: type[object], name: str) -> None:
        """Replace this descriptor on the class by a plain function: binding one costs no Python code at each call."""
        method = self._made(name)
        method.__name__, method.__qualname__ = name, f"{owner.__qualname__}.{name}"
        method.__doc__, method.__module__ = self.__doc__, owner.__module__
        # Looked up by `inspect` only: the signatures of all endpoints would take a fifth of the time of importing us.
        method.__wrapped__ = self  # type: ignore[attr-defined]  # functions have it by `functools.wraps`
        method.__annotations__ = {}  # those of the closure are not the method's
        setattr(owner, name, method)

    if TYPE_CHECKING:

        @overload
        def __get__(self, client: None, owner: type[object]) -> Self: ...

        @overload
        def __get__(self, client: Sender, owner: type[object]) -> Callable[P, Coroutine[Any, Any, R]]: ...

        def __get__(self, client: Sender | None, owner: type[object]) -> Self | Callable[P, Coroutine[Any, Any, R]]: ...

    def _made(self, name: str) -> FunctionType:
        takes, does = self.takes, self._does

        async def method(client: Sender, /, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                wanted = takes(*args, **kwargs)
            except TypeError as error:
                wanted = _under_krakens_names(name, takes, error, args, kwargs)
            return await does(client, wanted)

        return cast("FunctionType", method)

    @functools.cached_property
    def __signature__(self) -> inspect.Signature:
        """The method's parameters and result, without what only the wire needs to know."""
        hints = typing.get_type_hints(self.takes)
        taken = inspect.signature(self.takes).parameters.values()
        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        plain = [each.replace(annotation=hints.get(each.name, each.annotation)) for each in taken]
        return inspect.Signature([itself, *plain], return_annotation=self._gives())

    def _gives(self) -> Any:
        return typing.get_type_hints(self._does).get("return", inspect.Signature.empty)


class Row(Action[P, Request[R], R]):
    """One row of the table: ``depth = Row(books.Depth)`` makes ``await kraken.depth("XBTUSD", count=10)``."""

    def __init__(self, request: Callable[P, Request[R]]) -> None:
        super().__init__(request, _result)

    def _made(self, name: str) -> FunctionType:
        takes = self.takes

        async def method(client: Sender, /, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                request = takes(*args, **kwargs)
            except TypeError as error:
                request = _under_krakens_names(name, takes, error, args, kwargs)
            return (await client.send(request)).result  # `_result` without a coroutine of its own

        return cast("FunctionType", method)

    def _gives(self) -> Any:
        return result_type(cast("type[Request[Any]]", self.takes))


async def _result(client: Sender, request: Request[R]) -> R:
    return (await client.send(request)).result


def _under_krakens_names(
    name: str, takes: Callable[..., B], error: TypeError, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> B:
    """Retry arguments that did not fit, as some of Kraken's names are not valid in Python: ``**{"from": ...}``.

    Raises:
        TypeError: The arguments do not fit under those names either.
    """
    ours = {field.encode_name: field.name for field in msgspec.structs.fields(cast("type[msgspec.Struct]", takes))}
    renamed = {ours.get(key, key): value for key, value in kwargs.items()}
    if len(renamed) == len(kwargs) and renamed.keys() != kwargs.keys():
        try:
            return takes(*args, **renamed)
        except TypeError as another:
            error = another
    raise _misfit(name, takes, error) from None


def _misfit(name: str, takes: Callable[..., Any], error: TypeError) -> TypeError:
    """Add the method's name, and a parameter that may have been meant, to Python's error about wrong arguments."""
    said, near = str(error), ""
    if wrong := re.search(r"Unexpected keyword argument '(.*)'", said):
        import difflib  # noqa: PLC0415 - most arguments fit

        close = difflib.get_close_matches(wrong[1], inspect.signature(takes).parameters)
        near = f". Did you mean {' or '.join(close)}?" if close else ""
    elif said.startswith("Extra positional"):
        near = ": give the others by name"
    return TypeError(f"{name}(): {said[:1].lower()}{said[1:]}{near}")


class Calls:
    """Every endpoint as a method with a snake-case name; its parameters have Kraken's own names."""

    async def send(self, request: Request[R]) -> Answer[R]:
        """Make a call and return its result with what came along with it."""
        raise NotImplementedError

    # Market data and transparency
    server_time = Row(market.Time)
    system_status = Row(market.SystemStatus)
    maintenance_schedule = Row(maintenance.MaintenanceSchedule)
    assets = Row(market.Assets)
    asset_pairs = Row(market.AssetPairs)
    ohlc = Row(OHLC)
    depth = Row(books.Depth)
    grouped_book = Row(books.GroupedBook)
    trades = Row(Trades)
    spread = Row(Spread)
    level3 = Row(books.Level3)
    pre_trade = Row(transparency.PreTrade)
    post_trade = Row(transparency.PostTrade)

    async def ticker(
        self,
        *pairs: str | Sequence[str],
        pair: str | Sequence[str] | None = None,
        asset_class: PriceClass | None = None,
        assetVersion: Literal[1] | None = None,  # noqa: N803 - Kraken's spelling
    ) -> dict[str, market.TickerInfo]:
        """Prices of the named pairs, or of every pair, by pair id."""
        given = pairs if pair is None else (*pairs, pair)
        named = ",".join(Names().wire("pair", each) for each in given) or None
        request = market.Ticker(pair=named, asset_class=asset_class, assetVersion=assetVersion)
        return (await self.send(request)).result

    # Account data
    balance = Row(account.Balance)
    balance_ex = Row(account.BalanceEx)
    list_wallet_accounts = Row(account.ListWalletAccounts)
    credit_lines = Row(account.CreditLines)
    trade_balance = Row(account.TradeBalance)
    open_orders = Row(orders.OpenOrders)
    closed_orders = Row(orders.ClosedOrders)
    query_orders = Row(orders.QueryOrders)
    order_amends = Row(orders.OrderAmends)
    trades_history = Row(history.TradesHistory)
    query_trades = Row(history.QueryTrades)
    open_positions = Row(history.OpenPositions)
    ledgers = Row(history.Ledgers)
    query_ledgers = Row(history.QueryLedgers)
    trade_volume = Row(fees.TradeVolume)
    get_api_key_info = Row(account.GetApiKeyInfo)
    add_export = Row(exports.AddExport)
    export_status = Row(exports.ExportStatus)
    retrieve_export = Row(exports.RetrieveExport)
    remove_export = Row(exports.RemoveExport)

    # Trading
    add_order = Row(trading.AddOrder)
    add_order_batch = Row(trading.AddOrderBatch)
    amend_order = Row(changes.AmendOrder)
    edit_order = Row(changes.EditOrder)
    cancel_order = Row(changes.CancelOrder)
    cancel_all = Row(changes.CancelAll)
    cancel_all_orders_after = Row(changes.CancelAllOrdersAfter)
    cancel_order_batch = Row(changes.CancelOrderBatch)

    # WebSocket authentication
    get_websockets_token = Row(websockets.GetWebSocketsToken)

    # Funding
    deposit_methods = Row(deposits.DepositMethods)
    deposit_addresses = Row(deposits.DepositAddresses)
    deposit_status = Row(deposits.DepositStatus)
    withdraw_methods = Row(withdrawals.WithdrawMethods)
    withdraw_addresses = Row(withdrawals.WithdrawAddresses)
    withdraw_info = Row(withdrawals.WithdrawInfo)
    withdraw = Row(withdrawals.Withdraw)
    withdraw_status = Row(withdrawals.WithdrawStatus)
    withdraw_cancel = Row(withdrawals.WithdrawCancel)
    wallet_transfer = Row(withdrawals.WalletTransfer)

    # Subaccounts
    create_subaccount = Row(subaccounts.CreateSubaccount)
    account_transfer = Row(subaccounts.AccountTransfer)

    # Earn
    earn_allocate = Row(earn.EarnAllocate)
    earn_deallocate = Row(earn.EarnDeallocate)
    earn_allocate_status = Row(earn.EarnAllocateStatus)
    earn_deallocate_status = Row(earn.EarnDeallocateStatus)
    earn_strategies = Row(earn.EarnStrategies)
    earn_allocations = Row(earn.EarnAllocations)

    # Funding Beta
    funding_beta_fees = Row(beta_methods.FeeQuote)
    funding_beta_deposit_address_claim = Row(beta_addresses.DepositAddressClaim)
    funding_beta_addresses_create = Row(beta_addresses.CreateAddress)
    funding_beta_addresses_list = Row(beta_addresses.ListAddresses)
    funding_beta_addresses_update = Row(beta_addresses.UpdateAddress)
    funding_beta_addresses_delete = Row(beta_addresses.DeleteAddress)
    funding_beta_assets = Row(beta.FundableAssets)
    funding_beta_deposit_addresses = Row(beta_addresses.DepositAddressesBeta)
    funding_beta_limits_deposit = Row(beta_limits.DepositLimits)
    funding_beta_limits_withdrawal = Row(beta_limits.WithdrawalLimits)
    funding_beta_deposits = Row(beta_transfers.ListDeposits)
    funding_beta_methods = Row(beta_methods.FundingMethods)
    funding_beta_networks = Row(beta_methods.Networks)
    funding_beta_withdrawals_create = Row(beta_transfers.CreateWithdrawal)
    funding_beta_withdrawals_list = Row(beta_transfers.ListWithdrawals)

"""What a type checker sees of the client: checked by ``mypy --strict``, never run.

Each method's exact result is asserted. Each line with an ignore is a mistake that the checker must find: if it no
longer does, the ignore is unused, and that is an error as well.
"""

from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal
from typing import assert_type

from krakenasync import BalanceSnapshot, KrakenClient
from krakenasync.spot.account import ApiKeyInfo, CreditInfo, ExtendedBalance, MarginBalance, WalletAccounts
from krakenasync.spot.beta import AssetOfClass, FundingAssets, Scope
from krakenasync.spot.beta_addresses import (
    ClaimedAddressesPage,
    FundingAddressChanged,
    FundingAddressClaimed,
    FundingAddressDeleted,
    FundingAddressesPage,
    FundingAddressSaved,
)
from krakenasync.spot.beta_limits import FundingDepositLimits, FundingWithdrawalLimits
from krakenasync.spot.beta_methods import FundingFees, FundingMethodsPage, FundingNetworks
from krakenasync.spot.beta_transfers import FundingDepositsPage, FundingWithdrawalCreated, FundingWithdrawalsPage
from krakenasync.spot.books import Book, GroupedBookLevels, Level3Book
from krakenasync.spot.changes import Amended, BatchCancelled, Cancelled, CancelsAt, Edited
from krakenasync.spot.deposits import DepositAddress, DepositMethod, DepositsPage
from krakenasync.spot.earn import EarnAllocationsPage, EarnPending, EarnStrategiesPage
from krakenasync.spot.exports import Export, ExportId, ExportRemoved, ExportReportStatus
from krakenasync.spot.fees import PairOfClass, VolumeAndFees
from krakenasync.spot.history import LedgerEntry, LedgersPage, Positions, Trade, TradesPage
from krakenasync.spot.maintenance import Incident, Schedule
from krakenasync.spot.market import AssetInfo, AssetPair, ServerTime, Status, TickerInfo
from krakenasync.spot.orders import AmendHistory, ClosedOrdersPage, OpenOrdersBook, OrderInfo
from krakenasync.spot.subaccounts import Transferred
from krakenasync.spot.trades import CandleTable, SpreadTable, TradeTable
from krakenasync.spot.trading import BatchPlaced, Close, Order, OrderPlaced
from krakenasync.spot.transparency import PostTrades, PreTradeBook
from krakenasync.spot.websockets import WebSocketsToken
from krakenasync.spot.withdrawals import (
    Reference,
    WithdrawalAddress,
    WithdrawalMethod,
    WithdrawalQuote,
    WithdrawalsPage,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)


async def market_data(kraken: KrakenClient) -> None:
    """Public calls, and the one private one among them."""
    assert_type(await kraken.server_time(), ServerTime)
    assert_type(await kraken.system_status(), Status)
    assert_type(await kraken.maintenance_schedule(), Schedule)
    assert_type((await kraken.system_status()).emergency, list[Incident])
    assert_type(await kraken.assets(asset=["XBT", "ETH"], assetVersion=1), dict[str, AssetInfo])
    assert_type(await kraken.asset_pairs("XBTUSD", info="fees"), dict[str, AssetPair])
    assert_type(await kraken.ticker("XBTUSD", "ETHUSD"), dict[str, TickerInfo])
    assert_type((await kraken.ticker("XBTUSD"))["XXBTZUSD"].ask.price, Decimal)
    assert_type(await kraken.ohlc("XBTUSD", interval=60, since=NOW), CandleTable)
    assert_type(await kraken.depth("XBTUSD", count=10), Book)
    assert_type(await kraken.grouped_book("BTC/USD", depth=10, grouping=5), GroupedBookLevels)
    assert_type(await kraken.trades("XBTUSD", since="1700000000000000000", count=10), TradeTable)
    assert_type(await kraken.spread("XBTUSD", since=NOW), SpreadTable)
    assert_type(await kraken.level3("BTC/USD", depth=0), Level3Book)
    assert_type(await kraken.pre_trade("BTC/USD"), PreTradeBook)
    assert_type(await kraken.post_trade("BTC/USD", from_ts=NOW, count=10), PostTrades)


async def account_data(kraken: KrakenClient) -> None:
    """Balances, history, reports."""
    assert_type(await kraken.balance(), dict[str, Decimal])
    assert_type(await kraken.balance_ex(rebase_multiplier="base"), dict[str, ExtendedBalance])
    assert_type(await kraken.list_wallet_accounts(), WalletAccounts)
    assert_type(await kraken.credit_lines(), CreditInfo | None)
    assert_type(await kraken.trade_balance(asset="ZEUR"), MarginBalance)
    assert_type(await kraken.open_orders(trades=True, userref=7), OpenOrdersBook)
    assert_type(await kraken.closed_orders(start=NOW, closetime="close", without_count=True), ClosedOrdersPage)
    assert_type(await kraken.query_orders(["O1", "O2"]), dict[str, OrderInfo])
    assert_type(await kraken.order_amends("O1"), AmendHistory)
    assert_type(await kraken.trades_history(type="no position", start=NOW, ofs=50, ledgers=True), TradesPage)
    assert_type(await kraken.query_trades("T1"), dict[str, Trade])
    assert_type(await kraken.open_positions(docalcs=True), Positions)
    assert_type(await kraken.ledgers(asset=["XBT"], type="deposit", end="L1"), LedgersPage)
    assert_type(await kraken.query_ledgers(["L1"]), dict[str, LedgerEntry])
    assert_type(await kraken.trade_volume(pair=["XBTUSD"], fee_schedule=True), VolumeAndFees)
    assert_type(
        await kraken.trade_volume(pair=[PairOfClass(asset="AAPLxUSD", aclass="tokenized_asset")]), VolumeAndFees
    )
    assert_type(await kraken.get_api_key_info(), ApiKeyInfo)
    assert_type(await kraken.add_export(report="trades", description="mine", fields=["price", "vol"]), ExportId)
    assert_type(await kraken.export_status("trades"), list[ExportReportStatus])
    assert_type(await kraken.retrieve_export("ABCD"), Export)
    assert_type([*(await kraken.retrieve_export("ABCD")).rows()], list[dict[str, str]])
    assert_type(await kraken.remove_export("ABCD", type="delete"), ExportRemoved)
    assert_type(await kraken.get_websockets_token(), WebSocketsToken)


async def trading(kraken: KrakenClient) -> None:
    """Orders."""
    close = Close(ordertype="limit", price="+5%")
    order = Order(type="buy", ordertype="limit", volume=Decimal("0.1"), price="30000", close=close)
    placed = await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="0.1", validate=True)
    assert_type(placed, OrderPlaced)
    assert_type(await kraken.add_order_batch(pair="XBTUSD", orders=[order, order]), BatchPlaced)
    assert_type(await kraken.amend_order(txid="O1", limit_price=Decimal(30000)), Amended)
    assert_type(await kraken.edit_order(txid="O1", pair="XBTUSD", price=30000), Edited)
    assert_type(await kraken.cancel_order(txid="O1"), Cancelled)
    assert_type(await kraken.cancel_order(cl_ord_id="mine"), Cancelled)
    assert_type(await kraken.cancel_all(), Cancelled)
    assert_type(await kraken.cancel_all_orders_after(60), CancelsAt)
    assert_type(await kraken.cancel_order_batch(["O1", 7]), BatchCancelled)


async def funding(kraken: KrakenClient) -> None:
    """Deposits, withdrawals, transfers."""
    assert_type(await kraken.deposit_methods("XBT"), list[DepositMethod])
    assert_type(await kraken.deposit_addresses(asset="XBT", method="Bitcoin", new=True), list[DepositAddress])
    assert_type(await kraken.deposit_status(cursor=True, limit=10), DepositsPage)
    assert_type(await kraken.withdraw_methods(network="Bitcoin"), list[WithdrawalMethod])
    assert_type(await kraken.withdraw_addresses(verified=True), list[WithdrawalAddress])
    assert_type(await kraken.withdraw_info(asset="XBT", key="cold", amount="0.1"), WithdrawalQuote)
    assert_type(await kraken.withdraw(asset="XBT", key="cold", amount=Decimal("0.1"), max_fee="0.001"), Reference)
    assert_type(await kraken.withdraw_status(start=NOW), WithdrawalsPage)
    assert_type(await kraken.withdraw_cancel(asset="XBT", refid="F1"), bool)
    there = await kraken.wallet_transfer(asset="XBT", from_="Spot Wallet", to="Futures Wallet", amount=1)
    assert_type(there, Reference)
    assert_type(await kraken.create_subaccount(username="savings", email="me@example.com"), bool)
    between = await kraken.account_transfer(asset="XBT", amount="1", from_="AA01 N84G", to="AA02 N84G")
    assert_type(between, Transferred)


async def earn(kraken: KrakenClient) -> None:
    """Allocations."""
    assert_type(await kraken.earn_allocate(amount="1", strategy_id="ES1"), bool | None)
    assert_type(await kraken.earn_deallocate(amount="1", strategy_id="ES1"), bool | None)
    assert_type(await kraken.earn_allocate_status("ES1"), EarnPending | None)
    assert_type(await kraken.earn_deallocate_status("ES1"), EarnPending | None)
    assert_type(await kraken.earn_strategies(lock_type=["bonded"]), EarnStrategiesPage | None)
    assert_type(await kraken.earn_allocations(hide_zero_allocations=True), EarnAllocationsPage | None)


async def funding_beta(kraken: KrakenClient) -> None:
    """The newer surface: answers without an envelope, typed all the same."""
    asset, method = AssetOfClass(name="BTC", asset_class="currency"), Scope(method_id="m")
    assert_type(await kraken.funding_beta_fees(method_id="m", amount="1", withdrawal_fee_token="t"), FundingFees)
    assert_type(await kraken.funding_beta_deposit_address_claim(method_id="m"), FundingAddressClaimed)
    details = {"crypto": {"address": "bc1q"}}
    saved = await kraken.funding_beta_addresses_create(scope=method, address_details=details, name="cold")
    assert_type(saved, FundingAddressSaved)
    assert_type(await kraken.funding_beta_addresses_list(cursor="c"), FundingAddressesPage)
    assert_type(await kraken.funding_beta_addresses_update(id="a", name="colder"), FundingAddressChanged)
    assert_type(await kraken.funding_beta_addresses_delete(id="a"), FundingAddressDeleted)
    assert_type(await kraken.funding_beta_assets(direction="withdraw"), FundingAssets)
    assert_type(await kraken.funding_beta_deposit_addresses(scope=method), ClaimedAddressesPage)
    assert_type(await kraken.funding_beta_limits_deposit(asset_class="currency", asset="BTC"), FundingDepositLimits)
    left = await kraken.funding_beta_limits_withdrawal(asset_class="currency", asset="BTC")
    assert_type(left, FundingWithdrawalLimits)
    assert_type(await kraken.funding_beta_deposits(asset=asset, start_time=NOW, limit=10), FundingDepositsPage)
    methods = await kraken.funding_beta_methods(direction="deposit", asset=AssetOfClass(asset_class="currency"))
    assert_type(methods, FundingMethodsPage)
    assert_type(await kraken.funding_beta_networks(), FundingNetworks)
    sent = await kraken.funding_beta_withdrawals_create(scope=method, address_id="a", amount={})
    assert_type(sent, FundingWithdrawalCreated)
    assert_type(sent.net_amount.asset_amount.amount, Decimal)
    assert_type(await kraken.funding_beta_withdrawals_list(status="pending"), FundingWithdrawalsPage)


async def beside_the_table(kraken: KrakenClient) -> None:
    """What is more than one endpoint, or none."""
    async for snapshot in kraken.poll_balances(every=5.0):
        assert_type(snapshot, BalanceSnapshot)
    async with aclosing(kraken.poll_balances()) as snapshots:
        assert_type(await anext(snapshots), BalanceSnapshot)
    assert_type(kraken.with_options(timeout=5), KrakenClient)
    assert_type(kraken.with_options(timeout=5, max_attempts=2, lane="urgent", max_age=None), KrakenClient)


async def mistakes(kraken: KrakenClient) -> None:
    """What must not pass a type checker."""
    kraken.with_options(max_attemps=3)  # type: ignore[call-arg]  # misspelled
    kraken.with_options(timeout="5")  # type: ignore[arg-type]  # seconds, not text
    kraken.with_options(lane="urgnet")  # type: ignore[arg-type]  # misspelled
    await kraken.balance(asset="XBT")  # type: ignore[call-arg]  # there is no such parameter
    await kraken.depth()  # type: ignore[call-arg]  # the pair is needed
    await kraken.depth("XBTUSD", count="10")  # type: ignore[arg-type]  # a number is meant
    await kraken.withdraw(asset="XBT", key="cold", amount=0.1)  # type: ignore[arg-type]  # money is never a float
    await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market")  # type: ignore[call-arg]  # no volume
    await kraken.trade_balance(asset=7)  # type: ignore[arg-type]  # a name is meant

"""Every call of the catalogue, made by the client, answered by the sandbox, read into its type. In virtual time."""

from __future__ import annotations

from decimal import Decimal
from types import UnionType
from typing import get_args, get_origin

import anyio
import pytest

from krakenasync.protocol.requests import result_type
from krakenasync.sandbox import SandboxConfig
from krakenasync.sandbox.funding import METHODS
from krakenasync.spot.catalog import ENDPOINTS
from krakenasync.spot.trading import Order
from krakenasync.testing import in_process, run

BITCOIN = "Bitcoin"
DOT = "ESRFUO3-Q62XD-WIOIL7"
LOW = {"type": "buy", "ordertype": "limit", "price": "20000", "volume": Decimal("0.01")}


class Visit:
    """One visit to the exchange; each method calls one part of the catalogue and keeps what came back."""

    def __init__(self, kraken):
        self.kraken = kraken
        self.results = {}

    async def call(self, name, /, *args, **params):
        self.results[name] = await getattr(self.kraken, name)(*args, **params)
        return self.results[name]

    async def order(self):
        return (await self.kraken.add_order(pair="XBTUSD", **LOW)).txid[0]

    async def market_data(self):
        for method in ("server_time", "system_status", "maintenance_schedule", "assets", "asset_pairs"):
            await self.call(method)
        for method in ("ticker", "ohlc", "depth", "trades", "spread"):
            await self.call(method, "XBTUSD")
        for method in ("grouped_book", "level3", "pre_trade", "post_trade"):
            await self.call(method, "BTC/USD")

    async def trading(self):
        txid = (await self.call("add_order", pair="XBTUSD", **LOW)).txid[0]
        await self.call("amend_order", txid=txid, order_qty="0.02")
        edited = await self.call("edit_order", txid=txid, pair="XBTUSD", volume="0.03")
        await self.call("query_orders", [edited.txid])
        await self.call("order_amends", edited.txid)
        await self.call("cancel_order", txid=edited.txid)
        batch = [Order(**LOW), Order(**{**LOW, "price": "21000"})]
        placed = await self.call("add_order_batch", pair="XBTUSD", orders=batch)
        await self.call("cancel_order_batch", [item.txid for item in placed.orders])
        await self.call("cancel_all_orders_after", 60)
        await self.kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="0.1")
        await self.order()
        await self.call("open_orders", trades=True)
        await self.call("closed_orders")
        await self.call("cancel_all")

    async def account(self):
        for method in ("balance", "balance_ex", "credit_lines", "trade_balance", "open_positions", "get_api_key_info"):
            await self.call(method)
        await self.call("list_wallet_accounts")
        await self.call("get_websockets_token")
        await self.call("trade_volume", pair=["XBTUSD"], fee_schedule=True)
        trades = await self.call("trades_history", ledgers=True)
        await self.call("query_trades", list(trades.trades))
        lines = await self.call("ledgers")
        await self.call("query_ledgers", list(lines.ledger))

    async def exports(self):
        report = (await self.call("add_export", report="ledgers", description="all")).id
        await self.call("export_status", "ledgers")
        await anyio.sleep(60)
        await self.call("retrieve_export", report)
        await self.call("remove_export", report, type="delete")

    async def funding(self):
        await self.call("deposit_methods", "XBT")
        await self.call("deposit_addresses", asset="XBT", method=BITCOIN, new=True)
        await self.call("deposit_status", cursor=True)
        await self.call("withdraw_methods", asset="XBT")
        address = (await self.call("withdraw_addresses", asset="XBT", method=BITCOIN))[0]
        await self.call("withdraw_info", asset="XBT", key=address.key, amount="0.5")
        leaving = await self.call("withdraw", asset="XBT", key=address.key, amount="0.5", max_fee="0.001")
        await self.call("withdraw_status", asset="XBT")
        await self.call("withdraw_cancel", asset="XBT", refid=leaving.refid)
        there = {"from_": "Spot Wallet", "to": "Futures Wallet"}
        await self.call("wallet_transfer", asset="XBT", amount="0.1", **there)

    async def subaccounts(self):
        await self.call("create_subaccount", username="alice-savings", email="alice@example.com")
        (savings,) = (await self.kraken.trade_volume()).volume_subaccounts
        own = (await self.kraken.get_api_key_info()).iban
        await self.call("account_transfer", asset="XBT", amount="0.1", from_=own, to=savings.iiban)

    async def earn(self, world):
        way = next(method for method in METHODS if method.asset == "DOT")
        world.treasury.deposits.send(world.accounts["alice"], way, Decimal(100), world.clock.wall_ns())
        await anyio.sleep(600)
        await self.call("earn_strategies")
        await self.call("earn_allocate", amount="50", strategy_id=DOT)
        await self.call("earn_allocate_status", DOT)
        await anyio.sleep(60)
        await self.call("earn_deallocate", amount="20", strategy_id=DOT)
        await self.call("earn_deallocate_status", DOT)
        await self.call("earn_allocations")

    async def funding_beta(self):
        for way in ("assets", "methods"):
            await self.call(f"funding_beta_{way}", direction="withdraw")
        for method in ("networks", "deposit_addresses", "deposits", "withdrawals_list", "addresses_list"):
            await self.call(f"funding_beta_{method}")
        for way in ("deposit", "withdrawal"):
            await self.call(f"funding_beta_limits_{way}", asset_class="currency", asset="BTC")
        method = self.results["funding_beta_methods"].methods[0]
        scope = {"method_id": method.method_id}
        await self.call("funding_beta_deposit_address_claim", method_id=method.method_id)
        quote = await self.call("funding_beta_fees", method_id=method.method_id, amount="0.5")
        saved = await self.call(
            "funding_beta_addresses_create",
            scope=scope,
            address_details={"crypto": {"address": "bc1qnew"}},
            name="new",
        )
        await self.call("funding_beta_addresses_update", id=saved.address_id, name="newer")
        amount = {"asset_amount": {"asset": {"class": "currency", "name": "BTC"}, "amount": "0.5"}}
        fee = {"fee_included": False, "quoted_fee": {"token": quote.withdrawal_fee_token}}
        await self.call(
            "funding_beta_withdrawals_create",
            scope=scope,
            address_id=saved.address_id,
            amount=amount,
            fee=fee,
            expected_address="bc1qnew",
        )
        await self.call("funding_beta_addresses_delete", id=saved.address_id)


async def visit_all(clock):
    served = in_process(SandboxConfig(tier="pro"), clock=clock)
    async with served.client() as kraken:
        visit = Visit(kraken)
        await visit.market_data()
        await visit.trading()
        await visit.account()
        await visit.exports()
        await visit.funding()
        await visit.subaccounts()
        await visit.earn(served.sandbox)
        await visit.funding_beta()
        return visit.results, served.stats


@pytest.fixture(scope="module")
def visited():
    """Call every endpoint once, in order, on one account."""
    return run(visit_all)


@pytest.mark.parametrize("method", ENDPOINTS)
def test_every_endpoint_gives_its_typed_result(visited, method):
    """The sandbox has a handler with state behind it, the client a row, and the answer is of the promised type."""
    results, _stats = visited

    assert is_a(results[method], result_type(ENDPOINTS[method]))


def is_a(value, expected):
    """Whether a value is of a type such as ``dict[str, Decimal]`` or ``CreditInfo | None``, to its innermost part."""
    inner = get_args(expected)
    if isinstance(expected, UnionType):
        return any(is_a(value, each) for each in inner)
    if get_origin(expected) is dict:
        return all(is_a(key, inner[0]) and is_a(item, inner[1]) for key, item in value.items())
    if get_origin(expected) is list:
        return all(is_a(item, inner[0]) for item in value)
    return isinstance(value, expected)


def test_no_call_was_refused(visited):
    """A visit with sensible arguments, in a limiter's pace, is refused nothing."""
    assert not visited[1].refused


def test_money_that_moved_can_be_seen(visited):
    """State stands behind the answers: what was bought, withdrawn, transferred and allocated shows elsewhere."""
    results, _stats = visited

    assert {line.type for line in results["ledgers"].ledger.values()} == {"trade"}
    assert list(results["retrieve_export"].rows())
    assert results["withdraw_cancel"] is True
    assert results["earn_deallocate_status"].pending
    assert results["earn_allocations"].items[0].amount_allocated.total.native == 50

"""What a program has set for its own Decimals changes nothing here, neither in the client nor in the sandbox."""

from datetime import UTC, datetime, timedelta
from decimal import Clamped, Context, Decimal, FloatOperation, Inexact, Rounded, localcontext

import pytest

from krakenasync import InvalidArguments, RetryPolicy
from krakenasync.client.polling import changes
from krakenasync.protocol.moments import Instant
from krakenasync.sandbox import SandboxConfig
from krakenasync.spot.account import ExtendedBalance
from krakenasync.spot.trading import AddOrder
from krakenasync.testing import in_process, run

COARSE = Context(prec=3, Emin=-3, Emax=3, traps=[Inexact, Rounded, Clamped, FloatOperation])
"""Anything that is reckoned in it is wrong, or raises; and what is no number is no error."""
ONCE = RetryPolicy(attempts=1)


async def trade(kraken, sandbox):
    """Do what has to do with amounts, prices and moments, and return all that is told of it."""
    began = datetime.fromtimestamp(sandbox.clock.wall_ns() // 10**9, UTC) - timedelta(microseconds=1)
    btc = (await kraken.names()).pair("XBT/USD")
    price, volume = btc.quantize_price("29876.54321"), btc.quantize_volume("0.123456789123")
    told = [btc.price_step, btc.tick_size, price, volume, btc.check(volume, price), btc.check("0.000000001", "0.01")]
    sandbox.faults.add("AddOrder", "answer-lost-after")
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "cl_ord_id": "mine"}
    placed = await kraken.place_order(**order, volume=volume, price=price)
    told += [placed.txid, (await kraken.open_orders()).open, await kraken.balance_ex()]
    await kraken.amend_order(txid=placed.txid, order_qty="0.12345670", limit_price="29876.5")
    told.append((await kraken.order_amends(placed.txid)).amends)
    await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="0.33333333")
    await kraken.add_order(pair="ETHUSD", type="sell", ordertype="trailing-stop", volume="1.23456789", price="+3.3333%")
    sandbox.advance(3600)
    told.append([row async for row in kraken.iter_ledgers(start=began)])
    told.append([row async for row in kraken.iter_trades_history(start=began)])
    told.append([row async for row in kraken.iter_trades("XBTUSD", since=began)][:50])
    told += [(await kraken.ohlc("XBTUSD")).candles[-5:], await kraken.trade_balance(), await kraken.trade_volume()]
    told.append({asset: each.available for asset, each in (await kraken.balance_ex()).items()})
    return [repr(each) for each in told]


def play():
    async def main(clock):
        running = in_process(SandboxConfig(limits=False), clock=clock)
        async with running.client(retry=ONCE) as kraken:
            return await trade(kraken, running.sandbox)

    return run(main)


def test_a_coarse_context_changes_nothing():
    """The same orders, fills, fees, ledgers and moments to the last digit, and nothing raised."""
    usual = play()
    with localcontext(COARSE):
        assert play() == usual


@pytest.mark.parametrize("micros", [1, 1_700_000_000_250_000, 1_700_000_000_000_000, 1_733_333_333_123_456])
def test_moments_keep_their_microseconds(micros):
    """A datetime has sixteen digits of them."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    usual = Instant().wire("start", moment)
    with localcontext(COARSE):
        assert Instant().wire("start", moment) == usual


def test_sums_are_exact():
    """Of balances, and of what changed in them."""
    mine = ExtendedBalance(balance=Decimal("123456.7891"), hold_trade=Decimal("0.0001"), credit=Decimal("0.00000001"))
    with localcontext(COARSE):
        assert mine.available == Decimal("123456.78900001")
        assert changes({"XXBT": Decimal("1.23456789")}, {"XXBT": Decimal("1.23456788")}) == {
            "XXBT": Decimal("-0.00000001")
        }


def test_bounds_are_exact():
    """An iceberg that shows a fifteenth is one, and what is hardly less is none."""
    wanted = {"pair": "XBTUSD", "type": "buy", "ordertype": "iceberg", "volume": "0.12345690", "price": "30000"}
    with localcontext(COARSE):
        AddOrder(**wanted, displayvol="0.00823046").params()
        with pytest.raises(InvalidArguments, match="displayvol"):
            AddOrder(**wanted, displayvol="0.00823045").params()
        with pytest.raises(InvalidArguments, match="volume"):
            AddOrder(**wanted | {"volume": "one"}).params()

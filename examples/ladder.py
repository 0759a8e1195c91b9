"""Keep a ladder of buy orders below the market, which Kraken cancels if this program dies.

    KRAKEN_API_KEY=... KRAKEN_API_SECRET=... python examples/ladder.py

The key needs "Query open orders & trades", "Query closed orders & trades", "Create & modify orders" and "Cancel & close
orders". This spends real money if the orders are filled.
"""
# ruff: noqa: INP001, T201 - a program to read and run: no package, and it prints

import asyncio
from contextlib import suppress
from decimal import Decimal

from krakenasync import KrakenClient, PlacedOrder

PAIR = "BTC/USD"
STEP = Decimal("0.01")
"""The distance between two rungs, as a fraction of the price."""


async def build(kraken: KrakenClient, volume: Decimal, rungs: int) -> list[PlacedOrder]:
    """Place the orders from the top down, each exactly once."""
    pair = (await kraken.names()).pair(PAIR)
    bid = (await kraken.ticker_of(PAIR))[PAIR].bid.price
    placed = []
    for rung in range(1, rungs + 1):
        price = pair.quantize_price(bid * (1 - STEP * rung))
        order = await kraken.place_order(
            pair=pair.id, type="buy", ordertype="limit", price=price, volume=pair.quantize_volume(volume)
        )
        print(f"{order.txid}: buy {volume} at {price}", flush=True)
        placed.append(order)
    return placed


async def hold(kraken: KrakenClient, *, seconds: float, volume: Decimal = Decimal("0.001"), rungs: int = 5) -> None:
    """Keep the ladder for a while, then cancel it and print what was filled."""
    async with kraken.dead_man_switch(timeout=60):
        placed = await build(kraken, volume, rungs)
        await asyncio.sleep(seconds)
        for order in placed:
            ended = await kraken.ensure_cancelled(txid=order.txid)
            print(f"{order.txid}: {ended.status}, {ended.vol_exec:f} filled", flush=True)


async def main() -> None:
    """Keep a ladder for an hour on the account that the environment names."""
    async with KrakenClient.from_env() as kraken:
        await hold(kraken, seconds=3600)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # the switch stays armed: Kraken cancels the orders within a minute
        asyncio.run(main())

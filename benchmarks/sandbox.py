"""How many orders does the sandbox's exchange match in a second, and what does idle time cost it?"""

from __future__ import annotations

import argparse
import random
import time
from decimal import Decimal
from urllib.parse import urlencode

from _bench import headline, middle, table
from krakenasync.protocol.signing import sign
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox import Sandbox, SandboxConfig
from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.calls import Call
from krakenasync.sandbox.endpoints.ordering import read_order
from krakenasync.sandbox.exchange import Exchange
from krakenasync.sandbox.listings import PAIRS
from krakenasync.sandbox.market import Market
from krakenasync.testing import VirtualClock

PLENTY = {"ZUSD": "1e9", "XXBT": "1e6", "ADA": "1e9", "XXDG": "1e9", "SOL": "1e6", "XETH": "1e6", "BCH": "1e6"} | {
    "ZEUR": "1e9",
    "USDT": "1e9",
}
XBTUSD = PAIRS["XXBTZUSD"]
RESTING = 50


def new_exchange() -> tuple[Exchange, list[Account], VirtualClock]:
    """Open an exchange with two rich accounts."""
    clock = VirtualClock()
    accounts = {name: Account(name, Tier.PRO, PLENTY) for name in ("ann", "ben")}
    return Exchange(accounts, Market(0), clock, random.Random(0)), list(accounts.values()), clock


def order(exchange: Exchange, kind: str, side: str, price: str, volume: str = "0.001"):
    """Read an order as a handler would."""
    given = {"type": side, "ordertype": kind, "price": price, "volume": volume}
    return read_order(Arguments(given), XBTUSD, exchange.pit(XBTUSD).last, exchange.now())


def place_and_cancel(exchange: Exchange, accounts: list[Account], _clock: VirtualClock, number: int) -> None:
    """Place one order that rests, and cancel it."""
    account = accounts[number % 2]
    placed = exchange.place(account, order(exchange, "limit", "buy", f"{60000 + number % 500}"))
    exchange.cancel(account, [placed])


def cross(exchange: Exchange, accounts: list[Account], _clock: VirtualClock, number: int) -> None:
    """Let one account's order rest inside the spread, or at the best price, and the other account take it."""
    pit = exchange.pit(XBTUSD)
    bid, ask = pit.best(buy=True), pit.best(buy=False)
    assert bid is not None
    assert ask is not None
    price = max(bid, ask - XBTUSD.tick_size)
    exchange.place(accounts[number % 2], order(exchange, "limit", "buy", f"{price:f}"))
    exchange.place(accounts[1 - number % 2], order(exchange, "limit", "sell", f"{price:f}"))


def take(exchange: Exchange, accounts: list[Account], clock: VirtualClock, number: int) -> None:
    """Place a market order against the market maker, which makes new offers every fifteen seconds."""
    if number % 20 == 0:
        clock.advance(15)
        exchange.settle()
    exchange.place(accounts[0], order(exchange, "market", "buy" if number % 2 else "sell", "0"))


def per_second(act, orders_each: int, count: int) -> float:
    """Measure orders per second, with fifty others resting on either side."""
    exchange, accounts, clock = new_exchange()
    for place in range(RESTING):
        exchange.place(accounts[place % 2], order(exchange, "limit", "buy", f"{50000 + place}"))
        exchange.place(accounts[place % 2], order(exchange, "limit", "sell", f"{90000 + place}"))
    began = time.perf_counter()
    for number in range(count):
        act(exchange, accounts, clock, number)
    return count * orders_each / (time.perf_counter() - began)


def answered_per_second(count: int) -> float:
    """Measure signed AddOrder calls per second, from the bytes of the request to the bytes of the answer."""
    sandbox = Sandbox(SandboxConfig(limits=False), VirtualClock())
    key = sandbox.keys["erin"]
    calls = []
    for nonce in range(1, count + 1):
        side = "buy" if nonce % 2 else "sell"
        given = {"nonce": nonce, "pair": "XBTUSD", "type": side, "ordertype": "market", "volume": "0.001"}
        body, path = urlencode(given).encode(), "/0/private/AddOrder"
        headers = {
            b"api-key": key.api_key.encode(),
            b"api-sign": sign(key.secret, path, str(nonce), body).encode(),
            b"content-type": b"application/x-www-form-urlencoded",
        }
        calls.append(Call("POST", path, "", headers, body, "127.0.0.1", sandbox.clock.wall_ns()))
    began = time.perf_counter()
    for call in calls:
        reply = sandbox._gateway.answer(call)  # noqa: SLF001 - the path without the web framework
    elapsed = time.perf_counter() - began
    assert b"txid" in reply.body, reply
    return count / elapsed


def idle_seconds(hours: float) -> float:
    """Measure the CPU time of catching up after idle hours, with an order out of reach on each side of every pair."""
    exchange, accounts, clock = new_exchange()
    for pair in PAIRS.values():
        last = exchange.pit(pair).last
        volume = max(Decimal(pair.ordermin), Decimal(pair.costmin) * 20 / last).quantize(Decimal("0.0001")) * 10
        for side, price in (("buy", "-70%"), ("sell", "+70%")):
            given = {"type": side, "ordertype": "limit", "price": price, "volume": str(volume)}
            exchange.place(accounts[0], read_order(Arguments(given), pair, last, exchange.now()))
    clock.advance(hours * 3600)
    began = time.process_time()
    exchange.settle()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=3)
    settings = parser.parse_args()
    headline("How many orders does the sandbox match in a second?", "a hundred orders rest out of reach")
    rows = [
        (name, f"{middle([per_second(act, orders, settings.orders) for _ in range(settings.runs)]):,.0f}")
        for name, act, orders in (
            ("limit, placed and cancelled", place_and_cancel, 1),
            ("limit, two accounts meet", cross, 2),
            ("market, against the maker", take, 1),
        )
    ]
    answered = middle([answered_per_second(settings.orders) for _ in range(settings.runs)])
    table(("orders", "per second"), [*rows, ("market, signed call to answer", f"{answered:,.0f}")])
    print("\nOrders on both sides of all 13 pairs while nobody looks:\n")
    idle = [(f"{hours} h", f"{idle_seconds(hours):.3f}") for hours in (1, 8, 24, 24 * 365)]
    table(("idle for", "CPU seconds to catch up"), idle)


if __name__ == "__main__":
    main()

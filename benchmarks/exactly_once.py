"""How many orders are doubled or lost when calls fail, and what does it cost to prevent that?

python benchmarks/exactly_once.py                in virtual time, then over sockets on this machine (a minute)
python benchmarks/exactly_once.py --virtual      in virtual time only
"""

from __future__ import annotations

import argparse
import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx

from _bench import headline, table
from krakenasync import DuplicateClientOrderId, KrakenClient, KrakenError, OutcomeUnknown, RetryPolicy
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import KrakenSandbox, in_process, run, serving

SENDS = 3
AT_ONCE = 20
ALIVE = 70.0
"""Seconds after which no request can become an order any more."""
WINDOW = 60_000
"""A nonce window in milliseconds: without one, each later call would make Kraken refuse a delayed request."""

# fault -> seconds it is held up; those of 2 to 5 arrive within their deadline, after the client gave up on them
FAULTS = {
    "answer-lost-before": 0.0,
    "answer-lost-after": 0.0,
    "502-before": 0.0,
    "502-after": 0.0,
    "EService:Busy-before": 0.0,
    "EService:Busy-after": 0.0,
    "EService:Deadline elapsed-before": 0.0,
    "EService:Deadline elapsed-after": 0.0,
    "truncated-json": 0.0,
    "delayed-before": 2.5,
    "delayed": 4.5,
    "delayed-after": 6.0,
}

Order = dict[str, Any]
Place = Callable[[KrakenClient, Order], Awaitable[str | None]]
"""Places an order and returns its txid, or None if there certainly is none. Raises OutcomeUnknown in doubt."""


async def blind(kraken: KrakenClient, order: Order) -> str | None:
    """Send again whatever was not answered."""
    for _ in range(SENDS):
        try:
            return (await kraken.add_order(**order)).txid[0]
        except OutcomeUnknown:
            continue
        except DuplicateClientOrderId:
            return await _open(kraken, order["cl_ord_id"])
        except KrakenError:
            return None
    return None


async def blind_without_id(kraken: KrakenClient, order: Order) -> str | None:
    """The same, as most scripts do it: the order has no id of its own, only a tag by which it is counted."""
    return await blind(kraken, {**order, "cl_ord_id": None, "userref": int(uuid.UUID(order["cl_ord_id"])) % 2**31})


async def look_first(kraken: KrakenClient, order: Order) -> str | None:
    """Look among the open orders before sending again."""
    for _ in range(SENDS):
        try:
            return (await kraken.add_order(**order)).txid[0]
        except (OutcomeUnknown, DuplicateClientOrderId):
            if found := await _open(kraken, order["cl_ord_id"]):
                return found
        except KrakenError:
            return None
    return None


async def ours(kraken: KrakenClient, order: Order) -> str | None:
    """place_order."""
    try:
        return (await kraken.place_order(**order)).txid
    except OutcomeUnknown:
        raise
    except KrakenError:
        return None


async def ours_in_a_hurry(kraken: KrakenClient, order: Order) -> str | None:
    """place_order with the shortest deadline."""
    return await ours(kraken, {**order, "deadline": 3.0})


async def _open(kraken: KrakenClient, cl_ord_id: str) -> str | None:
    try:
        return next(iter((await kraken.open_orders(cl_ord_id=cl_ord_id)).open), None)
    except KrakenError:
        return None


WAYS: dict[str, Place] = {
    "blind resend, no id": blind_without_id,
    "blind resend, cl_ord_id": blind,
    "look in open orders, then resend": look_first,
    "place_order": ours,
    "place_order, deadline=3": ours_in_a_hurry,
}


@dataclass
class Tally:
    """The reports, compared with the exchange's own books."""

    reports: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    lost: int = 0
    made_up: int = 0
    seconds: list[float] = field(default_factory=list)

    def judge(self, report: str, txid: str | None, there: list[str]) -> None:
        """Compare one report with the orders that are there."""
        self.reports[report] += 1
        self.duplicates += max(0, len(there) - 1)
        self.lost += report == "none" and bool(there)
        self.made_up += report == "placed" and txid not in there

    def add(self, other: Tally) -> None:
        """Add the counts of another tally."""
        self.reports.update(other.reports)
        self.duplicates += other.duplicates
        self.lost += other.lost
        self.made_up += other.made_up
        self.seconds += other.seconds


class Detached(httpx.AsyncBaseTransport):
    """Carries requests into the sandbox; one whose caller gives up goes on, as on a real network."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app)
        self._under_way: set[asyncio.Task[httpx.Response]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand over a request and wait for its answer, but leave it running when cancelled."""
        await request.aread()
        task = asyncio.create_task(self._inner.handle_async_request(request))
        self._under_way.add(task)
        task.add_done_callback(lambda done: (self._under_way.discard(done), done.exception()))
        return await asyncio.shield(task)


def trouble(exchange: KrakenSandbox, rate: float, *, pace: float = 1.0) -> None:
    """Let this share of the calls about orders meet a fault, all faults being equally likely."""
    each = rate / len(FAULTS)
    for endpoint in ("AddOrder", "OpenOrders", "ClosedOrders"):
        for number, (fault, seconds) in enumerate(FAULTS.items()):
            chance = each / (1 - number * each)
            exchange.faults.add(endpoint, fault, times=None, probability=chance, seconds=seconds * pace)


def an_order(chance: random.Random) -> Order:
    """Draw an order: half are market, half limit; of the limit orders half rest and half trade at once."""
    side = chance.choice(["buy", "sell"])
    order: Order = {
        "pair": "XBTUSD",
        "type": side,
        "volume": "0.001",
        "cl_ord_id": str(uuid.UUID(int=chance.getrandbits(128))),
    }
    if chance.random() < 0.5:
        return {**order, "ordertype": "market"}
    rests = (side == "buy") == (chance.random() < 0.5)
    return {**order, "ordertype": "limit", "price": "30000" if rests else "150000"}


async def crowd(
    exchange: KrakenSandbox, kraken: KrakenClient, place: Place, orders: list[Order], alive: float
) -> Tally:
    """Place orders all at once, wait until no request is alive, and judge."""
    tally, clock, ends = Tally(), exchange.sandbox.clock, []

    async def one(order: Order) -> None:
        began = clock.monotonic()
        try:
            txid = await place(kraken, order)
            report = "placed" if txid else "none"
        except OutcomeUnknown:
            txid, report = None, "doubt"
        tally.seconds.append(clock.monotonic() - began)
        ends.append((order, report, txid))

    async with anyio.create_task_group() as group:
        for order in orders:
            group.start_soon(one, order)
    await anyio.sleep(alive)
    account = exchange.key().account
    for order, report, txid in ends:
        tag = int(uuid.UUID(order["cl_ord_id"])) % 2**31
        there = [
            each.txid for each in account.orders.values() if each.cl_ord_id == order["cl_ord_id"] or each.userref == tag
        ]
        tally.judge(report, txid, there)
    exchange.sandbox.exchange.cancel(account, list(account.open.values()))
    return tally


def virtual(place: Place, rate: float, count: int) -> tuple[Tally, float]:
    """Place `count` orders in virtual time; return the tally and calls per order."""

    async def main(clock: Any) -> tuple[Tally, float]:
        config = SandboxConfig(tier="pro", limits=False, jitter=0.05, nonce_window=WINDOW, open_order_lag=0.5)
        exchange, chance, total = in_process(config, clock=clock), random.Random(rate), Tally()
        trouble(exchange, rate)
        http = httpx.AsyncClient(transport=Detached(exchange.sandbox.app))
        async with http, exchange.client(http_client=http, timeout=2.0, retry=RetryPolicy(attempts=2)) as kraken:
            for _ in range(count // AT_ONCE):
                orders = [an_order(chance) for _ in range(AT_ONCE)]
                total.add(await crowd(exchange, kraken, place, orders, ALIVE))
        return total, exchange.stats.requests.total() / count

    return run(main)


async def real(rate: float, count: int) -> tuple[Tally, float]:
    """The same over sockets, in real time: short deadlines, all orders at once."""
    config = SandboxConfig(tier="pro", limits=False, nonce_window=WINDOW, open_order_lag=0.3)
    async with serving(config) as exchange:
        trouble(exchange, rate, pace=0.4)
        chance = random.Random(rate)
        async with exchange.client(timeout=0.8, retry=RetryPolicy(attempts=2)) as kraken:
            orders = [an_order(chance) for _ in range(count)]
            tally = await crowd(exchange, kraken, ours_in_a_hurry, orders, 6.0)
        return tally, exchange.stats.requests.total() / count


def row(name: str, rate: float, tally: Tally, calls: float) -> list[object]:
    """Write one line of the table."""
    seconds = sorted(tally.seconds)
    return [
        name,
        f"{rate:.0%}",
        len(seconds),
        tally.duplicates,
        tally.lost,
        tally.made_up,
        tally.reports["none"] - tally.lost,
        tally.reports["doubt"],
        f"{calls:.2f}",
        f"{sum(seconds) / len(seconds):.2f}",
        f"{seconds[len(seconds) // 2]:.2f}",
    ]


COLUMNS = ("way", "faults", "orders", "doubled", "lost", "made up", "none", "doubt", "calls", "s mean", "s median")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--virtual", action="store_true", help="leave the run over sockets out")
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--sockets", type=int, default=200, help="orders over sockets; 1000 take five minutes")
    arguments = parser.parse_args()
    headline(
        "how many orders are doubled or lost under faults, and what do safe ones cost?",
        "sending again blindly; looking among the open orders first",
    )
    rows = []
    for rate in (0.0, 0.1, 0.3, 0.4, 0.5):
        for name, place in WAYS.items():
            rows.append(row(name, rate, *virtual(place, rate, arguments.orders)))
    if not arguments.virtual:
        rows.append(row("place_order, deadline=3, sockets", 0.4, *asyncio.run(real(0.4, arguments.sockets))))
    table(COLUMNS, rows)
    print(
        "\ndoubled: orders too many. lost: reported as not there, and there. made up: reported, and not there."
        "\nnone: reported as not there, rightly. doubt: reported as unknown. calls, s: of the clock, per order."
    )


if __name__ == "__main__":
    main()

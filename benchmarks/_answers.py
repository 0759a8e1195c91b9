"""Canned answers in Kraken's shapes and sizes, and a server that gives them, fast enough not to affect the figures."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

FEES = [
    [volume, 0.40 - step / 100] for step, volume in enumerate((0, 10**4, 5 * 10**4, 10**5, 25 * 10**4, 10**6, 10**7))
]


def _pair(number: int) -> dict[str, Any]:
    name = f"A{number:03d}"
    return {
        "altname": f"{name}USD",
        "wsname": f"{name}/USD",
        "aclass_base": "currency",
        "base": name,
        "aclass_quote": "currency",
        "quote": "ZUSD",
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": 4,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [2, 3],
        "leverage_sell": [2, 3],
        "fees": FEES * 2,
        "fees_maker": FEES * 2,
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "0.5",
        "costmin": "0.5",
        "tick_size": "0.0001",
        "status": "online",
        "long_position_limit": 5000,
        "short_position_limit": 3000,
    }


def _ticker() -> dict[str, Any]:
    price, day = ["30300.10000", "1", "1.000"], ["30500.00000", "30600.00000"]
    book = {"a": price, "b": price, "c": ["30303.20000", "0.00067643"], "o": "30502.80000"}
    return {"XXBTZUSD": book | {"v": day, "p": day, "l": day, "h": day, "t": [34619, 38907]}}


def _result(name: str) -> Any:
    start = 1_688_669_597
    if name == "Balance":
        return {f"ASSET{number:02d}": f"{number}.0000000000" for number in range(12)}
    if name == "BalanceEx":
        return {f"ASSET{number:02d}": {"balance": f"{number}.0000000000", "hold_trade": "0.00"} for number in range(12)}
    if name == "Ticker":
        return _ticker()
    if name == "AssetPairs":
        return {f"A{number:03d}ZUSD": _pair(number) for number in range(1000)}
    if name == "Trades":
        rows = [["30243.40000", f"0.{row:08d}", start + row / 10, "b", "m", "", 61044952 + row] for row in range(1000)]
        return {"XXBTZUSD": rows, "last": "1688671969993150842"}
    rows = [[start + 60 * row, *["30306.1"] * 4, "30306.3", "3.39243896", 23] for row in range(720)]
    return {"XXBTZUSD": rows, "last": start}


BODIES = {
    name: json.dumps({"error": [], "result": _result(name)}, separators=(",", ":")).encode()
    for name in ("Balance", "BalanceEx", "Ticker", "AssetPairs", "Trades", "OHLC")
}
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nCache-Control: no-cache\r\n"
    b"X-Trace: a1b2\r\nServer: edge\r\nVary: origin\r\nStrict-Transport-Security: max-age=1\r\n"
    b"Content-Length: %d\r\n\r\n"
)
ANSWERS = {name.encode(): _HEAD % len(body) + body for name, body in BODIES.items()}


class _Answering(asyncio.Protocol):
    """Answers each request by the last word of its path."""

    pause = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.came = b""

    def data_received(self, data: bytes) -> None:
        self.came += data
        head, end, body = self.came.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0"
        if not end or len(body) < int(length):
            return
        self.came = b""
        answer = ANSWERS[head.split(b" ", 2)[1].partition(b"?")[0].rpartition(b"/")[2]]
        if self.pause:
            asyncio.get_running_loop().call_later(self.pause, self.transport.write, answer)
        else:
            self.transport.write(answer)


def _serve(pipe: Connection, certificate: str | None, pause: float, core: Any) -> None:
    core()
    _Answering.pause = pause

    async def main() -> None:
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Answering, "127.0.0.1", 0, ssl=context)

        def stay_awake() -> None:
            loop.call_soon(stay_awake)

        stay_awake()  # waking a sleeping process is expensive on a virtual machine, and charged to the client
        pipe.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, pipe.recv)

    asyncio.run(main())


def _anywhere() -> None:
    """Stay on the core that the system chooses."""


@contextmanager
def answering(certificate: str | None = None, *, pause: float = 0.0, core: Any = _anywhere) -> Iterator[str]:
    """Run the server in a process of its own and yield its address.

    Args:
        certificate: A file with key and certificate, to answer over TLS.
        pause: Seconds before each answer.
        core: Called in the new process first, to choose its core.
    """
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, certificate, pause, core))
    process.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{here.recv()}"
    finally:
        here.send("enough")
        process.join()

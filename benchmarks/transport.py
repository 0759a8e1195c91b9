"""How much CPU does a call cost on the way from bytes to bytes?

    python benchmarks/transport.py [--calls 3000] [--rounds 5] [--tls]

The server runs in a process (on a core) of its own; the ways take turns, so that a busy moment affects all of them.
"bare" is the minimum for asyncio: a Protocol that writes prepared bytes and looks for the answer's length.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import multiprocessing
import os
import random
import ssl
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
import trustme

from _bench import headline, middle, table
from krakenasync.client.exchanges import Outgoing, Timeouts
from krakenasync.client.express import Express
from krakenasync.client.origin import Origin
from krakenasync.client.over_httpx import ExpressTransport
from krakenasync.client.transport import Delivery, Transport
from krakenasync.protocol.messages import Message

BALANCE = b'{"error":[],"result":{' + b",".join(b'"ASSET%02d":"%d.0000000000"' % (n, n) for n in range(12)) + b"}}"
HEADERS = {
    "Content-Type": "application/json",
    "Connection": "keep-alive",
    "Cache-Control": "no-cache",
    "X-Trace": "a1b2",
}
HEADERS |= {
    "Server": "edge",
    "Vary": "origin",
    "Strict-Transport-Security": "max-age=1",
    "Content-Length": len(BALANCE),
}
ANSWER = ("HTTP/1.1 200 OK\r\n" + "".join(f"{k}: {v}\r\n" for k, v in HEADERS.items()) + "\r\n").encode() + BALANCE
FORM = "application/x-www-form-urlencoded"
MESSAGE = Message("POST", "/0/private/Balance", {}, b"nonce=1780000000000", "k" * 56, "s" * 88, FORM)


class Answering(asyncio.Protocol):
    """Answers every request alike; httpx writes head and body separately, so it waits for the body."""

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a whole request."""
        if data.endswith(MESSAGE.body):
            self.transport.write(ANSWER)


def serve(pipe: Connection, certificate: str | None) -> None:
    """Run the server on a core of its own."""
    pin(1)

    async def main() -> None:
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, ssl=context)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)

    asyncio.run(main())


def pin(core: int) -> None:
    """Stay on a core, if the system allows it and there are two."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


class Bare(asyncio.BufferedProtocol):
    """The minimum for asyncio."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(65536))
        self.filled = 0

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self.transport = transport

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Return the buffer for the next bytes."""
        return self.buffer[self.filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Hand over a whole answer."""
        self.filled += nbytes
        data = bytes(self.buffer[: self.filled])
        head = data.find(b"\r\n\r\n")
        at = data.find(b"Content-Length: ", 0, head) + 16
        length = int(data[at : data.find(b"\r\n", at)])
        if head >= 0 and len(data) == head + 4 + length:
            self.filled = 0
            self.answer.set_result(data[head + 4 :])

    def ask(self, data: bytes) -> asyncio.Future[bytes]:
        """Write the request."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return self.answer


Call = Callable[[], Awaitable[Any]]


async def ways(url: str, tls: ssl.SSLContext | None, stack: contextlib.AsyncExitStack, wide: int) -> dict[str, Call]:
    """Open each way to the server, once per call in flight where needed, and return its call."""
    origin = Origin(url)
    data = origin.write(MESSAGE)
    make = (lambda: tls) if tls else None
    loop = asyncio.get_running_loop()
    secure: dict[str, Any] = {"ssl": tls, "server_hostname": origin.host} if tls else {}
    bare = [(await loop.create_connection(Bare, origin.host, origin.port, **secure))[1] for _ in range(wide)]
    stack.callback(lambda: [each.transport.abort() for each in bare])

    async def ask_bare() -> bytes:
        each = bare.pop()
        try:
            return await each.ask(data)
        finally:
            bare.append(each)

    express = Express(origin, tls=make or ssl.create_default_context)
    stack.push_async_callback(express.aclose)
    full = Transport(url)
    full._express[loop] = Express(origin, tls=make or ssl.create_default_context)  # noqa: SLF001 - trusting the benchmark's certificate
    stack.push_async_callback(full.aclose)
    verify = tls or False
    wide_limits = httpx.Limits(max_connections=None)
    under = await stack.enter_async_context(httpx.AsyncClient(transport=ExpressTransport(url, tls=make)))
    stock = await stack.enter_async_context(httpx.AsyncClient(verify=verify, limits=wide_limits, trust_env=False))
    given = Transport(url, http_client=stock)
    headers = {**MESSAGE.headers, "Content-Length": str(len(MESSAGE.body))}
    target = url + MESSAGE.target
    within = Timeouts(whole=10.0)
    return {
        "bare asyncio Protocol": ask_bare,
        "express: bytes to answer": lambda: express.exchange(Outgoing(data), within),
        "express: Transport.deliver": lambda: full.deliver(Delivery(message=MESSAGE), 10.0),
        "express under AsyncClient.post": lambda: under.post(target, content=MESSAGE.body, headers=headers),
        "httpx: Transport.deliver": lambda: given.deliver(Delivery(message=MESSAGE), 10.0),
        "httpx: AsyncClient.post": lambda: stock.post(target, content=MESSAGE.body, headers=headers),
    }


async def cost(call: Call, calls: int, wide: int) -> tuple[float, float]:
    """Return CPU and wall microseconds per call."""

    async def worker() -> None:
        for _ in range(calls // wide):
            await call()

    await asyncio.gather(*[call() for _ in range(wide)])
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*[worker() for _ in range(wide)])
    return (time.process_time() - cpu) / calls * 1e6, (time.perf_counter() - wall) / calls * 1e6


async def measure(url: str, tls: ssl.SSLContext | None, calls: int, rounds: int) -> None:
    """Print the table."""
    found: dict[str, list[float]] = {}
    for wide in (1, 16):
        async with contextlib.AsyncExitStack() as stack:
            calling = await ways(url, tls, stack, wide)
            runs: dict[str, list[tuple[float, float]]] = {name: [] for name in calling}
            for _ in range(rounds):
                for name, call in calling.items():
                    share = calls if not name.startswith("httpx") else calls // 4
                    runs[name].append(await cost(call, share, wide))
        for name, results in runs.items():
            found.setdefault(name, []).extend(middle(column) for column in zip(*results, strict=True))
    limit = found["bare asyncio Protocol"]
    table(
        ("way", "c1 CPU us", "ratio", "c1 us/call", "c16 CPU us", "ratio", "c16 us/call"),
        [
            (name, *(cell for n in (0, 2) for cell in (f"{v[n]:.0f}", f"{v[n] / limit[n]:.2f}", f"{v[n + 1]:.0f}")))
            for name, v in found.items()
        ],
    )


async def cancel_at_random(url: str, tls: ssl.SSLContext | None, calls: int = 10_000) -> None:
    """Cancel some of many calls, at any step, and check whether a place is lost."""
    chance = random.Random(1)
    origin = Origin(url)
    express = Express(origin, tls=lambda: tls or ssl.create_default_context(), connections=32)
    data, answered, cancelled = origin.write(MESSAGE), 0, 0
    began = time.perf_counter()
    for _ in range(calls // 200):
        tasks = [asyncio.ensure_future(express.exchange(Outgoing(data), Timeouts(whole=10.0))) for _ in range(200)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            if chance.random() < 0.5:
                chance.choice(tasks).cancel()
        cancelled += sum(task.cancelled() for task in tasks)
        answered += sum(not task.cancelled() and task.result().body == BALANCE for task in tasks)
    took = time.perf_counter() - began
    print(f"\n{calls} calls, {cancelled} cancelled at random, {answered} answered right, in {took:.1f} s: {express!r}")
    await express.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tls", action="store_true")
    asked = parser.parse_args()
    headline("what does a POST Balance cost on its way?", "a bare asyncio Protocol writing the same bytes")
    print("over TLS 1.3\n" if asked.tls else "over plain TCP\n")
    with tempfile.TemporaryDirectory() as folder:
        path, context = None, None
        if asked.tls:
            authority = trustme.CA()
            path = str(Path(folder, "certificate.pem"))
            authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
            context = ssl.create_default_context()
            authority.configure_trust(context)
        here, there = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, path))
        server.start()
        pin(0)
        url = f"http{'s' if asked.tls else ''}://127.0.0.1:{here.recv()}"
        try:
            asyncio.run(measure(url, context, asked.calls, asked.rounds))
            asyncio.run(cancel_at_random(url, context))
        finally:
            here.send("enough")
            server.join()


if __name__ == "__main__":
    main()

"""The clients that are compared, each as a function from an endpoint's name to a call; absent ones are skipped.

Each client is opened once for a number of calls at once and has as many keys (or connections), since Kraken serves one
private call per key at a time.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import itertools
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from importlib import import_module
from typing import Any

import httpx
import msgspec

from _bench import PlainClient
from krakenasync import CounterSpec, KrakenClient, LimitsConfig
from krakenasync.client.origin import Origin
from krakenasync.client.transport import Transport
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.protocol.messages import Message
from krakenasync.protocol.signing import Signer
from krakenasync.protocol.wire import Envelope
from krakenasync.state.memory import MemoryState
from transport import MESSAGE, Bare

KEY = b"s" * 64
SECRET, SIGNER = base64.b64encode(KEY).decode(), Signer(KEY)
PAIR = {"pair": "XBTUSD"}
BOUNDLESS = CounterSpec(10**6, 10**6)
LIMITS = LimitsConfig(rest=BOUNDLESS, public=BOUNDLESS)

Ask = Callable[[str], Awaitable[Any]]
Sign = Callable[[str, str, bytes], str]
"""Path, nonce and body -> signature."""


def shared(each: list[Any], ask: Callable[[Any, str], Awaitable[Any]]) -> Ask:
    """Give each running call one of the clients to itself."""

    async def call(name: str) -> Any:
        one = each.pop()
        try:
            return await ask(one, name)
        finally:
            each.append(one)

    return call


@contextlib.asynccontextmanager
async def protocols(url: str, wide: int) -> AsyncIterator[list[Bare]]:
    """Open this many connections with nothing on top."""
    origin, loop = Origin(url), asyncio.get_running_loop()
    options: dict[str, Any] = {"ssl": httpx.create_ssl_context()} if origin.secure else {}
    each = [(await loop.create_connection(Bare, origin.host, origin.port, **options))[1] for _ in range(wide)]
    for one in each:
        one.buffer = memoryview(bytearray(2**21))
    try:
        yield each
    finally:
        for one in each:
            one.transport.abort()


@contextlib.asynccontextmanager
async def bare(url: str, wide: int) -> AsyncIterator[Ask]:
    """Prepared bytes over a Protocol: neither signed nor decoded, the minimum for asyncio."""
    data = {name: Message("GET", f"/0/public/{name}", {}, b"") for name in ("AssetPairs", "Ticker", "Trades")}
    written = {name: Origin(url).write(each) for name, each in {"Balance": MESSAGE, **data}.items()}
    async with protocols(url, wide) as each:
        yield shared(each, lambda one, name: one.ask(written[name]))


@contextlib.asynccontextmanager
async def signing(url: str, wide: int, sign: Sign = SIGNER.sign) -> AsyncIterator[Ask]:
    """The same with what every private call needs: a rising nonce, a signature, Decimals from the answer."""
    path, numbers = MESSAGE.target, itertools.count(time.time_ns() // 10**6)
    before, after = Origin(url).write(MESSAGE).removesuffix(MESSAGE.body).split(MESSAGE.signature.encode())
    decode = msgspec.json.Decoder(Envelope[dict[str, Decimal]]).decode

    async def ask(one: Bare, _name: str) -> Any:
        nonce = str(next(numbers))
        body = b"nonce=" + nonce.encode()
        answer = decode(await one.ask(b"".join((before, sign(path, nonce, body).encode(), after, body))))
        if answer.error:
            raise RuntimeError(answer.error)
        return answer.result

    async with protocols(url, wide) as each:
        yield shared(each, ask)


@contextlib.asynccontextmanager
async def ours(url: str, wide: int) -> AsyncIterator[Ask]:
    """As shipped, with limits that never make it wait."""
    transport, state = Transport(url), MemoryState(SYSTEM_CLOCK)
    options: dict[str, Any] = {"transport": transport, "base_url": url, "state": state, "limits": LIMITS}
    each = [KrakenClient(f"key{number}", SECRET, **options) for number in range(wide)]
    calls = {
        "Balance": lambda kraken: kraken.balance(),
        "Ticker": lambda kraken: kraken.ticker("XBTUSD"),
        "AssetPairs": lambda kraken: kraken.asset_pairs(),
        "Trades": lambda kraken: kraken.trades("XBTUSD"),
    }
    try:
        yield shared(each, lambda kraken, name: calls[name](kraken))
    finally:
        await transport.aclose()


@contextlib.asynccontextmanager
async def aiohttp_(url: str, wide: int) -> AsyncIterator[Ask]:
    """Aiohttp with a signature and json.loads."""
    aiohttp = import_module("aiohttp")
    connector = aiohttp.TCPConnector(ssl=httpx.create_ssl_context() if url.startswith("https") else True, limit=wide)
    async with aiohttp.ClientSession(connector=connector) as session:
        plain = PlainClient(url, "key", SECRET, httpx.AsyncClient())

        async def ask(name: str) -> Any:
            if name == "Balance":
                body, headers = plain.signed()
                way = session.post(f"{url}/0/private/{name}", data=body, headers=headers)
            else:
                way = session.get(f"{url}/0/public/{name}", params=PAIR)
            async with way as answer:
                return await answer.json()

        yield ask


@contextlib.asynccontextmanager
async def httpx_(url: str, wide: int) -> AsyncIterator[Ask]:
    """Httpx with a signature and json.loads."""
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=wide)) as http:
        plain = PlainClient(url, "key", SECRET, http)

        async def ask(name: str) -> Any:
            if name == "Balance":
                return await plain.balance()
            return (await http.get(f"{url}/0/public/{name}", params=PAIR)).json()

        yield ask


@contextlib.asynccontextmanager
async def sdk(url: str, wide: int) -> AsyncIterator[Ask]:
    """python-kraken-sdk."""
    spot = import_module("kraken.spot")
    each = [spot.SpotAsyncClient(key="key", secret=SECRET, url=url) for _ in range(wide)]

    def ask(one: Any, name: str) -> Awaitable[Any]:
        if name == "Balance":
            return one.request("POST", "/0/private/Balance")
        return one.request("GET", f"/0/public/{name}", params=dict(PAIR), auth=False)

    try:
        yield shared(each, ask)
    finally:
        for one in each:
            await one.close()


@contextlib.asynccontextmanager
async def ccxt(url: str, wide: int, *, parsed: bool = False) -> AsyncIterator[Ask]:
    """Ccxt's raw calls, with its own limiter off; if parsed, the balance that it makes from BalanceEx."""
    make = import_module("ccxt.async_support").kraken
    each = [make({"apiKey": "key", "secret": SECRET, "enableRateLimit": False}) for _ in range(wide)]
    for one in each:
        one.urls["api"] = {"public": url, "private": url}
        one.cafile = os.environ.get("SSL_CERT_FILE", one.cafile)
        one.markets = one.markets_by_id = {"BTC/USD": {}}  # not to be loaded

    def ask(one: Any, name: str) -> Awaitable[Any]:
        if parsed:
            return one.fetch_balance()
        return one.privatePostBalance() if name == "Balance" else getattr(one, f"publicGet{name}")(dict(PAIR))

    try:
        yield shared(each, ask)
    finally:
        for one in each:
            await one.close()


@contextlib.asynccontextmanager
async def krakenex(url: str, wide: int) -> AsyncIterator[Ask]:
    """krakenex, which is synchronous: one call at a time, while the event loop is blocked."""
    one = import_module("krakenex").API("key", SECRET)
    one.uri = url
    if wide > 1:
        raise ImportError("synchronous")

    async def ask(name: str) -> Any:
        return one.query_private("Balance") if name == "Balance" else one.query_public(name, dict(PAIR))

    yield ask


WAYS = {
    "bare Protocol": bare,
    "the same, signed and typed": signing,
    "krakenasync": ours,
    "aiohttp": aiohttp_,
    "python-kraken-sdk": sdk,
    "ccxt (raw)": ccxt,
    "ccxt (parsed)": functools.partial(ccxt, parsed=True),
    "httpx": httpx_,
    "krakenex (sync)": krakenex,
}

ONLY = {"the same, signed and typed": {"Balance"}, "ccxt (parsed)": {"Balance"}}
"""The endpoints of the clients that do not take part in all."""


@functools.cache
def say_skipped(name: str, why: str) -> None:
    """Print once that a peer is left out."""
    print(f"({name} left out: {why})")

"""What the benchmarks share: the plain client they compare with, and how a result is printed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from urllib.parse import urlencode

import httpx
from aiolimiter import AsyncLimiter

from krakenasync.protocol.signing import decode_secret, sign
from krakenasync.testing import KrakenSandbox

PATH = "/0/private/Balance"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def headline(question: str, baseline: str) -> None:
    """Print the question, the baseline and the machine."""
    print(f"Question: {question}")
    print(f"Baseline: {baseline}")
    print(f"Machine:  {platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} CPUs, ", end="")
    print(f"{platform.system()} {platform.machine()}, {time.strftime('%Y-%m-%d')}\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under columns: the first to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    for number, row in enumerate(cells):
        first, *others = (
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join((first, *others)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    sys.stdout.flush()


def middle(values: Sequence[float]) -> float:
    """The median, for runs that a busy machine may disturb."""
    return median(values)


@dataclass
class PlainClient:
    """A client that takes an hour to write: sign, post, read, over bare httpx.

    Attributes:
        serial: A lock held from the nonce to the answer; None lets calls overtake each other.
        limiter: Waited for just before the nonce is made, if there is one.
        monotonic: Whether the nonce always rises; otherwise it is the time in milliseconds, even if that repeats.
    """

    base_url: str
    api_key: str
    api_secret: str = field(repr=False)
    http: httpx.AsyncClient
    serial: asyncio.Lock | None = None
    limiter: AsyncLimiter | None = None
    monotonic: bool = True
    now_ns: Callable[[], int] = time.time_ns
    _last: int = 0
    _secret: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._secret = decode_secret(self.api_secret)

    def nonce(self) -> int:
        """Make a nonce."""
        stamp = self.now_ns() // 10**6
        self._last = max(stamp, self._last + 1) if self.monotonic else stamp
        return self._last

    async def balance(self) -> list[str]:
        """Ask for the balances and return the errors in the answer."""
        async with self.serial or contextlib.nullcontext():
            if self.limiter is not None:
                await self.limiter.acquire()
            return await self.post()

    def signed(self) -> tuple[bytes, dict[str, str]]:
        """Make the body and the headers of one call."""
        nonce = str(self.nonce())
        body = urlencode({"nonce": nonce}).encode()
        return body, FORM | {"API-Key": self.api_key, "API-Sign": sign(self._secret, PATH, nonce, body)}

    async def post(self) -> list[str]:
        """Sign and send one call."""
        body, headers = self.signed()
        response = await self.http.post(self.base_url + PATH, content=body, headers=headers)
        errors: list[str] = response.json()["error"]
        return errors


@contextlib.asynccontextmanager
async def way_to(exchange: KrakenSandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A plain httpx client for a sandbox, over a socket or in process."""
    sandbox = exchange.sandbox
    direct: Any = httpx.ASGITransport(sandbox.app) if exchange.base_url.endswith(".invalid") else None
    async with httpx.AsyncClient(transport=direct, timeout=60, limits=httpx.Limits(max_connections=None)) as http:
        yield http


def backoff(refusals: int, *, base: float = 1.0, longest: float = 30.0) -> float:
    """Seconds to wait after this many refusals in a row: doubling, with full jitter, as every guide recommends."""
    return random.uniform(0, min(longest, base * 2**refusals))

"""The sandbox on a real loopback port: in the background of a program, or on its own until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

import msgspec
import uvicorn

from krakenasync.errors import ConfigurationError
from krakenasync.sandbox.app import hang_up
from krakenasync.sandbox.config import SandboxConfig
from krakenasync.sandbox.sandbox import Sandbox

__all__ = ["run", "serve"]

LOOPBACK: Final = "127.0.0.1"
TURNS: Final = 100
"""How many turns of the event loop closing connections may take."""


class _BackgroundServer(uvicorn.Server):
    """A server that leaves the program's signals alone and stops as soon as it is told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.stop = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Close everything now: uvicorn sleeps a tenth of a second first, which is long for a test."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        calls = list(self.server_state.tasks)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        for _ in range(TURNS):
            if not self.server_state.connections:
                break
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def serve(sandbox: Sandbox, port: int = 0) -> AsyncIterator[str]:
    """Serve a sandbox on a loopback port while the block runs.

    It needs asyncio; in process, `Sandbox.app` works on trio as well.

    Args:
        sandbox: What to serve.
        port: 0 takes any that is free.

    Yields:
        The base URL, such as ``http://127.0.0.1:50123``.

    Raises:
        OSError: The port is taken.
    """
    with _listen(port) as listener:
        server = _BackgroundServer(_uvicorn_config(sandbox))
        task = asyncio.create_task(server.serve([listener]))
        ready = asyncio.create_task(server.ready.wait())
        try:
            await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
            yield _url(listener)
        finally:
            ready.cancel()
            server.stop.set()
            await task


def run(config: SandboxConfig | None = None, port: int = 0, *, say: Callable[[str], object] | None = None) -> None:
    """Serve a sandbox until the process is interrupted; print its address and the keys it accepts.

    Args:
        config: How it behaves.
        port: 0 takes any that is free.
        say: Where each line goes; standard output by default. The last line is JSON, for programs to read.

    Raises:
        ConfigurationError: The port cannot be used.
        OSError: The lines cannot be written.
    """
    sandbox = Sandbox(config)
    try:
        listening = _listen(port)
    except OSError as error:
        raise ConfigurationError(
            f"port {port} cannot be used: {error.strerror}", hint="choose another one, or leave it out"
        ) from None
    with listening as listener, contextlib.suppress(KeyboardInterrupt):
        for line in greeting(sandbox, _url(listener)):
            (say or _say)(line)
        uvicorn.Server(_uvicorn_config(sandbox)).run([listener])


def greeting(sandbox: Sandbox, url: str) -> Iterator[str]:
    """Yield lines with a sandbox's address and the keys it accepts; a secret that the caller gave is not shown."""
    given = {extra.api_key for extra in sandbox.config.keys}
    keys = list(sandbox.keys.values())
    yield f"Kraken sandbox ({sandbox.config.account_tier.name.lower()}) at {url}"
    for key in keys:
        secret = "(yours)" if key.api_key in given else key.api_secret
        yield f"  {key.label:<10} API key {key.api_key}  secret {secret}"
    facts = [
        {
            "account": key.account.name,
            "label": key.label,
            "api_key": key.api_key,
            "api_secret": None if key.api_key in given else key.api_secret,
        }
        for key in keys
    ]
    yield msgspec.json.encode({"base_url": url, "keys": facts}).decode()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _listen(port: int) -> socket.socket:
    """Listen on the loopback address.

    The protocol is named because asyncio switches Nagle's delay off only if it is; `socket.create_server` leaves it
    out, and every answer would wait 40 ms for the acknowledgement of its headers.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://{LOOPBACK}:{listener.getsockname()[1]}"


def _uvicorn_config(sandbox: Sandbox) -> uvicorn.Config:
    # Silent: uvicorn would report a lost answer as an error, but here it is intended.
    return uvicorn.Config(
        sandbox.asgi(hang_up),
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )

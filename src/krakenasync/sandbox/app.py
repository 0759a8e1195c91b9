"""The ASGI app turns HTTP into calls and replies into HTTP; only the control pages go through Starlette."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from krakenasync.clock import Clock
from krakenasync.sandbox.calls import Call, Reply
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.reckoning import usual

__all__ = ["Lose", "SandboxApp", "hang_up"]

Handle = Callable[[Call], Awaitable[Reply | None]]
"""Answers a call; None if the answer is to be lost."""
Lose = Callable[[Send], Awaitable[None]]
"""Leaves the caller without a whole answer."""

CONTROL: Final = "/sandbox"


class SandboxApp:
    """The sandbox as an ASGI app.

    Args:
        handle: What answers calls.
        control: The app of the control pages.
        clock: Gives the time at which a call arrived.
        lose: What to do when an answer is to be lost.
    """

    def __init__(self, handle: Handle, control: ASGIApp, clock: Clock, lose: Lose) -> None:
        self._handle = handle
        self._control = control
        self._clock = clock
        self._lose = lose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        with usual():
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._control(scope, receive, send)
            return
        client = scope.get("client")
        call = Call(
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            dict(scope["headers"]),
            await _body(receive),
            client[0] if client else "",
            self._clock.wall_ns(),
            scope.get("raw_path", b"").decode("latin-1"),
        )
        reply = await self._handle(call)
        if reply is None:
            await self._lose(send)
        else:
            await self._respond(send, reply)

    async def _respond(self, send: Send, reply: Reply) -> None:
        headers = [
            (b"date", formatdate(self._clock.wall_ns() // NANOS, usegmt=True).encode()),
            (b"content-type", reply.content_type.encode("latin-1")),
            (b"content-length", str(len(reply.body)).encode()),
        ]
        if reply.location:
            headers.append((b"location", reply.location.encode("latin-1")))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})


async def hang_up(send: Send) -> None:
    """Promise a body and never send it: the server closes the connection."""
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts = [body]
    while message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)

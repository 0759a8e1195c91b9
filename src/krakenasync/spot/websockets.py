"""The token that opens Kraken's private WebSocket channels.

Source: https://docs.kraken.com/api/docs/category/rest-api/websockets-authentication
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from krakenasync.protocol.requests import Request
from krakenasync.protocol.specs import Need, Spec, private_call

__all__ = ["GetWebSocketsToken", "WebSocketsToken"]


class WebSocketsToken(msgspec.Struct, frozen=True):
    """A secret to be used within `expires` seconds; it then lives as long as the connection.

    Attributes:
        expires: Seconds.
    """

    token: str
    expires: int = 900

    def __repr__(self) -> str:
        return f"WebSocketsToken(token=<hidden>, expires={self.expires})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show no more to rich, which does not call `__repr__`."""
        return [("expires", self.expires)]


class GetWebSocketsToken(Request[WebSocketsToken], frozen=True, kw_only=True):
    """Ask for a token for the private channels."""

    spec: ClassVar[Spec] = private_call(
        "GetWebSocketsToken", "websockets", "get-websockets-token", need=Need(("create-ws-token",))
    )

"""What crosses the wire, independent of any web framework: a call and a reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Call", "Reply"]


class Call(NamedTuple):
    """A request as it came in.

    Attributes:
        method: The HTTP verb.
        path: From ``/0/`` on.
        query: The raw query string.
        headers: Lower-case names; only the last of several equal ones.
        body: The raw bytes, as they were signed.
        address: The caller's IP address.
        arrived: When it reached the sandbox: unix nanoseconds, before any latency on the way to the engine.
        raw_path: The path as it was sent, not yet decoded; empty if it is the same.
    """

    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    body: bytes
    address: str
    arrived: int
    raw_path: str = ""

    @property
    def quoted_path(self) -> str:
        """The path as it was sent."""
        return self.raw_path or self.path

    @property
    def target(self) -> str:
        """Path and query string as they were sent: what Funding Beta signs."""
        return f"{self.quoted_path}?{self.query}" if self.query else self.quoted_path

    @property
    def api_key(self) -> str:
        """The public half of the key, empty if none was sent."""
        return self.headers.get(b"api-key", b"").decode("latin-1")

    @property
    def signature(self) -> str:
        """The signature, empty if none was sent."""
        return self.headers.get(b"api-sign", b"").decode("latin-1")

    @property
    def nonce(self) -> str:
        """The nonce of a Funding Beta call, empty if none was sent."""
        return self.headers.get(b"api-nonce", b"").decode("latin-1")

    @property
    def content_type(self) -> str:
        """The body's media type."""
        return self.headers.get(b"content-type", b"").decode("latin-1").lower()


class Reply(NamedTuple):
    """An answer as it goes out."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    location: str = ""

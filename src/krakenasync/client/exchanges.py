"""What a request on its way is, how long it may take, and how it can fail; no network here."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

__all__ = [
    "NEVER",
    "Broken",
    "ConnectFailed",
    "ConnectTimeout",
    "ExchangeFailed",
    "Outgoing",
    "PoolTimeout",
    "ReadTimeout",
    "Timeouts",
    "WriteTimeout",
    "earliest",
]

NEVER: Final = math.inf


class ExchangeFailed(Exception):
    """A request got no answer."""


class PoolTimeout(ExchangeFailed):
    """No connection became free in time."""


class ConnectFailed(ExchangeFailed):
    """No connection could be made, or it was gone before a byte was written."""


class ConnectTimeout(ConnectFailed):
    """No connection could be made in time."""


class WriteTimeout(ExchangeFailed):
    """The peer did not take the request in time."""


class ReadTimeout(ExchangeFailed):
    """The peer did not answer in time."""


class Broken(ExchangeFailed):
    """The connection broke, or was closed on our side, while an answer was awaited."""


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds that each stage may take; None: no limit. `read` starts again with every piece that arrives."""

    connect: float | None = None
    write: float | None = None
    read: float | None = None
    pool: float | None = None
    whole: float | None = None
    """For all stages together."""


class Outgoing(msgspec.Struct):
    """A request on its way.

    Attributes:
        data: Its bytes.
        left: Whether the first of them may have left this machine.
    """

    data: bytes = b""
    left: bool = False

    def __repr__(self) -> str:
        """Hide the bytes, which contain the key, signature and second factor."""
        return f"<{type(self).__name__} {'under way' if self.left else 'not sent'}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show no more to rich, which does not call `__repr__`."""
        return [("left", self.left)]


def earliest(now: float, seconds: float | None, until: float) -> float:
    """Return the time by which a stage that begins now has to be done."""
    return until if seconds is None else min(now + seconds, until)

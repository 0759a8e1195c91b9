"""One message on its way: what is known about whether it left, and what came back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from krakenasync.client.connections import Outgoing
from krakenasync.client.reasons import unanswered, unreached
from krakenasync.errors import KrakenError, NotSent, Unanswered
from krakenasync.protocol.messages import Message

__all__ = ["Body", "Delivery", "Reply", "not_sent"]


class Reply(msgspec.Struct, frozen=True):
    """Status and bytes of an answer."""

    status: int
    body: bytes

    def __repr__(self) -> str:
        """Hide the body, which may hold a token."""
        return f"<Reply {self.status}, {len(self.body)} bytes>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show no more to rich, which does not ask `__repr__`."""
        return [("status", self.status)]


class Body:
    """A body for httpx that remembers whether a byte of it was asked for.

    The head goes out first and names the body's length, so until then no whole request can have arrived.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.begun = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.begun = True
        yield self.content


class Delivery:
    """One message on its way; `left` tells, also after a cancellation, whether Kraken may have got it whole."""

    __slots__ = ("handed_over", "message", "outgoing", "streaming")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.outgoing: Outgoing | None = None
        self.streaming: Body | None = None
        self.handed_over = False

    def streamed(self) -> Body:
        """Return the body as httpx reads it."""
        self.streaming = Body(self.message.body)
        return self.streaming

    @property
    def left(self) -> bool:
        """Whether a whole request may have left this machine."""
        if self.outgoing is not None:
            return self.outgoing.left  # our own connections know when the first byte was written
        # A message without a body is whole with its head, and httpx does not tell when the head went out.
        if self.message.body:
            return self.streaming is not None and self.streaming.begun
        return self.handed_over

    def failure(self, error: BaseException, where: str, within: float) -> KrakenError:
        """Make the error for a delivery that got no answer.

        Args:
            error: What was raised.
            where: Host and port.
            within: Seconds that were allowed.
        """
        reason = unanswered(error, where, within)
        if self.left:
            return Unanswered(reason.said, effect="unknown", hint=reason.hint)
        return NotSent(reason.said, hint=reason.hint)


def not_sent(error: BaseException, where: str, within: float) -> NotSent:
    """Make the error for a request that did not leave; see `Delivery.failure`."""
    reason = unreached(error, where, within)
    return NotSent(reason.said, hint=reason.hint)

"""One message on its way: what is known about whether it left."""

from __future__ import annotations

from krakenasync.client.exchanges import Outgoing
from krakenasync.client.reasons import unanswered, unreached
from krakenasync.errors import KrakenError, NotSent, ProtocolError, Unanswered
from krakenasync.protocol.messages import Message

__all__ = ["Delivery", "not_sent", "unreadable"]


class Delivery(Outgoing, kw_only=True):
    """One message on its way; `left` shows, even after a cancellation, whether Kraken may have got all of it."""

    message: Message

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

    def hook_failed(self, error: BaseException | None) -> KrakenError:
        """Make the error for a delivery during which the caller's httpx client, or a hook of it, raised."""
        said = f"the http_client or a hook of it raised {type(error).__name__}"
        return Unanswered(said, effect="unknown") if self.left else NotSent(said)


def not_sent(error: BaseException, where: str, within: float) -> NotSent:
    """Make the error for a request that did not leave; see `Delivery.failure`."""
    reason = unreached(error, where, within)
    return NotSent(reason.said, hint=reason.hint)


def unreadable(error: BaseException) -> ProtocolError:
    """Make the error for an answer that arrived but cannot be decoded."""
    return ProtocolError(f"the answer cannot be read: {error}")

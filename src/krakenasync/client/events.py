"""What a client reports to its hooks: frozen records without secrets.

A hook is any callable that takes one event. It runs inside the call, so it should be quick; what it raises is logged
and otherwise ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from krakenasync.errors import KrakenError

__all__ = ["LOG", "Answered", "Event", "Failed", "Hook", "Notifier", "Retried", "Sent", "Waited"]

LOG: Final = logging.getLogger("krakenasync")


class Event(msgspec.Struct, frozen=True):
    """Something happened to a call.

    Attributes:
        endpoint: Kraken's name of the call.
        attempt: Which attempt it was, from 1.
    """

    endpoint: str
    attempt: int


class Waited(Event, frozen=True):
    """The call waited for the limiter.

    Attributes:
        seconds: How long.
        counter: The counter that held it back.
    """

    seconds: float
    counter: str


class Sent(Event, frozen=True):
    """The call is about to be sent."""


class Answered(Event, frozen=True):
    """Kraken answered with a result.

    Attributes:
        seconds: From sending to the decoded answer.
        warnings: Kraken's ``W...`` strings.
    """

    seconds: float
    warnings: tuple[str, ...] = ()


class Failed(Event, frozen=True):
    """An attempt failed: refused, unanswered or never sent.

    Attributes:
        seconds: From sending to the failure.
        error: The error.
    """

    seconds: float
    error: KrakenError


class Retried(Event, frozen=True):
    """The call will be sent again.

    Attributes:
        wait: Seconds before it joins the queue again.
        error: Why.
    """

    wait: float
    error: KrakenError


Hook = Callable[[Event], None]


class Notifier:
    """The hooks and the log, bundled into one hook."""

    def __init__(self, hooks: Iterable[Hook]) -> None:
        self._hooks = tuple(hooks)

    @property
    def curious(self) -> bool:
        """Whether anything listens to successes; if not, such events need not even be made."""
        return bool(self._hooks) or LOG.isEnabledFor(logging.DEBUG)

    def __call__(self, event: Event) -> None:
        """Pass an event to all hooks and to the log."""
        _log(event)
        for hook in self._hooks:
            try:
                hook(event)
            except Exception:
                LOG.exception("a hook failed on %s", type(event).__name__)


def _log(event: Event) -> None:
    if isinstance(event, Answered) and event.warnings:
        LOG.warning("%s: Kraken warns: %s", event.endpoint, ", ".join(event.warnings))
    elif isinstance(event, Retried):
        why = event.error.said
        LOG.info("%s: attempt %d failed, again in %.2f s: %s", event.endpoint, event.attempt, event.wait, why)
    elif LOG.isEnabledFor(logging.DEBUG):
        LOG.debug("%s", event)

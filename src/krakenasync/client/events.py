"""What a client tells its hooks: frozen records without secrets.

A hook is any callable that takes one event. It runs inside the call, so it should be quick; what it raises is logged
and otherwise ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from krakenasync.errors import KrakenError

__all__ = ["Answered", "Event", "Failed", "Hook", "Retried", "Sent", "Waited", "notifier"]

LOG: Final = logging.getLogger("krakenasync")


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened on a call's road.

    Attributes:
        endpoint: Kraken's name of the call.
        attempt: Which attempt it was, from 1.
    """

    endpoint: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Waited(Event):
    """The call waited for the limiter.

    Attributes:
        seconds: How long.
        counter: The counter that held it back.
    """

    seconds: float
    counter: str


@dataclass(frozen=True, slots=True)
class Sent(Event):
    """The call is about to be sent."""


@dataclass(frozen=True, slots=True)
class Answered(Event):
    """Kraken answered with a result.

    Attributes:
        seconds: From sending to the decoded answer.
        warnings: Kraken's ``W...`` strings.
    """

    seconds: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """An attempt failed: refused, unanswered or never sent.

    Attributes:
        seconds: From sending to the failure.
        error: What came of it.
    """

    seconds: float
    error: KrakenError


@dataclass(frozen=True, slots=True)
class Retried(Event):
    """The call will be sent again.

    Attributes:
        wait: Seconds before it joins the queue again.
        error: Why.
    """

    wait: float
    error: KrakenError


Hook = Callable[[Event], None]


def notifier(hooks: Iterable[Hook]) -> Hook:
    """Bundle the hooks and the log into one hook."""
    told = tuple(hooks)

    def notify(event: Event) -> None:
        _log(event)
        for hook in told:
            try:
                hook(event)
            except Exception:
                LOG.exception("a hook failed on %s", type(event).__name__)

    return notify


def _log(event: Event) -> None:
    if isinstance(event, Answered) and event.warnings:
        LOG.warning("%s: Kraken warns: %s", event.endpoint, ", ".join(event.warnings))
    elif isinstance(event, Retried):
        LOG.info("%s: attempt %d failed, again in %.2f s: %s", event.endpoint, event.attempt, event.wait, event.error)
    elif LOG.isEnabledFor(logging.DEBUG):
        LOG.debug("%s", event)

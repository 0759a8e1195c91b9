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

__all__ = ["Answered", "Event", "Failed", "Hook", "Notifier", "Retried", "Sent", "Waited"]

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


class Notifier:
    """The hooks and the log, bundled into one hook."""

    def __init__(self, hooks: Iterable[Hook]) -> None:
        self._hooks = tuple(hooks)

    @property
    def curious(self) -> bool:
        """Whether anybody wants to know of what goes well; else such an event need not even be made."""
        return bool(self._hooks) or LOG.isEnabledFor(logging.DEBUG)

    def __call__(self, event: Event) -> None:
        """Tell everybody."""
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
        LOG.info("%s: attempt %d failed, again in %.2f s: %s", event.endpoint, event.attempt, event.wait, event.error)
    elif LOG.isEnabledFor(logging.DEBUG):
        LOG.debug("%s", event)

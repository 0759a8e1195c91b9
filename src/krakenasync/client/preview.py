"""Checks of a request before it is sent, beyond those of its single parameters."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any, Final

from krakenasync.client.events import LOG
from krakenasync.client.lookup import Sender
from krakenasync.client.serverclock import ServerClock
from krakenasync.errors import InvalidArguments, KrakenError
from krakenasync.protocol.bounds import DEADLINE
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.requests import Request
from krakenasync.protocol.servertime import SECOND
from krakenasync.protocol.vocabulary import unfamiliar
from krakenasync.spot.values import to_nanoseconds

__all__ = ["Vocabulary", "check_deadline", "deadline_of"]

_KEEP: Final = 256
"""How many words are remembered as reported."""
_WAIT: Final = 60 * SECOND
"""How much too far ahead a deadline may be: the call may wait for its turn until the deadline is near enough."""


class Vocabulary:
    """Warns of words that are in none of Kraken's lists: once each, for one client and its views."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def check(self, request: Request[Any]) -> None:
        """Look through a request whose parameters were checked. It is sent anyway: a list may have grown."""
        for name, value, known in unfamiliar(request):
            word = (name, quoted(value))
            if word not in self._told and len(self._told) < _KEEP:
                self._told.add(word)
                words = ", ".join(map(str, sorted(known)))
                LOG.warning("%s: %s=%s is sent, though this version knows only %s", request.spec.name, *word, words)


def deadline_of(request: Request[Any]) -> datetime | None:
    """Return the moment after which Kraken drops the call, if it has one."""
    given: datetime | str | None = getattr(request, "deadline", None)
    return datetime.fromisoformat(given.upper()) if isinstance(given, str) else given


async def check_deadline(deadline: datetime, clock: ServerClock, sender: Sender) -> None:
    """Refuse a deadline that Kraken is certain to refuse.

    If it looks wrong by our own calendar, Kraken's clock decides; it is read unless that was done recently. If that
    fails, the call is sent: Kraken knows its own clock.

    Raises:
        InvalidArguments: The deadline is too near, too far or in the past.
    """
    if _out_of_reach(deadline, clock.bounds() or clock.calendar()):
        with contextlib.suppress(KrakenError):
            await clock.refresh(sender)
        if (now := clock.bounds()) is not None:
            _refuse(deadline, now)


def _out_of_reach(deadline: datetime, now: tuple[int, int]) -> bool:
    soonest, latest = (seconds * SECOND for seconds in DEADLINE)
    least, most = now
    moment = to_nanoseconds(deadline)
    return moment - least < soonest or moment - most > latest + _WAIT


def _refuse(deadline: datetime, now: tuple[int, int]) -> None:
    if _out_of_reach(deadline, now):
        ahead = (to_nanoseconds(deadline) - sum(now) // 2) / SECOND
        where = f"{ahead:.0f} s ahead" if ahead >= 0 else f"{-ahead:.0f} s ago"
        raise InvalidArguments(
            f"deadline={deadline.isoformat()} is {where}, Kraken takes {DEADLINE[0]} to {DEADLINE[1]} s by its clock",
            hint="make it for each call: datetime.now(UTC) + timedelta(seconds=5); server_time() tells Kraken's clock",
        )

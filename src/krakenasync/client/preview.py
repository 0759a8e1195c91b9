"""What is seen of a request before it takes the road, beyond what each of its parameters tells by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from krakenasync.client.events import LOG
from krakenasync.client.serverclock import ServerClock
from krakenasync.errors import InvalidArguments
from krakenasync.protocol.bounds import DEADLINE
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.requests import Request
from krakenasync.protocol.servertime import SECOND
from krakenasync.protocol.specs import Spec
from krakenasync.protocol.vocabulary import unfamiliar
from krakenasync.spot.values import to_nanoseconds

__all__ = ["Preview", "deadline_of"]

_KEEP: Final = 256
"""Words of which is remembered that they were told."""


class Preview:
    """Looks requests over, for one client and its views."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def __call__(self, request: Request[Any], params: Mapping[str, Any], clock: ServerClock) -> Spec:
        """Return the facts of a call with these parameters, having looked at what can be wrong with them together.

        Args:
            request: The call.
            params: Its parameters as they travel.
            clock: Kraken's.

        Raises:
            InvalidArguments: Kraken is certain to refuse its deadline.
        """
        self._warn(request)
        if (deadline := deadline_of(request)) is not None:
            _check_deadline(deadline, clock.bounds())
        return request.spec.of(params)

    def _warn(self, request: Request[Any]) -> None:
        """Warn, once, of each word that is in no list of Kraken's; the list may have grown, so it is sent."""
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


def _check_deadline(deadline: datetime, now: tuple[int, int]) -> None:
    moment = to_nanoseconds(deadline)
    soonest, latest = (seconds * SECOND for seconds in DEADLINE)
    least, most = now
    if moment - least < soonest or moment - most > latest:
        ahead = (moment - (least + most) // 2) / SECOND
        where = f"{ahead:.0f} s ahead" if ahead >= 0 else f"{-ahead:.0f} s ago"
        raise InvalidArguments(
            f"deadline={deadline.isoformat()} is {where}, Kraken takes {DEADLINE[0]} to {DEADLINE[1]} s by its clock",
            hint="make it for each call: datetime.now(UTC) + timedelta(seconds=5); server_time() tells Kraken's clock",
        )

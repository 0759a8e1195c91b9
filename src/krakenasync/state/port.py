"""The port through which counters, nonces and lanes are shared by processes; a store implements it.

A store is asked in steps: each is a small value, several asked together are answered in their order and as one, in one
round trip. So a private call costs one question as long as nobody is before it: the last call's lane is left, a slot is
booked and, since it is due at once, the lane entered.

A slot on a counter is *booked*, not polled for: the points are charged at once, in the order of asking, and the caller
is told when the slot is due. At that moment it asks once more, because a refusal meanwhile pushes everybody back. So a
call costs two questions at most, and cheap calls cannot overtake an expensive one indefinitely.

A store never counts too low. What was charged in vain (a caller killed between booking and sending) decays like
anything else, and what a store has lost (a flushed server, an empty replica) is taken for full as soon as a client
that remembers more asks again; see `krakenasync.state.recall`.

`krakenasync.testing.conformance` holds what every store has to do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

from krakenasync.state.asking import (
    Adjust,
    Book,
    Booking,
    CounterStep,
    Enter,
    Entry,
    GiveBack,
    Leave,
    Limit,
    Nonce,
    Peek,
    Refuse,
    Send,
    Standing,
    Step,
)

__all__ = [
    "PICKUP",
    "PLACES",
    "QUARANTINE",
    "SCHEMA",
    "Adjust",
    "Book",
    "Booking",
    "CounterStep",
    "Enter",
    "Entry",
    "GiveBack",
    "Leave",
    "Limit",
    "Nonce",
    "Peek",
    "Refuse",
    "Send",
    "Standing",
    "Step",
    "Store",
]

SCHEMA: Final = 3
"""The version of what stores keep. Another one is refused at the start instead of being misread."""

PICKUP: Final = 1.0
"""Seconds in which the next in line has to take up the lane once it is called; it may be dead."""
QUARANTINE: Final = 2.0
"""Seconds for which a lane is taken for occupied after a store has lost it: somebody may be under way."""
PLACES: Final = 16
"""Calls in a lane at most, however wide the key's nonce window is."""


class Store(ABC):
    """Counters, nonces and lanes that several clients share; three methods make one.

    Names tell neither key nor secret. The last word of a name tells whose it is: steps asked together mostly have one
    owner, so a store may keep what belongs to one owner in one place.
    """

    @abstractmethod
    async def start(self) -> None:
        """Find out whether the store can be used at all; called before anything else, and only once needed.

        Raises:
            ConfigurationError: It never can be: read-only, of another schema, without scripting, ....
        """

    @abstractmethod
    async def ask(self, *steps: Step) -> list[Any]:
        """Answer the steps in their order, with nobody else's in between.

        A caller that is cancelled while it asks must leave nothing behind: no slot, no place in a lane or its line.

        Raises:
            StateUnavailable: The store does not answer.
        """

    @abstractmethod
    async def called(self, name: str, who: str, longest: float) -> None:
        """Sleep until a caller in the line of a lane is called up, at most so many seconds."""

    async def aclose(self) -> None:  # noqa: B027 - some stores have nothing to let go of
        """Let go of files and connections of the running event loop."""

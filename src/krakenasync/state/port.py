"""The port through which processes share counters, nonces and lanes; a store implements it.

A store is asked in steps, which are small values; several asked together are answered in order and atomically, in one
round trip. So a private call costs one question as long as no call is ahead: the last call's lane is left, a slot is
booked and, since it is due at once, the lane entered.

A slot on a counter is *booked*, not polled for: the points are charged at once, in the order of asking, and the answer
says when the slot is due. At that moment the caller asks once more, because a refusal meanwhile pushes all others back.
So a call costs two questions at most, and cheap calls cannot overtake an expensive one indefinitely.

A store never counts too low. What was charged in vain (a caller killed between booking and sending) decays like
anything else, and what a store has lost (a flushed server, an empty replica) is assumed full as soon as a client
that remembers more asks again; see `krakenasync.state.recall`.

`krakenasync.testing.conformance` tests what every store has to do.
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
"""Seconds in which the next in line has to enter the lane once it is called; it may be dead."""
QUARANTINE: Final = 2.0
"""Seconds for which a lane is assumed occupied after a store has lost it: a call may be under way."""
PLACES: Final = 16
"""The most calls in a lane, however wide the key's nonce window is."""


class Store(ABC):
    """Counters, nonces and lanes that several clients share; three methods make one.

    Names reveal neither key nor secret. The last word of a name is its owner: steps asked together mostly have the same
    owner, so a store may keep what belongs to one owner in one place.
    """

    @abstractmethod
    async def start(self) -> None:
        """Find out whether the store can be used at all; called before anything else, and only once needed.

        Raises:
            ConfigurationError: The store can never be used: read-only, of another schema, without scripting, ....
        """

    @abstractmethod
    async def ask(self, *steps: Step) -> list[Any]:
        """Answer the steps in their order, with no others in between.

        A caller that is cancelled while it asks must leave nothing behind: no slot, no place in a lane or its line.

        Raises:
            StateUnavailable: The store does not answer.
        """

    @abstractmethod
    async def called(self, name: str, who: str, longest: float) -> None:
        """Sleep until a caller in the line of a lane is called up, for `longest` seconds at most."""

    async def aclose(self) -> None:  # noqa: B027 - some stores have nothing to release
        """Release files and connections of the running event loop."""

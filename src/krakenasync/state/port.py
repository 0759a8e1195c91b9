"""The port through which counters, nonces and lanes are shared by processes; a store implements it.

A slot on a counter is *booked*, not polled for: the points are charged at once, in the order of asking, and the caller
is told when his slot is due. At that moment he asks once more, for a refusal meanwhile pushes everybody back. So a call
costs two questions at the most, and a dear one is never overtaken for ever by cheap ones.

A store never counts too low. What was charged in vain (a caller killed between booking and sending) decays like
anything else, and what a store has lost (a flushed server, an empty replica) is taken for full as soon as a client
that remembers more asks again; see `krakenasync.state.recall`.

`krakenasync.testing.conformance` holds what every store has to do.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

__all__ = ["PICKUP", "QUARANTINE", "SCHEMA", "Booking", "Limit", "Standing", "Store"]

SCHEMA: Final = 1
"""The version of what stores keep. Another one is refused at the start instead of being misread."""

PICKUP: Final = 1.0
"""Seconds in which the next in line has to take up the lane that was handed to it; it may be dead."""
QUARANTINE: Final = 2.0
"""Seconds for which a lane is taken for occupied after a store has lost it: somebody may be under way."""


class Limit(NamedTuple):
    """A counter's limit as one client applies it.

    Attributes:
        cap: Points up to which slots are due at once.
        decay: Points that drain away in a second.
    """

    cap: float
    decay: float


class Booking(NamedTuple):
    """A slot on a counter.

    Attributes:
        name: The counter.
        limit: Its limit.
        cost: Points charged; 0 if nothing was booked, because the wait would have been too long.
        wait: Seconds until the slot is due; 0: it is due now and needs no `Store.send`.
        level: Points on the counter, all bookings included.
        due: The moment the slot is due, in microseconds of the store's clock.
    """

    name: str
    limit: Limit
    cost: float
    wait: float
    level: float
    due: int

    @property
    def made(self) -> bool:
        """Whether anything was booked."""
        return self.cost > 0


class Standing(NamedTuple):
    """How a counter stands.

    Attributes:
        level: Points on it, all bookings included.
        blocked_for: Seconds for which nothing is sent.
    """

    level: float
    blocked_for: float


class Store(Protocol):
    """Counters, nonces and lanes that several clients share. Every method is atomic for all of them.

    All raise `StateUnavailable` if the store does not answer. Names tell neither key nor secret.
    """

    async def start(self) -> None:
        """Find out whether the store can be used at all; called before anything else, and only once needed.

        Raises:
            ConfigurationError: It never can be: read-only, of another schema, without scripting, ....
        """
        ...

    async def book(
        self, name: str, limit: Limit, cost: float, *, headroom: float = 0.0, longest: float = 1e9, initial: float = 0.0
    ) -> Booking:
        """Charge `cost` points and say when the call may be sent.

        Args:
            name: The counter.
            limit: Its limit.
            cost: Points, above 0.
            headroom: Points of the cap left to others.
            longest: Seconds of waiting that still make sense; nothing is booked beyond.
            initial: Points on a counter that the store has never seen.
        """
        ...

    async def send(self, booking: Booking) -> float:
        """Ask at the due time whether to send now: 0, or the seconds by which a refusal elsewhere put it off."""
        ...

    async def give_back(self, booking: Booking) -> None:
        """Give a slot back that was not used.

        Once due, a slot decays: so much less comes back, for the counter must not fall below the calls of others.
        """
        ...

    async def adjust(
        self, name: str, limit: Limit, *, delta: float = 0.0, floor: float = 0.0, block: float = 0.0
    ) -> Standing:
        """Correct a counter by what Kraken's answers tell.

        Args:
            name: The counter.
            limit: Its limit.
            delta: Points to add; negative ones are taken off.
            floor: Points it holds at the least.
            block: Seconds for which nobody sends.
        """
        ...

    async def peek(self, name: str, limit: Limit) -> Standing:
        """Look at a counter, without changing it."""
        ...

    async def nonce(self, name: str, unit: str, floor: int = 0) -> int:
        """Return a nonce above all that were handed out for that key in this unit, and above `floor`."""
        ...

    async def enter(self, name: str, who: str, *, lease: float, unit: str, floor: int = 0) -> int:
        """Wait for the lane of a key, first come, first served, and return the nonce to send.

        A cancelled caller is out of the line. One that is killed in the lane loses it after `lease` seconds.

        Args:
            name: The key.
            who: Names the caller; one name waits once at a time.
            lease: Seconds after which the lane is free even if nobody left it.
            unit: The nonce's unit.
            floor: The nonce will be above.
        """
        ...

    async def leave(self, name: str, who: str) -> None:
        """Leave the lane, and hand it to the next in line."""
        ...

    async def aclose(self) -> None:
        """Let go of files and connections of the running event loop."""
        ...

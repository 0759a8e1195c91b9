"""What a store may be asked, and what it answers: the small values of `krakenasync.state.port`."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

__all__ = [
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
]


class Limit(NamedTuple):
    """A counter's limit as one client applies it.

    Attributes:
        cap: Points up to which slots are due at once.
        decay: Points that drain away in a second.
    """

    cap: float
    decay: float


class Booking(NamedTuple):
    """A slot on a counter: the answer to `Book`.

    Attributes:
        name: The counter.
        limit: Its limit.
        cost: Points charged; 0 if nothing was booked, because the wait would have been too long.
        wait: Seconds until the slot is due; 0: it is due now and needs no `Send`.
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

    @property
    def booked(self) -> int:
        """When the slot was booked, in microseconds of the store's clock."""
        return self.due - round(self.wait * 1e6)


class Standing(NamedTuple):
    """How a counter stands.

    Attributes:
        level: Points on it, all bookings included.
        blocked_for: Seconds for which nothing is sent.
        pace: The share of the decay that is used; below 1 for a while after a refusal.
        margin: Points of the cap that are left free; above 0 for a while after several refusals.
    """

    level: float
    blocked_for: float
    pace: float = 1.0
    margin: float = 0.0


class Entry(NamedTuple):
    """The answer to a request to enter a lane.

    Attributes:
        nonce: The nonce to send; 0: not yet.
        wait: Seconds after which to ask again, even without being called up. Below 0: a slot was not due, so the
            caller is not in line either.
    """

    nonce: int
    wait: float


class Book(NamedTuple):
    """Charge `cost` points and say when the call may be sent; answered with a `Booking`.

    Attributes:
        name: The counter.
        limit: Its limit.
        cost: Points, above 0.
        longest: Seconds of waiting that still make sense; nothing is booked for a longer wait.
        initial: Points on a counter that the store has never seen.
    """

    name: str
    limit: Limit
    cost: float
    longest: float = 1e9
    initial: float = 0.0


class Send(NamedTuple):
    """Ask at the due time whether to send now: 0, or the seconds after which a slot has to be booked again.

    That is so while all are blocked, and for slots booked before a refusal, a block or a call that does not wait for
    room: what they relied on is used up.

    Attributes:
        name: The counter.
        limit: Its limit.
        booked: When the slot was booked, in microseconds of the store's clock. 0: it has been used, and only a block
            is asked about.
    """

    name: str
    limit: Limit
    booked: int = 0


class GiveBack(NamedTuple):
    """Give back a slot that was not used.

    Once due, a slot decays, and that much less is given back, because the counter must not fall below the calls of
    others. Nothing is given back for one booked before a refusal or a block: the level set since does not include it.
    """

    name: str
    limit: Limit
    cost: float
    due: int
    booked: int = 0


class Adjust(NamedTuple):
    """Correct a counter by what Kraken's answers show; answered with its `Standing`.

    Attributes:
        name: The counter.
        limit: Its limit.
        delta: Points to add; negative ones are taken off.
        floor: Its least level afterwards, in points.
        block: Seconds for which nothing may be sent.
        overdraws: Whether the points are those of a call that does not wait for room.
    """

    name: str
    limit: Limit
    delta: float = 0.0
    floor: float = 0.0
    block: float = 0.0
    overdraws: bool = False


class Refuse(NamedTuple):
    """Report that Kraken refused a call that the counter had let through; answered with its `Standing`.

    All that share the counter pause, then continue more slowly, by the rule of `krakenasync.state.caution`.

    Attributes:
        name: The counter.
        limit: Its limit.
        floor: Its least level afterwards, in points: what Kraken's own counter must stand at.
        ago: Seconds since the call was sent. One sent before the last refusal became known belongs to that episode.
        most: The largest margin that still lets the most expensive call through.
    """

    name: str
    limit: Limit
    floor: float
    ago: float
    most: float


class Peek(NamedTuple):
    """Look at a counter without changing it; answered with its `Standing`."""

    name: str
    limit: Limit


class Nonce(NamedTuple):
    """Make a nonce above all those handed out for the key in this unit, and above `floor`."""

    name: str
    unit: str
    floor: int = 0


class Enter(NamedTuple):
    """Take a place in the lane of a key, first come, first served, or stand in line; answered with an `Entry`.

    Attributes:
        name: The key.
        who: The caller's name; a name can wait only once at a time.
        lease: Seconds after which the place is free even if it was not left.
        unit: The nonce's unit.
        floor: The nonce will be above this.
        window: The key's nonce window in ticks of the unit; all nonces under way lie within it. 0: one at a time.
        if_due: Only if every slot booked or asked for in the same question is due now.
    """

    name: str
    who: str
    lease: float
    unit: str
    floor: int = 0
    window: int = 0
    if_due: bool = False


class Leave(NamedTuple):
    """Leave the lane, or the line before it, and call the next one up."""

    name: str
    who: str


CounterStep: TypeAlias = Book | Send | GiveBack | Adjust | Refuse | Peek
Step: TypeAlias = CounterStep | Nonce | Enter | Leave

"""Cancelling an order until its end is known: the machine, without network, clock or chance.

A cancellation may be repeated without harm, unlike an order: it names one order, and an order ends once. Sent twice,
the second one is answered "Unknown order". That answer, or none at all, leaves open how the order ended: it may have
been filled first. So in the end it is looked up, always.

      Cancel ──acknowledged, gone, unclear──► Look ──ended──► Over
        ▲                                      │ ▲
        └── resting, or nowhere ── Pause ──────┘ └── not seen, not there yet ── Pause ──

An order that Kraken agreed to cancel may be shown as open for a moment longer, so it is looked at three times before it
is cancelled again: that would wait for room on the counter. An order that is seen nowhere may be too young to show. So
it is cancelled again until Kraken itself says whether it knows it; only from then on does its absence mean something.

A client's id may have named an earlier order, as Kraken keeps it unique among open orders only. So an order that is
not certain to have ended since it was first cancelled (`Earlier`) counts as absent, too, until further looks have shown
no later one.

Source: https://docs.kraken.com/api/docs/rest-api/cancel-order; https://docs.kraken.com/exchange/guides/general/errors
"""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = [
    "Acknowledged",
    "Cancel",
    "Denied",
    "Earlier",
    "Ended",
    "GaveUp",
    "Gone",
    "Look",
    "Missing",
    "NoSuchOrder",
    "Over",
    "Pause",
    "Plan",
    "Rejected",
    "Resting",
    "Unclear",
    "Unseen",
    "begin",
    "cancelled",
    "looked",
]


_LAG: Final = 3
"""Looks that have to show an order as open, after Kraken has agreed to cancel it, before it is cancelled again."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How patient a cancellation is.

    Attributes:
        cancels: The most times that the order is cancelled; 0 only looks.
        looks: Looks in all before giving up.
        absences: Looks without the order that it takes, once Kraken does not know it, before it counts as never there;
            they take longer than an order may take to show (`krakenasync.protocol.placement.Plan.margin`). There are
            no more, because by a client's id each costs five points, a third of a starter's counter.
        earlier: Looks that it takes to believe that an order which may have ended before is the one meant, if Kraken
            says at once that it knows no such open order; else it takes as many as `absences`.
        pause: Seconds after the first look; each further pause is twice as long, up to `longest`.
        longest: The longest pause, in seconds.
    """

    cancels: int = 4
    looks: int = 10
    absences: int = 3
    earlier: int = 2
    pause: float = 1.2
    longest: float = 8.0


# What a driver reports about a cancellation


class Acknowledged(msgspec.Struct, frozen=True):
    """Kraken accepted the cancellation: there is such an order."""


class Gone(msgspec.Struct, frozen=True):
    """Kraken knows no such open order: it has ended, or never existed."""


class Unclear(msgspec.Struct, frozen=True):
    """No answer, or one that asks to try again."""


class Denied(msgspec.Struct, frozen=True):
    """Kraken refused the cancellation."""


# What a driver reports about a look


class Ended(msgspec.Struct, frozen=True):
    """The order was found, filled, cancelled or expired."""


class Earlier(msgspec.Struct, frozen=True):
    """The newest order with that client's id may have ended before it was cancelled: a later one may not show yet.

    Of one that was filled that is true whenever it was, as the id may have been used again at once.
    """


class Resting(msgspec.Struct, frozen=True):
    """The order was found open."""


class Missing(msgspec.Struct, frozen=True):
    """The order was not found."""


class Unseen(msgspec.Struct, frozen=True):
    """The look itself failed."""


# What a driver is to do next


class Look(msgspec.Struct, frozen=True):
    """Look the order up.

    Attributes:
        cancels: How often it was cancelled.
        looks: Looks made before this one.
        absences: How many of them did not find it, since it can no longer be open or no cancellation is left.
        exists: Whether there certainly is such an order.
        gone: Whether Kraken has said that it knows no such open order.
        patience: Looks left that have to show it open before it is cancelled again; 0 after a cancellation that was not
            acknowledged.
        unclear: Whether a cancellation may have been carried out without an answer.
    """

    cancels: int = 0
    looks: int = 0
    absences: int = 0
    exists: bool = False
    gone: bool = False
    patience: int = 0
    unclear: bool = False


class Cancel(msgspec.Struct, frozen=True):
    """Cancel the order; `so_far` is what is known about it."""

    so_far: Look = Look()


class Pause(msgspec.Struct, frozen=True):
    """Wait some seconds, then continue with `then`."""

    seconds: float
    then: Cancel | Look


class Over(msgspec.Struct, frozen=True):
    """The order's end is known."""


class NoSuchOrder(msgspec.Struct, frozen=True):
    """There never was such an order, as far as can be seen."""


class Rejected(msgspec.Struct, frozen=True):
    """Kraken refuses to cancel the order."""


class GaveUp(msgspec.Struct, frozen=True):
    """It is not known whether the order is still open."""


def begin(plan: Plan, *, exists: bool = False) -> Cancel | Look:
    """Return the first step; if it is only to look, `exists` says whether a cancellation was acknowledged before."""
    return Cancel() if plan.cancels else Look(exists=exists, unclear=True)


def cancelled(step: Cancel, outcome: Acknowledged | Gone | Unclear | Denied) -> Look | Rejected:
    """Return what follows a cancellation: a look, unless it was denied."""
    if isinstance(outcome, Denied):
        return Rejected()
    so_far, accepted = step.so_far, isinstance(outcome, Acknowledged)
    return msgspec.structs.replace(
        so_far,
        cancels=so_far.cancels + 1,
        exists=so_far.exists or accepted,
        gone=so_far.gone or isinstance(outcome, Gone),
        patience=_LAG if accepted else 0,
        unclear=so_far.unclear or isinstance(outcome, Unclear),
    )


def looked(
    plan: Plan, step: Look, sight: Ended | Earlier | Resting | Missing | Unseen
) -> Over | Pause | NoSuchOrder | GaveUp:
    """Return what follows a look."""
    if isinstance(sight, Ended):
        return Over()
    missing, resting = isinstance(sight, Missing | Earlier), isinstance(sight, Resting)
    patience = max(0, step.patience - 1)
    seen = msgspec.structs.replace(
        step,
        looks=step.looks + 1,
        absences=step.absences + (missing and (step.gone or step.exists or step.cancels >= plan.cancels)),
        exists=step.exists or resting,
        patience=patience,
    )
    enough = seen.absences >= (plan.absences if seen.unclear or seen.exists else plan.earlier)
    if isinstance(sight, Earlier) and enough:
        return Over()
    if seen.gone and not seen.exists and seen.absences >= plan.absences:
        return NoSuchOrder()
    if seen.looks >= plan.looks:
        return GaveUp()
    seconds = min(plan.longest, plan.pause * 2**step.looks)
    again = (resting and not patience) or (missing and not seen.exists and not seen.gone)
    if not again or seen.cancels >= plan.cancels:
        return Pause(seconds, seen)
    return Pause(0.0 if step.patience else seconds, Cancel(seen))  # with patience, the looks have taken long enough

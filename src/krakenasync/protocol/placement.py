"""Placing an order exactly once: the machine, without network, clock or chance.

What makes it possible is the order's *deadline*: the engine accepts no request after it. So if no answer comes, the
machine waits until the deadline has certainly passed; only a look made then can prove that there is no order, and only
then is it sent again, with the same `cl_ord_id` and a new deadline. A `cl_ord_id` alone would not do, because Kraken
keeps it unique among open orders only: a filled market order leaves the id free.

        ┌────────────────────────────── absent for certain ─────────────────────────────┐
        ▼                                                                               │
      Send ──unknown──► Glance ──not seen──► Wait ──deadline + margin──► Look ──not yet─┤
        │ placed           │ seen                                         │ seen        │ out of tries
        ▼                  ▼                                              ▼             ▼
      Done               Done                                           Done    NotPlaced, GaveUp

Each step is a class; a driver carries it out and asks the function named after it what comes next. Times are
nanoseconds on a clock that is never ahead of Kraken's.

It works as long as an order shows, open or closed, within `Plan.margin` and one `Plan.pause` after its deadline (three
pauses before it is sent again): no client can tell an order that does not show yet from one that does not exist.

Sources: https://docs.kraken.com/api/docs/rest-api/add-order (deadline),
    https://docs.kraken.com/api/docs/guides/spot-clordid (uniqueness),
    https://docs.kraken.com/exchange/guides/general/errors (an order may rest although its deadline elapsed)
"""

from __future__ import annotations

import msgspec

from krakenasync.protocol.servertime import SECOND

__all__ = [
    "Absent",
    "Done",
    "Found",
    "GaveUp",
    "Glance",
    "Late",
    "Look",
    "NotPlaced",
    "Placed",
    "Plan",
    "Refused",
    "Rejected",
    "Send",
    "Sight",
    "Stranger",
    "Suspect",
    "Taken",
    "Unknown",
    "Unseen",
    "Wait",
    "begin",
    "glanced",
    "looked",
    "resume",
    "sent",
    "waited",
]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How patient a placement is.

    Attributes:
        margin: Nanoseconds after the deadline before a look counts: the time a fresh order may take to show.
        absences: How many looks without the order it takes before it counts as absent.
        doubts: How many it takes before the order is sent again: for some seconds an order that has just been filled
            may be neither among the open orders nor among the closed ones.
        looks: Looks in all, failed ones included, before giving up.
        pause: Nanoseconds between the first two looks; each further pause is twice as long.
        sends: The most times that the order is sent.
        resubmit: Whether it is sent again at all.
    """

    margin: int = 2 * SECOND
    absences: int = 2
    doubts: int = 3
    looks: int = 6
    pause: int = SECOND
    sends: int = 3
    resubmit: bool = True


# What a driver reports of a send


class Placed(msgspec.Struct, frozen=True):
    """Kraken confirmed the order."""


class Refused(msgspec.Struct, frozen=True):
    """Kraken refused the order, or nothing was ever sent: there is no order."""


class Late(msgspec.Struct, frozen=True):
    """Kraken found the deadline too near: the request was too long on its way. There is no order."""


class Taken(msgspec.Struct, frozen=True):
    """Kraken says that an open order has this `cl_ord_id` already."""


class Unknown(msgspec.Struct, frozen=True):
    """The outcome is not known. `deadline` is the latest one that was sent."""

    deadline: int


Outcome = Placed | Refused | Late | Taken | Unknown


# What a driver reports of a look


class Found(msgspec.Struct, frozen=True):
    """The order is there, open or closed."""


class Absent(msgspec.Struct, frozen=True):
    """Open and closed orders were read whole, and it is in neither."""


class Suspect(msgspec.Struct, frozen=True):
    """There is an order that may be ours: one without a `cl_ord_id`, or an earlier one with our `cl_ord_id`."""


class Stranger(msgspec.Struct, frozen=True):
    """Another order has our `cl_ord_id`."""


class Unseen(msgspec.Struct, frozen=True):
    """The look itself failed."""


Sight = Found | Absent | Suspect | Stranger | Unseen


# What a driver is to do next


class Send(msgspec.Struct, frozen=True):
    """Send the order, with a deadline made at the last moment. `number` counts from 1."""

    number: int


class Glance(msgspec.Struct, frozen=True):
    """Look at the open orders once, now: if it is there, all is well; if it is not, that proves nothing yet."""

    number: int
    deadline: int


class Look(msgspec.Struct, frozen=True):
    """Look at the open orders, then at the closed ones; in this order, because orders only move that way.

    Attributes:
        number: How often the order was sent.
        looks: Looks made before this one.
        absences: How many of them did not find it.
        taken: Whether Kraken has said that the id is in use: then there is an order, seen or not.
    """

    number: int
    looks: int = 0
    absences: int = 0
    taken: bool = False


class Wait(msgspec.Struct, frozen=True):
    """Wait until that moment, then continue with `then`."""

    until: int
    then: Look


class Done(msgspec.Struct, frozen=True):
    """There is one order."""

    adopted: bool
    """Whether it was found by looking, instead of confirmed by an answer."""


class Rejected(msgspec.Struct, frozen=True):
    """There is no order; Kraken's refusal says why."""


class NotPlaced(msgspec.Struct, frozen=True):
    """There is no order, and none of the requests can still become one."""


class GaveUp(msgspec.Struct, frozen=True):
    """The outcome is still not known; `resume` starts looking again.

    Attributes:
        number: How often the order was sent.
        taken: Whether Kraken has said that the id is in use.
    """

    number: int
    taken: bool = False


def begin() -> Send:
    """Return the first step."""
    return Send(1)


def sent(plan: Plan, step: Send, outcome: Outcome) -> Send | Done | Rejected | Look | Glance:
    """Return what follows a send."""
    match outcome:
        case Placed():
            return Done(adopted=False)
        case Refused():
            return Rejected()
        case Late():
            return Send(step.number + 1) if _again(plan, step) else Rejected()
        case Taken():
            return Look(step.number, taken=True)
        case Unknown(deadline):
            return Glance(step.number, deadline)


def glanced(plan: Plan, step: Glance, sight: Sight) -> Done | Wait:
    """Return what follows a glance. Before the deadline has passed, not finding the order proves nothing."""
    if isinstance(sight, Found):
        return Done(adopted=True)
    return Wait(step.deadline + plan.margin, Look(step.number))


def waited(step: Wait) -> Look:
    """Return what follows a wait."""
    return step.then


def looked(plan: Plan, step: Look, sight: Sight, now: int) -> Done | Wait | Send | Rejected | NotPlaced | GaveUp:
    """Return what follows a look that was made after the deadline."""
    absences = step.absences
    match sight:
        case Found():
            return Done(adopted=True)
        case Stranger() if step.taken:
            return Rejected()
        case Absent():
            absences += 1
        case Suspect() | Stranger() | Unseen():
            pass  # it proves nothing either way; a later look may see the order itself
    again = _again(plan, step)
    if absences >= (plan.doubts if again else plan.absences) and not step.taken:
        return Send(step.number + 1) if again else NotPlaced()
    looks = step.looks + 1
    if looks >= plan.looks:
        return GaveUp(step.number, step.taken)
    pause = plan.pause * 2**step.looks
    return Wait(now + pause, Look(step.number, looks, absences, step.taken))


def resume(plan: Plan, end: GaveUp, deadline: int) -> Wait:
    """Return the step that looks again after a placement gave up; what Kraken has said still holds."""
    return Wait(deadline + plan.margin, Look(end.number, taken=end.taken))


def _again(plan: Plan, step: Send | Look) -> bool:
    return plan.resubmit and step.number < plan.sends

"""How the limiter behaves after Kraken refused a call that our own count allowed.

Another program uses the key, or the tier is not what was configured. So: believe Kraken, pause for a time that doubles,
then continue more slowly and recover. The figures come from simulations of a second program on the key: only filling
the counter livelocks when refused calls prolong the restriction.
"""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["CALM", "Caution", "after_refusal", "margin_at", "pace_at"]

FIRST_PAUSE: Final = 5.0
LONGEST_PAUSE: Final = 60.0
SLOWER: Final = 0.8
SLOWEST: Final = 0.1
RECOVERY: Final = 3600.0
"""Seconds in which the pace recovers from zero to full."""
MARGIN: Final = 3.0
"""Points kept free after each further refusal."""
MARGIN_FADES: Final = 1800.0


class Caution(msgspec.Struct, frozen=True, array_like=True):
    """What the refusals so far have taught us. All times are seconds of one steady clock.

    Attributes:
        since: When the last refusal became known.
        pace: The share of the decay used at that moment.
        margin: Points of the cap left free at that moment.
        pause: The last pause; the next one is twice as long, unless things went well for a while.
        until: The time before which nothing is sent.
        refusals: How many episodes there were.
    """

    since: float = float("-inf")
    pace: float = 1.0
    margin: float = 0.0
    pause: float = 0.0
    until: float = float("-inf")
    refusals: int = 0


CALM: Final = Caution()


def pace_at(caution: Caution, now: float) -> float:
    """Return the share of the tier's decay to use; it recovers steadily to 1."""
    if caution.pace >= 1.0:
        return 1.0
    return min(1.0, caution.pace + (now - caution.since) / RECOVERY)


def margin_at(caution: Caution, now: float) -> float:
    """Return the points of the cap to leave free; they fade to 0."""
    if not caution.margin:
        return 0.0
    return caution.margin * max(0.0, 1.0 - (now - caution.since) / MARGIN_FADES)


def after_refusal(caution: Caution, now: float, *, sent: float, most: float) -> Caution:
    """Learn from a refusal.

    Args:
        caution: What was known.
        now: When the refusal became known.
        sent: When the refused call was sent. One sent before the last refusal became known belongs to that episode.
        most: The largest margin that still lets the most expensive call through.
    """
    if sent <= caution.since:
        return caution
    again = now - caution.until <= LONGEST_PAUSE
    pause = min(LONGEST_PAUSE, caution.pause * 2) if again and caution.pause else FIRST_PAUSE
    margin = min(most, margin_at(caution, now) + MARGIN) if again and caution.pause else margin_at(caution, now)
    return Caution(
        since=now,
        pace=max(SLOWEST, pace_at(caution, now) * SLOWER),
        margin=margin,
        pause=pause,
        until=max(caution.until, now + pause),
        refusals=caution.refusals + 1,
    )

"""What `krakenasync.client.limits.Limits.snapshot` returns: how every counter stands at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from krakenasync.client.queueing import Lane

if TYPE_CHECKING:
    from krakenasync.client.gates import Gate
    from krakenasync.state.bucket import Bucket

__all__ = ["CounterSnapshot", "LimitsSnapshot", "snapshot_of"]

_NOBODY: Final = (0,) * len(Lane)
"""Calls in line where there is no queue, by lane."""


class CounterSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One counter at one moment.

    Attributes:
        level: Points on the counter that are already decaying.
        held: Points of calls in flight or just answered. `level + held` passes `cap` only after a refusal, or through
            calls that are carried out whatever the counter says, such as a batch cancel.
        cap: Points at which Kraken refuses.
        decay: Points a second now; below the tier's own for a while after a refusal.
        waiting: Calls in line.
        waiting_by_lane: The same for (urgent, normal, background).
        blocked_for: Seconds for which nothing is sent, because Kraken said so.
        refusals: Calls that Kraken refused because this counter was full, since the start.
    """

    level: float
    held: float
    cap: float
    decay: float
    waiting: int
    waiting_by_lane: tuple[int, ...]
    blocked_for: float
    refusals: int


class LimitsSnapshot(dict[str, CounterSnapshot]):
    """All counters of a client, by name: ``"rest"``, ``"public"``, ``"public:XBTUSD"``, ``"engine:XBTUSD"``."""

    @property
    def rest(self) -> CounterSnapshot:
        """The counter of private calls."""
        return self["rest"]

    @property
    def public(self) -> CounterSnapshot:
        """The counter of public calls."""
        return self["public"]


def snapshot_of(bucket: Bucket, gate: Gate | None) -> CounterSnapshot:
    """Return how a counter stands now.

    Args:
        bucket: The counter.
        gate: The queue in front of it; None if there has been no call to wait.
    """
    state, waiting = bucket.state(), gate.queue.counts() if gate else _NOBODY
    return CounterSnapshot(
        level=state.level,
        held=state.held,
        cap=state.cap,
        decay=state.decay,
        waiting=sum(waiting),
        waiting_by_lane=waiting,
        blocked_for=state.blocked_for,
        refusals=state.refusals,
    )

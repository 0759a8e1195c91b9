"""A counter in this process: aiolimiter does the accounting, this adds what else Kraken's counter does."""

from __future__ import annotations

import heapq
import math
import threading
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiolimiter import AsyncLimiter

from krakenasync.clock import Clock
from krakenasync.protocol.charges import DEAREST
from krakenasync.protocol.tiers import CounterSpec
from krakenasync.state.caution import CALM, Caution, after_refusal, margin_at, pace_at
from krakenasync.state.steps import Steps

__all__ = ["Bucket", "BucketState"]

_DUST: Final = 1e-9
"""aiolimiter counts in floats; a billionth of a point decides nothing."""
_NEVER: Final = -math.inf
_NOTHING: Final = -math.inf
"""Not even 0 points fit: a call that costs nothing waits for the end of a block as well."""


class BucketState(msgspec.Struct, frozen=True, kw_only=True):
    """One counter as we believe it to stand at Kraken.

    Attributes:
        level: Points on the counter that are already decaying.
        held: Points of calls in flight, or answered so recently that they may not decay yet.
        cap: Points at which Kraken refuses.
        decay: Points a second now; below the tier's own after a refusal.
        blocked_for: Seconds for which nothing is sent.
        refusals: How often Kraken refused a call that this counter had let through.
    """

    level: float
    held: float
    cap: float
    decay: float
    blocked_for: float
    refusals: int

    @property
    def points(self) -> float:
        """All points on the counter, those of calls in flight included."""
        return self.level + self.held


class _Time:
    """All that aiolimiter's accounting needs of an event loop: the time, now or when something ripened."""

    __slots__ = ("time",)

    def __init__(self, time: Callable[[], float]) -> None:
        self.time = time


class Bucket(AsyncLimiter):
    """Kraken's counter: `AsyncLimiter` does exactly its arithmetic, to which this adds the following.

    * Points are *held* while a call is in flight: they do not decay until the answer has arrived, so the counter is
      "never above the cap" at any latency.
    * `step`: Kraken reduces its counter only every couple of seconds; a call has to fit that counter too (`Steps`).
    * Giving back, reading, filling, slowing down.

    Attributes:
        blocked_until: When calls may be sent again, on the steady clock; it only ever moves forward.

    It never waits: `krakenasync.client.gates.Gate` does, in fair order. Safe to use from several threads.
    """

    _loop: Any = None  # aiolimiter's own looks for a running event loop

    def __init__(self, spec: CounterSpec, clock: Clock, *, step: float = 0.0, initial: float = 0.0) -> None:
        super().__init__(spec.cap, spec.cap / spec.decay)
        self._clock = clock
        # No event loop is bound, so the counter outlives loops and serves trio as well.
        self._loop = self._now = _Time(clock.monotonic)
        self._last_check = clock.monotonic()
        self._level = min(initial, spec.cap)
        self.spec = spec
        self._steps = Steps(spec, step) if step else None
        self._note(self._last_check, self._level)
        self._lock = threading.Lock()
        self._held = 0.0
        # Points that fit without reading the clock, as of the last reading. Whatever then decays, ripens, is settled or
        # given back leaves at least as much room.
        self._spare = 0.0
        self._ripening: list[tuple[float, float]] = []
        self._caution = CALM
        self.blocked_until = _NEVER

    def _note(self, at: float, cost: float) -> None:
        if self._steps is not None:
            self._steps.note(at, cost)

    def _settled(self) -> float:
        """Bring the account up to date, and return the current time."""
        if self._ripening:
            self._ripen(self._clock.monotonic())
        self._leak()
        now = self._last_check
        if self._caution is not CALM and self._caution.pace < 1.0:
            self._rate_per_sec = self.spec.decay * pace_at(self._caution, now)
        return now

    def _ripen(self, now: float) -> None:
        """Let points that were kept for a grace period begin to decay, each at its own time."""
        while self._ripening and self._ripening[0][0] <= now:
            ripe, cost = heapq.heappop(self._ripening)
            self._loop = _Time(lambda: ripe)  # noqa: B023 - asked before the next round
            self._leak()
            self._loop = self._now
            self._held -= cost
            self._level += cost
            self._note(ripe, cost)

    def _missing(self, cost: float, now: float) -> float:
        """Points by which a call of `cost` would pass the cap."""
        missing = self._level + self._held + cost - self.max_rate
        return missing if self._caution is CALM else missing + margin_at(self._caution, now)

    def try_reserve(self, cost: float) -> bool:
        """Hold `cost` points if they fit now."""
        with self._lock:
            if cost > self._spare:
                now = self._settled()
                if self.blocked_until > now or self._missing(cost, now) > _DUST:
                    return False
                if self._steps is not None and self._steps.wait(self._held + cost, now) > 0:
                    return False
                self._spare = self._undecayed()
            self._spare -= cost
            self._held += cost
            return True

    def _undecayed(self) -> float:
        """Points that still fit if nothing more decays."""
        if self.blocked_until != _NEVER:  # Kraken has refused a call: not all of the cap is ours
            return _NOTHING
        spare = self.max_rate - self._level - self._held
        return spare if self._steps is None else min(spare, self._steps.unreduced() - self._held)

    def reserve(self, cost: float) -> None:
        """Hold `cost` points whether they fit or not: for calls that Kraken carries out whatever its counter says."""
        with self._lock:
            self._settled()
            self._spare -= cost
            self._held += cost

    def delay(self, cost: float, ahead: float = 0.0) -> float:
        """Return the seconds until `cost` points can fit at the earliest, after calls of `ahead` points.

        A lower bound, because calls in flight may take longer; 0 means "try now".
        """
        with self._lock:
            now = self._settled()
            decayed = self._decayed(self._missing(cost + ahead, now), now)
            return max(decayed, self._unreduced(cost + ahead, now), self.blocked_until - now, 0.0)

    def _unreduced(self, cost: float, now: float) -> float:
        """Return the seconds until a counter that falls in steps has certainly fallen far enough."""
        return 0.0 if self._steps is None else self._steps.wait(self._held + cost, now)

    def _decayed(self, missing: float, now: float) -> float:
        """Return the seconds until `missing` points have decayed; held points begin to decay when they are ripe."""
        if missing <= _DUST:
            return 0.0
        level, at = self._level, now
        for ripe, cost in sorted(self._ripening):
            drained = min(level, (ripe - at) * self._rate_per_sec)
            if missing <= drained:
                break
            missing, level, at = missing - drained, level - drained + cost, ripe
        return at - now + missing / self._rate_per_sec

    def settle(self, cost: float) -> None:
        """Let `cost` points begin to decay, because the answer has arrived."""
        with self._lock:
            now = self._settled()
            self._held -= cost
            self._level += cost
            if self._steps is not None:
                self._steps.note(now, cost)

    def keep(self, cost: float, grace: float) -> None:
        """Hold the points of a call without an answer for `grace` seconds more, because it may still arrive."""
        with self._lock:
            heapq.heappush(self._ripening, (self._settled() + grace, cost))

    def refund(self, cost: float) -> None:
        """Give `cost` held points back."""
        with self._lock:
            self._settled()
            self._held -= cost

    def refused(self, cost: float, *, sent: float) -> None:
        """Correct the counter after Kraken refused a call that it had let through: raise it, pause, slow down."""
        with self._lock:
            now = self._settled()
            before = self._caution
            self._caution = after_refusal(before, now, sent=sent, most=max(0.0, self.max_rate - DEAREST))
            if self._caution is before:
                return
            # The refused call may have been counted as well. Of the held points only those that ripen are in Kraken's
            # count: the rest may be given back unsent.
            kept = sum(points for _ripe, points in self._ripening)
            before_it = self._level
            self._level = max(self._level, self.max_rate + cost - kept)
            self._note(now, self._level - before_it)
            self.blocked_until = max(self.blocked_until, self._caution.until)
            self._spare = _NOTHING
            self._rate_per_sec = self.spec.decay * self._caution.pace

    def overdrawn(self) -> bool:
        """Whether a call that does not wait for room has taken the counter past the cap that others relied on."""
        with self._lock:
            return self._missing(0.0, self._settled()) > _DUST

    def block(self, seconds: float) -> None:
        """Let nothing be sent for this many seconds."""
        with self._lock:
            self.blocked_until = max(self.blocked_until, self._clock.monotonic() + seconds)
            self._spare = _NOTHING

    def state(self) -> BucketState:
        """Return how the counter stands now."""
        with self._lock:
            now = self._settled()
            return BucketState(
                level=self._level,
                held=self._held,
                cap=self.max_rate,
                decay=self._rate_per_sec,
                blocked_for=max(0.0, self.blocked_until - now),
                refusals=self._caution.refusals,
            )

    @property
    def caution(self) -> Caution:
        """What refusals have taught this counter."""
        return self._caution

    def at_rest(self) -> bool:
        """Whether forgetting the counter would change nothing."""
        state = self.state()
        return not (state.level or state.held or state.blocked_for) and self._caution is CALM

    def __repr__(self) -> str:
        state = self.state()
        return f"<Bucket {state.points:.2f} of {state.cap:g}, -{state.decay:g}/s>"

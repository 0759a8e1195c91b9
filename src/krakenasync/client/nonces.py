"""The lane of a key: nonces reach Kraken in the order in which they were made.

A lock around making the nonce is not enough: two requests may still overtake each other on the network. So a key has
one private call in flight, from its nonce to its answer, unless its owner has set a nonce window at Kraken and said so.
Not to be confused with `Lane`, a call's priority in every queue, including the queue of this lane.

Source: https://docs.kraken.com/api/docs/guides/spot-rest-auth,
    https://support.kraken.com/hc/en-us/articles/360001148023-What-is-a-nonce-window-
"""

from __future__ import annotations

import logging
import math
import threading
import weakref
from collections.abc import Awaitable
from typing import Any, Final

from krakenasync.client.frames import at_any_time
from krakenasync.client.loops import is_closed, running_loop
from krakenasync.client.queueing import Lane, Queue
from krakenasync.state.nonces import NonceSource

__all__ = ["KeyLane", "diagnosis"]

LOG: Final = logging.getLogger("krakenasync")

WIDEST: Final = 16
"""The most calls in flight, however wide the window is."""
STRAGGLING: Final = 0.25
"""The most seconds after its sending for which a call that was abandoned in flight keeps its place.

A nonce that is overtaken is refused, and Kraken locks keys out for too many of those. A request has usually arrived
after a round trip, as measured on recent calls.
"""
_FADING: Final = 0.98
"""The factor by which each answer shrinks the longest round trip seen."""


class KeyLane:
    """Lets private calls of one key through, in fair order.

    Args:
        nonces: The key's nonce source.
        window: The key's nonce window in its own ticks; 0 lets one call through at a time.
    """

    alone = True
    """Whether this lane alone keeps the key's calls in order."""

    def __init__(self, nonces: NonceSource, window: int) -> None:
        self.nonces = nonces
        self.window = window
        self._queue = Queue()
        self._flying: dict[int, float] = {}  # nonce -> when its turn began
        self._late: dict[int, float] = {}  # nonce of an abandoned call -> until when it counts
        self._trip = STRAGGLING  # until round trips are measured
        self._places = WIDEST if window > 0 else 1
        if self.alone:
            _watch_loops(nonces)

    def begin_nowait(self, lasts: float = 0.0) -> int | None:  # noqa: ARG002 - a lane of several processes needs it
        """Begin a turn if no call is ahead; `end` has to follow.

        Args:
            lasts: Seconds the attempt may take.

        Returns:
            The nonce to send now, or None if `begin` has to be awaited.
        """
        if self._queue.length or ((self._flying or self._late) and not self._open()):
            return None
        self._flying[nonce := self.nonces.next()] = self.nonces.clock.monotonic()
        return nonce

    async def begin(self, lane: Lane, lasts: float = 0.0) -> int:  # noqa: ARG002 - see above
        """Wait for a turn and return the nonce to send; `end` has to follow.

        Args:
            lane: The call's priority.
            lasts: Seconds the attempt may take.
        """
        await self._wait(lane)
        self._flying[nonce := self.nonces.next()] = self.nonces.clock.monotonic()
        return nonce

    def end(self, nonce: int, *, unanswered: bool = False) -> Awaitable[None] | None:
        """End a turn and let the next call go; return what has to be awaited for that, if anything.

        Args:
            nonce: The nonce that the turn began with.
            unanswered: The call was abandoned, and its request may still arrive: the next one waits a moment.
        """
        began, now = self._flying.pop(nonce), self.nonces.clock.monotonic()
        if not unanswered:
            self._trip = max(now - began, self._trip * _FADING)
        elif (until := began + min(self._trip, STRAGGLING)) > now:
            self._late[nonce] = until
        if self._queue.length:
            self._queue.wake_head()
        return None

    def _open(self) -> bool:
        """Whether one more call may be in flight.

        With a window, all nonces in flight have to lie within it: then even the oldest, arriving last, is accepted.
        """
        if self._late:
            now = self.nonces.clock.monotonic()
            self._late = {nonce: until for nonce, until in self._late.items() if until > now}
        under_way = [*self._flying, *self._late]
        if not under_way:
            return True
        if len(under_way) >= self._places:
            return False
        return self.nonces.peek() - min(under_way) < self.window

    async def _wait(self, lane: Lane) -> None:
        """Wait until a call may be sent."""
        waiter = self._queue.join(lane)
        try:
            while self._queue.head() is not waiter or not self._open():
                await waiter.wait(self._soonest() if self._queue.head() is waiter else math.inf)
        except BaseException:
            self._queue.leave(waiter)
            self._queue.wake_head()
            raise
        self._queue.leave(waiter)
        if self._places > 1:
            self._queue.wake_head()

    def _soonest(self) -> float:
        """Return the seconds until the first of the abandoned calls no longer counts."""
        return max(0.0, min(self._late.values(), default=math.inf) - self.nonces.clock.monotonic())

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return len(self._queue)

    @at_any_time
    def __repr__(self) -> str:
        return f"<KeyLane {len(self._flying)} in flight, {self.waiting} waiting>"


_LOOPS: weakref.WeakKeyDictionary[NonceSource, weakref.WeakSet[Any]] = weakref.WeakKeyDictionary()
_WARNED: weakref.WeakKeyDictionary[NonceSource, int] = weakref.WeakKeyDictionary()
_LOOPS_LOCK = threading.Lock()


def _watch_loops(nonces: NonceSource) -> None:
    """Warn when more live event loops than before use a key: nothing keeps their calls in order."""
    with _LOOPS_LOCK:
        loops = _LOOPS.setdefault(nonces, weakref.WeakSet())
        others = [loop for loop in loops if loop is not running_loop() and not is_closed(loop)]
        loops.add(running_loop())
        more = len(others) > _WARNED.get(nonces, 0)
        _WARNED[nonces] = max(len(others), _WARNED.get(nonces, 0))
    if more:
        LOG.warning(
            "one API key is used from %d event loops of this process: their calls can overtake each other and be "
            "refused for their nonce. Give each loop a key of its own, or share a state that serialises them",
            len(others) + 1,
        )


def diagnosis(nonces: NonceSource) -> str:
    """Return what a repeatedly refused nonce probably means, and what to do."""
    if nonces.accepted:
        return (
            "another program uses this key: Kraken advises one key per process, since each has its own counter; "
            "or set a nonce window on the key and pass nonce_window"
        )
    finer = {"ms": "'us', then 'ns'", "us": "'ns'"}.get(nonces.unit)
    if finer:
        return (
            f"no nonce of this process was ever high enough: is this machine's clock right, and was it set back? Else "
            f"the key was probably used with a finer unit than {nonces.unit!r} before: set nonce_unit to {finer}, or "
            f"make a new key; or another program uses it now"
        )
    return "no nonce of this process was ever high enough: is this machine's clock right? Else make a new key"

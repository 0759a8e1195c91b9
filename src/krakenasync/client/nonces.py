"""The lane of a key: nonces reach Kraken in the order in which they were made.

A lock around making the nonce is not enough: two requests may still overtake each other on the network. So a key has
one private call in flight, from its nonce to its answer, unless its owner has set a nonce window at Kraken and said so.

Source: https://docs.kraken.com/api/docs/guides/spot-rest-auth,
    https://support.kraken.com/hc/en-us/articles/360001148023-What-is-a-nonce-window-
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Awaitable
from typing import Any, Final

from krakenasync.client.loops import running_loop
from krakenasync.client.queueing import Lane, Queue
from krakenasync.state.nonces import NonceSource

__all__ = ["KeyLane", "diagnosis"]

LOG: Final = logging.getLogger("krakenasync")

WIDEST: Final = 16
"""Calls in flight at the most, however wide the window is."""


class Turn:
    """One call's turn in a key's lane, which gives the nonce to send now.

    What can be decided at once is decided at once; only what has to be waited for is awaited. Either of `at_once` and
    `begin` starts the turn, `end` has to follow.
    """

    __slots__ = ("_key_lane", "_lane", "_nonce")

    def __init__(self, key_lane: KeyLane, lane: Lane) -> None:
        self._key_lane = key_lane
        self._lane = lane

    def at_once(self) -> int | None:
        """Return the nonce if nobody is before; None: `begin` has to be awaited."""
        nonce = self._key_lane.at_once()
        if nonce is not None:
            self._nonce = nonce
        return nonce

    async def begin(self) -> int:
        """Wait for the turn."""
        await self._key_lane.wait(self._lane)
        self._nonce = self._key_lane.take_off()
        return self._nonce

    def end(self) -> Awaitable[None] | None:
        """Let the next call take off; return what has to be awaited for that, if anything."""
        self._key_lane.land(self._nonce)
        return None


class KeyLane:
    """Lets private calls of one key through, in fair order.

    Args:
        nonces: The key's nonce source.
        window: The key's nonce window in its own ticks; 0 lets one call through at a time.
    """

    alone = True
    """Whether nobody but this lane keeps the key's calls in order."""

    def __init__(self, nonces: NonceSource, window: int) -> None:
        self.nonces = nonces
        self.window = window
        self._queue = Queue()
        self._flying: dict[int, None] = {}
        self._places = WIDEST if window > 0 else 1
        if self.alone:
            _watch_loops(nonces)

    def turn(self, lane: Lane, lasts: float = 0.0) -> Turn:  # noqa: ARG002 - a lane of several processes has to know
        """Return a turn, which is not begun yet.

        Args:
            lane: Where the call stands in line.
            lasts: Seconds the attempt may take.
        """
        return Turn(self, lane)

    def at_once(self) -> int | None:
        """Return the nonce to send now, or None if somebody is before; after a nonce `land` has to follow."""
        if self._queue.length or (self._flying and not self._open()):
            return None
        self._flying[nonce := self.nonces.next()] = None
        return nonce

    def take_off(self) -> int:
        """Return the nonce to send now, after waiting; `land` has to follow."""
        self._flying[nonce := self.nonces.next()] = None
        return nonce

    def land(self, nonce: int) -> None:
        """End the turn."""
        del self._flying[nonce]
        if self._queue.length:
            self._queue.wake_head()

    def _open(self) -> bool:
        """Whether one more call may fly.

        With a window, all nonces in flight have to lie within it: then even the oldest, arriving last, is accepted.
        """
        if not self._flying:
            return True
        if len(self._flying) >= self._places:
            return False
        return self.nonces.peek() - next(iter(self._flying)) < self.window

    async def wait(self, lane: Lane) -> None:
        """Wait until a call may take off."""
        waiter = self._queue.join(lane)
        try:
            while self._queue.head() is not waiter or not self._open():
                await waiter.wait()
        except BaseException:
            self._queue.leave(waiter)
            self._queue.wake_head()
            raise
        self._queue.leave(waiter)
        if self._places > 1:
            self._queue.wake_head()

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return len(self._queue)

    def __repr__(self) -> str:
        return f"<KeyLane {len(self._flying)} in flight, {self.waiting} waiting>"


_LOOPS: weakref.WeakKeyDictionary[NonceSource, weakref.WeakSet[Any]] = weakref.WeakKeyDictionary()
_LOOPS_LOCK = threading.Lock()


def _watch_loops(nonces: NonceSource) -> None:
    """Say so when a second live event loop uses a key: its calls do not know of each other's order."""
    with _LOOPS_LOCK:
        loops = _LOOPS.setdefault(nonces, weakref.WeakSet())
        others = [loop for loop in loops if loop is not running_loop() and not _closed(loop)]
        loops.add(running_loop())
    if others:
        LOG.warning(
            "one API key is used from %d event loops of this process: their calls can overtake each other and be "
            "refused for their nonce. Give each loop a key of its own, or share a state that serialises them",
            len(others) + 1,
        )


def _closed(loop: Any) -> bool:
    """Whether an event loop is over; trio's say so by being gone."""
    return bool(loop.is_closed()) if hasattr(loop, "is_closed") else False


def diagnosis(nonces: NonceSource) -> str:
    """Say what a nonce that is refused again and again probably means, and what to do."""
    if nonces.accepted:
        return (
            "another program uses this key: Kraken advises one key per process, since each has its own counter; "
            "or set a nonce window on the key and pass nonce_window"
        )
    finer = {"ms": "'us', then 'ns'", "us": "'ns'"}.get(nonces.unit)
    if finer:
        return (
            f"no nonce of this process was ever high enough: the key was probably used with a finer unit than "
            f"{nonces.unit!r} before. Set nonce_unit to {finer}, or make a new key; or another program uses it now"
        )
    return "no nonce of this process was ever high enough: is this machine's clock right? Else make a new key"

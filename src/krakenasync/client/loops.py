"""Things that belong to one event loop and are shared by all clients on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from anyio.lowlevel import RunVar, checkpoint

from krakenasync.state.desk import running_loop

__all__ = ["PerLoop", "check_cancelled", "forget_closed", "is_closed", "on_asyncio", "running_loop"]

T = TypeVar("T")

_SHARED: RunVar[WeakValueDictionary[tuple[Hashable, ...], Any]] = RunVar("krakenasync")


def on_asyncio() -> bool:
    """Whether the running task is an asyncio one: in trio's guest mode, trio's tasks run on asyncio's loop."""
    try:
        return asyncio.current_task() is not None
    except RuntimeError:  # not an asyncio loop
        return False


async def check_cancelled() -> None:
    """Let a pending cancellation, or a deadline that has passed, end the caller here.

    Otherwise a call that has nothing to wait for would be written first and cancelled afterwards. asyncio takes one
    turn to notice that a deadline has passed, and one to deliver the cancellation.
    """
    await checkpoint()
    await checkpoint()


def is_closed(loop: Any) -> bool:
    """Whether an event loop has ended; for trio's this shows in that they are gone."""
    return bool(loop.is_closed()) if hasattr(loop, "is_closed") else False


def forget_closed(by_loop: dict[Any, Any]) -> None:
    """Release what belongs to loops that have ended, such as sockets; else each ``asyncio.run`` would add some."""
    for loop in tuple(by_loop):
        if is_closed(loop):
            by_loop.pop(loop, None)


class PerLoop(Generic[T]):
    """One client's view of what the running loop's clients share.

    The loop's registry holds its things weakly; each client that uses one keeps it alive. A client that is used in a
    second loop gets that loop's things.
    """

    def __init__(self) -> None:
        # One attribute, read and replaced as a whole: no thread sees one thread's loop with another's things.
        self._view: tuple[object, dict[tuple[Hashable, ...], T]] = (None, {})

    def get(self, key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
        """Return the running loop's object for that key, made on first use."""
        loop, view = running_loop(), self._view
        if view[0] is not loop:
            view = self._view = (loop, {})
        known = view[1]
        found = known.get(key)
        if found is None:
            found = known[key] = self._shared(key, make)
        return found

    def find(self, key: tuple[Hashable, ...]) -> T | None:
        """Return the object for that key if any client of the loop made it; without a loop, only if this one did."""
        found = self._view[1].get(key)
        if found is None:
            with contextlib.suppress(LookupError, RuntimeError):  # nothing is shared yet; there is no loop
                found = _SHARED.get().get(key)
        return found

    @staticmethod
    def _shared(key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
        try:
            registry = _SHARED.get()
        except LookupError:
            registry = WeakValueDictionary()
            _SHARED.set(registry)
        found: T | None = registry.get(key)
        if found is None:
            found = registry[key] = make()
        return found

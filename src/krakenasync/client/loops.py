"""Things that belong to one event loop and are shared by all clients on it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from anyio.lowlevel import EventLoopToken, RunVar, current_token

__all__ = ["PerLoop"]

T = TypeVar("T")

_SHARED: RunVar[WeakValueDictionary[tuple[Hashable, ...], Any]] = RunVar("krakenasync")


class PerLoop(Generic[T]):
    """One client's view of what the running loop's clients share.

    The loop's registry holds its things weakly; each client that uses one keeps it alive. A client that is used in a
    second loop gets that loop's things.
    """

    def __init__(self) -> None:
        self._loop: EventLoopToken | None = None
        self._known: dict[tuple[Hashable, ...], T] = {}

    def get(self, key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
        """Return the running loop's thing of that key, made on first use."""
        loop = current_token()
        if loop is not self._loop:
            self._loop, self._known = loop, {}
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._shared(key, make)
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

    def __iter__(self) -> Iterator[T]:
        return iter(self._known.values())

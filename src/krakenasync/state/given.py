"""What may be given as a client's `state`. The kinds of state are loaded for the first client, not by a mere import."""
# ruff: noqa: PLC0415 - aiolimiter reads its own metadata, and most clients share nothing with other processes

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard

from krakenasync.clock import Clock
from krakenasync.errors import ConfigurationError

if TYPE_CHECKING:
    from krakenasync.state.memory import MemoryState
    from krakenasync.state.shared import SharedState

__all__ = ["is_shared", "state_from"]

_STORE: Final = ("start", "ask", "called", "aclose")


def is_shared(state: MemoryState) -> TypeGuard[SharedState]:
    """Whether a state is shared with other processes."""
    return state.shared


def state_from(given: object, clock: Clock) -> MemoryState:
    """Read what was given as `state`: None, which means this process's, a state, a store, or the URL of one.

    All clients of a process that name the same URL share its state, including the lines in it; and so do those that
    name none, as far as they count by the same clock.

    Raises:
        ConfigurationError: The URL cannot be read, or `given` is none of these.
    """
    from krakenasync.state.memory import MemoryState, of_process

    if given is None:
        return of_process(clock)
    if isinstance(given, MemoryState):
        return given
    from krakenasync.state.shared import shared_state

    if isinstance(given, str) or all(callable(getattr(given, name, None)) for name in _STORE):
        return shared_state(given, clock)  # type: ignore[arg-type]  # only a Protocol's methods can be checked
    raise ConfigurationError(
        f"state is of type {type(given).__name__}",
        hint="a URL like 'sqlite:////path' or 'redis://host:6379/0', or a Store of your own",
    )

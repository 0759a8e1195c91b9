"""What the checks of `krakenasync.testing.conformance` have in common: two clients of one state, and new names."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import anyio

from krakenasync.state.port import Limit, Store

__all__ = ["FAST", "LATE", "SLOW", "Check", "Make", "bounded", "close", "near", "new_name", "pair"]

Make: TypeAlias = Callable[[], Store]
Check: TypeAlias = Callable[[Make], Awaitable[None]]

SLOW: Final = Limit(4.0, 0.001)
"""A decay so slow that nothing drains away during a check."""
FAST: Final = Limit(4.0, 1000.0)
LATE: Final = 2.0
"""Seconds that a busy machine may take for a few questions."""
_PATIENCE: Final = 10.0
"""Seconds after which a check has failed: a lane that nobody gets would block it forever."""


def bounded(check: Check) -> Check:
    """Make a check fail if it does not end."""

    @functools.wraps(check)
    async def run(make: Make) -> None:
        with anyio.fail_after(_PATIENCE):
            await check(make)

    return run


def new_name() -> str:
    """A name that no other check uses."""
    return f"check {uuid.uuid4()}"


def near(found: float, wanted: float, within: float = 0.01) -> bool:
    """Whether two numbers are almost equal."""
    return abs(found - wanted) <= within


async def pair(make: Make) -> tuple[Store, Store]:
    """Two clients of one state."""
    stores = make(), make()
    for store in stores:
        await store.start()
    return stores


async def close(*stores: Store) -> None:
    """Close the stores."""
    for store in stores:
        await store.aclose()

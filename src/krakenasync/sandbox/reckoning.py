"""The sandbox's decimal context: the usual 28 digits, whatever the surrounding program has set."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Context, localcontext
from typing import ParamSpec, TypeVar

from krakenasync.protocol.exact import EXACT

__all__ = ["as_usual", "usual"]

P = ParamSpec("P")
R = TypeVar("R")

_USUAL = EXACT.copy()
_USUAL.prec = 28


def usual() -> AbstractContextManager[Context]:
    """Use that context inside the block, for the running task only."""
    return localcontext(_USUAL)


def as_usual(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function in that context."""

    @functools.wraps(function)
    def reckoned(*args: P.args, **kwargs: P.kwargs) -> R:
        with usual():
            return function(*args, **kwargs)

    return reckoned

"""What a traceback may reveal: some tools show the local variables of each frame, and some frames contain secrets.

Where that cannot be avoided, the error is raised without the frame. The caller's own frames, above ours, are left as
they are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import FrameType
from typing import ParamSpec, TypeVar

from krakenasync.errors import KrakenError

__all__ = ["at_any_time", "bare", "discreet", "told"]

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
E = TypeVar("E", bound=BaseException)


def bare(error: E) -> E:
    """Drop the frames of an error that was just caught, and of all errors that led to it; their messages stay.

    An error that the caller was already handling is left alone. What we raise ``from None`` is cut off from what led to
    it, which is hidden because it may itself be revealing, as is a `UnicodeError`, which contains the whole text.
    """
    caught = error.__traceback__
    above = set(_callers(caught.tb_frame)) if caught else set()
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        # An error's first frame is the one that caught it; if that is still running above us, we did not raise it.
        if each is not error and each.__traceback__ is not None and each.__traceback__.tb_frame in above:
            continue
        each.__traceback__ = None
        if each.__suppress_context__ and isinstance(each, KrakenError):
            each.__context__ = None
        pending += (each.__cause__, each.__context__)
        if isinstance(each, BaseExceptionGroup):
            pending += each.exceptions
    return error


def _callers(frame: FrameType) -> Iterator[FrameType]:
    """Yield the frames that wait for this one."""
    while (above := frame.f_back) is not None:
        yield above
        frame = above


def told(error: E) -> E:
    """Do as `bare`, but keep a note of where an error was raised that is not one of ours, as it was unexpected."""
    if isinstance(error, Exception) and not isinstance(error, KrakenError):
        from traceback import format_tb  # noqa: PLC0415 - a millisecond, for what should not happen

        places = "".join(format_tb(error.__traceback__)[1:])
        note = f"raised here; the frames are not kept, as they hold secrets:\n{places}"
        if places and note not in getattr(error, "__notes__", ()):  # the same error may be raised again and again
            error.add_note(note)
    return bare(error)


def discreet(make: Callable[P, R]) -> Callable[P, R]:
    """Make a function that handles a secret raise its errors from a frame without one."""

    @functools.wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return make(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - an interruption shows the same frames
            del args, kwargs
            raise told(error)  # noqa: B904 - it is the same error

    return made


def at_any_time(show: Callable[[S], str]) -> Callable[[S], str]:
    """Make a `__repr__` safe before `__init__` is done: tools that show local variables call it even then."""

    @functools.wraps(show)
    def shown(it: S) -> str:
        try:
            return show(it)
        except AttributeError:
            return f"<{type(it).__name__}, not built>"

    return shown

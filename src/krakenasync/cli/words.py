"""The words of a command line: options of all commands may come before the command as well as after it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final

import msgspec

from krakenasync.errors import InvalidArguments

__all__ = ["FLAGS", "VALUES", "Voice", "arrange", "leading", "speak", "voice"]

FLAGS: Final = frozenset({"--sandbox", "--json", "--csv"})
VALUES: Final = frozenset({"--profile", "--tier", "--base-url"})
"""Options of all commands, without and with a value."""
QUIET: Final = frozenset({"--quiet", "-q"})
VERBOSE: Final = frozenset({"--verbose", "-v"})


class Voice(msgspec.Struct, frozen=True):
    """How much is printed to standard error.

    Attributes:
        quiet: Errors only.
        verbose: Every step of every call too.
    """

    quiet: bool = False
    verbose: bool = False


_USUAL: Final = Voice()
_VOICE: ContextVar[Voice] = ContextVar("krakenasync_voice", default=_USUAL)


def voice() -> Voice:
    """Return how much the running command prints."""
    return _VOICE.get()


def speak(chosen: Voice) -> None:
    """Set how much is printed from now on."""
    _VOICE.set(chosen)
    log = logging.getLogger("krakenasync")
    log.handlers = [each for each in log.handlers if not isinstance(each, _ToStandardError)]
    log.setLevel(logging.DEBUG if chosen.verbose else logging.NOTSET)
    if not chosen.quiet:
        handler = _ToStandardError(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s" if chosen.verbose else "%(message)s"))
        handler.setLevel(logging.DEBUG if chosen.verbose else logging.WARNING)
        log.addHandler(handler)


class _ToStandardError(logging.StreamHandler):  # type: ignore[type-arg]  # generic for the type checker only
    """Our own handler, distinguishable from any that a surrounding program has set."""


def arrange(tokens: Sequence[str]) -> tuple[list[str], list[str], Voice]:
    """Split a command line.

    >>> arrange(["--tier", "pro", "balances", "--watch", "-q"])
    (['--tier', 'pro'], ['balances', '--watch'], Voice(quiet=True, verbose=False))

    Returns:
        The options of all commands that come before the command, the rest from the command on, and the voice.

    Raises:
        InvalidArguments: --quiet and --verbose are given together.
    """
    ours, after = _split(tokens, "--")
    chosen = Voice(quiet=any(each in QUIET for each in ours), verbose=any(each in VERBOSE for each in ours))
    if chosen.quiet and chosen.verbose:
        raise InvalidArguments("--quiet and --verbose exclude each other", hint="give one of them")
    rest = [each for each in ours if each not in QUIET | VERBOSE]
    count = leading(rest)
    return rest[:count], [*rest[count:], *after], chosen


def _split(tokens: Sequence[str], mark: str) -> tuple[list[str], list[str]]:
    """Split words into those before a mark and those from the mark on."""
    at = tokens.index(mark) if mark in tokens else len(tokens)
    return list(tokens[:at]), list(tokens[at:])


def leading(tokens: Sequence[str]) -> int:
    """Count the words at the beginning that belong to options of all commands."""
    at = 0
    while at < len(tokens):
        if tokens[at] in FLAGS or (tokens[at].partition("=")[0] in VALUES and "=" in tokens[at]):
            at += 1
        elif tokens[at] in VALUES:
            at += 2
        else:
            break
    return min(at, len(tokens))

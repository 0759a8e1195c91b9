"""Asking for confirmation before something real is done."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from getpass import getpass
from typing import TextIO

from krakenasync.cli.rendering import remark
from krakenasync.errors import ConfigurationError

__all__ = ["agreed", "secretly"]


def agreed(question: str, source: str, *, yes: bool) -> bool:
    """Whether to go on: always in a sandbox or with ``--yes``, otherwise as the user at the terminal answers.

    Raises:
        ConfigurationError: There is no terminal to ask at.
    """
    if yes or source != "LIVE":
        return True
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"{question} There is no terminal to ask at: nothing was sent",
            hint="add --yes to go on without the question",
        )
    with _interruptible():
        answer = _ask(f"LIVE: {question} [y/N] ", sys.stderr)
    if answer.strip().lower() in {"y", "yes"}:
        return True
    remark("nothing was sent")
    return False


def secretly(what: str) -> str:
    """Ask for a secret without echo, or read the next line of a pipe."""
    try:
        return (getpass(f"{what}: ", sys.stderr) if sys.stdin.isatty() else sys.stdin.readline()).strip()
    except EOFError:
        return ""


def _ask(question: str, stream: TextIO) -> str:
    """Ask on standard error, apart from the result."""
    stream.write(question)
    stream.flush()
    return sys.stdin.readline()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a question: a running event loop would delay it until the answer came."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Callable[..., object] | int | None = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

"""Where the `krakenasync` command starts: Ctrl-C ends it quietly while its modules are still being loaded.

It is outside the package, because importing any part of that loads most of it. An interruption at that point would end
in a traceback, or be swallowed by one of Python's own callbacks and leave the command running.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Final

__all__ = ["main"]

_INTERRUPTED: Final = 130


def main() -> int:
    """Load the command line, run it on the words of the process and return its exit code."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        return _command()  # ignored, as under nohup: it stays ignored
    signal.signal(signal.SIGINT, _leave)
    with suppress(ModuleNotFoundError):  # an extra is missing: the command line itself says which
        import_module("krakenasync.cli.app")
    signal.signal(signal.SIGINT, before)
    return _command()


def _command() -> int:
    ended: int = import_module("krakenasync.cli").main()
    return ended


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """End at once: nothing was started, so there is nothing to clean up."""
    os._exit(_INTERRUPTED)

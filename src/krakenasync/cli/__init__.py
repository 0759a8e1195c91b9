"""The `krakenasync` command: arguments in, one call of the library, a table or JSON out.

What a command prints as its result goes to standard output, everything else to standard error.
The exit codes are those of `krakenasync.cli.exits.Exit`.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

__all__ = ["main"]

_EXTRA: Final = {"cyclopts", "rich", "starlette", "uvicorn"}


def main(tokens: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Args:
        tokens: The words after the command's name; None for those of the process.
    """
    _open_streams()
    try:
        from krakenasync.cli.app import run  # noqa: PLC0415 - what the extra brings may be missing
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(
            f"krakenasync: the command line needs {missing.name}, which is not installed.\n"
            "  pip install 'krakenasync[cli]'\n"
        )
        return 2
    except KeyboardInterrupt:
        return 130
    return run(sys.argv[1:] if tokens is None else tokens)


def _open_streams() -> None:
    """Replace streams that were closed by the null device, and escape characters that stdout cannot encode."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # as after >&-
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")

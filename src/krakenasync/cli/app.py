"""The commands, gathered. A new one is a module with one function, and one line here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cyclopts import App, CycloptsError, Parameter

from krakenasync._version import __version__
from krakenasync.cli.balances import balances
from krakenasync.cli.demo import demo
from krakenasync.cli.endpoints import endpoints
from krakenasync.cli.exits import Exit, carry_out
from krakenasync.cli.rendering import remark
from krakenasync.cli.sandbox import sandbox

__all__ = ["APP", "run"]

_HELP: Final = """Kraken's Spot REST API from the command line, and a local sandbox that speaks its wire.

Start with: krakenasync demo

Exit codes: 0 ok, 1 refused by Kraken, 2 usage or settings, 3 network, 4 rate limited or too late, 5 outcome unknown,
130 interrupted.
"""

# Flags are switched on by naming them; only where "off" is the news has a flag a --no- form of its own.
APP: Final = App(
    name="krakenasync",
    version=__version__,
    help=_HELP,
    default_parameter=Parameter(negative="", show_default=lambda value: None if value in {False, ""} else value),
)
APP.command(demo)
APP.command(balances)
APP.command(sandbox)
APP.command(endpoints)


def run(tokens: Sequence[str]) -> int:
    """Run the command that the words name, and return its exit code."""
    return carry_out(lambda: _start(tokens))


def _start(tokens: Sequence[str]) -> Any:
    """Read the words and call the command; what it returns may be still to be awaited."""
    try:
        command, bound, _ignored = APP.parse_args(list(tokens), exit_on_error=False, print_error=True)
    except CycloptsError:
        remark("hint: krakenasync --help lists the commands, krakenasync COMMAND --help its options")
        return Exit.USAGE
    return command(*bound.args, **bound.kwargs)

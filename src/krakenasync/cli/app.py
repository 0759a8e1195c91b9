"""All commands together. A new one is a module with one function, and one line here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from cyclopts import (
    App,
    CycloptsError,
    MissingArgumentError,
    Parameter,
    UnknownCommandError,
    UnusedCliTokensError,
)

from krakenasync._version import __version__
from krakenasync.cli.balances import balances
from krakenasync.cli.call import call
from krakenasync.cli.completion import HOW, TAIL, fetch_pairs
from krakenasync.cli.demo import demo
from krakenasync.cli.doctor import doctor
from krakenasync.cli.endpoints import endpoints
from krakenasync.cli.exits import Exit, carry_out
from krakenasync.cli.export import export
from krakenasync.cli.history import history
from krakenasync.cli.limits import limits
from krakenasync.cli.login import login
from krakenasync.cli.market import depth, ohlc, ticker, trades
from krakenasync.cli.ordering import ORDER
from krakenasync.cli.orders import ORDERS
from krakenasync.cli.rendering import Screen, remark, say
from krakenasync.cli.sandbox import sandbox
from krakenasync.cli.words import FLAGS, VALUES, arrange, leading, speak
from krakenasync.protocol.quoting import quoted

__all__ = ["APP", "run"]

_HELP: Final = """Kraken's Spot REST API from the command line, and a local sandbox that speaks its wire.

Start with: krakenasync demo

Options of all commands that ask Kraken, before or after the command: --sandbox, --profile NAME, --tier TIER,
--base-url URL (whom to ask), --json, --csv (output format). Options of all commands: --quiet, --verbose (how much is
printed to standard error).

Exit codes: 0 ok, 1 refused by Kraken, 2 usage or settings, 3 network, 4 rate limited or too late, 5 outcome unknown,
6 the result could not be written, 130 interrupted.
"""

# A flag is switched on by naming it; a flag has a --no- form only where switching it off makes sense.
APP: Final = App(
    name="krakenasync",
    console=Screen(),
    version=__version__,
    help=_HELP,
    default_parameter=Parameter(negative="", show_default=lambda value: None if value in {False, ""} else value),
)
APP.command(demo)
APP.command(balances)
APP.command(ticker)
APP.command(ohlc)
APP.command(depth)
APP.command(trades)
APP.command(ORDERS)
APP.command(ORDER)
APP.command(history)
APP.command(export)
APP.command(limits)
APP.command(endpoints)
APP.command(call)
APP.command(doctor)
APP.command(login)
APP.command(sandbox)


@APP.command
async def completion(shell: Literal["bash", "zsh", "fish"], /, *, pairs: bool = False) -> None:
    """Print the completion script of a shell; pairs, endpoints and profiles are completed as well.

    Put it where your shell looks:

    bash: echo 'eval "$(krakenasync completion bash -q)"' >> ~/.bashrc

    zsh: krakenasync completion zsh > a file _krakenasync in a folder of your $fpath

    fish: krakenasync completion fish > ~/.config/fish/completions/krakenasync.fish

    Args:
        shell: Which shell.
        pairs: First fetch the names of all pairs from Kraken and keep them; otherwise a short list is used.
    """
    if pairs:
        await fetch_pairs()
    say(APP.generate_completion(shell=shell, prog_name="krakenasync") + TAIL.get(shell, ""))
    remark(f"hint: {HOW[shell]}")


def run(tokens: Sequence[str]) -> int:
    """Run the command that the words name, and return its exit code."""
    return carry_out(lambda: _start(tokens))


def _start(tokens: Sequence[str]) -> Any:
    """Read the words and call the command; what it returns may still have to be awaited."""
    if tokens[:1] == ["__complete"]:
        words = list(tokens)  # a shell asks for completions: leave the words as they were typed
    else:
        before, rest, voice = arrange(tokens)
        speak(voice)
        words = _behind(before, rest)
    try:
        command, bound, _ignored = APP.parse_args(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _explain(error)
        return Exit.USAGE
    return command(*bound.args, **bound.kwargs)


def _explain(error: CycloptsError) -> None:
    """Print what is wrong with the words, in the same form as all other errors."""
    said, chain = _sentence(error), " ".join(error.command_chain or ())
    if isinstance(error, UnusedCliTokensError):
        said = f"{chain} does not take {' '.join(map(quoted, error.unused_tokens or ()))}{_nearest(error)}"
        if chain == "login":  # the words may be part of a key
            said = "login takes no arguments: it asks for key and secret, or reads them, a line each, from a pipe"
    elif isinstance(error, MissingArgumentError) and error.argument is not None:
        given = error.keyword or next((each.keyword for each in error.argument.tokens if each.keyword), None)
        said = f"{chain}: {given} needs a value" if given else f"{chain}: {error.argument.name} is missing"
    elif isinstance(error, UnknownCommandError) and (word := _option(error)):
        said = f"{word} alone is not a command"
        if word not in FLAGS | VALUES:
            said = f"unknown option {word}"
    remark(f"error: {said}", style="bold red")
    what = f"krakenasync {chain} --help shows its arguments" if chain else "krakenasync --help lists the commands"
    remark(f"hint: {what} and options")


def _sentence(error: CycloptsError) -> str:
    """Return cyclopts's own message, without its list of commands, which breaks off in the middle."""
    said = str(error)
    if said.endswith("..."):
        said = said.partition(" Available commands:")[0]
    return said.rstrip(".")


def _nearest(error: UnusedCliTokensError) -> str:
    """Name the commands of a group, where one of them was probably meant."""
    group = error.app
    names = [name for name in group.resolved_commands() if not name.startswith("-")] if group else []
    return f". Its commands are: {', '.join(names)}" if names else ""


def _option(error: UnknownCommandError) -> str | None:
    """Return the option that stands where a command belongs."""
    unused = error.unused_tokens or []
    return unused[0].partition("=")[0] if unused and unused[0].startswith("-") else None


def _behind(options: list[str], rest: list[str]) -> list[str]:
    """Move options that come before the command, or between a group and its command, behind it."""
    chain, _apps, unused = APP.parse_commands(rest)
    if count := leading(unused):
        return _behind([*options, *unused[:count]], [*chain, *unused[count:]])
    return [*chain, *options, *unused]

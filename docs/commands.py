"""Writes docs/reference/command-line.md: ``python docs/commands.py``. A test checks that it is current."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from krakenasync.cli.app import APP
from krakenasync.cli.connection import Where
from krakenasync.cli.exits import Exit
from krakenasync.cli.rendering import Output

TARGET: Final = Path(__file__).parent / "reference" / "command-line.md"

INTRODUCTION: Final = """\
# Command line

<!-- Made by docs/commands.py from the commands: change these in src/krakenasync/cli and run it again. -->

`krakenasync` comes with `pip install 'krakenasync[cli]'`. Every command explains its arguments with `--help`. Results
go to standard output; questions, remarks and errors go to standard error, an error in one line with a hint below it.
The title of a table says whether it is LIVE or from a SANDBOX.

A real order is placed only after you confirm it; where nobody can be asked, in a script or a pipe, it needs `--yes`.

## Options of all commands that ask Kraken

They may come before or after the command: `krakenasync --sandbox balances`.
"""
KEYS: Final = """\
## Whose account

A key is never given as an option, where others could see it. The command looks for one in this order:

1. the profile that `--profile` or `KRAKEN_PROFILE` names; `krakenasync login` stores one, in a file that only you can
   read or, with `--keyring`, in the system's keychain;
2. `KRAKEN_API_KEY` and `KRAKEN_API_SECRET`, or files that `KRAKEN_API_KEY_FILE` and `KRAKEN_API_SECRET_FILE` name;
3. the profile `default`.

`KRAKEN_TIER`, `KRAKEN_BASE_URL`, `KRAKEN_NONCE_UNIT`, `KRAKEN_NONCE_WINDOW` and `KRAKEN_STATE` are read as well; a
profile may contain them too, as `tier`, `base_url` and so on. `KRAKEN_STATE=sqlite:////absolute/path` or
`redis://host:6379/0` makes commands share their counters with each other and with your programs; without it, each
command counts its own calls.
"""
EXITS: Final = {
    Exit.OK: "success; a reader that goes away, such as `head -1`, is no failure; Ctrl-C ends `sandbox` with it",
    Exit.REFUSED: "Kraken understood the call and refused it",
    Exit.USAGE: "the command line or the settings are not valid; nothing was sent",
    Exit.NETWORK: "no answer, one that is not Kraken's, or one that it cannot serve the call now; no shared state",
    Exit.RATE_LIMITED: "a counter is full, or the wait for it (or for a report) would outlast the deadline",
    Exit.OUTCOME_UNKNOWN: "something may or may not have been carried out: look before you repeat it",
    Exit.UNWRITTEN: "the call was carried out, but its result could not be written, as on a full disk",
    Exit.INTERRUPTED: "interrupted by Ctrl-C, or the question was not answered with yes; only calls that were under "
    "way and may have been carried out are reported; after SIGTERM and SIGHUP the code is 143 and 129 (`sandbox`: 0)",
}


def reference() -> str:
    """Return the whole page."""
    shared = [argument for argument in _arguments(APP["balances"]) if _name(argument) in _SHARED]
    quiet = [
        "| `--quiet`, `-q` | print nothing on standard error but errors |",
        "| `--verbose`, `-v` | print every step of every call |",
    ]
    exits = [f"| {code.value} | {said} |" for code, said in EXITS.items()]
    parts = [
        INTRODUCTION,
        *_table(shared),
        *quiet,
        "",
        KEYS,
        "## Exit codes\n",
        "| code | what happened |",
        "|---|---|",
    ]
    return "\n".join([*parts, *exits, "", "## Commands\n", *_commands(APP, "krakenasync")])


_SHARED: Final = frozenset(
    f"--{name.replace('_', '-')}" for kind in (Where, Output) for name in kind.__dataclass_fields__
)


def _commands(group: Any, chain: str) -> Iterator[str]:
    """Yield the entries of a group's commands."""
    for name in group.resolved_commands():
        if name.startswith("-"):
            continue
        command = group[name]
        if command.default_command is not None:
            yield from _command(command, f"{chain} {name}")
        if any(not each.startswith("-") for each in command.resolved_commands()):
            yield from _commands(command, f"{chain} {name}")


def _command(command: Any, chain: str) -> Iterator[str]:
    """Yield the entry of one command."""
    prose = inspect.cleandoc(command.default_command.__doc__ or "").partition("\nArgs:")[0].strip()
    arguments = list(_arguments(command))
    own = [argument for argument in arguments if _name(argument) not in _SHARED]
    yield f"### {chain}\n"
    yield f"{prose}\n".replace("`", "``")
    if own:
        yield from (*_table(own), "")
    lacking = sorted(_SHARED - {_name(argument) for argument in arguments})
    if lacking and len(lacking) < len(_SHARED):
        yield f"Without {', '.join(f'`{name}`' for name in lacking)}.\n"


def _arguments(command: Any) -> Iterator[Any]:
    """Yield the arguments of a command that take a value."""
    for argument in command.assemble_argument_collection(parse_docstring=True):
        if argument.parse and argument.show and not argument.children:
            yield argument


def _table(arguments: list[Any]) -> Iterator[str]:
    yield "| argument | meaning |"
    yield "|---|---|"
    for argument in arguments:
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(_names(argument)))
        need = " (must be given)" if argument.required else ""
        said = " ".join((argument.parameter.help or "").split()).replace("|", "\\|").rstrip(".")
        if words := list(_words(argument.hint)):
            said += f": {', '.join(words)}"
        yield f"| {names}{need} | {said} |"


def _names(argument: Any) -> list[str]:
    """Return an option's spellings; a flag has a --no- form only where switching it off makes sense."""
    named = [name for name in argument.names if not name.startswith("--no-")] or [argument.name]
    return [*named, *(argument.parameter.negative or ())]


def _words(hint: Any) -> Iterator[str]:
    """Yield the words that an argument has to be one of."""
    for inner in get_args(hint):
        if get_origin(hint) is Literal:
            yield f"`{inner}`"
        else:
            yield from _words(inner)


def _name(argument: Any) -> str:
    return str(argument.names[0] if argument.names else argument.name)


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")

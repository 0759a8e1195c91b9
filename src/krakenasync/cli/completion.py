"""``krakenasync completion``: what a shell needs to complete commands, options, pairs and endpoints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, Literal

from krakenasync.cli.connection import Where, connect
from krakenasync.cli.rendering import remark, say
from krakenasync.errors import ConfigurationError
from krakenasync.sandbox.listings import PAIRS
from krakenasync.spot.catalog import ENDPOINTS

__all__ = ["completion", "endpoint_names", "pair_names"]

_HOW: Final = {
    "bash": 'echo \'eval "$(krakenasync completion bash)"\' >> ~/.bashrc',
    "zsh": "krakenasync completion zsh > a file _krakenasync in a folder of your $fpath",
    "fish": "krakenasync completion fish > ~/.config/fish/completions/krakenasync.fish",
}


async def completion(shell: Literal["bash", "zsh", "fish"], /, *, pairs: bool = False) -> None:
    """Print the completion script of a shell; pairs, endpoints and profiles are completed as well.

    bash: echo 'eval "$(krakenasync completion bash)"' >> ~/.bashrc

    zsh: krakenasync completion zsh > _krakenasync, in a folder of your $fpath

    fish: krakenasync completion fish > ~/.config/fish/completions/krakenasync.fish

    Args:
        shell: Which shell.
        pairs: First fetch the names of all pairs from Kraken and keep them; else a short list serves.
    """
    from krakenasync.cli.app import APP  # noqa: PLC0415 - the application is made of the commands, this one too

    if pairs:
        await _fetch_pairs()
    say(APP.generate_completion(shell=shell, prog_name="krakenasync"))
    remark(f"hint: {_HOW[shell]}")


def pair_names(_context: Any = None) -> list[str]:
    """List pairs to complete: those kept, else the best known."""
    try:
        kept = _kept().read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        kept = []
    return kept or sorted(pair.altname for pair in PAIRS.values())


def endpoint_names(_context: Any = None) -> list[tuple[str, str]]:
    """List endpoints to complete, each with its section."""
    return [(request.spec.name, request.spec.section) for request in ENDPOINTS.values()]


def _kept() -> Path:
    place = os.environ.get("XDG_CACHE_HOME")
    return (Path(place) if place else Path.home() / ".cache") / "krakenasync" / "pairs"


async def _fetch_pairs() -> None:
    """Keep the names of all pairs.

    Raises:
        ConfigurationError: There is no place to keep them.
    """
    async with connect(Where(), private=False) as connection:
        found = await connection.client.asset_pairs()
    path = _kept()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(sorted(pair.altname for pair in found.values())) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None
    remark(f"{len(found)} pairs kept in {path}")

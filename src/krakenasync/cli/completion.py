"""Shell completion of pairs and endpoints, besides the commands and options that cyclopts completes by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from krakenasync.cli.connection import Where, connect
from krakenasync.cli.profiles import folder_of
from krakenasync.cli.rendering import remark
from krakenasync.errors import ConfigurationError
from krakenasync.sandbox.listings import PAIRS
from krakenasync.spot.catalog import ENDPOINTS

__all__ = ["HOW", "TAIL", "endpoint_names", "fetch_pairs", "pair_names"]

HOW: Final = {
    "bash": "echo 'eval \"$(krakenasync completion bash -q)\"' >> ~/.bashrc",
    "zsh": "krakenasync completion zsh > a file _krakenasync in a folder of your $fpath",
    "fish": "krakenasync completion fish > ~/.config/fish/completions/krakenasync.fish",
}
"""Shell -> how to install the script."""


TAIL: Final = {
    "zsh": """\
# As a file in $fpath, this is run at the first Tab; when sourced, it only has to be registered.
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _cyclopts_krakenasync "$@"
else
  compdef _cyclopts_krakenasync krakenasync
fi
"""
}
"""Shell -> what its script ends with: cyclopts's own for zsh only defines a function, which nothing calls."""


def pair_names(_context: Any = None) -> list[str]:
    """List pairs to complete: those that were fetched, or else the best known."""
    try:
        kept = _kept().read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError, ConfigurationError):
        kept = []
    return kept or sorted(pair.altname for pair in PAIRS.values())


def endpoint_names(_context: Any = None) -> list[tuple[str, str]]:
    """List endpoints to complete, each with its section."""
    return [(request.spec.name, request.spec.section) for request in ENDPOINTS.values()]


def _kept() -> Path:
    return folder_of("XDG_CACHE_HOME", ".cache") / "pairs"


async def fetch_pairs() -> None:
    """Fetch the names of all pairs and keep them in a file.

    Raises:
        ConfigurationError: The file cannot be written.
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

"""Where a key is kept: the environment, files that it names, the user's profile file, the system's keychain.

A profile file is TOML, a table for each profile::

    [default]
    api_key = "..."
    api_secret = "..."      # or: keyring = true
    tier = "pro"

It is never read if others may read it too. Keys are never taken from the command line, where any process sees them.
"""

from __future__ import annotations

import importlib
import math
import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec

from krakenasync.client.credentials import setting
from krakenasync.client.frames import discreet
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.quoting import quoted

__all__ = [
    "DEFAULT",
    "OTHERS",
    "Settings",
    "folder_of",
    "known_profiles",
    "profile_file",
    "read_profile",
    "settings",
    "store_profile",
]

DEFAULT: Final = "default"
SERVICE: Final = "krakenasync"
_NAMES: Final = ("api_key", "api_secret", "tier", "base_url", "nonce_unit", "nonce_window", "state")
OTHERS: Final = 0o077
"""The bits of a file's mode that give access to anybody but its owner."""


class Settings(msgspec.Struct, frozen=True):
    """What a client is made from.

    Attributes:
        environ: As `KrakenClient.from_env` reads it.
        origin: Where it comes from, in words.
    """

    environ: Mapping[str, str]
    origin: str

    def value(self, name: str) -> str | None:
        """Return a setting by its variable's name.

        Raises:
            ConfigurationError: The file named for it cannot be read.
        """
        return setting(name, self.environ)

    def __repr__(self) -> str:
        return f"Settings({self.origin})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show rich no more than `__repr__`, which it does not use."""
        return [("origin", self.origin)]

    def __reduce__(self) -> NoReturn:
        raise TypeError("settings cannot be pickled: they contain a key")


@discreet
def settings(profile: str | None = None) -> Settings:
    """Find the settings: of the profile asked for, else of the environment, else of the profile ``default``.

    Raises:
        ConfigurationError: There is no such profile, or it must not or cannot be read.
    """
    wanted = profile or setting("KRAKEN_PROFILE")
    if wanted:
        return _of(wanted, read_profile(wanted))
    if setting("KRAKEN_API_KEY") or setting("KRAKEN_API_SECRET") or DEFAULT not in _table():
        return Settings(dict(os.environ), "environment")
    return _of(DEFAULT, read_profile(DEFAULT))


def _of(name: str, found: Mapping[str, str]) -> Settings:
    """Make settings from a profile; what it does not contain is the environment's, except for the key."""
    others = {key: setting(f"KRAKEN_{key.upper()}") for key in _NAMES if key not in {"api_key", "api_secret"}}
    found = {key: value for key, value in others.items() if value} | dict(found)
    return Settings({f"KRAKEN_{key.upper()}": value for key, value in found.items()}, f"profile {name!r}")


def profile_file() -> Path:
    """Return where profiles are kept: below ``$XDG_CONFIG_HOME``, or ``~/.config``.

    Raises:
        ConfigurationError: This user has no home.
    """
    return folder_of("XDG_CONFIG_HOME", ".config") / "profiles.toml"


def folder_of(variable: str, usual: str) -> Path:
    """Return our folder in the one that a variable names, or in the usual one below the user's home.

    Raises:
        ConfigurationError: This user has no home, as in some containers.
    """
    place = os.environ.get(variable)
    try:
        return (Path(place) if place else Path.home() / usual) / "krakenasync"
    except RuntimeError:
        raise ConfigurationError("this user has no home folder", hint=f"set HOME or {variable}") from None


def known_profiles() -> list[str]:
    """List the profiles' names; none if the file cannot be used."""
    try:
        return sorted(_table())
    except ConfigurationError:
        return []


@discreet
def read_profile(name: str) -> dict[str, str]:
    """Read a profile, with its key from the keychain if it is kept there.

    Raises:
        ConfigurationError: There is no such profile, or it must not or cannot be read.
    """
    table = _table()
    if name not in table:
        known = f"there are {', '.join(sorted(table))}" if table else "krakenasync login --profile NAME makes one"
        raise ConfigurationError(f"no profile {quoted(name)}", hint=known)
    found = table[name]
    if not isinstance(found, dict):
        raise ConfigurationError(f"profile {name!r} is not a table", hint=f"write it below a line [{name}]")
    unknown = found.keys() - {*_NAMES, "keyring"}
    if unknown:
        raise ConfigurationError(f"profile {name!r}: unknown {', '.join(sorted(unknown))}", hint=f"known: {_listed()}")
    kept = _from_keyring(name) if found.get("keyring") is True else {}
    return kept | {key: str(value) for key, value in found.items() if key != "keyring"}


def _listed() -> str:
    return ", ".join((*_NAMES, "keyring"))


@discreet
def store_profile(name: str, api_key: str, api_secret: str, tier: str | None, *, keyring: bool) -> str:
    """Store a key under a profile's name, replacing a profile of that name.

    Returns:
        Where it is stored, in words.

    Raises:
        ConfigurationError: The key cannot be stored there.
    """
    if not name.strip() or not name.isprintable():
        said = "a profile needs a name" + (" of printable characters" if name.strip() else "")
        raise ConfigurationError(said, hint="default is the one that is used when none is named")
    entry: dict[str, Any] = {"keyring": True} if keyring else {"api_key": api_key, "api_secret": api_secret}
    if tier:
        entry["tier"] = tier
    table = _table() | {name: entry}
    if keyring:
        _into_keyring(name, api_key, api_secret)
    _write(profile_file(), table)
    return "the system's keychain" if keyring else str(profile_file())


def _table() -> dict[str, Any]:
    """Read the profile file; empty if there is none.

    Raises:
        ConfigurationError: Others may read it, or it is not TOML.
    """
    try:
        path = profile_file()
    except ConfigurationError:
        return {}  # without a home there is none
    try:
        with path.open("rb") as opened:
            _check_owner(path, os.fstat(opened.fileno()))
            return tomllib.load(opened)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # The text around the fault may be a secret: say where it is, but do not quote it.
        place = str(error).rpartition("(")[2].rstrip(")") if "(" in str(error) else "not text"
        raise ConfigurationError(f"{path} is not TOML: {place}", hint="a table [name] with api_key = '...'") from None


def _check_owner(path: Path, found: os.stat_result) -> None:
    if os.name != "posix":
        return
    if found.st_uid != os.geteuid():
        raise ConfigurationError(f"{path} belongs to another user", hint="a key is read from a file of your own only")
    if stat.S_IMODE(found.st_mode) & OTHERS:
        raise ConfigurationError(f"{path} can be read by others", hint=f"chmod 600 {path}")


def _write(path: Path, table: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the profiles, completely or not at all, readable only by their owner."""
    for name, entry in table.items():
        if not isinstance(entry, dict) or not all(map(_writable, entry.values())):
            raise ConfigurationError(
                f"{path} contains more than profiles: {name}", hint="it is not rewritten: add the profile there by hand"
            )
    # A TOML basic string is written like a JSON string; so are numbers and truth values.
    lines = [
        f"[{_encoded(name)}]\n" + "".join(f"{key} = {_encoded(value)}\n" for key, value in entry.items())
        for name, entry in table.items()
    ]
    path = path.resolve()  # a link stays one
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)  # left over from a process that was killed
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write("\n".join(lines))
        fresh.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None


def _writable(value: Any) -> bool:
    return isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _keyring() -> Any:
    try:
        return importlib.import_module("keyring")
    except ModuleNotFoundError:
        raise ConfigurationError(
            "the keychain needs the package keyring, which is not installed", hint="pip install 'krakenasync[keyring]'"
        ) from None


def _from_keyring(name: str) -> dict[str, str]:
    """Fetch both halves of a key from the keychain."""
    ring = _keyring()
    try:
        found = ring.get_password(SERVICE, name)
    except Exception as error:  # noqa: BLE001 - each backend has errors of its own, which may reveal secrets
        raise ConfigurationError(
            f"the keychain did not open: {type(error).__name__}", hint="is it unlocked, and does this session have one?"
        ) from None
    try:
        return msgspec.json.decode(found or "{}", type=dict[str, str]) if found else _none_in_keyring(name)
    except msgspec.MsgspecError:
        raise ConfigurationError(
            f"the keychain's entry for {name!r} is not ours", hint="login stores it again"
        ) from None


def _none_in_keyring(name: str) -> dict[str, str]:
    raise ConfigurationError(
        f"the keychain has nothing for profile {name!r}", hint=f"krakenasync login --profile {name} --keyring"
    )


def _into_keyring(name: str, api_key: str, api_secret: str) -> None:
    ring = _keyring()
    try:
        ring.set_password(SERVICE, name, _encoded({"api_key": api_key, "api_secret": api_secret}))
    except Exception as error:  # noqa: BLE001 - each backend has errors of its own, which may reveal secrets
        raise ConfigurationError(
            f"the keychain refused it: {type(error).__name__}",
            hint="is it unlocked, and does this session have one? without --keyring a file only you can read is used",
        ) from None

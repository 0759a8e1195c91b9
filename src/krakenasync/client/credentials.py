"""An API key and its secret, which nothing here ever shows."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping
from typing import Any, Final, NoReturn

from krakenasync.client.frames import at_any_time, discreet
from krakenasync.errors import ConfigurationError, InvalidType
from krakenasync.protocol.messages import fits_a_header
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.signing import Signer, decode_secret

__all__ = ["Credentials", "both_halves", "setting", "settings_from"]

_SETTINGS: Final = ("api_key", "api_secret", "tier", "base_url", "nonce_unit", "nonce_window", "state")
"""What the environment can set of a client: each as ``KRAKEN_...``, or in a file named by ``KRAKEN_..._FILE``."""


class Credentials:
    """One API key: its public half, and its private half decoded for signing.

    Raises:
        ConfigurationError: One half is missing, or the secret is not base64.
        InvalidType: One half is not text.
    """

    __slots__ = ("api_key", "key_id", "otp", "signer")

    @discreet
    def __init__(self, api_key: str, api_secret: str, otp: str | None = None) -> None:
        for half in (api_key, api_secret):
            if not isinstance(half, str):
                raise InvalidType(f"both halves of an API key are text, not {type(half).__name__}")
        api_key = api_key.strip()
        if not api_key or not fits_a_header(api_key):
            raise ConfigurationError(
                "the API key is empty or contains invalid characters", hint="copy it whole from Kraken"
            )
        self.api_key = api_key
        if len(api_key) > len(api_secret) or {api_key[0], api_key[-1]} & {"'", '"'}:
            _refuse_suspicious(api_key, api_secret)
        try:
            self.signer = Signer(decode_secret(api_secret))
        except ConfigurationError as error:
            _refuse_suspicious(api_key, api_secret, f"{error.message}: ")
            raise
        if otp is not None and not (isinstance(otp, str) and otp):
            raise ConfigurationError("otp must be a non-empty text", hint="the key's second factor")
        self.otp = otp
        """The second factor, for keys that have one."""
        self.key_id = hashlib.sha256(api_key.encode()).hexdigest()[:16]
        """Identifies the key without revealing it: used by counters and logs."""

    @at_any_time
    def __repr__(self) -> str:
        return f"<Credentials {self.key_id}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials cannot be pickled: give each process its own, ideally a separate key")


def _refuse_suspicious(api_key: str, api_secret: str, said: str = "") -> None:
    """Raise for a key that is visibly wrong.

    Args:
        api_key: The public half.
        api_secret: The private half.
        said: The error from decoding the secret; if empty, only what decoding cannot detect is checked.

    Raises:
        ConfigurationError: The key certainly cannot work.
    """
    from krakenasync.protocol.keyshape import mixed_up, suspicions  # noqa: PLC0415 - most keys are right

    for suspicion in suspicions(api_key, api_secret) if said else mixed_up(api_key, api_secret):
        if suspicion.sure:
            raise ConfigurationError(said + suspicion.said, hint=suspicion.remedy)


@discreet
def setting(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """Read a setting from the environment, or from the file that ``NAME_FILE`` points to.

    Raises:
        ConfigurationError: The file cannot be read, or both are set.
    """
    source = os.environ if environ is None else environ
    value, path = source.get(name), source.get(f"{name}_FILE")
    if value and path:
        raise ConfigurationError(f"both {name} and {name}_FILE are set", hint="keep one of them")
    if path:
        value = _read(f"{name}_FILE", path)
    return value.strip() or None if value else None


@discreet
def settings_from(environ: Mapping[str, str] | None = None, *, without: Collection[str] = ()) -> dict[str, Any]:
    """Read a client's settings from the environment; see `KrakenClient.from_env`.

    Args:
        environ: The environment's variables; None for the process's own.
        without: Settings to ignore.

    Raises:
        ConfigurationError: A setting cannot be read.
    """
    names = [name for name in _SETTINGS if name not in without]
    found: dict[str, Any] = {name: setting(f"KRAKEN_{name.upper()}", environ) for name in names}
    found = {name: value for name, value in found.items() if value is not None}
    if (window := found.get("nonce_window")) is not None:
        if not re.fullmatch(r"\d{1,40}", window):
            raise ConfigurationError(f"KRAKEN_NONCE_WINDOW={quoted(window)} is not a whole number, 0 or more")
        found["nonce_window"] = int(window)
    return found


def _read(name: str, path: str) -> str:
    """Read the file that a variable names. The value is not repeated in errors: it may be a secret, not a path."""
    from pathlib import Path  # noqa: PLC0415 - a fortieth of our time to import, for a setting that few have

    path = os.path.expanduser(path)  # noqa: PTH111 - pathlib's raises other errors
    try:
        return Path(path).read_text(encoding="utf-8-sig")  # editors on Windows write a byte order mark
    except (OSError, ValueError) as error:
        why = (error.strerror or "no such file") if isinstance(error, OSError) else "not text"
        folder = os.path.dirname(path)  # noqa: PTH120 - as above
        where = f"{path}: " if folder and os.path.isdir(folder) else ""  # noqa: PTH112 - as above
        hint = f"it names a file; the value itself goes into {name.removesuffix('_FILE')}"
        raise ConfigurationError(f"{name} cannot be read: {where}{why}", hint=hint) from None


def both_halves(api_key: str | None, api_secret: str | None, otp: str | None = None) -> Credentials | None:
    """Read the two halves of a key, which only make sense together; None if neither is given.

    Raises:
        ConfigurationError: One half is missing, or cannot be right.
    """
    otp = None if otp == "" else otp  # an empty setting means no setting
    if not api_key and not api_secret:
        return None
    if not api_key or not api_secret:
        missing = "api_secret" if api_key else "api_key"
        raise ConfigurationError(f"{missing} is missing", hint="give both halves of the key, or neither")
    return Credentials(api_key, api_secret, otp)

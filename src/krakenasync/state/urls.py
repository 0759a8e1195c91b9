"""A store from a URL: ``sqlite:////path`` or ``redis://host:port/db``."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.errors import ConfigurationError
from krakenasync.state.port import Store

__all__ = ["open_store"]

_FORMS: Final = "sqlite:///relative.db, sqlite:////absolute.db, redis://host:6379/0, rediss://... or unix://..."
_OWN: Final = ("on_state_failure", "share")
_REDIS: Final = {"redis", "rediss", "unix", "valkey", "valkeys"}
_ESCAPED: Final = f"in a password write / # ? @ % as %2F %23 %3F %40 %25, in a path # ? %; {_FORMS}"


def open_store(url: str, clock: Clock = SYSTEM_CLOCK) -> Store:
    """Make the store that a URL names. Nothing is opened yet.

    ``?on_state_failure=local&share=0.25`` lets the client go on with a quarter of the limits while the store is away;
    by default it raises `StateUnavailable`.

    Raises:
        ConfigurationError: The URL cannot be read.
    """
    try:
        parts, query = _read(url)
    except ValueError:
        # Nothing of it is repeated, here and below: where a password is not escaped, any part may be a piece of it.
        raise ConfigurationError("the state's URL cannot be read", hint=_ESCAPED) from None
    failure, share = (query.pop(name, "") for name in _OWN)
    store: Store
    if parts.scheme == "sqlite":
        path = unquote(parts.path).removeprefix("/")
        if parts.netloc or not path or query:
            raise ConfigurationError("the state's sqlite URL names no file", hint=_FORMS)
        from krakenasync.state.sqlite import SqliteStore  # noqa: PLC0415 - most clients keep no state; sqlite3 is slow to load

        store = SqliteStore(Path(path), clock)
    elif parts.scheme in _REDIS:
        scheme = parts.scheme.replace("valkey", "redis")
        if not parts.hostname and scheme != "unix":
            raise ConfigurationError("the state's URL names no host", hint=_FORMS)
        number = parts.path.strip("/")
        if scheme != "unix" and number and not number.isdecimal():
            raise ConfigurationError("the state's URL does not end in a database number", hint=_ESCAPED)
        from krakenasync.state.redis import RedisStore  # noqa: PLC0415 - as above

        store = RedisStore(urlunsplit((scheme, *parts[1:3], urlencode(query), "")), clock)
    else:
        raise ConfigurationError(f"a state of the kind {parts.scheme or 'without scheme'!r} is not known", hint=_FORMS)
    if failure not in {"", "raise", "local"} or (share and failure != "local"):
        raise ConfigurationError(
            "the state's URL has an unknown on_state_failure, or a share without local",
            hint="on_state_failure=raise or local",
        )
    if failure != "local":
        return store
    from krakenasync.state.fallback import FallbackStore  # noqa: PLC0415 - as above

    return FallbackStore(store, clock, _share(share))


def _read(url: str) -> tuple[SplitResult, dict[str, str]]:
    """Take a URL apart, strictly.

    Raises:
        ValueError: Something in it has no meaning here, because it should have been escaped.
    """
    parts = urlsplit(url)
    if parts.fragment:
        raise ValueError("a fragment")
    asked = parts.query.strip("&")
    return parts, dict(parse_qsl(asked, strict_parsing=True)) if asked else {}


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(
            "on_state_failure=local needs this process's share of the limits", hint="like &share=0.25"
        ) from None

"""What goes wrong with a Redis server, in our words. Never the URL: it may contain a password.

redis-py is imported inside functions, because only users of Redis have it.
"""

from __future__ import annotations

import functools

from krakenasync.errors import ConfigurationError, KrakenError, StateUnavailable

__all__ = ["CrossSlot", "connection_errors", "failure", "redis_errors", "refusal"]


class CrossSlot(Exception):
    """The records of one question are not in one place."""


@functools.cache
def redis_errors() -> tuple[type[Exception], ...]:
    """Return all exceptions with which a question may fail."""
    from redis.exceptions import RedisError  # noqa: PLC0415 - only for users of Redis

    return RedisError, OSError


@functools.cache
def connection_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions for a connection that could not be made, or is lost."""
    from redis.exceptions import ConnectionError as LostConnection  # noqa: PLC0415 - only for users of Redis

    return LostConnection, ConnectionError


def refusal(text: str) -> Exception:
    """Distinguish a server's refusals by their first word, as redis-py does.

    Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
    """
    from redis import exceptions  # noqa: PLC0415 - only for users of Redis

    kinds = {
        "NOSCRIPT": exceptions.NoScriptError,
        "NOPERM": exceptions.NoPermissionError,
        "NOAUTH": exceptions.AuthenticationError,
        "READONLY": exceptions.ReadOnlyError,
    }
    return kinds.get(text.partition(" ")[0], exceptions.ResponseError)(text.removeprefix("ERR "))


def failure(error: Exception, where: str) -> KrakenError | CrossSlot:
    """Make our error for what went wrong.

    Args:
        error: What redis-py, or the connection, raised.
        where: The server's name.

    Returns:
        `ConfigurationError` for what will never work, `StateUnavailable` for what may work later.
    """
    from redis import exceptions  # noqa: PLC0415 - only for users of Redis

    if isinstance(error, exceptions.NoPermissionError):
        return ConfigurationError(
            f"the Redis server at {where} denies us a command: {error}",
            hint="the state's user needs EVALSHA, EVAL, GET, SET, BLPOP and what the script calls",
        )
    if isinstance(error, (exceptions.AuthenticationError, exceptions.AuthorizationError)):
        return ConfigurationError(
            f"the Redis server at {where} does not let us in: {error}",
            hint="user and password are those of the URL: redis://user:password@host:6379/0",
        )
    if isinstance(error, exceptions.ResponseError):
        return _refused(error, where)
    if isinstance(error, exceptions.InvalidResponse):
        return ConfigurationError(
            f"what answers at {where} is not a Redis server", hint="look at the state's host and port"
        )
    return StateUnavailable(
        f"the Redis server at {where} does not answer: {str(error) or type(error).__name__}",
        hint="is it running there? rediss:// is for a port with TLS, redis:// for one without",
    )


def _refused(error: Exception, where: str) -> KrakenError | CrossSlot:
    """Make our error for a server's answer that is an error."""
    text, kind = str(error), type(error).__name__
    if "CROSSSLOT" in text or kind == "ClusterCrossSlotError":
        return CrossSlot()
    if text.startswith("MOVED") or kind == "MovedError":
        return ConfigurationError(
            f"the Redis server at {where} is one of a cluster, and some records would be on another",
            hint="name a server that has all slots, or a proxy",
        )
    if "DB index" in text or text.startswith("SELECT"):
        return ConfigurationError(
            f"the Redis server at {where} does not have that database: {text}",
            hint="a server has the databases 0 to 15 unless configured otherwise, one of a cluster has only 0",
        )
    if "unknown command" in text.lower():
        return ConfigurationError(
            f"the Redis server at {where} has no scripting: {text}", hint="use one that knows EVALSHA"
        )
    return StateUnavailable(f"the Redis server at {where} refused: {text}")

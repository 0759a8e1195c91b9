"""What can be set on a client, checked before anything is sent."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from krakenasync.client.queueing import Lane
from krakenasync.errors import ConfigurationError, InvalidType
from krakenasync.protocol.retries import RetryPolicy

__all__ = ["Options"]


_LANES: Final = f"one of {', '.join(name.lower() for name in Lane.__members__)}"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How calls are made; `KrakenClient.with_options` changes them for a view of the client.

    Attributes:
        timeout: Seconds one attempt may take from connecting to the last byte. Waiting for the limiter is not
            part of it: bound that with ``anyio.fail_after``.
        retry: How patient the client is.
        lane: Where calls stand in line: urgent, normal or background. None: cancels urgent, all else normal.
        max_age: Seconds for which the answer of an identical read will do; 0 joins one that is on its way.
            None, the default, always asks anew: an answer asked for before your last order does not know it.
    """

    timeout: float = 10.0
    retry: RetryPolicy = RetryPolicy()
    lane: Lane | None = None
    max_age: float | None = None

    def __post_init__(self) -> None:
        _positive("timeout", self.timeout)
        if not isinstance(self.retry, RetryPolicy):
            raise InvalidType(f"retry must be a RetryPolicy, not {type(self.retry).__name__}")
        if self.lane is not None and not isinstance(self.lane, Lane):
            raise ConfigurationError(f"unknown lane {self.lane!r}", hint=_LANES)
        if self.retry.attempts < 1:
            raise ConfigurationError(f"max_attempts={self.retry.attempts}", hint="at least 1: the first attempt")
        if self.max_age is not None and self.max_age != 0:
            _positive("max_age", self.max_age)

    def changed(self, *, max_attempts: int | None = None, **changes: Any) -> Options:
        """Return options that differ in what is given.

        Raises:
            ConfigurationError: There is no such option, or its value cannot work.
        """
        unknown = changes.keys() - set(self.__struct_fields__)
        if unknown:
            known = ", ".join(["max_attempts", *self.__struct_fields__])
            raise ConfigurationError(f"no option {', '.join(sorted(unknown))}", hint=f"one of {known}")
        if max_attempts is not None:
            if isinstance(max_attempts, bool) or not isinstance(max_attempts, int):
                raise ConfigurationError(f"max_attempts={max_attempts!r}", hint="a whole number, at least 1")
            policy = changes.get("retry", self.retry)
            changes["retry"] = msgspec.structs.replace(policy, attempts=max_attempts)
        if isinstance(lane := changes.get("lane"), str):
            if lane.upper() not in Lane.__members__:
                raise ConfigurationError(f"unknown lane {lane!r}", hint=_LANES)
            changes["lane"] = Lane[lane.upper()]
        return msgspec.structs.replace(self, **changes)


def _positive(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidType(f"{name} must be seconds, not {type(value).__name__}")
    if not (value > 0 and math.isfinite(value)):
        raise ConfigurationError(f"{name}={value} cannot work", hint="seconds, above 0")

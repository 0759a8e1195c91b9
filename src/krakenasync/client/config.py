"""What can be set on a client, checked before anything is sent."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias, TypedDict

import msgspec

from krakenasync.client.events import Hook
from krakenasync.client.limits import LimitsConfig
from krakenasync.client.queueing import Lane
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.retries import RetryPolicy
from krakenasync.protocol.tiers import CounterSpec

__all__ = [
    "Changes",
    "LaneName",
    "Options",
    "checked_hooks",
    "checked_limits",
    "checked_name",
    "checked_window",
    "has_methods",
    "refused",
]


_LANES: Final = f"one of {', '.join(name.lower() for name in Lane.__members__)}"


LaneName: TypeAlias = Lane | Literal["urgent", "normal", "background"]
"""A lane, or its name."""


class Changes(TypedDict, total=False):
    """What `KrakenClient.with_options` takes, for type checkers; see `Options`."""

    timeout: float
    max_attempts: int | None
    retry: RetryPolicy
    lane: LaneName | None
    max_age: float | None


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How calls are made; `KrakenClient.with_options` changes them for a view of the client.

    Attributes:
        timeout: Seconds one attempt may take from connecting to the last byte. Waiting for the limiter is not
            part of it: bound that with ``anyio.fail_after``.
        retry: How failed calls are repeated.
        lane: The calls' priority: urgent, normal or background. None: urgent for cancels, normal for all others.
        max_age: Seconds for which the answer to an identical read is reused; 0 only joins one that is under way.
            None, the default, always asks again: an older answer would not include your latest order.
    """

    timeout: float = 10.0
    retry: RetryPolicy = RetryPolicy()
    lane: Lane | None = None
    max_age: float | None = None

    def __post_init__(self) -> None:
        if not 0 < _number(self.timeout) < math.inf:
            raise refused("timeout", self.timeout, "seconds, above 0")
        _check_retry(self.retry)
        if self.lane is not None and not isinstance(self.lane, Lane):
            raise ConfigurationError(f"unknown lane {quoted(self.lane)}", hint=_LANES)
        if self.max_age is not None and not 0 <= _number(self.max_age) < math.inf:
            raise refused("max_age", self.max_age, "seconds, or None")

    def changed(self, *, max_attempts: int | None = None, **changes: Any) -> Options:
        """Return options that differ in what is given.

        Raises:
            ConfigurationError: An option does not exist, or its value cannot work.
        """
        unknown = changes.keys() - set(self.__struct_fields__)
        if unknown:
            known = ", ".join(["max_attempts", *self.__struct_fields__])
            raise ConfigurationError(f"no option {', '.join(sorted(unknown))}", hint=f"one of {known}")
        if max_attempts is not None:
            policy = changes.get("retry", self.retry)
            _check_retry(policy)
            changes["retry"] = msgspec.structs.replace(policy, attempts=max_attempts)
        if isinstance(lane := changes.get("lane"), str):
            if lane.upper() not in Lane.__members__:
                raise ConfigurationError(f"unknown lane {quoted(lane)}", hint=_LANES)
            changes["lane"] = Lane[lane.upper()]
        return msgspec.structs.replace(self, **changes)


def refused(name: str, value: object, hint: str) -> ConfigurationError:
    """Make the error for a setting that cannot work."""
    return ConfigurationError(f"{name}={quoted(value)} is not valid", hint=hint)


def _check_retry(policy: object) -> None:
    """Refuse a policy that cannot be followed."""
    if not isinstance(policy, RetryPolicy):
        raise ConfigurationError(
            f"retry must be a RetryPolicy, not {type(policy).__name__}", hint="like RetryPolicy(attempts=3)"
        )
    if isinstance(policy.attempts, bool) or not isinstance(policy.attempts, int):
        raise refused("max_attempts", policy.attempts, "a whole number, 1 or more")
    if policy.attempts < 1:
        raise refused("max_attempts", policy.attempts, "1 or more: the first attempt counts")
    if isinstance(policy.nonce_tries, bool) or not isinstance(policy.nonce_tries, int) or policy.nonce_tries < 0:
        raise refused("retry: nonce_tries", policy.nonce_tries, "a whole number, 0 or more")
    for name in ("base", "longest", "total", "budget", "earn"):
        if not _number(value := getattr(policy, name)) >= 0:
            raise refused(f"retry: {name}", value, "a number, 0 or more")


def _number(value: object) -> float:
    """Read a number of seconds or points; return NaN, for which every comparison is false, if it is not one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def checked_limits(config: object) -> LimitsConfig:
    """Refuse limits that the limiter cannot use; None stands for the defaults.

    Raises:
        ConfigurationError: `config` is not a `LimitsConfig`, or something in it cannot work.
    """
    if config is None:
        return LimitsConfig()
    if not isinstance(config, LimitsConfig):
        raise ConfigurationError(
            f"limits must be a LimitsConfig, not {type(config).__name__}", hint='like LimitsConfig(initial="full")'
        )
    initial = config.initial
    if initial not in ("empty", "full") and not 0 <= _number(initial) < math.inf:
        raise refused("limits: initial", initial, "one of empty, full, or points")
    if not isinstance(config.dear_history, bool):
        raise refused("limits: dear_history", config.dear_history, "True or False")
    for name in ("rest", "engine", "public"):
        spec = getattr(config, name)
        if spec is not None and not _counts(spec):
            hint = "a CounterSpec of two whole numbers above 0: cap, and hundredths that decay a second"
            raise refused(f"limits: {name}", spec, hint)
    return config


def _counts(spec: object) -> bool:
    """Whether this is a counter that lets anything through."""
    if not isinstance(spec, CounterSpec):
        return False
    figures = (spec.cap, spec.decay_hundredths)
    return all(isinstance(each, int) and not isinstance(each, bool) and each > 0 for each in figures)


def checked_hooks(hooks: object) -> tuple[Hook, ...]:
    """Refuse hooks that cannot be called.

    Raises:
        ConfigurationError: A hook cannot be called, or the hooks are not in a list.
    """
    found: tuple[Any, ...] | None = tuple(hooks) if isinstance(hooks, Iterable) else None
    if found is None or not all(map(callable, found)):
        raise refused("hooks", hooks, "a list of functions that take an Event")
    for hook in found:
        kinds = (hook, getattr(hook, "__call__", None))  # noqa: B004 - to look at it, not to see whether there is one
        if any(map(inspect.iscoroutinefunction, kinds)):
            raise ConfigurationError(
                f"the hook {quoted(hook)} is asynchronous and would never run",
                hint="a plain function that takes an Event; it may put it into a queue",
            )
    return found


def checked_name(name: str, value: object) -> str | None:
    """Refuse a value that cannot be a name, such as `account`; None, or an empty setting, stands for no name.

    Raises:
        ConfigurationError: The value is not text, or cannot be printed.
    """
    if value is None or value == "":
        return None
    if not (isinstance(value, str) and value.strip() and value.isprintable()):
        raise refused(name, value, "one line of text, or leave it out")
    return value


def checked_window(window: object) -> int:
    """Refuse a value that is not a nonce window.

    Raises:
        ConfigurationError: The value is not a whole number, or is below 0.
    """
    if isinstance(window, bool) or not isinstance(window, int) or window < 0:
        raise refused("nonce_window", window, "ticks of nonce_unit, 0 or more")
    return window


def has_methods(name: str, value: object, *methods: str, what: str) -> None:
    """Refuse an object that lacks the methods it is needed for.

    Raises:
        ConfigurationError: A method is missing; the hint says what the object should be.
    """
    if not all(callable(getattr(value, method, None)) for method in methods):
        raise ConfigurationError(f"{name} is of type {type(value).__name__}", hint=what)

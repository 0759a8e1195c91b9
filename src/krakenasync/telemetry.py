"""What happens in a call, for monitoring: OpenTelemetry (extra `otel`) and plain logging.

Both are hooks: ``KrakenClient(..., hooks=[telemetry])``. They pass on endpoints, attempts, times, names of errors and
Kraken's own strings; never a key, a secret, a parameter or a balance.
"""

from __future__ import annotations

import importlib
import logging
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final

from krakenasync.client.events import Answered, Event, Failed, Retried, Sent, Waited
from krakenasync.client.limits import Limits
from krakenasync.client.snapshots import CounterSnapshot
from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.errors import ConfigurationError, RateLimitExceeded

__all__ = ["LoggingHook", "OpenTelemetryHook", "fields"]

NAME: Final = "krakenasync"

Watched = list[tuple["weakref.ref[Limits]", Mapping[str, str]]]
_WATCHED: Final[weakref.WeakKeyDictionary[Any, Watched]] = weakref.WeakKeyDictionary()
"""Whose counters are read, by meter provider."""
_LOCK: Final = threading.Lock()


def fields(event: Event) -> dict[str, Any]:
    """Return what may be reported about an event, as plain values."""
    told: dict[str, Any] = {"endpoint": event.endpoint, "attempt": event.attempt}
    if isinstance(event, Waited):
        told |= {"wait": event.seconds, "counter": event.counter}
    elif isinstance(event, Answered):
        told |= {"outcome": "answered", "seconds": event.seconds, "warnings": list(event.warnings)}
    elif isinstance(event, Failed):
        told |= {"outcome": type(event.error).__name__, "seconds": event.seconds, "codes": list(event.error.codes)}
    elif isinstance(event, Retried):
        told |= {"wait": event.wait, "outcome": type(event.error).__name__}
    return told


class LoggingHook:
    """Writes a line for each event, with its values in the text and as ``record.kraken`` for structured logs.

    Args:
        logger: Where to write; None: the logger ``krakenasync.calls``.
        level: The level of ordinary events; failures and retries are logged as warnings.
    """

    def __init__(self, logger: logging.Logger | None = None, *, level: int = logging.DEBUG) -> None:
        self._logger = logger or logging.getLogger(f"{NAME}.calls")
        self._level = level

    def __call__(self, event: Event) -> None:
        """Log the event."""
        level = logging.WARNING if isinstance(event, (Failed, Retried)) else self._level
        told = fields(event)
        text = " ".join(f"{name}={value}" for name, value in told.items())
        self._logger.log(level, "%s %s", type(event).__name__.lower(), text, extra={"kraken": told})


class OpenTelemetryHook:
    """Makes a span for each attempt, and metrics of calls, waits, retries, refusals and counters.

    A span is a child of the one that is current where the call is made.

    Args:
        tracer_provider: Where spans go; None: the global one.
        meter_provider: Where metrics go; None: the global one.
        clock: Gives the time at which a span ends.

    Raises:
        ConfigurationError: opentelemetry-api is not installed.
    """

    def __init__(self, *, tracer_provider: Any = None, meter_provider: Any = None, clock: Clock = SYSTEM_CLOCK) -> None:
        try:
            self._trace: Any = importlib.import_module("opentelemetry.trace")
            self._metrics: Any = importlib.import_module("opentelemetry.metrics")
        except ModuleNotFoundError:
            raise ConfigurationError("OpenTelemetry is not installed", hint="pip install 'krakenasync[otel]'") from None
        self._clock = clock
        # A call's events occur in its own task: how long its next attempt has waited, and the one that was sent.
        self._waited: ContextVar[Waited | None] = ContextVar(f"{NAME}.waited", default=None)
        self._sent: ContextVar[Waited | None] = ContextVar(f"{NAME}.sent", default=None)
        self._tracer = self._trace.get_tracer(NAME, tracer_provider=tracer_provider)
        self._given_meters = meter_provider
        self._meter = self._metrics.get_meter(NAME, meter_provider=meter_provider)
        self._calls = self._meter.create_counter("krakenasync.calls", description="Attempts, by endpoint and outcome")
        self._retries = self._meter.create_counter("krakenasync.retries", description="Calls that are sent again")
        self._refusals = self._meter.create_counter("krakenasync.refusals", description="Calls refused for a counter")
        self._waits = self._meter.create_histogram("krakenasync.wait", unit="s", description="Waits for the limiter")
        self._times = self._meter.create_histogram("krakenasync.duration", unit="s", description="Sending to answer")

    def __call__(self, event: Event) -> None:
        """Turn the event into spans and metrics."""
        where = {"endpoint": event.endpoint}
        if isinstance(event, Waited):
            self._waited.set(event)
            self._waits.record(event.seconds, {**where, "counter": event.counter})
        elif isinstance(event, Sent):
            self._sent.set(self._waited.get())
            self._waited.set(None)  # an attempt that was cancelled leaves no wait to the next one
        elif isinstance(event, Retried):
            self._retries.add(1, {**where, "reason": type(event.error).__name__})
        elif isinstance(event, (Answered, Failed)):
            self._attempted(event, where)

    def _attempted(self, event: Answered | Failed, where: Mapping[str, str]) -> None:
        """Record an attempt that is over."""
        told = fields(event)
        outcome = {**where, "outcome": told["outcome"]}
        self._calls.add(1, outcome)
        self._times.record(event.seconds, outcome)
        ended = self._clock.wall_ns()
        span = self._tracer.start_span(
            f"Kraken {event.endpoint}",
            kind=self._trace.SpanKind.CLIENT,
            start_time=ended - round(event.seconds * 1e9),
            attributes={f"kraken.{name}": value for name, value in told.items()} | {"kraken.wait": self._wait(event)},
        )
        if isinstance(event, Failed):
            span.set_status(self._trace.StatusCode.ERROR, told["outcome"])
            if isinstance(event.error, RateLimitExceeded):
                self._refusals.add(1, where)
        span.end(ended)

    def _wait(self, event: Event) -> float:
        """Return the seconds for which this attempt waited for the limiter."""
        waited = self._sent.get()
        return 0.0 if waited is None or waited.endpoint != event.endpoint else waited.seconds

    def watch(self, limits: Limits, **labels: str) -> None:
        """Offer a client's counters as gauges, read whenever metrics are collected, for as long as the client lives.

        Args:
            limits: ``kraken.limits``.
            labels: Attributes to tell clients apart, such as ``account="alice"``.
        """
        mine = self._given_meters or self._metrics.get_meter_provider()
        with _LOCK:
            watched = next((each for meters, each in _WATCHED.items() if _real(meters) is _real(mine)), None)
            if watched is None:  # OpenTelemetry makes a gauge once, and ignores others of its name
                watched = _WATCHED[mine] = []
                self._make_gauges(watched)
            watched.append((weakref.ref(limits), labels))

    def _make_gauges(self, watched: Watched) -> None:
        def points(_options: Any) -> Iterator[Any]:
            for name, counter, about in _counters(watched):
                told = {**about, "counter": name}
                yield self._metrics.Observation(counter.level + counter.held, {**told, "of": "level"})
                yield self._metrics.Observation(counter.cap, {**told, "of": "cap"})

        def waiting(_options: Any) -> Iterator[Any]:
            for name, counter, about in _counters(watched):
                yield self._metrics.Observation(counter.waiting, {**about, "counter": name})

        self._meter.create_observable_gauge("krakenasync.points", [points], description="A counter, and its cap")
        self._meter.create_observable_gauge("krakenasync.waiting", [waiting], description="Calls in line")


def _real(meters: Any) -> Any:
    """Return the meter provider behind OpenTelemetry's proxy, which stands in until a program sets its own."""
    return getattr(meters, "_real_meter_provider", None) or meters


def _counters(watched: Watched) -> Iterator[tuple[str, CounterSnapshot, Mapping[str, str]]]:
    """Yield the counters of the clients that still exist, each with its name and labels."""
    with _LOCK:
        watched[:] = [each for each in watched if each[0]() is not None]
        living = tuple(watched)
    for client, labels in living:
        if (limits := client()) is not None:
            for name, counter in limits.snapshot().items():
                yield name, counter, labels

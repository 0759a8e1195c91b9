"""Hooks for those who watch: OpenTelemetry and logging."""

import gc
import logging
import sys

import pytest

from krakenasync import (
    Answered,
    ConfigurationError,
    Failed,
    InvalidArguments,
    KrakenClient,
    RateLimitExceeded,
    Sent,
    Waited,
)
from krakenasync.sandbox import SandboxConfig
from krakenasync.telemetry import LoggingHook, OpenTelemetryHook, fields
from krakenasync.testing import in_process, run


@pytest.fixture
def otel():
    """A hook whose spans and metrics stay here: (hook, spans, metrics)."""
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - only where the extra is installed
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: PLC0415 - see above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - see above
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415 - see above
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: PLC0415 - see above

    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    yield (
        OpenTelemetryHook(tracer_provider=tracers, meter_provider=meters),
        exporter.get_finished_spans,
        lambda: points(reader),
    )
    tracers.shutdown()
    meters.shutdown()


def points(reader):
    """Return all data points by metric."""
    found = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                found[metric.name] = {tuple(sorted(p.attributes.items())): p for p in metric.data.data_points}
    return found


def busy(hook, calls=16, watch=False):
    """Make a Starter's calls, of which one is refused and the last one waits, in virtual time."""

    async def main(clock):
        exchange = in_process(SandboxConfig(), clock=clock)
        exchange.faults.add("Balance", "502")
        async with exchange.client(hooks=[hook]) as kraken:
            if watch:
                hook.watch(kraken.limits, account="alice")
            for _ in range(calls):
                await kraken.balance()
        return exchange, kraken

    return run(main)


def test_several_clients_are_watched(otel):
    """By any hooks of one provider, for as long as they live; OpenTelemetry makes a gauge of a name only once."""
    hook, _spans, metrics = otel
    again = OpenTelemetryHook(meter_provider=hook._given_meters)

    async def main(_clock):
        alice, bob = KrakenClient("a", "c2VjcmV0"), KrakenClient("b", "c2VjcmV0", tier="pro")
        hook.watch(alice.limits, account="alice")
        again.watch(bob.limits, account="bob")
        seen = {dict(labels)["account"] for labels in metrics()["krakenasync.waiting"]}
        assert seen == {"alice", "bob"}
        del alice
        gc.collect()
        assert {dict(labels)["account"] for labels in metrics()["krakenasync.points"]} == {"bob"}

    run(main)


def test_spans_tell_endpoint_attempt_wait_and_outcome(otel):
    """Each attempt is a span; one that failed is marked as such, one that waited says how long."""
    hook, spans, _metrics = otel
    busy(hook)
    first, second, *_rest, last = [dict(span.attributes) for span in spans()]
    assert first["kraken.outcome"] == "ServiceUnavailable"
    assert not spans()[0].status.is_ok
    assert (second["kraken.endpoint"], second["kraken.attempt"]) == ("Balance", 2)
    assert second["kraken.outcome"] == "answered"
    assert second["kraken.wait"] == 0.0
    assert last["kraken.wait"] > 0


def test_metrics_count_calls_retries_waits_and_levels(otel):
    """Sixteen calls with one failure: 16 answered, one retried; the counter's level and cap are there."""
    hook, _spans, metrics = otel
    _exchange, _kraken = busy(hook, watch=True)
    found = metrics()
    assert found["krakenasync.calls"][("endpoint", "Balance"), ("outcome", "answered")].value == 16
    assert next(iter(found["krakenasync.retries"].values())).value == 1
    assert next(iter(found["krakenasync.wait"].values())).sum > 0
    rest = {
        dict(about)["of"]: p.value for about, p in found["krakenasync.points"].items() if ("counter", "rest") in about
    }
    assert rest["cap"] == 15
    assert 0 < rest["level"] <= 15
    assert all(dict(about)["account"] == "alice" for about in found["krakenasync.waiting"])


def test_refusals_are_counted(otel):
    """A call refused for a counter is a refusal, any other failure is not."""
    hook, _spans, metrics = otel
    hook(Failed("Balance", 1, 0.1, RateLimitExceeded("EAPI:Rate limit exceeded", codes=["EAPI:Rate limit exceeded"])))
    hook(Failed("Balance", 1, 0.1, InvalidArguments("no")))
    assert [p.value for p in metrics()["krakenasync.refusals"].values()] == [1]


def test_a_wait_belongs_to_its_own_attempt(otel):
    """A wait that led to nothing is not charged to another call of the task."""
    hook, spans, _metrics = otel
    hook(Waited("Balance", 1, 3.0, "rest"))
    hook(Answered("OpenOrders", 1, 0.1))
    assert spans()[0].attributes["kraken.wait"] == 0.0


def test_no_secret_and_no_parameter_is_told(otel, caplog):
    """What goes out holds neither key nor secret nor the text of an error, which may name what was given."""
    hook, spans, _metrics = otel
    exchange, _kraken = busy(hook, 1)
    with caplog.at_level(logging.DEBUG):
        busy(LoggingHook(), 1)
    told = str([dict(span.attributes) for span in spans()]) + caplog.text
    for key in exchange.sandbox.keys.values():
        assert key.api_key not in told
        assert key.api_secret not in told
    assert "hunter2" not in str(fields(Failed("AddOrder", 1, 0.1, InvalidArguments("price=hunter2"))))


def test_the_log_has_a_line_for_each_event(caplog):
    """Failures are warnings, the rest is as quiet as was asked for; the values are there for structured logs."""
    with caplog.at_level(logging.INFO, logger="krakenasync.calls"):
        busy(LoggingHook(level=logging.INFO), 1)
    lines = [record for record in caplog.records if record.name == "krakenasync.calls"]
    assert [record.levelname for record in lines] == ["INFO", "WARNING", "WARNING", "INFO", "INFO"]
    assert lines[-1].getMessage().startswith("answered endpoint=Balance attempt=2 outcome=answered")
    assert lines[-1].kraken["outcome"] == "answered"


def test_without_opentelemetry_it_says_what_to_install(monkeypatch):
    """The extra is named; the logging hook needs nothing."""
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(ConfigurationError, match=r"krakenasync\[otel\]"):
        OpenTelemetryHook()
    assert LoggingHook()


def test_each_hook_has_its_own_account_of_a_wait(otel):
    """Two exporters: the second tells the same as the first."""
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
    hook, spans, _metrics = otel
    seen = []

    async def main(clock):
        exchange = in_process(SandboxConfig(), clock=clock)
        other = OpenTelemetryHook()
        monitored = other._wait
        other._wait = lambda event: seen.append(monitored(event)) or seen[-1]
        async with exchange.client(hooks=[other, hook]) as kraken:
            for _ in range(17):
                await kraken.balance()

    run(main)
    assert [span.attributes["kraken.wait"] for span in spans()] == seen
    assert seen[-1] > 0


def test_an_attempt_that_was_cancelled_leaves_its_wait_to_no_other(otel):
    """It has been sent, and neither answered nor failed."""
    hook, spans, _metrics = otel
    hook(Waited("Balance", 1, 3.0, "rest"))
    hook(Sent("Balance", 1))
    hook(Sent("Balance", 1))
    hook(Answered("Balance", 1, 0.1))
    assert spans()[0].attributes["kraken.wait"] == 0.0

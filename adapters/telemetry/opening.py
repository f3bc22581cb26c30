"""What a process tells of itself: metrics at /metrics, and traces, metrics and logs by OTLP where a collector is named.

The standard variables of OpenTelemetry say where to, and how much:

| variable | meaning |
|---|---|
| `OTEL_EXPORTER_OTLP_ENDPOINT` | the collector; without it, and without the three of one signal, nothing is sent |
| `OTEL_EXPORTER_OTLP_{TRACES,METRICS,LOGS}_ENDPOINT` | of one signal |
| `OTEL_EXPORTER_OTLP_PROTOCOL` | `grpc` (the standard) or `http/protobuf`; one signal's by its own variable |
| `OTEL_EXPORTER_OTLP_COMPRESSION` | `none` (the standard), `gzip` or `deflate`; one signal's by its own variable |
| `OTEL_{TRACES,METRICS,LOGS}_EXPORTER` | `otlp` or `none` |
| `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | what is kept; a tenth, `parentbased_traceidratio`, without them |
| `OTEL_METRIC_EXPORT_INTERVAL` | milliseconds between two reports of metrics; 60000 |
| `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | what the process is called |
| `OTEL_SDK_DISABLED` | `true`: nothing is sent; /metrics stays |
"""

import logging
import os
import re
import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal, TypeVar

import grpc
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NoOpTracerProvider
from opentelemetry.trace import TracerProvider as TracerProviderApi
from prometheus_client import CollectorRegistry

from adapters.telemetry.ending import end_all
from adapters.telemetry.log_records import OtelLogHandler
from adapters.telemetry.process_metrics import observe_process
from adapters.telemetry.quiet import hush
from collector.domain.errors import InvalidFieldError

ENDPOINT, PROTOCOL, SAMPLER = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_TRACES_SAMPLER"
GRPC, HTTP = "grpc", "http/protobuf"
SAMPLED = 0.1
"""Of the rounds; what a caller has sampled is sampled here, too."""
COMPRESSION, NONE = "OTEL_EXPORTER_OTLP_COMPRESSION", "none"
NUMBERS = re.compile(r"OTEL_\w+_(TIMEOUT|INTERVAL|DELAY|SIZE|LIMIT)$")
COMPRESSIONS = {
    NONE: grpc.Compression.NoCompression,
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
}
Signal = Literal["TRACES", "METRICS", "LOGS"]
SIGNALS: tuple[Signal, ...] = ("TRACES", "METRICS", "LOGS")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class _Way:
    """How a signal is sent.

    Attributes:
        protocol: `GRPC` or `HTTP`.
        packing: one of `COMPRESSIONS`.
    """

    protocol: str
    packing: str

    def exporter(self, by_http: Callable[..., E], by_grpc: Callable[..., E]) -> E:
        """What sends it; where to, and the rest, it reads from the environment by itself."""
        if self.protocol == HTTP:
            return by_http(compression=Compression(self.packing))
        return by_grpc(compression=COMPRESSIONS[self.packing])


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a process writes its telemetry to.

    Attributes:
        meters: makes instruments; they are read at /metrics, and sent where a collector is named.
        tracers: makes spans; those of a process without a collector cost nothing and go nowhere.
        registry: what /metrics shows.
        sends: the signals that go to a collector.
    """

    meters: MeterProvider
    tracers: TracerProviderApi
    registry: CollectorRegistry
    sends: frozenset[Signal]


def open_telemetry(service: str, closing: AsyncExitStack) -> Telemetry:
    """Open what the environment asks for; no server need be there.

    Nothing global is touched but the root logger, and that only where log records are sent: it has one more handler
    until `closing` is closed.

    Args:
        service: `service.name` where the environment has none, such as `chamberlog-worker`.
        closing: sends what is left and ends the threads that send; see `end_all` for a collector that is away.

    Raises:
        InvalidFieldError: a variable of OpenTelemetry says what there is not.
    """
    ways = {signal: way for signal in SIGNALS if (way := _way_of(signal)) is not None}
    resource, ends = _resource(service), list[Callable[[], object]]()
    closing.push_async_callback(end_all, ends)
    if ways:
        _check_numbers()
        hush()
    registry = CollectorRegistry()
    meters = make_meter_provider(service, _readers(ways.get("METRICS")), registry)
    observe_process(meters)
    ends.append(meters.shutdown)
    tracers: TracerProviderApi = NoOpTracerProvider()
    if way := ways.get("TRACES"):
        kept = _tracers(resource, way)
        ends.append(kept.shutdown)
        tracers = kept
    if way := ways.get("LOGS"):
        taken = _loggers(resource, way)
        ends.append(taken.shutdown)
        _hand_over(taken, closing)
    return Telemetry(meters, tracers, registry, frozenset(ways))


def make_meter_provider(
    service: str, readers: Sequence[MetricReader] = (), registry: CollectorRegistry | None = None
) -> MeterProvider:
    """A provider of its own: nothing global is touched. Its owner calls `shutdown` at the end.

    Args:
        service: `service.name`, such as `chamberlog-worker`.
        readers: where the metrics go besides Prometheus.
        registry: a fresh registry that Prometheus reads through `metrics_text` or `serve_metrics`; one per provider.
    """
    exposed = [] if registry is None else [PrometheusMetricReader(scope_info_enabled=False, registry=registry)]
    return MeterProvider([*readers, *exposed], resource=_resource(service), shutdown_on_exit=False)


def _way_of(signal: Signal) -> _Way | None:
    """How a signal is sent; None = it is not.

    The exporters themselves would end the process about a compression that is empty, and by gRPC about the standard
    `none`.
    """
    exporter = _choice(f"OTEL_{signal}_EXPORTER", ("otlp", "none"), "otlp")
    named = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or os.environ.get(ENDPOINT)
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if exporter == "none" or not named or disabled:
        return None
    protocol = _choice(_own_or(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", PROTOCOL), (GRPC, HTTP), GRPC)
    packing = _own_or(f"OTEL_EXPORTER_OTLP_{signal}_COMPRESSION", COMPRESSION)
    return _Way(protocol, _choice(packing, tuple(COMPRESSIONS), NONE))


def _own_or(own: str, common: str) -> str:
    """The variable of one signal where it is set, else that of all."""
    return own if os.environ.get(own) else common


def _check_numbers() -> None:
    """The SDK would end the process without the variable's name."""
    for variable, text in sorted(os.environ.items()):
        if NUMBERS.match(variable) and text.strip() and not text.strip().replace(".", "", 1).isdecimal():
            raise InvalidFieldError(variable, f"{text!r} is no number", "write a number, or leave it out")


def _hand_over(loggers: LoggerProvider, closing: AsyncExitStack) -> None:
    """From now on, until it is closed, what this process logs goes there as well."""
    root, handler = logging.getLogger(), OtelLogHandler(loggers)
    root.addHandler(handler)
    closing.callback(root.removeHandler, handler)


def _choice(variable: str, choices: tuple[str, ...], standard: str) -> str:
    chosen = os.environ.get(variable, "").strip() or standard
    if chosen not in choices:
        raise InvalidFieldError(variable, f"{chosen!r} is not known here", f"write {' or '.join(choices)}")
    return chosen


def _resource(service: str) -> Resource:
    """Two processes of a service are told apart, or the metrics of one would pass for the other's."""
    own = os.environ.get("OTEL_SERVICE_NAME")
    instance = OTELResourceDetector().detect().attributes.get(SERVICE_INSTANCE_ID)
    named = {SERVICE_NAME: own or service, SERVICE_INSTANCE_ID: instance or f"{socket.gethostname()}-{os.getpid()}"}
    return Resource.create(named)


def _readers(way: _Way | None) -> Sequence[MetricReader]:
    return [] if way is None else [PeriodicExportingMetricReader(way.exporter(HttpMetrics, GrpcMetrics))]


def _tracers(resource: Resource, way: _Way) -> TracerProvider:
    sampler = None if os.environ.get(SAMPLER) else ParentBased(TraceIdRatioBased(SAMPLED))
    provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(way.exporter(HttpSpans, GrpcSpans)))
    return provider


def _loggers(resource: Resource, way: _Way) -> LoggerProvider:
    provider = LoggerProvider(resource, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(way.exporter(HttpLogs, GrpcLogs)))
    return provider

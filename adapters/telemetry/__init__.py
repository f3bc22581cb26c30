"""What chamberlog tells of itself, by OpenTelemetry."""

from adapters.telemetry.collection_metrics import OtelCollectionMetrics
from adapters.telemetry.exposure import MetricsServer, metrics_text, serve_metrics
from adapters.telemetry.fleet_metrics import OtelFleetMetrics
from adapters.telemetry.gate_metrics import OtelGateMetrics
from adapters.telemetry.opening import Telemetry, make_meter_provider, open_telemetry
from adapters.telemetry.spans import OtelTracing, make_tracing
from adapters.telemetry.statements import StatementTold, tell_statements

__all__ = [
    "MetricsServer",
    "OtelCollectionMetrics",
    "OtelFleetMetrics",
    "OtelGateMetrics",
    "OtelTracing",
    "StatementTold",
    "Telemetry",
    "make_meter_provider",
    "make_tracing",
    "metrics_text",
    "open_telemetry",
    "serve_metrics",
    "tell_statements",
]

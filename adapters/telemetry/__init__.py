"""What chamberlog tells of itself, by OpenTelemetry."""

from adapters.telemetry.collection_metrics import OtelCollectionMetrics
from adapters.telemetry.exposure import MetricsServer, metrics_text, serve_metrics
from adapters.telemetry.fleet_metrics import OtelFleetMetrics
from adapters.telemetry.gate_metrics import OtelGateMetrics
from adapters.telemetry.log_records import OtelLogHandler
from adapters.telemetry.opening import Telemetry, make_meter_provider, open_telemetry

__all__ = [
    "MetricsServer",
    "OtelCollectionMetrics",
    "OtelFleetMetrics",
    "OtelGateMetrics",
    "OtelLogHandler",
    "Telemetry",
    "make_meter_provider",
    "metrics_text",
    "open_telemetry",
    "serve_metrics",
]

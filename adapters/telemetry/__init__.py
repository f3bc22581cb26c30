"""What chamberlog tells of itself, by OpenTelemetry."""

from adapters.telemetry.cache_metrics import OtelCacheMetrics
from adapters.telemetry.collection_metrics import OtelCollectionMetrics, observe_rounds
from adapters.telemetry.database_metrics import OtelDatabaseMetrics
from adapters.telemetry.edge_metrics import OtelEdgeMetrics, observe_streams
from adapters.telemetry.exposure import MetricsServer, metrics_text, serve_metrics
from adapters.telemetry.fleet_metrics import OtelFleetMetrics
from adapters.telemetry.gate_metrics import OtelGateMetrics
from adapters.telemetry.log_records import OtelLogHandler
from adapters.telemetry.opening import Signal, Telemetry, make_meter_provider, open_telemetry
from adapters.telemetry.process_metrics import observe_process
from adapters.telemetry.spans import OtelTracing, make_tracing
from adapters.telemetry.statements import StatementTold, tell_statements
from adapters.telemetry.temporal_metrics import TemporalMetrics
from adapters.telemetry.writer_metrics import OtelWriterMetrics

__all__ = [
    "MetricsServer",
    "OtelCacheMetrics",
    "OtelCollectionMetrics",
    "OtelDatabaseMetrics",
    "OtelEdgeMetrics",
    "OtelFleetMetrics",
    "OtelGateMetrics",
    "OtelLogHandler",
    "OtelTracing",
    "OtelWriterMetrics",
    "Signal",
    "StatementTold",
    "Telemetry",
    "TemporalMetrics",
    "make_meter_provider",
    "make_tracing",
    "metrics_text",
    "observe_process",
    "observe_rounds",
    "observe_streams",
    "open_telemetry",
    "serve_metrics",
    "tell_statements",
]

"""The runtime of Temporal's SDK: a process makes one, and all its clients and workers share it."""

from datetime import timedelta

from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig

from adapters.temporal_logs import core_logging


def make_runtime(metrics: MetricBuffer | None = None, beat: timedelta | None = None) -> Runtime:
    """A runtime with threads of its own: a second one costs them again.

    Args:
        metrics: takes what the SDK measures of itself, see `adapters.telemetry.TemporalMetrics`; None = nothing does.
        beat: distance of the signs of life that workers give; the SDK's own when None.
    """
    telemetry = TelemetryConfig(logging=core_logging(), metrics=metrics, attach_service_name=False)
    if beat is None:
        return Runtime(telemetry=telemetry)
    return Runtime(telemetry=telemetry, worker_heartbeat_interval=beat)

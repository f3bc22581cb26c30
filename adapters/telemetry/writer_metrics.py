"""What the writer of a worker does, by OpenTelemetry.

| instrument | unit | kind | attributes |
|---|---|---|---|
| `chamberlog.writer.batch.size` | {outcome} | histogram | |
| `chamberlog.writer.duration` | s | histogram | `error.type` when it was refused |
"""

from opentelemetry.metrics import MeterProvider

ERROR_TYPE = "error.type"
SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000)
"""From a save that comes alone to the largest group."""
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
"""Up to the time at which a group is given up."""


class OtelWriterMetrics:
    """What `adapters.postgres.watching.WriterMetrics` asks for, by OpenTelemetry."""

    def __init__(self, provider: MeterProvider) -> None:
        """Make the instruments."""
        meter = provider.get_meter("chamberlog")
        self._sizes = meter.create_histogram(
            "chamberlog.writer.batch.size",
            "{outcome}",
            "Outcomes that were stored in one transaction",
            explicit_bucket_boundaries_advisory=SIZES,
        )
        self._durations = meter.create_histogram(
            "chamberlog.writer.duration",
            "s",
            "One transaction of the writer, its connection included",
            explicit_bucket_boundaries_advisory=BUCKETS_S,
        )

    def written(self, outcomes: int, seconds: float, error: str) -> None:
        """A transaction ended; what was refused stored nothing and has no size."""
        if not error:
            self._sizes.record(outcomes)
        self._durations.record(seconds, {ERROR_TYPE: error} if error else {})

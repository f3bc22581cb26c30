"""What the parts of a process measure by: each set of instruments is made when a part first asks for it."""

from contextlib import AsyncExitStack
from datetime import timedelta
from functools import cached_property

from opentelemetry.sdk.metrics import MeterProvider
from temporalio.runtime import Runtime

from adapters.postgres.pool import Watch
from adapters.telemetry import (
    OtelCacheMetrics,
    OtelCollectionMetrics,
    OtelDatabaseMetrics,
    OtelEdgeMetrics,
    OtelFleetMetrics,
    OtelGateMetrics,
    OtelWriterMetrics,
    TemporalMetrics,
)
from adapters.temporal_runtime import make_runtime


class Instruments:
    """One for a process: what nobody asks for is not among its metrics.

    Args:
        meters: of the process.
    """

    def __init__(self, meters: MeterProvider) -> None:
        self.meters = meters

    @cached_property
    def collection(self) -> OtelCollectionMetrics:
        """Of what becomes of slots."""
        return OtelCollectionMetrics(self.meters)

    @cached_property
    def writer(self) -> OtelWriterMetrics:
        """Of storing outcomes."""
        return OtelWriterMetrics(self.meters)

    @cached_property
    def cache(self) -> OtelCacheMetrics:
        """Of what Valkey keeps."""
        return OtelCacheMetrics(self.meters)

    @cached_property
    def gate(self) -> OtelGateMetrics:
        """Of who is let pass."""
        return OtelGateMetrics(self.meters)

    @cached_property
    def edge(self) -> OtelEdgeMetrics:
        """Of requests and calls."""
        return OtelEdgeMetrics(self.meters)

    @cached_property
    def fleet(self) -> OtelFleetMetrics:
        """Of the fleet and the ledger, as PostgreSQL has them."""
        return OtelFleetMetrics(self.meters)

    def watch(self, pool: str) -> Watch:
        """For a pool of connections to PostgreSQL that is called so."""
        return Watch(self._database, pool)

    def runtime(self, closing: AsyncExitStack, beat: timedelta | None = None) -> Runtime:
        """The process's runtime of Temporal's SDK, which is measured from now on until the end.

        Args:
            closing: takes over what is left, and ends.
            beat: see `make_runtime`.
        """
        core = TemporalMetrics(self.meters)
        runtime = make_runtime(core.buffer, beat)
        core.start()
        closing.callback(core.close)
        return runtime

    @cached_property
    def _database(self) -> OtelDatabaseMetrics:
        return OtelDatabaseMetrics(self.meters)

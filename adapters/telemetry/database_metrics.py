"""What this process asks of PostgreSQL, by OpenTelemetry's conventions for database clients.

| instrument | unit | kind | attributes |
|---|---|---|---|
| `db.client.operation.duration` | s | histogram | `db.system.name`, `db.operation.name`, `error.type` when it failed |
| `db.client.connection.count` | {connection} | up-down counter | `db.client.connection.state`, `db.client.connection.pool.name` |
"""  # noqa: E501  # a table whose rows are broken is none

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

SYSTEM, OPERATION, ERROR_TYPE = "db.system.name", "db.operation.name", "error.type"
STATE, POOL = "db.client.connection.state", "db.client.connection.pool.name"
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
"""From a look at one key to the longest that a statement may take."""


class OtelDatabaseMetrics:
    """What `adapters.postgres.watching` tells, by OpenTelemetry."""

    def __init__(self, provider: MeterProvider) -> None:
        """Make the instruments."""
        meter = provider.get_meter("chamberlog")
        self._durations = meter.create_histogram(
            "db.client.operation.duration",
            "s",
            "One statement, as its caller waits for it",
            explicit_bucket_boundaries_advisory=BUCKETS_S,
        )
        self._pools: dict[str, Callable[[], tuple[int, int]]] = {}
        meter.create_observable_up_down_counter(
            "db.client.connection.count", [self._connections], "{connection}", "Connections of this process by state"
        )

    def statement(self, operation: str, seconds: float, error: str) -> None:
        """One statement ended."""
        told = {SYSTEM: "postgresql", OPERATION: operation}
        self._durations.record(seconds, {**told, ERROR_TYPE: error} if error else told)

    def pool(self, name: str, used_and_idle: Callable[[], tuple[int, int]]) -> None:
        """A pool of that name is there from now on; another one of the name takes its place."""
        self._pools[name] = used_and_idle

    def _connections(self, _: CallbackOptions) -> Iterable[Observation]:
        for name, look in list(self._pools.items()):
            used, idle = look()
            yield Observation(used, {POOL: name, STATE: "used"})
            yield Observation(idle, {POOL: name, STATE: "idle"})

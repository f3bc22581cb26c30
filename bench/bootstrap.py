"""What the bench asks PostgreSQL, and the device client that it measures. Nothing else here knows an adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.http_device import HttpDeviceClient
from adapters.postgres.pool import Postgres
from collector.domain.egress_proxy import EgressProxy
from collector.domain.timerange import TimeRange

ANSWER_S = 60.0
SIZE = """
SELECT pg_database_size(current_database()) AS size,
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS wal, current_setting('server_version') AS version
"""
WINDOW = """
SELECT count(*) AS stored, count(DISTINCT v.serial) AS answers, percentile_cont(ARRAY[0.5, 0.95, 0.99, 1.0])
    WITHIN GROUP (ORDER BY extract(epoch FROM r.requested_at - r.scheduled_at)::float8 * 1000) AS late
FROM reading r
JOIN detector_set s ON s.id = r.detector_set
CROSS JOIN LATERAL (SELECT r."values"[array_position(s.names, 'serial')] AS serial) v
WHERE r.scheduled_at >= instant_of($1) AND r.scheduled_at < instant_of($2)
"""


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """`stored` bytes of the readings' database, `written` bytes of write-ahead log since the cluster was made."""

    stored: int
    written: int


@dataclass(frozen=True, slots=True)
class StoredReadings:
    """The readings of a range of slots.

    Attributes:
        stored: how many.
        answers: how many different serials they have: fewer than `stored` when an answer was stored twice.
        lateness_ms: of the request against its slot: p50, p95, p99 and max; empty without a reading.
    """

    stored: int
    answers: int
    lateness_ms: dict[str, float]


class Ledger:
    """Asks the readings' database over one connection that stays open."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def size(self) -> DatabaseSize:
        """The database's size now."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(SIZE)
        assert row is not None
        return DatabaseSize(row["size"], row["wal"])

    async def version(self) -> str:
        """Of the server."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(SIZE)
        assert row is not None
        return str(row["version"])

    async def readings(self, span: TimeRange) -> StoredReadings:
        """What is stored for the slots of the range."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(WINDOW, span.from_ms, span.to_ms)
        assert row is not None
        late = zip(("p50", "p95", "p99", "max"), row["late"] or (), strict=False)
        return StoredReadings(row["stored"], row["answers"], {name: round(ms, 2) for name, ms in late})


@asynccontextmanager
async def open_ledger(dsn: str) -> AsyncIterator[Ledger]:
    """The readings' database.

    Raises:
        AwayError: from each question, when the server does not answer.
    """
    postgres = Postgres(dsn, size=1, timeout_s=ANSWER_S)
    try:
        yield Ledger(postgres)
    finally:
        await postgres.close()


def device_client(proxy: EgressProxy | None = None) -> HttpDeviceClient:
    """The client with which workers read devices, straight or through an egress proxy."""
    return HttpDeviceClient(proxy=proxy)

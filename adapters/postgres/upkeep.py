"""When the fleet was looked after last, and the fleet in figures."""

import json
from collections.abc import Mapping

from adapters.postgres.maintenance_queries import NOW
from adapters.postgres.pool import Postgres
from collector.ports.reconcile import FleetFigures, UpkeepNote

NOTE = """
INSERT INTO upkeep (kind, finished_at, counts) VALUES ($1, clock_timestamp(), $2::text::jsonb)
ON CONFLICT (kind) DO UPDATE SET finished_at = excluded.finished_at, counts = excluded.counts
"""
NOTES = "SELECT kind, ms_of(finished_at) AS finished_ms, counts::text AS counts FROM upkeep"
CHAMBERS = """
SELECT organization, status, count(*) AS chambers FROM chamber_overview WHERE retired_at IS NULL GROUP BY 1, 2
"""


class PostgresUpkeep:
    """`UpkeepLog` over PostgreSQL."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def note(self, kind: str, counts: Mapping[str, int]) -> None:
        """It ended now; see `UpkeepLog.note`."""
        async with self._postgres.connection() as connection:
            await connection.execute(NOTE, kind, json.dumps(dict(counts)))

    async def figures(self) -> FleetFigures:
        """The fleet now; see `UpkeepLog.figures`."""
        async with self._postgres.connection() as connection:
            chambers = await connection.fetch(CHAMBERS)
            notes = await connection.fetch(NOTES)
            now_ms = await connection.fetchval(NOW)
        return FleetFigures(
            {(row["organization"], row["status"]): row["chambers"] for row in chambers},
            {row["kind"]: UpkeepNote(row["finished_ms"], json.loads(row["counts"])) for row in notes},
            now_ms,
        )

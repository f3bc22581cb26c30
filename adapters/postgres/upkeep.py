"""When the fleet was looked after last, and the fleet in figures."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from adapters.postgres.maintenance_queries import NOW
from adapters.postgres.pool import Connection, Postgres
from adapters.postgres.rows import Row
from collector.domain.health import Status
from collector.ports.reconcile import FleetFigures, LedgerFigures, UpkeepNote

NOTE = """
INSERT INTO upkeep (kind, finished_at, counts) VALUES ($1, clock_timestamp(), $2::text::jsonb)
ON CONFLICT (kind) DO UPDATE SET finished_at = excluded.finished_at, counts = excluded.counts
"""
NOTES = "SELECT kind, ms_of(finished_at) AS finished_ms, counts::text AS counts FROM upkeep"
CHAMBERS = """
SELECT organization, status, count(*) AS chambers, max(greatest(0, ms_of(now())
    - ms_of(greatest(settled_through, resumed_at, pause_until)) - interval_ms)) AS lag_ms
FROM chamber_overview WHERE retired_at IS NULL GROUP BY 1, 2
"""
"""`pause_until` of a chamber that is not paused any more is when its pause ended: nobody had to resume it."""
UNREAD = (Status.PAUSED.value, Status.RETIRING.value)
SIZES = r"""
SELECT regexp_replace(relname, '^reading_\d{8}$', 'reading') AS relation,
    sum(pg_total_relation_size(oid))::bigint AS size
FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace GROUP BY 1
"""
ROLLED_UP = "SELECT ms_of(through) FROM rolled_up"
TRANSACTIONS = """
SELECT pg_database_size(datid) AS size, xact_commit AS committed, xact_rollback AS rolled_back
FROM pg_stat_database WHERE datname = current_database()
"""
CONNECTIONS = """
SELECT coalesce(state, '') AS state, count(*) AS connections FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1
"""
STATES = {
    "active": "active",
    "idle": "idle",
    "idle in transaction": "idle_in_transaction",
    "idle in transaction (aborted)": "idle_in_transaction_aborted",
}
OTHER_STATES = "other"
"""What a user who may not see the others' sessions is shown, too."""


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
            _lags(chambers),
        )

    async def ledger(self) -> LedgerFigures:
        """The store now; see `UpkeepLog.ledger`."""
        async with self._postgres.connection() as connection:
            return await _ledger(connection)


def _lags(chambers: Sequence[Row]) -> dict[str, int]:
    lags: dict[str, int] = {}
    for row in chambers:
        if row["status"] not in UNREAD:
            lags[row["organization"]] = max(row["lag_ms"], lags.get(row["organization"], 0))
    return lags


async def _ledger(connection: Connection) -> LedgerFigures:
    counted = await connection.fetchrow(TRANSACTIONS)
    assert counted is not None  # it is the database of this very connection
    connections = Counter(dict.fromkeys((*STATES.values(), OTHER_STATES), 0))
    for row in await connection.fetch(CONNECTIONS):
        connections[STATES.get(row["state"], OTHER_STATES)] += row["connections"]
    return LedgerFigures(
        size=counted["size"],
        relations={row["relation"]: row["size"] for row in await connection.fetch(SIZES)},
        rolled_up_ms=await connection.fetchval(ROLLED_UP),
        connections=connections,
        committed=counted["committed"],
        rolled_back=counted["rolled_back"],
        at_ms=await connection.fetchval(NOW),
    )

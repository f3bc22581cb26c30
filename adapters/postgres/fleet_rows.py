"""The registry's rows of every organization, for whoever repairs the fleet."""

from collections.abc import Sequence

from adapters.postgres import registry_queries as q
from adapters.postgres.outcome_queries import FIND_KEY, FORGOTTEN
from adapters.postgres.pool import Postgres
from adapters.postgres.rows import record_from
from collector.domain.settling import clean
from collector.ports.registry import ChamberRecord

ALL_TIMEOUT_S = 30.0
"""The rows of the largest fleet take less than a second; a busy server may need longer."""


class PostgresFleetRows:
    """`FleetRows` over PostgreSQL."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def all(self) -> Sequence[ChamberRecord]:
        """Every row by id; see `FleetRows.all`."""
        async with self._postgres.connection() as connection:
            return [record_from(row) for row in await connection.fetch(q.ALL_ROWS, timeout=ALL_TIMEOUT_S)]

    async def lacks_outcomes(self, chamber_id: str, from_ms: int, to_ms: int) -> bool:
        """Whether a slot in [from, to) has no outcome; see `FleetRows.lacks_outcomes`."""
        async with self._postgres.connection() as connection:
            key = await connection.fetchval(FIND_KEY, clean(chamber_id))
            return bool(await connection.fetchval(FORGOTTEN, key, from_ms, to_ms, timeout=ALL_TIMEOUT_S))

    async def row(self, chamber_id: str) -> ChamberRecord | None:
        """The row of that id; see `FleetRows.row`."""
        async with self._postgres.connection() as connection:
            row = await connection.fetchrow(q.ANY_ROW, clean(chamber_id))
        return None if row is None else record_from(row)

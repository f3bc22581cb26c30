"""The readings of a peer, in a table of their own beside chamberlog's.

Its key is a number of its own. Chamberlog's key (chamber, slot) would refuse the second reading of a slot, and whether
a peer makes one is what the bench wants to know; an index on the same columns costs what the key would.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from bench.peers.slots import Row
from collector.domain.timerange import TimeRange

ANSWER_S = 60.0
MAKE = """
CREATE TABLE peer_reading (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chamber      int NOT NULL,
    scheduled_at timestamptz NOT NULL,
    requested_at timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    stored_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    "values"     float8[] NOT NULL
);
CREATE INDEX peer_reading_slot ON peer_reading (chamber, scheduled_at);
"""
INSERT = (
    'INSERT INTO peer_reading (chamber, scheduled_at, requested_at, received_at, "values") VALUES ($1, $2, $3, $4, $5)'
)
COUNT = """
SELECT count(DISTINCT (chamber, scheduled_at)) FROM peer_reading
WHERE scheduled_at >= to_timestamp($1::bigint / 1000.0) AND scheduled_at < to_timestamp($2::bigint / 1000.0)
"""
ROWS = """
SELECT chamber, round(extract(epoch FROM scheduled_at) * 1000)::bigint AS slot_ms,
    round(extract(epoch FROM requested_at) * 1000)::bigint AS requested_ms
FROM peer_reading
WHERE scheduled_at >= to_timestamp($1::bigint / 1000.0) AND scheduled_at < to_timestamp($2::bigint / 1000.0)
"""
CHAMBERLOG_ROWS = """
SELECT right(c.id, 5)::int AS chamber, ms_of(r.scheduled_at) AS slot_ms, ms_of(r.requested_at) AS requested_ms
FROM reading r JOIN chamber c ON c.key = r.chamber
WHERE r.scheduled_at >= instant_of($1) AND r.scheduled_at < instant_of($2)
"""
"""The same of chamberlog's own readings: the bench's ids end with the chamber's number."""


class PeerTable:
    """Asks over one connection that stays open."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def make(self) -> None:
        """On an empty database."""
        await self._connection.execute(MAKE)

    async def slots(self, span: TimeRange) -> int:
        """How many different slots of the range have a reading."""
        return int(await self._connection.fetchval(COUNT, span.from_ms, span.to_ms))

    async def rows(self, span: TimeRange, query: str = ROWS) -> list[Row]:
        """All readings of the slots of the range; with `CHAMBERLOG_ROWS` those of chamberlog's table."""
        found = await self._connection.fetch(query, span.from_ms, span.to_ms)
        return [Row(row["chamber"], row["slot_ms"], row["requested_ms"]) for row in found]

    async def version(self) -> str:
        """Of the server."""
        return str(await self._connection.fetchval("SHOW server_version"))


@asynccontextmanager
async def open_table(dsn: str) -> AsyncIterator[PeerTable]:
    """The table of the readings' database."""
    connection = await asyncpg.connect(dsn, command_timeout=ANSWER_S)
    try:
        yield PeerTable(connection)
    finally:
        await connection.close()

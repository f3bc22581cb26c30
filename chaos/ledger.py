"""What the readings' database and the devices' log say, as the count reads it."""

import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from chaos.counting import Answer, Found, GapRun, Stored
from collector.domain.timerange import TimeRange

AROUND_MS = 130_000
"""An answer of the range may be stored under a slot so long before it: the longest deadline, and a take-over."""
ANSWER_S = 60.0
READINGS = """
SELECT c.id AS chamber, ms_of(r.scheduled_at) AS slot, ms_of(r.requested_at) AS requested,
    ms_of(r.received_at) AS received,
    coalesce(r."values"[array_position(s.names, 'serial')], r."values"[array_position(s.names, 'boot_count')]) AS serial
FROM reading r JOIN chamber c ON c.key = r.chamber JOIN detector_set s ON s.id = r.detector_set
WHERE r.scheduled_at >= instant_of($1) AND r.scheduled_at < instant_of($2)
"""
RUNS = """
SELECT c.id AS chamber, ms_of(g.first_slot) AS first, ms_of(g.last_slot) AS last, g.reason
FROM gap g JOIN chamber c ON c.key = g.chamber
WHERE g.first_slot < instant_of($2) AND (g.last_slot IS NULL OR g.last_slot >= instant_of($1))
ORDER BY g.recorded_at, g.id
"""
SETTLED = "SELECT id, ms_of(settled_through) AS settled FROM chamber"
FILL = """
CREATE OR REPLACE FUNCTION chaos_disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE OR REPLACE TRIGGER chaos_disk_full BEFORE INSERT ON reading FOR EACH ROW EXECUTE FUNCTION chaos_disk_full();
"""
EMPTY = "DROP TRIGGER IF EXISTS chaos_disk_full ON reading; DROP FUNCTION IF EXISTS chaos_disk_full()"


class Served:
    """The devices' log, read on from where the last reading ended; what is too old for any row is forgotten."""

    def __init__(self, file: Path) -> None:
        self._file, self._offset = file, 0
        self._answers: deque[Answer] = deque()

    def around(self, span: TimeRange) -> list[Answer]:
        """All answers of the range and around it. Ranges must not go back."""
        self._read_on()
        while self._answers and self._answers[0].served_ms < span.from_ms - AROUND_MS:
            self._answers.popleft()
        return list(self._answers)

    def _read_on(self) -> None:
        with self._file.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):  # it is being written
                    return
                self._offset += len(line)
                row = json.loads(line)
                if row["status"] is not None:
                    self._answers.append(Answer(row["device"], row["serial"], row["served_ms"]))


async def found_in(dsn: str, served: Served, span: TimeRange) -> Found:
    """What there is now, of the range and around it."""
    async with connected(dsn) as connection:
        around = (span.from_ms - AROUND_MS, span.to_ms + AROUND_MS)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            readings = await connection.fetch(READINGS, *around)
            runs = await connection.fetch(RUNS, *around)
            settled = await connection.fetch(SETTLED)
    return Found(
        [Stored(r["chamber"], r["slot"], r["requested"], r["received"], _whole(r["serial"])) for r in readings],
        [GapRun(r["chamber"], r["first"], r["last"], r["reason"]) for r in runs],
        {r["id"]: r["settled"] for r in settled},
        served.around(span),
    )


async def fill_disk(dsn: str) -> None:
    """From now on the database says for every reading that its disk is full. Again: nothing changes."""
    async with connected(dsn) as connection:
        await connection.execute(FILL)


async def empty_disk(dsn: str) -> None:
    """Take that back. Again: nothing happens."""
    async with connected(dsn) as connection:
        await connection.execute(EMPTY)


async def version_of(dsn: str) -> str:
    """Of the server."""
    async with connected(dsn) as connection:
        return str(await connection.fetchval("SHOW server_version"))


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection for one question: servers come and go here."""
    connection = await asyncpg.connect(dsn, timeout=ANSWER_S, command_timeout=ANSWER_S)
    try:
        yield connection
    finally:
        await connection.close()


def _whole(serial: float | None) -> int | None:
    return None if serial is None else int(serial)

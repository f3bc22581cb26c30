"""The writer against a PostgreSQL that is down, killed, wrong, or shared with other writers."""

import asyncio
import os
import secrets
import signal
import time
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.migrate import migrate
from adapters.postgres.pool import Postgres
from adapters.postgres.writer import PostgresOutcomes
from collector.domain.errors import AwayError, StoreRefusedError
from collector.domain.outcome import GapReason, Reading
from collector.domain.timerange import TimeRange
from collector.ports.outcomes import SaveBatch
from stack.ports import free_port
from stack.postgres import start_postgres
from tests.contract.conftest import TestServer
from tests.contract.ledger_rooms import HOUR, Enrolled, Rooms, enrolled, gap, now, opened_rooms, reading, spec


async def save_until_stored(rooms: Rooms, batch: SaveBatch) -> int:
    """What a round and the `store` activity do together: keep what is refused, wait, hand it over again."""
    refusals = 0
    while True:
        try:
            await rooms.outcomes.save(batch)
        except StoreRefusedError:
            refusals += 1
            await rooms.outcomes.wait_available()
        else:
            return refusals


async def counted(address: str) -> tuple[int, int]:
    """Readings, and how many different ones."""
    connection = await asyncpg.connect(address)
    try:
        row = await connection.fetchrow("SELECT count(*), count(DISTINCT (chamber, scheduled_at)) FROM reading")
    finally:
        await connection.close()
    assert row is not None
    return row[0], row[1]


async def test_two_writers_of_the_same_rounds_neither_block_nor_double(database: str) -> None:
    async with opened_rooms(database) as one, opened_rooms(database) as two:
        chambers = [await enrolled(one, spec(f"shared-{n}", 1_000)) for n in range(8)]
        batches = [
            SaveBatch(
                c.spec.id,
                (
                    gap(c.slot(100 * k), c.slot(100 * k), GapReason.MISSED),
                    *(reading(c.slot(n + 5 * k)) for n in range(5)),
                ),
                c.slot(5 * k + 4),
            )
            for k in range(30)
            for c in chambers
        ]
        saves = [rooms.outcomes.save(b) for rooms, order in ((one, batches), (two, batches[::-1])) for b in order]

        results = await asyncio.gather(*saves)

        assert sum(r.new_readings for r in results) == 8 * 150
        assert await counted(database) == (8 * 150, 8 * 150)
        records = [await c.record() for c in chambers]
        assert [r.settled_through_ms - c.slot(0) for r, c in zip(records, chambers, strict=True)] == [149_000] * 8
        assert [r.last_reading_ms for r in records] == [c.slot(149) for c in chambers]
        page = await one.history.gaps("default", "shared-0", TimeRange(0, now()), limit=99)
        assert len(page.items) == 30


async def test_killed_and_started_again_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    port, password = free_port(), secrets.token_urlsafe(12)
    server = start_postgres(tmp_path / "data", port, password)
    await migrate(server.address)
    async with opened_rooms(server.address, timeout_s=2.0) as rooms:
        chambers = [await enrolled(rooms, spec(f"killed-{n}", 1_000)) for n in range(4)]
        batches = [
            SaveBatch(c.spec.id, tuple(reading(c.slot(n)) for n in range(k, k + 3)), c.slot(k + 2))
            for k in range(0, 240, 3)
            for c in chambers
        ]
        saving = asyncio.gather(*(save_until_stored(rooms, b) for b in batches))
        await asyncio.sleep(0.05)
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.sleep(0.3)
        started = time.monotonic()
        with pytest.raises(StoreRefusedError):
            await chambers[0].save(reading(chambers[0].slot(999)))
        assert time.monotonic() - started < 0.5
        server.stop()
        server = start_postgres(tmp_path / "data", port, password)
        try:
            refusals = await asyncio.wait_for(saving, 30)
            assert sum(refusals) > 0
            assert await counted(server.address) == (4 * 240, 4 * 240)
            for chamber in chambers:
                audit = await rooms.history.audit("default", chamber.spec.id, within(chamber, 240), now())
                assert (audit.expected, audit.stored, audit.unaccounted) == (240, 240, 0)
        finally:
            server.stop()


def within(chamber: Enrolled, slots: int) -> TimeRange:
    return TimeRange(chamber.slot(0), chamber.slot(slots))


async def test_a_process_starts_while_postgres_is_down(tmp_path: Path) -> None:
    port, password = free_port(), secrets.token_urlsafe(12)
    address = f"postgresql://chamberlog:{password}@127.0.0.1:{port}/chamberlog"
    async with opened_rooms(address, timeout_s=2.0) as rooms:
        with pytest.raises(StoreRefusedError, match="cannot be reached"):
            await rooms.outcomes.save(SaveBatch("early", (reading(now()),)))
        for call in (
            rooms.registry.find("default", "early"),
            rooms.history.audit("default", None, TimeRange(0, 1), 1),
            rooms.keys.find("0123456789ab"),
        ):
            with pytest.raises(AwayError):
                await call
        waiting = asyncio.create_task(rooms.outcomes.wait_available())
        server = start_postgres(tmp_path / "data", port, password)
        try:
            await asyncio.wait_for(waiting, 20)
            with pytest.raises(StoreRefusedError, match="run: chamberlog migrate"):
                await rooms.outcomes.save(SaveBatch("early", (reading(now()),)))
            await migrate(server.address)
            await rooms.outcomes.wait_available()
            chamber = await enrolled(rooms, spec("early"))
            assert (await chamber.save(reading(chamber.slot(0)))).new_readings == 1
        finally:
            server.stop()


async def test_a_missing_partition_is_made(database: str, postgres_rooms: Rooms) -> None:
    chamber = await enrolled(postgres_rooms, spec("backlog", HOUR), ago_ms=80 * HOUR)
    readings = tuple(reading(chamber.slot(n)) for n in range(0, 80, 5))

    result = await chamber.save(*readings, settled=chamber.slot(79))

    assert result.new_readings == 16
    page = await postgres_rooms.history.readings("default", "backlog", TimeRange(0, now()), limit=99)
    assert [stored.reading for stored in page.items] == list(readings)


async def test_poison_and_a_missing_partition_in_one_batch(postgres_rooms: Rooms) -> None:
    chamber = await enrolled(postgres_rooms, spec("both", HOUR), ago_ms=80 * HOUR)
    good = [reading(chamber.slot(n)) for n in range(8)]
    poison = Reading(chamber.slot(9), chamber.slot(9), 10**17, good[0].measurements, 1)

    result = await chamber.save(*good[:4], poison, *good[4:])

    assert result.new_readings == 8
    page = await postgres_rooms.history.gaps("default", "both", TimeRange(0, now()), limit=9)
    assert [(r.first_ms, r.reason) for r in page.items] == [(chamber.slot(9), GapReason.MALFORMED)]


async def test_a_row_that_another_holds_is_given_up_in_time(database: str) -> None:
    async with opened_rooms(database, timeout_s=0.5) as rooms:
        chamber = await enrolled(rooms, spec("held"))
        holder = await asyncpg.connect(database)
        try:
            async with holder.transaction():
                await holder.execute("SELECT FROM chamber WHERE id = 'held' FOR UPDATE")
                with pytest.raises(StoreRefusedError):
                    await chamber.save(reading(chamber.slot(0)))
        finally:
            await holder.close()
        assert await save_until_stored(rooms, SaveBatch("held", (reading(chamber.slot(0)),))) <= 1
        assert await counted(database) == (1, 1)


async def test_closing_refuses_what_waits(postgres_server: TestServer) -> None:
    postgres = Postgres(await postgres_server.database())
    outcomes = PostgresOutcomes(postgres)
    waiting = [asyncio.create_task(outcomes.save(SaveBatch("same", ()))) for _ in range(3)]
    await asyncio.sleep(0)
    await outcomes.close()
    await postgres.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(r) for r in results] == [StoreRefusedError] * 3


async def test_the_view_for_people_shows_one_row_a_measurement(database: str, postgres_rooms: Rooms) -> None:
    chamber = await enrolled(postgres_rooms, spec("people"))
    await chamber.save(reading(chamber.slot(0), 20.5, None))
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("SELECT chamber, detector, value, unit, quality FROM reading_value ORDER BY 2")
    finally:
        await connection.close()
    assert [tuple(row) for row in rows] == [
        ("people", "channel_1", None, "%", "bad"),
        ("people", "temperature", 20.5, "Cel", "good"),
    ]

"""Dropping days in a PostgreSQL that is in use: nothing is lost between two steps, and a cut-off call is carried on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import TYPE_CHECKING

import asyncpg
import pytest
import pytest_asyncio

from adapters.postgres import maintenance_queries as q
from collector.domain.errors import AwayError
from collector.domain.sealing import DAY_MS, day_of, first_ms_of, next_day, span_of
from collector.domain.timerange import TimeRange
from tests.contract.ledger_rooms import HOUR, Enrolled, Rooms, enrolled, now, opened_rooms, reading, spec
from tests.contract.test_hourly_curves import curve, whole_hours
from tests.contract.test_hourly_curves import told as told_long
from tests.contract.test_maintenance import figures, oldest, rolled_up, told, whole_audit

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:  # generic in the stubs only
    Connection = asyncpg.Connection
INSERT = """
INSERT INTO reading (chamber, scheduled_at, requested_at, received_at, detector_set, spec_version, "values")
SELECT key, instant_of($2), instant_of($2), instant_of($2), (SELECT id FROM detector_set ORDER BY id LIMIT 1), 1,
    array_fill(1.0::float8, ARRAY[(SELECT cardinality(names) FROM detector_set ORDER BY id LIMIT 1)])
FROM chamber WHERE id = $1
"""


@pytest_asyncio.fixture
async def rooms(database: str) -> AsyncIterator[Rooms]:
    async with opened_rooms(database) as opened:
        yield opened


@pytest_asyncio.fixture
async def sql(database: str) -> AsyncIterator[Connection]:
    """Somebody else's session."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def partitions(sql: Connection, day: date) -> tuple[bool, bool]:
    """Whether the day's table is there, and attached."""
    row = await sql.fetchrow(q.PARTITION_STATE, q.partition_of(day))
    return (False, False) if row is None else (True, row["attached"])


async def readings_of(rooms: Rooms, chamber: Enrolled, day: date) -> int:
    return len((await rooms.history.readings("default", chamber.spec.id, span_of(day), limit=1_000)).items)


async def test_a_reading_that_is_committed_while_its_day_is_detached_is_kept(rooms: Rooms, sql: Connection) -> None:
    chamber = await told(rooms, "racing")
    await rolled_up(rooms)
    day = await oldest(rooms)
    slot_ms = span_of(day).to_ms - 1
    audited = await whole_audit(rooms, chamber, "racing")
    writer = sql.transaction()
    await writer.start()
    await sql.execute(INSERT, "racing", slot_ms)

    dropping = asyncio.create_task(rooms.maintenance.drop_day(day))
    await asyncio.sleep(0.3)
    assert not dropping.done(), "it waits for the writer"
    await writer.commit()

    assert "stored while it was dropped" in await dropping
    assert await partitions(sql, day) == (True, True)
    assert await rooms.maintenance.retained_from() == first_ms_of(day)
    found = await rooms.history.readings("default", "racing", TimeRange(slot_ms, slot_ms + 1), limit=9)
    assert len(found.items) == 1
    assert figures(await whole_audit(rooms, chamber, "racing")) == figures(audited)
    await rolled_up(rooms)
    assert await rooms.maintenance.drop_day(day) == ""
    assert await partitions(sql, day) == (False, False)


@pytest.mark.parametrize("cut_after", ["refusing", "detaching by half", "detaching"])
async def test_a_call_that_was_cut_off_is_carried_on(
    rooms: Rooms, sql: Connection, database: str, cut_after: str
) -> None:
    chamber = await told(rooms, "cut")
    await rolled_up(rooms)
    day = await oldest(rooms)
    before = await whole_audit(rooms, chamber, "cut")
    await rooms.maintenance.seal(day)
    await sql.execute(q.MOVE_RETAINED_FROM, next_day(day))
    if cut_after == "detaching by half":
        await detach_by_half(database, sql, day)
    elif cut_after == "detaching":
        await sql.execute(q.detach(day, "CONCURRENTLY"))
    assert figures(await whole_audit(rooms, chamber, "cut")) == figures(before), "whatever came of it"

    assert await oldest(rooms) == day
    assert await rooms.maintenance.drop_day(day) == ""

    assert await partitions(sql, day) == (False, False)
    assert await oldest(rooms) == next_day(day)
    assert figures(await whole_audit(rooms, chamber, "cut")) == figures(before)


async def detach_by_half(database: str, sql: Connection, day: date) -> None:
    """A session that detaches is ended while it waits for a reader."""
    reader = sql.transaction(isolation="repeatable_read")
    await reader.start()
    await sql.fetchval("SELECT count(*) FROM reading")
    statement = q.detach(day, "CONCURRENTLY")
    victim = asyncio.create_task(execute(database, statement))
    for _ in range(100):
        await asyncio.sleep(0.05)
        ended = await sql.fetchval(
            "SELECT bool_or(pg_terminate_backend(a.pid)) FROM pg_stat_activity a WHERE query = $1 AND EXISTS "
            "(SELECT FROM pg_locks l WHERE l.pid = a.pid AND NOT granted)",
            statement,
        )
        if ended:
            break
    with pytest.raises(asyncpg.PostgresError):
        await victim
    await reader.rollback()
    row = await sql.fetchrow(q.PARTITION_STATE, q.partition_of(day))
    assert row is not None
    assert (row["attached"], row["pending"]) == (True, True)


async def execute(database: str, statement: str) -> None:
    """In a session of its own."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_an_altered_reading_has_another_digest(rooms: Rooms, sql: Connection) -> None:
    chamber = await told(rooms, "altered")
    day = next_day(day_of(chamber.first_ms))
    await rooms.maintenance.seal(day)
    before = (await rooms.maintenance.seals(day))["altered"]
    for change in (
        '"values"[1] = "values"[1] + 1e-9',
        "requested_at = requested_at + interval '1 ms'",
        "quality = NULL",
    ):
        await sql.execute(
            f"UPDATE reading SET {change} WHERE scheduled_at = (SELECT min(scheduled_at) FROM reading "
            "WHERE quality IS NOT NULL AND scheduled_at >= instant_of($1))",
            first_ms_of(day),
        )
        assert (await rooms.maintenance.seal(day)).changed, change
        after = (await rooms.maintenance.seals(day))["altered"]
        assert after.sha256 != before.sha256
        before = after


async def test_writers_and_readers_go_on_while_days_are_dropped(rooms: Rooms, sql: Connection) -> None:
    chamber = await told(rooms, "busy")
    live = [await enrolled(rooms, spec(f"live-{n}", 1_000), ago_ms=HOUR) for n in range(4)]
    await rolled_up(rooms)
    before = await whole_audit(rooms, chamber, "busy")
    stop = asyncio.Event()

    async def write(one: Enrolled) -> int:
        number = 0
        while not stop.is_set():
            await one.save(reading(one.slot(number)), settled=one.slot(number))
            number += 1
        return number

    async def audit() -> int:
        audits = 0
        while not stop.is_set():
            assert figures(await whole_audit(rooms, chamber, "busy")) == figures(before)
            audits += 1
        return audits

    work = [asyncio.create_task(w) for w in (*(write(one) for one in live), audit())]
    for _ in range(4):
        await asyncio.sleep(0.2)
        assert await rooms.maintenance.drop_day(await oldest(rooms)) == ""
    stop.set()
    counts = await asyncio.gather(*work)
    assert min(counts) > 3
    assert await sql.fetchval("SELECT count(*) FROM reading WHERE scheduled_at >= now() - interval '2 hours'") >= sum(
        counts[:-1]
    )


async def test_days_that_were_dropped_are_not_made_again(rooms: Rooms, sql: Connection) -> None:
    await told(rooms, "gone")
    await rolled_up(rooms)
    day = await oldest(rooms)
    assert await rooms.maintenance.drop_day(day) == ""
    assert await sql.fetchval("SELECT ensure_partitions($1, $1)", day) == 0
    assert await sql.fetchval("SELECT ensure_partitions($1, $1)", next_day(day)) == 0, "that one is there"
    assert await partitions(sql, day) == (False, False)


async def test_two_processes_drop_a_day_once(rooms: Rooms, sql: Connection) -> None:
    await told(rooms, "twice")
    await rolled_up(rooms)
    day = await oldest(rooms)
    await sql.fetchval(q.TRY_LOCK)
    assert "another process" in await rooms.maintenance.drop_day(day)
    await sql.fetchval(q.UNLOCK)
    both = await asyncio.gather(rooms.maintenance.drop_day(day), rooms.maintenance.drop_day(day))
    assert "" in both
    assert set(both) <= {"", f"{day}: another process drops it now"}


async def test_a_long_curve_is_really_drawn_from_hours(rooms: Rooms, sql: Connection) -> None:
    chamber = await told_long(rooms, "hours")
    await rolled_up(rooms)
    await sql.execute(
        "UPDATE reading_hourly SET maximum = 777 WHERE hour = "
        "(SELECT min(hour) FROM reading_hourly WHERE hour > instant_of($1))",
        whole_hours(chamber).from_ms + DAY_MS,
    )
    bins = await curve(rooms, chamber, whole_hours(chamber), 18)
    assert max(b.maximum or 0 for b in bins) == 777


async def test_a_first_look_at_an_old_ledger_takes_portions(rooms: Rooms, sql: Connection) -> None:
    chamber = await told(rooms, "old")
    await sql.execute("UPDATE rolled_up SET through = now() - interval '20 hours'")
    await sql.execute("UPDATE reading SET stored_at = now() - interval '20 hours' * random()")
    portions = [await rooms.maintenance.roll_up() for _ in range(4)]
    assert [p.complete for p in portions] == [False, False, False, True]
    assert sum(p.rows > 0 for p in portions) == 4
    hours = await sql.fetchval("SELECT sum(count) FROM reading_hourly WHERE detector = 'temperature'")
    assert hours == await sql.fetchval("SELECT count(*) FROM reading")
    assert chamber.first_ms < now() - 5 * DAY_MS


async def test_a_table_that_is_held_is_given_up_soon_and_dropped_later(rooms: Rooms, sql: Connection) -> None:
    chamber = await told(rooms, "held")
    await rolled_up(rooms)
    day = await oldest(rooms)
    before = await whole_audit(rooms, chamber, "held")
    holder = sql.transaction()
    await holder.start()
    await sql.execute("LOCK TABLE chamber IN ACCESS SHARE MODE")
    with pytest.raises(AwayError, match="lock timeout"):
        await asyncio.wait_for(rooms.maintenance.drop_day(day), 10)
    await holder.rollback()

    assert await partitions(sql, day) == (True, False)
    assert figures(await whole_audit(rooms, chamber, "held")) == figures(before)
    assert (await chamber.save(reading(chamber.slot(0)))).new_readings == 0
    assert await rooms.maintenance.drop_day(day) == ""
    assert await partitions(sql, day) == (False, False)


async def test_a_plain_reading_of_a_dropped_day_is_refused_on_the_short_way_too(rooms: Rooms) -> None:
    chamber = await told(rooms, "short")
    await rolled_up(rooms)
    day = await oldest(rooms)
    assert await rooms.maintenance.drop_day(day) == ""
    for off_ms in (11, 12):  # its detectors are known from then on
        assert (await chamber.save(reading(chamber.slot(100) + off_ms))).new_readings == 1

    refused_ms = span_of(day).to_ms - 5
    result = await chamber.save(reading(refused_ms))

    assert result.new_readings == 0
    runs = (await rooms.history.gaps("default", "short", TimeRange(refused_ms, refused_ms + 1), limit=9)).items
    assert [run.reason.value for run in runs] == ["misconfigured"]

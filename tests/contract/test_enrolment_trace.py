"""The trace of an enrolment: it stays with the row, whatever becomes of the chamber, and its state starts with it."""

from dataclasses import replace

import asyncpg
import pytest

from adapters.postgres.fleet_rows import PostgresFleetRows
from adapters.postgres.pool import Postgres
from adapters.temporal_control import initial_state
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.outcome import Epoch, EpochEnd
from collector.ports import ChamberFilter, ChamberRecord, SaveBatch
from tests.contract.ledger_rooms import HOUR, Rooms, now, opened_rooms, spec

ENROLMENT = f"00-{'a' * 32}-{'b' * 16}-01"
ANOTHER = f"00-{'c' * 32}-{'d' * 16}-01"


async def enrolled_in(rooms: Rooms, wanted: ChamberSpec, trace: str, ago_ms: int = HOUR) -> ChamberRecord:
    """Enrol within a trace."""
    first_ms = wanted.grid.at_or_before(now() - ago_ms)
    epoch = Epoch(first_ms, wanted.grid.interval_ms, wanted.grid.phase_ms, 1)
    return await rooms.registry.enrol(wanted, epoch, now() - ago_ms, trace)


async def test_the_trace_of_an_enrolment_stays_with_the_row(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    wanted = spec("traced")
    assert (await enrolled_in(rooms, wanted, ENROLMENT)).enrolment_trace == ENROLMENT
    assert (await enrolled_in(rooms, wanted, ENROLMENT.replace("a", "c"))).enrolment_trace == ENROLMENT, (
        "the same again"
    )
    moved = await rooms.registry.change_spec(replace(wanted, section="cold", interval_ms=30_000), 1)
    paused = await rooms.registry.change_pause("default", "traced", Pause(now(), "door"))
    [listed] = (await rooms.registry.page("default", ChamberFilter(), 10, None)).items
    found = await rooms.registry.find("default", "traced")
    assert {row.enrolment_trace for row in (moved, paused, listed, found)} == {ENROLMENT}


async def test_an_enrolment_that_nobody_traced_has_none(rooms: Rooms) -> None:
    assert (await enrolled_in(rooms, spec("plain"), "")).enrolment_trace == ""


@pytest.mark.parametrize("trace", ["", ANOTHER])
async def test_a_new_life_has_the_trace_of_its_own_enrolment(rooms: Rooms, trace: str) -> None:
    await enrolled_in(rooms, spec("reborn"), ENROLMENT)
    await rooms.registry.retire("default", "reborn")
    end_ms = (await rooms.registry.find("default", "reborn")).first_slot_ms
    await rooms.outcomes.save(SaveBatch("reborn", (EpochEnd(end_ms),), end_ms))
    assert (await enrolled_in(rooms, spec("reborn"), trace, ago_ms=0)).enrolment_trace == trace


async def test_a_chamber_starts_with_it(rooms: Rooms) -> None:
    assert initial_state(await enrolled_in(rooms, spec("started"), ENROLMENT)).enrolment == ENROLMENT
    assert initial_state(await enrolled_in(rooms, spec("plain"), "")).enrolment == ""


async def test_on_a_schema_that_is_not_migrated_yet_a_chamber_is_enrolled_without(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("ALTER TABLE chamber DROP COLUMN enrolment_trace")
    await connection.close()
    async with opened_rooms(database) as rooms:
        record = await enrolled_in(rooms, spec("early"), ENROLMENT)
        assert record.enrolment_trace == ""
        await rooms.registry.retire("default", "early")
        await rooms.outcomes.save(SaveBatch("early", (EpochEnd(record.first_slot_ms),), record.first_slot_ms))
        assert (await enrolled_in(rooms, spec("early"), ANOTHER, ago_ms=0)).spec.version == 2


async def test_whoever_repairs_the_fleet_starts_it_with_the_link(database: str) -> None:
    async with opened_rooms(database) as rooms:
        await enrolled_in(rooms, spec("repaired"), ENROLMENT)
    postgres = Postgres(database)
    rows = PostgresFleetRows(postgres)
    found = [await rows.row("repaired"), *await rows.all()]
    await postgres.close()
    assert [initial_state(row).enrolment for row in found if row is not None] == [ENROLMENT] * 2

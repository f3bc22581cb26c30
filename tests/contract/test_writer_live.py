"""The short way of the writer: many chambers' plain readings in one statement, and what it leaves to the long one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest_asyncio

from adapters.postgres import live
from adapters.postgres.pool import Postgres
from adapters.postgres.waiting import Waiting
from adapters.postgres.writer import PostgresOutcomes
from collector.domain.errors import AwayError, StoreRefusedError
from collector.domain.outcome import Measurement, Quality
from collector.domain.timerange import TimeRange
from collector.ports.outcomes import SaveBatch, SaveResult
from tests.contract.ledger_rooms import HOUR, Enrolled, Rooms, enrolled, gap, now, opened_rooms, reading, spec

EVERYTHING = TimeRange(0, 4_102_444_800_000)


class Counting(PostgresOutcomes):
    """The writer, counting the batches that took the long way."""

    def __init__(self, postgres: Postgres) -> None:
        super().__init__(postgres, pace_s=0.0)
        self.long_way = 0

    async def _store(self, group: "list[Waiting]") -> None:  # type: ignore[override]
        self.long_way += len(group)
        await super()._store(group)


@pytest_asyncio.fixture
async def outcomes(database: str) -> AsyncIterator[Counting]:
    postgres = Postgres(database)
    counting = Counting(postgres)
    yield counting
    await counting.close()
    await postgres.close()


@pytest_asyncio.fixture
async def rooms(database: str) -> AsyncIterator[Rooms]:
    async with opened_rooms(database) as opened:
        yield opened


async def save(outcomes: Counting, chamber: Enrolled, number: int, *values: float | None) -> SaveResult:
    batch = SaveBatch(chamber.spec.id, (reading(chamber.slot(number), *values),), chamber.slot(number))
    return await outcomes.save(batch)


async def test_from_the_second_reading_on_the_way_is_short(outcomes: Counting, rooms: Rooms) -> None:
    chambers = [await enrolled(rooms, spec(f"live-{n}")) for n in range(5)]
    for number in range(4):
        results = await asyncio.gather(*(save(outcomes, c, number, 20.0 + number, None) for c in chambers))
        assert [r.new_readings for r in results] == [1] * 5
    assert outcomes.long_way == 5, "only the first reading of each"

    for chamber in chambers:
        page = await rooms.history.readings("default", chamber.spec.id, EVERYTHING, limit=10)
        assert sorted(r.reading.slot_ms for r in page.items) == [chamber.slot(n) for n in range(4)]
        latest = await rooms.history.latest("default", chamber.spec.id)
        assert latest is not None
        assert latest.reading == reading(chamber.slot(3), 23.0, None)
        assert (await chamber.record()).settled_through_ms == chamber.slot(3)


async def test_again_nothing_changes_and_nothing_moves_back(outcomes: Counting, rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("again"))
    for number in (0, 1, 2):
        await save(outcomes, chamber, number, 20.0)
    before = await chamber.record(), await rooms.history.latest("default", "again")

    assert (await save(outcomes, chamber, 2, 99.0)).new_readings == 0
    assert (await save(outcomes, chamber, 1, 99.0)).new_readings == 0

    assert (await chamber.record(), await rooms.history.latest("default", "again")) == before
    assert outcomes.long_way == 1


async def test_a_late_reading_fills_its_slot_and_moves_nothing(outcomes: Counting, rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("late"))
    await save(outcomes, chamber, 0)
    await chamber.settle(chamber.slot(5))
    late = SaveBatch("late", (reading(chamber.slot(3)),), None)
    assert (await outcomes.save(late)).new_readings == 1
    assert (await chamber.record()).settled_through_ms == chamber.slot(5)
    assert outcomes.long_way == 1


async def test_other_detectors_take_the_long_way_once(outcomes: Counting, rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("probes"))
    for number, values in enumerate(([1.0], [1.0], [1.0, 2.0], [1.0, 2.0], [1.0])):
        await save(outcomes, chamber, number, *values)
    assert outcomes.long_way == 3, "each change of the set"
    names = [d.name for d in await rooms.history.detectors("default", "probes")]
    assert sorted(names) == ["channel_1", "temperature"]


async def test_a_slot_outside_the_window_becomes_what_the_long_way_makes_of_it(
    outcomes: Counting, rooms: Rooms
) -> None:
    chamber = await enrolled(rooms, spec("window"))
    await save(outcomes, chamber, 0)
    for slot in (chamber.slot(-1), now() + 24 * HOUR):
        batch = SaveBatch("window", (reading(slot),), None)
        assert (await outcomes.save(batch)).new_readings == 0
    runs = (await rooms.history.gaps("default", "window", EVERYTHING, limit=10)).items
    assert {run.detail.partition(":")[0] for run in runs} == {"outside_window"}
    assert len(runs) == 2


async def test_a_chamber_that_is_not_there_is_refused_and_its_neighbours_are_stored(
    outcomes: Counting, rooms: Rooms
) -> None:
    here = await enrolled(rooms, spec("here"))
    await save(outcomes, here, 0)
    ghost = replace(here, spec=replace(here.spec, id="ghost"))
    outcomes._known.learn(SaveBatch("ghost", (reading(here.slot(0)),)), live.NEW)
    stored, refused = await asyncio.gather(save(outcomes, here, 1), save(outcomes, ghost, 1), return_exceptions=True)
    assert isinstance(stored, SaveResult)
    assert stored.new_readings == 1
    assert isinstance(refused, StoreRefusedError)


async def test_detectors_are_registered_though_the_first_reading_became_a_gap(outcomes: Counting, rooms: Rooms) -> None:
    known, fresh = await enrolled(rooms, spec("known")), await enrolled(rooms, spec("fresh"))
    await save(outcomes, known, 0)  # the set is there
    await outcomes.save(SaveBatch("fresh", (reading(now() + 24 * HOUR),), None))
    await save(outcomes, fresh, 0)
    assert [d.name for d in await rooms.history.detectors("default", "fresh")] == ["temperature"]


async def test_a_missing_partition_is_made(outcomes: Counting, rooms: Rooms, database: str) -> None:
    chamber = await enrolled(rooms, spec("partition"))
    await save(outcomes, chamber, 0)
    connection = await asyncpg.connect(database)
    try:
        parts = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reading'::regclass"
        for (name,) in await connection.fetch(parts):
            await connection.execute(f"DROP TABLE {name}")
    finally:
        await connection.close()
    assert (await save(outcomes, chamber, 1)).new_readings == 1


async def test_a_poisoned_reading_is_found_and_its_neighbours_are_stored(outcomes: Counting, rooms: Rooms) -> None:
    chambers = [await enrolled(rooms, spec(f"poison-{n}")) for n in range(4)]
    for chamber in chambers:
        await save(outcomes, chamber, 0)
    bad = replace(reading(chambers[1].slot(1)), spec_version=2**40)
    batches = [
        SaveBatch(c.spec.id, (bad if n == 1 else reading(c.slot(1)),), c.slot(1)) for n, c in enumerate(chambers)
    ]
    results = await asyncio.gather(*(outcomes.save(b) for b in batches))
    assert [r.new_readings for r in results] == [1, 0, 1, 1]
    (run,) = (await rooms.history.gaps("default", "poison-1", EVERYTHING, limit=10)).items
    assert run.reason.value == "malformed"


async def test_what_was_known_is_forgotten_with_the_database(outcomes: Counting, rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("restored"))
    await save(outcomes, chamber, 0)
    known = SaveBatch("restored", (reading(chamber.slot(1)),))
    assert outcomes._known.covers(known)
    outcomes._lost(AwayError("gone"))
    assert not outcomes._known.covers(known)


def test_only_one_plain_reading_is_short() -> None:
    known = live.KnownDetectors()
    one = reading(1_000)
    known.learn(SaveBatch("c", (one,)), live.NEW)
    assert known.covers(SaveBatch("c", (reading(2_000),)))
    assert not known.covers(SaveBatch("c", (reading(2_000), reading(3_000))))
    assert not known.covers(SaveBatch("c", (gap(1_000, 1_000),)))
    assert not known.covers(SaveBatch("c", ()))
    assert not known.covers(SaveBatch("other", (one,)))
    warm = replace(one, measurements=(Measurement("temperature", 1.0, "K", Quality.GOOD),))
    assert not known.covers(SaveBatch("c", (warm,)))

"""`LedgerReader.batch_readings`: a reading belongs to the batch of its slot, of the section where its chamber stood."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from adapters.postgres.history_queries import BATCH_READINGS, IN_ORDER
from collector.domain.errors import InvalidFieldError, NotFoundError
from collector.domain.organization import Batch
from collector.domain.outcome import EpochEnd
from collector.domain.timerange import TimeRange
from collector.ports import BatchPart, Stay
from tests.contract.ledger_rooms import HOUR, MINUTE, Enrolled, Rooms, enrolled, now, opened_rooms, reading, spec

EVERYTHING = BatchPart()
Own = list[tuple[str, int]]
"""Chamber ids and slots."""


async def begin(
    rooms: Rooms, name: str, started_ms: int, ended_ms: int | None = None, section: str = "default"
) -> Batch:
    batch = Batch(organization="default", id=name, section=section, started_ms=started_ms, ended_ms=ended_ms)
    return (await rooms.batches.add(batch))[0]


async def own(rooms: Rooms, name: str, wanted: BatchPart = EVERYTHING, limit: int = 3) -> Own:
    """All readings of a batch, page by page."""
    found: Own = []
    cursor = None
    while True:
        page = await rooms.history.batch_readings("default", name, wanted, limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        found += [(stored.chamber_id, stored.reading.slot_ms) for stored in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def stays(rooms: Rooms, name: str, limit: int = 2) -> list[Stay]:
    """All stays of a batch, page by page."""
    found: list[Stay] = []
    cursor = None
    while True:
        page = await rooms.batches.stays("default", name, limit, cursor)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


async def move(chamber: Enrolled, section: str) -> None:
    """Let it stand there from now on; the slots of a millisecond before are over, and so are those of it."""
    record = await chamber.record()
    await asyncio.sleep(0.003)
    await chamber.rooms.registry.change_spec(replace(record.spec, section=section), record.spec.version)


def slots(chamber: Enrolled, numbers: Sequence[int]) -> Own:
    return [(chamber.spec.id, chamber.slot(n)) for n in numbers]


async def test_readings_come_back_as_they_are_stored(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("whole"))
    await chamber.save(*(reading(chamber.slot(n), 20.0 + n, None, late_ms=7) for n in range(3)))
    await begin(rooms, "lot", chamber.slot(0))
    page = await rooms.history.batch_readings("default", "lot", EVERYTHING, limit=10)
    span = TimeRange(chamber.slot(0), now())
    assert page == await rooms.history.readings("default", "whole", span, limit=10)
    assert len(page.items) == 3


async def test_a_batch_holds_its_first_instant_and_not_its_last(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("edges"))
    await chamber.save(*(reading(chamber.slot(n)) for n in range(10)))
    await begin(rooms, "first", chamber.slot(2), chamber.slot(5))
    await begin(rooms, "second", chamber.slot(5), chamber.slot(7) + 1)
    await begin(rooms, "third", chamber.slot(7) + 1)
    assert await own(rooms, "first") == slots(chamber, [2, 3, 4])
    assert await own(rooms, "second") == slots(chamber, [5, 6, 7])
    assert await own(rooms, "third") == slots(chamber, [8, 9])


async def test_a_batch_that_is_over_still_gets_what_is_stored_late_and_out_of_order(rooms: Rooms) -> None:
    """It was started after some slots and ended before others of the same backlog: exactly its own come to it."""
    chamber = await enrolled(rooms, spec("late"), ago_ms=2 * HOUR)
    await begin(rooms, "lot", chamber.slot(20), chamber.slot(40))
    assert await own(rooms, "lot") == []
    backlog = [*range(59, 30, -1), *range(31)]
    for portion in (backlog[:7], backlog[7:30], backlog[30:]):
        await chamber.save(*(reading(chamber.slot(n)) for n in portion))
    assert await own(rooms, "lot", limit=6) == slots(chamber, range(20, 40))


async def test_a_backlog_that_is_stored_after_a_move_stays_where_it_was_taken(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    chamber = await enrolled(rooms, spec("moved"))
    await begin(rooms, "warm-lot", chamber.slot(10))
    await begin(rooms, "cold-lot", chamber.slot(10), section="cold")
    await chamber.save(reading(chamber.slot(0)), settled=chamber.slot(0))
    await move(chamber, "cold")
    moved_ms = now()

    await chamber.save(*(reading(chamber.slot(n)) for n in range(59, 0, -1)), reading(moved_ms), settled=moved_ms)
    assert await own(rooms, "warm-lot", limit=20) == slots(chamber, range(10, 60))
    assert await own(rooms, "cold-lot") == [("moved", moved_ms)]


async def test_a_chamber_that_moves_away_and_back_within_a_batch(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    chamber = await enrolled(rooms, spec("commuter"))
    await begin(rooms, "lot", chamber.slot(0))
    await begin(rooms, "cold-lot", chamber.slot(0), section="cold")
    moments = [now()]
    for section in ("cold", "default", "cold", "default"):
        await move(chamber, section)
        moments.append(now())
    await chamber.save(*(reading(ms) for ms in reversed(moments)))
    assert await own(rooms, "lot", limit=1) == [("commuter", moments[n]) for n in (0, 2, 4)]
    assert await own(rooms, "cold-lot", limit=1) == [("commuter", moments[n]) for n in (1, 3)]
    for lot in ("lot", "cold-lot"):
        found = await stays(rooms, lot, limit=1)
        inside = [ms for ms in moments for s in found if s.from_ms <= ms and (s.to_ms is None or ms < s.to_ms)]
        assert [("commuter", ms) for ms in inside] == await own(rooms, lot), "the stays cover exactly the batch's slots"


async def test_stays_lie_within_the_batch(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    first, second = await enrolled(rooms, spec("b-first")), await enrolled(rooms, spec("a-second"))
    begin_ms, end_ms = first.slot(5), now() + HOUR
    await begin(rooms, "over", first.slot(1), begin_ms)
    await begin(rooms, "lot", begin_ms, end_ms)
    await begin(rooms, "open", end_ms)
    await begin(rooms, "elsewhere", begin_ms, section="cold")
    assert await stays(rooms, "over") == [
        Stay("a-second", first.slot(1), begin_ms),
        Stay("b-first", first.slot(1), begin_ms),
    ]
    await move(second, "cold")
    [left, stayed] = await stays(rooms, "lot", limit=1)
    assert (left.chamber_id, left.from_ms, stayed) == ("a-second", begin_ms, Stay("b-first", begin_ms, end_ms))
    assert left.to_ms is not None
    assert await stays(rooms, "elsewhere") == [Stay("a-second", left.to_ms, None)]
    assert await stays(rooms, "open") == [Stay("b-first", end_ms, None)]
    other = replace(spec("theirs"), organization="other")
    await rooms.add_section("other", "default")
    await enrolled(rooms, other)
    assert [stay.chamber_id for stay in await stays(rooms, "lot")] == ["a-second", "b-first"], "nobody else's"


async def test_stays_of_what_is_not_there_and_cursors_of_nobody(rooms: Rooms) -> None:
    await begin(rooms, "lot", now())
    for organization, name in (("default", "gone"), ("other", "lot"), ("default", "nul\x00")):
        with pytest.raises(NotFoundError):
            await rooms.batches.stays(organization, name, 10, None)
    for cursor in ("x", "WyJhIl0", "W10"):
        with pytest.raises(InvalidFieldError, match="cursor"):
            await rooms.batches.stays("default", "lot", 10, cursor)


async def test_a_chamber_that_moves_before_its_first_slot_was_never_in_the_first_section(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    chamber = await enrolled(rooms, spec("hasty"), ago_ms=-10 * MINUTE)
    await begin(rooms, "lot", now())
    await begin(rooms, "cold-lot", now(), section="cold")
    await move(chamber, "cold")
    await chamber.save(reading(chamber.slot(0)), reading(chamber.slot(1)))
    assert await own(rooms, "lot") == []
    assert await own(rooms, "cold-lot") == slots(chamber, [0, 1])


async def test_where_a_former_life_was_to_stand_is_forgotten(rooms: Rooms) -> None:
    """It was enrolled with a first slot that is far off, retired at once, and enrolled elsewhere with one nearer."""
    await rooms.add_section("default", "cold")
    former = await enrolled(rooms, spec("phoenix", 30 * MINUTE), ago_ms=-45 * MINUTE)
    await rooms.registry.retire("default", "phoenix")
    await former.save(EpochEnd(former.slot(-1)))
    again = await enrolled(rooms, spec("phoenix", section="cold"), ago_ms=-MINUTE)
    assert again.first_ms < former.first_ms
    await begin(rooms, "cold-lot", now(), section="cold")
    await again.save(reading(former.first_ms - 1), reading(former.first_ms))
    assert await own(rooms, "cold-lot") == [("phoenix", former.first_ms - 1), ("phoenix", former.first_ms)]


async def test_a_changed_batch_has_its_readings_at_once(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("shifted"))
    await chamber.save(*(reading(chamber.slot(n)) for n in range(10)))
    batch = await begin(rooms, "lot", chamber.slot(8))
    assert await own(rooms, "lot") == slots(chamber, [8, 9])
    await rooms.batches.change(replace(batch, started_ms=chamber.slot(2), ended_ms=chamber.slot(4)), 1)
    assert await own(rooms, "lot") == slots(chamber, [2, 3])


async def test_the_order_is_that_of_chambers_and_slots(rooms: Rooms) -> None:
    chambers = [await enrolled(rooms, spec(name)) for name in ("b", "a-1", "a", "a0", "c")]
    by_id = {chamber.spec.id: chamber for chamber in chambers}
    for chamber in chambers[:4]:
        await chamber.save(*(reading(chamber.slot(n)) for n in (3, 1, 2)))
    await begin(rooms, "lot", min(chamber.first_ms for chamber in chambers))
    expected = [place for name in ("a", "a-1", "a0", "b") for place in slots(by_id[name], [1, 2, 3])]
    for limit in (1, 2, 3, 11, 12, 13):
        assert await own(rooms, "lot", limit=limit) == expected


async def test_a_part_of_a_batch(rooms: Rooms) -> None:
    first, second = [await enrolled(rooms, spec(name), ago_ms=30 * MINUTE) for name in ("a", "b")]
    for chamber in (first, second):
        await chamber.save(*(reading(chamber.slot(n)) for n in range(10)))
    await begin(rooms, "lot", first.slot(2), first.slot(8))
    span = TimeRange(first.slot(4), first.slot(6))
    assert await own(rooms, "lot", BatchPart("a")) == slots(first, range(2, 8))
    assert await own(rooms, "lot", BatchPart("a", span)) == slots(first, [4, 5])
    both = await own(rooms, "lot", BatchPart(span=span))
    assert [name for name, _ in both] == ["a", "a", "b", "b"]
    assert await own(rooms, "lot", BatchPart("a", TimeRange(-(10**18), 10**18))) == slots(first, range(2, 8))
    for empty in (TimeRange(first.slot(6), first.slot(4)), TimeRange(0, 1), TimeRange(10**17, 10**18)):
        assert await own(rooms, "lot", BatchPart(span=empty)) == []
    for nobody in ("", "unknown", "nul\x00", "\ud800"):
        assert await own(rooms, "lot", BatchPart(nobody)) == []


async def test_chambers_of_other_sections_are_left_out(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    inside, outside = [await enrolled(rooms, spec(n, section=s)) for n, s in (("a", "default"), ("b", "cold"))]
    for chamber in (inside, outside):
        await chamber.save(reading(chamber.slot(1)))
    await begin(rooms, "lot", inside.slot(0))
    assert await own(rooms, "lot") == slots(inside, [1])
    assert await own(rooms, "lot", BatchPart("b")) == []


async def test_another_organization_has_neither_the_batch_nor_its_readings(rooms: Rooms) -> None:
    await rooms.add_section("elsewhere", "default")
    mine = await enrolled(rooms, spec("mine"))
    theirs = await enrolled(rooms, spec("theirs", organization="elsewhere"))
    for chamber in (mine, theirs):
        await chamber.save(reading(chamber.slot(1)))
    batch = await begin(rooms, "lot", mine.slot(0))
    for organization in ("elsewhere", "nobody", "nul\x00", "\ud800"):
        with pytest.raises(NotFoundError, match="no batch"):
            await rooms.history.batch_readings(organization, "lot", EVERYTHING, limit=10)
    for nothing in ("", "lots", "nul\x00", "\ud800"):
        with pytest.raises(NotFoundError, match="no batch"):
            await rooms.history.batch_readings("default", nothing, EVERYTHING, limit=10)

    await rooms.batches.add(replace(batch, organization="elsewhere"))
    page = await rooms.history.batch_readings("elsewhere", "lot", EVERYTHING, limit=10)
    assert [stored.chamber_id for stored in page.items] == ["theirs"]
    assert await own(rooms, "lot") == slots(mine, [1])


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "WzFd", "WyJhIl0", "WzEsImEiXQ"])
async def test_a_foreign_cursor_is_refused(rooms: Rooms, cursor: str) -> None:
    await begin(rooms, "lot", 0)
    with pytest.raises(InvalidFieldError) as caught:
        await rooms.history.batch_readings("default", "lot", EVERYTHING, limit=10, cursor=cursor)
    assert caught.value.field == "cursor"


async def test_the_view_shows_section_and_batch_as_the_port_does(database: str) -> None:
    async with opened_rooms(database) as rooms:
        await rooms.add_section("default", "cold")
        chamber = await enrolled(rooms, spec("seen"))
        await begin(rooms, "first", chamber.slot(1), chamber.slot(2))
        await begin(rooms, "second", chamber.slot(2))
        await begin(rooms, "cold-lot", chamber.slot(0), section="cold")
        await move(chamber, "cold")
        moved_ms = now()
        await chamber.save(*(reading(chamber.slot(n), 1.0, 2.0) for n in range(4)), reading(moved_ms))
        owned = {place: name for name in ("first", "second", "cold-lot") for place in await own(rooms, name)}

    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "SELECT DISTINCT chamber, ms_of(scheduled_at) AS slot_ms, section, batch FROM reading_value ORDER BY 2"
        )
    finally:
        await connection.close()
    assert [row["section"] for row in rows] == ["default"] * 4 + ["cold"]
    assert [row["batch"] for row in rows] == [None, "first", "second", "second", "cold-lot"]
    assert {(r["chamber"], r["slot_ms"]): r["batch"] for r in rows if r["batch"]} == owned


FILL = """
INSERT INTO reading (chamber, scheduled_at, requested_at, received_at, detector_set, spec_version, "values")
SELECT c.key, at, at, at, s.id, 1, '{1}'
FROM chamber c, detector_set s, generate_series(instant_of($1), instant_of($2), interval '1 minute') at
"""


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_page_reads_no_more_than_a_page_of_each_stay_it_touches(database: str, mode: str) -> None:
    async with opened_rooms(database) as rooms:
        chambers = [await enrolled(rooms, spec(f"c{n}"), ago_ms=24 * HOUR) for n in range(4)]
        first_ms = min(chamber.first_ms for chamber in chambers)
        await chambers[0].save(reading(first_ms + MINUTE))
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("DELETE FROM reading")
        await connection.execute(FILL, first_ms, now())
        await connection.execute("ANALYZE")
        await connection.execute(f"SET plan_cache_mode = {mode}")
        for after in (("", 0), ("c1", now() - HOUR)):
            read, found = await scanned(connection, first_ms, after)
            assert found == 11
            assert found <= read <= 3 * found
    finally:
        await connection.close()


async def scanned(connection: "asyncpg.Connection[asyncpg.Record]", from_ms: int, after: tuple[str, int]) -> Any:
    """How many readings a page of ten and one more reads, and how many it has."""
    values = ("default", "default", from_ms, now(), *after, None, 11)
    async with connection.transaction():
        await connection.execute(IN_ORDER)
        plan = await connection.fetchval("EXPLAIN (ANALYZE, FORMAT JSON) " + BATCH_READINGS, *values)
    root = json.loads(plan)[0]["Plan"]
    nodes = [root]
    for node in nodes:
        nodes += node.get("Plans", [])
    rows = (n["Actual Rows"] * n["Actual Loops"] for n in nodes if n.get("Relation Name", "").startswith("reading_2"))
    return sum(rows), root["Actual Rows"]

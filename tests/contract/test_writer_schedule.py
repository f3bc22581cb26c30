"""`OutcomeStore`: outcomes that change the schedule: pauses, epochs, retirement, changes of the row."""

from dataclasses import replace

import pytest

from collector.domain.cadence import Grid
from collector.domain.chamber import Pause
from collector.domain.outcome import Change, EpochEnd, Gap, GapReason, PauseEnd
from collector.domain.timerange import TimeRange
from tests.contract.ledger_rooms import HOUR, MINUTE, Enrolled, Rooms, enrolled, epoch_after, now, reading, spec

EVERYTHING = TimeRange(0, 4_102_444_800_000)


async def gap_runs(chamber: Enrolled) -> list[tuple[int, int | None, GapReason]]:
    page = await chamber.rooms.history.gaps("default", chamber.spec.id, EVERYTHING, limit=100)
    return [(run.first_ms, run.last_ms, run.reason) for run in page.items]


async def test_a_pause_is_open_until_its_end(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("door"))
    opened = Gap(chamber.slot(3), None, GapReason.PAUSED, "door", "anna")
    await chamber.save(opened)
    assert await gap_runs(chamber) == [(chamber.slot(3), None, GapReason.PAUSED)]

    await chamber.save(PauseEnd(chamber.slot(3), chamber.slot(3) - 1))
    assert await gap_runs(chamber) == []

    await chamber.save(replace(opened, detail="door again"))
    await chamber.save(PauseEnd(chamber.slot(3), chamber.slot(7)))
    await chamber.save(opened)
    await chamber.save(PauseEnd(chamber.slot(3), chamber.slot(9)))
    page = await rooms.history.gaps("default", "door", EVERYTHING, limit=9)
    assert [(r.first_ms, r.last_ms, r.detail) for r in page.items] == [(chamber.slot(3), chamber.slot(7), "door again")]


async def test_an_epoch_closes_the_one_before(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("faster"))
    epoch = epoch_after(Grid(10_000, 3), chamber.slot(9))
    span = TimeRange(chamber.slot(0), chamber.slot(20))

    for _ in range(2):
        await chamber.save(epoch, settled=chamber.slot(9))

    audit = await rooms.history.audit("default", "faster", span, now())
    assert audit.expected == 10 + Grid(10_000, 3).count(chamber.slot(9) + 1, chamber.slot(20) - 1)
    assert (await chamber.record()).first_slot_ms == epoch.first_slot_ms


async def test_an_epoch_may_begin_before_the_one_of_which_no_slot_was_handed_out(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("patient", 24 * HOUR), ago_ms=-20 * HOUR)
    assert chamber.first_ms > now() - 4 * HOUR
    grid = Grid(MINUTE, 0)
    epoch = replace(epoch_after(grid, now() - HOUR), previous_last_ms=None)

    await chamber.save(epoch)

    audit = await rooms.history.audit("default", "patient", TimeRange(0, now()), now())
    assert audit.unaccounted == 0
    assert audit.overdue > 50
    assert (await chamber.record()).settled_through_ms < epoch.first_slot_ms


@pytest.mark.parametrize("marked", [True, False])
async def test_the_end_of_the_epoch_retires_the_row(rooms: Rooms, marked: bool) -> None:
    chamber = await enrolled(rooms, spec("old"))
    if marked:
        await rooms.registry.retire("default", "old")
    end = EpochEnd(chamber.slot(4))

    for _ in range(2):
        await chamber.save(end)
        await chamber.settle(chamber.slot(4))

    record = await chamber.record()
    assert record.status == "retired"
    assert record.retired_ms is not None
    audit = await rooms.history.audit("default", "old", TimeRange(0, now()), now())
    assert (audit.expected, audit.unaccounted) == (5, 5)


async def test_the_end_of_a_former_life_does_not_end_the_new_one(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("phoenix"))
    end = EpochEnd(chamber.slot(4))
    await chamber.save(end)
    again = await enrolled(rooms, chamber.spec, ago_ms=-MINUTE)

    await chamber.save(end)
    assert (await again.record()).status == "starting"

    await rooms.registry.retire("default", "phoenix")
    await again.save(EpochEnd(again.slot(-1)))
    assert (await again.record()).status == "retired"


async def test_changes_apply_by_compare_and_set(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("signals"))
    pause = Change(1, "pause", "door", "anna", chamber.slot(50), chamber.slot(2))

    for _ in range(2):
        assert (await chamber.save(pause)).lost_changes == ()
    record = await chamber.record()
    assert record.spec.version == 2
    assert record.pause == Pause(chamber.slot(2), "door", "anna", chamber.slot(50))

    assert (await chamber.save(Change(2, "resume"))).lost_changes == ()
    assert (await chamber.save(Change(3, "set_interval", interval_ms=5_000))).lost_changes == ()
    record = await chamber.record()
    assert (record.spec.version, record.spec.interval_ms, record.spec.timeout_ms) == (4, 5_000, 5_000)
    assert record.pause is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (Change(7, "pause", since_ms=1), "version 7"),
        (Change(1, "set_interval", interval_ms=10), "10 ms"),
        (Change(1, "set_interval"), "None"),
        (Change(1, "explode"), "does not know"),
    ],
)
async def test_a_lost_change_says_why(rooms: Rooms, change: Change, word: str) -> None:
    chamber = await enrolled(rooms, spec("lost"))
    before = await chamber.record()

    result = await chamber.save(change, reading(chamber.slot(0)))

    assert result.new_readings == 1
    assert len(result.lost_changes) == 1
    assert word in result.lost_changes[0]
    assert (await chamber.record()).spec == before.spec

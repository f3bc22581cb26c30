"""Orders in quick succession, and outcomes that are stored again: the ledger keeps what the chamber does."""

from dataclasses import replace

import pytest

from collector.domain.cadence import Grid
from collector.domain.outcome import Change, Epoch, EpochEnd, GapReason, PauseEnd
from collector.domain.timerange import TimeRange
from tests.contract.ledger_rooms import HOUR, MINUTE, Enrolled, Rooms, enrolled, epoch_after, gap, now, reading, spec


def decided(grid: Grid, first_ms: int, last_ms: int, decided_ms: int) -> Epoch:
    """An epoch of the grid that closes the one before at `last_ms`."""
    return replace(epoch_after(grid, last_ms), first_slot_ms=first_ms, decided_ms=decided_ms)


async def expected(chamber: Enrolled, slots: int) -> int:
    """How many slots of the chamber's first so many minutes are expected."""
    span = TimeRange(chamber.slot(0), chamber.slot(slots))
    return (await chamber.rooms.history.audit("default", chamber.spec.id, span, now())).expected


async def test_of_two_epochs_with_one_first_slot_the_later_stands(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("twice"))
    first = chamber.slot(10)
    slow = decided(Grid(5 * MINUTE, first % (5 * MINUTE)), first, chamber.slot(9), 1)
    fast = decided(Grid(10_000, first % 10_000), first, chamber.slot(9), 2)

    await chamber.save(slow)
    assert await expected(chamber, 20) == 12
    await chamber.save(fast)
    assert await expected(chamber, 20) == 10 + 60
    await chamber.save(slow)  # it waited twice in the chamber, or its worker was slow
    assert await expected(chamber, 20) == 10 + 60


async def test_a_change_taken_back_before_its_first_slot_opens_the_former_grid_again(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("there-and-back"))
    first = chamber.slot(10)
    slow = Grid(5 * MINUTE, first % (5 * MINUTE))
    there = decided(slow, first, chamber.slot(9), 1)
    elsewhere = decided(Grid(20_000, (first - 20_000) % 20_000), first - 20_000, chamber.slot(9), 2)
    back = decided(slow, first, chamber.slot(9), 3)

    for epochs in ([there], [elsewhere], [back], [there], [elsewhere], [there, elsewhere, back]):
        await chamber.save(*epochs)

    assert await expected(chamber, 20) == 12
    assert (await chamber.record()).first_slot_ms == first


async def test_nothing_of_a_new_grid_is_settled_before_it_began(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("hasty"))
    epoch = decided(Grid(10_000, 0), Grid(10_000, 0).after(chamber.slot(9)), chamber.slot(9), 1)
    await chamber.save(reading(chamber.slot(9)))
    await chamber.settle(chamber.slot(20))

    await chamber.save(epoch)

    assert (await chamber.record()).settled_through_ms == epoch.first_slot_ms - 1


@pytest.mark.parametrize("ended", [True, False])
async def test_a_pause_without_slots_decides_none(rooms: Rooms, ended: bool) -> None:
    chamber = await enrolled(rooms, spec("brief"), ago_ms=HOUR)
    slot = chamber.slot(5)
    await chamber.save(gap(slot, None, GapReason.PAUSED, "door"))
    if ended:
        await chamber.save(PauseEnd(slot, slot - MINUTE))

    assert await rooms.outcomes.decided_slots(chamber.spec.id, slot, slot) == frozenset()


async def test_a_new_life_does_not_wait_for_the_first_slot_of_the_former(rooms: Rooms) -> None:
    tomorrow = await enrolled(rooms, spec("reborn", 24 * HOUR), ago_ms=-20 * HOUR)
    assert tomorrow.first_ms > now() - 4 * HOUR
    await tomorrow.save(EpochEnd(tomorrow.slot(-1)), settled=tomorrow.slot(-1))
    began_ms = now() - HOUR

    again = spec("reborn", MINUTE)
    first = again.grid.after(began_ms)
    record = await rooms.registry.enrol(again, Epoch(first, MINUTE, again.grid.phase_ms, 1), began_ms)

    assert (record.first_slot_ms, record.settled_through_ms) == (first, first - 1)
    audit = await rooms.history.audit("default", "reborn", TimeRange(0, now()), now())
    assert (audit.unaccounted, audit.expected) == (0, again.grid.count(first, now()))


async def test_changes_that_are_stored_again_together_are_not_lost(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("signalled"))
    changes = (
        Change(1, "pause", "door", since_ms=chamber.slot(60)),
        Change(2, "resume"),
        Change(3, "set_interval", interval_ms=2 * MINUTE),
    )

    assert (await chamber.save(*changes)).lost_changes == ()
    assert (await chamber.save(*changes)).lost_changes == ()

    row = await chamber.record()
    assert (row.spec.version, row.spec.interval_ms, row.pause) == (4, 2 * MINUTE, None)

"""A database that was restored from a dump has forgotten slots: nobody may call them settled."""

import pytest

from collector.domain.cadence import Grid
from collector.domain.outcome import EpochEnd, GapReason, PauseEnd
from tests.contract.ledger_rooms import Enrolled, Rooms, enrolled, epoch_after, gap, reading, spec, whole_past


async def settled(chamber: Enrolled) -> int:
    """How far the chamber is settled, in slots since it was enrolled."""
    return chamber.spec.grid.count(chamber.first_ms, (await chamber.record()).settled_through_ms) - 1


async def unaccounted(chamber: Enrolled) -> int:
    """Slots that are called settled and have no outcome."""
    audit = await chamber.rooms.history.audit("default", chamber.spec.id, whole_past(), whole_past().to_ms)
    return audit.unaccounted


async def filled(rooms: Rooms, name: str, slots: int) -> Enrolled:
    """A chamber whose first slots are stored and settled, one by one."""
    chamber = await enrolled(rooms, spec(name))
    for number in range(slots):
        result = await chamber.save(reading(chamber.slot(number)), settled=chamber.slot(number))
        assert not result.behind
    return chamber


async def test_slots_that_were_forgotten_are_not_settled_by_what_comes_after(rooms: Rooms) -> None:
    chamber = await filled(rooms, "restored", 3)
    for number in (10, 11, 12):
        result = await chamber.save(reading(chamber.slot(number)), settled=chamber.slot(number))
        assert (result.new_readings, result.behind) == (1, True)
    assert await settled(chamber) == 2
    assert await unaccounted(chamber) == 0


async def test_they_are_settled_once_they_are_called_lost(rooms: Rooms) -> None:
    chamber = await filled(rooms, "mended", 3)
    await chamber.save(reading(chamber.slot(10)), settled=chamber.slot(10))
    await chamber.save(gap(chamber.slot(3), chamber.slot(9), GapReason.LOST), reading(chamber.slot(11)))
    await chamber.save(reading(chamber.slot(12)), settled=chamber.slot(12))
    assert await settled(chamber) == 12
    assert await unaccounted(chamber) == 0


async def test_outcomes_that_were_stored_without_settling_are_no_hole(rooms: Rooms) -> None:
    chamber = await filled(rooms, "drained", 2)
    await chamber.save(*(reading(chamber.slot(n)) for n in (2, 3, 5)), gap(chamber.slot(4), chamber.slot(5)))
    await chamber.save(gap(chamber.slot(6), chamber.slot(8)), reading(chamber.slot(7)))
    await chamber.save(reading(chamber.slot(9)), settled=chamber.slot(9))
    assert await settled(chamber) == 9


@pytest.mark.parametrize("closed", [True, False])
async def test_a_pause_is_an_outcome_of_its_slots(rooms: Rooms, closed: bool) -> None:
    chamber = await filled(rooms, "paused", 2)
    await chamber.save(gap(chamber.slot(2), None, GapReason.PAUSED, "door"))
    if closed:
        await chamber.save(PauseEnd(chamber.slot(2), chamber.slot(5)))
    await chamber.save(reading(chamber.slot(8)), settled=chamber.slot(8))
    assert await settled(chamber) == (1 if closed else 8)


async def test_between_two_grids_no_slot_is_expected(rooms: Rooms) -> None:
    chamber = await filled(rooms, "regridded", 4)
    fast = Grid(10_000, 0)
    epoch = epoch_after(fast, chamber.slot(3))
    later = fast.at_or_after(chamber.slot(3) + 47_000)
    await chamber.save(epoch)
    await chamber.save(reading(later), settled=later)
    assert (await chamber.record()).settled_through_ms < later, "slots of the new grid lie between"
    await chamber.save(gap(epoch.first_slot_ms, later - 10_000), settled=later)
    assert (await chamber.record()).settled_through_ms == later


@pytest.mark.parametrize(("stored", "last"), [(3, 9), (3, 3), (3, 2)])
async def test_what_was_forgotten_is_lost_when_the_epoch_ends(rooms: Rooms, stored: int, last: int) -> None:
    """Nobody comes after that who could find out."""
    chamber = await filled(rooms, "ended", stored)
    for _ in range(2):
        result = await chamber.save(EpochEnd(chamber.slot(last)), settled=chamber.slot(last))
        assert not result.behind
    audit = await rooms.history.audit("default", "ended", whole_past(), whole_past().to_ms)
    gaps = {GapReason.LOST: last + 1 - stored} if last >= stored else {}
    assert (audit.stored, {r: n for r, n in audit.gaps.items() if n}, audit.unaccounted) == (stored, gaps, 0)
    assert (audit.overdue, await settled(chamber)) == (0, last)


async def test_in_a_large_hole_every_question_is_answered_by_its_first_slot_and_small_ones_are_counted(
    rooms: Rooms,
) -> None:
    chamber = await filled(rooms, "counted", 2)
    await chamber.save(*(reading(chamber.slot(n)) for n in (2, 3, 5)))
    result = await chamber.save(reading(chamber.slot(6)), settled=chamber.slot(6))
    assert result.behind, "slot 4 is missing, though the first one after what is settled is there"
    await chamber.save(gap(chamber.slot(4), chamber.slot(4)))
    assert not (await chamber.save(reading(chamber.slot(7)), settled=chamber.slot(7))).behind

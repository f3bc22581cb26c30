"""`Registry.standings`: how every chamber stands, and what the use case makes of it."""

from dataclasses import replace

from collector.domain.chamber import Pause
from collector.domain.outcome import EpochEnd, Gap, GapReason, PauseEnd
from collector.ports import ChamberFilter, Standing
from collector.usecases.standing import Order, ShowFleet, glance_of
from tests.contract.ledger_rooms import MINUTE, Rooms, enrolled, gap, now, reading, spec


class Wall:
    """The wall clock."""

    def now_ms(self) -> int:
        return now()

    def monotonic_ms(self) -> int:
        return now()


async def standing(rooms: Rooms, chamber: str) -> Standing:
    """How it stands."""
    return next(s for s in await rooms.registry.standings("default", None, None) if s.id == chamber)


async def test_a_standing_has_what_row_and_ledger_say(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, replace(spec("whole"), name="Whole"), ago_ms=4 * MINUTE)
    await chamber.save(reading(chamber.slot(0), late_ms=40), settled=chamber.slot(0))
    await chamber.save(gap(chamber.slot(1), chamber.slot(2)), settled=chamber.slot(2))
    assert await standing(rooms, "whole") == Standing(
        id="whole",
        name="Whole",
        section="default",
        profile="generic-json",
        status="collecting",
        interval_ms=MINUTE,
        grid=chamber.spec.grid,
        first_slot_ms=chamber.slot(0),
        settled_ms=chamber.slot(2),
        last_reading_ms=chamber.slot(0),
        late_ms=40,
    )
    glance = glance_of(await standing(rooms, "whole"), chamber.slot(5) + 10)
    assert (glance.failures, glance.backlog, glance.next_slot_ms) == (2, 2, chamber.slot(6))


async def test_a_pause_begins_the_count_anew(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("rested", 1_000), ago_ms=20_000)
    await chamber.save(gap(chamber.slot(0), chamber.slot(2)), settled=chamber.slot(2))
    assert glance_of(await standing(rooms, "rested"), now()).failures == 3
    await chamber.save(Gap(chamber.slot(3), None, GapReason.PAUSED), PauseEnd(chamber.slot(3), chamber.slot(9)))
    await chamber.save(gap(chamber.slot(10), chamber.slot(11)), settled=chamber.slot(11))
    stands = await standing(rooms, "rested")
    assert stands.resumed_ms == chamber.slot(9)
    assert glance_of(stands, now()).failures == 2


async def test_before_anything_is_known_nothing_has_failed(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("fresh"), ago_ms=0)
    stands = await standing(rooms, "fresh")
    glance = glance_of(stands, chamber.slot(0) - 5 * MINUTE)
    assert (stands.last_reading_ms, stands.late_ms, glance.failures, glance.backlog) == (None, None, 0, 0)
    assert glance.next_slot_ms == chamber.slot(0)


async def test_paused_ones_have_no_backlog_and_retired_ones_are_left_out(rooms: Rooms) -> None:
    held = await enrolled(rooms, spec("held"))
    await rooms.registry.change_pause("default", "held", Pause(held.slot(1), until_ms=held.slot(90)))
    gone, going = await enrolled(rooms, spec("gone")), await enrolled(rooms, spec("going"))
    for chamber in (gone, going):
        await rooms.registry.retire("default", chamber.spec.id)
    await gone.save(EpochEnd(gone.slot(0)))
    stands = {s.id: s for s in await rooms.registry.standings("default", None, None)}
    assert {name: s.status for name, s in stands.items()} == {"held": "paused", "going": "retiring"}
    assert (stands["held"].paused, stands["held"].until_ms) == (True, held.slot(90))
    glances = {name: glance_of(s, held.slot(60)) for name, s in stands.items()}
    assert [(g.backlog, g.next_slot_ms) for _, g in sorted(glances.items())] == [(0, None), (0, held.slot(90))]


async def test_filters_and_the_organization(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    await rooms.add_section("other", "default")
    await enrolled(rooms, replace(spec("a", section="cold"), name="Zeta 100%"))
    await enrolled(rooms, spec("b"))
    await enrolled(rooms, spec("theirs", organization="other"))

    async def ids(section: str | None, text: str | None) -> list[str]:
        return [s.id for s in await rooms.registry.standings("default", section, text)]

    assert await ids(None, None) == ["a", "b"]
    assert await ids("cold", None) == ["a"]
    assert await ids(None, "zeta 100%") == ["a"]
    assert await ids(None, "_") == []
    assert await ids("cold\x00", "b\x00") == []


async def test_the_fleet_at_a_glance_has_readings_without_switched_off_detectors(rooms: Rooms) -> None:
    chamber = await enrolled(rooms, spec("seen"), ago_ms=3 * MINUTE)
    last = chamber.spec.grid.at_or_before(now() - 1_000)
    before = gap(chamber.slot(0), last - MINUTE)
    await chamber.save(before, reading(last, 21.5, 40.0), settled=last)
    [detector] = [d for d in await rooms.history.detectors("default", "seen") if d.name == "channel_1"]
    await rooms.registry.change_detector("default", "seen", replace(detector, active=False))
    await enrolled(rooms, spec("silent"))
    show = ShowFleet(rooms.registry, rooms.history, Wall())
    fleet = await show("default", ChamberFilter(), Order.TROUBLE, 10)
    assert [g.standing.id for g in fleet.chambers] == ["silent", "seen"]
    newest = fleet.chambers[1].reading
    assert newest is not None
    assert [m.name for m in newest.measurements] == ["temperature"]
    assert (fleet.statuses["stale"], fleet.statuses["collecting"]) == (1, 1)

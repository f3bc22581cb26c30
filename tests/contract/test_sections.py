"""`Sections`: where chambers stand; and what the registry makes of one that is closed."""

import asyncio
from dataclasses import replace

import pytest

from collector.domain.errors import ConflictError, InvalidFieldError, NotFoundError, StaleVersionError
from collector.domain.organization import Section
from collector.domain.outcome import Epoch, EpochEnd
from collector.ports import SectionRecord
from tests.contract.ledger_rooms import HOUR, MINUTE, Rooms, enrolled, now, spec

COLD = Section(organization="default", id="cold", name="Kühlraum", description="minus 20 °C\n\"door\" 'left'")
ODD = ["", "unknown", "nul\x00", "\ud800"]


async def close(rooms: Rooms, section: Section, version: int = 1) -> Section:
    return (await rooms.sections.change(replace(section, active=False), version)).section


async def test_a_section_comes_back_as_it_was_made(rooms: Rooms) -> None:
    before_ms = now()
    record, new = await rooms.sections.add(replace(COLD, version=5))
    assert (record, new) == (SectionRecord(COLD, 0), True)
    assert record.section.version == 1
    assert before_ms <= record.section.created_ms == record.section.updated_ms <= now() + 1
    assert await rooms.sections.find("default", "cold") == record
    assert await rooms.registry.sections("default") == ["cold", "default"]


async def test_adding_it_again_changes_nothing(rooms: Rooms) -> None:
    await rooms.sections.add(COLD)
    assert await rooms.sections.add(replace(COLD, name="another", active=False)) == (SectionRecord(COLD, 0), False)


async def test_it_counts_the_chambers_that_stand_there(rooms: Rooms) -> None:
    await rooms.sections.add(COLD)
    await enrolled(rooms, spec("stays", section="cold"))
    await enrolled(rooms, spec("other"))
    moved = await enrolled(rooms, spec("moves"))
    await rooms.registry.change_spec(replace(moved.spec, section="cold"), 1)
    left = await enrolled(rooms, spec("leaves", section="cold"))
    await rooms.registry.retire("default", "leaves")
    assert (await rooms.sections.find("default", "cold")).chambers == 3
    await left.save(EpochEnd(left.slot(0)))
    assert (await rooms.sections.find("default", "cold")).chambers == 2
    counts = {r.section.id: r.chambers for r in (await rooms.sections.page("default", 10, None)).items}
    assert counts == {"cold": 2, "default": 1}


async def test_a_change_needs_the_version_that_stands(rooms: Rooms) -> None:
    made, _ = await rooms.sections.add(COLD)
    changed = await rooms.sections.change(replace(COLD, name="new"), 1)
    assert changed.section == replace(COLD, name="new", version=2)
    assert changed.section.created_ms == made.section.created_ms <= changed.section.updated_ms
    with pytest.raises(StaleVersionError) as caught:
        await rooms.sections.change(COLD, 1)
    assert caught.value.current == 2
    assert await rooms.sections.find("default", "cold") == changed


async def test_a_closed_section_takes_no_chamber(rooms: Rooms) -> None:
    await rooms.sections.add(COLD)
    chamber = await enrolled(rooms, spec("outside"))
    closed = await close(rooms, COLD)
    assert (closed.active, closed.version) == (False, 2)
    assert not await rooms.registry.has_section("default", "cold")
    assert await rooms.registry.sections("default") == ["default"]

    with pytest.raises(InvalidFieldError, match="closed") as caught:
        await enrolled(rooms, spec("late", section="cold"))
    assert caught.value.field == "section"
    with pytest.raises(InvalidFieldError, match="closed"):
        await rooms.registry.change_spec(replace(chamber.spec, section="cold"), 1)
    assert (await chamber.record()).spec == chamber.spec

    await rooms.sections.change(COLD, 2)
    record = await rooms.registry.change_spec(replace(chamber.spec, section="cold"), 1)
    assert record.spec.section == "cold"


async def test_a_retired_chamber_does_not_come_back_into_a_closed_section(rooms: Rooms) -> None:
    await rooms.sections.add(COLD)
    chamber = await enrolled(rooms, spec("gone", section="cold"))
    await rooms.registry.retire("default", "gone")
    await chamber.save(EpochEnd(chamber.slot(0)))
    await close(rooms, COLD)
    with pytest.raises(InvalidFieldError, match="closed"):
        await enrolled(rooms, chamber.spec, ago_ms=0)
    assert (await chamber.record()).status == "retired"


async def test_a_section_with_chambers_is_not_closed(rooms: Rooms) -> None:
    await rooms.sections.add(COLD)
    chamber = await enrolled(rooms, spec("inside", section="cold"))
    with pytest.raises(ConflictError, match="1 chamber stands") as caught:
        await close(rooms, COLD)
    assert caught.value.field == "active"
    assert (await rooms.sections.find("default", "cold")).section == COLD

    await rooms.registry.change_spec(replace(chamber.spec, section="default"), 1)
    assert not (await close(rooms, COLD)).active


@pytest.mark.parametrize("name", ODD)
async def test_what_is_not_there_is_not_found(rooms: Rooms, name: str) -> None:
    with pytest.raises(NotFoundError, match="no section"):
        await rooms.sections.find("default", name)
    with pytest.raises(NotFoundError, match="no section"):
        await rooms.sections.change(replace(COLD, id=name), 1)
    with pytest.raises(NotFoundError, match="no section"):
        await rooms.sections.find(name, "default")
    with pytest.raises(NotFoundError, match="no organization"):
        await rooms.sections.add(replace(COLD, organization=name))
    assert (await rooms.sections.page(name, 10, None)).items == []
    assert not await rooms.registry.has_section("default", name)
    assert not await rooms.registry.has_section(name, "default")
    assert await rooms.registry.sections(name) == []


async def test_another_organizations_section_is_not_there(rooms: Rooms) -> None:
    await rooms.add_section("elsewhere", "default")
    await rooms.sections.add(COLD)
    with pytest.raises(NotFoundError):
        await rooms.sections.find("elsewhere", "cold")
    with pytest.raises(NotFoundError):
        await rooms.sections.change(replace(COLD, organization="elsewhere"), 1)
    assert [r.section.id for r in (await rooms.sections.page("elsewhere", 10, None)).items] == ["default"]
    with pytest.raises(InvalidFieldError):
        await enrolled(rooms, spec("theirs", organization="elsewhere", section="cold"))

    record, new = await rooms.sections.add(replace(COLD, organization="elsewhere"))
    assert (new, record.chambers) == (True, 0)
    await close(rooms, record.section)
    assert await rooms.registry.has_section("default", "cold")


async def test_pages_follow_ids_and_show_closed_ones(rooms: Rooms) -> None:
    for name in ("c", "a-1", "b", "a0"):
        await rooms.sections.add(Section(organization="default", id=name, active=name != "b"))
    found: list[tuple[str, bool]] = []
    cursor = None
    while cursor or not found:
        page = await rooms.sections.page("default", 2, cursor)
        found += [(r.section.id, r.section.active) for r in page.items]
        cursor = page.next_cursor
    assert found == [("a-1", True), ("a0", True), ("b", False), ("c", True), ("default", True)]
    assert (await rooms.sections.page("default", 5, None)).next_cursor is None
    with pytest.raises(InvalidFieldError) as caught:
        await rooms.sections.page("default", 10, "WzFd")
    assert caught.value.field == "cursor"


@pytest.mark.parametrize("comes_by", ["enrolment", "move"])
async def test_closing_and_coming_together_do_not_both_succeed(postgres_rooms: Rooms, comes_by: str) -> None:
    """Whoever is first: an open section with the chamber, or a closed one without it. Never a chamber behind a door."""
    rooms, outcomes = postgres_rooms, set()

    async def come(chamber: str, section: str, later_s: float) -> bool:
        await asyncio.sleep(later_s)
        wanted = spec(chamber, section=section)
        try:
            if comes_by == "enrolment":
                await rooms.registry.enrol(wanted, Epoch(now(), MINUTE, 0, 1), now())
            else:
                await rooms.registry.change_spec(wanted, 1)
        except InvalidFieldError:
            return False
        return True

    async def shut(section: str, later_s: float) -> bool:
        await asyncio.sleep(later_s)
        try:
            await close(rooms, Section(organization="default", id=section))
        except ConflictError:
            return False
        return True

    for number in range(78):
        chamber, section = f"c{number}", f"s{number}"
        await rooms.sections.add(Section(organization="default", id=section))
        if comes_by == "move":
            await enrolled(rooms, spec(chamber), ago_ms=HOUR)
        ahead_s = (number % 13 - 6) / 2_000
        coming, shutting = come(chamber, section, max(0, ahead_s)), shut(section, max(0, -ahead_s))
        came, closed = await asyncio.gather(coming, shutting)
        record = await rooms.sections.find("default", section)
        assert (came, closed) in {(True, False), (False, True)}
        assert (record.chambers, record.section.active) == (int(came), not closed)
        outcomes.add(came)
    assert outcomes == {True, False}, "the race was never run both ways: its pace must be changed"

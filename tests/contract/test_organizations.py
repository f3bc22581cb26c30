"""`Organizations`: the tenants of a deployment."""

import asyncio
from dataclasses import replace

import pytest

from collector.domain.errors import InvalidFieldError, NotFoundError, StaleVersionError
from collector.domain.organization import Organization
from collector.ports import ChamberFilter
from tests.contract.ledger_rooms import Rooms, now

LAB = Organization(id="lab", name="Labor \u00fc '\"\\", address="Gasse 1\n1010 Wien", region="Europe/Wien")
ODD = ["", "unknown", "nul\x00", "\ud800", "\U0001f300" * 100]


async def test_the_first_organization_is_there_from_the_start(rooms: Rooms) -> None:
    assert await rooms.organizations.find("default") == Organization(id="default")
    assert (await rooms.sections.find("default", "default")).section.active


async def test_an_organization_comes_back_as_it_was_made(rooms: Rooms) -> None:
    before_ms = now()
    made, new = await rooms.organizations.add(replace(LAB, version=7))
    assert (made, new) == (LAB, True)
    assert made.version == 1
    assert made.created_ms == made.updated_ms
    assert before_ms <= made.created_ms <= now() + 1
    assert await rooms.organizations.find("lab") == made


async def test_it_has_a_first_section_in_which_chambers_can_be_enrolled(rooms: Rooms) -> None:
    await rooms.organizations.add(LAB)
    assert await rooms.registry.sections("lab") == ["default"]
    assert (await rooms.registry.page("lab", ChamberFilter(), 10, None)).items == []


async def test_adding_it_again_changes_nothing(rooms: Rooms) -> None:
    await rooms.organizations.add(LAB)
    again, new = await rooms.organizations.add(replace(LAB, name="another"))
    assert (again, new) == (LAB, False)
    assert await rooms.organizations.find("lab") == LAB


async def test_of_fifty_that_make_it_together_one_does(postgres_rooms: Rooms) -> None:
    wanted = [replace(LAB, name=f"number {n}") for n in range(50)]
    answers = await asyncio.gather(*(postgres_rooms.organizations.add(w) for w in wanted))
    assert sum(new for _, new in answers) == 1
    assert len({made.name for made, _ in answers}) == 1


async def test_a_change_needs_the_version_that_stands(rooms: Rooms) -> None:
    made, _ = await rooms.organizations.add(LAB)
    changed = await rooms.organizations.change(replace(LAB, name="new", region=""), 1)
    assert changed == replace(LAB, name="new", region="", version=2)
    assert changed.created_ms == made.created_ms <= changed.updated_ms
    with pytest.raises(StaleVersionError) as caught:
        await rooms.organizations.change(LAB, 1)
    assert caught.value.current == 2
    assert await rooms.organizations.find("lab") == changed


@pytest.mark.parametrize("name", ODD)
async def test_what_is_not_there_is_not_found(rooms: Rooms, name: str) -> None:
    with pytest.raises(NotFoundError, match="no organization"):
        await rooms.organizations.find(name)
    with pytest.raises(NotFoundError, match="no organization"):
        await rooms.organizations.change(Organization(id=name), 1)


async def test_pages_follow_ids(rooms: Rooms) -> None:
    for name in ("c", "a-1", "b", "a0"):
        await rooms.organizations.add(Organization(id=name))
    found: list[str] = []
    cursor = None
    while cursor or not found:
        page = await rooms.organizations.page(2, cursor)
        found += [o.id for o in page.items]
        cursor = page.next_cursor
    assert found == ["a-1", "a0", "b", "c", "default"]
    assert (await rooms.organizations.page(5, None)).next_cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "WzFd", "WyJhIiwxXQ"])
async def test_a_foreign_cursor_is_refused(rooms: Rooms, cursor: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        await rooms.organizations.page(10, cursor)
    assert caught.value.field == "cursor"

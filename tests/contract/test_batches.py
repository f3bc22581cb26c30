"""`Batches`: what is observed in a section, one after the other."""

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from collector.domain.errors import ConflictError, InvalidFieldError, NotFoundError, StaleVersionError
from collector.domain.organization import Batch, Section
from collector.ports import BatchFilter
from tests.contract.ledger_rooms import HOUR, Rooms, now

T = TypeVar("T")
NOON = 1_772_366_400_000
LOT = Batch(
    organization="default",
    id="CHO-17.2",
    section="default",
    started_ms=NOON,
    ended_ms=NOON + HOUR,
    name="Los 17 'b'",
    description="two\nlines \u00fc",
)
ODD = ["", "unknown", "nul\x00", "\ud800"]


def lot(name: str, from_h: float, to_h: float | None, section: str = "default") -> Batch:
    """A batch from so many hours after noon to so many."""
    ended_ms = None if to_h is None else NOON + int(to_h * HOUR)
    return Batch(
        organization="default", id=name, section=section, started_ms=NOON + int(from_h * HOUR), ended_ms=ended_ms
    )


async def test_a_batch_comes_back_as_it_was_made(rooms: Rooms) -> None:
    before_ms = now()
    made, new = await rooms.batches.add(replace(LOT, version=3))
    assert (made, new) == (LOT, True)
    assert made.version == 1
    assert before_ms <= made.created_ms == made.updated_ms <= now() + 1
    assert await rooms.batches.find("default", "CHO-17.2") == made
    open_end = lot("open", 1, None)
    assert await rooms.batches.add(open_end) == (open_end, True)
    assert await rooms.batches.find("default", "open") == open_end


async def test_adding_it_again_changes_nothing(rooms: Rooms) -> None:
    await rooms.batches.add(LOT)
    assert await rooms.batches.add(LOT) == (LOT, False)
    assert await rooms.batches.add(replace(LOT, name="x", started_ms=0, ended_ms=None)) == (LOT, False)
    assert await rooms.batches.find("default", LOT.id) == LOT


async def test_a_batch_needs_a_section(rooms: Rooms) -> None:
    for nowhere in (replace(LOT, section="hot"), replace(LOT, organization="nobody"), replace(LOT, section="\x00")):
        with pytest.raises(InvalidFieldError) as caught:
            await rooms.batches.add(nowhere)
        assert caught.value.field == "section"


async def test_a_closed_section_may_still_get_one(rooms: Rooms) -> None:
    """What was observed there is often written down later."""
    cold, _ = await rooms.sections.add(Section(organization="default", id="cold"))
    await rooms.sections.change(replace(cold.section, active=False), 1)
    assert (await rooms.batches.add(replace(LOT, section="cold")))[1]
    assert (await rooms.batches.change(replace(LOT, section="cold", name="new"), 1)).name == "new"


@pytest.mark.parametrize(
    ("from_h", "to_h"), [(0, 1), (0.5, 0.6), (-1, 0.1), (0.9, 2), (-1, 2), (-1, None), (0.5, None), (0, 0.1), (0.9, 1)]
)
async def test_one_that_overlaps_is_refused_and_told_by_which(rooms: Rooms, from_h: float, to_h: float | None) -> None:
    await rooms.batches.add(LOT)
    with pytest.raises(ConflictError, match=r"'CHO-17\.2'") as caught:
        await rooms.batches.add(lot("second", from_h, to_h))
    assert caught.value.field == "section"
    with pytest.raises(NotFoundError):
        await rooms.batches.find("default", "second")


@pytest.mark.parametrize(("from_h", "to_h"), [(1, None), (1, 2), (-1, 0), (5, 6)])
async def test_one_may_begin_at_the_instant_at_which_another_ends(
    rooms: Rooms, from_h: float, to_h: float | None
) -> None:
    await rooms.batches.add(LOT)
    assert (await rooms.batches.add(lot("second", from_h, to_h)))[1]


async def test_an_open_batch_overlaps_all_that_follows(rooms: Rooms) -> None:
    await rooms.batches.add(lot("open", 0, None))
    for later in (lot("later", 1_000, 1_001), lot("later", 1_000, None)):
        with pytest.raises(ConflictError, match="'open'"):
            await rooms.batches.add(later)
    assert (await rooms.batches.add(lot("earlier", -1, 0)))[1]


async def test_other_sections_and_organizations_have_batches_of_their_own(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    await rooms.add_section("elsewhere", "default")
    await rooms.batches.add(LOT)
    assert (await rooms.batches.add(replace(LOT, id="cold-lot", section="cold")))[1]
    theirs = replace(LOT, organization="elsewhere", name="theirs")
    assert await rooms.batches.add(theirs) == (theirs, True)
    assert (await rooms.batches.find("default", LOT.id)).name == LOT.name
    assert [b.name for b in (await rooms.batches.page("elsewhere", BatchFilter(), 10, None)).items] == ["theirs"]


async def test_a_change_needs_the_version_that_stands(rooms: Rooms) -> None:
    await rooms.add_section("default", "cold")
    made, _ = await rooms.batches.add(LOT)
    wanted = replace(LOT, name="new", description="", started_ms=NOON - 1, ended_ms=None)
    changed = await rooms.batches.change(replace(wanted, section="cold"), 1)
    assert changed == replace(wanted, version=2), "a batch stays in its section"
    assert changed.created_ms == made.created_ms <= changed.updated_ms
    with pytest.raises(StaleVersionError) as caught:
        await rooms.batches.change(LOT, 1)
    assert caught.value.current == 2
    assert await rooms.batches.find("default", LOT.id) == changed


async def test_a_change_that_would_overlap_is_refused(rooms: Rooms) -> None:
    await rooms.batches.add(LOT)
    second = (await rooms.batches.add(lot("second", 1, 2)))[0]
    for wanted in (replace(second, started_ms=NOON), replace(second, started_ms=NOON - 1), replace(LOT, ended_ms=None)):
        with pytest.raises(ConflictError, match="second" if wanted.id == LOT.id else r"CHO-17\.2") as caught:
            await rooms.batches.change(wanted, 1)
        assert caught.value.field == "section"
        assert not isinstance(caught.value, StaleVersionError)
    assert await rooms.batches.find("default", "second") == second
    moved = await rooms.batches.change(replace(second, started_ms=second.started_ms + 1, ended_ms=None), 1)
    assert moved.version == 2


@pytest.mark.parametrize("name", ODD)
async def test_what_is_not_there_is_not_found(rooms: Rooms, name: str) -> None:
    with pytest.raises(NotFoundError, match="no batch"):
        await rooms.batches.find("default", name)
    with pytest.raises(NotFoundError, match="no batch"):
        await rooms.batches.change(replace(LOT, id=name), 1)
    with pytest.raises(NotFoundError, match="no batch"):
        await rooms.batches.find(name, LOT.id)
    assert (await rooms.batches.page(name, BatchFilter(), 10, None)).items == []
    assert (await rooms.batches.page("default", BatchFilter(section=name), 10, None)).items == []


async def test_another_organizations_batch_is_not_there(rooms: Rooms) -> None:
    await rooms.add_section("elsewhere", "default")
    await rooms.batches.add(LOT)
    with pytest.raises(NotFoundError):
        await rooms.batches.find("elsewhere", LOT.id)
    with pytest.raises(NotFoundError):
        await rooms.batches.change(replace(LOT, organization="elsewhere", name="stolen"), 1)
    assert (await rooms.batches.page("elsewhere", BatchFilter(), 10, None)).items == []
    assert await rooms.batches.find("default", LOT.id) == LOT


async def test_pages_show_the_newest_first(rooms: Rooms) -> None:
    for section in ("b", "a", "C"):
        await rooms.add_section("default", section)
        await rooms.batches.add(lot(f"{section}-2", 2, None, section))
        await rooms.batches.add(lot(f"{section}-1", 1, 2, section))
    await rooms.batches.add(lot("x", 1.5, 3))

    async def ids(wanted: BatchFilter, limit: int) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = await rooms.batches.page("default", wanted, limit, cursor)
            found += [b.id for b in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return found

    every = ["C-2", "a-2", "b-2", "x", "C-1", "a-1", "b-1"]
    for limit in (1, 2, 7, 100):
        assert await ids(BatchFilter(), limit) == every
    assert await ids(BatchFilter(section="a"), 1) == ["a-2", "a-1"]
    assert await ids(BatchFilter(at_ms=NOON + 2 * HOUR), 2) == ["C-2", "a-2", "b-2", "x"]
    assert await ids(BatchFilter(at_ms=NOON + 2 * HOUR - 1, section="a"), 2) == ["a-1"]
    assert await ids(BatchFilter(section="default", at_ms=NOON + 3 * HOUR), 2) == []
    assert await ids(BatchFilter(at_ms=10**18), 2) == ["C-2", "a-2", "b-2"]
    assert await ids(BatchFilter(at_ms=-(10**18)), 2) == []


async def test_pages_reach_back_behind_1970(rooms: Rooms) -> None:
    """A batch may have been written down on paper first."""
    old = [lot(f"old-{n}", n, n + 1) for n in range(3)]
    for batch in old:
        moved = replace(batch, started_ms=batch.started_ms - 2 * NOON, ended_ms=(batch.ended_ms or 0) - 2 * NOON)
        await rooms.batches.add(moved)
    first = await rooms.batches.page("default", BatchFilter(), 2, None)
    rest = await rooms.batches.page("default", BatchFilter(), 2, first.next_cursor)
    assert [b.id for b in (*first.items, *rest.items)] == ["old-2", "old-1", "old-0"]


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "WyJhIl0", "WzFd", "WyJhIiwxXQ"])
async def test_a_foreign_cursor_is_refused(rooms: Rooms, cursor: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        await rooms.batches.page("default", BatchFilter(), 10, cursor)
    assert caught.value.field == "cursor"


async def together(*work: Awaitable[T]) -> list[T | ConflictError]:
    """Do it all at once: what each came to. It takes no longer than one would: nobody is ended as deadlocked."""

    async def settled(one: Awaitable[T]) -> T | ConflictError:
        try:
            return await one
        except ConflictError as error:
            return error

    async with asyncio.timeout(5):
        return await asyncio.gather(*(settled(one) for one in work))


async def test_of_fifty_that_overlap_and_are_made_together_one_is(postgres_rooms: Rooms) -> None:
    wanted = [lot(f"lot-{number}", number / 100, 1 + number / 100) for number in range(50)]
    answers = await together(*(postgres_rooms.batches.add(w) for w in wanted))
    made = [answer for answer in answers if not isinstance(answer, ConflictError)]
    kept = await postgres_rooms.batches.page("default", BatchFilter(), 100, None)
    assert made == [(batch, True) for batch in kept.items]
    assert len(made) == 1
    refused = [answer for answer in answers if isinstance(answer, ConflictError)]
    assert {(e.field, kept.items[0].id in str(e)) for e in refused} == {("section", True)}


async def test_of_fifty_with_one_id_that_are_made_together_one_is(postgres_rooms: Rooms) -> None:
    wanted = [replace(LOT, name=f"number {n}") for n in range(50)]
    answers = await asyncio.gather(*(postgres_rooms.batches.add(w) for w in wanted))
    assert sum(new for _, new in answers) == 1
    assert len({made.name for made, _ in answers}) == 1


async def test_of_fifty_that_are_moved_together_to_one_time_one_is(postgres_rooms: Rooms) -> None:
    """And those that are made there meanwhile are no exception."""
    batches = postgres_rooms.batches
    for number in range(25):
        await batches.add(lot(f"lot-{number}", -1 - number, -number))

    changes: Iterator[Awaitable[Any]] = (batches.change(lot(f"lot-{n}", 10, 11 + n), 1) for n in range(25))
    adding = (batches.add(lot(f"new-{n}", 10.5, 20)) for n in range(25))
    answers = await together(*(coming for pair in zip(changes, adding, strict=True) for coming in pair))
    refused = [answer for answer in answers if isinstance(answer, ConflictError)]
    assert {(type(error), error.field) for error in refused} == {(ConflictError, "section")}
    assert len(refused) == 49
    at_ten = await batches.page("default", BatchFilter(at_ms=NOON + int(10.75 * HOUR)), 100, None)
    assert len(at_ten.items) == 1


async def test_changes_that_collide_do_not_wait_for_each_other_in_a_circle(postgres_rooms: Rooms) -> None:
    batches = postgres_rooms.batches
    for number in range(8):
        await batches.add(lot(f"lot-{number}", -1 - number, -number))
    for version in range(1, 151):
        wanted = [lot(f"lot-{n}", version * 100 + n / 10, version * 100 + 50 - n) for n in range(8)]
        kept = {b.id: b for b in (await batches.page("default", BatchFilter(), 100, None)).items}
        answers = await together(*(batches.change(w, kept[w.id].version) for w in wanted))
        assert sum(isinstance(answer, Batch) for answer in answers) == 1


async def test_of_two_changes_of_one_version_one_is_made(postgres_rooms: Rooms) -> None:
    await postgres_rooms.batches.add(LOT)

    wanted = [replace(LOT, name=f"number {n}") for n in range(20)]
    answers = await together(*(postgres_rooms.batches.change(w, 1) for w in wanted))
    assert [a.current for a in answers if isinstance(a, StaleVersionError)] == [2] * 19
    assert (await postgres_rooms.batches.find("default", LOT.id)).version == 2

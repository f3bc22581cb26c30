"""The latest readings of a page of chambers: each server is asked once, however many chambers there are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.memory import InMemoryActive, InMemoryHistory, InMemoryOutcomes, InMemoryRegistry
from collector.ports import ActiveChamber, ChamberFilter, ChamberRecord, Page, SaveBatch, StoredReading
from collector.usecases.active import PageChambers
from collector.usecases.readings import Portion, ShowLatest
from tests.unit.api_world import ENROLMENT, World, a_reading

CHAMBERS = 30


class CountedHistory(InMemoryHistory):
    """Counts what it is asked."""

    asked: Counter[str]

    async def latest(self, organization: str, chamber_id: str) -> StoredReading | None:
        self.asked["latest"] += 1
        return await super().latest(organization, chamber_id)

    async def latest_of(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, StoredReading]:
        self.asked["latest_of"] += 1
        return await super().latest_of(organization, chamber_ids)

    async def inactive_detectors(self, organization: str, chamber_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        self.asked["inactive_detectors"] += 1
        return await super().inactive_detectors(organization, chamber_ids)


class CountedRegistry(InMemoryRegistry):
    """Counts what it is asked."""

    asked: Counter[str]

    async def page(
        self, organization: str, wanted: ChamberFilter, limit: int, cursor: str | None
    ) -> Page[ChamberRecord]:
        self.asked["page"] += 1
        return await super().page(organization, wanted, limit, cursor)

    async def active(self, organization: str, at_most: int) -> Sequence[ActiveChamber]:
        self.asked["active"] += 1
        return await super().active(organization, at_most)

    async def find(self, organization: str, chamber_id: str) -> ChamberRecord:
        self.asked["find"] += 1
        return await super().find(organization, chamber_id)


async def fleet() -> World:
    """Thirty chambers; the first ten are cached, the next ten are stored, the others have no reading."""
    world = World()
    async with world.client() as client:
        for number in range(CHAMBERS):
            body: dict[str, Any] = {**ENROLMENT, "id": f"c-{number:02}"}
            assert (await client.post("/v1/chambers", json=body)).status_code == 201
    for number in range(20):
        spec = world.ledger.chambers[f"c-{number:02}"].spec
        slot_ms = spec.grid.after(world.clock.wall_ms)
        reading = a_reading(spec, slot_ms, float(number))
        if number < 10:
            await world.cache.put("default", spec, reading)
        else:
            await InMemoryOutcomes(world.ledger).save(SaveBatch(spec.id, [reading], slot_ms))
    return world


async def test_a_page_of_chambers_costs_two_questions_and_one_of_the_cache() -> None:
    world, asked = await fleet(), Counter[str]()
    ledger, registry = CountedHistory(world.ledger), CountedRegistry(world.ledger)
    ledger.asked = registry.asked = asked
    show = ShowLatest(PageChambers(registry, InMemoryActive(world.clock.now_ms)), ledger, world.cache)
    page = await show.of_all("default", ChamberFilter(), Portion(1000))
    assert asked == {"active": 1, "latest_of": 1}
    values = [latest.reading and latest.reading.measurements[0].value for latest in page.items]
    assert values == [*map(float, range(20)), *[None] * 10]
    assert [latest.stored_ms is None for latest in page.items] == [True] * 10 + [False] * 10 + [True] * 10


async def test_a_page_without_chambers_asks_for_no_reading() -> None:
    world, asked = World(), Counter[str]()
    ledger, registry = CountedHistory(world.ledger), CountedRegistry(world.ledger)
    ledger.asked = registry.asked = asked
    show = ShowLatest(PageChambers(registry, InMemoryActive(world.clock.now_ms)), ledger, world.cache)
    page = await show.of_all("default", ChamberFilter(status="stale"), Portion(10))
    assert (page.items, asked) == ([], {"page": 1})

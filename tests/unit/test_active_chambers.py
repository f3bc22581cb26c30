"""Lists without a status come from the cache of active chambers, and every change is seen in the next answer."""

from collections.abc import Sequence

import httpx
import pytest

from adapters.memory import InMemoryActive, InMemoryOutcomes, InMemoryRegistry
from collector.domain.errors import AwayError
from collector.domain.outcome import EpochEnd
from collector.ports import ActiveChamber, ActivePart, ChamberFilter, SaveBatch
from collector.ports.active import ACTIVE_FOR_MS
from collector.usecases.active import PageChambers, PagedChamber, forgetting
from tests.unit.api_world import ENROLMENT, World, a_reading


async def enrol(client: httpx.AsyncClient, *ids: str) -> None:
    for chamber_id in ids:
        answer = await client.post("/v1/chambers", json={**ENROLMENT, "id": chamber_id})
        assert answer.status_code == 201


async def latest(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(f"/v1/latest{query}")
    assert answer.status_code == 200, answer.text
    return [item["chamber"] for item in answer.json()["items"]]


async def keep_all(world: World) -> None:
    """A latest reading of each chamber is in the cache."""
    for kept in world.ledger.chambers.values():
        await world.cache.put("default", kept.spec, a_reading(kept.spec, world.clock.wall_ms))


async def test_latest_readings_need_no_registry_while_all_is_cached() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "a", "b", "c")
        await keep_all(world)
        assert await latest(client) == ["a", "b", "c"]
        world.ledger.away = True
        assert await latest(client) == ["a", "b", "c"]
        first = (await client.get("/v1/latest?limit=2")).json()
        assert await latest(client, f"?limit=2&cursor={first['next_cursor']}") == ["c"]
        assert (await client.get("/v1/latest?status=failing")).status_code == 503, "a status is the registry's"
        assert (await client.get("/v1/latest?q=a")).status_code == 503
        world.active.away = True
        assert (await client.get("/v1/latest")).status_code == 503


async def test_every_change_is_seen_in_the_next_answer() -> None:
    world = World()
    world.ledger.add_section("default", "cold")
    async with world.client() as client:
        assert await latest(client) == []
        await enrol(client, "a", "b")
        assert await latest(client) == ["a", "b"]
        assert await latest(client, "?section=cold") == []
        await client.patch("/v1/chambers/b", json={"section": "cold"}, headers={"If-Match": "*"})
        assert await latest(client, "?section=cold") == ["b"]
        assert await latest(client, "?section=default") == ["a"]
        await client.delete("/v1/chambers/a")
        assert await latest(client) == ["a", "b"], "until its last outcome is stored it retires"


async def test_a_chamber_that_retired_in_the_ledger_is_left_out_within_10_s() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "a", "b")
        assert await latest(client) == ["a", "b"]
        await InMemoryOutcomes(world.ledger).save(SaveBatch("a", [EpochEnd(world.clock.wall_ms)]))
        world.clock.wall_ms += ACTIVE_FOR_MS
        assert await latest(client) == ["b"]


async def test_organizations_have_lists_of_their_own() -> None:
    world = World()
    async with world.client() as client, world.client("other") as other:
        await enrol(client, "a")
        assert (await latest(client), await latest(other)) == (["a"], [])
        assert (await latest(client), await latest(other)) == (["a"], [])


async def test_a_change_whose_answer_got_lost_is_forgotten_too() -> None:
    active = InMemoryActive()
    reads = 0

    async def read(_: int) -> Sequence[ActiveChamber]:
        nonlocal reads
        reads += 1
        return []

    await active.page("lab", ActivePart(10), read)
    with pytest.raises(AwayError):
        async with forgetting(active, "lab"):
            raise AwayError("it may have committed")
    await active.page("lab", ActivePart(10), read)
    assert reads == 2


async def test_a_cursor_of_a_chamber_that_is_gone_goes_on_in_the_registry() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "a", "b", "c")
        first = (await client.get("/v1/latest?limit=1")).json()
        world.ledger.chambers.pop("a")
        world.clock.wall_ms += ACTIVE_FOR_MS
        assert await latest(client, f"?limit=1&cursor={first['next_cursor']}") == ["b"]


async def test_a_filter_by_status_asks_the_registry() -> None:
    world = World()
    chambers = PageChambers(InMemoryRegistry(world.ledger), world.active)
    async with world.client() as client:
        await enrol(client, "a")
    assert (await chambers("default", ChamberFilter(status="retired"), 10, None)).items == []
    assert (await chambers("default", ChamberFilter(status="starting"), 10, None)).items == [PagedChamber("a")]
    assert (await chambers("default", ChamberFilter(), 10, None)).items == [PagedChamber("a", frozenset())]


async def test_a_detector_that_is_switched_off_is_left_out_at_once_and_costs_no_question() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "a")
        spec = world.ledger.chambers["a"].spec
        slot_ms = spec.grid.after(world.clock.wall_ms)
        reading = a_reading(spec, slot_ms)
        await InMemoryOutcomes(world.ledger).save(SaveBatch("a", [reading], slot_ms))
        await world.cache.put("default", spec, reading)
        assert "temperature" in (await client.get("/v1/latest")).text  # and the list of chambers is kept from here on
        answer = await client.patch("/v1/chambers/a/detectors/temperature", json={"active": False})
        assert answer.status_code == 200, answer.text
        assert "temperature" not in (await client.get("/v1/latest")).text
        world.ledger.away = True
        assert (await client.get("/v1/latest")).json()["items"][0]["reading"]["measurements"] == {}

"""Detectors by the API: an alias, and what a switched-off one means for everybody who reads."""

from dataclasses import replace
from typing import Any

from adapters.memory import InMemoryOutcomes
from collector.domain.outcome import Measurement
from collector.ports import SaveBatch
from tests.unit.api_world import ENROLMENT, World, a_reading

MINE = "/v1/chambers/incubator-3"
TEMPERATURE = f"{MINE}/detectors/temperature"


async def measured() -> World:
    """A chamber with one reading of two detectors, in a batch, and cached."""
    world = World()
    async with world.client() as client:
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 201
        batch = {"id": "lot-1", "section": "default"}
        assert (await client.post("/v1/batches", json=batch)).status_code == 201
    spec = world.ledger.chambers["incubator-3"].spec
    slot_ms = spec.grid.after(world.clock.wall_ms)
    reading = a_reading(spec, slot_ms)
    reading = replace(reading, measurements=(*reading.measurements, Measurement("relative_humidity", 44.0, "%")))
    world.clock.wall_ms = slot_ms + 1_000
    await InMemoryOutcomes(world.ledger).save(SaveBatch("incubator-3", [reading], slot_ms))
    await world.cache.put("default", spec, reading)
    return world


async def test_a_detector_is_asked_for_by_its_alias_until_that_is_removed() -> None:
    world = await measured()
    async with world.client() as client:
        named = await client.patch(TEMPERATURE, json={"alias": "core"})
        by_alias = (await client.get(f"{MINE}/readings?detector=core")).json()["items"]
        again = await client.patch(f"{MINE}/detectors/core", json={"alias": "core"})
        removed = await client.patch(f"{MINE}/detectors/core", json={"alias": None})
        gone = await client.get(f"{MINE}/readings?detector=core")
    assert named.json() == again.json() == {"name": "temperature", "unit": "Cel", "alias": "core", "active": True}
    assert list(by_alias[0]["measurements"]) == ["temperature"]
    assert (removed.json()["alias"], gone.status_code) == (None, 422)


async def test_an_alias_that_means_another_detector_is_refused() -> None:
    world = await measured()
    async with world.client() as client:
        await client.patch(f"{MINE}/detectors/relative_humidity", json={"alias": "wet"})
        answers = [await client.patch(TEMPERATURE, json={"alias": name}) for name in ("wet", "relative_humidity")]
        empty = [await client.patch(TEMPERATURE, json={"alias": alias}) for alias in ("", " x", "a\tb", "a" * 201)]
    for answer in answers:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "alias")
    for answer in empty:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "alias")


async def test_a_detector_that_is_not_there_is_told_with_where_to_look() -> None:
    world = await measured()
    async with world.client() as client:
        answer = await client.patch(f"{MINE}/detectors/co2", json={"active": False})
        nobody = await client.patch("/v1/chambers/nobody/detectors/co2", json={"active": False})
    assert (answer.status_code, nobody.status_code) == (404, 404)
    assert answer.json()["errors"][0]["remedy"] == "GET /v1/chambers/incubator-3/detectors lists what there is"
    assert nobody.json()["errors"][0]["remedy"] == "GET /v1/chambers lists what there is"


async def shown(world: World, **headers: str) -> dict[str, Any]:
    """What each way of reading shows of the chamber: names of the measurements."""
    world.cache.away = False
    async with world.client() as client:
        readings = (await client.get(f"{MINE}/readings")).json()["items"]
        batch = (await client.get("/v1/batches/lot-1/readings")).json()["items"]
        text = (await client.get(f"{MINE}/readings", headers={"Accept": "text/csv"})).text
        both = (await client.get("/v1/batches/lot-1/readings", headers={"Accept": "text/csv"})).text
        cached = [(await client.get(path)).json() for path in (f"{MINE}/latest", "/v1/latest")]
        world.cache.away = True
        stored = [(await client.get(path)).json() for path in (f"{MINE}/latest", "/v1/latest")]
    latest = [one["reading"] for one in (cached[0], cached[1]["items"][0], stored[0], stored[1]["items"][0])]
    lines = [line.split(",") for line in (*text.splitlines()[1:], *both.splitlines()[1:])]
    names = [set(reading["measurements"]) for reading in (*readings, *batch, *latest)]
    return {"readings": names, "lines": [line[-4] for line in lines]}


async def test_a_detector_that_is_switched_off_is_left_out_unless_it_is_asked_for() -> None:
    world = await measured()
    before = await shown(world)
    async with world.client() as client:
        off = await client.patch(TEMPERATURE, json={"active": False})
        without = await shown(world)
        asked = (await client.get(f"{MINE}/readings?detector=temperature")).json()["items"]
        batch = (await client.get("/v1/batches/lot-1/readings?detector=temperature")).json()["items"]
        curve = (await client.get(f"{MINE}/readings?detector=temperature&points=1")).json()["items"]
        listed = (await client.get(f"{MINE}/detectors")).json()["items"]
        on = await client.patch(TEMPERATURE, json={"active": True})
        after = await shown(world)
    assert (off.json()["active"], on.json()["active"]) == (False, True)
    assert before["readings"] == [{"temperature", "relative_humidity"}] * 6
    assert without["readings"] == [{"relative_humidity"}] * 6
    assert sorted(before["lines"]) == ["relative_humidity"] * 2 + ["temperature"] * 2
    assert without["lines"] == ["relative_humidity"] * 2
    assert asked[0]["measurements"]["temperature"]["value"] == 21.5
    assert batch[0]["measurements"] == asked[0]["measurements"]
    assert curve[0]["count"] == 1
    assert [(d["name"], d["active"]) for d in listed] == [("relative_humidity", True), ("temperature", False)]
    assert after == before, "nothing was lost meanwhile"


async def test_a_reading_of_switched_off_detectors_alone_is_still_a_reading() -> None:
    world = await measured()
    async with world.client() as client:
        for name in ("temperature", "relative_humidity"):
            await client.patch(f"{MINE}/detectors/{name}", json={"active": False})
        [reading] = (await client.get(f"{MINE}/readings")).json()["items"]
        proof = (await client.get(f"{MINE}/audit")).json()
    assert (reading["measurements"], proof["stored"]) == ({}, 1)


async def test_a_cached_reading_is_shown_whole_while_nobody_can_say_what_is_switched_off() -> None:
    world = await measured()
    async with world.client() as client:
        await client.patch(TEMPERATURE, json={"active": False})
        await client.get(MINE)
        world.ledger.away = True
        answer = await client.get(f"{MINE}/latest")
    assert answer.status_code == 200
    assert set(answer.json()["reading"]["measurements"]) == {"temperature", "relative_humidity"}

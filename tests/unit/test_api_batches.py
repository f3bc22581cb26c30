"""Batches by the API: begun once, one at a time in a section, ended, and the readings that are theirs."""

import csv
import io
from dataclasses import replace
from typing import Any

import httpx

from adapters.memory import InMemoryOutcomes
from collector.domain.instants import iso
from collector.domain.outcome import Measurement
from collector.ports import SaveBatch
from tests.unit.api_world import ENROLMENT, NOON_MS, World, a_reading

ALL = "/v1/batches"
CHO: dict[str, Any] = {"id": "CHO-17.2", "section": "default", "name": "CHO 17"}
MINE = f"{ALL}/CHO-17.2"
NOON = "2026-03-01T12:00:00.000Z"
ANY = {"If-Match": "*"}
FIRST_MS = NOON_MS + 34_480
"""First slot of incubator-3."""


async def test_a_batch_begins_now_and_is_made_once() -> None:
    world = World()
    async with world.client() as client:
        made = await client.post(ALL, json=CHO)
        world.clock.wall_ms += 3_600_000
        again = await client.post(ALL, json=CHO)
        started = await client.post(ALL, json={**CHO, "started_at": "2026-03-01T13:00:00+01:00"})
        other = await client.post(ALL, json={**CHO, "name": "CHO", "started_at": "2026-03-01T11:00:00Z"})
    assert [a.status_code for a in (made, again, started, other)] == [201, 200, 200, 409]
    instants = {"started_at": NOON, "ended_at": None, "created_at": NOON, "updated_at": NOON}
    assert made.json() == again.json() == started.json() == {**CHO, "description": "", "version": 1, **instants}
    assert (made.headers["location"], made.headers["etag"]) == (MINE, '"1"')
    assert "differs in: name, started_at" in other.json()["detail"]


async def test_the_same_again_is_the_same_after_its_end_too() -> None:
    world = World()
    planned = {**CHO, "ended_at": "2026-03-01T13:00:00Z"}
    async with world.client() as client:
        await client.post(ALL, json=planned)
        world.clock.wall_ms += 7_200_000
        again = await client.post(ALL, json=planned)
        endless = await client.post(ALL, json={**CHO, "ended_at": None})
    assert (again.status_code, again.json()["ended_at"]) == (200, "2026-03-01T13:00:00.000Z")
    assert (endless.status_code, "ended_at" in endless.json()["detail"]) == (409, True)


async def test_a_section_has_one_batch_at_a_time() -> None:
    world = World()
    world.ledger.add_section("default", "attic")
    async with world.client() as client:
        await client.post(ALL, json=CHO)
        overlapping = await client.post(ALL, json={**CHO, "id": "HEK-1"})
        elsewhere = await client.post(ALL, json={**CHO, "id": "HEK-1", "section": "attic"})
        before = await client.post(
            ALL, json={**CHO, "id": "HEK-0", "started_at": "2026-03-01T08:00:00Z", "ended_at": NOON}
        )
        reaching = await client.patch(f"{ALL}/HEK-0", json={"ended_at": None}, headers=ANY)
    assert [a.status_code for a in (overlapping, elsewhere, before, reaching)] == [409, 201, 201, 409]
    for refused in (overlapping, reaching):
        [error] = refused.json()["errors"]
        assert (error["field"], "CHO-17.2" in error["problem"]) == ("section", True)


async def test_wrong_instants_and_sections_are_told() -> None:
    async with World().client() as client:
        answers = {
            name: await client.post(ALL, json={**CHO, **wrong})
            for name, wrong in {
                "section": {"section": "attic"},
                "id": {"id": "CHO 17"},
                "ended_at": {"ended_at": "2026-03-01T12:00:00Z"},
                "started_at": {"started_at": "yesterday"},
            }.items()
        }
    for name, answer in answers.items():
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, name)


async def test_batches_are_listed_by_their_start_and_found_by_an_instant() -> None:
    world = World()
    world.ledger.add_section("default", "attic")
    async with world.client() as client:
        await client.post(ALL, json={**CHO, "id": "a", "started_at": "2026-03-01T08:00:00Z", "ended_at": NOON})
        await client.post(ALL, json={**CHO, "id": "b"})
        await client.post(ALL, json={**CHO, "id": "c", "section": "attic", "started_at": "2026-03-01T09:00:00Z"})
        first = (await client.get(f"{ALL}?limit=2")).json()
        rest = (await client.get(f"{ALL}?limit=2&cursor={first['next_cursor']}")).json()
        early = (await client.get(f"{ALL}?at=2026-03-01T10:00:00Z")).json()
        here = (await client.get(f"{ALL}?at={NOON}&section=default")).json()
    assert [b["id"] for b in first["items"] + rest["items"]] == ["b", "c", "a"]
    assert [b["id"] for b in early["items"]] == ["c", "a"]
    assert [b["id"] for b in here["items"]] == ["b"], "the end is exclusive"


async def test_a_batch_is_changed_by_who_has_read_it() -> None:
    async with World().client() as client:
        tag = (await client.post(ALL, json=CHO)).headers["etag"]
        wanted = {"description": "bag B", "started_at": "2026-03-01T11:00:00Z", "ended_at": "2026-03-02T00:00:00Z"}
        changed = await client.patch(MINE, json=wanted, headers={"If-Match": tag})
        shown = await client.get(MINE)
        open_again = await client.patch(MINE, json={"ended_at": None}, headers={"If-Match": '"2"'})
        stale = await client.patch(MINE, json={"name": "x"}, headers={"If-Match": tag})
        unread = await client.patch(MINE, json={"name": "x"})
        backwards = await client.patch(MINE, json={"ended_at": "2026-03-01T10:00:00Z"}, headers=ANY)
    assert (changed.json()["description"], changed.json()["started_at"]) == ("bag B", "2026-03-01T11:00:00.000Z")
    assert (changed.json()["version"], changed.headers["etag"], shown.json()) == (2, '"2"', changed.json())
    assert open_again.json()["ended_at"] is None
    assert [a.status_code for a in (stale, unread, backwards)] == [412, 428, 422]
    assert backwards.json()["errors"][0]["field"] == "ended_at"


async def ended(client: httpx.AsyncClient, at: str | None = None) -> httpx.Response:
    """End it now, or then."""
    return await client.post(f"{MINE}/end", json=None if at is None else {"at": at})


async def test_ending_again_changes_nothing_and_another_end_is_refused() -> None:
    world = World()
    async with world.client() as client:
        await client.post(ALL, json=CHO)
        world.clock.wall_ms += 60_000
        first = await ended(client)
        world.clock.wall_ms += 60_000
        answers = [await ended(client), await ended(client, "2026-03-01T12:01:00Z")]
        other = await ended(client, "2026-03-01T12:01:30Z")
    assert (first.status_code, first.json()["ended_at"]) == (200, "2026-03-01T12:01:00.000Z")
    assert [answer.json() for answer in answers] == [first.json(), first.json()]
    assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "at")
    assert "2026-03-01T12:01:00.000Z" in other.json()["detail"]


async def test_a_planned_end_comes_earlier_when_the_batch_is_ended_now() -> None:
    world = World()
    async with world.client() as client:
        await client.post(ALL, json={**CHO, "ended_at": "2026-03-09T00:00:00Z"})
        world.clock.wall_ms += 60_000
        assert (await ended(client)).json()["ended_at"] == "2026-03-01T12:01:00.000Z"


async def test_a_batch_does_not_end_before_it_begins() -> None:
    world = World()
    async with world.client() as client:
        await client.post(ALL, json={**CHO, "started_at": "2026-03-02T00:00:00Z"})
        answers = [await ended(client), await ended(client, "2026-03-02T00:00:00Z")]
    for answer in answers:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "at")


async def observed() -> World:
    """Two chambers with a reading at each of their first three slots; the batch holds the second and the third."""
    world = World()
    async with world.client() as client:
        for chamber in ("incubator-3", "incubator-4"):
            assert (await client.post("/v1/chambers", json={**ENROLMENT, "id": chamber})).status_code == 201
        world.clock.wall_ms += 300_000
        for chamber in ("incubator-4", "incubator-3"):
            spec = world.ledger.chambers[chamber].spec
            first_ms = spec.grid.after(NOON_MS)
            readings = [a_reading(spec, first_ms + n * 60_000, 20.0 + n) for n in range(3)]
            if chamber == "incubator-4":
                humid = Measurement("relative_humidity", 44.0, "%")
                readings = [replace(r, measurements=(*r.measurements, humid)) for r in readings]
            await InMemoryOutcomes(world.ledger).save(SaveBatch(chamber, readings, first_ms + 120_000))
        span = {"started_at": iso(NOON_MS + 60_000), "ended_at": iso(NOON_MS + 180_000)}
        assert (await client.post(ALL, json={**CHO, **span})).status_code == 201
    return world


async def test_readings_of_a_batch_are_those_of_its_slots_by_chamber() -> None:
    world = await observed()
    async with world.client() as client:
        found = (await client.get(f"{MINE}/readings")).json()
        first = (await client.get(f"{MINE}/readings?limit=3")).json()
        rest = (await client.get(f"{MINE}/readings?limit=3&cursor={first['next_cursor']}")).json()
        mine = (await client.get("/v1/chambers/incubator-3/readings")).json()["items"]
    chambers = [item["chamber"] for item in found["items"]]
    assert chambers == ["incubator-3"] * 2 + ["incubator-4"] * 2
    assert [item["slot"] for item in found["items"][:2]] == [iso(FIRST_MS + 60_000), iso(FIRST_MS + 120_000)]
    assert found["items"][0] == {"chamber": "incubator-3", **mine[1]}
    assert (first["items"] + rest["items"], rest["next_cursor"]) == (found["items"], None)


async def test_readings_of_a_batch_are_narrowed_by_chamber_range_and_detector() -> None:
    world = await observed()
    async with world.client() as client:
        await client.patch("/v1/chambers/incubator-4/detectors/relative_humidity", json={"alias": "wetness"})
        one = (await client.get(f"{MINE}/readings?chamber=incubator-4")).json()["items"]
        late = (await client.get(f"{MINE}/readings?from={iso(NOON_MS + 120_000)}")).json()["items"]
        early = (await client.get(f"{MINE}/readings?to={iso(NOON_MS + 120_000)}")).json()["items"]
        warm = (await client.get(f"{MINE}/readings?detector=temperature")).json()["items"]
        humid = [
            (await client.get(f"{MINE}/readings?detector={name}")).json()["items"]
            for name in ("relative_humidity", "wetness")
        ]
        none = (await client.get(f"{MINE}/readings?detector=co2")).json()
        unknown = await client.get(f"{MINE}/readings?chamber=nobody")
    assert {item["chamber"] for item in one} == {"incubator-4"}
    assert (len(late), len(early), len(warm)) == (2, 2, 4)
    assert all(list(item["measurements"]) == ["temperature"] for item in warm)
    assert humid[0] == humid[1]
    assert [(i["chamber"], list(i["measurements"])) for i in humid[0]] == [("incubator-4", ["relative_humidity"])] * 2
    assert none == {"items": [], "next_cursor": None}
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "chamber")


async def test_readings_of_a_batch_as_csv_say_the_chamber_first() -> None:
    world = await observed()
    wanted = {"Accept": "text/csv"}
    async with world.client() as client:
        whole = await client.get(f"{MINE}/readings", headers=wanted)
        part = await client.get(f"{MINE}/readings?limit=3", headers=wanted)
        following = part.headers["link"].removeprefix("<").partition(">")[0]
        rest = await client.get(following, headers=wanted)
        alone = await client.get("/v1/chambers/incubator-3/readings", headers=wanted)
    rows = list(csv.DictReader(io.StringIO(whole.text)))
    assert [row["chamber"] for row in rows] == ["incubator-3"] * 2 + ["incubator-4"] * 4
    assert whole.text.splitlines()[1] == "incubator-3," + alone.text.splitlines()[2]
    assert part.text + rest.text.partition("\r\n")[2] == whole.text
    assert "link" not in whole.headers


async def test_a_reading_belongs_to_the_section_where_its_chamber_stood_at_its_slot() -> None:
    world = await observed()
    world.ledger.add_section("default", "attic")
    async with world.client() as client:
        await client.patch("/v1/chambers/incubator-3", json={"section": "attic"}, headers=ANY)
        found = (await client.get(f"{MINE}/readings?chamber=incubator-3")).json()["items"]
    assert len(found) == 2

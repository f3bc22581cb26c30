"""Two organizations: nobody sees, changes or even hears of another's chamber, by whatever route."""

from typing import Any

import pytest
from fastapi.routing import APIRoute

from adapters.memory import InMemoryOutcomes
from collector.domain.outcome import Gap, GapReason
from collector.ports import SaveBatch
from tests.unit.api_world import ENROLMENT, World, a_reading

ID = "incubator-3"
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/v1/chambers/{chamber_id}", None),
    ("PATCH", "/v1/chambers/{chamber_id}", {"name": "mine now"}),
    ("DELETE", "/v1/chambers/{chamber_id}", None),
    ("POST", "/v1/chambers/{chamber_id}/pause", {"reason": "mine now"}),
    ("POST", "/v1/chambers/{chamber_id}/resume", None),
    ("POST", "/v1/chambers/{chamber_id}/collect", {"force": True}),
    ("GET", "/v1/chambers/{chamber_id}/readings", None),
    ("GET", "/v1/chambers/{chamber_id}/readings?points=10&detector=temperature", None),
    ("GET", "/v1/chambers/{chamber_id}/latest", None),
    ("GET", "/v1/chambers/{chamber_id}/gaps", None),
    ("GET", "/v1/chambers/{chamber_id}/detectors", None),
    ("GET", "/v1/chambers/{chamber_id}/audit", None),
]
SECTION_ROUTES: list[tuple[str, str, Any]] = [
    ("POST", "/v1/sections/{section_id}/pause", {"reason": "mine now"}),
    ("POST", "/v1/sections/{section_id}/resume", None),
    ("GET", "/v1/sections/{section_id}/operations/theirs", None),
]
LISTS = ["/v1/chambers", "/v1/latest", "/v1/audit", "/v1/sections"]


async def world_with_data() -> World:
    """The chamber of `default` has a reading, a gap, a cached latest value."""
    world = World()
    async with world.client() as client:
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 201
    spec = world.ledger.chambers[ID].spec
    slot_ms = spec.grid.after(world.clock.wall_ms)
    world.clock.wall_ms = slot_ms + 2 * spec.interval_ms
    reading = a_reading(spec, slot_ms, 37.25)
    gap = Gap(slot_ms + spec.interval_ms, slot_ms + spec.interval_ms, GapReason.TIMEOUT, "10 s")
    outcomes = InMemoryOutcomes(world.ledger)
    await outcomes.save(SaveBatch(ID, [reading, gap], slot_ms + spec.interval_ms))
    await world.cache.put("default", spec, reading)
    world.ledger.add_section("default", "their-lab")
    return world


@pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])
async def test_a_foreign_chamber_answers_like_one_that_is_not_there(method: str, path: str, body: Any) -> None:
    world = await world_with_data()
    kept = world.ledger.chambers[ID]
    before = (kept.spec, kept.pause, kept.retiring, dict(world.fleet.running))
    headers = {"If-Match": "*"}
    async with world.client("other") as other:
        foreign = await other.request(method, path.format(chamber_id=ID), json=body, headers=headers)
        unknown = await other.request(method, path.format(chamber_id="no-such-one"), json=body, headers=headers)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text.replace(ID, "no-such-one") == unknown.text
    assert (kept.spec, kept.pause, kept.retiring, dict(world.fleet.running)) == before
    async with world.client() as owner:
        mine = await owner.request(method, path.format(chamber_id=ID), json=body, headers=headers)
    assert mine.status_code == 200, mine.text


@pytest.mark.parametrize(("method", "path", "body"), SECTION_ROUTES, ids=[f"{m} {p}" for m, p, _ in SECTION_ROUTES])
async def test_a_foreign_section_answers_like_one_that_is_not_there(method: str, path: str, body: Any) -> None:
    world = await world_with_data()
    async with world.client() as owner:
        key = {"Idempotency-Key": "theirs"}
        assert (await owner.post("/v1/sections/their-lab/pause", headers=key)).status_code == 202
    before = dict(world.fleet.running)
    async with world.client("other") as other:
        foreign = await other.request(method, path.format(section_id="their-lab"), json=body)
        unknown = await other.request(method, path.format(section_id="no-such-one"), json=body)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text.replace("their-lab", "no-such-one") == unknown.text
    assert dict(world.fleet.running) == before
    async with world.client() as owner:
        mine = await owner.request(method, path.format(section_id="their-lab"), json=body)
    assert mine.status_code in (200, 202), mine.text


async def test_a_section_of_the_same_name_is_another_section() -> None:
    world = await world_with_data()
    async with world.client("other") as other:
        told = await other.post("/v1/sections/default/pause", headers={"Idempotency-Key": "mine"})
        assert (told.status_code, told.json()["total"]) == (202, 0)
    assert world.fleet.running[ID].pause is None
    async with world.client() as owner:
        assert (await owner.get("/v1/sections/default/operations/mine")).status_code == 404


@pytest.mark.parametrize("path", LISTS)
async def test_lists_show_nothing_of_another_organization(path: str) -> None:
    world = await world_with_data()
    async with world.client("other") as other:
        answer = await other.get(path)
    assert answer.status_code == 200
    for secret in (ID, "37.25", "their-lab", "default/", "timeout"):
        assert secret not in answer.text
    if path == "/v1/audit":
        assert answer.json()["expected"] == 0
    async with world.client() as owner:
        assert (await owner.get(path)).text != answer.text


async def test_a_taken_id_is_refused_without_saying_whose() -> None:
    world = await world_with_data()
    async with world.client("other") as other:
        answer = await other.post("/v1/chambers", json=ENROLMENT)
        otherwise = await other.post("/v1/chambers", json={**ENROLMENT, "interval_s": 5})
    assert answer.status_code == otherwise.status_code == 409
    assert answer.text == otherwise.text
    assert "default" not in answer.text
    assert world.ledger.chambers[ID].spec.organization == "default"


async def test_the_same_request_id_of_another_organization_gets_nothing() -> None:
    world = await world_with_data()
    key = {"Idempotency-Key": "the-same"}
    async with world.client() as owner, world.client("other") as other:
        assert (await owner.post(f"/v1/chambers/{ID}/collect", headers=key)).status_code == 200
        assert (await other.post(f"/v1/chambers/{ID}/collect", headers=key)).status_code == 404


def test_the_table_has_every_route_of_a_chamber() -> None:
    world = World()
    routes = [route for route in world.app.state.routes if isinstance(route, APIRoute)]
    wanted = {(m, r.path) for r in routes if "{chamber_id}" in r.path for m in r.methods or ()}
    assert {(method, path.partition("?")[0]) for method, path, _ in ROUTES} == wanted
    wanted = {(m, r.path) for r in routes if "{section_id}" in r.path for m in r.methods or ()}
    assert {(m, p.replace("theirs", "{operation_id}")) for m, p, _ in SECTION_ROUTES} == wanted
    lists = {r.path for r in routes if r.path.startswith("/v1") and "{" not in r.path and "GET" in (r.methods or ())}
    assert {*LISTS, "/v1/profiles"} == lists  # profiles belong to the deployment

"""The API over the real stores: what the twins forgive, PostgreSQL may not."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import product
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.api_keys import new_key
from adapters.cursors import write_cursor
from api.app import create_app
from api.services import make_services
from collector.domain.roles import Role
from collector.ports import AnswerKind, ChamberAnswer, KeyTerms, SaveBatch
from collector.ports.events import EventFilter
from collector.ports.users import User
from tests.contract.ledger_rooms import Rooms, now
from tests.contract.people_rooms import PeopleRooms, opened_people
from tests.unit.api_world import ENROLMENT, KEYS, TERMS, World, a_reading
from tests.unit.hostile_requests import BODIES, GETS, POSTS, QUERIES, THINGS, query_string

HEADERS = {"If-Match": "*", "Content-Type": "application/json", "Authorization": f"Bearer {KEYS['deployment']}"}
ATTIC = "name: attic\nmeasurements: [{name: temperature, select: t, unit: Cel}]\n"
NEW_YEAR = "2026-01-02T00:00:00Z"
PAGED = {
    *("/v1/chambers", "/v1/latest", "/v1/sections", "/v1/batches", "/v1/organizations", "/v1/keys"),
    *("/v1/chambers/incubator-3/readings", "/v1/chambers/incubator-3/gaps", "/v1/batches/lot-1/readings"),
}
LIGHT = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],  # one database for all of them
)


@pytest_asyncio.fixture
async def client(postgres_rooms: Rooms, database: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API over PostgreSQL, by the wall clock; with a chamber that has a reading, and a batch that holds it."""
    async with opened_people(database, size=2) as people:
        async for made in _client(postgres_rooms, people):
            yield made


async def _client(rooms: Rooms, people: PeopleRooms) -> AsyncIterator[httpx.AsyncClient]:
    world = World()
    _, key_id, secret = KEYS["deployment"].split("_", 2)
    await rooms.keys.add(key_id, hashlib.sha256(secret.encode()).digest(), "default", "a test", TERMS["deployment"])
    await people.users.add(User(id="0123456789ab", organization="default", email="ada@example.org"), None)
    stores = replace(
        world.ports().people,
        users=people.users,
        invitations=people.invitations,
        resets=people.resets,
        sessions=people.sessions,
    )
    ports = replace(
        world.ports(),
        people=stores,
        events=rooms.events,
        registry=rooms.registry,
        ledger=rooms.history,
        keys=rooms.keys,
        organizations=rooms.organizations,
        sections=rooms.sections,
        batches=rooms.batches,
        library=rooms.profiles,
        answers=rooms.answers,
    )
    transport = httpx.ASGITransport(create_app(make_services(ports)))
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=HEADERS) as made:
        for collection, body in THINGS:
            assert (await made.post(collection, json=body)).status_code == 201
        assert (await made.put("/v1/profiles/attic", json={"document": ATTIC})).status_code == 201
        spec = (await rooms.registry.find("default", "incubator-3")).spec
        reading = a_reading(spec, spec.grid.after(world.clock.wall_ms))
        await rooms.outcomes.save(SaveBatch(spec.id, [reading]))
        yield made


async def test_the_whole_surface_works_over_postgresql(client: httpx.AsyncClient) -> None:
    for path in GETS:
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text)
    [reading] = (await client.get("/v1/batches/lot-1/readings")).json()["items"]
    assert (reading["chamber"], reading["measurements"]["temperature"]["value"]) == ("incubator-3", 21.5)


async def test_a_chamber_of_ones_own_profile_works_over_postgresql(
    client: httpx.AsyncClient, postgres_rooms: Rooms
) -> None:
    wanted = {"id": "attic-1", "url": "http://192.168.1.20", "profile": "attic", "interval_s": 60}
    made = (await client.post("/v1/chambers", json={**wanted, "timezone": "UTC"})).json()
    changed = await client.put("/v1/profiles/attic", json={"document": ATTIC + "description: new\n"})
    assert changed.status_code == 200, changed.text
    assert (await client.get("/v1/chambers/attic-1")).json()["profile_version"] == made["profile_version"]
    old = await client.get("/v1/profiles/attic", params={"version": made["profile_version"]})
    assert (old.json()["document"], len(old.json()["versions"])) == (ATTIC, 2)
    assert (await client.delete("/v1/profiles/attic")).json()["newest"] is None
    patched = (await client.patch("/v1/chambers/attic-1", json={"serial_number": "7"})).json()
    assert (patched["profile_version"], patched["serial_number"]) == (made["profile_version"], "7")
    postgres_rooms.answers.offer(
        ChamberAnswer(
            "attic-1", AnswerKind.FAILURE, 1_772_366_400_000, 1_772_366_400_090, b"<", 1, bytes(32), "denied: x"
        )
    )
    await postgres_rooms.answers.settled()
    [answer] = (await client.get("/v1/chambers/attic-1/answers")).json()["items"]
    assert (answer["kind"], answer["problem"]) == ("failure", "denied: x")


@pytest.mark.parametrize("name", ["nul\\u0000", "\\ud800"])
async def test_the_name_of_a_field_that_cannot_be_kept_is_refused_and_told(
    client: httpx.AsyncClient, postgres_rooms: Rooms, name: str
) -> None:
    answer = await client.patch("/v1/chambers/incubator-3", content=f'{{"{name}": 1}}')
    assert answer.status_code == 422, answer.text
    newest = (await postgres_rooms.events.page("default", EventFilter(), 1, None)).items[0]
    assert (newest.action, newest.outcome.value) == ("chambers.change", "refused")


@LIGHT
@given(st.sampled_from(GETS), QUERIES)
async def test_no_query_is_answered_by_a_server_error(
    client: httpx.AsyncClient, path: str, query: dict[str, str]
) -> None:
    answer = await client.get(f"{path}?{query_string(query)}")
    assert answer.status_code < 500, answer.text


async def test_a_key_of_one_section_is_held_to_it_over_postgresql(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/sections", json={"id": "attic"})).status_code == 201
    limits = {
        "name": "attic",
        "role": "administrator",
        "section": "attic",
        "scopes": ["chambers", "batches", "readings"],
    }
    bound = {"Authorization": f"Bearer {(await client.post('/v1/keys', json=limits)).json()['key']}"}
    for path in ("chambers/{}", "chambers/{}/readings", "batches/{}", "batches/{}/readings", "live?chamber={}"):
        there = "lot-1" if "batches" in path else "incubator-3"
        foreign, unknown = [await client.get(f"/v1/{path.format(name)}", headers=bound) for name in (there, "gone")]
        assert foreign.status_code == unknown.status_code == 404, foreign.text
        assert foreign.text.replace(there, "gone") == unknown.text
    taken = [
        await client.post("/v1/chambers", json={**ENROLMENT, "section": "attic"}, headers=bound),
        await client.post("/v1/batches", json={"id": "lot-1", "section": "attic"}, headers=bound),
    ]
    assert [answer.status_code for answer in taken] == [409, 409]
    assert not any("default" in answer.text for answer in taken)
    wanted = {**ENROLMENT, "id": "fridge", "section": "attic"}
    assert (await client.post("/v1/chambers", json=wanted, headers=bound)).status_code == 201
    moved = await client.patch("/v1/chambers/fridge", json={"section": "default"}, headers=bound)
    assert (moved.status_code, "bound to section attic" in moved.text) == (403, True)
    assert [c["id"] for c in (await client.get("/v1/chambers", headers=bound)).json()["items"]] == ["fridge"]


async def test_a_key_that_expires_is_401_from_then_on_over_postgresql(
    client: httpx.AsyncClient, postgres_rooms: Rooms
) -> None:
    made = new_key()
    soon = KeyTerms(role=Role.VIEWER, expires_ms=now() + 300)
    await postgres_rooms.keys.add(made.id, made.secret_sha256, "default", "soon", soon)
    signed = {"Authorization": f"Bearer {made.text}"}
    assert (await client.get("/v1/chambers", headers=signed)).status_code == 200
    await asyncio.sleep(0.35)
    assert (await client.get("/v1/chambers", headers=signed)).status_code == 401


PARTS: list[int | str] = [0, -1, 2**53, 2**63, -(2**63), 10**30, -(10**30), "", "sim-01", "\x00", "\ud800"]
"""What somebody may write into a cursor who has looked inside."""


@pytest.mark.parametrize("path", sorted(PAGED))
async def test_no_cursor_is_answered_by_a_server_error(client: httpx.AsyncClient, path: str) -> None:
    places = [*((part,) for part in PARTS), *product(PARTS, PARTS)]
    for place in places:
        answer = await client.get(path, params={"cursor": write_cursor(*place)})
        assert answer.status_code in (200, 422), (place, answer.text)


@LIGHT
@given(st.sampled_from(POSTS), BODIES)
async def test_no_body_is_answered_by_a_server_error(
    client: httpx.AsyncClient, route: tuple[str, str], body: dict[str, Any]
) -> None:
    answer = await client.request(*route, content=json.dumps(body).encode())
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    ("collection", "body"),
    [
        ("sections", {"id": "attic"}),
        ("organizations", {"id": "biologics"}),
        ("batches", {"id": "HEK-1", "section": "default", "started_at": "2026-01-01T00:00:00Z", "ended_at": NEW_YEAR}),
    ],
)
async def test_what_many_ask_for_at_once_is_made_once(
    client: httpx.AsyncClient, collection: str, body: dict[str, Any]
) -> None:
    answers = await asyncio.gather(*(client.post(f"/v1/{collection}", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.text for answer in answers}) == 1


async def test_a_batch_that_many_end_at_once_ends_once(client: httpx.AsyncClient) -> None:
    await client.patch("/v1/batches/lot-1", json={"started_at": "2026-01-01T00:00:00Z"})
    answers = await asyncio.gather(*(client.post("/v1/batches/lot-1/end") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["version"] for answer in answers} == {3}


async def test_two_who_change_other_fields_of_a_detector_at_once_both_have_their_way(client: httpx.AsyncClient) -> None:
    path = "/v1/chambers/incubator-3/detectors/temperature"
    for number in range(10):
        await client.patch(path, json={"alias": None, "active": True})
        changes = [{"alias": f"core {number}"}, {"active": False}]
        answers = await asyncio.gather(*(client.patch(path, json=change) for change in changes))
        assert [answer.status_code for answer in answers] == [200, 200]
        kept = (await client.patch(path, json={})).json()
        assert (kept["alias"], kept["active"]) == (f"core {number}", False)


CHANGED = [
    ("/v1/sections/default", "description"),
    ("/v1/batches/lot-1", "description"),
    ("/v1/organizations/default", "region"),
    ("/v1/chambers/incubator-3", "name"),
]


@pytest.mark.parametrize(("path", "field"), CHANGED)
async def test_whatever_stands_is_changed_although_others_change_it_at_the_same_time(
    client: httpx.AsyncClient, path: str, field: str
) -> None:
    answers = await asyncio.gather(*(client.patch(path, json={field: f"text {n}"}) for n in range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({answer.json()["version"] for answer in answers}) == 6


@pytest.mark.parametrize(("path", "field"), CHANGED)
async def test_of_many_who_read_the_same_version_one_changes_it(
    client: httpx.AsyncClient, path: str, field: str
) -> None:
    read = {"If-Match": (await client.get(path)).headers["etag"]}
    asked = [client.patch(path, json={field: f"text {n}"}, headers=read) for n in range(6)]
    assert sorted(answer.status_code for answer in await asyncio.gather(*asked)) == [200] + [412] * 5

"""Two organizations: nobody sees, changes or even hears of another's chamber, by whatever route."""

import copy
from typing import Any

import pytest
from fastapi.routing import APIRoute

from adapters.memory import InMemoryAnswers, InMemoryInvitations, InMemoryOutcomes
from adapters.memory.kept_people import KeptUser
from collector.domain.outcome import Gap, GapReason
from collector.domain.roles import Role
from collector.ports import AnswerKind, ChamberAnswer, SaveBatch
from collector.ports.users import Invitation, Token, User
from tests.unit.api_world import ENROLMENT, World, a_reading

USER, INVITATION = "5c1f0a9e77d2", "0a9e77d25c1f"
ID, SECTION, BATCH = "incubator-3", "their-lab", "CHO-17.2"
PROFILE = "their-attic"
DOCUMENT = f"name: {PROFILE}\ndescription: Their secret recipe\nmeasurements: [{{name: t, select: t, unit: Cel}}]\n"
PLACES = {
    "profile_name": PROFILE,
    "chamber_id": ID,
    "section_id": SECTION,
    "batch_id": BATCH,
    "organization_id": "default",
    "user_id": USER,
    "invitation_id": INVITATION,
    "key_id": "00000000000e",
}
"""What the owner has, by the name of the parameter."""
NOTHING = {"key_id": "ffffffffffff", "user_id": "ffffffffffff", "invitation_id": "ffffffffffff"}
"""What nobody has, where not every name is possible."""
CHAMBER, SECTIONS = "/v1/chambers/{chamber_id}", "/v1/sections/{section_id}"
USERS = "/v1/users/{user_id}"
BATCHES, ORGANIZATIONS = "/v1/batches/{batch_id}", "/v1/organizations/{organization_id}"
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", CHAMBER, None),
    ("PATCH", CHAMBER, {"name": "mine now"}),
    ("DELETE", CHAMBER, None),
    ("POST", CHAMBER + "/pause", {"reason": "mine now"}),
    ("POST", CHAMBER + "/resume", None),
    ("POST", CHAMBER + "/collect", {"force": True}),
    ("GET", CHAMBER + "/readings", None),
    ("GET", CHAMBER + "/readings?points=10&detector=temperature", None),
    ("GET", CHAMBER + "/latest", None),
    ("GET", CHAMBER + "/gaps", None),
    ("GET", CHAMBER + "/detectors", None),
    ("PATCH", CHAMBER + "/detectors/{detector}", {"active": False}),
    ("GET", CHAMBER + "/audit", None),
    ("GET", SECTIONS, None),
    ("PATCH", SECTIONS, {"name": "mine now"}),
    ("GET", BATCHES, None),
    ("PATCH", BATCHES, {"name": "mine now"}),
    ("POST", BATCHES + "/end", None),
    ("GET", BATCHES + "/chambers", None),
    ("GET", BATCHES + "/readings", None),
    ("GET", BATCHES + "/readings?detector=temperature", None),
    ("GET", ORGANIZATIONS, None),
    ("PATCH", ORGANIZATIONS, {"name": "mine now"}),
    ("GET", CHAMBER + "/answers", None),
    ("GET", "/v1/keys/{key_id}", None),
    ("DELETE", "/v1/keys/{key_id}", None),
    ("GET", "/v1/profiles/{profile_name}", None),
    ("DELETE", "/v1/profiles/{profile_name}", None),
    ("GET", USERS, None),
    ("PATCH", USERS, {"first_name": "mine now"}),
    ("POST", USERS + "/sign-out", None),
    ("POST", USERS + "/password-reset", None),
    ("DELETE", "/v1/invitations/{invitation_id}", None),
]
"""Every route that speaks of one thing of an organization; a new one is added here."""
SECTION_ROUTES: list[tuple[str, str, Any]] = [
    ("POST", "/v1/sections/{section_id}/pause", {"reason": "mine now"}),
    ("POST", "/v1/sections/{section_id}/resume", None),
    ("GET", "/v1/sections/{section_id}/operations/theirs", None),
]
"""The same, of orders to a section: they are answered with 202, and one is under way when they are tried."""
AUTH = ["sign-in", "refresh", "accept-invitation", "forgotten-password", "reset-password", "change-password"]
AUTH += ["sign-out", "sign-out-everywhere"]
LISTS = [
    *("/v1/chambers", "/v1/fleet", "/v1/latest", "/v1/audit", "/v1/sections", "/v1/batches"),
    *("/v1/organizations", "/v1/profiles", "/v1/keys", "/v1/users", "/v1/invitations", "/v1/events"),
]
OTHERS = {
    ("POST", "/v1/chambers"): "its own test: ids of chambers are unique in the deployment",
    ("POST", "/v1/sections"): "its own test: ids of sections are each organization's own",
    ("POST", "/v1/batches"): "its own test: ids of batches are each organization's own",
    ("POST", "/v1/keys"): "its own test: tests/unit/test_api_keys.py",
    ("POST", "/v1/organizations"): "takes a deployment key: tests/unit/test_api_organizations.py",
    ("GET", "/v1/live"): "its answer does not end: tests/unit/test_api_live.py",
    ("PUT", "/v1/profiles/{profile_name}"): "its own test: names of profiles are each organization's own",
    ("POST", "/v1/users"): "addresses are unique in the deployment: tests/unit/test_api_users.py",
    ("POST", "/v1/invitations"): "addresses are unique in the deployment: tests/unit/test_api_users.py",
    **{("POST", f"/v1/auth/{name}"): "about whoever asks, or a secret that they have" for name in AUTH},
    ("GET", "/v1/auth/whoami"): "about whoever asks",
    ("GET", "/healthz"): "shows nothing of anybody",
    ("GET", "/readyz"): "shows nothing of anybody",
    ("GET", "/metrics"): "sums over the deployment, for whoever runs it",
}
"""Routes that are not in the tables, and why."""
ANY = {"If-Match": "*"}


async def world_with_data() -> World:
    """The chamber of `default` has a reading, a gap, a cached latest value; a batch is observed where it stands."""
    world = World()
    async with world.client() as client:
        assert (await client.post("/v1/sections", json={"id": SECTION})).status_code == 201
        assert (await client.post("/v1/chambers", json={**ENROLMENT, "section": SECTION})).status_code == 201
        assert (await client.post("/v1/batches", json={"id": BATCH, "section": SECTION})).status_code == 201
        assert (await client.put(f"/v1/profiles/{PROFILE}", json={"document": DOCUMENT})).status_code == 201
        named = await client.patch("/v1/organizations/default", json={"name": "Their Institute"}, headers=ANY)
        assert named.status_code == 200
    world.ledger.people.users[USER] = KeptUser(User(id=USER, organization="default", email="ada@example.org"))
    offered = Invitation(
        id=INVITATION,
        organization="default",
        email="eve@example.org",
        role=Role.VIEWER,
        created_by="x",
        created_ms=0,
        expires_ms=1,
    )
    await InMemoryInvitations(world.ledger).invite(offered, Token("0" * 12, bytes(32), 1))
    spec = world.ledger.chambers[ID].spec
    slot_ms = spec.grid.after(world.clock.wall_ms)
    world.clock.wall_ms = slot_ms + 2 * spec.interval_ms
    reading = a_reading(spec, slot_ms, 37.25)
    gap = Gap(slot_ms + spec.interval_ms, slot_ms + spec.interval_ms, GapReason.TIMEOUT, "10 s")
    outcomes = InMemoryOutcomes(world.ledger)
    await outcomes.save(SaveBatch(ID, [reading, gap], slot_ms + spec.interval_ms))
    await world.cache.put("default", spec, reading)
    answer = ChamberAnswer(ID, AnswerKind.SUCCESS, slot_ms, slot_ms + 90, b'{"atmp": 37.25}', 15, bytes(32))
    InMemoryAnswers(world.ledger).offer(answer)
    return world


def kept_by(world: World) -> Any:
    """All that a request could have changed."""
    kept, ledger = world.ledger.chambers[ID], world.ledger
    chamber = (kept.spec, kept.pause, kept.retiring, dict(kept.detectors), dict(world.fleet.running))
    profiles = (dict(ledger.profiles), dict(ledger.offers), copy.deepcopy(ledger.people))
    keys = {key_id: kept.record.revoked_ms for key_id, kept in ledger.keys.items()}
    return chamber, profiles, keys, dict(ledger.sections), dict(ledger.batches), dict(ledger.organizations)


@pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])
async def test_a_foreign_thing_answers_like_one_that_is_not_there(method: str, path: str, body: Any) -> None:
    world = await world_with_data()
    before = kept_by(world)
    [place] = [place for place in PLACES if f"{{{place}}}" in path]
    mine = path.format(**PLACES, detector="temperature")
    nothing = NOTHING.get(place, "no-such-one")
    nobodys = path.format(**{**PLACES, place: nothing}, detector="temperature")
    async with world.client("other") as other:
        foreign = await other.request(method, mine, json=body, headers=ANY)
        unknown = await other.request(method, nobodys, json=body, headers=ANY)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text.replace(PLACES[place], nothing) == unknown.text
    assert kept_by(world) == before
    async with world.client() as owner:
        own = await owner.request(method, mine, json=body, headers=ANY)
    assert own.status_code in (200, 204), own.text


REFERENCES: list[tuple[str, str, str, Any]] = [
    ("POST", "/v1/chambers", SECTION, {**ENROLMENT, "id": "mine", "section": "{}"}),
    ("PATCH", "/v1/chambers/my-own", SECTION, {"section": "{}"}),
    ("POST", "/v1/batches", SECTION, {"id": "lot-9", "section": "{}"}),
    ("GET", "/v1/batches/my-lot/readings?chamber={}", ID, None),
    ("GET", "/v1/chambers?section={}", SECTION, None),
    ("GET", "/v1/latest?section={}", SECTION, None),
    ("GET", "/v1/fleet?section={}", SECTION, None),
    ("GET", "/v1/batches?section={}", SECTION, None),
]
"""Requests within the own organization that name a thing of another one."""


@pytest.mark.parametrize(("method", "path", "named", "body"), REFERENCES, ids=[f"{m} {p}" for m, p, _, _ in REFERENCES])
async def test_naming_a_foreign_thing_is_naming_none(method: str, path: str, named: str, body: Any) -> None:
    world = await world_with_data()
    async with world.client("other") as other:
        assert (await other.post("/v1/chambers", json={**ENROLMENT, "id": "my-own"})).status_code == 201
        assert (await other.post("/v1/batches", json={"id": "my-lot", "section": "default"})).status_code == 201
        answers = []
        for name in (named, "no-such-one"):
            filled = body and {key: name if value == "{}" else value for key, value in body.items()}
            answers.append(await other.request(method, path.format(name), json=filled, headers=ANY))
    foreign, unknown = answers
    assert foreign.status_code == unknown.status_code
    assert foreign.status_code == 422 or foreign.json()["items"] == []
    assert foreign.text.replace(named, "no-such-one") == unknown.text


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
    for secret in (
        ID,
        "37.25",
        SECTION,
        BATCH,
        "default/",
        "timeout",
        "Their Institute",
        PROFILE,
        "recipe",
        "@example",
    ):
        assert secret not in answer.text
    if path == "/v1/audit":
        assert answer.json()["expected"] == 0
    async with world.client() as owner:
        assert (await owner.get(path)).text != answer.text


async def test_a_taken_id_is_refused_without_saying_whose() -> None:
    world = await world_with_data()
    async with world.client("other") as other:
        answer = await other.post("/v1/chambers", json={**ENROLMENT, "url": "http://10.0.0.9"})
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


async def test_each_organization_has_ids_of_sections_and_batches_of_its_own() -> None:
    world = await world_with_data()
    async with world.client("other") as other:
        section = await other.post("/v1/sections", json={"id": SECTION, "name": "Mine"})
        batch = await other.post("/v1/batches", json={"id": BATCH, "section": SECTION})
        readings = (await other.get(f"/v1/batches/{BATCH}/readings")).json()
    assert (section.status_code, batch.status_code) == (201, 201)
    assert readings == {"items": [], "next_cursor": None}
    async with world.client() as owner:
        assert (await owner.get(f"/v1/sections/{SECTION}")).json()["name"] == ""
        assert len((await owner.get(f"/v1/batches/{BATCH}/readings")).json()["items"]) == 1


async def test_each_organization_has_profiles_of_its_own() -> None:
    world = await world_with_data()
    mine = DOCUMENT.replace("Their secret recipe", "Mine")
    enrolment = {**ENROLMENT, "id": "mine", "profile": PROFILE}
    async with world.client("other") as other:
        refused = await other.post("/v1/chambers", json=enrolment)
        assert (refused.status_code, PROFILE in refused.json()["errors"][0]["remedy"]) == (422, False)
        put = await other.put(f"/v1/profiles/{PROFILE}", json={"document": mine})
        assert put.status_code == 201, put.text
        assert (await other.post("/v1/chambers", json=enrolment)).json()["profile_version"] == put.json()["version"]
        theirs = await world.client().get(f"/v1/profiles/{PROFILE}")
        assert theirs.json()["description"] == "Their secret recipe"
        version = theirs.json()["version"]
        assert (await other.get(f"/v1/profiles/{PROFILE}?version={version}")).status_code == 404


def test_every_route_is_in_a_table_or_says_why_not() -> None:
    routes = [route for route in World().app.state.routes if isinstance(route, APIRoute)]
    wanted = {(method, route.path) for route in routes for method in route.methods or ()}
    tried = {(method, path.partition("?")[0]) for method, path, _ in ROUTES} | {("GET", path) for path in LISTS}
    tried |= {(method, path.replace("theirs", "{operation_id}")) for method, path, _ in SECTION_ROUTES}
    assert tried.isdisjoint(OTHERS)
    assert tried | OTHERS.keys() == wanted

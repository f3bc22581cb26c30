"""Profiles through the API: an organization's own, their versions, and what chambers are pinned to."""

import base64
from dataclasses import replace
from typing import Any

import httpx
import pytest

from adapters.memory import InMemoryAnswers
from api.problems import MEDIA_TYPE
from collector.domain.profile_document import ProfileDocument, ProfileOrigin
from collector.ports import AnswerKind, ChamberAnswer
from tests.unit.api_world import ENROLMENT, NOON_MS, PROFILES, SUBJECT, World, enrolled

PATH = "/v1/profiles/attic"
TEXT = """name: attic
description: {}
measurements:
  - {{name: temperature, select: t, unit: C}}
"""
ONE, TWO = TEXT.format("one"), TEXT.format("two")
ANY = {"If-Match": "*"}


def version_of(text: str) -> str:
    return ProfileDocument("attic", text, ProfileOrigin.ORGANIZATION).version


async def put(client: httpx.AsyncClient, text: str, **headers: str) -> httpx.Response:
    return await client.put(PATH, json={"document": text}, headers=headers)


async def test_a_profile_of_ones_own_is_offered_shown_and_listed() -> None:
    async with World().client() as client:
        made = await put(client, ONE)
        assert (made.status_code, made.headers["etag"]) == (201, f'"{version_of(ONE)}"')
        assert made.headers["location"] == PATH
        shown = await client.get(PATH)
        assert shown.json() == made.json()
        listed = (await client.get("/v1/profiles")).json()["items"]
    document = made.json()
    assert {name: document[name] for name in ("name", "version", "newest", "origin", "description", "document")} == {
        "name": "attic",
        "version": version_of(ONE),
        "newest": version_of(ONE),
        "origin": "organization",
        "description": "one",
        "document": ONE,
    }
    assert document["measurements"] == {"temperature": "Cel"}
    [version] = document["versions"]
    assert (version["version"], version["created_at"], version["created_by"]) == (
        version_of(ONE),
        "2026-03-01T12:00:00.000Z",
        SUBJECT,
    )
    assert [p["origin"] for p in listed if p["name"] == "attic"] == ["organization"]
    assert {p["origin"] for p in listed if p["name"] != "attic"} == {"built_in"}
    assert [p["name"] for p in listed] == sorted(p["name"] for p in listed)


async def test_the_same_again_changes_nothing_and_a_new_version_needs_the_one_that_was_read() -> None:
    async with World().client() as client:
        gone = await put(client, ONE, **{"If-Match": '"0123456789ab"'})
        assert (gone.status_code, "etag" in gone.headers) == (412, False)
        first = await put(client, ONE)
        assert (await put(client, ONE)).status_code == 200
        assert (await put(client, "\ufeff" + ONE.replace("\n", "\r\n"))).status_code == 200, "no other version"
        unread = await put(client, TWO)
        assert (unread.status_code, unread.headers["etag"]) == (428, first.headers["etag"])
        stale = await put(client, TWO, **{"If-Match": '"0123456789ab"'})
        assert (stale.status_code, stale.headers["etag"]) == (412, first.headers["etag"])
        assert stale.json()["errors"][0]["field"] == "If-Match"
        changed = await put(client, TWO, **{"If-Match": first.headers["etag"]})
        assert (changed.status_code, changed.json()["newest"]) == (200, version_of(TWO))
        assert {v["version"] for v in changed.json()["versions"]} == {version_of(ONE), version_of(TWO)}
        old = await client.get(PATH, params={"version": version_of(ONE)})
        assert (old.json()["document"], old.json()["newest"]) == (ONE, version_of(TWO))
        assert (await put(client, ONE, **ANY)).json()["newest"] == version_of(ONE)
        assert (await client.get(PATH, params={"version": "0123456789ab"})).status_code == 404


async def test_yaml_itself_is_taken_as_well() -> None:
    async with World().client() as client:
        made = await client.put(PATH, content=ONE.encode(), headers={"Content-Type": "text/yaml"})
        assert (made.status_code, made.json()["document"]) == (201, ONE)
        wrong = await client.put(PATH, content=b"\xff", headers={"Content-Type": "text/yaml"})
        assert wrong.status_code == 422
        long = await client.put(PATH, content=b"#" * 70_000, headers={"Content-Type": "text/yaml"})
        assert long.status_code == 413


@pytest.mark.parametrize(
    ("text", "field", "problem", "remedy"),
    [
        (ONE.replace("unit: C", "unit: furlong"), "measurements[0].unit", "line 4: unit 'furlong'", "spellings"),
        (ONE + "colour: red\n", "colour", "line 5: there is no such key", "known are"),
        (ONE.replace("attic", "cellar"), "name", "put as 'attic', and calls itself 'cellar'", "both places"),
        ("name: [", "document", "line 1: not YAML", "syntax"),
        ("", "document", "line 1: not a mapping", "begin with"),
    ],
)
async def test_a_wrong_profile_is_named_by_key_and_line(text: str, field: str, problem: str, remedy: str) -> None:
    async with World().client() as client:
        answer = await put(client, text)
        assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE)
        [error] = answer.json()["errors"]
        assert error["field"] == field
        assert problem in error["problem"]
        assert remedy in error["remedy"]
        assert (await client.get(PATH)).status_code == 404


async def test_a_built_in_profile_is_replaced_only_when_it_was_read_and_comes_back() -> None:
    text = ONE.replace("attic", "airgradient")
    path = "/v1/profiles/airgradient"
    async with World().client() as client:
        built_in = await client.get(path)
        assert built_in.json()["origin"] == "built_in"
        assert (await client.delete(path)).status_code == 409
        assert (await client.put(path, json={"document": text})).status_code == 428
        headers = {"If-Match": built_in.headers["etag"]}
        mine = await client.put(path, json={"document": text}, headers=headers)
        assert (mine.status_code, mine.json()["origin"]) == (201, "organization")
        removed = await client.delete(path)
        assert (removed.status_code, removed.json()["version"]) == (200, mine.json()["version"])
        assert removed.json()["newest"] == built_in.json()["version"]
        assert (await client.get(path)).json()["origin"] == "built_in"


async def test_a_profile_that_is_removed_is_offered_no_longer_but_its_versions_are_found() -> None:
    async with World().client() as client:
        await put(client, ONE)
        assert (await client.delete(PATH)).json()["newest"] is None
        assert (await client.delete(PATH)).status_code == 404
        assert (await client.get(PATH)).status_code == 404
        assert (await client.get(PATH, params={"version": version_of(ONE)})).json()["newest"] is None
        assert (await put(client, ONE)).status_code == 201


async def test_a_chamber_keeps_its_version_until_it_is_changed() -> None:
    world = World()
    async with world.client() as client:
        await put(client, ONE)
        wanted = {**ENROLMENT, "profile": "attic"}
        chamber = (await client.post("/v1/chambers", json=wanted)).json()
        assert chamber["profile_version"] == version_of(ONE)
        await put(client, TWO, **ANY)
        again = await client.post("/v1/chambers", json=wanted)
        assert (again.status_code, again.json()["profile_version"]) == (200, version_of(ONE))
        changed = await client.patch("/v1/chambers/incubator-3", json={"name": "Box"}, headers=ANY)
        assert (changed.json()["profile_version"], changed.json()["version"]) == (version_of(TWO), 2)
        assert world.fleet.running["incubator-3"].spec.profile_version == version_of(TWO)
        same = await client.patch("/v1/chambers/incubator-3", json={}, headers=ANY)
        assert same.json()["version"] == 2


async def test_a_patch_of_nothing_takes_the_newest_version() -> None:
    async with World().client() as client:
        await put(client, ONE)
        await client.post("/v1/chambers", json={**ENROLMENT, "profile": "attic"})
        await put(client, TWO, **ANY)
        changed = await client.patch("/v1/chambers/incubator-3", json={}, headers=ANY)
        assert (changed.json()["profile_version"], changed.json()["version"]) == (version_of(TWO), 2)


async def test_a_chamber_of_a_removed_profile_goes_on_with_its_version_and_no_other_gets_it() -> None:
    async with World().client() as client:
        await put(client, ONE)
        wanted = {**ENROLMENT, "profile": "attic"}
        await client.post("/v1/chambers", json=wanted)
        await client.delete(PATH)
        changed = await client.patch("/v1/chambers/incubator-3", json={"interval_s": 30}, headers=ANY)
        assert (changed.status_code, changed.json()["profile_version"]) == (200, version_of(ONE))
        assert (await client.post("/v1/chambers", json={**wanted, "interval_s": 30})).status_code == 200
        refused = await client.post("/v1/chambers", json={**wanted, "id": "another"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "profile")


async def test_another_profile_is_pinned_to_its_own_version() -> None:
    there = PROFILES.document("generic-json")
    assert there is not None
    async with enrolled(World()) as client:
        changed = await client.patch("/v1/chambers/incubator-3", json={"profile": "generic-json"}, headers=ANY)
    assert changed.json()["profile_version"] == there.version


@pytest.mark.parametrize("body", [{"profile_version": "0123456789ab"}, {"profile_version": None}])
async def test_a_version_is_not_the_callers_to_choose(body: dict[str, Any]) -> None:
    async with enrolled(World()) as client:
        answer = await client.patch("/v1/chambers/incubator-3", json=body, headers=ANY)
        assert answer.json()["errors"][0]["remedy"] == "leave it out: the server decides it"


async def test_a_document_that_this_release_cannot_read_is_listed_with_the_reason() -> None:
    world = World()
    newer = ProfileDocument("attic", ONE + "tomorrow: 1\n", ProfileOrigin.ORGANIZATION, NOON_MS, SUBJECT)
    world.ledger.profiles["default", "attic", newer.version] = newer
    world.ledger.offers["default", "attic"] = newer.version
    async with world.client() as client:
        [listed] = [p for p in (await client.get("/v1/profiles")).json()["items"] if p["name"] == "attic"]
    assert "tomorrow" in listed["problem"]
    assert listed["measurements"] == {}


async def test_last_answers_are_told_the_newest_first() -> None:
    world = World()
    keeper = InMemoryAnswers(world.ledger)
    async with enrolled(world) as client:
        assert (await client.get("/v1/chambers/incubator-3/answers")).json() == {"items": [], "next_cursor": None}
        body = b'{"t": "\xff"}'
        good = ChamberAnswer("incubator-3", AnswerKind.SUCCESS, NOON_MS, NOON_MS + 90, body, 10, bytes(32))
        bad = ChamberAnswer(
            "incubator-3", AnswerKind.FAILURE, NOON_MS, NOON_MS + 95, b"<", 70_000, bytes(32), "denied: x"
        )
        keeper.offer(replace(good, spec_version=1, profile_version="0123456789ab"))
        keeper.offer(bad)
        first, second = (await client.get("/v1/chambers/incubator-3/answers")).json()["items"]
    assert (first["kind"], first["problem"], first["truncated"], first["profile_version"]) == (
        "failure",
        "denied: x",
        True,
        None,
    )
    assert second == {
        "kind": "success",
        "slot": "2026-03-01T12:00:00.000Z",
        "received_at": "2026-03-01T12:00:00.090Z",
        "body": base64.b64encode(body).decode(),
        "size": 10,
        "sha256": "00" * 32,
        "truncated": False,
        "problem": None,
        "remarks": [],
        "spec_version": 1,
        "profile_version": "0123456789ab",
    }

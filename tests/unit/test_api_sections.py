"""Sections by the API: made once, changed by who has read them, closed when nobody stands there."""

from tests.unit.api_world import ENROLMENT, World, enrolled

ALL = "/v1/sections"
STORE = {"id": "cold-store", "name": "Cold store", "description": "Basement"}
NOON = "2026-03-01T12:00:00.000Z"
ANY = {"If-Match": "*"}


async def test_a_section_is_made_once() -> None:
    async with World().client() as client:
        made = await client.post(ALL, json=STORE)
        again = await client.post(ALL, json=STORE)
        other = await client.post(ALL, json={**STORE, "description": "Attic"})
        first = await client.post(ALL, json={"id": "default"})
    assert [a.status_code for a in (made, again, other, first)] == [201, 200, 409, 200]
    kept = {"active": True, "chambers": 0, "version": 1, "created_at": NOON, "updated_at": NOON}
    assert made.json() == again.json() == {**STORE, **kept}
    assert (made.headers["location"], made.headers["etag"]) == (f"{ALL}/cold-store", '"1"')
    [error] = other.json()["errors"]
    assert (error["field"], error["problem"]) == (
        "id",
        "section cold-store is there already and differs in: description",
    )
    assert "PATCH" in error["remedy"]


async def test_sections_are_listed_by_id_with_the_chambers_that_stand_there() -> None:
    async with enrolled(World()) as client:
        await client.post(ALL, json=STORE)
        await client.post("/v1/chambers", json={**ENROLMENT, "id": "freezer-1", "section": "cold-store"})
        await client.post("/v1/chambers", json={**ENROLMENT, "id": "freezer-2", "section": "cold-store"})
        first = (await client.get(f"{ALL}?limit=1")).json()
        second = (await client.get(f"{ALL}?limit=1&cursor={first['next_cursor']}")).json()
    assert [(s["id"], s["chambers"]) for s in first["items"] + second["items"]] == [("cold-store", 2), ("default", 1)]
    assert second["next_cursor"] is None


async def test_a_section_is_changed_by_who_has_read_it() -> None:
    async with World().client() as client:
        tag = (await client.post(ALL, json=STORE)).headers["etag"]
        changed = await client.patch(f"{ALL}/cold-store", json={"name": "Cold"}, headers={"If-Match": tag})
        shown = await client.get(f"{ALL}/cold-store")
        stale = await client.patch(f"{ALL}/cold-store", json={"name": "Warm"}, headers={"If-Match": tag})
        unread = await client.patch(f"{ALL}/cold-store", json={"name": "Warm"})
    assert (changed.json()["name"], changed.json()["description"], changed.json()["version"]) == ("Cold", "Basement", 2)
    assert shown.json() == changed.json()
    assert shown.headers["etag"] == changed.headers["etag"] == stale.headers["etag"] == '"2"'
    assert (stale.status_code, unread.status_code) == (412, 428)


async def test_a_section_where_chambers_stand_is_not_closed() -> None:
    async with enrolled(World()) as client:
        refused = await client.patch(f"{ALL}/default", json={"active": False}, headers=ANY)
        assert (await client.get(f"{ALL}/default")).json()["active"] is True
    assert refused.status_code == 409
    [error] = refused.json()["errors"]
    assert (error["field"], "1 chamber" in error["problem"]) == ("active", True)
    assert error["remedy"]


async def test_no_chamber_comes_to_a_closed_section_until_it_is_open_again() -> None:
    async with enrolled(World()) as client:
        await client.post(ALL, json=STORE)
        closed = await client.patch(f"{ALL}/cold-store", json={"active": False}, headers=ANY)
        new = await client.post("/v1/chambers", json={**ENROLMENT, "id": "freezer-1", "section": "cold-store"})
        moved = await client.patch("/v1/chambers/incubator-3", json={"section": "cold-store"}, headers=ANY)
        made_again = await client.post(ALL, json=STORE)
        await client.patch(f"{ALL}/cold-store", json={"active": True}, headers=ANY)
        then = await client.patch("/v1/chambers/incubator-3", json={"section": "cold-store"}, headers=ANY)
    assert closed.json()["active"] is False
    assert (new.status_code, moved.status_code) == (422, 422)
    assert new.json()["errors"][0]["field"] == moved.json()["errors"][0]["field"] == "section"
    assert new.json()["errors"][0]["remedy"] == "use one of: default"
    assert (made_again.status_code, made_again.json()["active"]) == (200, False)
    assert (then.status_code, then.json()["section"]) == (200, "cold-store")


async def test_a_section_that_is_not_there_is_told_with_the_list() -> None:
    async with World().client() as client:
        answer = await client.get(f"{ALL}/attic")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["remedy"] == "GET /v1/sections lists what there is"


async def test_versions_may_stand_in_several_lines_of_the_header() -> None:
    async with World().client() as client:
        lines = [("If-Match", '"7"'), ("If-Match", '"1"')]
        changed = await client.patch(f"{ALL}/default", json={"name": "Ours"}, headers=lines)
        stale = await client.patch(f"{ALL}/default", json={"name": "Mine"}, headers=lines)
    assert (changed.status_code, stale.status_code) == (200, 412)

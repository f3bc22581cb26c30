"""Organizations by the API: everybody sees the own one, whoever runs the deployment all of them."""

from typing import Any

from tests.unit.api_world import ENROLMENT, NOON_MS, World

ALL = "/v1/organizations"
BIOLOGICS = {"id": "biologics", "name": "Biologics", "address": "Rheinweg 7, Basel", "region": "eu-central"}
NOON = "2026-03-01T12:00:00.000Z"


async def test_an_organization_is_made_once() -> None:
    async with World().client("deployment") as client:
        made = await client.post(ALL, json=BIOLOGICS)
        again = await client.post(ALL, json=BIOLOGICS)
        shorter = await client.post(ALL, json={"id": "biologics"})
        other = await client.post(ALL, json={**BIOLOGICS, "name": "B", "region": "us"})
    assert (made.status_code, again.status_code, shorter.status_code, other.status_code) == (201, 200, 200, 409)
    assert made.json() == {**BIOLOGICS, "version": 1, "created_at": NOON, "updated_at": NOON}
    assert made.json() == again.json() == shorter.json()
    assert (made.headers["location"], made.headers["etag"]) == (f"{ALL}/biologics", '"1"')
    assert "differs in: name, region" in other.json()["detail"]


async def test_a_new_organization_begins_with_a_section() -> None:
    world = World()
    async with world.client("deployment") as client:
        await client.post(ALL, json=BIOLOGICS)
    assert ("biologics", "default") in world.ledger.sections


async def test_making_one_without_a_deployment_key_is_forbidden_and_says_whom_to_ask() -> None:
    world = World()
    async with world.client() as client:
        answers = [await client.post(ALL, json={**BIOLOGICS, "id": name}) for name in ("biologics", "default", "other")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1, "it does not say which are there"
    problem = answers[0].json()
    assert answers[0].headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:chamberlog:problem:forbidden"
    [error] = problem["errors"]
    assert error["field"] == "Authorization"
    assert error["problem"] == "organizations.add takes the role super-administrator, and yours is administrator"
    assert "biologics" not in world.ledger.organizations


async def test_a_list_is_the_own_one_or_with_a_deployment_key_all() -> None:
    world = World()
    async with world.client() as own, world.client("deployment") as runner:
        await runner.post(ALL, json=BIOLOGICS)
        assert [o["id"] for o in (await own.get(ALL)).json()["items"]] == ["default"]
        first = (await runner.get(f"{ALL}?limit=2")).json()
        rest = (await runner.get(f"{ALL}?limit=2&cursor={first['next_cursor']}")).json()
        foreign = await own.get(f"{ALL}?cursor={first['next_cursor']}")
    assert [o["id"] for o in first["items"] + rest["items"]] == ["biologics", "default", "other"]
    assert rest["next_cursor"] is None
    assert (foreign.status_code, foreign.json()["errors"][0]["field"]) == (422, "cursor")


async def test_one_is_changed_by_its_own_people_and_by_the_deployments() -> None:
    world = World()
    async with world.client() as own, world.client("deployment") as runner:
        read = await own.get(f"{ALL}/default")
        world.clock.wall_ms = NOON_MS + 5_000
        changed = await own.patch(f"{ALL}/default", json={"name": "Ours"}, headers={"If-Match": read.headers["etag"]})
        same = await own.patch(f"{ALL}/default", json={"name": "Ours"}, headers={"If-Match": "*"})
        stale = await own.patch(f"{ALL}/default", json={"name": "Mine"}, headers={"If-Match": read.headers["etag"]})
        far = await runner.patch(f"{ALL}/other", json={"region": "us-east"}, headers={"If-Match": '"1"'})
    assert (changed.json()["name"], changed.json()["version"], changed.headers["etag"]) == ("Ours", 2, '"2"')
    assert (changed.json()["created_at"], changed.json()["updated_at"]) == (NOON, "2026-03-01T12:00:05.000Z")
    assert same.json() == changed.json()
    assert (stale.status_code, stale.headers["etag"]) == (412, '"2"')
    assert (far.status_code, far.json()["region"]) == (200, "us-east")


async def test_a_deployment_key_sees_chambers_of_its_own_organization_only() -> None:
    world = World()
    body: dict[str, Any] = {**ENROLMENT, "id": "foreign"}
    async with world.client("other") as other, world.client("deployment") as runner:
        assert (await other.post("/v1/chambers", json=body)).status_code == 201
        assert (await runner.get("/v1/chambers/foreign")).status_code == 404
        assert (await runner.get("/v1/chambers")).json()["items"] == []

"""`/v1/keys`: made once, shown without their secret, and never reaching further than whoever makes or revokes them."""

from typing import Any

import pytest

from collector.domain.access import Scope
from collector.domain.roles import Role
from collector.ports import KeyTerms
from collector.usecases.authenticate import KEY_PATTERN
from tests.unit.api_world import KEYS, NOON_MS, SUBJECT, World

ALL = "/v1/keys"
VIEWER = {"name": "dashboard", "role": "viewer"}
HOUR_MS = 3_600_000
SUPER = KeyTerms(role=Role.SUPER_ADMINISTRATOR)


def id_of(whose: str) -> str:
    return KEYS[whose].split("_")[1]


async def test_a_key_is_shown_once_and_works() -> None:
    world = World()
    async with world.client() as client:
        made = await client.post(ALL, json=VIEWER)
        assert made.status_code == 201
        document = made.json()
        text = document.pop("key")
        assert made.headers["location"] == f"{ALL}/{document['id']}"
        assert made.headers["cache-control"] == "no-store"
        match = KEY_PATTERN.fullmatch(text)
        assert match is not None
        made_by = {"created_by": SUBJECT, "created_at": "2026-03-01T12:00:00.000Z"}
        instants = dict.fromkeys(("expires_at", "last_used_at", "revoked_at"))
        limits: dict[str, Any] = {"role": "viewer", "scopes": [], "section": None}
        whose = {"id": match[1], "organization": "default", "name": "dashboard"}
        assert document == {**whose, **limits, **made_by, **instants}
        bearer = {"Authorization": f"Bearer {text}"}
        assert (await client.get("/v1/chambers", headers=bearer)).status_code == 200
        shown = await client.get(f"{ALL}/{document['id']}")
        listed = await client.get(ALL)
    assert shown.json() == {**document, "last_used_at": "2026-03-01T12:00:00.000Z"}
    assert shown.json() in listed.json()["items"]
    secret = text.split("_", 2)[2]
    assert secret not in shown.text + listed.text
    assert secret not in repr(world.ledger.keys)


async def test_the_same_again_is_another_key() -> None:
    async with World().client() as client:
        made = [(await client.post(ALL, json=VIEWER)).json() for _ in range(2)]
    assert made[0]["id"] != made[1]["id"]
    assert made[0]["key"] != made[1]["key"]


async def test_limits_are_kept_and_hold() -> None:
    world = World()
    world.ledger.add_section("default", "attic")
    limits = {"scopes": ["readings", "chambers"], "section": "attic", "expires_at": "2026-03-01T14:00:00+01:00"}
    async with world.client() as client:
        made = (await client.post(ALL, json={**VIEWER, **limits})).json()
        assert (made["scopes"], made["section"]) == (["chambers", "readings"], "attic")
        assert made["expires_at"] == "2026-03-01T13:00:00.000Z"
        bearer = {"Authorization": f"Bearer {made['key']}"}
        for path, status in (("chambers", 200), ("latest", 200), ("batches", 403), ("chambers?section=default", 403)):
            assert (await client.get(f"/v1/{path}", headers=bearer)).status_code == status, path
        world.clock.wall_ms += HOUR_MS - 1
        assert (await client.get("/v1/chambers", headers=bearer)).status_code == 200
        world.clock.wall_ms += 1
        expired = await client.get("/v1/chambers", headers=bearer)
        assert expired.status_code == 401
        revoked = await client.get("/v1/chambers", headers={"Authorization": f"Bearer {KEYS['viewer']}x"})
        assert expired.text == revoked.text
        assert (await client.get(f"{ALL}/{made['id']}")).json()["revoked_at"] is None


@pytest.mark.parametrize(
    ("changes", "field", "remedy"),
    [
        ({"name": " "}, "name", "say for whom"),
        ({"name": "x" * 201}, "name", "say for whom"),
        ({"role": "root"}, "role", "give one of viewer, operator"),
        ({"role": None}, "role", "text in quotes"),
        ({"scopes": ["everything"]}, "scopes", "give some of chambers, readings"),
        ({"scopes": ["readings"] * 11}, "scopes", "10"),
        ({"scopes": "readings"}, "scopes", "list"),
        ({"section": "cellar"}, "section", "use one that exists"),
        ({"section": "their-lab"}, "section", "use one that exists"),
        ({"section": "default", "role": "super-administrator"}, "section", "leave it out"),
        ({"expires_at": "2026-03-01T12:00:00Z"}, "expires_at", "later"),
        ({"expires_at": "tomorrow"}, "expires_at", "write it like"),
        ({"expires_at": "2199-01-01T00:00:00Z"}, "expires_at", "2000 to 2099"),
        ({"created_by": "me"}, "created_by", ""),
    ],
)
async def test_what_cannot_be_is_named(changes: dict[str, Any], field: str, remedy: str) -> None:
    world = World()
    world.ledger.add_section("other", "their-lab")
    before = set(world.ledger.keys)
    async with world.client("deployment") as client:
        answer = await client.post(ALL, json={**VIEWER, **changes})
    assert answer.status_code == 422, answer.text
    errors = {error["field"]: error["remedy"] for error in answer.json()["errors"]}
    assert field in errors
    assert remedy in errors[field]
    assert set(world.ledger.keys) == before


# ---- nobody gives more than they have


@pytest.mark.parametrize("mine", [Role.ADMINISTRATOR, Role.SUPER_ADMINISTRATOR])
@pytest.mark.parametrize("given", Role)
async def test_nobody_gives_a_role_above_their_own(mine: Role, given: Role) -> None:
    world = World()
    async with world.sign(KeyTerms(role=mine)) as client:
        answer = await client.post(ALL, json={"name": "x", "role": given.value})
    assert answer.status_code == (201 if mine.covers(given) else 403)
    if answer.status_code == 403:
        assert answer.json()["detail"].startswith("role: a key's is at most one's own, and yours is administrator")


@pytest.mark.parametrize(
    ("scopes", "status"),
    [([], 403), (["keys"], 201), (["keys", "events"], 201), (["events"], 201), (["keys", "users"], 403)],
)
async def test_a_limited_key_makes_none_that_is_limited_less(scopes: list[str], status: int) -> None:
    world = World()
    async with world.sign(KeyTerms(scopes=frozenset({Scope.KEYS, Scope.EVENTS}))) as client:
        answer = await client.post(ALL, json={**VIEWER, "scopes": scopes})
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("expires_at", "status"),
    [(None, 403), ("2026-03-01T13:00:00.001Z", 403), ("2026-03-01T13:00:00Z", 201), ("2026-03-01T12:30:00Z", 201)],
)
async def test_a_key_that_expires_makes_none_that_outlives_it(expires_at: str | None, status: int) -> None:
    for organization in (None, "other"):
        world = World()
        terms = KeyTerms(role=Role.SUPER_ADMINISTRATOR, expires_ms=NOON_MS + HOUR_MS)
        headers = {} if organization is None else {"Chamberlog-Organization": organization}
        async with world.sign(terms) as client:
            answer = await client.post(ALL, json={**VIEWER, "expires_at": expires_at}, headers=headers)
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("whose", ["viewer", "operator", "bound"])
async def test_who_is_no_administrator_of_the_whole_has_nothing_to_do_with_keys(whose: str) -> None:
    world = World()
    world.ledger.add_section("default", "attic")
    key = f"{ALL}/{id_of('viewer')}"
    async with world.client(whose) as client:
        answers = [
            await client.get(ALL),
            await client.get(key),
            await client.delete(key),
            await client.post(ALL, json={**VIEWER, "section": "attic"}),
        ]
    assert [answer.status_code for answer in answers] == [403] * 4


# ---- revoking


async def test_a_revoked_key_is_unknown_at_once_and_again_changes_nothing() -> None:
    world = World()
    key = f"{ALL}/{id_of('viewer')}"
    async with world.client() as client, world.client("viewer") as viewer:
        assert (await viewer.get("/v1/chambers")).status_code == 200
        world.clock.wall_ms += 5_000
        revoked = await client.delete(key)
        assert (revoked.status_code, revoked.json()["revoked_at"]) == (200, "2026-03-01T12:00:05.000Z")
        assert (await viewer.get("/v1/chambers")).status_code == 401
        world.clock.wall_ms += 5_000
        assert (await client.delete(key)).json() == revoked.json()
        assert (await client.get(key)).json() == revoked.json()


async def test_a_key_does_not_revoke_itself_so_that_an_administrator_remains() -> None:
    world = World()
    async with world.client() as client:
        refused = await client.delete(f"{ALL}/{id_of('default')}")
        assert refused.status_code == 409
        assert "sign with another key" in refused.json()["errors"][0]["remedy"]
        assert (await client.get(ALL)).status_code == 200
        another = (await client.post(ALL, json={"name": "next", "role": "administrator"})).json()["key"]
        answer = await client.delete(f"{ALL}/{id_of('default')}", headers={"Authorization": f"Bearer {another}"})
        assert answer.status_code == 200
        assert (await client.get(ALL)).status_code == 401


async def test_nobody_revokes_a_key_of_a_role_above_their_own() -> None:
    world = World()
    async with world.client() as client, world.client("deployment") as runner:
        refused = await client.delete(f"{ALL}/{id_of('deployment')}")
        assert (refused.status_code, "above yours" in refused.text) == (403, True)
        assert (await runner.get(ALL)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("key_id", ["0" * 11 + "b", "f" * 12, "0" * 11 + "A", "chl_0", "%00", "x" * 300])
async def test_a_foreign_key_is_one_that_is_not_there(method: str, key_id: str) -> None:
    world = World()
    async with world.client() as client, world.client("other") as other:
        answer = await client.request(method, f"{ALL}/{key_id}")
        assert answer.status_code == 404
        assert "lists what there is" in answer.json()["errors"][0]["remedy"]
        assert (await other.get(ALL)).status_code == 200


# ---- the organization in which a super-administrator acts


async def test_a_super_administrator_makes_lists_and_revokes_where_it_acts() -> None:
    world = World()
    there = {"Chamberlog-Organization": "other"}
    async with world.client("deployment") as client, world.client("other") as other:
        made = (await client.post(ALL, json=VIEWER, headers=there)).json()
        assert (made["organization"], made["created_by"]) == ("other", f"key/{id_of('deployment')}")
        assert (await client.get(f"{ALL}/{made['id']}")).status_code == 404
        listed = (await other.get(ALL)).json()
        assert [key["id"] for key in listed["items"]] == [id_of("other"), made["id"]]
        assert (await client.get(ALL, headers=there)).json() == listed
        assert (await client.delete(f"{ALL}/{made['id']}", headers=there)).status_code == 200


async def test_everybody_else_who_names_a_foreign_organization_finds_none() -> None:
    world = World()
    async with world.client() as client:
        told = []
        for name in ("other", "no-such-one"):
            answer = await client.get("/v1/chambers", headers={"Chamberlog-Organization": name})
            assert answer.status_code == 404
            assert "/v1/organizations" in answer.json()["errors"][0]["remedy"]
            told.append(answer.text.replace(name, ""))
        assert told[0] == told[1]
        assert (await client.get("/v1/chambers", headers={"Chamberlog-Organization": "default"})).status_code == 200


async def test_a_list_continues_where_it_ended() -> None:
    world = World()
    async with world.client() as client:
        seen, query = list[str](), "?limit=2"
        while query:
            page = (await client.get(ALL + query)).json()
            seen += [key["id"] for key in page["items"]]
            query = f"?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
        whole = [key["id"] for key in (await client.get(ALL)).json()["items"]]
    assert seen == whole
    assert sorted(seen) == sorted(id_of(whose) for whose in KEYS if whose != "other")

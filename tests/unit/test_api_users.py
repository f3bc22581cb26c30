"""Users and invitations, as whoever runs an organization sees them."""

from typing import Any

import pytest

from collector.domain.roles import Role
from tests.unit.api_world import World
from tests.unit.people_world import IDS, PASSWORD, asked, carrying, sign_in, signed_in, somebody, status_of

ANY = {"If-Match": "*"}
ADA = {"email": "ada@example.org", "role": "operator", "first_name": "Ada", "last_name": "B\u00e9l"}


async def test_a_user_is_made_without_a_password_and_sets_one_by_a_token() -> None:
    world = World()
    async with world.client() as client:
        made = await client.post("/v1/users", json={**ADA, "email": " Ada@Example.org"})
        assert made.status_code == 201, made.text
        user = made.json()
        assert {name: user[name] for name in ADA} == ADA
        assert (user["active"], user["version"], made.headers["etag"]) == (True, 1, '"1"')
        assert made.headers["location"] == f"/v1/users/{user['id']}"
        assert (await sign_in(world)).status_code == 401
        issued = await client.post(f"/v1/users/{user['id']}/password-reset")
        assert issued.headers["cache-control"] == "no-store"
        again = (await client.post(f"/v1/users/{user['id']}/password-reset")).json()
        assert (await client.get(f"/v1/users/{user['id']}")).json() == user
    answers = [
        await asked(world, "/v1/auth/reset-password", token=token, password=PASSWORD)
        for token in (issued.json()["token"], again["token"])
    ]
    assert [answer.status_code for answer in answers] == [401, 200]
    assert (await sign_in(world)).status_code == 200


async def test_the_same_again_changes_nothing_and_another_is_a_conflict() -> None:
    world = World()
    async with world.client() as client, world.client("other") as other:
        made = await client.post("/v1/users", json=ADA)
        again = await client.post("/v1/users", json=ADA)
        assert (again.status_code, again.json()) == (200, made.json())
        assert (await client.post("/v1/users", json={"email": ADA["email"]})).status_code == 200
        differs = await client.post("/v1/users", json={**ADA, "role": "viewer"})
        assert (differs.status_code, "role" in differs.text) == (409, True)
        foreign = await other.post("/v1/users", json=ADA)
        invited = await other.post("/v1/invitations", json={"email": ADA["email"]})
        assert foreign.status_code == invited.status_code == 409
        assert "default" not in foreign.text + invited.text
        assert foreign.json()["errors"][0]["field"] == "email"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", "a" * 250 + "@x.org"),
        ("role", "king"),
        ("role", ""),
        ("first_name", "x" * 201),
        ("last_name", "a\nb"),
        ("last_name", "\x00"),
        ("password", PASSWORD),
        ("organization", "other"),
    ],
)
async def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    world = World()
    user = await somebody(world, "op", Role.VIEWER)
    async with world.client() as client:
        made = await client.post("/v1/users", json={**ADA, field: value})
        changed = await client.patch(f"/v1/users/{user.id}", json={field: value}, headers=ANY)
        for answer in (made, changed):
            assert answer.status_code == 422
            assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_users_are_listed_in_parts() -> None:
    world = World()
    for name in ("op", "ada", "eve"):
        await somebody(world, name)
    async with world.client() as client:
        first = (await client.get("/v1/users?limit=2")).json()
        rest = (await client.get("/v1/users", params={"cursor": first["next_cursor"]})).json()
    assert [u["email"].partition("@")[0] for u in first["items"] + rest["items"]] == ["ada", "eve", "op"]
    assert rest["next_cursor"] is None


async def test_a_change_needs_what_was_read() -> None:
    world = World()
    user = await somebody(world, "op", Role.VIEWER)
    path = f"/v1/users/{user.id}"
    async with world.client() as client:
        assert (await client.patch(path, json={"first_name": "O"})).status_code == 428
        changed = await client.patch(path, json={"first_name": "O", "email": "O@x.org"}, headers={"If-Match": '"1"'})
        assert (changed.json()["email"], changed.json()["version"]) == ("o@x.org", 2)
        assert (await client.patch(path, json={"role": "operator"}, headers={"If-Match": '"1"'})).status_code == 412
        same = await client.patch(path, json={"first_name": "O"}, headers=ANY)
        assert (same.status_code, same.json()["version"]) == (200, 2)
    assert (await sign_in(world, "op@example.org")).status_code == 401
    assert (await sign_in(world, "o@x.org")).status_code == 200


async def test_nobody_gives_more_than_they_have_nor_touches_who_has_more() -> None:
    world = World()
    boss = await somebody(world, "boss", Role.SUPER_ADMINISTRATOR)
    await somebody(world)
    tokens = await signed_in(world)
    path = f"/v1/users/{boss.id}"
    async with carrying(world, tokens) as ada, world.client("deployment") as deployment:
        high = {"email": "new@x.org", "role": "super-administrator"}
        refused = [
            await ada.post("/v1/users", json=high),
            await ada.post("/v1/invitations", json=high),
            await ada.patch(f"/v1/users/{IDS['ada']}", json={"role": "super-administrator"}, headers=ANY),
            await ada.patch(path, json={"first_name": "x"}, headers=ANY),
            await ada.patch(path, json={"email": "mine@x.org"}, headers=ANY),
            await ada.patch(path, json={"active": False}, headers=ANY),
            await ada.post(path + "/password-reset"),
            await ada.post(path + "/sign-out"),
        ]
        assert [answer.status_code for answer in refused] == [403] * len(refused)
        made = await deployment.post("/v1/invitations", json=high)
        assert made.status_code == 201
        assert (await ada.delete(f"/v1/invitations/{made.json()['id']}")).status_code == 403
        low = {**high, "role": "viewer"}
        assert (await ada.post("/v1/invitations", json=low)).status_code == 403, "it would take the place of that one"
        body = {"token": made.json()["token"], "password": PASSWORD}
        assert (await asked(world, "/v1/auth/accept-invitation", **body)).status_code == 201
        expired = await deployment.post("/v1/invitations", json={**high, "email": "late@x.org"})
        world.clock.wall_ms = world.clock.wall_ms + 7 * 86_400_000
        assert expired.status_code == 201
    async with carrying(world, await signed_in(world)) as ada:
        assert (await ada.post("/v1/invitations", json={**low, "email": "late@x.org"})).status_code == 201
    assert world.ledger.people.users[boss.id].user == boss


async def test_the_last_active_administrator_stays() -> None:
    world = World()
    await somebody(world)
    tokens = await signed_in(world)
    path = f"/v1/users/{IDS['ada']}"
    async with carrying(world, tokens) as ada, world.client("deployment") as deployment:
        for client in (ada, deployment):
            for body in ({"active": False}, {"role": "viewer"}):
                answer = await client.patch(path, json=body, headers=ANY)
                assert answer.status_code == 409
                assert "last active administrator" in answer.text
                assert answer.json()["errors"][0]["field"] in body
        await somebody(world, "eve")
        assert (await ada.patch(path, json={"role": "viewer"}, headers=ANY)).status_code == 200
        assert (await ada.get("/v1/users")).status_code == 403


async def test_a_user_is_signed_out_by_whoever_runs_the_organization() -> None:
    world = World()
    await somebody(world, role=Role.VIEWER)
    tokens = [await signed_in(world) for _ in range(2)]
    async with world.client() as client:
        answers = [(await client.post(f"/v1/users/{IDS['ada']}/sign-out")).json() for _ in range(2)]
    assert answers == [{"sessions": 2}, {"sessions": 0}]
    assert [await status_of(world, t) for t in tokens] == [401, 401]


async def test_no_token_is_made_for_whoever_is_inactive() -> None:
    world = World()
    await somebody(world, role=Role.VIEWER, active=False)
    async with world.client() as client:
        answer = await client.post(f"/v1/users/{IDS['ada']}/password-reset")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "active")


async def test_an_invitation_makes_a_user_once() -> None:
    world = World()
    async with world.client() as client:
        invited = await client.post("/v1/invitations", json={"email": "Ada@example.org", "role": "operator"})
        assert (invited.status_code, invited.headers["cache-control"]) == (201, "no-store")
        invitation = invited.json()
        assert (invitation["mailed"], invitation["expires_at"]) == (True, "2026-03-08T12:00:00.000Z")
        [mail] = world.mail.sent
        assert (mail.to, invitation["token"] in mail.text) == ("ada@example.org", True)
        listed = await client.get("/v1/invitations")
        assert [item["id"] for item in listed.json()["items"]] == [invitation["id"]]
        assert invitation["token"] not in listed.text
    body = {"token": invitation["token"], "password": PASSWORD, "first_name": "Ada"}
    weak = await asked(world, "/v1/auth/accept-invitation", **{**body, "password": "ada@example.org"})
    assert weak.status_code == 422
    made = await asked(world, "/v1/auth/accept-invitation", **body)
    assert (made.status_code, made.json()["role"], made.json()["organization"]) == (201, "operator", "default")
    assert (await asked(world, "/v1/auth/accept-invitation", **body)).status_code == 401
    assert (await sign_in(world)).status_code == 200
    async with world.client() as client:
        assert (await client.get("/v1/invitations")).json()["items"] == []


async def test_an_invitation_ends_by_time_by_revocation_and_by_another() -> None:
    world = World(mails=False)
    async with world.client() as client:
        first, second = [(await client.post("/v1/invitations", json={"email": "ada@x.org"})).json() for _ in range(2)]
        assert second["mailed"] is False
        third = (await client.post("/v1/invitations", json={"email": "eve@x.org"})).json()
        path = f"/v1/invitations/{third['id']}"
        assert [(await client.delete(path)).status_code for _ in range(2)] == [204, 404]
    for token in (first["token"], third["token"]):
        assert (await asked(world, "/v1/auth/accept-invitation", token=token, password=PASSWORD)).status_code == 401
    world.clock.wall_ms += 7 * 86_400_000
    late = await asked(world, "/v1/auth/accept-invitation", token=second["token"], password=PASSWORD)
    assert late.status_code == 401


async def test_a_mail_that_is_not_sent_is_told_and_the_invitation_stands() -> None:
    world = World()
    world.mail.away = True
    async with world.client() as client:
        invited = (await client.post("/v1/invitations", json={"email": "ada@x.org"})).json()
    assert invited["mailed"] is False
    made = await asked(world, "/v1/auth/accept-invitation", token=invited["token"], password=PASSWORD)
    assert made.status_code == 201


async def test_a_super_administrator_acts_in_another_organization() -> None:
    world = World()
    await somebody(world, "boss", Role.SUPER_ADMINISTRATOR)
    tokens = await signed_in(world, "boss@example.org")
    there = {"Chamberlog-Organization": "other"}
    async with carrying(world, tokens) as boss:
        made = await boss.post("/v1/users", json=ADA, headers=there)
        assert made.json()["organization"] == "other"
        assert (await boss.get(f"/v1/users/{made.json()['id']}")).status_code == 404
        me = (await boss.get("/v1/auth/whoami", headers=there)).json()
        assert (me["organization"], me["user"]["organization"]) == ("other", "default")

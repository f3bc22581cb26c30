"""Signing in and out, passwords and what forgets them, over the in-memory twins."""

import asyncio
import logging
import re
from dataclasses import replace

import pytest

from adapters.argon2_passwords import Argon2Passwords, HashCost
from collector.domain.access import Traffic
from collector.domain.roles import Role
from collector.ports import Principal
from tests.unit.api_world import KEYS, World
from tests.unit.people_world import (
    IDS,
    PASSWORD,
    CountingLimiter,
    asked,
    carrying,
    sign_in,
    signed_in,
    somebody,
    status_of,
)

NEXT = "another horse, another staple"
MINUTE_MS = 60_000


async def test_whoever_signs_in_is_known_by_an_access_token() -> None:
    world = World()
    await somebody(world, role=Role.OPERATOR)
    answer = await sign_in(world, "  ADA@Example.org ")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    tokens = answer.json()
    assert re.fullmatch(r"cha_[0-9a-f]{12}_[\w-]{43}", tokens["access_token"])
    assert re.fullmatch(r"chr_[0-9a-f]{12}_[\w-]{43}", tokens["refresh_token"])
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    assert tokens["refresh_expires_at"] == "2026-03-31T12:00:00.000Z"
    assert tokens["user"]["signed_in_at"] is None  # before this one
    async with carrying(world, tokens) as client:
        me = (await client.get("/v1/auth/whoami")).json()
        assert (me["subject"], me["organization"], me["role"]) == (f"user/{IDS['ada']}", "default", "operator")
        assert me["user"]["signed_in_at"] == "2026-03-01T12:00:00.000Z"
        assert (await client.get("/v1/chambers")).status_code == 200
        assert (await client.get("/v1/users")).status_code == 403


async def test_a_key_is_told_who_it_is_and_has_no_session() -> None:
    async with World().client() as client:
        me = (await client.get("/v1/auth/whoami")).json()
        assert (me["subject"], me["role"], me["user"]) == ("key/" + "0" * 11 + "a", "administrator", None)
        for path, body in (
            ("sign-out", None),
            ("sign-out-everywhere", None),
            ("change-password", {"password": PASSWORD, "new_password": NEXT}),
        ):
            assert (await client.post(f"/v1/auth/{path}", json=body)).status_code == 403, path


async def test_whatever_is_wrong_is_answered_alike() -> None:
    world = World()
    await somebody(world)
    await somebody(world, "eve", active=False)
    await somebody(world, "op")
    world.ledger.people.users[IDS["op"]].password_hash = None
    cases = [
        ("ada@example.org", NEXT),
        ("eve@example.org", PASSWORD),
        ("op@example.org", PASSWORD),
        ("x@y.z", PASSWORD),
    ]
    answers = [await sign_in(world, email, password) for email, password in cases]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert {field["field"] for field in answers[0].json()["errors"]} == {"password"}
    assert "example" not in answers[0].text


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@x.org", "a b@x.org", "ada@x.org\n", "ad\u00e4@x.org", "a" * 65 + "@x.org"]
)
async def test_what_is_no_address_is_refused(email: str) -> None:
    for path, body in (("sign-in", {"email": email, "password": PASSWORD}), ("forgotten-password", {"email": email})):
        answer = await asked(World(), f"/v1/auth/{path}", **body)
        assert answer.status_code == 422
        assert [field["field"] for field in answer.json()["errors"]] == ["email"]


async def test_a_password_may_be_typed_in_either_form_of_unicode() -> None:
    world = World()
    await somebody(world)
    world.ledger.people.users[IDS["ada"]].password_hash = await Argon2Passwords(HashCost(1, 8, 1)).hash(
        "caf\u00e9 caf\u00e9 caf\u00e9"
    )
    assert (await sign_in(world, password="cafe\u0301 cafe\u0301 cafe\u0301")).status_code == 200


async def test_an_access_token_ends_after_a_quarter_of_an_hour_and_the_next_pair_goes_on() -> None:
    world = World()
    await somebody(world)
    first = await signed_in(world)
    world.clock.wall_ms += 15 * MINUTE_MS - 1
    assert await status_of(world, first) == 200
    world.clock.wall_ms += 1
    assert await status_of(world, first) == 401
    second = (await asked(world, "/v1/auth/refresh", refresh_token=first["refresh_token"])).json()
    assert second["session"] == first["session"]
    assert await status_of(world, second) == 200


async def test_a_refresh_token_that_comes_twice_ends_the_session(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    await somebody(world)
    first, other = await signed_in(world), await signed_in(world)
    second = (await asked(world, "/v1/auth/refresh", refresh_token=first["refresh_token"])).json()
    with caplog.at_level(logging.WARNING):
        again = await asked(world, "/v1/auth/refresh", refresh_token=first["refresh_token"])
    assert again.status_code == 401
    assert [await status_of(world, tokens) for tokens in (second, other)] == [401, 200]
    unknown = await asked(world, "/v1/auth/refresh", refresh_token="chr_" + "0" * 12 + "_" + "x" * 43)
    assert unknown.text == again.text
    assert first["session"] in caplog.text
    assert first["refresh_token"][17:] not in caplog.text


async def test_two_that_refresh_at_once_leave_one_living_pair_or_none() -> None:
    world = World()
    await somebody(world)
    first = await signed_in(world)
    refreshes = (asked(world, "/v1/auth/refresh", refresh_token=first["refresh_token"]) for _ in range(2))
    answers = await asyncio.gather(*refreshes)
    pairs = [answer.json() for answer in answers if answer.status_code == 200]
    assert sum([await status_of(world, tokens) == 200 for tokens in pairs]) <= 1


@pytest.mark.parametrize(
    "token", ["", "chr_x", "cha_" + "0" * 12 + "_" + "x" * 43, "chr_" + "0" * 12 + "_" + "x" * 42 + "\u00e9"]
)
async def test_what_is_no_token_is_refused_and_not_quoted(token: str) -> None:
    for path, name, rest in (
        ("refresh", "refresh_token", {}),
        ("reset-password", "token", {"password": PASSWORD}),
        ("accept-invitation", "token", {"password": PASSWORD}),
    ):
        answer = await asked(World(), f"/v1/auth/{path}", **{name: token, **rest})
        assert answer.status_code == 422
        assert [field["field"] for field in answer.json()["errors"]] == [name]
        assert "x" * 42 not in answer.text


async def test_signing_out_ends_this_session_and_everywhere_all_of_them() -> None:
    world = World()
    await somebody(world)
    first, second, third = [await signed_in(world) for _ in range(3)]
    async with carrying(world, first) as client:
        assert (await client.post("/v1/auth/sign-out")).status_code == 204
        assert (await client.post("/v1/auth/sign-out")).status_code == 401
    assert [await status_of(world, tokens) for tokens in (first, second, third)] == [401, 200, 200]
    async with carrying(world, second) as client:
        ended = await client.post("/v1/auth/sign-out-everywhere")
    assert ended.json() == {"sessions": 2}
    assert [await status_of(world, tokens) for tokens in (second, third)] == [401, 401]


async def test_changing_a_password_ends_every_session_and_begins_one() -> None:
    world = World()
    await somebody(world)
    first, other = await signed_in(world), await signed_in(world)
    async with carrying(world, first) as client:
        wrong = await client.post("/v1/auth/change-password", json={"password": NEXT, "new_password": NEXT})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "password")
        changed = await client.post("/v1/auth/change-password", json={"password": PASSWORD, "new_password": NEXT})
    assert changed.status_code == 200, changed.text
    assert [await status_of(world, tokens) for tokens in (first, other, changed.json())] == [401, 401, 200]
    assert [(await sign_in(world, password=p)).status_code for p in (PASSWORD, NEXT)] == [401, 200]


@pytest.mark.parametrize(
    "password", ["", "short", "a" * 11, "a" * 1025, "x" * 20, "ada@example.org", "ADA@example.org", " ada@example.org"]
)
async def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    world = World()
    await somebody(world)
    tokens = await signed_in(world)
    async with carrying(world, tokens) as client:
        body = {"password": PASSWORD, "new_password": password}
        answer = await client.post("/v1/auth/change-password", json=body)
    assert answer.status_code == 422
    assert [field["field"] for field in answer.json()["errors"]] == ["new_password"]
    assert (await sign_in(world)).status_code == 200


async def test_a_forgotten_password_is_answered_alike_and_mailed_to_whoever_is_there() -> None:
    world = World()
    await somebody(world)
    await somebody(world, "eve", active=False)
    emails = ("ada@example.org", "eve@example.org", "nobody@example.org", "ada@example.org")
    answers = [await asked(world, "/v1/auth/forgotten-password", email=email) for email in emails]
    await world.app.state.services.people.auth.forgotten_password.settled()
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"mail":true}')}
    [mail] = world.mail.sent  # one, however often somebody asks
    assert mail.to == "ada@example.org"
    found = re.search(r"chp_[0-9a-f]{12}_[\w-]{43}", mail.text)
    assert found is not None
    assert found[0] not in repr(mail)
    first = await signed_in(world)
    reset = await asked(world, "/v1/auth/reset-password", token=found[0], password=NEXT)
    assert (reset.status_code, reset.json()["email"]) == (200, "ada@example.org")
    assert await status_of(world, first) == 401
    assert [(await sign_in(world, password=p)).status_code for p in (PASSWORD, NEXT)] == [401, 200]
    again = await asked(world, "/v1/auth/reset-password", token=found[0], password=PASSWORD)
    assert again.status_code == 401


async def test_without_mail_only_an_administrator_helps_and_a_mail_server_that_is_away_is_not_told_of() -> None:
    world = World(mails=False)
    await somebody(world)
    answer = await asked(world, "/v1/auth/forgotten-password", email="ada@example.org")
    assert (answer.status_code, answer.json()) == (202, {"mail": False})
    world = World()
    await somebody(world)
    world.mail.away = True
    answer = await asked(world, "/v1/auth/forgotten-password", email="ada@example.org")
    await world.app.state.services.people.auth.forgotten_password.settled()
    assert (answer.status_code, world.mail.sent) == (202, [])


async def test_a_one_time_token_ends_after_an_hour() -> None:
    world = World()
    await somebody(world)
    async with world.client() as client:
        issued = (await client.post(f"/v1/users/{IDS['ada']}/password-reset")).json()
    world.clock.wall_ms += 60 * MINUTE_MS
    assert (await asked(world, "/v1/auth/reset-password", token=issued["token"], password=NEXT)).status_code == 401


async def test_guesses_are_counted_by_account_known_or_not_and_by_address() -> None:
    limiter = CountingLimiter(10)
    world = World(limiter=limiter)
    await somebody(world)
    for email in ("ada@example.org", "nobody@example.org"):
        limiter.counts.pop(("address/127.0.0.1", Traffic.SIGN_IN), None)
        answers = [await sign_in(world, email, NEXT) for _ in range(10)]
        assert {answer.status_code for answer in answers} == {401}
        limiter.counts.pop(("address/127.0.0.1", Traffic.SIGN_IN), None)
        right = await sign_in(world, email.upper())
        assert (right.status_code, right.headers["retry-after"]) == (429, "17")
        assert "nobody" not in right.text
    assert not any("example" in subject for subject, _ in limiter.counts)
    limiter.counts.clear()
    assert [(await sign_in(world, f"{n}@x.org")).status_code for n in range(11)] == [401] * 10 + [429]


async def test_a_weaker_hash_is_replaced_when_somebody_signs_in() -> None:
    world = World()
    await somebody(world)
    weak = await Argon2Passwords(HashCost(1, 16, 2)).hash(PASSWORD)
    world.ledger.people.users[IDS["ada"]].password_hash = weak
    tokens = await signed_in(world)
    assert await status_of(world, tokens) == 200
    assert world.ledger.people.users[IDS["ada"]].password_hash != weak
    assert (await sign_in(world)).status_code == 200


async def test_the_store_being_away_is_503_and_a_token_seen_valid_is_trusted_for_a_moment() -> None:
    world = World()
    await somebody(world)
    tokens = await signed_in(world)
    assert await status_of(world, tokens) == 200
    world.ledger.away = True
    assert (await sign_in(world)).status_code == 503
    async with carrying(world, tokens) as client:
        assert (await client.get("/v1/nothing")).status_code == 404  # known by what was seen
        world.clock.steady_ms += 5_001
        assert (await client.get("/v1/nothing")).status_code == 503


async def test_whoever_is_deactivated_or_demoted_is_so_at_once() -> None:
    world = World()
    await somebody(world, role=Role.OPERATOR)
    tokens = await signed_in(world)
    any_version = {"If-Match": "*"}
    async with world.client() as admin, carrying(world, tokens) as ada:
        await admin.patch(f"/v1/users/{IDS['ada']}", json={"role": "viewer"}, headers=any_version)
        assert (await ada.get("/v1/auth/whoami")).json()["role"] == "viewer"
        viewer = Principal("default", "user/1", Role.VIEWER, credential=f"session/{tokens['session']}")
        assert await world.app.state.services.still_valid(viewer)
        assert not await world.app.state.services.still_valid(replace(viewer, role=Role.OPERATOR))
        await admin.patch(f"/v1/users/{IDS['ada']}", json={"active": False}, headers=any_version)
        assert (await ada.get("/v1/auth/whoami")).status_code == 401
        assert not await world.app.state.services.still_valid(viewer)


async def test_nothing_secret_is_answered_again_or_kept() -> None:
    world = World()
    await somebody(world)
    tokens = await signed_in(world)
    kept = repr(world.ledger.people)
    for text in (PASSWORD, tokens["access_token"][17:], tokens["refresh_token"][17:]):
        assert text not in kept
    async with world.client() as client:
        for path in ("/v1/users", f"/v1/users/{IDS['ada']}", "/v1/invitations"):
            assert "argon2" not in (await client.get(path)).text
    async with carrying(world, tokens) as client:
        assert KEYS["default"] not in (await client.get("/v1/auth/whoami")).text


async def test_no_route_takes_a_query_that_it_has_not() -> None:
    async with World().client(None) as client:
        body = {"email": "ada@example.org", "password": PASSWORD}
        answer = await client.post("/v1/auth/sign-in?password=x", json=body)
    assert answer.status_code == 422

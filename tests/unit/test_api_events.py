"""Every operation that changes something leaves one audit event, whatever came of it: by the whole access table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from collector.domain.access import Operation
from collector.domain.access_table import operations
from collector.domain.roles import Role
from collector.ports import AuditEvent, DetectorRecord
from collector.ports.events import Outcome, Source
from tests.unit.api_world import ENROLMENT, KEYS, NOON_MS, SUBJECT, World
from tests.unit.forgetful_world import ForgetfulWorld
from tests.unit.people_world import PASSWORD, carrying, sign_in, signed_in, somebody

ANY = {"If-Match": "*"}
DOCUMENT = "name: attic\ndescription: ours\nmeasurements: [{name: t, select: t, unit: Cel}]\n"
UNKNOWN = "no-such-one"


@dataclass(frozen=True, slots=True)
class Deed:
    """A request that is carried out in the world of `furnished`, and what its event says beside that.

    `path` stands for the table's template where it is given.
    """

    target: str
    json: Any = None
    path: str | None = None
    whose: str = "default"
    reason: str = ""
    detail: dict[str, object] = field(default_factory=dict)


CHAMBER = "chamber/incubator-3"
DEEDS = {
    "chambers.pause": Deed(CHAMBER, {"reason": "door"}, reason="door"),
    "chambers.resume": Deed(CHAMBER),
    "chambers.collect": Deed(CHAMBER, {"force": True}),
    "chambers.enrol": Deed("chamber/new-one", {**ENROLMENT, "id": "new-one"}),
    "chambers.change": Deed(CHAMBER, {"name": "Mine", "interval_s": 90}, detail={"fields": ["interval_s", "name"]}),
    "chambers.retire": Deed(CHAMBER, path="/v1/chambers/incubator-3?reason=moved+out", reason="moved out"),
    "sections.pause": Deed("section/default", {"reason": "drill"}, reason="drill", detail={"operation": "drill-7"}),
    "sections.resume": Deed("section/default", detail={"operation": "drill-7"}),
    "sections.add": Deed("section/attic", {"id": "attic"}),
    "sections.change": Deed("section/default", {"name": "Lab"}, detail={"fields": ["name"]}),
    "batches.start": Deed("batch/CHO-18", {"id": "CHO-18", "section": "spare"}),
    "batches.change": Deed("batch/CHO-17", {"name": "B"}, detail={"fields": ["name"]}),
    "batches.end": Deed("batch/CHO-17"),
    "profiles.put": Deed("profile/attic", {"document": DOCUMENT}),
    "profiles.remove": Deed("profile/ours", path="/v1/profiles/ours"),
    "organizations.change": Deed("organization/default", {"name": "Institute"}, detail={"fields": ["name"]}),
    "organizations.add": Deed("organization/third", {"id": "third"}, whose="deployment"),
    "detectors.change": Deed(CHAMBER, {"active": False}, detail={"detector": "temperature", "fields": ["active"]}),
}
DEEDS |= {
    "keys.add": Deed("key/*", {"name": "wallboard", "role": "viewer"}),
    "keys.revoke": Deed("key/00000000000e"),
    "users.add": Deed("user/*", {"email": "bob@example.org"}),
    "users.change": Deed("user/eeeeeeeeeeee", {"first_name": "Eve"}, detail={"fields": ["first_name"]}),
    "users.sign_out": Deed("user/eeeeeeeeeeee"),
    "users.reset_password": Deed("user/eeeeeeeeeeee"),
    "invitations.add": Deed("invitation/*", {"email": "carl@example.org"}),
    "invitations.revoke": Deed("invitation/*"),
}
"""One for each writing row of the table that has a route and takes a key; `*` in a target is an id that was made."""
BY_PEOPLE = {row.name for row in operations() if row.name.startswith("auth.")}
"""Rows of people who sign in, and in what they are signed in: tests of their own."""
PLACES = {
    "chamber_id": "incubator-3",
    "section_id": "default",
    "batch_id": "CHO-17",
    "profile_name": "attic",
    "organization_id": "default",
    "detector": "temperature",
    "user_id": "eeeeeeeeeeee",
    "key_id": "00000000000e",
}


def _there() -> set[tuple[str, str]]:
    routes = [route for route in World().app.state.routes if isinstance(route, APIRoute)]
    return {(method, route.path) for route in routes for method in route.methods or ()}


ROUTED = _there()
WRITING = [row for row in operations() if row.writes and row.http in ROUTED]
SIGNED = [row for row in WRITING if row.role is not None]
names = {row.name: row for row in WRITING}


class FurnishedWorld(World):
    """A world that knows the id of its invitation."""

    invitation_id = ""


@asynccontextmanager
async def furnished() -> AsyncIterator[FurnishedWorld]:
    """A world with one of everything, whose events begin now."""
    world = FurnishedWorld()
    async with world.client() as client:
        for path, body in (
            ("/v1/sections", {"id": "spare"}),
            ("/v1/chambers", ENROLMENT),
            ("/v1/batches", {"id": "CHO-17", "section": "default"}),
        ):
            assert (await client.post(path, json=body)).status_code == 201
        put = await client.put("/v1/profiles/ours", json={"document": DOCUMENT.replace("attic", "ours")})
        assert put.status_code == 201
    async with world.client() as client:
        invited = await client.post("/v1/invitations", json={"email": "dora@example.org"})
        assert invited.status_code == 201, invited.text
    world.invitation_id = invited.json()["id"]
    await somebody(world, "eve", Role.VIEWER)
    detector = DetectorRecord("temperature", "Cel", None, active=True)
    world.ledger.chambers["incubator-3"].detectors["temperature"] = detector
    world.ledger.events.clear()
    world.clock.wall_ms += 1
    yield world


async def asked(world: FurnishedWorld, row: Operation, deed: Deed) -> httpx.Response:
    assert row.http is not None
    headers = {**ANY, "Idempotency-Key": "drill-7"}
    path = deed.path or row.http[1].format(**PLACES, invitation_id=world.invitation_id)
    async with world.client(deed.whose) as client:
        return await client.request(row.http[0], path, json=deed.json, headers=headers)


def test_every_writing_row_with_a_route_has_a_deed_here() -> None:
    assert DEEDS.keys() | BY_PEOPLE == names.keys() | BY_PEOPLE, (
        "add a request that is carried out, and what its event says"
    )


@pytest.mark.parametrize("name", sorted(DEEDS))
async def test_what_is_done_leaves_its_event(name: str) -> None:
    deed = DEEDS[name]
    async with furnished() as world:
        answer = await asked(world, names[name], deed)
        assert answer.is_success, answer.text
        (event,) = world.ledger.events
    assert dict(event.detail) == {"status": answer.status_code, **deed.detail}
    assert fnmatch(event.target, deed.target)
    subject = SUBJECT if deed.whose == "default" else SUBJECT[:-1] + "d"
    assert event == AuditEvent(
        organization="default",
        subject=subject,
        action=name,
        source=Source.API,
        target=event.target,
        reason=deed.reason,
        detail=event.detail,
        address="127.0.0.1",
        at_ms=NOON_MS + 1,
        id=1,
    )


@pytest.mark.parametrize("row", SIGNED, ids=lambda row: row.name)
async def test_what_is_refused_leaves_its_event(row: Operation) -> None:
    assert row.http is not None
    places = dict.fromkeys(("chamber_id", "section_id", "batch_id", "profile_name", "organization_id"), UNKNOWN)
    more = dict.fromkeys(("detector", "user_id", "invitation_id", "key_id"), UNKNOWN)
    path = row.http[1].format(**places, **more)
    async with furnished() as world, world.client("other") as client:
        answer = await client.request(row.http[0], path, json={"nonsense": True, "reason": "why"}, headers=ANY)
        assert answer.is_client_error, answer.text
        (event,) = world.ledger.events
    assert (event.organization, event.action, event.outcome) == ("other", row.name, Outcome.REFUSED)
    kind = row.http[1].partition("{")[2].partition("_")[0]
    assert event.target == (f"{kind}/{UNKNOWN}" if kind else "")


async def test_what_a_server_that_is_away_made_of_it_is_told() -> None:
    async with furnished() as world, world.client() as client:
        world.fleet.away = True
        answer = await client.post("/v1/chambers/incubator-3/collect")
        assert answer.status_code == 503
        (event,) = world.ledger.events
    assert (event.action, event.outcome, event.detail["status"]) == ("chambers.collect", Outcome.FAILED, 503)


async def test_what_changes_nothing_leaves_none() -> None:
    async with furnished() as world, world.client() as client:
        for path in ("/v1/chambers", "/v1/chambers/incubator-3", "/v1/events", "/healthz", f"/v1/{UNKNOWN}"):
            await client.get(path)
        await client.post(f"/v1/{UNKNOWN}")
    async with world.client(None) as nobody:
        assert (await nobody.post("/v1/chambers/incubator-3/pause")).status_code == 401
    assert world.ledger.events == []


async def test_what_the_gate_refuses_is_told() -> None:
    async with furnished() as world, world.client() as client:
        answer = await client.post("/v1/organizations", json={"id": "mine"})
        assert answer.status_code == 403
        (event,) = world.ledger.events
    assert (event.action, event.subject, event.outcome) == ("organizations.add", SUBJECT, Outcome.REFUSED)
    assert event.detail["by"] == "gate"
    assert "super-administrator" in str(event.detail["why"])


async def test_what_is_done_and_cannot_be_told_is_answered_with_503_and_the_same_again_tells_it() -> None:
    world = ForgetfulWorld()
    async with world.client() as client:
        world.log.away = True
        answer = await client.post("/v1/sections", json={"id": "attic"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.headers["content-type"] == "application/problem+json"
        refused = await client.post("/v1/sections", json={"id": "NO"})
        assert refused.status_code == 422, "what was refused stays so"
        gate = await client.post("/v1/organizations", json={"id": "mine"})
        assert gate.status_code == 403
        world.log.away = False
        assert (await client.post("/v1/sections", json={"id": "attic"})).status_code == 200
        (event,) = world.ledger.events
    assert (event.action, event.target) == ("sections.add", "section/attic")


async def test_no_event_shows_a_secret() -> None:
    async with furnished() as world, world.client() as client:
        reason = f"{KEYS['default']} http://admin:hunter2@192.0.2.1/x"
        body = {"reason": reason}
        assert (await client.post("/v1/chambers/incubator-3/pause", json=body)).status_code == 200
        await client.patch("/v1/chambers/incubator-3", json={"url": "http://a:hunter2@192.0.2.1"}, headers=ANY)
        assert len(world.ledger.events) == 2
        told = str(world.ledger.events)
    assert "A" * 20 not in told
    assert "hunter2" not in told
    assert "chl_00000000000a_***" in told


async def test_a_body_that_is_too_long_or_no_json_is_refused_as_ever_and_told() -> None:
    async with furnished() as world, world.client() as client:
        long = await client.post("/v1/sections", content=b" " * 70_000, headers={"content-type": "application/json"})
        torn = await client.post("/v1/sections", content=b"{", headers={"content-type": "application/json"})
        plain = await client.post("/v1/sections", content=b"{", headers={"content-type": "text/plain"})
        assert [answer.status_code for answer in (long, torn, plain)] == [413, 422, 422]
        assert [event.detail["status"] for event in world.ledger.events] == [413, 422, 422]


async def test_a_sign_in_is_told_to_the_organization_of_the_account_and_a_failed_one_too() -> None:
    world = World()
    user = await somebody(world, "ada", organization="other")
    assert (await sign_in(world)).status_code == 200
    assert (await sign_in(world, password="wrong " + PASSWORD)).status_code == 401
    assert (await sign_in(world, "nobody@example.org")).status_code == 401
    done, failed = world.ledger.events
    who = f"user/{user.id}"
    assert (done.action, done.organization, done.subject, done.target) == ("auth.sign_in", "other", who, who)
    assert (failed.organization, failed.subject, failed.target, failed.outcome) == ("other", "", who, Outcome.REFUSED)
    assert {event.address for event in (done, failed)} == {"127.0.0.1"}
    assert PASSWORD not in str(world.ledger.events)


async def test_a_session_that_goes_on_or_ends_by_a_copy_is_told_to_the_organization_of_the_account() -> None:
    world = World()
    user = await somebody(world, "ada", organization="other")
    token = (await signed_in(world))["refresh_token"]
    world.ledger.events.clear()
    async with world.client(None) as client:
        answers = [await client.post("/v1/auth/refresh", json={"refresh_token": token}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 401, 401]
    assert answers[1].json() == answers[2].json()
    done, failed = world.ledger.events
    who = f"user/{user.id}"
    assert (done.action, done.organization, done.subject, done.target) == ("auth.refresh", "other", who, who)
    assert (failed.organization, failed.subject, failed.target, failed.outcome) == ("other", "", who, Outcome.REFUSED)
    assert token not in str(world.ledger.events)


async def test_what_people_do_when_they_are_signed_in_is_told_as_theirs() -> None:
    world = World()
    user = await somebody(world)
    body = {"password": PASSWORD, "new_password": "a new one that is long enough"}
    async with carrying(world, await signed_in(world)) as client:
        assert (await client.post("/v1/auth/change-password", json=body)).status_code == 200
    again = await signed_in(world, password=body["new_password"])
    async with carrying(world, again) as client:
        assert (await client.post("/v1/auth/sign-out")).status_code == 204
    again = await signed_in(world, password=body["new_password"])
    async with carrying(world, again) as client:
        assert (await client.post("/v1/auth/sign-out-everywhere")).status_code == 200
    seen = [event.action for event in world.ledger.events]
    assert seen == [
        *("auth.sign_in", "auth.change_password", "auth.sign_in"),
        *("auth.sign_out", "auth.sign_in", "auth.sign_out_everywhere"),
    ]
    assert {event.subject for event in world.ledger.events} == {f"user/{user.id}"}
    told = str(world.ledger.events)
    assert body["new_password"] not in told
    assert again["access_token"] not in told


async def test_whoever_accepts_an_invitation_or_sets_a_password_by_a_token_is_told() -> None:
    world = World()
    await somebody(world, "eve", Role.VIEWER)
    async with world.client() as client:
        invited = (await client.post("/v1/invitations", json={"email": "dora@example.org"})).json()
        reset = (await client.post(f"/v1/users/{'e' * 12}/password-reset")).json()
    world.ledger.events.clear()
    async with world.client(None) as client:
        accepted = await client.post(
            "/v1/auth/accept-invitation", json={"token": invited["token"], "password": PASSWORD}
        )
        assert accepted.status_code == 201, accepted.text
        body = {"token": reset["token"], "password": PASSWORD}
        assert (await client.post("/v1/auth/reset-password", json=body)).status_code == 200
        assert (await client.post("/v1/auth/reset-password", json=body)).status_code == 401
        assert (await client.post("/v1/auth/forgotten-password", json={"email": "e@example.org"})).status_code == 202
    told = [(event.action, event.subject) for event in world.ledger.events]
    assert told == [
        ("auth.accept_invitation", f"user/{accepted.json()['id']}"),
        ("auth.reset_password", f"user/{'e' * 12}"),
    ], "nobody knows whose a token is that is none"
    assert invited["token"] not in str(world.ledger.events)


async def test_a_bug_is_told_as_failed() -> None:
    world = World()

    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a bug")

    world.app.state.services = replace(world.app.state.services, enrol=broken)
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {KEYS['default']}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 500
    (event,) = world.ledger.events
    assert (event.action, event.outcome, event.detail["status"]) == ("chambers.enrol", Outcome.FAILED, 500)


async def listed(client: httpx.AsyncClient, **query: str) -> list[str]:
    """Actions of the events, the newest first."""
    answer = await client.get("/v1/events", params=query)
    assert answer.status_code == 200, answer.text
    return [item["action"] for item in answer.json()["items"]]


async def test_events_are_listed_by_what_they_were_about() -> None:
    async with furnished() as world, world.client() as client:
        await client.post("/v1/chambers/incubator-3/pause", json={"reason": "door"})
        world.clock.wall_ms += 60_000
        await client.post("/v1/chambers/incubator-3/resume")
        await client.post("/v1/sections", json={"id": "attic"})
        assert await listed(client) == ["sections.add", "chambers.resume", "chambers.pause"]
        assert await listed(client, chamber="incubator-3") == ["chambers.resume", "chambers.pause"]
        assert await listed(client, target="section/attic") == ["sections.add"]
        assert await listed(client, action="chambers.pause") == ["chambers.pause"]
        assert await listed(client, subject=SUBJECT, to="2026-03-01T12:00:30Z") == ["chambers.pause"]
        assert await listed(client, **{"from": "2026-03-01T12:00:30Z", "limit": "1"}) == ["sections.add"]
        first = (await client.get("/v1/events", params={"limit": 2})).json()
        rest = (await client.get("/v1/events", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        assert [item["action"] for item in rest["items"]] == ["chambers.pause"]
        assert rest["next_cursor"] is None
        both = await client.get("/v1/events", params={"chamber": "a", "target": "b"})
        assert both.status_code == 422
    async with world.client("other") as other:
        assert await listed(other) == []

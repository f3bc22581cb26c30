"""Every operation that changes something leaves one audit event, whatever came of it: by the whole access table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute

from adapters.memory import InMemoryEvents
from api.recording import EventNote
from api.services import Ports
from collector.domain.access import Operation
from collector.domain.access_table import operations
from collector.domain.errors import AwayError
from collector.ports import AuditEvent, DetectorRecord
from collector.ports.events import Outcome, Source
from tests.unit.api_world import ENROLMENT, KEYS, NOON_MS, SUBJECT, World

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
"""One for each writing row of the table that has a route."""
PLACES = {
    "chamber_id": "incubator-3",
    "section_id": "default",
    "batch_id": "CHO-17",
    "profile_name": "attic",
    "organization_id": "default",
    "detector": "temperature",
}


def _there() -> set[tuple[str, str]]:
    routes = [route for route in World().app.state.routes if isinstance(route, APIRoute)]
    return {(method, route.path) for route in routes for method in route.methods or ()}


ROUTED = _there()
WRITING = [row for row in operations() if row.writes and row.http in ROUTED]
SIGNED = [row for row in WRITING if row.role is not None]
names = {row.name: row for row in WRITING}


@asynccontextmanager
async def furnished() -> AsyncIterator[World]:
    """A world with one of everything, whose events begin now."""
    world = World()
    async with world.client() as client:
        for path, body in (
            ("/v1/sections", {"id": "spare"}),
            ("/v1/chambers", ENROLMENT),
            ("/v1/batches", {"id": "CHO-17", "section": "default"}),
        ):
            assert (await client.post(path, json=body)).status_code == 201
        put = await client.put("/v1/profiles/ours", json={"document": DOCUMENT.replace("attic", "ours")})
        assert put.status_code == 201
    detector = DetectorRecord("temperature", "Cel", None, active=True)
    world.ledger.chambers["incubator-3"].detectors["temperature"] = detector
    world.ledger.events.clear()
    world.clock.wall_ms += 1
    yield world


def path_of(row: Operation, deed: Deed) -> str:
    assert row.http is not None
    return deed.path or row.http[1].format(**PLACES)


async def asked(client: httpx.AsyncClient, row: Operation, deed: Deed) -> httpx.Response:
    assert row.http is not None
    headers = {**ANY, "Idempotency-Key": "drill-7"}
    return await client.request(row.http[0], path_of(row, deed), json=deed.json, headers=headers)


def test_every_writing_row_with_a_route_has_a_deed_here() -> None:
    assert DEEDS.keys() == names.keys(), "add a request that is carried out, and what its event says"


@pytest.mark.parametrize("name", sorted(DEEDS))
async def test_what_is_done_leaves_its_event(name: str) -> None:
    deed = DEEDS[name]
    async with furnished() as world, world.client(deed.whose) as client:
        answer = await asked(client, names[name], deed)
        assert answer.is_success, answer.text
        (event,) = world.ledger.events
    assert dict(event.detail) == {"status": answer.status_code, **deed.detail}
    subject = SUBJECT if deed.whose == "default" else SUBJECT[:-1] + "d"
    assert event == AuditEvent(
        organization="default",
        subject=subject,
        action=name,
        source=Source.API,
        target=deed.target,
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


class Forgetful(InMemoryEvents):
    """The store takes what is asked for, and `away` loses its connection before the event."""

    away = False

    async def add(self, event: AuditEvent) -> None:
        if self.away:
            raise AwayError("PostgreSQL cannot be reached")
        await super().add(event)


class ForgetfulWorld(World):
    """A world with such a log."""

    def ports(self) -> Ports:
        self.log = Forgetful(self.ledger)
        return replace(super().ports(), events=self.log)


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


def with_route(world: World, path: str, act: Any) -> FastAPI:
    """The app with a route of a test's own behind a path of the table."""
    world.app.add_api_route(path, act, methods=["POST"])
    return world.app


async def test_a_sign_in_tells_whose_account_it_was_about() -> None:
    world = World()

    async def sign_in(request: Request, ok: str = "") -> dict[str, str]:
        note = request.state.event
        assert isinstance(note, EventNote)
        if ok:
            note.organization, note.target, note.subject = "other", "user/0123456789ab", "user/0123456789ab"
        return {}

    with_route(world, "/v1/auth/sign-in", sign_in)
    async with world.client(None) as client:
        assert (await client.post("/v1/auth/sign-in")).status_code == 200
        assert world.ledger.events == [], "no account, no organization that it could belong to"
        assert (await client.post("/v1/auth/sign-in?ok=yes")).status_code == 200
        (event,) = world.ledger.events
    assert (event.organization, event.subject, event.target) == ("other", "user/0123456789ab", "user/0123456789ab")
    assert (event.action, event.address) == ("auth.sign_in", "127.0.0.1")


async def test_a_bug_is_told_as_failed() -> None:
    world = World()

    async def change_password() -> None:
        raise RuntimeError("a bug")

    with_route(world, "/v1/auth/change-password", change_password)
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {KEYS['default']}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers) as client:
        assert (await client.post("/v1/auth/change-password")).status_code == 500
    (event,) = world.ledger.events
    assert (event.action, event.outcome, event.detail["status"]) == ("auth.change_password", Outcome.FAILED, 500)


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

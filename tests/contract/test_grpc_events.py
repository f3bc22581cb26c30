"""Each call that would change something leaves one audit event, as the request of the REST API does."""

import asyncio
from typing import Any

import pytest

from collector.domain.access_table import operations
from collector.domain.roles import Role
from collector.ports import AuditEvent, DetectorRecord
from collector.ports.events import Outcome, Source
from tests.contract.grpc_client import Client, serving
from tests.unit.api_world import SUBJECT, World
from tests.unit.forgetful_world import ForgetfulWorld
from tests.unit.people_world import PASSWORD, signed_in, somebody

ENROLMENT = {"id": "incubator-3", "url": "http://192.168.1.20", "profile": "airgradient", "interval": "60s"}
CHAMBER: dict[str, Any] = {"chamber_id": "incubator-3"}
CALLS: list[tuple[str, dict[str, Any], str, str]] = [
    ("Sections/CreateSection", {"id": "attic"}, "sections.add", "section/attic"),
    ("Chambers/EnrolChamber", ENROLMENT, "chambers.enrol", "chamber/incubator-3"),
    ("Chambers/PauseChamber", {**CHAMBER, "reason": "door"}, "chambers.pause", "chamber/incubator-3"),
    ("Chambers/ResumeChamber", CHAMBER, "chambers.resume", "chamber/incubator-3"),
    ("Chambers/CollectReading", CHAMBER, "chambers.collect", "chamber/incubator-3"),
    ("Batches/StartBatch", {"id": "CHO-17", "section": "default"}, "batches.start", "batch/CHO-17"),
    ("Sections/PauseSection", {"section_id": "default", "request_id": "d7"}, "sections.pause", "section/default"),
    ("Users/CreateUser", {"email": "bob@example.org"}, "users.add", "user/"),
    ("Users/InviteUser", {"email": "eve@example.org"}, "invitations.add", "invitation/"),
]


async def carried_out(client: Client, world: World, call: tuple[str, dict[str, Any], str, str]) -> AuditEvent:
    before = len(world.ledger.events)
    await client.ask(call[0], call[1])
    (event,) = world.ledger.events[before:]
    return event


async def test_what_is_done_leaves_its_event() -> None:
    world = World()
    async with serving(world) as client:
        for call in CALLS:
            event = await carried_out(client, world, call)
            assert (event.action, event.source, event.outcome) == (call[2], Source.GRPC, Outcome.DONE)
            assert event.target.startswith(call[3])
            assert (event.subject, event.organization, event.address) == (SUBJECT, "default", "127.0.0.1")
            assert event.reason == call[1].get("reason", "")
        assert event.target != "invitation/", "the id that was made is named"
    by_action = {event.action: event for event in world.ledger.events}
    assert by_action["sections.pause"].detail == {"code": "OK", "operation": "d7"}


async def test_a_change_names_its_fields_and_what_else_it_was_about() -> None:
    world = World()
    async with serving(world) as client:
        await client.ask("Chambers/EnrolChamber", ENROLMENT)
        detector = DetectorRecord("temperature", "Cel", None, active=True)
        world.ledger.chambers["incubator-3"].detectors["temperature"] = detector
        wanted = {**CHAMBER, "name": "temperature", "detector": {"active": False}, "update_mask": "active"}
        await client.ask("Detectors/UpdateDetector", wanted)
    event = world.ledger.events[-1]
    assert (event.action, event.target) == ("detectors.change", "chamber/incubator-3")
    assert event.detail == {"code": "OK", "detector": "temperature", "fields": ["active"]}


CHANGING = [row.grpc for row in operations() if row.writes and row.grpc is not None and row.role is not None]


@pytest.mark.parametrize("full_name", CHANGING)
async def test_what_the_gate_refuses_leaves_its_event(full_name: str) -> None:
    """By the role, or, of what a viewer may, by what is missing in the message."""
    world, name = World(), full_name.removeprefix("/chamberlog.v1.")
    async with serving(world) as client:
        refusal = await client.refused(name, {}, whose="viewer")
    (event,) = world.ledger.events
    assert (event.outcome, event.source) == (Outcome.REFUSED, Source.GRPC), refusal


async def test_a_sign_in_is_told_to_the_organization_of_the_account() -> None:
    world = World()
    user = await somebody(world, "ada", Role.VIEWER, organization="other")
    async with serving(world) as client:
        body = {"email": "ada@example.org", "password": PASSWORD}
        await client.ask("Users/SignIn", body, whose=None)
        await client.refused("Users/SignIn", {**body, "password": "wrong one"}, whose=None)
        await client.refused("Users/SignIn", {**body, "email": "nobody@example.org"}, whose=None)
        await asyncio.sleep(0.2)  # beside the answer
    done, failed = world.ledger.events
    assert {(event.organization, event.target) for event in (done, failed)} == {("other", f"user/{user.id}")}
    assert (done.subject, failed.subject, failed.outcome) == (f"user/{user.id}", "", Outcome.REFUSED)


async def test_a_session_that_goes_on_or_ends_by_a_copy_is_told_to_the_organization_of_the_account() -> None:
    world = World()
    user = await somebody(world, "ada", Role.VIEWER, organization="other")
    async with serving(world) as client:
        tokens = (await signed_in(world))["refresh_token"]
        world.ledger.events.clear()
        await client.ask("Users/RefreshSession", {"refresh_token": tokens}, whose=None)
        await client.refused("Users/RefreshSession", {"refresh_token": tokens}, whose=None)
        await client.refused("Users/RefreshSession", {"refresh_token": tokens}, whose=None)
        await asyncio.sleep(0.2)  # beside the answer
    done, failed = world.ledger.events
    assert {(event.organization, event.target) for event in (done, failed)} == {("other", f"user/{user.id}")}
    assert (done.subject, failed.subject, failed.outcome) == (f"user/{user.id}", "", Outcome.REFUSED)
    assert tokens not in str(world.ledger.events)


async def test_what_is_done_and_cannot_be_told_is_unavailable_and_the_same_again_tells_it() -> None:
    world = ForgetfulWorld()
    async with serving(world) as client:
        world.log.away = True
        refusal = await client.refused("Sections/CreateSection", {"id": "attic"})
        assert refusal.code == "UNAVAILABLE"
        assert (await client.refused("Chambers/ResumeChamber", {"chamber_id": "nobody"})).code == "NOT_FOUND"
        world.log.away = False
        assert "created" not in await client.ask("Sections/CreateSection", {"id": "attic"})
    (event,) = world.ledger.events
    assert (event.action, event.target) == ("sections.add", "section/attic")

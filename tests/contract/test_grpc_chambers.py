"""Chambers over gRPC: each method, as people and programs meet it."""

from typing import Any

import pytest

from collector.domain.outcome import Gap, GapReason
from tests.contract.grpc_client import Client, serving
from tests.unit.api_world import NOON_MS, SUBJECT, World

ENROLMENT = {"id": "incubator-3", "url": "http://192.168.1.20", "profile": "airgradient", "interval": "60s"}
ME = {"chamber_id": "incubator-3"}


async def enrolled(client: Client, **changes: Any) -> None:
    await client.ask("Chambers/EnrolChamber", ENROLMENT | changes)


async def test_a_chamber_is_enrolled_once_and_shown() -> None:
    async with serving(World()) as client:
        asked = ENROLMENT | {"labels": {"room": "2.14"}, "verify_tls": False, "round_span": "2.500s", "interval": "1s"}
        made = await client.ask("Chambers/EnrolChamber", asked)
        again = await client.ask("Chambers/EnrolChamber", asked)
        shown = await client.ask("Chambers/GetChamber", ME)
        other = await client.refused("Chambers/EnrolChamber", ENROLMENT)
    chamber = made["chamber"]
    assert chamber.pop("profile_version")
    assert chamber.pop("next_slot").startswith("2026-03-01T12:00:0")
    assert chamber == {
        "id": "incubator-3",
        "organization": "default",
        "section": "default",
        "url": "http://192.168.1.20",
        "profile": "airgradient",
        "interval": "1s",
        "timeout": "0.500s",
        "round_span": "2.500s",
        "labels": {"room": "2.14"},
        "version": 1,
        "status": "CHAMBER_STATUS_STARTING",
    }
    assert made["created"] is True
    assert "created" not in again
    assert shown["chamber"]["labels"] == {"room": "2.14"}
    assert (other.code, list(other.violations)) == ("ALREADY_EXISTS", ["id"])


async def test_lists_are_narrowed_and_continued() -> None:
    async with serving(World()) as client:
        await client.ask("Sections/CreateSection", {"id": "cold"})
        for number in range(3):
            await enrolled(client, id=f"incubator-{number}", section="cold" if number else "default")
        first = await client.ask("Chambers/ListChambers", {"limit": 2})
        rest = await client.ask("Chambers/ListChambers", {"limit": 2, "cursor": first["next_cursor"]})
        cold = await client.ask("Chambers/ListChambers", {"section": "cold", "q": "R-2"})
        failing = await client.ask("Chambers/ListChambers", {"status": "CHAMBER_STATUS_FAILING"})
    assert [c["id"] for c in first["chambers"] + rest["chambers"]] == ["incubator-0", "incubator-1", "incubator-2"]
    assert "next_cursor" not in rest
    assert [c["id"] for c in cold["chambers"]] == ["incubator-2"]
    assert failing == {}


async def test_a_change_names_its_fields_and_what_was_read() -> None:
    async with serving(World()) as client:
        await enrolled(client, secret_ref="env:LAB3", labels={"room": "2.14"})
        name = "Chambers/UpdateChamber"
        change = ME | {"chamber": {"interval": "30s", "aligned": True}, "update_mask": "interval,aligned"}
        unread = await client.refused(name, change)
        changed = await client.ask(name, change | {"version": 1})
        stale = await client.refused(name, change | {"version": 1})
        whatever = await client.ask(name, ME | {"update_mask": "secretRef,labels", "any_version": True})
    assert (unread.code, list(unread.violations)) == ("INVALID_ARGUMENT", ["version"])
    assert (changed["chamber"]["interval"], changed["chamber"]["aligned"], changed["chamber"]["version"]) == (
        "30s",
        True,
        2,
    )
    assert (stale.code, stale.info["metadata"], list(stale.violations)) == (
        "ABORTED",
        {"current_version": "2"},
        ["version"],
    )
    assert "secret_ref" not in whatever["chamber"]
    assert "labels" not in whatever["chamber"]


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({}, "update_mask", "it names no field"),
        ({"update_mask": "color"}, "update_mask", "there is no field 'color'"),
        ({"update_mask": "labels.room"}, "update_mask", "there is no field 'labels.room'"),
        ({"update_mask": "*"}, "update_mask", "there is no field '*'"),
        ({"update_mask": "url"}, "chamber.url", "it is in update_mask and not set"),
        (
            {"update_mask": "url", "chamber": {"url": "x", "name": "y"}},
            "chamber.name",
            "it is set and not in update_mask",
        ),
        ({"update_mask": "interval", "chamber": {"interval": "0.5s"}}, "chamber.interval", "0.5 s is out of range"),
        (
            {"update_mask": "interval", "chamber": {"interval": "1.000001s"}},
            "chamber.interval",
            "it is finer than a millisecond",
        ),
    ],
)
async def test_a_change_that_cannot_be_made_out_is_refused(change: dict[str, Any], field: str, said: str) -> None:
    async with serving(World()) as client:
        await enrolled(client)
        told = await client.refused("Chambers/UpdateChamber", ME | {"any_version": True} | change)
        kept = await client.ask("Chambers/GetChamber", ME)
    assert told.code == "INVALID_ARGUMENT"
    assert told.violations[field].startswith(said)
    assert kept["chamber"]["version"] == 1


async def test_pausing_and_resuming() -> None:
    async with serving(World()) as client:
        await enrolled(client)
        until = "2026-03-01T13:00:00Z"
        paused = await client.ask("Chambers/PauseChamber", ME | {"reason": "door service", "until": until})
        resumed = await client.ask("Chambers/ResumeChamber", ME)
        late = await client.refused("Chambers/PauseChamber", ME | {"until": "1999-03-01T13:00:00Z"})
    pause = paused["chamber"]["paused"]
    assert (pause["reason"], pause["by"], pause["until"]) == ("door service", SUBJECT, until)
    assert paused["chamber"]["status"] == "CHAMBER_STATUS_PAUSED"
    assert "paused" not in resumed["chamber"]
    assert (late.code, list(late.violations)) == ("INVALID_ARGUMENT", ["until"])


async def test_collecting_now() -> None:
    world = World()
    async with serving(world) as client:
        await enrolled(client)
        first = await client.ask("Chambers/CollectReading", ME | {"request_id": "r-1"})
        world.clock.wall_ms += 1
        again = await client.ask("Chambers/CollectReading", ME | {"request_id": "r-1"})
        wrong = await client.refused("Chambers/CollectReading", ME | {"request_id": "no spaces"})
        world.device = lambda _: Gap(NOON_MS, NOON_MS, GapReason.UNREACHABLE, "refused")
        dead = await client.refused("Chambers/CollectReading", ME)
        world.device = lambda _: None
        slow = await client.refused("Chambers/CollectReading", ME)
    temperature = {"value": 21.5, "unit": "Cel", "quality": "QUALITY_GOOD"}
    assert first["reading"]["measurements"] == {"temperature": temperature}
    assert again == first
    assert (wrong.code, list(wrong.violations)) == ("INVALID_ARGUMENT", ["request_id"])
    assert (dead.code, list(dead.violations)) == ("FAILED_PRECONDITION", ["url"])
    assert "unreachable: refused" in dead.message
    assert (slow.code, list(slow.violations)) == ("DEADLINE_EXCEEDED", ["timeout"])


async def test_retiring() -> None:
    async with serving(World()) as client:
        await enrolled(client)
        gone = await client.ask("Chambers/RetireChamber", ME | {"reason": "sold"})
        paused = await client.refused("Chambers/PauseChamber", ME)
    assert gone["chamber"]["status"] == "CHAMBER_STATUS_RETIRING"
    assert paused.code == "FAILED_PRECONDITION"


@pytest.mark.parametrize("chamber", ["incubator-4", "", "Ä", "../x", "x" * 80])
async def test_what_is_not_there(chamber: str) -> None:
    async with serving(World()) as client:
        told = await client.refused("Chambers/GetChamber", {"chamber_id": chamber})
    assert told.code == "NOT_FOUND"
    assert told.violations["chamber_id"].endswith("; Chambers/ListChambers lists what there is")


async def test_wrong_inputs_are_told_together_and_by_the_words_of_the_proto() -> None:
    async with serving(World()) as client:
        told = await client.refused("Chambers/EnrolChamber", {"id": "x"})
        nanos = await client.refused("Chambers/PauseChamber", pause_with_nanos(client, -1))
        status = await client.refused("Chambers/ListChambers", {"status": 99})
    assert told.violations == dict.fromkeys(("url", "profile", "interval"), "field required; give it")
    assert nanos.violations == {"until": "its nanos are out of range; give 0 to 999999999"}
    assert list(status.violations) == ["status"]


def pause_with_nanos(client: Client, nanos: int) -> Any:
    message = client.message("Chambers/PauseChamber", ME)
    message.until.seconds, message.until.nanos = NOON_MS // 1000, nanos
    return message

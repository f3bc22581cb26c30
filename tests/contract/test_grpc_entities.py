"""Organizations, sections, batches, detectors and what was stored, over gRPC: each method as programs meet it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapters.memory import InMemoryOutcomes
from collector.domain.outcome import Gap, GapReason, Reading
from collector.ports import SaveBatch
from tests.contract.grpc_client import Client, serving
from tests.unit.api_world import World, a_reading

ENROLMENT = {"id": "incubator-3", "url": "http://192.168.1.20", "profile": "airgradient", "interval": "60s"}
ME = {"chamber_id": "incubator-3"}
HOUR = {"from_time": "2026-03-01T12:00:00Z", "to_time": "2026-03-01T13:00:00Z"}
NOON = "2026-03-01T12:00:00Z"


@asynccontextmanager
async def stored(world: World) -> AsyncIterator[tuple[Client, list[int]]]:
    """A chamber with three readings and a gap between; the slots of all four."""
    async with serving(world) as client:
        await client.ask("Chambers/EnrolChamber", ENROLMENT)
        spec = world.ledger.chambers["incubator-3"].spec
        first = spec.grid.after(world.clock.wall_ms)
        slots = [first + n * spec.interval_ms for n in range(4)]
        gap = Gap(slots[1], slots[1], GapReason.TIMEOUT, "slow")
        readings = [a_reading(spec, slot, 20.0 + n) for n, slot in enumerate(slots)]
        outcomes: list[Reading | Gap] = [readings[0], gap, *readings[2:]]
        await InMemoryOutcomes(world.ledger).save(SaveBatch(spec.id, outcomes))
        world.clock.wall_ms = slots[-1] + 10_000
        yield client, slots


async def test_readings_come_in_parts_and_as_a_curve() -> None:
    async with stored(World()) as (client, _):
        asked = ME | HOUR
        first = await client.ask("Readings/ListReadings", asked | {"limit": 2})
        rest = await client.ask("Readings/ListReadings", asked | {"limit": 2, "cursor": first["next_cursor"]})
        curve = await client.ask("Readings/ListReadings", asked | {"points": 2, "detector": "temperature"})
        values = [r["measurements"]["temperature"]["value"] for r in first["readings"] + rest["readings"]]
        undecided = await client.refused("Readings/ListReadings", asked | {"points": 2})
        backwards = await client.refused("Readings/ListReadings", ME | {"from_time": NOON, "to_time": NOON})
        much = await client.refused("Readings/ListReadings", asked | {"limit": 10_001})
        lost = await client.refused("Readings/ListReadings", asked | {"cursor": "?"})
    assert values == [20.0, 22.0, 23.0]
    assert "next_cursor" not in rest
    assert first["readings"][0]["stored_at"]
    filled = curve["bins"][0]
    assert (filled["min"], filled["mean"], filled["max"], filled["count"]) == (20.0, 65 / 3, 23.0, "3")
    assert (filled["worst_quality"], filled["gap_reason"]) == ("QUALITY_GOOD", "GAP_REASON_TIMEOUT")
    assert set(curve["bins"][1]) == {"start"}
    assert [list(told.violations) for told in (undecided, backwards, much, lost)] == [
        ["detector"],
        ["to_time"],
        ["limit"],
        ["cursor"],
    ]


async def test_the_newest_readings_gaps_and_the_proof() -> None:
    async with stored(World()) as (client, _):
        await client.ask("Chambers/EnrolChamber", ENROLMENT | {"id": "fridge"})
        latest = await client.ask("Readings/GetLatest", ME)
        every = await client.ask("Readings/ListLatest", {"q": "f"})
        gaps = await client.ask("Readings/ListGaps", ME | HOUR)
        proof = await client.ask("Readings/AuditChamber", ME | HOUR)
        fleet = await client.ask("Readings/AuditFleet", HOUR)
    assert latest["latest"]["reading"]["measurements"]["temperature"]["value"] == 23.0
    assert every["latest"] == [{"chamber": "fridge"}]
    [gap] = gaps["gaps"]
    assert (gap["slots"], gap["reason"], gap["detail"]) == ("1", "GAP_REASON_TIMEOUT", "slow")
    audit = proof["audit"]
    assert (audit["expected"], audit["stored"]) == ("4", "3")
    assert audit["gaps"] == [{"reason": "GAP_REASON_TIMEOUT", "slots": "1"}]
    assert audit["from_time"] == NOON
    assert fleet["audit"]["chambers"] >= 1


async def test_detectors() -> None:
    async with stored(World()) as (client, _):
        before = await client.ask("Detectors/ListDetectors", ME)
        change = {"detector": {"alias": "core", "active": False}, "update_mask": "alias,active"}
        changed = await client.ask("Detectors/UpdateDetector", ME | {"name": "temperature"} | change)
        plain = await client.ask("Detectors/UpdateDetector", ME | {"name": "core", "update_mask": "alias"})
        none = await client.refused("Detectors/UpdateDetector", ME | {"name": "humidity", "update_mask": "alias"})
    assert before["detectors"] == [{"name": "temperature", "unit": "Cel", "active": True}]
    assert changed["detector"] == {"name": "temperature", "unit": "Cel", "alias": "core"}
    assert plain["detector"] == {"name": "temperature", "unit": "Cel"}
    assert none.code == "NOT_FOUND"


async def test_organizations() -> None:
    name = "Organizations/UpdateOrganization"
    async with serving(World()) as client:
        made = await client.ask("Organizations/CreateOrganization", {"id": "lab", "name": "L"}, whose="deployment")
        again = await client.ask("Organizations/CreateOrganization", {"id": "lab"}, whose="deployment")
        differs = await client.refused(
            "Organizations/CreateOrganization", {"id": "lab", "name": "M"}, whose="deployment"
        )
        forbidden = await client.refused("Organizations/CreateOrganization", {"id": "mine"})
        own = await client.ask("Organizations/ListOrganizations")
        every = await client.ask("Organizations/ListOrganizations", whose="deployment")
        change = {"organization_id": "default", "organization": {"region": "eu"}, "update_mask": "region"}
        changed = await client.ask(name, change | {"version": 1})
        stale = await client.refused(name, change | {"version": 1})
        foreign = await client.refused("Organizations/GetOrganization", {"organization_id": "other"})
    assert (made["created"], made["organization"]["version"]) == (True, 1)
    assert made["organization"]["created_at"] == NOON
    assert "created" not in again
    assert (differs.code, forbidden.code) == ("ALREADY_EXISTS", "PERMISSION_DENIED")
    assert [o["id"] for o in own["organizations"]] == ["default"]
    assert [o["id"] for o in every["organizations"]] == ["default", "lab", "other"]
    assert (changed["organization"]["region"], changed["organization"]["version"]) == ("eu", 2)
    assert (stale.code, foreign.code) == ("ABORTED", "NOT_FOUND")


async def test_sections_and_orders_to_all_their_chambers() -> None:
    async with serving(World()) as client:
        made = await client.ask("Sections/CreateSection", {"id": "cold", "name": "Cold store"})
        for number in range(2):
            await client.ask("Chambers/EnrolChamber", ENROLMENT | {"id": f"fridge-{number}", "section": "cold"})
        order = {"section_id": "cold", "request_id": "power-test", "reason": "power test"}
        begun = await client.ask("Sections/PauseSection", order)
        how_far = await client.ask("Sections/GetOperation", {"section_id": "cold", "operation_id": "power-test"})
        shown = await client.ask("Chambers/GetChamber", {"chamber_id": "fridge-1"})
        taken = await client.refused("Sections/ResumeSection", {"section_id": "cold", "request_id": "power-test"})
        resumed = await client.ask("Sections/ResumeSection", {"section_id": "cold"})
        closing = {"section_id": "cold", "section": {"active": False}, "update_mask": "active", "any_version": True}
        occupied = await client.refused("Sections/UpdateSection", closing)
        every = await client.ask("Sections/ListSections")
        one = await client.ask("Sections/GetSection", {"section_id": "cold"})
    assert made["created"]
    assert begun["operation"]["kind"] == "OPERATION_KIND_PAUSE"
    assert (how_far["operation"]["total"], how_far["operation"]["reason"]) == (2, "power test")
    assert shown["chamber"]["paused"]["reason"] == "power test"
    assert (taken.code, list(taken.violations)) == ("FAILED_PRECONDITION", ["request_id"])
    assert resumed["operation"]["kind"] == "OPERATION_KIND_RESUME"
    assert occupied.code == "FAILED_PRECONDITION"
    assert [section["id"] for section in every["sections"]] == ["cold", "default"]
    assert (one["section"]["chambers"], one["section"]["active"]) == (2, True)


async def test_batches() -> None:
    batch: dict[str, Any] = {"batch_id": "CHO-17.2"}
    async with stored(World()) as (client, slots):
        asked = {"id": "CHO-17.2", "section": "default", "started_at": NOON}
        made = await client.ask("Batches/StartBatch", asked)
        again = await client.ask("Batches/StartBatch", asked)
        second = await client.refused("Batches/StartBatch", {"id": "CHO-18", "section": "default"})
        readings = await client.ask("Batches/ListBatchReadings", batch | {"chamber": "incubator-3", "limit": 2})
        rest = await client.ask("Batches/ListBatchReadings", batch | {"cursor": readings["next_cursor"]})
        none = await client.ask("Batches/ListBatchReadings", batch | {"from_time": "2026-03-02T00:00:00Z"})
        stays = await client.ask("Batches/ListBatchChambers", batch)
        ended = await client.ask("Batches/EndBatch", batch | {"at": "2026-03-01T12:30:00Z"})
        other_end = await client.refused("Batches/EndBatch", batch | {"at": "2026-03-01T12:31:00Z"})
        goes_on = {"batch": {"name": "CHO 17"}, "update_mask": "name,endedAt", "version": 2}
        changed = await client.ask("Batches/UpdateBatch", batch | goes_on)
        then = await client.ask("Batches/ListBatches", {"at": "2026-03-01T12:10:00Z", "section": "default"})
        before = await client.ask("Batches/ListBatches", {"at": "2026-02-01T12:10:00Z"})
        shown = await client.ask("Batches/GetBatch", batch)
    assert (made["created"], "created" in again) == (True, False)
    assert second.code == "FAILED_PRECONDITION"
    assert len(readings["readings"] + rest["readings"]) == len(slots) - 1
    assert readings["readings"][0]["chamber"] == "incubator-3"
    assert none == {}
    assert stays["stays"][0]["chamber"] == "incubator-3"
    assert ended["batch"]["ended_at"] == "2026-03-01T12:30:00Z"
    assert other_end.code == "FAILED_PRECONDITION"
    assert "ended_at" not in changed["batch"]
    assert [b["id"] for b in then["batches"]] == ["CHO-17.2"]
    assert before == {}
    assert shown["batch"]["name"] == "CHO 17"

"""Pausing, resuming and collecting now, repeated, and with Temporal or the workflow gone between."""

import itertools

from collector.domain.chamber import ChamberSpec
from collector.domain.outcome import Outcome
from tests.unit.api_world import NOON_MS, SUBJECT, World, a_reading, enrolled

MINE = "/v1/chambers/incubator-3"
FIRST_SLOT = "2026-03-01T12:00:34.480Z"
"""incubator-3 at 60 s: its phase is 34.48 s."""


async def test_a_pause_says_by_whom_why_and_until_when() -> None:
    world = World()
    async with enrolled(world) as client:
        answer = await client.post(f"{MINE}/pause", json={"reason": "door", "until": "2026-03-01T14:00:00+01:00"})
        chamber = answer.json()
        assert (chamber["status"], chamber["version"], answer.headers["etag"]) == ("paused", 2, '"2"')
        assert chamber["paused"] == {
            "since": FIRST_SLOT,
            "reason": "door",
            "by": SUBJECT,
            "until": "2026-03-01T13:00:00.000Z",
        }
        assert chamber["next_slot"] == "2026-03-01T13:00:34.480Z"
        again = await client.post(f"{MINE}/pause", json={"reason": "door", "until": "2026-03-01T14:00:00+01:00"})
        assert again.json() == chamber
        shown = (await client.get(MINE)).json()
        assert (shown["status"], shown["paused"]) == ("paused", chamber["paused"])
        listed = (await client.get("/v1/chambers?status=paused")).json()["items"]
        assert [c["id"] for c in listed] == ["incubator-3"]


async def test_a_resumed_chamber_goes_on_on_its_grid() -> None:
    world = World()
    async with enrolled(world) as client:
        await client.post(f"{MINE}/pause")
        assert (await client.get(MINE)).json()["next_slot"] is None
        world.clock.wall_ms += 3_600_000
        chamber = (await client.post(f"{MINE}/resume")).json()
        again = (await client.post(f"{MINE}/resume")).json()
    assert (chamber["paused"], chamber["status"], chamber["version"]) == (None, "starting", 3)
    assert chamber["next_slot"] == "2026-03-01T13:00:34.480Z"
    assert again == chamber


async def test_a_pause_that_temporal_did_not_hear_of_stands_in_the_row_and_is_repaired_by_repeating() -> None:
    world = World()
    async with enrolled(world) as client:
        world.fleet.away = True
        assert (await client.post(f"{MINE}/pause", json={"reason": "door"})).status_code == 503
        assert (await client.get(MINE)).json()["paused"]["reason"] == "door"
        world.fleet.away = False
        assert (await client.post(f"{MINE}/pause", json={"reason": "door"})).json()["version"] == 2
    assert world.fleet.running["incubator-3"].pause is not None


async def test_pausing_a_terminated_chamber_starts_it_paused() -> None:
    world = World()
    async with enrolled(world) as client:
        del world.fleet.running["incubator-3"]
        assert (await client.post(f"{MINE}/pause")).json()["status"] == "paused"
        del world.fleet.running["incubator-3"]
        assert (await client.post(f"{MINE}/resume")).json()["paused"] is None
    assert world.fleet.running["incubator-3"].pause is None


async def test_collect_answers_with_the_reading_off_the_grid() -> None:
    world = World()
    async with enrolled(world) as client:
        answer = await client.post(f"{MINE}/collect")
        assert answer.status_code == 200
        assert answer.json() == {
            "slot": "2026-03-01T12:00:00.000Z",
            "requested_at": "2026-03-01T12:00:00.002Z",
            "received_at": "2026-03-01T12:00:00.090Z",
            "observed_at": None,
            "stored_at": None,
            "measurements": {"temperature": {"value": 21.5, "unit": "Cel", "quality": "good"}},
            "adhoc": True,
            "stored": True,
        }


async def test_the_same_request_id_reads_the_device_once() -> None:
    counted = itertools.count(1)

    def device(spec: ChamberSpec) -> Outcome:
        return a_reading(spec, NOON_MS, float(next(counted)))

    world = World(device=device)
    async with enrolled(world) as client:
        key = {"Idempotency-Key": "door-check-1"}
        first, second = [(await client.post(f"{MINE}/collect", headers=key)).json() for _ in range(2)]
        third = (await client.post(f"{MINE}/collect")).json()
    assert first == second
    assert third["measurements"]["temperature"]["value"] == 2.0


async def test_a_paused_chamber_is_collected_by_force_only_and_after_its_pause_again() -> None:
    world = World()
    async with enrolled(world) as client:
        await client.post(f"{MINE}/pause", json={"reason": "door", "until": "2026-03-01T13:00:00Z"})
        refused = await client.post(f"{MINE}/collect", json={"force": False})
        assert refused.status_code == 409
        assert "door" in refused.json()["detail"]
        assert (await client.post(f"{MINE}/collect", json={"force": True})).status_code == 200

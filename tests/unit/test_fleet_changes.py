"""Enrolling, changing, retiring and finding chambers, repeated, and with Temporal or the workflow gone between."""

import pytest

from adapters.memory import InMemoryOutcomes
from collector.domain.chamber import Pause
from collector.domain.outcome import EpochEnd
from collector.ports import SaveBatch
from tests.unit.api_world import ENROLMENT, NOON_MS, PROFILES, World, enrolled

MINE = "/v1/chambers/incubator-3"
FIRST_SLOT = "2026-03-01T12:00:34.480Z"
"""incubator-3 at 60 s: its phase is 34.48 s."""


async def test_enrolling_starts_a_chamber_at_the_first_slot_after_now() -> None:
    world = World()
    async with enrolled(world) as client:
        answer = await client.post("/v1/chambers", json=ENROLMENT)
    chamber = answer.json()
    airgradient = PROFILES.document("airgradient")
    assert airgradient is not None
    assert answer.status_code == 200
    assert answer.headers["location"] == MINE
    assert answer.headers["etag"] == '"1"'
    assert chamber == {
        "id": "incubator-3",
        "name": "",
        "organization": "default",
        "section": "default",
        "url": "http://192.168.1.20",
        "profile": "airgradient",
        "profile_version": airgradient.version,
        "interval_s": 60,
        "timeout_s": 10,
        "round_span_s": None,
        "aligned": False,
        "labels": {},
        "secret_ref": None,
        "verify_tls": True,
        "timezone": None,
        "serial_number": None,
        "version": 1,
        "status": "starting",
        "next_slot": FIRST_SLOT,
        "last_reading": None,
        "paused": None,
    }
    [epoch] = world.ledger.chambers["incubator-3"].epochs
    assert epoch.first_ms == NOON_MS + 34_480
    assert (epoch.interval_ms, epoch.phase_ms) == (60_000, epoch.first_ms % 60_000)
    assert world.fleet.running["incubator-3"].next_ms == epoch.first_ms


async def test_a_slot_at_this_very_instant_is_not_the_first() -> None:
    world = World()
    world.clock.wall_ms = NOON_MS + 34_480
    async with enrolled(world) as client:
        assert (await client.get(MINE)).json()["next_slot"] == "2026-03-01T12:01:34.480Z"


async def test_every_field_of_an_enrolment_is_kept() -> None:
    wanted = {
        "name": "Brutschrank ö",
        "timeout_s": 2.5,
        "round_span_s": 600,
        "aligned": True,
        "labels": {"room": "2.14"},
        "secret_ref": "env:LAB3_TOKEN",
        "verify_tls": False,
        "timezone": "Europe/Prague",
        "serial_number": "84fce612f5b8",
    }
    async with enrolled(World(), **wanted) as client:
        chamber = (await client.get(MINE)).json()
    assert {k: chamber[k] for k in wanted} == wanted
    assert chamber["next_slot"] == "2026-03-01T12:01:00.000Z"


async def test_enrolling_with_temporal_away_keeps_the_row_and_the_same_again_starts_it() -> None:
    world = World()
    world.fleet.away = True
    async with world.client() as client:
        refused = await client.post("/v1/chambers", json=ENROLMENT)
        assert refused.status_code == 503
        assert refused.headers["retry-after"].isdigit()
        assert (await client.get(MINE)).json()["status"] == "starting"
        world.fleet.away = False
        world.clock.wall_ms += 600_000
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 200
    assert world.fleet.running["incubator-3"].next_ms == NOON_MS + 34_480  # not at now: the slots between are missed


async def test_enrolling_with_postgresql_away_starts_nothing() -> None:
    world = World()
    async with world.client() as client:
        assert (await client.get("/v1/profiles")).status_code == 200
        world.ledger.away = True
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 503
    assert world.fleet.running == {}


async def test_the_same_again_starts_a_workflow_that_somebody_terminated() -> None:
    world = World()
    async with enrolled(world) as client:
        del world.fleet.running["incubator-3"]
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 200
    assert "incubator-3" in world.fleet.running


async def test_a_patch_changes_what_it_names_and_answers_with_the_new_grid() -> None:
    world = World()
    async with enrolled(world, name="old", labels={"a": "b"}) as client:
        answer = await client.patch(MINE, json={"interval_s": 10, "name": "new"}, headers={"If-Match": '"1"'})
    chamber = answer.json()
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    assert (chamber["interval_s"], chamber["name"], chamber["labels"], chamber["version"]) == (10, "new", {"a": "b"}, 2)
    assert chamber["timeout_s"] == 5  # a default budget follows its interval
    assert world.fleet.running["incubator-3"].spec.version == 2
    assert chamber["next_slot"] == "2026-03-01T12:00:34.480Z"


async def test_a_time_budget_that_somebody_chose_stays_and_must_fit() -> None:
    async with enrolled(World(), timeout_s=8) as client:
        kept = await client.patch(MINE, json={"interval_s": 30}, headers={"If-Match": "*"})
        assert kept.json()["timeout_s"] == 8
        refused = await client.patch(MINE, json={"interval_s": 5}, headers={"If-Match": "*"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "timeout_s"


async def test_null_removes_what_may_be_absent() -> None:
    async with enrolled(World(), secret_ref="env:A", round_span_s=60, timezone="UTC", serial_number="7") as client:
        body = {"secret_ref": None, "round_span_s": None, "timezone": None, "serial_number": ""}
        chamber = (await client.patch(MINE, json=body, headers={"If-Match": 'W/"1"'})).json()
    assert [chamber[name] for name in body] == [None] * 4


async def test_of_two_patches_of_one_version_one_is_refused() -> None:
    async with enrolled(World()) as client:
        headers = {"If-Match": '"1"'}
        assert (await client.patch(MINE, json={"interval_s": 30}, headers=headers)).status_code == 200
        late = await client.patch(MINE, json={"interval_s": 20}, headers=headers)
        assert late.status_code == 412
        assert late.headers["etag"] == '"2"'
        assert (await client.get(MINE)).json()["interval_s"] == 30


async def test_a_patch_that_temporal_did_not_hear_of_is_repaired_by_the_same_patch() -> None:
    world = World()
    async with enrolled(world) as client:
        world.fleet.away = True
        refused = await client.patch(MINE, json={"interval_s": 30}, headers={"If-Match": '"1"'})
        assert refused.status_code == 503
        assert (await client.get(MINE)).json()["version"] == 2
        world.fleet.away = False
        again = await client.patch(MINE, json={"interval_s": 30}, headers={"If-Match": '"2"'})
    assert (again.status_code, again.json()["version"]) == (200, 2)
    assert world.fleet.running["incubator-3"].spec.interval_ms == 30_000


async def test_a_patch_starts_a_terminated_chamber_on_its_old_grid_before_it_changes_it() -> None:
    world = World()
    async with enrolled(world) as client:
        del world.fleet.running["incubator-3"]
        answer = await client.patch(MINE, json={"interval_s": 30}, headers={"If-Match": '"1"'})
    assert answer.status_code == 200
    assert world.fleet.running["incubator-3"].spec.version == 2


async def test_a_retired_chamber_takes_no_orders_and_may_be_enrolled_anew() -> None:
    world = World()
    async with enrolled(world) as client:
        retired = await client.delete(f"{MINE}?reason=sold")
        assert (retired.status_code, retired.json()["status"], retired.json()["next_slot"]) == (200, "retiring", None)
        assert (await client.delete(MINE)).status_code == 200
        for path, body in (("/pause", None), ("/resume", None), ("/collect", {"force": True})):
            assert (await client.post(MINE + path, json=body)).status_code == 409
        assert (await client.patch(MINE, json={"name": "x"}, headers={"If-Match": "*"})).status_code == 409
        assert (await client.post("/v1/chambers", json=ENROLMENT)).status_code == 409

        await InMemoryOutcomes(world.ledger).save(SaveBatch("incubator-3", [EpochEnd(NOON_MS - 1)]))
        assert (await client.get(MINE)).json()["status"] == "retired"
        assert (await client.get("/v1/chambers")).json()["items"] == []
        assert len((await client.get("/v1/chambers?status=retired")).json()["items"]) == 1
        world.fleet.running.pop("incubator-3", None)
        anew = await client.post("/v1/chambers", json={**ENROLMENT, "interval_s": 30})
        assert (anew.status_code, anew.json()["version"]) == (201, 2)


async def test_retiring_with_temporal_away_marks_the_row_and_is_repaired_by_repeating() -> None:
    world = World()
    async with enrolled(world) as client:
        world.fleet.away = True
        assert (await client.delete(MINE)).status_code == 503
        assert (await client.get(MINE)).json()["status"] == "retiring"
        world.fleet.away = False
        assert (await client.delete(MINE)).status_code == 200
    assert "incubator-3" not in world.fleet.running


async def test_retiring_a_terminated_chamber_starts_it_so_that_it_can_store_its_end() -> None:
    world = World()
    async with enrolled(world) as client:
        del world.fleet.running["incubator-3"]
        assert (await client.delete(MINE)).status_code == 200
    assert world.fleet.running["incubator-3"].retiring


async def test_a_chamber_is_shown_by_its_row_while_temporal_is_away() -> None:
    world = World()
    async with enrolled(world) as client:
        live = (await client.get(MINE)).json()
        world.fleet.away = True
        assert (await client.get(MINE)).json() == live


async def test_what_a_signal_did_is_shown_before_the_row_knows() -> None:
    world = World()
    async with enrolled(world) as client:
        running = world.fleet.running["incubator-3"]
        running.pause = Pause(NOON_MS + 34_480, "by a signal", "night shift")
        shown = (await client.get(MINE)).json()
    assert (shown["status"], shown["paused"]["by"]) == ("paused", "night shift")


async def test_lists_are_paged_by_id_and_filtered() -> None:
    world = World()
    world.ledger.add_section("default", "cold-store")
    async with world.client() as client:
        for number in range(5):
            body = {**ENROLMENT, "id": f"c-{number}", "section": "cold-store" if number % 2 else "default"}
            assert (await client.post("/v1/chambers", json=body)).status_code == 201
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (
                await client.get("/v1/chambers", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
            ).json()
            assert len(page["items"]) <= 2
            seen += [chamber["id"] for chamber in page["items"]]
            cursor = page["next_cursor"]
        assert seen == [f"c-{number}" for number in range(5)]
        cold = (await client.get("/v1/chambers?section=cold-store")).json()["items"]
        assert [c["id"] for c in cold] == ["c-1", "c-3"]
        assert [c["id"] for c in (await client.get("/v1/chambers?q=-4")).json()["items"]] == ["c-4"]


@pytest.mark.parametrize(("away", "named"), [("fleet", ["temporal"]), ("ledger", ["postgresql"])])
async def test_readiness_names_what_is_away_and_liveness_does_not_care(away: str, named: list[str]) -> None:
    world = World()
    async with world.client(None) as client:
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        getattr(world, away).away = True
        answer = await client.get("/readyz")
        assert (answer.status_code, [e["field"] for e in answer.json()["errors"]]) == (503, named)
        assert (await client.get("/healthz")).json() == {"status": "alive"}
        assert (await client.get("/metrics")).status_code == 200


async def test_a_row_with_a_stale_status_is_shown_as_stale_though_the_chamber_says_otherwise() -> None:
    world = World()
    async with enrolled(world) as client:
        world.clock.wall_ms += 600_000
        shown = (await client.get(MINE)).json()
    assert shown["status"] == "stale"

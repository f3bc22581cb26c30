"""Pausing and resuming a section: repeated, crossing, with chambers that do not run and servers that are away."""

import httpx
import pytest

from adapters.memory_sections import InMemorySectionControl
from api.app import create_app
from api.services import make_services
from collector.domain.section_order import SectionOperation, SectionOrder
from collector.messages import ResumeRequest
from tests.unit.api_world import ENROLMENT, NOON_MS, SUBJECT, World

KEY = {"Idempotency-Key": "power-test"}
PLACE = "/v1/sections/default/operations/power-test"
UNTIL = "2026-03-01T13:00:00.000Z"


async def enrol(client: httpx.AsyncClient, *names: str) -> None:
    for name in names:
        assert (await client.post("/v1/chambers", json=ENROLMENT | {"id": name})).status_code == 201


async def pause(client: httpx.AsyncClient, reason: str = "power test", key: str = "power-test") -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return await client.post("/v1/sections/default/pause", json={"reason": reason}, headers=headers)


async def test_a_section_is_paused_by_whoever_asks_and_its_rows_are_left_to_its_chambers() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "one", "two")
        body = {"reason": "power test", "until": UNTIL}
        begun = await client.post("/v1/sections/default/pause", json=body, headers=KEY)
        shown = await client.get(PLACE)
    assert (begun.status_code, begun.headers["location"]) == (202, PLACE)
    assert begun.json() == shown.json() | {"unreached": []}
    assert shown.json() == {
        "id": "power-test",
        "section": "default",
        "kind": "pause",
        "state": "completed",
        "total": 2,
        "done": 2,
        "failed": 0,
        "paused": 2,
        "reason": "power test",
        "until": UNTIL,
        "started_at": "2026-03-01T12:00:00.000Z",
        "ended_at": "2026-03-01T12:00:00.000Z",
    }
    for name in ("one", "two"):
        held = world.fleet.running[name].pause
        assert held is not None
        assert (held.reason, held.by, held.until_ms) == ("power test", SUBJECT, NOON_MS + 3_600_000)
        row = world.ledger.chambers[name]
        assert (row.pause, row.spec.version) == (None, 1)


async def test_a_section_is_resumed() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "one")
        await pause(client)
        answer = await client.post("/v1/sections/default/resume")
        assert answer.status_code == 202
        operation = answer.json()
        shown = (await client.get(answer.headers["location"])).json()
    assert operation == shown | {"unreached": []}
    assert (operation["kind"], operation["reason"], operation["paused"]) == ("resume", "", 0)
    assert world.fleet.running["one"].pause is None


async def test_without_a_key_of_its_own_every_request_is_an_operation() -> None:
    async with World().client() as client:
        ids = [(await client.post("/v1/sections/default/pause")).json()["id"] for _ in range(2)]
    assert ids[0] != ids[1]


async def test_the_same_key_again_is_the_same_operation() -> None:
    world = World()
    world.section_control.slow = True
    async with world.client() as client:
        await enrol(client, "one")
        first = await pause(client)
        world.clock.wall_ms += 5_000
        again = await pause(client)
        assert again.status_code == 202
        assert again.json() == first.json()
        assert first.json()["state"] == "running"
    assert world.fleet.running["one"].pause is None, "told by the operation alone"


@pytest.mark.parametrize("change", [{"reason": "another"}, {"reason": "power test", "until": UNTIL}, None])
async def test_a_key_is_good_for_one_order(change: dict[str, str] | None) -> None:
    async with World().client() as client:
        await pause(client)
        path = "/v1/sections/default/" + ("resume" if change is None else "pause")
        answer = await client.post(path, json=change, headers=KEY)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert "pause power test" in answer.json()["detail"]


async def test_while_one_operation_runs_another_is_refused() -> None:
    world = World()
    world.section_control.slow = True
    async with world.client() as client:
        await pause(client)
        refused = await client.post("/v1/sections/default/resume")
        assert refused.status_code == 409
        assert "power-test" in refused.json()["detail"]
        await world.section_control.end("default", "default", "power-test")
        assert (await client.post("/v1/sections/default/resume")).status_code == 202


async def test_chambers_that_do_not_run_are_paused_singly() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "gone", "here", "held-before", "ending")
        await client.post("/v1/chambers/held-before/pause", json={"reason": "door"})
        await client.delete("/v1/chambers/ending")
        for name in ("gone", "held-before"):
            del world.fleet.running[name]
        begun = (await pause(client)).json()
    assert (begun["total"], begun["unreached"]) == (1, [])
    row = world.ledger.chambers["gone"]
    assert row.pause is not None
    assert (row.pause.reason, row.pause.by, row.spec.version) == ("power test", SUBJECT, 2)
    started = world.fleet.running["gone"]
    assert started.pause is not None
    assert (started.pause.reason, started.spec.version) == ("power test", 2)
    assert "held-before" not in world.fleet.running, "its row has a pause: whoever starts it starts it paused"
    assert world.ledger.chambers["here"].pause is None


async def test_paused_chambers_that_do_not_run_are_resumed_singly() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "gone", "never-paused")
        await client.post("/v1/chambers/gone/pause")
        world.fleet.running.clear()
        assert (await client.post("/v1/sections/default/resume")).json()["unreached"] == []
    assert world.ledger.chambers["gone"].pause is None
    assert world.fleet.running["gone"].pause is None
    assert "never-paused" not in world.fleet.running, "starting it is the work of Reconcile"


async def test_a_pause_that_is_over_is_none() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "gone")
        await client.post("/v1/chambers/gone/pause", json={"until": UNTIL})
        world.clock.wall_ms = NOON_MS + 7_200_000
        world.fleet.running.clear()
        await pause(client)
    started = world.fleet.running["gone"].pause
    assert started is not None
    assert started.reason == "power test"


async def test_who_did_not_obey_is_told_singly_when_the_ended_operation_is_asked_for_again() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "deaf", "good")
        await pause(client)
        await world.fleet.resume("deaf", ResumeRequest())
        assert (await client.get(PLACE)).json()["paused"] == 1
        again = (await pause(client)).json()
        assert (again["paused"], again["unreached"]) == (1, [])
        assert (await client.get(PLACE)).json()["paused"] == 2
    held = world.fleet.running["deaf"].pause
    assert held is not None
    assert (held.reason, held.by) == ("power test", SUBJECT)
    assert world.ledger.chambers["good"].pause is None


async def test_a_chamber_that_says_no_is_named() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "held", "free")
        world.fleet.running["held"].held = True
        begun = await pause(client)
    assert begun.status_code == 202
    assert [left["chamber"] for left in begun.json()["unreached"]] == ["held"]
    assert "does not answer" in begun.json()["unreached"][0]["problem"]
    assert world.fleet.running["free"].pause is not None
    assert world.ledger.chambers["held"].pause is not None, "written: it is told once it goes on"


async def test_with_temporal_away_nothing_is_done() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "one")
        world.fleet.away = True
        refused = await pause(client)
        shown = await client.get(PLACE)
        world.fleet.away = False
        assert (await client.get(PLACE)).status_code == 404
    assert refused.status_code == shown.status_code == 503
    assert refused.headers["retry-after"].isdigit()
    assert world.ledger.chambers["one"].pause is None


async def test_with_postgresql_away_nothing_is_done() -> None:
    world = World()
    async with world.client() as client:
        await enrol(client, "one")
        await pause(client, key="warm")
        world.ledger.away = True
        refused = await client.post("/v1/sections/default/resume", headers=KEY)
        world.ledger.away = False
        assert (await client.get(PLACE)).status_code == 404
    assert refused.status_code == 503
    assert world.fleet.running["one"].pause is not None


class GoesAway(InMemorySectionControl):
    """Temporal, which is gone as soon as an operation has begun."""

    async def begin(self, order: SectionOrder, chambers: frozenset[str]) -> SectionOperation:
        try:
            return await super().begin(order, chambers)
        finally:
            self._fleet.away = True


async def test_with_temporal_gone_after_the_beginning_the_same_key_again_tells_the_rest() -> None:
    world = World()
    world.section_control = GoesAway(world.fleet, world.clock)
    world.app = create_app(make_services(world.ports()), rules=world.rules)
    async with world.client() as client:
        await enrol(client, "here", *(f"gone-{number}" for number in range(20)))
        for number in range(20):
            del world.fleet.running[f"gone-{number}"]
        assert (await pause(client)).status_code == 503
        world.fleet.away = False
        again = await pause(client)
    assert again.status_code == 202
    assert (again.json()["state"], again.json()["unreached"]) == ("completed", [])
    assert all(chamber.pause is not None for chamber in world.fleet.running.values())
    assert len(world.fleet.running) == 21


@pytest.mark.parametrize("path", ["/v1/sections/nowhere/pause", "/v1/sections/nowhere/resume"])
async def test_an_unknown_section_is_404(path: str) -> None:
    async with World().client() as client:
        answer = await client.post(path)
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", '/v1/sections/x" OR "y/pause', 404),
        ("POST", "/v1/sections/" + "a" * 64 + "/resume", 404),
        ("GET", "/v1/sections/default/operations/no such", 404),
        ("GET", "/v1/sections/default/operations/none", 404),
        ("DELETE", "/v1/sections/default/pause", 405),
    ],
)
async def test_what_cannot_be_is_refused(method: str, path: str, status: int) -> None:
    async with World().client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "headers", "field"),
    [
        ({"until": "2026-03-01T11:00:00Z"}, {}, "until"),
        ({"until": "noon"}, {}, "until"),
        ({"reason": "x" * 2000}, {}, "reason"),
        ({"why": "x"}, {}, "why"),
        ({}, {"Idempotency-Key": "a b"}, "Idempotency-Key"),
    ],
)
async def test_a_wrong_request_names_the_field(body: dict[str, str], headers: dict[str, str], field: str) -> None:
    async with World().client() as client:
        answer = await client.post("/v1/sections/default/pause", json=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_a_chamber_of_another_section_is_left_alone() -> None:
    world = World()
    world.ledger.add_section("default", "cold-store")
    async with world.client() as client:
        await enrol(client, "one")
        assert (await client.post("/v1/chambers", json=ENROLMENT | {"section": "cold-store"})).status_code == 201
        await client.post("/v1/sections/cold-store/pause")
    assert world.fleet.running["one"].pause is None
    assert world.fleet.running["incubator-3"].pause is not None


async def test_an_operation_that_is_not_there_is_told_with_where_its_name_stands() -> None:
    async with World().client() as client:
        answer = await client.get("/v1/sections/default/operations/gone")
    assert answer.status_code == 404
    assert "Location" in answer.json()["errors"][0]["remedy"]

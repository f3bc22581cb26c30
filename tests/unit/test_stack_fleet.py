"""What the stack does with the fleet, against a small API in memory behind httpx's own transport."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack.account import account_of
from stack.api_client import FleetApi, instant_ms, rfc3339
from stack.errors import FleetError
from stack.fleet import STOP_REASON, drain, now_ms, pause_fleet, start_fleet
from stack.simulated import INTERVALS_S, LABELS, SimulatedDevice, chambers_of, read_devices

SINCE = "2026-01-01T00:00:07.000Z"
EMPTY_AUDIT = {"expected": 0, "stored": 0, "gaps": {}, "unaccounted": 0, "overdue": 0, "pending": 0}


class FakeApi:
    """Chambers in memory, by the rules of the REST API that the stack relies on."""

    def __init__(self) -> None:
        self.chambers: dict[str, dict[str, Any]] = {}
        self.audits: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.away = 0

    def client(self, patience_s: float = 5.0) -> FleetApi:
        return FleetApi("http://api", "key", patience_s, httpx.MockTransport(self.answer))

    def add(self, chamber_id: str, **more: Any) -> None:
        self.chambers[chamber_id] = {"id": chamber_id, "version": 1, "status": "collecting", "labels": {}, **more}

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path))
        if self.away > 0:
            self.away -= 1
            return httpx.Response(503, json={"detail": "temporal is away"})
        if request.headers["Authorization"] != "Bearer key":
            return httpx.Response(401, json={"detail": "no key"})
        words = request.url.path.split("/")[3:]
        if request.url.path == "/v1/audit":
            return httpx.Response(200, json=self.audits.pop(0) if len(self.audits) > 1 else self.audits[0])
        if not words:
            return self._create(request) if request.method == "POST" else self._list(request)
        if words[0] not in self.chambers:
            return httpx.Response(404, json={"detail": f"no chamber {words[0]!r}"})
        return self._one(self.chambers[words[0]], words[1:], request)

    def _create(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        there = self.chambers.get(body["id"])
        if there is None:
            self.add(body["id"], **{name: value for name, value in body.items() if name != "id"}, paused=None)
            return httpx.Response(201, json=self.chambers[body["id"]])
        same = all(there.get(name) == value for name, value in body.items())
        return httpx.Response(200 if same else 409, json=there if same else {"detail": "another spec"})

    def _list(self, request: httpx.Request) -> httpx.Response:
        """Two to a page, so that cursors are used."""
        first = int(request.url.params.get("cursor", "0"))
        items = list(self.chambers.values())[first : first + 2]
        following = str(first + 2) if first + 2 < len(self.chambers) else None
        return httpx.Response(200, json={"items": items, "next_cursor": following})

    def _one(self, chamber: dict[str, Any], words: list[str], request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            if request.headers.get("If-Match") != f'"{chamber["version"]}"':
                return httpx.Response(412, json={"detail": "stale"})
            chamber.update(json.loads(request.content))
        elif words == ["pause"]:
            chamber["paused"] = {"since": SINCE, "by": "key/1", "until": None, **json.loads(request.content)}
        elif words == ["resume"]:
            chamber["paused"] = None
        return httpx.Response(200, json=chamber, headers={"ETag": f'"{chamber["version"]}"'})


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi()


def devices(count: int, first_port: int = 18_100) -> list[dict[str, Any]]:
    dialects = ("airgradient", "generic-json")
    made = [
        SimulatedDevice(f"sim-{n:02d}", f"http://127.0.0.1:{first_port + n}/m", dialects[n % 2], first_port + n)
        for n in range(count)
    ]
    return chambers_of(made)


def test_a_fleet_of_twelve_reaches_from_one_second_to_sixty() -> None:
    fleet = devices(14)
    assert [chamber["interval_s"] for chamber in fleet] == [*INTERVALS_S, 1, 1]
    assert (min(INTERVALS_S), max(INTERVALS_S), len(INTERVALS_S)) == (1, 60, 12)
    assert {chamber["profile"] for chamber in fleet} == {"airgradient", "generic-json"}
    assert fleet[0] == {
        "id": "sim-00",
        "section": "default",
        "url": "http://127.0.0.1:18100/m",
        "profile": "airgradient",
        "interval_s": 1,
        "name": "Simulated airgradient 1",
        "labels": {"simulated": "true"},
    }


def test_a_chamber_is_enrolled_with_what_its_device_needs(tmp_path: Path) -> None:
    rows = [
        {"id": "sim-01-tasmota", "url": "http://x/cm", "dialect": "tasmota", "port": 1, "timezone": "Europe/Berlin"},
        {"id": "sim-02-esphome", "url": "http://x/s", "dialect": "esphome", "port": 2, "secret_ref": "file:/secret"},
    ]
    (tmp_path / "devices.json").write_text(json.dumps({"devices": rows}))
    clock, locked = chambers_of(read_devices(tmp_path / "devices.json"))
    assert (clock["timezone"], "secret_ref" in clock) == ("Europe/Berlin", False)
    assert (locked["secret_ref"], "timezone" in locked) == ("file:/secret", False)


async def test_enrolling_twice_changes_nothing(fake: FakeApi) -> None:
    before = now_ms()
    async with fake.client() as api:
        first = await start_fleet(api, devices(5))
        chambers = {name: dict(chamber) for name, chamber in fake.chambers.items()}
        again = await start_fleet(api, devices(5))
    assert (first.chambers, again.chambers) == (5, 5)
    assert fake.chambers == chambers
    assert before <= first.from_ms <= now_ms()


async def test_a_device_that_moved_to_another_port_is_followed(fake: FakeApi) -> None:
    async with fake.client() as api:
        await start_fleet(api, devices(3))
        await start_fleet(api, devices(3, first_port=19_000))
    assert fake.chambers["sim-02"]["url"] == "http://127.0.0.1:19002/m"


async def test_a_start_resumes_what_the_stop_paused_and_nothing_else(fake: FakeApi) -> None:
    fake.add("stopped", paused={"reason": STOP_REASON})
    fake.add("door-open", paused={"reason": "door"})
    fake.add("running", paused=None)
    fake.add("sim-99", paused=None, labels=LABELS)
    fake.add("sim-98", paused={"reason": STOP_REASON}, labels=LABELS)

    async with fake.client() as api:
        collecting = await start_fleet(api, devices(1))

    reasons = {name: (chamber["paused"] or {}).get("reason") for name, chamber in fake.chambers.items()}
    assert reasons == {
        "stopped": None,
        "door-open": "door",
        "running": None,
        "sim-00": None,
        "sim-99": STOP_REASON,  # it has no device in this run
        "sim-98": STOP_REASON,
    }
    assert collecting.chambers == 3


async def test_the_own_time_begins_after_the_resuming(fake: FakeApi) -> None:
    fake.add("stopped", paused={"reason": STOP_REASON})
    instants: list[int] = []
    answer = fake.answer

    def noting(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/resume"):
            instants.append(now_ms())
        return answer(request)

    async with FleetApi("http://api", "key", 5.0, httpx.MockTransport(noting)) as api:
        collecting = await start_fleet(api, [])
    assert collecting.from_ms >= instants[0]


async def test_a_stop_pauses_all_that_collect_and_ends_before_their_pauses(fake: FakeApi) -> None:
    fake.add("running", paused=None)
    fake.add("failing", paused=None, status="failing")
    fake.add("door-open", paused={"reason": "door"})
    fake.add("leaving", paused=None, status="retiring")
    async with fake.client() as api:
        paused = await pause_fleet(api)
        again = await pause_fleet(api)
    assert (paused.chambers, paused.refused, again.chambers) == (2, [], 0)
    assert paused.to_ms == instant_ms(SINCE), "a slot that the stop left out belongs to the pause"
    assert fake.chambers["running"]["paused"]["reason"] == STOP_REASON
    assert fake.chambers["door-open"]["paused"]["reason"] == "door"
    assert fake.chambers["leaving"]["paused"] is None


async def test_a_chamber_that_cannot_be_paused_does_not_keep_the_others(fake: FakeApi) -> None:
    fake.add("gone", paused=None)
    fake.add("running", paused=None)
    answer = fake.answer

    def refusing(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/chambers/gone/pause":
            return httpx.Response(409, json={"detail": "it retires"})
        return answer(request)

    async with FleetApi("http://api", "key", 5.0, httpx.MockTransport(refusing)) as api:
        paused = await pause_fleet(api)
    assert paused.chambers == 1
    assert paused.refused == ["POST /v1/chambers/gone/pause: 409 it retires"]


async def test_a_503_is_repeated_and_then_reported(fake: FakeApi) -> None:
    fake.add("running", paused=None)
    fake.away = 2
    async with fake.client() as api:
        assert [chamber["id"] for chamber in await api.chambers()] == ["running"]
    fake.away = 99
    async with fake.client(patience_s=0.5) as api:
        with pytest.raises(FleetError, match=r"GET /v1/chambers: 503 temporal is away"):
            await api.chambers()


async def test_a_429_waits_as_long_as_the_api_says_whatever_the_patience(fake: FakeApi) -> None:
    fake.add("running", paused=None)
    answer, asked_s = fake.answer, list[float]()

    def limiting(request: httpx.Request) -> httpx.Response:
        asked_s.append(asyncio.get_running_loop().time())
        if len(asked_s) <= 2:
            return httpx.Response(429, json={"detail": "too many"}, headers={"Retry-After": "1"})
        return answer(request)

    async with FleetApi("http://api", "key", 0.0, httpx.MockTransport(limiting)) as api:
        assert [chamber["id"] for chamber in await api.chambers()] == ["running"]
    assert len(asked_s) == 3
    assert asked_s[2] - asked_s[0] >= 2


@pytest.mark.parametrize("asked", ["", "soon", "100000", "-1"])
async def test_a_429_that_names_no_bearable_wait_is_reported(asked: str) -> None:
    def limiting(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429, json={"detail": "too many"}, headers={"Retry-After": asked})

    async with FleetApi("http://api", "key", 0.0, httpx.MockTransport(limiting)) as api:
        with pytest.raises(FleetError, match=r"GET /v1/chambers: 429 too many"):
            await api.chambers()


async def test_a_refusal_is_not_repeated(fake: FakeApi) -> None:
    async with fake.client() as api:
        with pytest.raises(FleetError, match=r"POST /v1/chambers/nobody/resume: 404 no chamber 'nobody'"):
            await api.resume("nobody")
    assert len(fake.asked) == 1


async def test_an_api_that_is_not_there_is_reported() -> None:
    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with FleetApi("http://api", "key", 0.0, httpx.MockTransport(refused)) as api:
        with pytest.raises(FleetError, match=r"the API does not answer \(ConnectError refused\)"):
            await api.chambers()


@pytest.mark.parametrize(("polls", "open_slots"), [(1, []), (3, [2, 1])])
async def test_draining_waits_for_every_slot(fake: FakeApi, polls: int, open_slots: list[int]) -> None:
    fake.audits = [EMPTY_AUDIT | {"pending": n - 1, "overdue": 1} for n in open_slots] + [EMPTY_AUDIT]
    shown: list[str] = []
    async with fake.client() as api:
        await drain(api, (0, 1000), never, shown.append)
    assert len(fake.asked) == polls
    assert shown == [f"waiting until {n} slots are saved" for n in open_slots]


async def test_draining_gives_up_when_told(fake: FakeApi) -> None:
    fake.audits = [EMPTY_AUDIT | {"overdue": 1}]
    async with fake.client() as api:
        await drain(api, (0, 1000), countdown(3), lambda _: None)
    assert len(fake.asked) == 3


def test_the_account_counts_what_is_left_after_the_drain_as_overdue() -> None:
    audit = {"expected": 10, "stored": 6, "gaps": {"timeout": 2, "paused": 0}, "unaccounted": 0, "overdue": 1}
    account = account_of({**audit, "pending": 1}, 3, {"p50": 1.5, "p99": 7.0})
    assert account.document() == {
        "chambers": 3,
        "expected": 10,
        "stored": 6,
        "gaps": {"timeout": 2},
        "unaccounted": 0,
        "overdue": 2,
        "lateness_ms": {"p50": 1.5, "p99": 7.0},
    }
    assert account.exit_code == 2


def test_unaccounted_weighs_more_than_overdue() -> None:
    audit = {"expected": 3, "stored": 1, "gaps": {}, "pending": 0}
    assert account_of({**audit, "unaccounted": 1, "overdue": 1}, 1, None).exit_code == 1
    assert account_of({**audit, "unaccounted": 0, "overdue": 0}, 1, None).exit_code == 0


def test_instants_survive_their_text() -> None:
    assert rfc3339(1_767_225_607_005) == "2026-01-01T00:00:07.005Z"
    assert instant_ms(rfc3339(1_767_225_607_005)) == 1_767_225_607_005


def never() -> bool:
    return False


def countdown(count: int) -> Callable[[], bool]:
    left = iter(range(count))
    return lambda: next(left, None) is None

"""What the gateway does when something behind it is killed, away or too busy, and when it is stopped itself."""

import asyncio
import http.client
import os
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from stack.binaries import scripts
from stack.envoy import Envoy, drain
from stack.process import Command, spawn
from stack.server import HOST, await_ready
from tests.contract.gateway_room import GOOD, Room, healthy, ingress_settings, opened, stand_in

SCRIPT = Path(__file__).resolve().parents[2] / "deploy/compose/envoy.sh"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with opened(tmp_path, ingress_settings()) as opened_room:
        yield opened_room


async def statuses(url: str, seconds: float, readers: int, meanwhile: Callable[[], None]) -> Counter[str]:
    """What readers get who ask again and again, while something happens after a third of the time."""
    found, end = Counter[str](), time.monotonic() + seconds

    async def reader(client: httpx.AsyncClient) -> None:
        while time.monotonic() < end:
            try:
                found[str((await client.get(url, headers=GOOD)).status_code)] += 1
            except httpx.TransportError as error:
                found[type(error).__name__] += 1

    async with httpx.AsyncClient(timeout=30.0) as client:
        readings = [asyncio.create_task(reader(client)) for _ in range(readers)]
        await asyncio.sleep(seconds / 3)
        await asyncio.to_thread(meanwhile)
        await asyncio.gather(*readings)
    return found


def until(what: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


async def test_a_killed_instance_under_reads_costs_no_request(room: Room) -> None:
    def kill_and_start_again() -> None:
        port = room.api_ports[0]
        room.kill(port)
        time.sleep(1.5)
        room.programs[port] = stand_in(room.folder, "api", port)

    try:
        found = await statuses(f"{room.url}/v1/echo", 6.0, 4, kill_and_start_again)
    finally:
        for child in room.programs.values():
            child.stop()
    assert set(found) == {"200"}, found
    assert found["200"] > 50
    answered = {entry["path"] for entry in room.asked("api")}
    assert answered == {"/v1/echo"}


async def test_a_read_in_hand_of_a_killed_instance_is_asked_of_the_other(room: Room) -> None:
    async with httpx.AsyncClient(timeout=30.0) as client:
        asking = [asyncio.create_task(client.get(f"{room.url}/v1/slow", headers=GOOD)) for _ in range(6)]
        await asyncio.to_thread(until, lambda: len(room.asked("api")) == 6)
        room.kill(room.api_ports[0])
        answers = await asyncio.gather(*asking)
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["instance"] for answer in answers} == {f"api-{room.api_ports[1]}"}
    assert len(room.asked("api")) == 9


async def test_a_write_that_was_sent_is_never_sent_again(room: Room) -> None:
    async with httpx.AsyncClient(timeout=30.0) as client:
        asking = [asyncio.create_task(client.post(f"{room.url}/v1/slow", headers=GOOD, json={})) for _ in range(6)]
        await asyncio.to_thread(until, lambda: len(room.asked("api")) == 6)
        room.kill(room.api_ports[0])
        answers = await asyncio.gather(*asking)
    assert Counter(answer.status_code for answer in answers) == {200: 3, 503: 3}
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert "read what became of it" in refused.json()["detail"]
    assert len(room.asked("api")) == 6


def test_a_write_that_reached_nobody_goes_to_the_other_instance(room: Room) -> None:
    room.kill(room.api_ports[0])
    with httpx.Client() as client:
        answers = [client.post(f"{room.url}/v1/echo", headers=GOOD, json={}) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200}
    assert len(room.asked("api")) == 8


def test_an_instance_whose_devices_fail_is_not_ejected(room: Room) -> None:
    with httpx.Client() as client:
        answers = [client.get(f"{room.url}/v1/broken", headers=GOOD) for _ in range(20)]
    assert len({answer.json()["instance"] for answer in answers}) == 2
    assert room.stats("cluster.api.outlier_detection.ejections_active") == {
        "cluster.api.outlier_detection.ejections_active": 0
    }


def test_nobody_behind_it_is_a_503_that_says_when_to_come_back(room: Room) -> None:
    for port in room.api_ports:
        room.kill(port)
    answer = httpx.get(f"{room.url}/v1/echo", headers=GOOD)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "urn:chamberlog:problem:service-unavailable"


def test_without_the_authz_service_nobody_passes(room: Room) -> None:
    room.kill(room.authz_port)
    with httpx.Client() as client:
        answer = client.get(f"{room.url}/v1/echo", headers=GOOD)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert client.get(f"{room.url}/temporal", headers=GOOD).status_code == 503
        assert client.post(f"{room.url}/v1/auth/sign-in").status_code == 503
        assert room.asked("api") == []
        assert client.get(f"{room.url}/healthz").status_code == 200
        room.programs[room.authz_port] = stand_in(room.folder, "authz", room.authz_port)
        try:
            until(lambda: client.get(f"{room.url}/v1/echo", headers=GOOD).status_code == 200)
        finally:
            room.programs[room.authz_port].stop()


def test_the_floor_beneath_the_limits_of_subjects(tmp_path: Path) -> None:
    settings = ingress_settings(apis=1)
    limits = replace(settings.limits, per_second=20, sign_ins_per_second=3)
    with opened(tmp_path, replace(settings, limits=limits)) as room, httpx.Client() as client:
        time.sleep(1.1)
        signing = [client.post(f"{room.url}/v1/auth/sign-in").status_code for _ in range(8)]
        assert 3 <= signing.count(200) < 8
        assert set(signing) == {200, 429}
        assert client.get(f"{room.url}/v1/echo", headers=GOOD).status_code == 200  # another bucket
        flood = [client.get(f"{room.url}/healthz") for _ in range(120)]
        refused = next(answer for answer in flood if answer.status_code == 429)
        assert refused.headers.get_list("retry-after") == ["1"]
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["title"] == "Too Many Requests"


def test_whoever_reads_no_answer_keeps_nobody_from_the_api(tmp_path: Path) -> None:
    settings = ingress_settings(apis=1)
    settings = replace(settings, limits=replace(settings.limits, upstream_requests=2))
    ask = b"GET /static-offline-docs/large HTTP/1.1\r\nHost: gateway\r\n\r\n"
    with opened(tmp_path, settings) as room, ExitStack() as closing:
        for _ in range(3):
            closing.enter_context(socket.create_connection((HOST, room.port))).sendall(ask)
        until(lambda: [row["path"] for row in room.asked("api")].count("/static-offline-docs/large") == 2)
        answer = httpx.get(f"{room.url}/v1/echo", headers=GOOD)
        assert (answer.status_code, httpx.get(f"{room.url}/healthz").status_code) == (200, 200)


async def test_a_stop_cuts_no_request_in_hand(room: Room) -> None:
    """Requests go on while the gateway drains: each is answered whole, or its connection is refused at once."""
    room.gateway.drain_s = 10.0
    found, stop = Counter[str](), threading.Event()

    def reader() -> None:
        while not stop.is_set():
            connection = http.client.HTTPConnection(HOST, room.port, timeout=20)
            try:
                connection.connect()
            except ConnectionRefusedError:
                found["refused"] += 1
                return
            try:
                connection.request("GET", "/v1/slow", headers=GOOD)
                answer = connection.getresponse()
                found[f"{answer.status} whole" if answer.read().endswith(b"}") else "cut"] += 1
            except (OSError, http.client.HTTPException) as error:
                found[type(error).__name__] += 1
            finally:
                connection.close()

    readers = [threading.Thread(target=reader) for _ in range(4)]
    for thread in readers:
        thread.start()
    await asyncio.to_thread(until, lambda: len(room.asked("api")) >= 4)
    code = await asyncio.to_thread(room.gateway.stop)
    stop.set()
    for thread in readers:
        thread.join(30)
    assert code == 0
    assert set(found) <= {"200 whole", "refused"}, found
    assert found["200 whole"] >= 4


def test_a_live_stream_does_not_hold_up_a_stop(room: Room) -> None:
    with httpx.stream("GET", f"{room.url}/v1/live", headers=GOOD, timeout=10) as answer:
        assert next(answer.iter_lines()) == "data: 0"
        began = time.monotonic()
        assert drain(room.settings.admin.port, 10.0)
        assert time.monotonic() - began < 5.0


async def test_the_containers_script_drains_before_it_ends(tmp_path: Path) -> None:
    """deploy/compose/envoy.sh, which the container of the gateway runs."""
    settings = ingress_settings(apis=1)
    with opened(tmp_path, settings, gateway=by_script) as room:
        answers = [threading.Thread(target=lambda: found.append(slow(room))) for _ in range(3)]
        found: list[int] = []
        for thread in answers:
            thread.start()
        await asyncio.to_thread(until, lambda: len(room.asked("api")) == 3)
        began = time.monotonic()
        code = await asyncio.to_thread(room.gateway.child.stop)
        assert time.monotonic() - began < 10.0
        for thread in answers:
            thread.join(20)
    assert found == [200, 200, 200]
    assert code == 0, room.gateway.log_tail()


def slow(room: Room) -> int:
    return httpx.get(f"{room.url}/v1/slow", headers=GOOD, timeout=20.0).status_code


def by_script(configuration: Path, text: str, admin: int, log: Path) -> Envoy:
    configuration.write_text(text)
    environment = {"PATH": f"{scripts()}:{os.defpath}", "ADMIN_PORT": str(admin), "DRAIN_S": "10"}
    unready = subprocess.run(["bash", SCRIPT, "ready"], env=environment, check=False, timeout=20)
    assert unready.returncode != 0
    child = spawn(Command(["bash", SCRIPT, "run", configuration], log, environment, grace_s=20.0))

    def is_ready() -> bool:
        return subprocess.run(["bash", SCRIPT, "ready"], env=environment, check=False, timeout=20).returncode == 0

    await_ready(child, is_ready, 20.0, "the gateway by its script")
    return Envoy(child, admin)


def test_a_drain_of_what_is_gone_says_so(room: Room) -> None:
    room.gateway.stop()
    assert not drain(room.settings.admin.port, 5.0)
    assert not healthy(room.settings)

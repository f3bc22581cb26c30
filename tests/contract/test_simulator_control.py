"""The control port and the process, as scripts use them."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.__main__ import main
from simulator.fleet import FleetPlan, SimulatedFleet
from simulator.listener import Listener

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[SimulatedFleet]:
    async with SimulatedFleet(FleetPlan(devices=2, log=tmp_path / "served.jsonl")) as fleet:
        yield fleet


@pytest.fixture
async def control(fleet: SimulatedFleet) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fleet.control_url, trust_env=False) as client:
        yield client


async def test_devices_are_listed_with_fault_and_serial(fleet: SimulatedFleet, control: httpx.AsyncClient) -> None:
    await control.get(fleet.devices["sim-02"].url)
    await control.put("/devices/sim-01/fault", json={"kind": "slow", "seconds": 3, "for_s": 20})
    one, two = (await control.get("/devices")).json()["devices"]
    assert one == {
        "id": "sim-01",
        "url": fleet.devices["sim-01"].url,
        "dialect": "airgradient",
        "port": fleet.devices["sim-01"].port,
        "last_serial": 0,
        "fault": {"kind": "slow", "seconds": 3, "for_s": 20},
    }
    assert (two["last_serial"], two["fault"]) == (1, None)


async def test_a_fault_is_set_and_lifted(fleet: SimulatedFleet, control: httpx.AsyncClient) -> None:
    url = fleet.devices["sim-01"].url
    answer = await control.put("/devices/sim-01/fault", json={"kind": "status", "code": 418})
    assert (answer.status_code, answer.json()["fault"]) == (200, {"kind": "status", "code": 418})
    assert (await control.get(url)).status_code == 418
    answer = await control.delete("/devices/sim-01/fault")
    assert (answer.status_code, answer.json()["fault"]) == (200, None)
    assert (await control.get(url)).status_code == 200
    assert (await control.delete("/devices/sim-01/fault")).status_code == 200


async def test_the_log_is_told_by_device_and_instant(fleet: SimulatedFleet, control: httpx.AsyncClient) -> None:
    for device_id in ("sim-01", "sim-02", "sim-02"):
        await control.get(fleet.devices[device_id].url)
    items = (await control.get("/log")).json()["items"]
    assert [(i["device"], i["serial"], i["status"]) for i in items] == [
        ("sim-01", 1, 200),
        ("sim-02", 1, 200),
        ("sim-02", 2, 200),
    ]
    of_two = (await control.get("/log", params={"device": "sim-02"})).json()["items"]
    assert [i["serial"] for i in of_two] == [1, 2]
    later = (await control.get("/log", params={"since": items[-1]["served_ms"] + 1})).json()["items"]
    assert later == []


@pytest.mark.parametrize(
    ("request_line", "body", "expected"),
    [
        ("GET /", b"", (404, "use /devices")),
        ("GET /devices/sim-01", b"", (404, "use /devices")),
        ("POST /devices", b"", (405, "POST is not answered")),
        ("GET /devices/sim-01/fault", b"", (405, "GET is not answered")),
        ("PUT /devices/sim-99/fault", b'{"kind": "down"}', (404, "there is no device 'sim-99'")),
        ("DELETE /devices/sim-99/fault", b"", (404, "there is no device 'sim-99'")),
        ("PUT /devices/sim-01/fault", b"", (422, "not a JSON object")),
        ("PUT /devices/sim-01/fault", b"null", (422, "not a JSON object")),
        ("PUT /devices/sim-01/fault", b"{", (422, "not a JSON object")),
        ("PUT /devices/sim-01/fault", b'{"kind": "dawn"}', (422, "kind: 'dawn' is no fault; use one of")),
        ("PUT /devices/sim-01/fault", b'{"kind": "slow", "seconds": -1}', (422, "seconds: -1 is no number in range")),
        ("PUT /devices/sim-01/fault", b"x" * 70_000, (400, "Content-Length")),
        ("GET /log?since=yesterday", b"", (422, "since: 'yesterday' is no instant")),
        ("GET /log?device=sim-99", b"", (404, "there is no device 'sim-99'")),
    ],
)
async def test_what_cannot_be_done_says_why(
    control: httpx.AsyncClient, fleet: SimulatedFleet, request_line: str, body: bytes, expected: tuple[int, str]
) -> None:
    method, path = request_line.split()
    answer = await control.request(method, path, content=body)
    status, said = expected
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert [device.fault for device in fleet.devices.values()] == [None, None]


# ---- the process


@contextmanager
def running(*arguments: object) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "simulator", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def eventually(answer: Callable[[], Any], process: "subprocess.Popen[bytes]") -> Any:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1].decode()
        found = answer()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail("not within 30 s")


def started(folder: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    path = folder / "devices.json"
    document: dict[str, Any] = json.loads(eventually(lambda: path.exists() and path.read_text(), process))
    return document


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    options = ("--devices", 3, "--log", tmp_path / "served.jsonl", "--devices-file", tmp_path / "devices.json")
    with running(*options) as process:
        document = started(tmp_path, process)
        assert [row["id"] for row in document["devices"]] == ["sim-01", "sim-02", "sim-03"]
        with httpx.Client(trust_env=False) as http:  # its connection is open while the process stops
            assert all(http.get(row["url"]).status_code == 200 for row in document["devices"])
            assert len(http.get(document["control"] + "/devices").json()["devices"]) == 3
            process.send_signal(number)
            assert process.wait(10) == 0
    said = process.stderr.read() if process.stderr and not process.stderr.closed else b""
    assert b"Traceback" not in said


def test_a_killed_process_goes_on_with_its_ports_and_serials(tmp_path: Path) -> None:
    options = ("--devices", 2, "--log", tmp_path / "served.jsonl", "--devices-file", tmp_path / "devices.json")
    serials = []
    documents = []
    for _ in range(2):
        with running(*options) as process:
            url = started(tmp_path, process)["devices"][1]["url"]
            serials += [eventually(partial(_serial, url), process) for _ in range(3)]
            documents.append(started(tmp_path, process))
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
    assert documents[0] == documents[1]
    assert serials == [1, 2, 3, 4, 5, 6]


def _serial(url: str) -> int | None:
    """None while nobody listens: the file of the run before is still there when the next one starts."""
    try:
        serial: int = httpx.get(url, trust_env=False).json()["serial"]
    except httpx.ConnectError:
        return None
    return serial


def test_explicit_ports_are_taken_or_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        assert main(["--port-base", str(port), "--devices", "1"]) == 1
        assert f"port {port} is taken; give another one, or 0 for any free" in capfd.readouterr().err
        assert main(["--control-port", str(port), "--devices", "1"]) == 1
        assert f"port {port} is taken" in capfd.readouterr().err


async def test_a_port_base_numbers_the_devices() -> None:
    async with SimulatedFleet(FleetPlan(devices=1)) as found:
        base = found.devices["sim-01"].port + 2_000
    async with SimulatedFleet(FleetPlan(devices=3, port_base=base)) as fleet:
        assert [device.port for device in fleet.devices.values()] == [base, base + 1, base + 2]


def test_what_cannot_start_says_why_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    for arguments, said in (
        (["--series", str(tmp_path / "nowhere.csv")], "No such file or directory; give the path"),
        (["--series", str(tmp_path / "bad.csv")], "its header has a, b"),
        (["--log", str(tmp_path)], "Is a directory"),
        (["--devices-file", str(tmp_path / "bad.csv" / "x.json")], "File exists"),
    ):
        assert main(arguments) == 1
        error = capfd.readouterr().err
        assert said in error
        assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--devices", "0"], "'0' is not 1 to 5000"),
        (["--devices", "many"], "'many' is not 1 to 5000"),
        (["--port-base", "70000"], "'70000' is not a port"),
        (["--speed", "0"], "'0' is not a speed above 0"),
        (["--speed", "nan"], "'nan' is not a speed above 0"),
        (["--port-base", "65530"], "leaves no room for 12 devices"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert said in capfd.readouterr().err


async def test_a_fleet_listens_on_the_address_that_it_is_given_and_says_so(tmp_path: Path) -> None:
    plan = FleetPlan(devices=2, host="127.0.0.2", devices_file=tmp_path / "devices.json")
    async with SimulatedFleet(plan) as fleet, httpx.AsyncClient(trust_env=False) as client:
        document = json.loads((tmp_path / "devices.json").read_text())
        urls = [document["control"], *(row["url"] for row in document["devices"])]
        assert all(url.startswith("http://127.0.0.2:") for url in urls)
        assert (await client.get(f"{fleet.control_url}/readyz")).json() == {"status": "ready"}
        assert (await client.get(urls[1])).status_code == 200
        with pytest.raises(httpx.ConnectError):
            await client.get(urls[1].replace("127.0.0.2", "127.0.0.1"))
        device = fleet.devices["sim-01"]
        await client.put(f"{fleet.control_url}/devices/sim-01/fault", json={"kind": "down"})
        with pytest.raises(httpx.ConnectError):
            await client.get(device.url)
        await client.delete(f"{fleet.control_url}/devices/sim-01/fault")
        assert (await client.get(device.url)).status_code == 200


async def test_a_fleet_that_listens_everywhere_names_this_machine() -> None:
    with socket.socket() as bound:  # nobody can connect: it does not listen
        bound.bind(("0.0.0.0", 0))
        listener = Listener(bound, lambda *_: asyncio.sleep(0))
        assert listener.url == f"http://{socket.gethostname()}:{bound.getsockname()[1]}"


async def test_the_devices_file_says_what_each_chamber_needs(tmp_path: Path) -> None:
    dialects = ("tasmota", "home-assistant", "generic-json")
    plan = FleetPlan(devices=4, dialects=dialects, secrets=tmp_path / "secrets", devices_file=tmp_path / "devices.json")
    async with SimulatedFleet(plan) as fleet:
        tasmota, home, generic, again = json.loads((tmp_path / "devices.json").read_text())["devices"]
        assert await _status(fleet, "sim-02-home-assistant") == 401
        assert await _status(fleet, "sim-02-home-assistant", Authorization="Bearer simulated") == 200
    assert [row["id"] for row in (tasmota, home, generic, again)] == [
        *("sim-01-tasmota", "sim-02-home-assistant", "sim-03-generic-json", "sim-04-tasmota"),
    ]
    assert tasmota["timezone"] == "Europe/Berlin"
    assert home["secret_ref"] == f"file:{tmp_path}/secrets/home-assistant"
    assert (tmp_path / "secrets" / "home-assistant").read_text() == "simulated\n"
    assert {*generic} == {"id", "url", "dialect", "port"}
    assert list_of(tmp_path / "secrets") == ["home-assistant"]


async def test_a_password_locks_every_device_that_can_be_locked(tmp_path: Path) -> None:
    plan = FleetPlan(devices=3, dialects=("shelly-rpc", "nettigo", "awair"), password="word", secrets=tmp_path)
    async with SimulatedFleet(plan) as fleet:
        assert [await _status(fleet, device) for device in fleet.devices] == [401, 401, 200]
        refs = [row.get("secret_ref") for row in fleet.document()["devices"]]  # type: ignore[attr-defined]
    assert refs == [f"file:{tmp_path}/shelly-rpc", f"file:{tmp_path}/nettigo", None]
    assert {(tmp_path / name).read_text() for name in ("shelly-rpc", "nettigo")} == {"admin:word\n"}
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("shelly-rpc", "nettigo")} == {0o600}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dialects", "all", "--check"], "21 dialects"),
        (["--dialects", "daikin, awair", "--check"], "2 dialects"),
        (["--check"], "2 dialects"),
    ],
)
def test_a_rehearsal_counts_the_dialects(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert main(arguments) == 0
    assert said in capsys.readouterr().out


def test_a_dialect_that_is_none_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--dialects", "daikin,daykin"])
    assert "'daykin' is no dialect; use all, or some of airgradient, generic-json, memmert-atmoweb" in (
        capsys.readouterr().err
    )


async def _status(fleet: SimulatedFleet, device: str, **headers: str) -> int:
    async with httpx.AsyncClient(trust_env=False, headers=headers) as http:
        return (await http.get(fleet.devices[device].url)).status_code


def list_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())

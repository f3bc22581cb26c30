"""Simulated devices over real sockets: ordinary answers and each fault as a client meets it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from simulator.device import SimulatedDevice
from simulator.faults import KINDS, make_fault
from simulator.fleet import FleetPlan, SimulatedFleet
from simulator.listener import PortTakenError, StillAcceptsError
from simulator.served import Served


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[SimulatedFleet]:
    async with SimulatedFleet(FleetPlan(devices=4, log=tmp_path / "served.jsonl")) as fleet:
        yield fleet


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        yield client


@pytest.fixture(params=["sim-01", "sim-02"], ids=["airgradient", "generic-json"])
def device(request: pytest.FixtureRequest, fleet: SimulatedFleet) -> SimulatedDevice:
    return fleet.devices[request.param]


def serial_of(answer: httpx.Response) -> object:
    document = answer.json()
    return document.get("serial", document.get("bootCount"))


def logged(folder: Path) -> list[Served]:
    return [Served(**json.loads(line)) for line in (folder / "served.jsonl").read_text().splitlines()]


def list_names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def raw_exchange(device: SimulatedDevice, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
    try:
        writer.write(request)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


async def test_dialects_alternate(fleet: SimulatedFleet) -> None:
    assert [(d.id, d.dialect.name) for d in fleet.devices.values()] == [
        ("sim-01", "airgradient"),
        ("sim-02", "generic-json"),
        ("sim-03", "airgradient"),
        ("sim-04", "generic-json"),
    ]


async def test_answers_count_up_and_change(device: SimulatedDevice, http: httpx.AsyncClient) -> None:
    answers = [await http.get(device.url) for _ in range(20)]
    assert [serial_of(answer) for answer in answers] == list(range(1, 21))
    assert len({answer.json().get("temperature", answer.json().get("atmp")) for answer in answers}) > 10


async def test_a_connection_is_kept_and_closed_as_the_client_asks(fleet: SimulatedFleet) -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    two = await raw_exchange(fleet.devices["sim-02"], request + request)
    assert two.count(b"HTTP/1.1 200 OK") == 2
    assert two.count(b"Connection: keep-alive") == 2
    closing = await raw_exchange(fleet.devices["sim-02"], b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n" + request)
    assert closing.count(b"HTTP/1.1 200 OK") == 1
    old = await raw_exchange(fleet.devices["sim-02"], b"GET / HTTP/1.0\r\n\r\n" + request)
    assert old.count(b"HTTP/1.1 200 OK") == 1


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /elsewhere HTTP/1.1\r\n\r\n", b"404"),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", b"405"),
        (b"GET / HTTP/1.1\r\nContent-Length: minus\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhi", b"400"),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"GET http://[ HTTP/1.1\r\n\r\n", b"400"),
        (b"hello\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", b"400"),
    ],
)
async def test_what_a_device_does_not_answer(
    fleet: SimulatedFleet, request_bytes: bytes, status: bytes, tmp_path: Path
) -> None:
    answer = await raw_exchange(fleet.devices["sim-02"], request_bytes)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert [(line.serial, line.status) for line in logged(tmp_path)] == [(None, int(status))]


async def test_the_log_says_what_was_served_when(
    device: SimulatedDevice, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    before_ms = round(time.time() * 1000)
    await http.get(device.url)
    between_ms = round(time.time() * 1000)
    await device.set_fault(make_fault("status", code=503))
    await http.get(device.url)
    first, second = logged(tmp_path)
    assert before_ms <= first.served_ms <= between_ms <= second.served_ms
    assert first == Served(device.id, 1, first.served_ms, None, 200)
    assert second == Served(device.id, None, second.served_ms, "status", 503)


# ---- faults


async def test_down_refuses_connections_and_drops_open_ones(device: SimulatedDevice, http: httpx.AsyncClient) -> None:
    await http.get(device.url)
    await device.set_fault(make_fault("down"))
    with pytest.raises(httpx.ConnectError):
        await http.get(device.url)
    await device.set_fault(make_fault("down"))
    with pytest.raises(httpx.ConnectError):
        await http.get(device.url)
    await device.set_fault(None)
    assert serial_of(await http.get(device.url)) == 2


async def test_slow_answers_late_and_right(device: SimulatedDevice, http: httpx.AsyncClient) -> None:
    await device.set_fault(make_fault("slow", seconds=0.4))
    started = time.monotonic()
    assert serial_of(await http.get(device.url)) == 1
    assert time.monotonic() - started >= 0.39


async def test_status_is_what_was_asked_for(device: SimulatedDevice, http: httpx.AsyncClient) -> None:
    for code in (500, 401, 429, 599):
        await device.set_fault(make_fault("status", code=code))
        assert (await http.get(device.url)).status_code == code
    assert device.last_serial == 0


async def test_garbage_is_not_http(device: SimulatedDevice, http: httpx.AsyncClient) -> None:
    await device.set_fault(make_fault("garbage"))
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get(device.url)


async def test_wrong_type_is_a_page_or_words(device: SimulatedDevice, http: httpx.AsyncClient) -> None:
    await device.set_fault(make_fault("wrong-type"))
    page = await http.get(device.url)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html")
    assert page.text.startswith("<!doctype html>")
    await device.set_fault(make_fault("wrong-type", form="text"))
    words = await http.get(device.url)
    assert (words.status_code, serial_of(words)) == (200, 1)
    assert "warm" in words.json().values()


async def test_hang_never_answers(device: SimulatedDevice, http: httpx.AsyncClient) -> None:
    await device.set_fault(make_fault("hang"))
    with pytest.raises(httpx.ReadTimeout):
        await http.get(device.url, timeout=0.4)
    await device.set_fault(None)
    assert serial_of(await http.get(device.url)) == 1


async def test_reset_resets_instead_of_answering(device: SimulatedDevice) -> None:
    await device.set_fault(make_fault("reset"))
    with pytest.raises(ConnectionResetError):
        await raw_exchange(device, b"GET / HTTP/1.1\r\n\r\n")


async def test_drip_sends_the_whole_answer_byte_by_byte(device: SimulatedDevice, http: httpx.AsyncClient) -> None:
    await device.set_fault(make_fault("drip", seconds=0.001))
    async with http.stream("GET", device.url) as answer:
        chunks = [chunk async for chunk in answer.aiter_raw()]
    assert len(chunks) > 20
    assert json.loads(b"".join(chunks))


async def test_every_fault_lifts_by_itself(http: httpx.AsyncClient) -> None:
    kinds = [kind for kind in KINDS if kind != "syn-dropped"]  # not every machine has it
    speaking = {"entity-bomb": "generic-xml", "refusal": "memmert-atmoweb"}
    dialects = tuple(speaking.get(kind, "generic-json") for kind in kinds)
    async with SimulatedFleet(FleetPlan(devices=len(kinds), dialects=dialects)) as fleet:
        devices = list(fleet.devices.values())
        for device, kind in zip(devices, kinds, strict=True):
            await device.set_fault(make_fault(kind, for_s=3))
        assert [device.fault is not None and device.fault.kind for device in devices] == kinds
        await asyncio.sleep(4)
        assert [device.fault for device in devices] == [None] * len(kinds)
        for device in devices:
            assert (await http.get(device.url)).status_code == 200


async def test_attempts_to_connect_are_dropped_until_the_fault_lifts(
    device: SimulatedDevice, http: httpx.AsyncClient
) -> None:
    try:
        await device.set_fault(make_fault("syn-dropped"))
    except StillAcceptsError as error:
        assert (await http.get(device.url)).status_code == 200
        pytest.skip(str(error))
    with pytest.raises(httpx.ConnectTimeout):
        await http.get(device.url, timeout=0.4)
    await device.set_fault(None)
    assert (await http.get(device.url)).status_code == 200


async def test_a_new_fault_forgets_the_time_of_the_one_before(device: SimulatedDevice) -> None:
    await device.set_fault(make_fault("down", for_s=0.1))
    await device.set_fault(make_fault("status"))
    await asyncio.sleep(0.25)
    assert device.fault == make_fault("status")


async def test_a_fault_set_while_the_one_before_lifts_stays(device: SimulatedDevice) -> None:
    for _ in range(30):
        await device.set_fault(make_fault("down", for_s=0.005))
        await asyncio.sleep(0.0048)
        await asyncio.gather(device.set_fault(make_fault("down")), device.set_fault(make_fault("status")))
        await asyncio.sleep(0.005)
        assert device.fault == make_fault("status")


async def test_a_port_that_was_taken_meanwhile_is_named_and_waited_for(
    fleet: SimulatedFleet, http: httpx.AsyncClient
) -> None:
    device = fleet.devices["sim-02"]
    await device.set_fault(make_fault("down", for_s=0.2))
    squatter = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", device.port)
    async with squatter:
        await asyncio.sleep(0.4)
        assert device.fault == make_fault("down", for_s=0.2)
        with pytest.raises(PortTakenError, match=f"port {device.port} was taken"):
            await device.set_fault(make_fault("slow", seconds=0))
    await device.set_fault(make_fault("slow", seconds=0))
    assert serial_of(await http.get(device.url)) == 1


async def test_switching_at_once_ends_with_the_last(device: SimulatedDevice, http: httpx.AsyncClient) -> None:
    faults = [make_fault("down"), None, make_fault("down", for_s=9), make_fault("slow"), None]
    await asyncio.gather(*(device.set_fault(fault) for fault in faults * 5))
    assert device.fault is None
    assert (await http.get(device.url)).status_code == 200


async def test_other_devices_go_on(fleet: SimulatedFleet, http: httpx.AsyncClient) -> None:
    for device_id, kind in (("sim-01", "down"), ("sim-02", "hang")):
        await fleet.devices[device_id].set_fault(make_fault(kind))
    assert (await http.get(fleet.devices["sim-03"].url)).status_code == 200
    assert (await http.get(fleet.devices["sim-04"].url)).status_code == 200


# ---- fleets


async def test_serial_numbers_go_on_over_a_restart(tmp_path: Path, http: httpx.AsyncClient) -> None:
    plan = FleetPlan(devices=2, log=tmp_path / "served.jsonl", devices_file=tmp_path / "devices.json")
    seen = []
    for _ in range(3):
        async with SimulatedFleet(plan) as fleet:
            seen += [serial_of(await http.get(fleet.devices["sim-02"].url)) for _ in range(2)]
    assert seen == [1, 2, 3, 4, 5, 6]


async def test_leaving_closes_ports_and_connections(tmp_path: Path, http: httpx.AsyncClient) -> None:
    async with SimulatedFleet(FleetPlan(devices=2)) as fleet:
        url, control = fleet.devices["sim-02"].url, fleet.control_url
        await fleet.devices["sim-01"].set_fault(make_fault("slow", seconds=60))
        waiting = asyncio.create_task(http.get(fleet.devices["sim-01"].url))
        await asyncio.sleep(0.2)
    with pytest.raises(httpx.HTTPError):
        await waiting
    for address in (url, control):
        with pytest.raises(httpx.ConnectError):
            await http.get(address)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert {task for task in others if "simulator" in repr(task)} == set()


async def test_ports_are_kept_while_they_are_free(tmp_path: Path) -> None:
    plan = FleetPlan(devices=3, devices_file=tmp_path / "devices.json")
    async with SimulatedFleet(plan) as fleet:
        first = fleet.document()
    async with SimulatedFleet(replace(plan, devices=4)) as fleet:
        second = fleet.document()
    assert json.loads((tmp_path / "devices.json").read_text()) == second
    assert (second["control"], second["devices"][:3]) == (first["control"], first["devices"])  # type: ignore[index]
    assert list_names(tmp_path) == ["devices.json"]


async def test_a_kept_port_that_is_taken_moves(tmp_path: Path) -> None:
    plan = FleetPlan(devices=3, devices_file=tmp_path / "devices.json")
    async with SimulatedFleet(plan) as fleet:
        ports = [d.port for d in fleet.devices.values()]
    squatter = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", ports[1])
    async with squatter, SimulatedFleet(plan) as fleet:
        again = [d.port for d in fleet.devices.values()]
    assert (again[0], again[2]) == (ports[0], ports[2])
    assert again[1] not in ports


@pytest.mark.parametrize("text", ["", "{", "[]", '{"control": 7, "devices": [{"id": "sim-01"}]}', '{"devices": "x"}'])
async def test_a_devices_file_that_is_no_use_is_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "devices.json"
    path.write_text(text)
    async with SimulatedFleet(FleetPlan(devices=1, devices_file=path)) as fleet:
        assert json.loads(path.read_text()) == fleet.document()


async def test_two_fleets_at_once_get_ports_of_their_own() -> None:
    async with SimulatedFleet(FleetPlan(devices=5)) as one, SimulatedFleet(FleetPlan(devices=5)) as two:
        assert {d.port for d in one.devices.values()}.isdisjoint({d.port for d in two.devices.values()})


async def test_a_thousand_devices_answer_thousands_of_requests(tmp_path: Path) -> None:
    request = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"

    async def ask(device: SimulatedDevice, times: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
        for _ in range(times):
            writer.write(request % device.dialect.path.encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()
        return times

    async with SimulatedFleet(FleetPlan(devices=1_000, log=tmp_path / "served.jsonl")) as fleet:
        devices = list(fleet.devices.values())
        served = 0
        for start in range(0, 1_000, 100):
            served += sum(await asyncio.gather(*(ask(device, 5) for device in devices[start : start + 100])))
        assert {device.last_serial for device in devices} == {5}
    assert served == len(logged(tmp_path)) == 5_000

"""Simulated devices as chambers read them: locked ones, one that a request can change, one whose socket is taken."""

import asyncio
from pathlib import Path

import httpx
import pytest

from collector.domain.outcome import Reading
from simulator.dialects import DIALECTS, Login
from tests.contract.fault_runs import Chamber, chambers

LOCKED = [name for name, dialect in DIALECTS.items() if dialect.login is not Login.NONE]


@pytest.mark.parametrize("name", LOCKED)
async def test_a_locked_device_is_read_with_the_right_password_alone(tmp_path: Path, name: str) -> None:
    async with chambers(tmp_path, name, password="s3cret") as [chamber]:
        for _ in range(2):
            seen = await chamber.collect()
            assert isinstance(seen.outcome, Reading), seen.outcome
        stranger = Chamber(chamber.device, httpx.AsyncClient(verify=False), password="guessed")
        assert (await stranger.collect()).gap == ("unauthorized", "http_401")
        assert chamber.device.last_serial == 2


@pytest.mark.parametrize("name", LOCKED)
async def test_a_device_that_can_be_locked_and_is_not_is_read_without(tmp_path: Path, name: str) -> None:
    async with chambers(tmp_path, name) as [chamber]:
        seen = await chamber.collect()
        assert isinstance(seen.outcome, Reading), seen.outcome


async def test_a_parameter_with_a_value_changes_a_memmert_and_is_logged(tmp_path: Path) -> None:
    async with chambers(tmp_path, "memmert-atmoweb") as [chamber], httpx.AsyncClient(verify=False) as http:
        place = chamber.device.url.partition("?")[0]
        assert (await http.get(f"{place}?TempSet=")).text == '"TempSet": 37.0,\r\n'
        await http.get(f"{place}?TempSet=30&Temp1Read=")
        assert (await http.get(f"{place}?TempSet=")).text == '"TempSet": 30.0,\r\n'
        assert [line["wrote"] for line in await chamber.served()] == ["", "TempSet=30", ""]


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ("", False),
        ("?Temp1Read=&TempSet=", False),
        ("?TempSet=30", True),
        ("?Temp1Read=&TempSet=30", True),
        ("?TempSet=%33%30", True),
        ("?TempSet=30&TempSet=", True),
        ("?TempSet=;TempSet=30", True),
        ("?TempSet=%0a30", True),
    ],
)
async def test_chamberlog_never_changes_a_memmert(tmp_path: Path, query: str, written: bool) -> None:
    async with chambers(tmp_path, "memmert-atmoweb") as [chamber]:
        place = chamber.device.url.partition("?")[0]
        seen = await chamber.collect(url=f"{place}{query}" if query else chamber.device.url)
        if written:
            assert seen.gap[0] == "misconfigured"
        else:
            assert isinstance(seen.outcome, Reading), seen.outcome
        assert [line["wrote"] for line in await chamber.served()] == [""] * (not written)


@pytest.mark.parametrize(("fault", "sockets"), [("one-socket", 1), ("six-connections", 6)])
async def test_a_device_whose_sockets_others_hold_refuses_or_keeps_waiting(
    tmp_path: Path, fault: str, sockets: int
) -> None:
    async with chambers(tmp_path, "generic-json") as [chamber]:
        await chamber.suffer({"kind": fault, "form": "refuse"})
        held = [await asyncio.open_connection("127.0.0.1", chamber.device.port) for _ in range(sockets)]
        await asyncio.sleep(0.05)
        assert (await chamber.collect()).gap == ("unreachable", "reset")
        await chamber.suffer({"kind": fault, "form": "queue"})
        assert (await chamber.collect(timeout_ms=300)).gap == ("timeout", "read_timeout")
        for _, writer in held:
            writer.close()
        assert isinstance((await chamber.collect()).outcome, Reading)


async def test_a_sleeping_device_is_read_while_it_is_awake(tmp_path: Path) -> None:
    async with chambers(tmp_path, "generic-json") as [chamber]:
        await chamber.suffer({"kind": "asleep", "seconds": 0.5})
        assert (await chamber.collect()).gap == ("unreachable", "refused")
        await asyncio.sleep(1)
        assert isinstance((await chamber.collect()).outcome, Reading)


async def test_a_fault_that_a_dialect_has_not_is_refused(tmp_path: Path) -> None:
    async with chambers(tmp_path, "generic-json") as [chamber]:
        for kind, told in (("entity-bomb", "entity-bomb is for XML"), ("refusal", "no answer of that kind")):
            answer = await chamber.control.put(f"/devices/{chamber.device.id}/fault", json={"kind": kind})
            assert (answer.status_code, told in answer.json()["error"]) == (422, True)
        assert chamber.device.fault is None

"""A worker on another network: everything it has comes by one wire, Temporal by TLS with a client certificate."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from collector import wire
from stack.environment import part_environment
from stack.process import Child, Command, spawn
from tests.contract.temporal_gate import Gate, Papers, issue, opened
from tests.e2e.network_away import HOST, NODE, Wires, into_a_network_of_its_own, wired
from tests.e2e.running_fleet import RunningFleet, running_fleet, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.xdist_group("elsewhere")]
INTERVALS_S = [1, 1, 2, 2, 5, 10]
CUT_S = 8.0
"""Longer than a slot of the fast ones and than the patience of every client, shorter than a slot of the slowest."""


@dataclass(frozen=True)
class Elsewhere:
    """A fleet whose only worker is elsewhere."""

    fleet: RunningFleet
    wires: Wires
    worker: Child

    async def operation(self, kind: str) -> list[dict[str, Any]]:
        """Pause or resume the section; what was shown of it up to its end."""
        ask = self.fleet.api._ask
        begun = await ask("POST", f"/v1/sections/default/{kind}")
        seen = [begun.json()]
        wanted = len(self.fleet.chambers) if kind == "pause" else 0

        async def obeyed() -> bool:
            seen.append((await ask("GET", begun.headers["location"])).json())
            return bool(seen[-1]["state"] != "running" and seen[-1]["paused"] == wanted)

        await until(obeyed, 30)
        return seen

    async def rows(self) -> list[dict[str, Any]]:
        """The pauses of the registry's rows."""
        return [chamber["paused"] for chamber in await self.fleet.api.chambers()]


@pytest_asyncio.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Elsewhere]:
    way, why_not = into_a_network_of_its_own()
    if way is None:
        pytest.skip(f"this machine gives no process a network of its own ({why_not})")
    authority = trustme.CA()
    gate, mine = issue(tmp_path, "gate", authority, HOST), issue(tmp_path, "worker", authority, "worker@elsewhere")
    async with running_fleet(tmp_path / "home", len(INTERVALS_S), workers=0) as fleet:
        layout = fleet.layout
        with opened(Gate(layout.ports["temporal"], gate, clients=True), tmp_path) as port:
            wires_to = [port, layout.ports["postgres"], layout.ports["valkey"], *(d.port for d in fleet.devices)]
            async with socket_folder() as folder, wired(folder, wires_to) as wires:
                worker = await asyncio.to_thread(start, [*way], wires, environment(fleet, port, mine))
                try:
                    yield Elsewhere(fleet, wires, worker)
                finally:
                    await asyncio.to_thread(worker.stop)  # it hands its rounds back by these wires


@asynccontextmanager
async def socket_folder() -> AsyncIterator[Path]:
    """The path of a Unix socket has about a hundred characters at most."""
    with tempfile.TemporaryDirectory(prefix="chl-") as folder:
        yield Path(folder)


def environment(fleet: RunningFleet, port: int, mine: Papers) -> dict[str, str]:
    """What a worker elsewhere is told."""
    return part_environment(
        {
            "TEMPORAL_ADDRESS": f"{HOST}:{port}",
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(mine.authority),
            "TEMPORAL_TLS_CLIENT_CERT_PATH": str(mine.certificate),
            "TEMPORAL_TLS_CLIENT_KEY_PATH": str(mine.key),
            "CHAMBERLOG_POSTGRES": fleet.layout.postgres,
            "CHAMBERLOG_REDIS": fleet.layout.redis,
            "CHAMBERLOG_EGRESS": fleet.egress,
        }
    )


def start(way: list[str], wires: Wires, variables: dict[str, str]) -> Child:
    ports = ",".join(map(str, wires.ports))
    program: list[str | Path] = [sys.executable, "-P", "-m", "workers"]
    arguments: list[str | Path] = [*way, sys.executable, "-P", NODE, wires.folder, ports, *program]
    return spawn(Command(arguments, wires.folder / "worker.log", variables, grace_s=40.0))


async def pollers(address: str) -> set[str]:
    """Who takes rounds."""
    client = await Client.connect(address)
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=wire.TASK_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
    )
    return {poller.identity for poller in answer.pollers}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def test_a_fleet_is_collected_from_another_network_and_an_interruption_costs_no_slot_its_account(
    elsewhere: Elsewhere,
) -> None:
    fleet, began = elsewhere.fleet, time.monotonic()
    await until(lambda: pollers(fleet.layout.temporal), 30)
    await fleet.enrol(INTERVALS_S)
    from_ms = now_ms()
    await fleet.until_collected_since(from_ms)
    [poller] = await pollers(fleet.layout.temporal)
    assert poller.startswith(f"chamberlog-worker/{elsewhere.worker.pid}@"), "nobody else collects"
    assert not reaches(elsewhere.worker.pid, fleet.layout.ports["temporal"]), "there is no way around the gate"

    seen = await elsewhere.operation("pause")
    assert (seen[-1]["state"], seen[-1]["total"], seen[-1]["done"]) == ("completed", 6, 6)
    await until(all_rows(elsewhere, paused=True), 20)
    await elsewhere.operation("resume")
    await until(all_rows(elsewhere, paused=False), 30)
    resumed_ms = now_ms()
    await fleet.until_collected_since(resumed_ms)

    await elsewhere.wires.cut()
    await asyncio.sleep(CUT_S)
    await elsewhere.wires.mend()
    mended_ms = now_ms()
    await fleet.until_collected_since(mended_ms)

    to_ms = now_ms()
    proof = await fleet.settled(from_ms, to_ms)
    told = "\n".join(await fleet.gaps(from_ms, to_ms))
    assert proof["unaccounted"] == proof["overdue"] == 0, told
    assert proof["expected"] == proof["stored"] + sum(proof["gaps"].values()), told
    assert proof["gaps"]["unreachable"] > 0, "the wire was cut"
    assert set(proof["gaps"]) <= {"paused", "unreachable", "timeout", "missed", "overrun"}, told
    assert time.monotonic() - began < 90


def all_rows(elsewhere: Elsewhere, *, paused: bool) -> Callable[[], Any]:
    async def so() -> bool:
        return all((row is not None) is paused for row in await elsewhere.rows())

    return so


def reaches(pid: int, port: int) -> bool:
    """Whether the process's own network has a listener on that port."""
    listening = Path(f"/proc/{pid}/net/tcp").read_text()
    return f"0100007F:{port:04X}" in listening

"""The real stack for one workload, with the bench's devices in place of the simulator."""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.devices import NETWORK
from bench.errors import BenchError
from stack.api_client import FleetApi
from stack.bootstrap import ensure_api_key, prepare
from stack.environment import part_environment
from stack.home import Home
from stack.layout import Layout, make_layout
from stack.parts import api_part, server_parts, worker_parts
from stack.ports import PortBook
from stack.process import Command, spawn
from stack.readiness import accepts
from stack.supervisor import Part, RestartRule, Supervisor

START_S = 90.0
LEFTOVERS_S = 45.0
"""Programs of a killed run end by themselves within this time."""
DEVICES = "devices"
STOP_ORDER = ("api", "worker", DEVICES, "temporal", "valkey", "postgres")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack that is up.

    Attributes:
        layout: where everything is.
        device_port: of all devices.
        api_key: of the local stack.
        supervisor: keeps the parts.
    """

    layout: Layout
    device_port: int
    api_key: str = field(repr=False)
    supervisor: Supervisor

    def pids(self) -> dict[str, int]:
        """Part to process id.

        Raises:
            BenchError: a part died since the start: what it cost is not what it costs.
        """
        keepers = self.supervisor.keepers
        dead = [k for k in keepers if k.pid is None or k.restarts]
        if dead:
            raise BenchError(f"{dead[0].part.name} died during the measurement: {dead[0].problem}")
        return {k.part.name: k.pid for k in keepers if k.pid is not None}

    def api(self) -> FleetApi:
        """A client of its API."""
        return FleetApi(self.layout.api, self.api_key)


@asynccontextmanager
async def running_stack(
    folder: Path, devices: int, workers: int, say: Say, rule: RestartRule | None = None
) -> AsyncIterator[RunningStack]:
    """Start every part on an empty directory; every part has ended afterwards, its data stays.

    Args:
        folder: what an earlier run left in it is thrown away.
        devices: how many.
        workers: how many processes.
        say: told what is going on.
        rule: when a dead part is started again.

    Raises:
        StackError: a part does not start.
    """
    home = await fresh_home(folder, say)
    lock, book = home.claim(), PortBook(home.ports_file)
    supervisor = Supervisor(lambda _: None, rule)
    try:
        layout = make_layout(home, book, workers)
        yield await _start(layout, book.take(DEVICES), devices, supervisor, say)
    finally:
        say("stopping")
        await supervisor.stop(*STOP_ORDER)
        home.remove_stack()
        book.close()
        lock.release()


async def fresh_home(folder: Path, say: Say) -> Home:
    """An empty directory for a run: what an earlier one left is thrown away once its programs have ended.

    Raises:
        BenchError: they do not end.
    """
    home, give_up = Home(folder), time.monotonic() + LEFTOVERS_S
    while home.leftovers():
        say("waiting until the programs of the last run have ended")
        if time.monotonic() > give_up:
            raise BenchError(f"programs of the last run still use {home.path}: {home.leftovers()}; end them by hand")
        await asyncio.sleep(1.0)
    await asyncio.to_thread(_throw_away, folder)
    return home


def _throw_away(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


async def _start(layout: Layout, port: int, devices: int, supervisor: Supervisor, say: Say) -> RunningStack:
    say("starting PostgreSQL, Valkey, Temporal and the devices")
    await supervisor.start([*server_parts(layout), devices_part(layout, port, devices)], START_S)
    await prepare(layout.postgres, layout.temporal, say)
    key = await ensure_api_key(layout.postgres, layout.home.api_key_file)
    say("starting the worker and the API")
    egress = json.dumps({"default": [f"{NETWORK}:{port}"]})
    await supervisor.start([*worker_parts(layout, egress), api_part(layout, egress)], START_S)
    layout.home.write_stack(layout.document({k.part.name: k.pid for k in supervisor.keepers}))
    return RunningStack(layout, port, key, supervisor)


def devices_part(layout: Layout, port: int, devices: int) -> Part:
    """The devices; ready once the last of them listens."""
    program = [sys.executable, "-P", "-m", "bench.devices", "--devices", str(devices), "--port", str(port)]
    command = Command(program, layout.home.log(DEVICES), part_environment({}))
    return Part(DEVICES, lambda: spawn(command), lambda: accepts(port))

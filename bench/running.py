"""The real stack for one workload, with the bench's devices in place of the simulator."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.devices import NETWORK
from bench.errors import BenchError
from stack.api_client import FleetApi
from stack.bootstrap import ensure_api_key, prepare
from stack.environment import part_environment
from stack.layout import Layout
from stack.parts import api_part, server_parts, worker_parts
from stack.process import Command, spawn
from stack.readiness import accepts
from stack.scratch import START_S, Say, Scratch, scratch_stack
from stack.supervisor import Part, RestartRule, Supervisor

DEVICES = "devices"
STOP_ORDER = ("api", "worker", DEVICES, "temporal", "valkey", "postgres")
UNLIMITED = "read=1000000/60s,write=1000000/60s"
"""The bench measures what the API can do, and not what one of its many callers may ask for."""


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
    async with scratch_stack(folder, workers, say, rule, STOP_ORDER) as scratch:
        yield await _start(scratch, devices, say)


async def _start(scratch: Scratch, devices: int, say: Say) -> RunningStack:
    layout, supervisor, port = scratch.layout, scratch.supervisor, scratch.book.take(DEVICES)
    say("starting PostgreSQL, Valkey, Temporal and the devices")
    await supervisor.start([*server_parts(layout), devices_part(layout, port, devices)], START_S)
    await prepare(layout.postgres, layout.temporal, say)
    key = await ensure_api_key(layout.postgres, layout.home.api_key_file)
    say("starting the worker and the API")
    egress = json.dumps({"default": [f"{NETWORK}:{port}"]})
    await supervisor.start([*worker_parts(layout, egress), api_part(layout, egress, UNLIMITED)], START_S)
    layout.home.write_stack(layout.document({k.part.name: k.pid for k in supervisor.keepers}, egress))
    return RunningStack(layout, port, key, supervisor)


def devices_part(layout: Layout, port: int, devices: int) -> Part:
    """The devices; ready once the last of them listens."""
    program = [sys.executable, "-P", "-m", "bench.devices", "--devices", str(devices), "--port", str(port)]
    command = Command(program, layout.home.log(DEVICES), part_environment({}))
    return Part(DEVICES, lambda: spawn(command), lambda: accepts(port))

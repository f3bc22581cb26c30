"""The stack's parts in this process's hands, for tests that replace one of them under a running fleet."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stack.api_client import FleetApi, instant_ms, rfc3339
from stack.binaries import postgres_bin, scripts
from stack.layout import Layout
from stack.parts import server_parts, worker_part
from stack.scratch import START_S, scratch_stack, start_simulated
from stack.server import Server
from stack.simulated import SimulatedDevice
from stack.supervisor import Part, Supervisor
from stack.temporal import start_temporal

Json = dict[str, Any]


@dataclass
class RunningFleet:
    """A stack that is up: workers (two, as a rule), simulated devices, no chamber yet."""

    layout: Layout
    supervisor: Supervisor
    devices: Sequence[SimulatedDevice]
    egress: str
    api: FleetApi
    chambers: list[str] = field(default_factory=list)

    async def enrol(self, intervals_s: Sequence[float], span_s: float | None = None) -> list[str]:
        """A chamber at each interval on devices that have none yet; answers with their ids."""
        fresh = [device.id for device in self.devices[len(self.chambers) :]][: len(intervals_s)]
        for chamber, interval_s in zip(fresh, intervals_s, strict=True):
            await self.enrol_again(chamber, interval_s, span_s)
        self.chambers += fresh
        return fresh

    async def enrol_again(self, chamber: str, interval_s: float, span_s: float | None) -> None:
        """Enrol the chamber of this id on its device, as it was."""
        device = next(device for device in self.devices if device.id == chamber)
        body = {"id": device.id, "url": device.url, "profile": device.dialect, "section": "default"}
        await self.api.enrol(body | {"interval_s": interval_s, "round_span_s": span_s})

    async def replace_worker(self, name: str, *program: str) -> None:
        """SIGTERM for the worker, another program in its place once it has ended; returns once that polls."""
        await self.supervisor.keeper(name).stop()
        await self.supervisor.start([worker_part(self.layout, name, self.egress, program or ("workers",))], START_S)

    async def roll(self, *program: str) -> None:
        """Replace one worker after the other."""
        for name in self.layout.workers:
            await self.replace_worker(name, *program)

    async def until_collected_since(self, since_ms: int, within_s: float = 60.0) -> None:
        """Wait until every chamber has a reading of a slot after the instant."""

        async def collected() -> bool:
            listed = {chamber["id"]: chamber["last_reading"] for chamber in await self.api.chambers()}
            newest = [instant_ms(listed[chamber]) if listed[chamber] else 0 for chamber in self.chambers]
            return min(newest) > since_ms

        await until(collected, within_s)

    async def settled(self, from_ms: int, to_ms: int, within_s: float = 60.0) -> Json:
        """The audit of the range once nothing of it is pending or overdue any more."""
        found: Json = {}

        async def complete() -> bool:
            found.update(await self.api.audit(from_ms, to_ms))
            return not found["pending"] and not found["overdue"]

        await until(complete, within_s)
        return found

    async def gaps(self, from_ms: int, to_ms: int) -> list[str]:
        """Every gap run of the range in words, for the message of an assertion."""
        span = {"from": rfc3339(from_ms), "to": rfc3339(to_ms)}
        return [
            f"{chamber}: {run['first_slot']} - {run['last_slot']} {run['reason']} {run['detail']}"
            for chamber in self.chambers
            for run in (await self.api._ask("GET", f"/v1/chambers/{chamber}/gaps", params=span)).json()["items"]
        ]

    async def shell(self, command: str, folder: Path, code: int = 0) -> str:
        """What a command line of the documents prints, with the addresses of the stack; it must end with the code."""
        environment = {
            "PATH": f"{scripts()}:{postgres_bin()}:{os.environ['PATH']}",
            "HOME": str(folder),
            "CHAMBERLOG_POSTGRES": self.layout.postgres,
            "TEMPORAL_ADDRESS": self.layout.temporal,
        }
        process = await asyncio.create_subprocess_shell(
            command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(60):
            output, errors = await process.communicate()
        assert process.returncode == code, f"{command}: {output.decode()} {errors.decode()}"
        return output.decode()

    def log(self, part: str) -> str:
        """What a part has printed."""
        return self.layout.home.log(part).read_text()


async def until(what: Callable[[], Any], within_s: float = 60.0) -> None:
    """Wait until it answers so."""
    deadline = time.monotonic() + within_s
    while not await what():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.3)


@asynccontextmanager
async def running_fleet(
    folder: Path, devices: int, temporal_config: Sequence[str] = (), workers: int = 2
) -> AsyncIterator[RunningFleet]:
    """Start the parts in an empty directory; all of them have ended afterwards."""
    async with scratch_stack(folder, workers, _silent) as scratch:
        servers = [_with_config(part, scratch.layout, temporal_config) for part in server_parts(scratch.layout)]
        found = await start_simulated(scratch, servers, devices, _silent)
        async with FleetApi(scratch.layout.api, found.api_key) as api:
            yield RunningFleet(scratch.layout, scratch.supervisor, found.devices, found.egress, api)


def _silent(_: str) -> None:
    return


def _with_config(part: Part, layout: Layout, config: Sequence[str]) -> Part:
    if part.name != "temporal" or not config:
        return part

    def start() -> Server:
        data, log = layout.home.data("temporal"), layout.home.log("temporal")
        return start_temporal(data, layout.temporal_ports, log=log, more_config=config)

    return replace(part, start=start)

"""The real stack with two workers and the simulated fleet, and what is done to its parts."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaos.errors import ChaosError
from chaos.fleet import DEVICES, Chamber, bodies, chambers_of
from chaos.ledger import Served
from stack.api_client import FleetApi
from stack.fleet import start_fleet
from stack.layout import Layout
from stack.parts import server_parts, worker_part
from stack.scratch import START_S, Say, Scratch, scratch_stack, start_simulated
from stack.supervisor import Supervisor

WORKERS = ("worker", "worker-2")


@dataclass(frozen=True, slots=True)
class RunningFleet:
    """A stack that is up, with its fleet.

    Attributes:
        layout: where everything is.
        supervisor: keeps the parts.
        chambers: all that collect.
        served: the devices' log.
        say: told what is going on.
        api_key: of the local stack.
        egress: of the workers.
    """

    layout: Layout
    supervisor: Supervisor
    chambers: Sequence[Chamber]
    served: Served
    say: Say
    api_key: str = field(repr=False)
    egress: str = field(repr=False)

    def api(self) -> FleetApi:
        """A client of its API that waits as long as a part needs to start."""
        return FleetApi(self.layout.api, self.api_key, START_S)

    def pid(self, name: str) -> int:
        """Of a part's program.

        Raises:
            ChaosError: it does not run.
        """
        keeper = self.supervisor.keeper(name)
        if keeper.pid is None:
            raise ChaosError(f"{name} does not run: {keeper.problem or keeper.state}")
        return keeper.pid

    async def kill(self, *names: str) -> None:
        """SIGKILL to these parts at once; they stay down."""
        for pid in [self.pid(name) for name in names]:
            os.kill(pid, signal.SIGKILL)
        await self.stop(*names)

    async def stop(self, *names: str) -> None:
        """End these parts cleanly, side by side; they stay down. Again: nothing happens."""
        await asyncio.gather(*(self.supervisor.keeper(name).stop() for name in names))

    async def start(self, *names: str) -> None:
        """Start these parts and wait until they are up. Again: nothing happens.

        Raises:
            StartFailedError: one does not come up.
        """
        for name in names:
            self.supervisor.keeper(name).start()
        await self.supervisor.until_up(names, START_S)

    async def start_as(self, name: str, program: Sequence[str]) -> None:
        """Start a worker that was stopped as another program.

        Raises:
            StartFailedError: it does not come up.
        """
        await self.supervisor.start([worker_part(self.layout, name, self.egress, program)], START_S)

    async def all_up(self) -> None:
        """Start what is down and wait until every part is up.

        Raises:
            StartFailedError: one does not come up.
        """
        await self.start(*(keeper.part.name for keeper in self.supervisor.keepers))


@asynccontextmanager
async def running_fleet(folder: Path, every_s: Sequence[int], say: Say) -> AsyncIterator[RunningFleet]:
    """Start every part on an empty directory and enrol the fleet; every part has ended afterwards, its data stays.

    Args:
        folder: what an earlier run left in it is thrown away.
        every_s: intervals of the fast chambers.
        say: told what is going on.

    Raises:
        StackError: a part does not start.
    """
    async with scratch_stack(folder, len(WORKERS), say) as scratch:
        yield await _start(scratch, every_s, say)


async def _start(scratch: Scratch, every_s: Sequence[int], say: Say) -> RunningFleet:
    layout, supervisor = scratch.layout, scratch.supervisor
    found = await start_simulated(scratch, server_parts(layout), DEVICES, say)
    layout.home.write_stack(layout.document({k.part.name: k.pid for k in supervisor.keepers}, found.egress))
    wanted = bodies(found.devices, every_s)
    say(f"enrolling {len(wanted)} chambers")
    served = Served(layout.home.served_file)
    fleet = RunningFleet(layout, supervisor, chambers_of(wanted), served, say, found.api_key, found.egress)
    async with fleet.api() as api:
        await start_fleet(api, wanted)
    return fleet


async def settle(api: FleetApi, from_ms: int, to_ms: int, limit_s: float) -> float | None:
    """Wait until no slot of the range is open.

    Returns:
        Seconds that it took; None when some still were at the limit.

    Raises:
        FleetError: the API does not answer.
    """
    began = time.monotonic()
    while True:
        audit = await api.audit(from_ms, to_ms)
        took_s = time.monotonic() - began
        if not audit["pending"] and not audit["overdue"]:
            return round(took_s, 1)
        if took_s > limit_s:
            return None
        await asyncio.sleep(0.3)

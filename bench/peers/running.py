"""A peer in processes: PostgreSQL, what else it needs, its worker and the bench's devices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.peers.assignment import Assignment, chambers_of, timeout_ms
from bench.peers.kinds import Peer
from bench.peers.table import INSERT, PeerTable, open_table
from bench.running import DEVICES, STOP_ORDER, RunningStack, devices_part
from bench.workloads import Workload
from collector.domain.cadence import Grid
from stack.environment import part_environment
from stack.layout import Layout
from stack.parts import server_parts
from stack.process import Command, spawn
from stack.readiness import accepts
from stack.scratch import START_S, Say, scratch_stack
from stack.supervisor import Part, RestartRule

WORKER = "worker"


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """A peer that waits for chambers, or has some.

    Attributes:
        peer: which.
        stack: its parts; without an API, hence without a key.
        assignment: what its worker was told: all chambers that there may be.
        table: its readings.
    """

    peer: Peer
    stack: RunningStack
    assignment: Assignment
    table: PeerTable

    @property
    def grids(self) -> dict[int, Grid]:
        """Number of each chamber to its grid."""
        return {chamber.number: chamber.grid(self.assignment.interval_ms) for chamber in self.assignment.chambers}

    async def enrol(self, first: int, end: int) -> None:
        """Enrol the chambers of the assignment from `first` to before `end`, counted from 0.

        Raises:
            BenchError: the peer refuses.
        """
        file = self.stack.layout.home.path / f"enrol-{first}-{end}.json"
        part = replace(self.assignment, chambers=self.assignment.chambers[first:end])
        part.write(file)
        await self.peer.enrol(part, file)


@asynccontextmanager
async def running_peer(
    peer: Peer, workload: Workload, folder: Path, say: Say, rule: RestartRule | None = None
) -> AsyncIterator[RunningPeer]:
    """Start the peer on an empty directory, without chambers yet; every part has ended afterwards, its data stays.

    Args:
        peer: which.
        workload: the fleet that it may be given.
        folder: what an earlier run left in it is thrown away.
        say: told what is going on.
        rule: when a dead part is started again.

    Raises:
        ChamberlogError: a part does not start; says why.
    """
    await peer.prepare(say)
    async with scratch_stack(folder, 1, say, rule, STOP_ORDER) as scratch:
        stack = RunningStack(scratch.layout, scratch.book.take(DEVICES), "", scratch.supervisor)
        await _start_servers(peer, stack, workload, say)
        async with open_table(stack.layout.postgres) as table:
            await table.make()
            yield RunningPeer(peer, stack, await _start_worker(peer, stack, workload, say), table)


async def _start_servers(peer: Peer, stack: RunningStack, workload: Workload, say: Say) -> None:
    servers = [part for part in server_parts(stack.layout) if part.name in ("postgres", *peer.servers)]
    say(f"starting {', '.join(part.name for part in servers)} and the devices")
    devices = devices_part(stack.layout, stack.device_port, workload.chambers)
    await stack.supervisor.start([*servers, devices], START_S)


async def _start_worker(peer: Peer, stack: RunningStack, workload: Workload, say: Say) -> Assignment:
    layout = stack.layout
    assignment, file = _assignment(peer, stack, workload), layout.home.path / "assignment.json"
    assignment.write(file)
    say("starting the worker")
    await stack.supervisor.start([_worker_part(peer, layout, file)], START_S)
    layout.home.write_stack(layout.document(stack.pids()))
    return assignment


def _assignment(peer: Peer, stack: RunningStack, workload: Workload) -> Assignment:
    layout, interval_ms = stack.layout, workload.interval_s * 1000
    return Assignment(
        postgres=layout.postgres,
        redis=layout.redis,
        temporal=layout.temporal,
        insert=INSERT,
        interval_ms=interval_ms,
        timeout_ms=timeout_ms(interval_ms),
        ready_port=layout.ports[WORKER],
        tuning=dict(peer.tuning(workload.chambers)),
        chambers=chambers_of(workload, stack.device_port, peer.phase),
    )


def _worker_part(peer: Peer, layout: Layout, file: Path) -> Part:
    environment = part_environment({"NODE_ENV": "production"})
    command = Command(peer.command(file), layout.home.log(WORKER), environment)
    return Part(WORKER, lambda: spawn(command), lambda: accepts(layout.ports[WORKER]))

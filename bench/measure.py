"""Measure one workload: idle, enrolment, warm-up, the steady window, and what became of its slots."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client

from bench.accounting import MachineCpu, Memory, cpu_seconds, machine_cpu, memory_of
from bench.bootstrap import DatabaseSize, Ledger, StoredReadings, open_ledger
from bench.devices import device_host
from bench.errors import BenchError
from bench.histories import HistoryCount, count_events, server_version
from bench.running import RunningStack
from bench.workloads import SETTLE_S, Workload
from collector.domain.cadence import Grid, grid_of
from collector.domain.timerange import TimeRange
from stack.account import Account, account_of
from stack.api_client import FleetApi
from stack.fleet import drain, now_ms, start_fleet
from stack.scratch import Say

DRAIN_S = 90.0
Pids = Callable[[], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything that has been used until an instant.

    Attributes:
        at_ms: wall clock.
        clock_s: monotonic.
        pids: part to process id.
        cpu_s: part to CPU seconds, with all its descendants.
        own_s: CPU seconds of this process alone.
        machine: of the whole machine.
    """

    at_ms: int
    clock_s: float
    pids: Mapping[str, int]
    cpu_s: Mapping[str, float]
    own_s: float
    machine: MachineCpu


@dataclass(frozen=True, slots=True)
class Used:
    """What was used between two samples.

    Attributes:
        span: wall clock.
        seconds: its length on the monotonic clock.
        cpu_s: part to CPU seconds.
        own_s: of the bench itself.
        machine: of the whole machine.
    """

    span: TimeRange
    seconds: float
    cpu_s: Mapping[str, float]
    own_s: float
    machine: MachineCpu


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one workload came to.

    Attributes:
        workload: what was measured.
        idle: the stack before there was any chamber.
        window: the steady window.
        account: of the slots of the window, from the API's audit.
        readings: of the same slots, from the database.
        grown: bytes that the database grew and wrote in the window.
        memory: part to memory at the end of the window.
        history: events of the window.
        servers: versions of the running servers.
    """

    workload: Workload
    idle: Used
    window: Used
    account: Account
    readings: StoredReadings
    grown: DatabaseSize
    memory: Mapping[str, Memory]
    history: HistoryCount
    servers: Mapping[str, str]


def take_sample(pids: Mapping[str, int]) -> Sample:
    """Read all clocks and accounts, at once as far as that goes."""
    cpu = cpu_seconds(pids)
    return Sample(now_ms(), time.monotonic(), dict(pids), cpu, time.process_time(), machine_cpu())


def used_between(first: Sample, last: Sample) -> Used:
    """The difference of two samples.

    Raises:
        BenchError: a part is another process by now.
    """
    changed = sorted(name for name, pid in first.pids.items() if last.pids.get(name) != pid)
    if changed:
        raise BenchError(f"{changed[0]} was started again during the measurement")
    return Used(
        TimeRange(first.at_ms, last.at_ms),
        last.clock_s - first.clock_s,
        {name: last.cpu_s[name] - before for name, before in first.cpu_s.items()},
        last.own_s - first.own_s,
        MachineCpu(last.machine.busy_s - first.machine.busy_s, last.machine.steal_s - first.machine.steal_s),
    )


def bodies(workload: Workload, port: int) -> list[dict[str, Any]]:
    """The chambers to enrol, for `POST /v1/chambers`."""
    span = {} if workload.round_span_s is None else {"round_span_s": workload.round_span_s}
    return [
        {
            "id": f"bench-{number + 1:05d}",
            "section": "default",
            "url": f"http://{device_host(number)}:{port}/",
            "profile": "generic-json",
            "interval_s": workload.interval_s,
            **span,
        }
        for number in range(workload.chambers)
    ]


def grids_of(workload: Workload) -> dict[int, Grid]:
    """Number of each chamber, counted from 1, to its grid."""
    interval_ms = workload.interval_s * 1000
    return {number: grid_of(body["id"], interval_ms) for number, body in enumerate(bodies(workload, 0), 1)}


async def measure(workload: Workload, stack: RunningStack, say: Say) -> Measurement:
    """Measure on a stack that has just started; it is left with its chambers collecting.

    Raises:
        BenchError: a part died, or nothing was stored.
        ChamberlogError: a server does not answer.
    """
    say(f"idle for {workload.idle_s:g} s")
    await asyncio.sleep(SETTLE_S)
    idle = await _watch(stack.pids, workload.idle_s)
    client = await Client.connect(stack.layout.temporal)
    chambers = bodies(workload, stack.device_port)
    async with stack.api() as api, open_ledger(stack.layout.postgres) as ledger:
        say(f"enrolling {workload.chambers} chambers at {workload.interval_s} s")
        await start_fleet(api, chambers)
        say(f"warming up for {workload.warm_up_s:g} s")
        await asyncio.sleep(workload.warm_up_s)
        say(f"measuring for {workload.window_s:g} s")
        before = await ledger.size()
        window = await _watch(stack.pids, workload.window_s)
        after = await ledger.size()
        memory = {name: memory_of(pid) for name, pid in stack.pids().items()}
        account, readings = await _settle(api, ledger, window.span, say)
        servers = {"temporal": await server_version(client), "postgres": await ledger.version()}
    say("counting history events")
    history = await count_events(client, [c["id"] for c in chambers], window.span)
    grown = DatabaseSize(after.stored - before.stored, after.written - before.written)
    return Measurement(workload, idle, window, account, readings, grown, memory, history, servers)


async def _watch(pids: Pids, seconds: float) -> Used:
    first = take_sample(pids())
    await asyncio.sleep(seconds)
    return used_between(first, take_sample(pids()))


async def _settle(api: FleetApi, ledger: Ledger, span: TimeRange, say: Say) -> tuple[Account, StoredReadings]:
    """Wait until every slot of the window has its outcome, then ask what each became."""
    end = time.monotonic() + DRAIN_S
    await drain(api, (span.from_ms, span.to_ms), lambda: time.monotonic() > end, say)
    audit, readings = await api.audit(span.from_ms, span.to_ms), await ledger.readings(span)
    if not readings.stored:
        raise BenchError(f"no reading was stored within the window; its gaps: {audit['gaps']}")
    return account_of(audit, audit["chambers"], readings.lateness_ms), readings

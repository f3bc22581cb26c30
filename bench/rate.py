"""The highest rate of one worker process: chambers are added step by step until readings come late or not at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.figures import APART, Json
from bench.machine import machine
from bench.measure import Used, bodies, grids_of, take_sample, used_between
from bench.peers.kinds import peer_of
from bench.peers.running import WORKER, running_peer
from bench.peers.slots import Row, SlotCount, count_slots, lateness_ms
from bench.peers.table import CHAMBERLOG_ROWS, open_table
from bench.running import RunningStack, running_stack
from bench.settings import room_for
from bench.workloads import CHAMBERLOG, Workload
from collector.domain.cadence import Grid
from collector.domain.timerange import TimeRange
from stack.fleet import start_fleet
from stack.scratch import Say

STEPS = (400, 800, 1_000, 1_100, 1_200, 1_300, 1_400, 1_500, 1_600, 1_800, 2_000, 2_400, 2_800)
"""Chambers at 1 s, that is readings a second."""
TRIES = 2
"""Of a step: one hiccup of the machine is no limit."""
WINDOW_S, LAST_STORED_S = 12.0, 3.0
LATEST_MS = 1_000.0
"""The p99 that still passes."""
BUSY = 0.93
"""Of a machine's or a process's cores: from here on they are the limit."""
RATE = Workload("rate", chambers=STEPS[-1], interval_s=1, window_s=WINDOW_S)


@dataclass(frozen=True, slots=True)
class Growing:
    """A system whose fleet can grow.

    Attributes:
        stack: its parts.
        enrol: chambers from a number to before another one, counted from 0.
        rows: readings of the slots of a range.
        grids: number of each chamber that there may be, counted from 1, to its grid.
    """

    stack: RunningStack
    enrol: Callable[[int, int], Awaitable[None]]
    rows: Callable[[TimeRange], Awaitable[list[Row]]]
    grids: Mapping[int, Grid]


async def highest_rate(
    system: str, folder: Path, say: Say, workload: Workload = RATE, steps: Sequence[int] = STEPS
) -> Json:
    """Find the highest step at which p99 lateness stays under 1 s and every slot has its reading.

    Args:
        system: `chamberlog`, or a key of `bench.peers.kinds.PEERS`.
        folder: where its data is kept; what an earlier run left there is thrown away.
        say: told what is going on.
        workload: the largest fleet, and the window of a step.
        steps: chambers, growing, at most those of the workload.

    Returns:
        `system`, `interval_s`, `highest_readings_per_second` (0 when the first step failed), `limit` in words, and the
        `steps`, each try for itself.

    Raises:
        BenchError: a part died, or Node is absent.
        ChamberlogError: a part does not start.
    """
    async with _growing(system, workload, folder, say) as growing:

        async def grow(first: int, end: int) -> None:
            say(f"enrolling up to {end} chambers at {workload.interval_s} s")
            await growing.enrol(first, end)

        async def attempt(chambers: int) -> Json:
            step = await _try(growing, chambers, workload)
            say(step_in_words(step))
            return step

        tried = await climb(steps, grow, attempt)
    best = max((step["readings_per_second"] for step in tried if step["passed"]), default=0)
    return {
        "system": system,
        "interval_s": workload.interval_s,
        "highest_readings_per_second": best,
        "limit": limit_of(tried[-1], machine().cores),
        "steps": tried,
    }


async def climb(
    steps: Sequence[int],
    grow: Callable[[int, int], Awaitable[None]],
    attempt: Callable[[int], Awaitable[Json]],
) -> list[Json]:
    """Go up until a step has failed as often as it may.

    Args:
        steps: chambers, growing.
        grow: adds the chambers from a number to before another one.
        attempt: tries so many chambers; answers with `passed`.

    Returns:
        All tries.
    """
    tried: list[Json] = []
    for have, chambers in zip((0, *steps), steps, strict=False):
        await grow(have, chambers)
        for _ in range(TRIES):
            tried.append(await attempt(chambers))
            if tried[-1]["passed"]:
                break
        else:
            return tried
    return tried


async def _try(growing: Growing, chambers: int, workload: Workload) -> Json:
    await asyncio.sleep(workload.warm_up_s)
    first = take_sample(growing.stack.pids())
    await asyncio.sleep(workload.window_s)
    used = used_between(first, take_sample(growing.stack.pids()))
    await asyncio.sleep(LAST_STORED_S)
    rows = [row for row in await growing.rows(used.span) if row.chamber <= chambers]
    grids = {number: grid for number, grid in growing.grids.items() if number <= chambers}
    step = step_figures(count_slots(grids, rows, used.span), lateness_ms(rows), used)
    return {"chambers": chambers, "readings_per_second": chambers // workload.interval_s, **step}


def step_figures(count: SlotCount, late: Mapping[str, float], used: Used) -> Json:
    """What one try of a step came to."""
    cores = {name: round(cpu_s / used.seconds, 2) for name, cpu_s in used.cpu_s.items()}
    return {
        "passed": not count.missing and late.get("p99", LATEST_MS) < LATEST_MS,
        "slots": asdict(count),
        "lateness_ms": dict(late),
        "cores": cores | {"bench": round(used.own_s / used.seconds, 2)},
        "machine_cores": round(used.machine.busy_s / used.seconds, 2),
        "stack_cores": round(sum(used.cpu_s[name] for name in used.cpu_s if name not in APART) / used.seconds, 2),
    }


def step_in_words(step: Json) -> str:
    """For whoever waits."""
    late = step["lateness_ms"].get("p99")
    return (
        f"{step['chambers']} chambers: p99 {late} ms, {step['slots']['missing']} of {step['slots']['expected']} slots "
        f"missing, machine {step['machine_cores']} cores, worker {step['cores'][WORKER]}: "
        + ("passed" if step["passed"] else "failed")
    )


def limit_of(step: Json, cores: int) -> str:
    """What was full at a step, on a machine of so many cores."""
    if step["passed"]:
        return "not reached: the last step passed"
    full = step["machine_cores"] >= BUSY * cores
    worker = step["cores"][WORKER] >= BUSY
    if full:
        return f"the machine: {step['machine_cores']} of {cores} cores" + (
            ", and the worker's process" if worker else ""
        )
    return "the worker's process" if worker else "neither the machine nor the worker's process was full"


def _growing(system: str, workload: Workload, folder: Path, say: Say) -> AbstractAsyncContextManager[Growing]:
    if system == CHAMBERLOG:
        return _growing_chamberlog(workload, folder, say)
    return _growing_peer(system, workload, folder, say)


@asynccontextmanager
async def _growing_chamberlog(workload: Workload, folder: Path, say: Say) -> AsyncIterator[Growing]:
    with room_for(workload):
        async with (
            running_stack(folder, workload.chambers, workload.workers, say) as stack,
            stack.api() as api,
            open_table(stack.layout.postgres) as table,
        ):
            chambers = bodies(workload, stack.device_port)

            async def enrol(first: int, end: int) -> None:
                await start_fleet(api, chambers[first:end])

            async def rows(span: TimeRange) -> list[Row]:
                return await table.rows(span, CHAMBERLOG_ROWS)

            yield Growing(stack, enrol, rows, grids_of(workload))


@asynccontextmanager
async def _growing_peer(system: str, workload: Workload, folder: Path, say: Say) -> AsyncIterator[Growing]:
    async with running_peer(peer_of(system), workload, folder, say) as running:
        yield Growing(running.stack, running.enrol, running.table.rows, running.grids)

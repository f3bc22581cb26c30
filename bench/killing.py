"""What a killed worker costs: slots lost without a word, doubled and late, of chamberlog and of each peer.

The fleet runs, the worker's process gets SIGKILL, stays down for a while, and is started again. The count goes over all
slots of the grid from one interval before the kill to the end.
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bench.errors import BenchError
from bench.figures import Json
from bench.measure import bodies, grids_of
from bench.peers.kinds import peer_of
from bench.peers.measure import settle
from bench.peers.running import WORKER, running_peer
from bench.peers.slots import Row, count_slots
from bench.peers.table import CHAMBERLOG_ROWS, open_table
from bench.running import running_stack
from bench.workloads import CHAMBERLOG, Workload
from collector.domain.cadence import Grid
from collector.domain.timerange import TimeRange
from stack.api_client import rfc3339
from stack.fleet import drain, now_ms, start_fleet
from stack.scratch import START_S, Say
from stack.supervisor import Keeper, RestartRule, State, Supervisor

WATCHED_S = 70.0
"""After the outage. Chamberlog's new worker takes over at once on the same machine and after 10 s on another; BullMQ
looks for stalled jobs each 30 s, and takes one that it finds twice."""
DOWN_S, LONG_DOWN_S = 3.0, 20.0
PEER_SETTLE_S, DRAIN_S = 20.0, 90.0
POLL_S = 0.05
KILL = Workload("kill", chambers=100, interval_s=5, window_s=WATCHED_S)
"""The fleet of which a worker is killed, unless the caller has another one."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A kill that happened.

    Attributes:
        at_ms: wall clock.
        down_s: until the worker worked again.
        span: the slots that are counted.
    """

    at_ms: int
    down_s: float
    span: TimeRange


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was found when everything had settled.

    Attributes:
        grids: number of each chamber to its grid.
        rows: all readings of the span.
        gaps: reason to slots that have a recorded gap instead of a reading.
    """

    grids: Mapping[int, Grid]
    rows: Sequence[Row]
    gaps: Mapping[str, int]


async def kill_peer(name: str, workload: Workload, folder: Path, say: Say, down_s: float = DOWN_S) -> Json:
    """Kill a peer's worker once.

    Args:
        name: a key of `bench.peers.kinds.PEERS`.
        workload: its fleet; how long it is watched is this module's affair.
        folder: where its data is kept; what an earlier run left there is thrown away.
        say: told what is going on.
        down_s: until the worker is started again.

    Returns:
        See `account_of_kill`.

    Raises:
        BenchError: there is no such peer, the worker did not come back, or Node is absent.
        ChamberlogError: a part does not start.
    """
    peer = peer_of(name)
    async with running_peer(peer, workload, folder, say, _after(down_s)) as running:
        await running.enrol(0, workload.chambers)
        kill = await _kill(running.stack.supervisor, workload, down_s, say)
        await settle(running, kill.span, PEER_SETTLE_S, say)
        found = Aftermath(running.grids, await running.table.rows(kill.span), {})
    return {"system": peer.name, "title": peer.title, **account_of_kill(kill, found, workload)}


async def kill_chamberlog(workload: Workload, folder: Path, say: Say, down_s: float = DOWN_S) -> Json:
    """Kill the worker of the real stack once; arguments, answer and errors as `kill_peer` has them."""
    async with (
        running_stack(folder, workload.chambers, workload.workers, say, _after(down_s)) as stack,
        stack.api() as api,
    ):
        chambers = bodies(workload, stack.device_port)
        say(f"enrolling {workload.chambers} chambers at {workload.interval_s} s")
        await start_fleet(api, chambers)
        kill = await _kill(stack.supervisor, workload, down_s, say)
        give_up = time.monotonic() + DRAIN_S
        span = (kill.span.from_ms, kill.span.to_ms)
        await drain(api, span, lambda: time.monotonic() > give_up, say)
        gaps = {reason: slots for reason, slots in (await api.audit(*span))["gaps"].items() if slots}
        async with open_table(stack.layout.postgres) as table:
            rows = await table.rows(kill.span, CHAMBERLOG_ROWS)
    found = Aftermath(grids_of(workload), rows, gaps)
    return {"system": CHAMBERLOG, "title": CHAMBERLOG, **account_of_kill(kill, found, workload)}


def account_of_kill(kill: Kill, found: Aftermath, workload: Workload) -> Json:
    """What a kill came to, with the same names for every system.

    Args:
        kill: what was done.
        found: what was there afterwards.
        workload: the fleet.

    Returns:
        `expected` slots; `stored` with a reading; `gaps` by reason; `lost_silently` with neither; `doubled` with more
        than one reading; `late` readings whose request began more than an interval after its slot; the
        `longest_silence_s` of any chamber, between two requests or from the last one to the end; `worker_down_s`.
    """
    count, span = count_slots(found.grids, found.rows, kill.span), kill.span
    interval_ms = workload.interval_s * 1000
    return {
        "chambers": workload.chambers,
        "interval_s": workload.interval_s,
        "from": rfc3339(span.from_ms),
        "killed_at": rfc3339(kill.at_ms),
        "to": rfc3339(span.to_ms),
        "worker_down_s": round(kill.down_s, 1),
        "expected": count.expected,
        "stored": count.stored,
        "gaps": dict(found.gaps),
        "lost_silently": count.missing - sum(found.gaps.values()),
        "doubled": count.doubled,
        "late": sum(row.late_ms > interval_ms for row in found.rows),
        "longest_silence_s": round(longest_silence_ms(found, span) / 1000, 1),
    }


def longest_silence_ms(found: Aftermath, span: TimeRange) -> int:
    """The longest time without a request to a chamber, from the begin of the range to its end."""
    requests: dict[int, list[int]] = {chamber: [span.from_ms, span.to_ms] for chamber in found.grids}
    for row in found.rows:
        requests[row.chamber].append(row.requested_ms)
    return max(later - earlier for instants in requests.values() for earlier, later in pairwise(sorted(instants)))


def _after(down_s: float) -> RestartRule:
    return RestartRule(first_wait_s=down_s, longest_wait_s=down_s)


async def _kill(supervisor: Supervisor, workload: Workload, outage_s: float, say: Say) -> Kill:
    """Warm up, one interval in peace, the kill, and the time after it."""
    say(f"warming up for {workload.warm_up_s:g} s")
    await asyncio.sleep(workload.warm_up_s)
    from_ms = now_ms()
    await asyncio.sleep(workload.interval_s)
    worker = next(keeper for keeper in supervisor.keepers if keeper.part.name == WORKER)
    if worker.pid is None or worker.restarts:
        raise BenchError(f"the worker died before it was killed: {worker.problem}")
    say("killing the worker")
    at_ms, began_s = now_ms(), time.monotonic()
    os.kill(worker.pid, signal.SIGKILL)
    await _until_back(worker)
    down_s = time.monotonic() - began_s
    rest_s = began_s + outage_s + WATCHED_S - time.monotonic()
    say(f"the worker is back after {down_s:.1f} s; watching for another {rest_s:.0f} s")
    await asyncio.sleep(rest_s)
    return Kill(at_ms, down_s, TimeRange(from_ms, now_ms()))


async def _until_back(worker: Keeper) -> None:
    give_up = time.monotonic() + START_S
    while not (worker.restarts and worker.state is State.UP):
        if worker.failed or time.monotonic() > give_up:
            raise BenchError(f"the killed worker did not come back: {worker.problem}")
        await asyncio.sleep(POLL_S)

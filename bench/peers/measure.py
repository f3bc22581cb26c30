"""Measure one peer: enrolment, warm-up, the steady window, and what became of its slots."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.accounting import Memory, memory_of
from bench.errors import BenchError
from bench.figures import APART, Json, machine_cpu_s
from bench.measure import Used, take_sample, used_between
from bench.peers.kinds import Peer, peer_of
from bench.peers.running import RunningPeer, running_peer
from bench.peers.slots import Row, count_slots, expected_slots, lateness_ms
from bench.workloads import Workload
from collector.domain.cadence import Grid
from collector.domain.timerange import TimeRange
from stack.api_client import rfc3339
from stack.scratch import Say

SETTLE_S = 20.0
"""Patience with readings of the window that are not stored at its end."""
POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class PeerWindow:
    """What the steady window came to.

    Attributes:
        used: by whom.
        grids: number of each chamber to its grid.
        rows: readings of the window's slots.
        memory: part to memory at the end of the window.
    """

    used: Used
    grids: Mapping[int, Grid]
    rows: Sequence[Row]
    memory: Mapping[str, Memory]


async def measure_peer(name: str, workload: Workload, folder: Path, say: Say) -> Json:
    """Measure a peer on servers of its own.

    Args:
        name: a key of `bench.peers.kinds.PEERS`.
        workload: its fleet, and how long it is watched.
        folder: where its data is kept; what an earlier run left there is thrown away.
        say: told what is going on.

    Returns:
        An object of JSON: `name`, `title`, `chambers`, `interval_s`, `window`, `readings`, `cpu_ms_per_reading`,
        `apart_cpu_ms_per_reading`, `cores_used`, `machine_cpu_s`, `lateness_ms`, `memory_bytes`, `settings`,
        `versions`.

    Raises:
        BenchError: there is no such peer, a part died, nothing was stored, or Node is absent.
        ChamberlogError: a part does not start.
    """
    peer = peer_of(name)
    async with running_peer(peer, workload, folder, say) as running:
        await running.enrol(0, workload.chambers)
        say(f"warming up for {workload.warm_up_s:g} s")
        await asyncio.sleep(workload.warm_up_s)
        say(f"measuring for {workload.window_s:g} s")
        window = await _watch(running, workload.window_s, say)
        versions = {**await peer.versions(running.assignment), "postgres server": await running.table.version()}
    return {**what(peer, workload), **peer_figures(window), "versions": versions}


async def _watch(running: RunningPeer, seconds: float, say: Say) -> PeerWindow:
    first = take_sample(running.stack.pids())
    await asyncio.sleep(seconds)
    last = take_sample(running.stack.pids())
    memory = {name: memory_of(pid) for name, pid in last.pids.items()}
    used = used_between(first, last)
    await settle(running, used.span, SETTLE_S, say)
    return PeerWindow(used, running.grids, await running.table.rows(used.span), memory)


async def settle(running: RunningPeer, span: TimeRange, patience_s: float, say: Say) -> None:
    """Wait until every slot of the range has its reading, or the patience is over: a peer may never bring some."""
    give_up, expected = time.monotonic() + patience_s, expected_slots(running.grids.values(), span)
    while (left := expected - await running.table.slots(span)) > 0 and time.monotonic() < give_up:
        say(f"waiting for {left} slots")
        await asyncio.sleep(POLL_S)


def what(peer: Peer, workload: Workload) -> Json:
    """What is measured, and with which settings."""
    settings = {**peer.tuning(workload.chambers), **peer.notes}
    fleet = {"chambers": workload.chambers, "interval_s": workload.interval_s}
    return {"name": peer.name, "title": peer.title, **fleet, "settings": settings}


def peer_figures(window: PeerWindow) -> Json:
    """The figures of a window.

    Raises:
        BenchError: nothing was stored.
    """
    used, count = window.used, count_slots(window.grids, window.rows, window.used.span)
    if not count.stored:
        raise BenchError("the peer stored no reading within the window; its worker's log says why")
    parts = {name: cpu_s for name, cpu_s in used.cpu_s.items() if name not in APART}
    apart = {name: used.cpu_s[name] for name in APART} | {"bench": used.own_s}
    total_s = sum(parts.values())
    ends = {"from": rfc3339(used.span.from_ms), "to": rfc3339(used.span.to_ms), "seconds": round(used.seconds, 3)}
    return {
        "window": ends,
        "readings": asdict(count) | {"per_second": round(count.stored / used.seconds, 2)},
        "cpu_ms_per_reading": _per_reading(parts | {"total": total_s}, count.stored),
        "apart_cpu_ms_per_reading": _per_reading(apart, count.stored),
        "cores_used": round(total_s / used.seconds, 3),
        "machine_cpu_s": machine_cpu_s(used, total_s),
        "lateness_ms": lateness_ms(window.rows),
        "memory_bytes": {name: {"rss_peak": use.rss_peak, "pss": use.pss} for name, use in window.memory.items()},
    }


def _per_reading(cpu_s: Mapping[str, float], readings: int) -> dict[str, float]:
    return {name: round(seconds * 1000 / readings, 3) for name, seconds in cpu_s.items()}

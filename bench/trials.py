"""All that a run can measure, in its order: workloads of the stack, its peers, the highest rates, the kills."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench.figures import Json, figures
from bench.fleet import CHAMBERS, FLEET, QUICK_CHAMBERS, measure_fleet
from bench.gateway import GATEWAY, measure_gateway
from bench.killing import DOWN_S, KILL, LONG_DOWN_S, kill_chamberlog, kill_peer
from bench.machine import machine
from bench.mapping import MAPPING, measure_mapping
from bench.measure import measure
from bench.peers.measure import measure_peer
from bench.rate import highest_rate
from bench.running import running_stack
from bench.settings import room_for
from bench.workloads import (
    CHAMBERLOG,
    FAST,
    LARGE,
    LONG,
    PEER_SHAPES,
    SECOND,
    SHAPES,
    SLOW,
    SMALL,
    Wish,
    Workload,
    workload,
)
from stack.scratch import Say

BULLMQ = "bullmq"
ORDER = ((FAST, BULLMQ, LONG), ("naive", "schedules"), (SMALL, LARGE), (SECOND, SLOW))
"""What is compared stands together: a shared machine changes within the hour."""
KILLS = (
    ((CHAMBERLOG, DOWN_S), (BULLMQ, DOWN_S), (CHAMBERLOG, LONG_DOWN_S), (BULLMQ, LONG_DOWN_S)),
    (("naive", DOWN_S), ("schedules", DOWN_S)),
)
"""Those of a line run side by side: their slots are counted, not their CPU, and the dear ones stand apart."""


class Group(StrEnum):
    """What is measured of a system; also where it stands in the report, and a name for `--only`."""

    WORKLOADS = "workloads"
    PEERS = "peers"
    RATE = "rate"
    KILL = "kill"
    FLEET = "fleet"
    MAPPING = "mapping"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing to measure.

    Attributes:
        name: unique; for `--only`.
        group: see there.
        about: in words.
        in_quick: whether a quick run has it unless it is told otherwise.
        of_peer: whether it measures a peer.
        run: with a folder for its data; answers with an object of the report.
    """

    name: str
    group: Group
    about: str
    in_quick: bool
    of_peer: bool
    run: Callable[[Path, Say], Awaitable[Json]]


Batch = Sequence[Trial]
"""Trials that run side by side; most are alone."""


def batches(wish: Wish) -> list[Batch]:
    """Everything that there is, in the order of a run."""
    singles = [name for names in ORDER for name in names]
    return [
        *([_fleet(name, wish)] for name in singles),
        *([_rate(system)] for system in (CHAMBERLOG, BULLMQ)),
        *([_kill(system, down_s) for system, down_s in line] for line in KILLS),
        [_imported(wish)],
        [_mapping()],
        [_gateway()],
    ]


def chosen(wish: Wish, only: Sequence[str], *, peers: bool) -> list[Batch]:
    """What the person wants of it.

    Args:
        wish: how.
        only: names of trials and groups; nothing = everything, or what a quick run has.
        peers: whether peers are measured at all.
    """

    def wanted(trial: Trial) -> bool:
        asked = {trial.name, trial.group} & set(only) if only else trial.in_quick or not wish.quick
        return bool(asked) and (peers or not trial.of_peer)

    kept = ([trial for trial in batch if wanted(trial)] for batch in batches(wish))
    return [batch for batch in kept if batch]


def names() -> Iterator[str]:
    """What `--only` takes; a group of one has its name."""
    yield from dict.fromkeys([*(trial.name for trial in everything()), *Group])


def everything() -> list[Trial]:
    """Of a normal run."""
    return [trial for batch in batches(Wish()) for trial in batch]


def _fleet(name: str, wish: Wish) -> Trial:
    """A workload of the stack, or a peer."""
    fleet, ours = workload(name, wish), name in SHAPES
    shape = SHAPES[name] if ours else PEER_SHAPES[name]

    async def run(folder: Path, say: Say) -> Json:
        return await (_measure(fleet, folder, say) if ours else measure_peer(name, fleet, folder, say))

    about = f"{fleet.chambers:,} x {fleet.interval_s} s: {shape.about}"
    return Trial(name, Group.WORKLOADS if ours else Group.PEERS, about, bool(shape.quick_chambers), not ours, run)


def _rate(system: str) -> Trial:
    about = "the highest rate of one worker process"
    return Trial(
        f"rate-{system}",
        Group.RATE,
        about,
        in_quick=False,
        of_peer=system != CHAMBERLOG,
        run=lambda folder, say: highest_rate(system, folder, say),
    )


def _kill(system: str, down_s: float) -> Trial:
    ours, long = system == CHAMBERLOG, down_s != DOWN_S

    async def run(folder: Path, say: Say) -> Json:
        if ours:
            return await kill_chamberlog(KILL, folder, say, down_s)
        return await kill_peer(system, KILL, folder, say, down_s)

    name = f"kill-{system}" + (f"-{down_s:g}s" if long else "")
    quick = system in (CHAMBERLOG, BULLMQ) and not long
    about = f"{KILL.chambers} x {KILL.interval_s} s: the worker is killed and away for {down_s:g} s"
    return Trial(name, Group.KILL, about, quick, not ours, run)


def _imported(wish: Wish) -> Trial:
    chambers = wish.chambers or (QUICK_CHAMBERS if wish.quick else CHAMBERS)
    about = f"{chambers:,} chambers are imported from a file and asked for"
    return Trial(
        FLEET,
        Group.FLEET,
        about,
        in_quick=True,
        of_peer=False,
        run=lambda folder, say: measure_fleet(chambers, folder, say),
    )


def _mapping() -> Trial:
    async def run(_folder: Path, say: Say) -> Json:
        return measure_mapping(say)

    return Trial(MAPPING, Group.MAPPING, "an answer of each built-in profile is mapped", True, False, run)  # noqa: FBT003


def _gateway() -> Trial:
    about = "a read directly and through the gateway"
    return Trial(GATEWAY, Group.GATEWAY, about, in_quick=True, of_peer=False, run=measure_gateway)


async def _measure(fleet: Workload, folder: Path, say: Say) -> Json:
    with room_for(fleet) as raised:
        async with running_stack(folder, fleet.chambers, fleet.workers, say) as stack:
            measurement = await measure(fleet, stack, say)
    return {**figures(measurement, machine().cores), "servers": dict(measurement.servers), "raised": dict(raised)}

"""What is done to the stack, fault by fault. Each returns when every part is up again, with what is worth a note."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from chaos.errors import ChaosError
from chaos.ledger import empty_disk, fill_disk
from chaos.rounds import carriers, give_again
from chaos.running import WORKERS, RunningFleet

WORKER_DOWN_S = 3.0
AGAIN_AFTER_S = (10.0, 10.0)
"""A round that was given again is carried by two for a while: then it is done once more, and watched."""
IDENTITY_PREFIX = "chamberlog-worker/"
Deed = Callable[[RunningFleet], Awaitable[list[str]]]


def killed(*names: str) -> Deed:
    """SIGKILL to these parts at once, and their start without delay."""

    async def deed(fleet: RunningFleet) -> list[str]:
        await fleet.kill(*names)
        await fleet.start(*names)
        return []

    return deed


def stopped(seconds: float, *names: str) -> Deed:
    """These parts are down for a while."""

    async def deed(fleet: RunningFleet) -> list[str]:
        await fleet.stop(*names)
        await asyncio.sleep(seconds)
        await fleet.start(*names)
        return []

    return deed


def worker_killed(*besides: str) -> Deed:
    """SIGKILL to the worker that carries more rounds, and to other parts with it; the worker is away for 3 s."""

    async def deed(fleet: RunningFleet) -> list[str]:
        victim, note = await busier(fleet)
        await fleet.kill(victim, *besides)
        if besides:
            await fleet.start(*besides)
        await asyncio.sleep(WORKER_DOWN_S)
        await fleet.start(victim)
        return [note]

    return deed


async def deployed(fleet: RunningFleet) -> list[str]:
    """SIGTERM to one worker after the other; the next one's turn comes when the one before is ready again."""
    for name in WORKERS:
        await fleet.stop(name)
        await fleet.start(name)
    return []


def deployed_without(seconds: float, *names: str) -> Deed:
    """A rolling deploy while other parts are down."""

    async def deed(fleet: RunningFleet) -> list[str]:
        await fleet.stop(*names)
        await asyncio.gather(deployed(fleet), asyncio.sleep(seconds))
        await fleet.start(*names)
        return []

    return deed


def disk_full(seconds: float) -> Deed:
    """The database refuses every reading with SQLSTATE 53100 for a while."""

    async def deed(fleet: RunningFleet) -> list[str]:
        try:
            await fill_disk(fleet.layout.postgres)
            await asyncio.sleep(seconds)
        finally:
            await empty_disk(fleet.layout.postgres)
        return []

    return deed


def frozen(seconds: float) -> Deed:
    """SIGSTOP to the worker that carries more rounds, SIGCONT after a while."""

    async def deed(fleet: RunningFleet) -> list[str]:
        victim, note = await busier(fleet)
        pid = fleet.pid(victim)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)
        return [note]

    return deed


async def given_twice(fleet: RunningFleet) -> list[str]:
    """Every running round is given again while its worker goes on carrying it, twice."""
    fast, notes = [chamber for chamber in fleet.chambers if chamber.fast], []
    for wait_s in AGAIN_AFTER_S:
        given = await give_again(fleet.layout.temporal, fast)
        if not given:
            raise ChaosError("no round ran that could be given again: nothing was tried")
        notes.append(f"{given} rounds given again")
        await asyncio.sleep(wait_s)
    return notes


def clock_wrong(seconds: float, ahead_ms: int) -> Deed:
    """One worker is replaced by one with a wrong wall clock, gets the other one's rounds, and is put back later."""

    async def deed(fleet: RunningFleet) -> list[str]:
        other, name = WORKERS
        await fleet.stop(name)
        await fleet.start_as(name, ("chaos.clock_worker", "--ahead-ms", str(ahead_ms)))
        await fleet.stop(other)
        await fleet.start(other)
        await asyncio.sleep(seconds)
        carried = (await carriers_by_part(fleet)).get(name, 0)
        await fleet.stop(name)
        await fleet.start_as(name, ("workers",))
        if not carried:
            raise ChaosError("the worker with the wrong clock carried no round: nothing was tried")
        return [f"it carried {carried} rounds at the end"]

    return deed


async def busier(fleet: RunningFleet) -> tuple[str, str]:
    """The worker that carries more rounds, and a note that says how many."""
    found = await carriers_by_part(fleet)
    victim = max(WORKERS, key=lambda name: found.get(name, 0))
    if not found.get(victim):
        raise ChaosError("no worker carries a round: there is nobody to be tried")
    return victim, f"{victim} carried {found[victim]} of {sum(found.values())} rounds"


async def carriers_by_part(fleet: RunningFleet) -> dict[str, int]:
    """Worker to the number of rounds that it carries; its identity begins with its process's number."""
    names: dict[int | None, str] = {fleet.pid(name): name for name in WORKERS}
    found: dict[str, int] = {}
    for identity, rounds in (await carriers(fleet.layout.temporal, fleet.chambers)).items():
        name = names.get(process_of(identity))
        if name is not None:
            found[name] = found.get(name, 0) + rounds
    return found


def process_of(identity: str) -> int | None:
    """The process number in a worker's identity, `chamberlog-worker/<number>@<machine>/<chance>`; None in any other."""
    number = identity.removeprefix(IDENTITY_PREFIX).partition("@")[0]
    return int(number) if identity.startswith(IDENTITY_PREFIX) and number.isdecimal() else None

"""A stack in a directory whose former data is thrown away: for runs that measure or try something."""

import asyncio
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.domain.errors import ChamberlogError
from stack.bootstrap import ensure_api_key, prepare
from stack.edge import edge_parts
from stack.errors import DataError
from stack.home import Home
from stack.layout import Layout, egress_document, make_layout
from stack.parts import STOP_ORDER, api_part, simulator_part, worker_parts
from stack.ports import PortBook
from stack.simulated import SimulatedDevice, read_devices
from stack.supervisor import Part, RestartRule, Supervisor

START_S = 90.0
"""A part that is not ready after this will not be."""
LEFTOVERS_S = 45.0
"""Programs of a killed run end by themselves within this time."""
FAILED, INTERRUPTED = 1, 130
Say = Callable[[str], None]


def run_claimed(folder: Path, run: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run it while this process has the directory; SIGTERM and SIGHUP end it as Ctrl-C does.

    Returns:
        What it answers; 1 after an error, which is written to standard error; 130 when interrupted.
    """
    try:
        lock = Home(folder).claim()
        try:
            return asyncio.run(_ended_by_signals(run))
        finally:
            lock.release()
    except ChamberlogError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED


async def _ended_by_signals(run: Callable[[], Coroutine[Any, Any, int]]) -> int:
    running = asyncio.current_task()
    assert running is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    return await run()


@dataclass(frozen=True, slots=True)
class Scratch:
    """A claimed, empty directory in which nothing runs yet.

    Attributes:
        layout: where everything will be.
        book: where more ports are taken.
        supervisor: keeps the parts that are started.
    """

    layout: Layout
    book: PortBook
    supervisor: Supervisor


@asynccontextmanager
async def scratch_stack(
    folder: Path,
    workers: int,
    say: Say,
    rule: RestartRule | None = None,
    stop_order: Sequence[str] = STOP_ORDER,
    *,
    edge: bool = False,
) -> AsyncIterator[Scratch]:
    """An empty directory for a stack; every part that was started in it has ended afterwards, its data stays.

    Args:
        folder: what an earlier run left in it is thrown away, once its programs have ended.
        workers: how many.
        say: told what is going on.
        rule: when a dead part is started again.
        stop_order: of the parts.
        edge: with a gateway, its authz service and an egress proxy.

    Raises:
        DataError: programs of an earlier run do not end.
        AlreadyRunningError: another process has the directory.
    """
    home = await _emptied(folder, say)
    lock, book = home.claim(), PortBook(home.ports_file)
    supervisor = Supervisor(lambda _: None, rule)
    try:
        yield Scratch(make_layout(home, book, workers, edge=edge), book, supervisor)
    finally:
        say("stopping")
        await supervisor.stop(*stop_order)
        home.remove_stack()
        book.close()
        lock.release()


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a simulated fleet is enrolled with.

    Attributes:
        devices: that answer.
        egress: of workers and API: exactly these devices.
        api_key: of the local stack.
    """

    devices: Sequence[SimulatedDevice]
    egress: str
    api_key: str = field(repr=False)


async def start_simulated(scratch: Scratch, servers: Sequence[Part], devices: int, say: Say) -> Simulated:
    """Start servers, simulator, workers and API; no chamber is enrolled yet.

    Raises:
        StackError: a part does not start.
    """
    layout, supervisor = scratch.layout, scratch.supervisor
    say("starting PostgreSQL, Valkey, Temporal and the simulator")
    await supervisor.start([*servers, simulator_part(layout, devices)], START_S)
    await prepare(layout.postgres, layout.temporal, say)
    key = await ensure_api_key(layout.postgres, layout.home.api_key_file)
    say("starting the workers and the API")
    found = read_devices(layout.home.devices_file)
    egress = egress_document(device.port for device in found)
    parts = [*worker_parts(layout, egress), api_part(layout, egress), *edge_parts(layout, egress)]
    await supervisor.start(parts, START_S)
    return Simulated(found, egress, key)


async def _emptied(folder: Path, say: Say) -> Home:
    home, give_up = Home(folder), time.monotonic() + LEFTOVERS_S
    while home.leftovers():
        say("waiting until the programs of the last run have ended")
        if time.monotonic() > give_up:
            raise DataError(f"programs of the last run still use {home.path}: {home.leftovers()}; end them by hand")
        await asyncio.sleep(1.0)
    await asyncio.to_thread(_throw_away, folder)
    return home


def _throw_away(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)

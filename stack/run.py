"""One run of the stack: start, collect, wind down."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from collector.domain.errors import ChamberlogError
from stack.account import Account, account_of
from stack.api_client import FleetApi
from stack.bootstrap import egress_text, ensure_api_key, lateness_of, log_to_file, prepare
from stack.display import Display
from stack.edge import edge_parts
from stack.errors import FleetError, StackError
from stack.fleet import Collecting, Paused, drain, pause_fleet, start_fleet
from stack.layout import Layout, egress_document
from stack.part_log import PartLog
from stack.parts import STOP_ORDER, api_part, otlp_parts, server_parts, simulator_part, worker_parts
from stack.simulated import SimulatedDevice, chambers_of, read_devices
from stack.supervisor import Keeper, State, Supervisor

START_S = 90.0
"""A part that is not ready after this will not be: a slow machine needs 10 s."""
DRAIN_S = 90.0
"""Above the time after which the rounds of a killed worker are given to another, plus one store."""
LOOK_S = 2.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What `chamberlog up` was asked for.

    Attributes:
        home: directory of the stack.
        for_s: stop after so many seconds, drain and audit; None = until Ctrl-C.
        as_json: print the account as one JSON object instead of a table.
        simulator: with a simulated fleet.
        workers: worker processes, at least 1.
        chambers: simulated chambers, at least 1.
        dialects: that their devices speak in turn; none = the usual ones.
        envoy: with gateway, authz service and egress proxy, where the platform has Envoy.
        telemetry: with a receiver of OTLP, to which every part tells what it does.
    """

    home: Path
    for_s: float | None = None
    as_json: bool = False
    simulator: bool = True
    workers: int = 1
    chambers: int = 12
    dialects: tuple[str, ...] = ()
    envoy: bool = True
    telemetry: bool = False


class StackRun:
    """One run of the stack in a directory that this process has claimed.

    Args:
        options: what was asked for.
        layout: where everything is.
        display: where progress is shown.
    """

    def __init__(self, options: UpOptions, layout: Layout, display: Display) -> None:
        self._options, self._layout, self._display = options, layout, display
        self._supervisor = Supervisor(self._changed)
        self._log = PartLog(log_to_file("stack.parts", layout.home.log("stack"), "chamberlog-stack"))
        self._stop, self._hurry = asyncio.Event(), asyncio.Event()
        self._announced = False
        self._key = self._egress = ""
        self.account: Account | None = None

    def interrupt(self) -> None:
        """Stop cleanly; the second call no longer waits for outcomes that are not saved yet."""
        if self._stop.is_set():
            self._hurry.set()
            self._display.note("stopping without waiting for the rest")
        self._stop.set()

    async def run(self) -> int:
        """Run until interrupted, or for the time that was asked for; every part has ended afterwards.

        Returns:
            0; 1 when a part stayed down, the stack could not start or slots are unaccounted; 2 when slots are overdue.
        """
        code = 0
        try:
            collecting = await self._unless(self._stop, self._start())
            if collecting is not None:
                await self._collect()
            wound_down = await self._unless(self._hurry, self._wind_down(collecting))
            code = self._unaudited() if wound_down is None else wound_down
        except ChamberlogError as error:
            self._display.note(f"error: {error}", "red")
            code = 1
        finally:
            await self._stop_parts()
            self._log.close()
        return 1 if self._supervisor.failed else code

    async def _start(self) -> Collecting:
        layout, supervisor, show = self._layout, self._supervisor, self._display.status
        show("starting PostgreSQL, Valkey and Temporal")
        await supervisor.start([*server_parts(layout), *otlp_parts(layout)], START_S)
        await prepare(layout.postgres, layout.temporal, show)
        self._key = await ensure_api_key(layout.postgres, layout.home.api_key_file)
        devices = await self._start_simulator() if self._options.simulator else []
        show("starting the worker, the API and the gateway" if layout.has_edge else "starting the worker and the API")
        egress = egress_document(device.port for device in devices)
        self._egress = egress_text(egress)
        parts = [*worker_parts(layout, egress), api_part(layout, egress), *edge_parts(layout, egress)]
        await supervisor.start(parts, START_S)
        show("enrolling the fleet")
        async with self._api() as api:
            collecting = await start_fleet(api, chambers_of(devices))
        self._announce()
        show(f"{collecting.chambers} chambers are being collected")
        return collecting

    async def _start_simulator(self) -> list[SimulatedDevice]:
        self._display.status("starting the simulator")
        part = simulator_part(self._layout, self._options.chambers, self._options.dialects)
        await self._supervisor.start([part], START_S)
        return read_devices(self._layout.home.devices_file)

    async def _collect(self) -> None:
        """Look at the fleet until it is time to stop."""
        loop = asyncio.get_running_loop()
        end = None if self._options.for_s is None else loop.time() + self._options.for_s
        async with self._api(patience_s=0.0) as api:
            while not self._stop.is_set() and (end is None or loop.time() < end):
                try:
                    self._display.fleet(await api.chambers())
                except FleetError as error:
                    self._display.status(str(error))
                await self._pause_between_looks(None if end is None else end - loop.time())

    async def _wind_down(self, collecting: Collecting | None) -> int:
        """Pause the fleet, wait until nothing is unsaved, audit if a time was asked for."""
        api_part = next((k for k in self._supervisor.keepers if k.part.name == "api"), None)
        if api_part is None or (collecting is None and api_part.state is not State.UP):
            return 0
        if api_part.failed:
            raise StackError("the API is down: the fleet cannot be paused, its next slots will be missed")
        async with self._api(DRAIN_S) as api:
            self._display.status("pausing the fleet")
            paused = await pause_fleet(api)
            for problem in paused.refused:
                self._display.note(f"not paused: {problem}", "red")
            if collecting is None:
                return 0
            await self._drain(api, collecting, paused)
            if self._options.for_s is None:
                return 0
            return await self._audit(api, collecting, paused)

    async def _drain(self, api: FleetApi, collecting: Collecting, paused: Paused) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + DRAIN_S

        await drain(api, (collecting.from_ms, paused.to_ms), lambda: loop.time() > end, self._display.status)

    async def _audit(self, api: FleetApi, collecting: Collecting, paused: Paused) -> int:
        span = (collecting.from_ms, paused.to_ms)
        lateness = await lateness_of(self._layout.postgres, *span)
        self.account = account_of(await api.audit(*span), collecting.chambers, lateness)
        return self.account.exit_code

    def _unaudited(self) -> int:
        """The person did not wait: without an audit a run that was to be audited has failed."""
        return 0 if self._options.for_s is None else 1

    async def _stop_parts(self) -> None:
        self._announced = False
        self._layout.home.remove_stack()
        self._display.status("stopping")
        await self._supervisor.stop(*STOP_ORDER)
        self._display.status("")

    async def _unless(self, event: asyncio.Event, work: Awaitable[T]) -> T | None:
        """The answer of the work; None when the event came before it."""
        task = asyncio.ensure_future(work)
        stop = asyncio.create_task(event.wait())
        await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait([task])
        return None

    async def _pause_between_looks(self, left_s: float | None) -> None:
        wait_s = LOOK_S if left_s is None else max(0.0, min(LOOK_S, left_s))
        try:
            await asyncio.wait_for(self._stop.wait(), wait_s)
        except TimeoutError:
            return

    def _api(self, patience_s: float = 30.0) -> FleetApi:
        return FleetApi(self._layout.api, self._key, patience_s)

    def _announce(self) -> None:
        self._announced = True
        self._write_stack()
        self._display.addresses(self._layout)

    def _changed(self, keeper: Keeper) -> None:
        self._display.part(keeper)
        self._log.changed(keeper)
        if self._announced:
            self._write_stack()

    def _write_stack(self) -> None:
        pids = {keeper.part.name: keeper.pid for keeper in self._supervisor.keepers}
        self._layout.home.write_stack(self._layout.document(pids, self._egress))

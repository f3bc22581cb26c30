"""A chamber on a stage: doubles of its activities by their wire names, and the time that passes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from collector import wire
from collector.domain.chamber import ChamberSpec
from collector.domain.health import Status
from collector.domain.outcome import Measurement, Outcome, Reading
from collector.domain.signals import SignalEvent
from collector.messages import (
    AdhocOutcome,
    AdhocRequest,
    ChamberState,
    PauseAnswer,
    RetireAnswer,
    RoundOutcome,
    RoundRequest,
    SlotAnswer,
    StoreOutcome,
    StoreRequest,
)
from collector.packing import pack, unpack
from tests.workflow.endings import ServerProcess, in_time
from tests.workflow.servers import IDENTITY, process_of
from workflows.chamber import ChamberWorkflow
from workflows.presentation import attributes

TAKEN_S = 2.0
"""By the real clock: a worker on a busy machine takes a round within it."""
SETTLED_S = 0.2
"""By the real clock: a double's answer is with the server."""


@dataclass
class Doubles:
    """Doubles of the activities: they answer at once and remember what they were asked.

    `slots` and `saved` are what a ledger would hold, `told` the audit events of signals by key, `tellings` how often
    each was handed over. `held` makes rounds wait until they are cancelled; `deaf` is a worker of a former release.
    """

    rounds: list[RoundRequest] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    saved: list[Outcome] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    adhoc: list[AdhocRequest] = field(default_factory=list)
    refuse: bool = False
    held: bool = False
    deaf: bool = False
    told: dict[str, SignalEvent] = field(default_factory=dict)
    tellings: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    answer: Callable[[RoundRequest], RoundOutcome] | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name=wire.COLLECT)
    async def collect(self, request: RoundRequest) -> RoundOutcome:
        self.rounds.append(request)
        self.begun.set()
        if self.answer is not None:
            return self.answer(request)
        interval = request.spec.interval_ms
        done = request.count
        if self.held:
            done = await self._until_cancelled()
        slots = [request.first_ms + i * interval for i in range(done)]
        self.slots += slots
        unsaved = []
        if self.refuse:
            unsaved = [*request.before, *(pack(reading(slot)) for slot in slots)]
        else:
            self.saved += [unpack(row) for row in request.before]
        health = request.health
        for slot in slots:
            health = health.succeeded(slot)
        next_ms, said, told = (
            request.first_ms + done * interval,
            "temperature 21 Cel",
            await self._tell(request.signals),
        )
        return RoundOutcome(next_ms, unsaved, health, done, said, self.lost, told=told)

    async def _tell(self, signals: list[SignalEvent]) -> list[str]:
        if not signals or self.deaf or self.refuse:
            return []
        self.tellings.append(len(signals))
        self.told |= {signal.key: signal for signal in signals}
        return [signal.key for signal in signals]

    async def _until_cancelled(self) -> int:
        """One slot is in hand when the cancel comes, and it is finished."""
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            return 1

    @activity.defn(name=wire.STORE)
    async def store(self, request: StoreRequest) -> StoreOutcome:
        if self.refuse:
            raise RuntimeError("the store is away")
        self.saved += [unpack(row) for row in request.outcomes]
        if request.settled_through_ms is not None:
            self.settled.append(request.settled_through_ms)
        return StoreOutcome(self.lost, await self._tell(request.signals))

    @activity.defn(name=wire.COLLECT_ADHOC)
    async def collect_adhoc(self, request: AdhocRequest) -> AdhocOutcome:
        self.adhoc.append(request)
        return AdhocOutcome(pack(reading(1_790_000_000_123)), stored=True)


def reading(slot_ms: int) -> Reading:
    """A plain reading of the slot."""
    return Reading(slot_ms, slot_ms + 3, slot_ms + 20, (Measurement("temperature", 21.0, "Cel"),), 1)


def spec(chamber: str = "c1", interval_s: float = 60, **changes: object) -> ChamberSpec:
    """A chamber's spec."""
    interval_ms = int(interval_s * 1000)
    fields = {
        "id": chamber,
        "organization": "default",
        "section": "default",
        "url": "http://127.0.0.1:9/",
        "profile": "generic-json",
        "interval_ms": interval_ms,
        "timeout_ms": min(10_000, interval_ms // 2),
    }
    return ChamberSpec(**(fields | changes))  # type: ignore[arg-type]


Handle = WorkflowHandle[ChamberWorkflow, str]


ANSWERS: dict[str, type] = {
    wire.UPDATE_PAUSE: PauseAnswer,
    wire.UPDATE_RESUME: SlotAnswer,
    wire.UPDATE_CONFIGURE: SlotAnswer,
    wire.UPDATE_COLLECT: AdhocOutcome,
    wire.UPDATE_RETIRE: RetireAnswer,
}


@dataclass
class Stage:
    """A running chamber with its doubles."""

    env: WorkflowEnvironment
    doubles: Doubles
    handle: Handle
    state: ChamberState

    async def ask(self, update: str, request: object) -> Any:
        """Run an update of the chamber by its wire name; answers what it answers."""
        return await self.handle.execute_update(update, request, result_type=ANSWERS[update])

    async def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        await self.env.sleep(timedelta(seconds=seconds))

    async def pass_slot(self) -> None:
        """Let the next slot pass, and 20 s more: no round runs that an order would cancel in its last moment.

        The clock may skip past a round that a worker has not taken yet: that one is waited for.
        """
        now_ms, taken = await self.now_ms(), self.doubles.begun
        taken.clear()
        slot_ms = self.state.spec.grid.after(max(now_ms, self.state.next_ms - 1))
        await self.pass_s((slot_ms - now_ms) / 1000 + 20)
        if not taken.is_set():
            with contextlib.suppress(TimeoutError):  # a chamber that is paused has none
                await asyncio.wait_for(taken.wait(), TAKEN_S)
                await asyncio.sleep(SETTLED_S)

    async def now_ms(self) -> int:
        """The server's clock."""
        return round((await self.env.get_current_time()).timestamp() * 1000)


@asynccontextmanager
async def staged(
    env: WorkflowEnvironment,
    wanted: ChamberSpec,
    doubles: Doubles | None = None,
    *,
    first_ms: int | None = None,
    soon: bool = True,
    **state: object,
) -> AsyncIterator[Stage]:
    """Start a worker and one chamber whose first slot is `first_ms`, else its grid's next; terminate it in the end.

    Not `soon`: its first slot is 10 s away at least. Where a chamber is asked something at once, a round that ends in
    that very moment would be cancelled, and the time-skipping server stumbles over that.
    """
    doubles = doubles or Doubles()
    now_ms = round((await env.get_current_time()).timestamp() * 1000)
    begin = ChamberState(wanted, first_ms or wanted.grid.after(now_ms if soon else now_ms + 10_000), **state)  # type: ignore[arg-type]
    queue = f"{wire.TASK_QUEUE}-{wanted.id}"
    worker = Worker(
        env.client,
        task_queue=queue,
        workflows=[ChamberWorkflow],
        activities=[doubles.collect, doubles.store, doubles.collect_adhoc],
        max_heartbeat_throttle_interval=timedelta(milliseconds=100),
        identity=IDENTITY,
    )
    async with _running(worker, process_of(env)):
        handle = await env.client.start_workflow(
            ChamberWorkflow.run,
            begin,
            id=wire.workflow_id(wanted.id),
            task_queue=queue,
            execution_timeout=timedelta(days=400),
            search_attributes=attributes(wanted, Status.STARTING),
        )
        try:
            yield Stage(env, doubles, handle, begin)
        finally:
            await in_time("the chamber", _terminated(handle), process_of(env))


@asynccontextmanager
async def _running(worker: Worker, server: ServerProcess) -> AsyncIterator[None]:
    await worker.__aenter__()
    try:
        yield
    finally:
        await in_time("the worker", worker.__aexit__(None), server)


async def _terminated(handle: Handle) -> None:
    if (await handle.describe()).close_time is None:
        await handle.terminate("the test is over")

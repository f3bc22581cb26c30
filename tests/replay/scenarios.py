"""The shapes of history that a chamber can have, each played on a stage with doubles of its activities."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.workflowservice.v1 import RespondActivityTaskFailedByIdRequest
from temporalio.exceptions import ApplicationError

from collector import wire
from collector.domain.chamber import ChamberSpec
from collector.domain.memory import Memory
from collector.messages import (
    AdhocOutcome,
    AdhocRequest,
    CollectRequest,
    ConfigureRequest,
    PauseRequest,
    ResumeRequest,
    RetireRequest,
    RoundOutcome,
    RoundRequest,
)
from tests.workflow.servers import IDENTITY
from tests.workflow.stage import Doubles, Stage, spec

Play = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """One shape: a chamber, its doubles, what happens to it."""

    spec: ChamberSpec
    play: Play
    doubles: Callable[[], Doubles] = Doubles
    state: dict[str, Any] = field(default_factory=dict)


async def passes(stage: Stage) -> None:
    await stage.pass_s(900)


async def is_paused_and_resumed(stage: Stage) -> None:
    await stage.pass_s(200)
    await stage.handle.signal(wire.SIGNAL_PAUSE, {"reason": "door"})
    await stage.pass_s(600)
    await stage.handle.signal(wire.SIGNAL_RESUME)
    await stage.pass_s(200)
    await stage.ask(wire.UPDATE_PAUSE, PauseRequest("clean", "key/1", None, 4))
    await stage.pass_s(200)
    await stage.ask(wire.UPDATE_RESUME, ResumeRequest("key/1", 5))
    await stage.pass_s(200)


async def gets_strange_signals(stage: Stage) -> None:
    for payload in ({"until": "yesterday"}, 42, "x", None):
        await stage.handle.signal(wire.SIGNAL_PAUSE, payload)
    await stage.handle.signal(wire.SIGNAL_PAUSE, args=[1, 2])
    await stage.handle.signal("nonsense", "x")
    await stage.handle.signal(wire.SIGNAL_SET_INTERVAL, "soon")
    await stage.pass_s(300)


async def is_told_what_changes_nothing(stage: Stage) -> None:
    """Nothing waits for the store but what the signals told: it is stored on its own."""
    await stage.pass_s(200)
    await stage.handle.signal(wire.SIGNAL_PAUSE, {"until": "yesterday", "by": "lab"})
    await stage.pass_s(90)
    await stage.handle.signal(wire.SIGNAL_PAUSE, {"reason": "door", "by": "lab", "operation": "drill"})
    await stage.pass_s(600)
    await stage.handle.signal("nonsense", "x")
    await stage.handle.signal(wire.SIGNAL_PAUSE, {"reason": "door", "by": "lab", "operation": "drill"})
    await stage.pass_s(600)
    await stage.handle.signal(wire.SIGNAL_RESUME, {"by": "lab"})
    await stage.pass_s(200)
    await stage.handle.signal(wire.SIGNAL_RESUME)
    await stage.ask(wire.UPDATE_RETIRE, RetireRequest("moved out", "key/1"))
    await stage.handle.result()


async def changes_its_grid(stage: Stage) -> None:
    await stage.pass_s(200)
    await stage.ask(wire.UPDATE_CONFIGURE, ConfigureRequest(spec(stage.state.spec.id, 90, version=2)))
    await stage.pass_s(400)
    await stage.handle.signal(wire.SIGNAL_SET_INTERVAL, 120)
    await stage.pass_s(600)


async def collects_now(stage: Stage) -> None:
    await stage.pass_s(100)
    await stage.ask(wire.UPDATE_COLLECT, CollectRequest("r1"))
    await stage.pass_s(200)


async def meets_a_store_that_comes_back(stage: Stage) -> None:
    await stage.pass_s(400)
    stage.doubles.refuse = False
    await stage.pass_s(400)


async def is_interrupted(stage: Stage) -> None:
    with stage.env.auto_time_skipping_disabled():
        async with asyncio.timeout(20):
            await stage.doubles.begun.wait()
            await stage.ask(wire.UPDATE_PAUSE, PauseRequest("door", "key/1", None, version=2))


async def retires(stage: Stage) -> None:
    await stage.pass_s(200)
    await stage.ask(wire.UPDATE_RETIRE, RetireRequest("moved out", "key/1"))
    await stage.handle.result()


async def retires_while_the_store_is_away(stage: Stage) -> None:
    """It ends only once what it holds is stored: the store comes back after the request."""
    await stage.pass_s(200)
    await stage.ask(wire.UPDATE_RETIRE, RetireRequest("moved out", "key/1"))
    await stage.pass_s(120)
    stage.doubles.refuse = False
    await stage.handle.result()


async def is_paused_for_a_while(stage: Stage) -> None:
    """Nobody resumes it: the pause ends by itself."""
    until_ms = await stage.now_ms() + 300_000
    await stage.ask(wire.UPDATE_PAUSE, PauseRequest("clean", "key/1", until_ms, 2))
    await stage.pass_s(600)


async def loses_its_worker(stage: Stage) -> None:
    """The round's first attempt hangs; another worker ends it as `adapters/temporal_rounds.py` does."""
    client = stage.env.client
    with stage.env.auto_time_skipping_disabled():
        async with asyncio.timeout(20):
            await stage.doubles.begun.wait()
            failure = Failure(message="nobody", application_failure_info=ApplicationFailureInfo(type="WorkerGone"))
            await client.workflow_service.respond_activity_task_failed_by_id(
                RespondActivityTaskFailedByIdRequest(
                    namespace=client.namespace,
                    workflow_id=stage.handle.id,
                    activity_id="1",
                    failure=failure,
                    identity=IDENTITY,
                )
            )
    await stage.pass_s(60)


async def collects_now_in_vain(stage: Stage) -> None:
    """Both attempts hang until they time out: 20 s of real time, nothing skips them."""
    await stage.pass_s(100)
    await stage.ask(wire.UPDATE_COLLECT, CollectRequest("r1"))
    await stage.pass_s(100)


async def is_cancelled(stage: Stage) -> None:
    await stage.pass_s(200)
    await stage.handle.cancel()
    await stage.handle.result()


@dataclass
class HangingOnce(Doubles):
    """A worker whose first attempt never ends."""

    @activity.defn(name=wire.COLLECT)
    async def collect(self, request: RoundRequest) -> RoundOutcome:
        if self.rounds:
            return await super().collect(request)
        self.rounds.append(request)
        self.begun.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody ends it but its worker's end")


@dataclass
class HangingAdhoc(Doubles):
    """Workers that die while they collect off the grid."""

    @activity.defn(name=wire.COLLECT_ADHOC)
    async def collect_adhoc(self, request: AdhocRequest) -> AdhocOutcome:
        self.adhoc.append(request)
        await asyncio.Event().wait()
        raise AssertionError("nobody ends it but its worker's end")


def failing_once() -> Doubles:
    """A worker whose first round ends without an answer."""
    seen: list[RoundRequest] = []

    def answer(request: RoundRequest) -> RoundOutcome:
        seen.append(request)
        if len(seen) == 1:
            raise ApplicationError("a defect of the worker", non_retryable=True)
        return RoundOutcome(request.first_ms + 60_000, [], request.health.succeeded(request.first_ms), 1)

    return Doubles(answer=answer)


def ending_early() -> Doubles:
    """Every round ends after its first slot, as one that changed the chamber's status does."""

    def answer(request: RoundRequest) -> RoundOutcome:
        next_ms = request.first_ms + request.spec.interval_ms
        return RoundOutcome(next_ms, [], request.health.succeeded(request.first_ms), 1)

    return Doubles(answer=answer)


def remembering() -> Doubles:
    """Every round leaves something that the next one is judged by."""

    def answer(request: RoundRequest) -> RoundOutcome:
        next_ms, when_ms = request.first_ms + request.spec.interval_ms, request.first_ms
        left = Memory(request.spec.version, "A-17", when_ms, when_ms, {"t": [21.5, when_ms, 21.5, when_ms]}, when_ms)
        return RoundOutcome(next_ms, [], request.health.succeeded(when_ms), 1, memory=left)

    return Doubles(answer=answer)


async def passes_a_minute(stage: Stage) -> None:
    await stage.pass_s(60)


SCENARIOS = {
    "slow": Scenario(spec("slow", 60), passes),
    "fast": Scenario(spec("fast", 1), passes),
    "following": Scenario(spec("following", 5), passes_a_minute, ending_early),
    "paused": Scenario(spec("paused", 60), is_paused_and_resumed),
    "strange-signals": Scenario(spec("strange-signals", 60), gets_strange_signals),
    "signals-told": Scenario(spec("signals-told", 60), is_told_what_changes_nothing),
    "new-grid": Scenario(spec("new-grid", 60), changes_its_grid),
    "adhoc": Scenario(spec("adhoc", 60), collects_now),
    "backlog": Scenario(spec("backlog", 60), meets_a_store_that_comes_back, lambda: Doubles(refuse=True)),
    "interrupted": Scenario(spec("interrupted", 5), is_interrupted, lambda: Doubles(held=True)),
    "retired": Scenario(spec("retired", 60), retires),
    "retired-with-backlog": Scenario(
        spec("retired-with-backlog", 60), retires_while_the_store_is_away, lambda: Doubles(refuse=True)
    ),
    "pause-with-an-end": Scenario(spec("pause-with-an-end", 60), is_paused_for_a_while),
    "worker-gone": Scenario(spec("worker-gone", 60), loses_its_worker, HangingOnce),
    "adhoc-timed-out": Scenario(spec("adhoc-timed-out", 60, timeout_ms=100), collects_now_in_vain, HangingAdhoc),
    "cancelled": Scenario(spec("cancelled", 60), is_cancelled),
    "without-answer": Scenario(spec("without-answer", 60), passes, failing_once),
    "remembering": Scenario(spec("remembering", 60), is_paused_and_resumed, remembering),
    "continued": Scenario(spec("continued", 60), passes, state={"cycles_per_run": 4}),
}

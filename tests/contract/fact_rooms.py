"""Where facts of Temporal are tried: a workflow with one activity, and workers that last as long as a test."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.workflow import ActivityCancellationType

WORK = "work"


@dataclass(frozen=True, slots=True)
class Policy:
    """Of the activity; 0 = no heartbeat time-out."""

    heartbeat_s: float = 0.0
    again_s: float = 1.0


@workflow.defn
class OneActivity:
    """Runs the activity `work` once; signal `cancel` cancels it. Answers its result, or how it failed."""

    def __init__(self) -> None:
        self._cancel = False

    @workflow.run
    async def run(self, policy: Policy) -> Any:
        handle = workflow.start_activity(
            WORK,
            start_to_close_timeout=timedelta(minutes=5),
            heartbeat_timeout=timedelta(seconds=policy.heartbeat_s) if policy.heartbeat_s else None,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=policy.again_s)),
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.wait_condition(lambda: self._cancel or handle.done())
        if not handle.done():
            handle.cancel()
        try:
            return await handle
        except ActivityError as error:
            if not isinstance(error.cause, ApplicationError):
                raise
            return {"type": error.cause.type, "details": list(error.cause.details)}

    @workflow.signal
    def cancel(self) -> None:
        self._cancel = True


@workflow.defn
class ShortTimers:
    """Answers how many ms a timer of so many ms took."""

    @workflow.run
    async def run(self, timer_ms: int) -> int:
        began = workflow.time_ns()
        await workflow.sleep(timer_ms / 1000)
        return (workflow.time_ns() - began) // 1_000_000


@workflow.defn
class Growing:
    """Continues as new, once, with a state of so many characters."""

    @workflow.run
    async def run(self, characters: int, state: str) -> int:
        if not state:
            workflow.continue_as_new(args=[characters, "x" * characters])
        return len(state)


@workflow.defn
class WithMemo:
    """Runs three times: as started, continued as new, continued as new with its memo changed. Then waits."""

    def __init__(self) -> None:
        self._go = 0

    @workflow.run
    async def run(self, number: int) -> None:
        if number == 3:
            workflow.upsert_memo({"version": 3})
        await workflow.wait_condition(lambda: self._go > 0)
        workflow.continue_as_new(number + 1)

    @workflow.signal
    def go(self) -> None:
        self._go += 1


@asynccontextmanager
async def working(client: Client, queue: str, *activities: Callable[..., Any]) -> AsyncIterator[None]:
    """A worker of all these workflows."""
    async with Worker(
        client,
        task_queue=queue,
        workflows=[OneActivity, ShortTimers, Growing, WithMemo],
        activities=activities,
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
    ):
        yield


async def begun(client: Client, queue: str, policy: Policy | None = None) -> WorkflowHandle[Any, Any]:
    """A run of `OneActivity` on the queue that is also its id."""
    return await client.start_workflow(OneActivity.run, policy or Policy(), id=queue, task_queue=queue)


async def pending_of(handle: WorkflowHandle[Any, Any]) -> PendingActivityInfo:
    """Its activity, as the server shows it."""
    return (await handle.describe()).raw_description.pending_activities[0]


async def eventually(what: Callable[[], Awaitable[bool]], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not await what():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.05)


def attempt() -> int:
    """The number of the attempt that calls this."""
    return activity.info().attempt

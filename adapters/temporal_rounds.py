"""The running rounds of all workers, as Temporal knows them."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.namespace.v1 import NamespaceInfo
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeWorkflowExecutionRequest,
    ListWorkersRequest,
    RespondActivityTaskFailedByIdRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal_raw import PAGE, listed
from collector import wire
from collector.domain.errors import EngineAwayError
from collector.ports import Signs

IDENTITY_PREFIX = "chamberlog-worker/"
"""Marks workers that give signs of life; the rounds of any other one are left to their heartbeat time-outs."""
YOUNG_S = 10.0
"""An attempt that just began may not have reached the process that it was handed to."""
AT_ONCE = 16
ANSWER = timedelta(seconds=1)
"""What was seen of an attempt holds for the second that its successor waits at least; later the end could hit that."""
RUNNING = f'WorkflowType="{wire.CHAMBER_WORKFLOW}" AND ExecutionStatus="Running"'
STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED


def worker_identity() -> str:
    """Of this very process: one that is started again in its place, with its number, is another one."""
    return f"{IDENTITY_PREFIX}{os.getpid()}@{_machine()}/{secrets.token_hex(3)}"


def has_ended_here(identity: str) -> bool:
    """Whether it is a worker that ran where this process runs, and has ended; False when that cannot be seen."""
    number, _, rest = identity.removeprefix(IDENTITY_PREFIX).partition("@")
    if not identity.startswith(IDENTITY_PREFIX) or rest.rpartition("/")[0] != _machine() or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _machine() -> str:
    """Host, its boot and PID namespace: machines may share a name, and containers never each other's numbers."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        return f"{socket.gethostname()}:{boot}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return f"{socket.gethostname()}:{secrets.token_hex(3)}"  # not Linux: nobody is taken for a neighbour


async def tells_workers_apart(client: Client) -> bool:
    """Whether this server lists living workers and passes cancels on to them, so that rounds need no heartbeats.

    One that lets nobody ask counts as one that does not.

    Raises:
        EngineAwayError: it does not answer.
    """
    try:
        answer = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), retry=True
        )
    except (RuntimeError, RPCError) as error:
        if isinstance(error, RPCError) and error.status is RPCStatusCode.PERMISSION_DENIED:
            return False
        raise EngineAwayError(f"the namespace cannot be described: {error}") from error
    able: NamespaceInfo.Capabilities = answer.namespace_info.capabilities
    return able.worker_heartbeats and able.worker_commands


class TemporalRounds:
    """Implements `collector.ports.RunningRounds` by the raw service: the SDK's lists stumble over paused workflows."""

    def __init__(self, client: Client, young_s: float = YOUNG_S) -> None:
        self._client, self._service, self._young_s = client, client.workflow_service, young_s
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def signs_of_life(self) -> Signs:
        """See `RunningRounds.signs_of_life`."""
        found: dict[str, int] = {}
        token = b""
        while True:
            request = ListWorkersRequest(
                namespace=self._client.namespace,
                page_size=PAGE,
                next_page_token=token,
                query=f'TaskQueue="{wire.TASK_QUEUE}"',
            )
            try:
                answer = await self._service.list_workers(request)
            except (RuntimeError, RPCError) as error:
                raise EngineAwayError(f"workers cannot be listed: {error}") from error
            for info in answer.workers_info:
                beat = info.worker_heartbeat
                beat_ms = beat.heartbeat_time.ToMilliseconds()
                found[beat.worker_identity] = max(beat_ms, found.get(beat.worker_identity, beat_ms))
            token = answer.next_page_token
            if not token:
                return Signs(found, frozenset(filter(has_ended_here, found)))

    async def end_abandoned(self, gone: Callable[[str], bool], held: Callable[[str], bool]) -> int:
        """See `RunningRounds.end_abandoned`."""
        try:
            chambers = [info.execution async for info in listed(self._client, RUNNING)]
        except (RuntimeError, RPCError) as error:
            raise EngineAwayError(f"chambers cannot be listed: {error}") from error
        ends = await asyncio.gather(*(self._end_of(c, gone, held) for c in chambers), return_exceptions=True)
        if failed := [end for end in ends if isinstance(end, BaseException)]:
            raise EngineAwayError(f"{len(failed)} of {len(ends)} chambers, such as: {failed[0]}") from failed[0]
        return sum(end for end in ends if isinstance(end, int))

    async def _end_of(
        self, chamber: WorkflowExecution, gone: Callable[[str], bool], held: Callable[[str], bool]
    ) -> int:
        async with self._gate:
            try:
                described = await self._service.describe_workflow_execution(
                    DescribeWorkflowExecutionRequest(namespace=self._client.namespace, execution=chamber),
                    timeout=ANSWER,
                )
                abandoned = [p for p in described.pending_activities if self._abandoned(chamber, p, gone, held)]
                for activity in abandoned:
                    await self._end(chamber, activity)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:  # it ended meanwhile
                    return 0
                raise
        return len(abandoned)

    def _abandoned(
        self,
        chamber: WorkflowExecution,
        activity: PendingActivityInfo,
        gone: Callable[[str], bool],
        held: Callable[[str], bool],
    ) -> bool:
        worker = activity.last_worker_identity
        if activity.state != STARTED or not worker.startswith(IDENTITY_PREFIX):
            return False
        if worker == self._client.identity:  # it carries it, unless its answer was lost while Temporal was away
            own_round = activity.activity_type.name == wire.COLLECT and _age_s(activity) > self._young_s
            return own_round and not held(wire.chamber_id(chamber.workflow_id))
        return gone(worker)

    async def _end(self, chamber: WorkflowExecution, activity: PendingActivityInfo) -> None:
        why = f"the worker {activity.last_worker_identity} carries it no more"
        await self._service.respond_activity_task_failed_by_id(
            RespondActivityTaskFailedByIdRequest(
                namespace=self._client.namespace,
                workflow_id=chamber.workflow_id,
                run_id=chamber.run_id,
                activity_id=activity.activity_id,
                failure=Failure(message=why, application_failure_info=ApplicationFailureInfo(type="WorkerGone")),
                identity=self._client.identity,
            ),
            timeout=ANSWER,
        )


def _age_s(activity: PendingActivityInfo) -> float:
    return time.time() - activity.last_started_time.ToMilliseconds() / 1000

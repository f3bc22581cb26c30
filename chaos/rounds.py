"""The running rounds as Temporal knows them: which worker has them, and how they are given away."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetSystemInfoRequest,
    RespondActivityTaskFailedByIdRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from chaos.fleet import Chamber
from collector import wire

AT_ONCE = 16
ANSWER = timedelta(seconds=5)
STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED


async def carriers(address: str, chambers: Sequence[Chamber]) -> Counter[str]:
    """Worker identity to the number of rounds that it carries now."""
    running = await _running(await Client.connect(address), chambers)
    return Counter(activity.last_worker_identity for _, activity in running)


async def give_again(address: str, chambers: Sequence[Chamber]) -> int:
    """Have the server give every running round of these chambers again, while its worker goes on carrying it.

    Returns:
        How many rounds; one that ended meanwhile is not counted.
    """
    client = await Client.connect(address)
    gate = asyncio.Semaphore(AT_ONCE)

    async def give(chamber: Chamber, activity: PendingActivityInfo) -> bool:
        async with gate:
            try:
                await client.workflow_service.respond_activity_task_failed_by_id(_failed(client, chamber, activity))
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return False
                raise
        return True

    return sum(await asyncio.gather(*(give(*pair) for pair in await _running(client, chambers))))


async def save_history(address: str, chamber_id: str, file: Path) -> None:
    """The history of the chamber's current run, as the Web UI's download has it."""
    client = await Client.connect(address)
    history = await client.get_workflow_handle(wire.workflow_id(chamber_id)).fetch_history()
    await asyncio.to_thread(file.write_text, history.to_json())


async def server_version(address: str) -> str:
    """Of the Temporal server."""
    client = await Client.connect(address)
    return (await client.workflow_service.get_system_info(GetSystemInfoRequest())).server_version


async def _running(client: Client, chambers: Sequence[Chamber]) -> list[tuple[Chamber, PendingActivityInfo]]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(chamber: Chamber) -> list[tuple[Chamber, PendingActivityInfo]]:
        execution = WorkflowExecution(workflow_id=wire.workflow_id(chamber.id))
        request = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
        async with gate:
            answer = await client.workflow_service.describe_workflow_execution(request, timeout=ANSWER)
        rounds = (p for p in answer.pending_activities if p.activity_type.name == wire.COLLECT)
        return [(chamber, activity) for activity in rounds if activity.state == STARTED]

    return [pair for found in await asyncio.gather(*map(look, chambers)) for pair in found]


def _failed(client: Client, chamber: Chamber, activity: PendingActivityInfo) -> RespondActivityTaskFailedByIdRequest:
    return RespondActivityTaskFailedByIdRequest(
        namespace=client.namespace,
        workflow_id=wire.workflow_id(chamber.id),
        activity_id=activity.activity_id,
        failure=Failure(message="given again", application_failure_info=ApplicationFailureInfo(type="GivenAgain")),
        identity="chaos",
    )

"""The chambers that run, as Temporal lists them."""

import json
from collections.abc import Sequence
from datetime import timedelta

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import PendingActivityInfo, WorkflowExecutionInfo
from temporalio.client import Client

from adapters.temporal_faults import speaking
from adapters.temporal_raw import described, listed
from collector import wire
from collector.ports import ChamberRun

OPEN = f'WorkflowType="{wire.CHAMBER_WORKFLOW}" AND CloseTime IS NULL'
"""Running ones and those that are paused in Temporal itself: the SDK's own list stumbles over the latter."""
PROBLEMS = "TemporalReportedProblems"
"""The server's own search attribute, once workflow tasks of a chamber have failed several times."""
PAUSED = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED
LIST_TIMEOUT, DESCRIBE_TIMEOUT = timedelta(seconds=10), timedelta(seconds=5)
FAILURE_LIMIT = 200


class TemporalRuns:
    """Implements `collector.ports.FleetRuns` by the raw service."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def open(self) -> Sequence[ChamberRun]:
        """See `FleetRuns.open`."""
        async with speaking("", None):
            return [_run_of(info) async for info in listed(self._client, OPEN, LIST_TIMEOUT)]

    async def trouble(self, chamber_id: str) -> str | None:
        """See `FleetRuns.trouble`."""
        async with speaking(chamber_id, DESCRIBE_TIMEOUT):
            answer = await described(self._client, chamber_id, DESCRIBE_TIMEOUT)
        if answer is None or answer.workflow_execution_info.HasField("close_time"):
            return None
        return next(filter(None, map(_trouble_of, answer.pending_activities)), "")


def _run_of(info: WorkflowExecutionInfo) -> ChamberRun:
    version = _decoded(info.memo.fields.get(wire.MEMO_VERSION))
    problems = _decoded(info.search_attributes.indexed_fields.get(PROBLEMS))
    return ChamberRun(
        chamber_id=wire.chamber_id(info.execution.workflow_id),
        version=version if isinstance(version, int) else None,
        held=info.status == PAUSED,
        problem=" ".join(map(str, problems)) if isinstance(problems, list) else "",
    )


def _decoded(payload: Payload | None) -> object:
    return None if payload is None else json.loads(payload.data or b"null")


def _trouble_of(activity: PendingActivityInfo) -> str:
    name = activity.activity_type.name
    if activity.paused:
        return f"its activity {name} is paused in Temporal itself: unpause it"
    if activity.attempt > 1 and activity.HasField("last_failure"):
        return f"attempt {activity.attempt} of {name}, last failure: {activity.last_failure.message[:FAILURE_LIMIT]}"
    return ""

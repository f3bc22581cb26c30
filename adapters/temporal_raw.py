"""Temporal's raw service, where the SDK's own list and description stumble over workflows that are paused."""

from collections.abc import AsyncIterator
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from collector import wire

PAGE = 1_000


async def listed(client: Client, query: str, within: timedelta | None = None) -> AsyncIterator[WorkflowExecutionInfo]:
    """All workflows that the query finds.

    Args:
        client: connected, or lazy.
        query: in Temporal's list filter.
        within: what each page may take.

    Raises:
        RPCError, RuntimeError: of the SDK.
    """
    token = b""
    while True:
        request = ListWorkflowExecutionsRequest(
            namespace=client.namespace, page_size=PAGE, next_page_token=token, query=query
        )
        answer = await client.workflow_service.list_workflow_executions(request, timeout=within)
        for info in answer.executions:
            yield info
        token = answer.next_page_token
        if not token:
            return


async def described(client: Client, chamber_id: str, within: timedelta) -> DescribeWorkflowExecutionResponse | None:
    """The newest run of a chamber's workflow; None when there is none.

    Raises:
        RPCError, RuntimeError: of the SDK.
    """
    execution = WorkflowExecution(workflow_id=wire.workflow_id(chamber_id))
    request = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
    try:
        return await client.workflow_service.describe_workflow_execution(request, timeout=within)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise

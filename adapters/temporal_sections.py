"""All chambers of a section told at once, by a batch operation of Temporal's server that signals each of them.

Facts of the server that this leans on are tried in tests/contract/test_temporal_facts_batches.py.
"""

import re
from datetime import timedelta

from temporalio.api.batch.v1 import BatchOperationSignal
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.enums.v1 import BatchOperationState
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeBatchOperationRequest,
    DescribeBatchOperationResponse,
    StartBatchOperationRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal_faults import speaking
from adapters.temporal_raw import listed
from collector import wire
from collector.domain.errors import EngineAwayError
from collector.domain.health import Status
from collector.domain.instants import iso, parse_iso
from collector.domain.section_order import (
    OperationState,
    OrderKind,
    SectionOperation,
    SectionOrder,
    check_operation,
)
from collector.ports import NO_TRACING, SpanKind, Tracing

RPC_TIMEOUT = timedelta(seconds=5)
JOB_PREFIX = "section"
LISTED_AT_MOST = 5_000
"""Chambers named one by one: a signal finds whatever run they are in then, and 5,000 names are some 400 kB."""
REASON = re.compile(r"(?P<kind>pause|resume)(?: until (?P<until>\S+))?(?:: (?P<reason>.*))?", re.DOTALL)
"""What the operation is, in the one field of it that people see in the Web UI and that comes back as it was."""
SIGNALS = {OrderKind.PAUSE: wire.SIGNAL_PAUSE, OrderKind.RESUME: wire.SIGNAL_RESUME}
STATES = {
    BatchOperationState.BATCH_OPERATION_STATE_RUNNING: OperationState.RUNNING,
    BatchOperationState.BATCH_OPERATION_STATE_COMPLETED: OperationState.COMPLETED,
    BatchOperationState.BATCH_OPERATION_STATE_FAILED: OperationState.FAILED,
}
UNDER_WAY = 'TemporalNamespaceDivision="TemporalBatcher" AND ExecutionStatus="Running" AND WorkflowId STARTS_WITH "{}"'
"""Batch operations are workflows of the server's own, in a part of the namespace that other lists do not show."""


class TemporalSections:
    """Implements `collector.ports.SectionControl` over a client, lazy or connected."""

    def __init__(self, client: Client, *, tracing: Tracing = NO_TRACING) -> None:
        self._client, self._tracing = client, tracing

    async def begin(self, order: SectionOrder, chambers: frozenset[str]) -> SectionOperation:
        """See `SectionControl.begin`."""
        with self._tracing.span(f"StartBatchOperation {SIGNALS[order.kind]}", kind=SpanKind.CLIENT) as span:
            span.note({"chamberlog.organization": order.organization, "chamberlog.section": order.section})
            return await self._begin(order, chambers)

    async def _begin(self, order: SectionOrder, chambers: frozenset[str]) -> SectionOperation:
        request = StartBatchOperationRequest(
            namespace=self._client.namespace,
            job_id=_job_id(order.organization, order.section, order.operation_id),
            reason=_reason_of(order),
            signal_operation=BatchOperationSignal(
                signal=SIGNALS[order.kind], input=await self._input(order), identity=order.by
            ),
        )
        refusal: RPCError | None = None
        async with speaking("", RPC_TIMEOUT):
            try:
                await self._start(request, _chambers(order.organization, order.section), chambers)
            except RPCError as error:
                if error.status not in (RPCStatusCode.ALREADY_EXISTS, RPCStatusCode.RESOURCE_EXHAUSTED):
                    raise
                refusal = error  # a server that is full says so before it looks whether the operation runs already
        operation = await self.progress(order.organization, order.section, order.operation_id)
        if operation is None:
            raise EngineAwayError(f"Temporal does not begin the operation: {_why(refusal)}") from refusal
        return operation

    async def _start(self, request: StartBatchOperationRequest, query: str, chambers: frozenset[str]) -> None:
        """By a list of workflows without their runs; by the query where that is too long, or for nobody."""
        service = self._client.workflow_service
        if 0 < len(chambers) <= LISTED_AT_MOST:
            listed = StartBatchOperationRequest()
            listed.CopyFrom(request)
            listed.executions.extend(WorkflowExecution(workflow_id=wire.workflow_id(name)) for name in sorted(chambers))
            try:
                await service.start_batch_operation(listed)
                return
            except RPCError as error:
                if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                    raise
        request.visibility_query = query
        await service.start_batch_operation(request)

    async def _input(self, order: SectionOrder) -> Payloads:
        until = None if order.until_ms is None else iso(order.until_ms)
        wanted = {"reason": order.reason, "by": order.by, "until": until, "operation": order.operation_id}
        given = {name: text for name, text in wanted.items() if text}
        return Payloads(payloads=await self._client.data_converter.encode([given]))

    async def progress(self, organization: str, section: str, operation_id: str) -> SectionOperation | None:
        """See `SectionControl.progress`."""
        job_id = _job_id(organization, section, operation_id)
        request = DescribeBatchOperationRequest(namespace=self._client.namespace, job_id=job_id)
        async with speaking("", RPC_TIMEOUT):
            try:
                answer = await self._client.workflow_service.describe_batch_operation(request)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise
            chambers = _chambers(organization, section)
            running = await self._count(chambers)
            paused = await self._count(f"{chambers} AND {_obeying(OrderKind.PAUSE)}")
        return _operation_of(answer, section, operation_id, running, paused)

    async def under_way(self, organization: str, section: str) -> str | None:
        """See `SectionControl.under_way`."""
        mine = _jobs(organization, section)
        async with speaking("", None):
            async for info in listed(self._client, UNDER_WAY.format(mine), RPC_TIMEOUT):
                return info.execution.workflow_id.removeprefix(mine)
        return None

    async def running(self, organization: str, section: str, obeying: OrderKind | None = None) -> frozenset[str]:
        """See `SectionControl.running`."""
        query = _chambers(organization, section)
        if obeying is not None:
            query += f" AND {_obeying(obeying)}"
        async with speaking("", None):
            found = listed(self._client, query, RPC_TIMEOUT)
            return frozenset([wire.chamber_id(info.execution.workflow_id) async for info in found])

    async def _count(self, query: str) -> int:
        request = CountWorkflowExecutionsRequest(namespace=self._client.namespace, query=query)
        return (await self._client.workflow_service.count_workflow_executions(request)).count


def _job_id(organization: str, section: str, operation_id: str) -> str:
    check_operation(organization, section, operation_id)
    return _jobs(organization, section) + operation_id


def _jobs(organization: str, section: str) -> str:
    """What the ids of all operations of the section begin with."""
    check_operation(organization, section)
    return f"{JOB_PREFIX}/{organization}/{section}/"


def _chambers(organization: str, section: str) -> str:
    """The query of the section's chambers that run; what was checked cannot end its quotes."""
    check_operation(organization, section)
    return (
        f'{wire.SEARCH_ORGANIZATION}="{organization}" AND {wire.SEARCH_SECTION}="{section}"'
        ' AND ExecutionStatus="Running"'
    )


def _obeying(kind: OrderKind) -> str:
    return f'{wire.SEARCH_STATUS}{"=" if kind is OrderKind.PAUSE else "!="}"{Status.PAUSED.value}"'


def _reason_of(order: SectionOrder) -> str:
    until = "" if order.until_ms is None else f" until {iso(order.until_ms)}"
    return f"{order.kind.value}{until}{f': {order.reason}' if order.reason else ''}"


def _why(refusal: RPCError | None) -> str:
    if refusal is not None and refusal.status is RPCStatusCode.RESOURCE_EXHAUSTED:
        remedy = "wait until one has ended, or raise frontend.MaxConcurrentBatchOperationPerNamespace of the server"
        return f"it carries as many as it may at a time; {remedy}"
    return "it took it and does not know it" if refusal is None else refusal.message[:300]


def _operation_of(
    answer: DescribeBatchOperationResponse, section: str, operation_id: str, running: int, paused: int
) -> SectionOperation | None:
    """None: somebody else's workflow of that id, which the server shows as if it were an operation.

    While it runs the server counts in pages of a thousand, and first after 2.5 s: what is seen fills in. Of one that
    was stopped it knows no figures any more.
    """
    said = REASON.fullmatch(answer.reason)
    if said is None:
        return None
    kind, state = OrderKind(said["kind"]), STATES[answer.state]
    total, done = answer.total_operation_count or len(answer.executions), answer.complete_operation_count
    if state is OperationState.RUNNING:
        total = total or running
        done = min(total, max(done, paused if kind is OrderKind.PAUSE else running - paused))
    return SectionOperation(
        id=operation_id,
        section=section,
        kind=kind,
        reason=said["reason"] or "",
        until_ms=None if said["until"] is None else parse_iso(said["until"]),
        state=state,
        total=total,
        done=done,
        failed=answer.failure_operation_count,
        paused=paused,
        started_ms=answer.start_time.ToMilliseconds(),
        ended_ms=answer.close_time.ToMilliseconds() if answer.HasField("close_time") else None,
    )

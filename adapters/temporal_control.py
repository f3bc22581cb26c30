"""The fleet's control through Temporal: starts chambers, speaks to them by updates, asks them by queries."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateStage,
)
from temporalio.common import QueryRejectCondition, WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal_faults import NoAnswerError, speaking
from adapters.temporal_raw import described
from collector import wire
from collector.domain.cadence import Grid, grid_of
from collector.domain.chamber import ChamberSpec
from collector.domain.errors import (
    DeviceTimeoutError,
    EngineAwayError,
    NotFoundError,
    RejectedError,
)
from collector.domain.health import Status
from collector.domain.settling import forgotten_run
from collector.messages import (
    AdhocOutcome,
    BeginAgainRequest,
    ChamberState,
    ChamberStatus,
    CollectRequest,
    ConfigureRequest,
    PauseAnswer,
    PauseRequest,
    ResumeRequest,
    RetireAnswer,
    RetireRequest,
    SlotAnswer,
)
from collector.packing import pack
from collector.ports import NO_TRACING, ChamberRecord, SpanKind, Tracing
from workflows import introduction, presentation

RPC_TIMEOUT = timedelta(seconds=10)
"""An update waits for the slot in hand; a worker that is away shows after this."""
QUERY_TIMEOUT = timedelta(seconds=3)
"""A query has nothing to wait for but a worker."""
PING_TIMEOUT = timedelta(seconds=2)
ENDING_S = 0.1
"""Between two looks whether a chamber that retired has ended."""
TORN, AGAIN_S = "workflow task failure", 0.2
"""What the server says of an update whose workflow task it did not take, because something else came meanwhile."""

T = TypeVar("T")


class TemporalFleet:
    """Implements `collector.ports.FleetControl` over a client, lazy or connected."""

    def __init__(self, client: Client, *, tracing: Tracing = NO_TRACING) -> None:
        self._client, self._tracing = client, tracing

    async def start(self, record: ChamberRecord) -> None:
        """Start the chamber's workflow from the row; one that runs is left alone.

        A retired chamber is in the ledger shortly before its workflow ends: enrolled again it waits for that end.
        """
        async with self._speaking(f"StartWorkflow {wire.CHAMBER_WORKFLOW}", record.spec.id, RPC_TIMEOUT):
            while not await self._started(record) and record.status != Status.RETIRING:
                if not await self._ends(record.spec.id):
                    return
                await asyncio.sleep(ENDING_S)

    async def _started(self, record: ChamberRecord) -> bool:
        state = initial_state(record)
        state.lost_through_ms = await self._ended_ms(record, state)
        state.verify = state.lost_through_ms is not None  # the slot in hand may have been stored after that end
        try:
            await self._client.start_workflow(
                wire.CHAMBER_WORKFLOW,
                state,
                id=wire.workflow_id(record.spec.id),
                task_queue=wire.TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                search_attributes=presentation.attributes(record.spec, presentation.status_of(state)),
                static_summary=introduction.summary_of(record.spec),
                static_details=introduction.start_of(record.spec),
                memo={wire.MEMO_VERSION: state.spec.version},
                rpc_timeout=RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def _ended_ms(self, record: ChamberRecord, state: ChamberState) -> int | None:
        """When the run before ended: slots up to then were handed out. None without one, or when no slot is past."""
        if state.next_ms > time.time_ns() // 1_000_000:
            return None
        answer = await described(self._client, record.spec.id, RPC_TIMEOUT)
        if answer is None or not answer.workflow_execution_info.HasField("close_time"):
            return None
        return answer.workflow_execution_info.close_time.ToMilliseconds()

    async def _ends(self, chamber_id: str) -> bool:
        """Whether the workflow that runs is that of a former life."""
        try:
            return (await self.status(chamber_id)).status == Status.RETIRING
        except NotFoundError:
            return True
        except (EngineAwayError, RejectedError):
            return False  # nobody can say: it is left alone

    async def pause(self, chamber_id: str, request: PauseRequest) -> PauseAnswer:
        """Answers once no slot is being read any more."""
        return await self._update(chamber_id, wire.UPDATE_PAUSE, request, PauseAnswer)

    async def resume(self, chamber_id: str, request: ResumeRequest) -> SlotAnswer:
        """Answers with the first slot that is read again."""
        return await self._update(chamber_id, wire.UPDATE_RESUME, request, SlotAnswer)

    async def configure(self, chamber_id: str, request: ConfigureRequest) -> SlotAnswer:
        """Answers with the first slot under the new spec."""
        return await self._update(chamber_id, wire.UPDATE_CONFIGURE, request, SlotAnswer)

    async def retire(self, chamber_id: str, request: RetireRequest) -> RetireAnswer:
        """Answers with the last slot that was handed out."""
        return await self._update(chamber_id, wire.UPDATE_RETIRE, request, RetireAnswer)

    async def begin_again(self, record: ChamberRecord) -> SlotAnswer:
        """Answers with the first slot that the ledger does not have."""
        request = BeginAgainRequest(initial_state(record))
        return await self._update(record.spec.id, wire.UPDATE_BEGIN_AGAIN, request, SlotAnswer)

    async def collect(self, chamber_id: str, request: CollectRequest, within_ms: int) -> AdhocOutcome:
        """Collect now; the request id is the update's id, so that the same request again gets the same answer.

        What the worker does continues the span of this call: `CollectRequest.trace` says so.
        """
        with self._calling(f"UpdateWorkflow {wire.UPDATE_COLLECT}", chamber_id):
            return await self._collect(chamber_id, replace(request, trace=self._tracing.here()), within_ms)

    async def _collect(self, chamber_id: str, request: CollectRequest, within_ms: int) -> AdhocOutcome:
        async with speaking(chamber_id, RPC_TIMEOUT):
            update = await self._handle(chamber_id).start_update(
                wire.UPDATE_COLLECT,
                request,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                id=request.request_id,
                result_type=AdhocOutcome,
            )
        try:
            async with speaking(chamber_id, timedelta(milliseconds=within_ms)):
                outcome: AdhocOutcome = await update.result()
                return outcome
        except NoAnswerError:
            raise DeviceTimeoutError(f"no reading within {within_ms / 1000:g} s") from None

    async def status(self, chamber_id: str) -> ChamberStatus:
        """What the chamber says of itself."""
        async with self._speaking(f"QueryWorkflow {wire.QUERY_STATUS}", chamber_id, QUERY_TIMEOUT):
            status: ChamberStatus = await self._handle(chamber_id).query(
                wire.QUERY_STATUS,
                result_type=ChamberStatus,
                reject_condition=QueryRejectCondition.NOT_OPEN,
                rpc_timeout=QUERY_TIMEOUT,
            )
            return status

    async def ping(self) -> None:
        """Whether the server's frontend serves."""
        async with speaking("", PING_TIMEOUT):
            if not await self._client.service_client.check_health(timeout=PING_TIMEOUT):
                raise EngineAwayError("Temporal answers that it does not serve")

    async def _update(self, chamber_id: str, name: str, request: Any, result_type: type[T]) -> T:
        """Every update of ours may come twice, so one that was torn by the chamber's own work is sent again."""
        async with self._speaking(f"UpdateWorkflow {name}", chamber_id, RPC_TIMEOUT):
            while True:
                try:
                    answer: T = await self._handle(chamber_id).execute_update(
                        name, request, result_type=result_type, rpc_timeout=RPC_TIMEOUT
                    )
                    return answer
                except RPCError as error:
                    if error.status is not RPCStatusCode.FAILED_PRECONDITION or TORN not in error.message:
                        raise
                await asyncio.sleep(AGAIN_S)

    @asynccontextmanager
    async def _speaking(self, what: str, chamber_id: str, limit: timedelta) -> AsyncIterator[None]:
        """See `speaking`, in a span of its own."""
        with self._calling(what, chamber_id):
            async with speaking(chamber_id, limit):
                yield

    @contextmanager
    def _calling(self, what: str, chamber_id: str) -> Iterator[None]:
        """The span of a conversation, by the words of Temporal's own SDKs."""
        with self._tracing.span(what, kind=SpanKind.CLIENT) as span:
            if span.kept:
                span.note({"temporal.workflow.id": wire.workflow_id(chamber_id)})
            yield

    def _handle(self, chamber_id: str) -> WorkflowHandle[Any, Any]:
        return self._client.get_workflow_handle(wire.workflow_id(chamber_id))


def initial_state(record: ChamberRecord) -> ChamberState:
    """The state a chamber starts with: the first slot of its epoch that has no outcome.

    A row that was changed without its chamber has a spec whose grid has no epoch: the chamber starts on the grid of
    the ledger and opens the epoch of the new one itself. What was not settled of an epoch that has ended is lost.
    """
    spec, grid = record.spec, record.grid or record.spec.grid
    first = max(grid.after(record.settled_through_ms), grid.at_or_after(record.first_slot_ms))
    retiring = "marked as retiring in the registry" if record.status == Status.RETIRING else None
    state = ChamberState(spec, first, record.pause, retiring=retiring, enrolment=record.enrolment_trace)
    if grid != spec.grid:
        state.spec, state.wanted = _on_grid(spec, grid), spec
    if record.settled_through_ms + 1 < record.first_slot_ms:  # of the grid before, which nobody collects any more
        state.unsaved.append(pack(forgotten_run(record.settled_through_ms + 1, record.first_slot_ms - 1)))
    return state


def _on_grid(spec: ChamberSpec, grid: Grid) -> ChamberSpec:
    """The spec as it was before its grid was changed."""
    interval_ms = grid.interval_ms
    aligned = grid_of(spec.id, interval_ms, aligned=True) == grid
    timeout_ms = min(spec.timeout_ms, interval_ms)
    return replace(spec, interval_ms=interval_ms, timeout_ms=timeout_ms, aligned=aligned, version=spec.version - 1)

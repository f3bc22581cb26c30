"""Facts of batch operations of Temporal's server, on which adapters/temporal_sections.py leans. See
test_temporal_facts.py.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.api.batch.v1 import BatchOperationSignal
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import BatchOperationState
from temporalio.api.workflowservice.v1 import (
    DescribeBatchOperationRequest,
    DescribeBatchOperationResponse,
    StartBatchOperationRequest,
    StopBatchOperationRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from adapters.temporal_sections import LISTED_AT_MOST, UNDER_WAY
from stack.server import Server
from stack.temporal import start_temporal
from tests.contract.fact_rooms import eventually

FULL = 10
"""Operations at a time, as `DYNAMIC_CONFIG` of stack/temporal.py has it."""
SLOW = "worker.batcherRPS=2"
"""Signals a second: as a default (50) an operation is over before a test has looked twice."""
RUNNING, COMPLETED, FAILED = (
    BatchOperationState.BATCH_OPERATION_STATE_RUNNING,
    BatchOperationState.BATCH_OPERATION_STATE_COMPLETED,
    BatchOperationState.BATCH_OPERATION_STATE_FAILED,
)
pytestmark = pytest.mark.timeout(120)


@workflow.defn
class Listener:
    """Waits until it is told; or is told to begin anew, and waits on."""

    def __init__(self) -> None:
        self._told = self._again = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._told or self._again)
        if self._again and not self._told:
            workflow.continue_as_new()

    @workflow.signal
    def tell(self) -> None:
        self._told = True

    @workflow.signal
    def again(self) -> None:
        self._again = True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose batch operations are slow enough to be watched."""
    running = start_temporal(tmp_path_factory.mktemp("temporal") / "data", more_config=[SLOW])
    try:
        yield running
    finally:
        running.stop()


@pytest_asyncio.fixture
async def client(server: Server) -> Client:
    return await Client.connect(server.address, identity="facts")


@asynccontextmanager
async def listeners(client: Client, count: int) -> AsyncIterator[str]:
    """So many workflows that wait to be told, on the queue that is answered; they are gone afterwards."""
    queue = f"listeners-{uuid4().hex[:8]}"
    runner = UnsandboxedWorkflowRunner()
    async with Worker(
        client, task_queue=queue, workflows=[Listener], workflow_runner=runner, graceful_shutdown_timeout=timedelta(0)
    ):
        for number in range(count):
            await client.start_workflow(Listener.run, id=f"{queue}/{number}", task_queue=queue)
        await eventually(lambda: count_is(client, those_of(queue), count))
        yield queue
        async for run in client.list_workflows(those_of(queue)):
            await gone(client, run.id)


async def gone(client: Client, workflow_id: str) -> None:
    """It ends here, if it has not ended since it was listed."""
    try:
        await client.get_workflow_handle(workflow_id).terminate()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


def those_of(queue: str) -> str:
    return f'TaskQueue="{queue}" AND ExecutionStatus="Running"'


async def count_is(client: Client, query: str, count: int) -> bool:
    return (await client.count_workflows(query)).count == count


async def begin(client: Client, job_id: str, query: str = "", workflows: Sequence[str] = ()) -> None:
    await client.workflow_service.start_batch_operation(
        StartBatchOperationRequest(
            namespace=client.namespace,
            job_id=job_id,
            visibility_query=query,
            executions=[WorkflowExecution(workflow_id=name) for name in workflows],
            reason="a reason",
            signal_operation=BatchOperationSignal(signal="tell", identity="somebody"),
        )
    )


async def shown(client: Client, job_id: str) -> DescribeBatchOperationResponse:
    return await client.workflow_service.describe_batch_operation(
        DescribeBatchOperationRequest(namespace=client.namespace, job_id=job_id)
    )


async def until_ended(client: Client, job_id: str) -> list[DescribeBatchOperationResponse]:
    """Everything that was shown of it up to its end."""
    seen = [await shown(client, job_id)]
    while seen[-1].state == RUNNING:
        await asyncio.sleep(0.2)
        seen.append(await shown(client, job_id))
    return seen


def figures(operation: DescribeBatchOperationResponse) -> tuple[int, int, int]:
    return operation.total_operation_count, operation.complete_operation_count, operation.failure_operation_count


@pytest.fixture
def job() -> str:
    return f"section/default/cold-store/{uuid4().hex}"


async def refused(client: Client, job_id: str, query: str) -> tuple[RPCStatusCode, str]:
    with pytest.raises(RPCError) as caught:
        await begin(client, job_id, query)
    return caught.value.status, caught.value.message


# ---- figures: `_operation_of`


async def test_while_it_runs_its_figures_come_after_seconds_and_in_pages_only(client: Client, job: str) -> None:
    async with listeners(client, 8) as queue:
        await begin(client, job, those_of(queue))
        seen = await until_ended(client, job)
        assert await count_is(client, those_of(queue), 0)
    assert figures(seen[0]) == (0, 0, 0)
    assert {figures(now) for now in seen[:-1]} <= {(0, 0, 0), (8, 0, 0)}
    assert (seen[-1].state, figures(seen[-1])) == (COMPLETED, (8, 8, 0))
    assert (seen[0].identity, seen[0].reason, seen[0].query) == ("somebody", "a reason", those_of(queue))
    assert [now.HasField("close_time") for now in (seen[0], seen[-1])] == [False, True]


async def test_one_that_finds_nobody_is_completed(client: Client, job: str) -> None:
    await begin(client, job, those_of("nobody"))
    ended = (await until_ended(client, job))[-1]
    assert (ended.state, figures(ended)) == (COMPLETED, (0, 0, 0))


async def test_one_that_was_stopped_has_failed_and_knows_no_figures(client: Client, job: str) -> None:
    async with listeners(client, 40) as queue:
        await begin(client, job, those_of(queue))
        await client.workflow_service.stop_batch_operation(
            StopBatchOperationRequest(namespace=client.namespace, job_id=job, reason="enough")
        )
        ended = (await until_ended(client, job))[-1]
    assert (ended.state, figures(ended), ended.HasField("close_time")) == (FAILED, (0, 0, 0), True)


# ---- ids: `TemporalSections.begin`


async def test_a_taken_id_is_refused_while_it_runs_and_after_it(client: Client, job: str) -> None:
    await begin(client, job, those_of("nobody"))
    assert (await refused(client, job, those_of("somebody")))[0] is RPCStatusCode.ALREADY_EXISTS
    await until_ended(client, job)
    assert (await refused(client, job, those_of("somebody")))[0] is RPCStatusCode.ALREADY_EXISTS


async def test_an_unknown_id_is_not_found_and_any_workflow_is_shown_as_an_operation(client: Client) -> None:
    with pytest.raises(RPCError) as caught:
        await shown(client, "unknown")
    assert caught.value.status is RPCStatusCode.NOT_FOUND
    async with listeners(client, 1) as queue:
        assert (await shown(client, f"{queue}/0")).reason == ""


async def test_a_server_that_is_full_says_so_before_it_looks_at_the_id(client: Client, job: str) -> None:
    jobs = [f"{job}-{number}" for number in range(FULL)]
    for job_id in jobs:
        await begin(client, job_id, those_of("nobody"))
    await eventually(lambda: count_is(client, UNDER_WAY.format(f"{job}-"), FULL))
    assert (await refused(client, jobs[0], those_of("nobody")))[0] is RPCStatusCode.RESOURCE_EXHAUSTED
    for job_id in jobs:
        await until_ended(client, job_id)


async def test_those_that_run_are_listed_as_workflows_of_a_part_of_the_namespace(client: Client, job: str) -> None:
    await begin(client, job, those_of("nobody"))
    await eventually(lambda: count_is(client, UNDER_WAY.format(job), 1))
    assert await count_is(client, UNDER_WAY.format("section/default/cold/"), 0)
    assert job not in [run.id async for run in client.list_workflows('ExecutionStatus="Running"')]
    await until_ended(client, job)
    await eventually(lambda: count_is(client, UNDER_WAY.format(job), 0))


# ---- who is told: `TemporalSections._start`


@pytest.mark.parametrize("by_name", [True, False], ids=["by name", "by query"])
async def test_who_continues_as_new_before_its_turn_is_told_if_it_was_named(
    client: Client, job: str, by_name: bool
) -> None:
    async with listeners(client, 8) as queue:
        names = [f"{queue}/{number}" for number in range(8)]
        await begin(client, job, "" if by_name else those_of(queue), names if by_name else [])
        await asyncio.sleep(0.7)
        for name in names:
            with contextlib.suppress(RPCError):  # it was told already
                await client.get_workflow_handle(name).signal(Listener.again)
        ended = (await until_ended(client, job))[-1]
        assert figures(ended) == (8, 8, 0), "whoever was not there any more counts as told"
        await eventually(lambda: enough_left(client, queue, none=by_name))


async def enough_left(client: Client, queue: str, *, none: bool) -> bool:
    left = (await client.count_workflows(those_of(queue))).count
    return left == 0 if none else left > 0


async def test_thousands_can_be_named_and_are_shown_with_it(client: Client, job: str) -> None:
    names = [f"chamber/{number:063}" for number in range(LISTED_AT_MOST)]
    await begin(client, job, workflows=names)
    operation = await shown(client, job)
    assert [execution.business_id for execution in operation.executions] == names
    await client.workflow_service.stop_batch_operation(
        StopBatchOperationRequest(namespace=client.namespace, job_id=job, reason="enough")
    )

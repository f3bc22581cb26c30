"""`FleetRuns` on a real Temporal server: chambers whose workflow tasks fail, and activities that do not get on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.api.workflowservice.v1 import PauseActivityRequest
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from adapters.temporal_runs import TemporalRuns
from collector import wire
from collector.ports import ChamberRun
from stack.server import Server
from stack.temporal import start_temporal
from tests.contract.test_saved_queries import STUCK, found_by, saved

SOON = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2"
"""Failing tasks until the server says so: as a default it takes longer than a test should."""
pytestmark = pytest.mark.timeout(120)


@activity.defn(name=wire.COLLECT)
async def collect() -> None:
    """A store or a device that never does."""
    raise ApplicationError("connect: refused")


@workflow.defn(name=wire.CHAMBER_WORKFLOW)
class Chamber:
    """A release with a defect, or one that waits for its activity."""

    @workflow.run
    async def run(self, defective: bool) -> None:
        if defective:
            raise RuntimeError("a defect of this release")
        again = RetryPolicy(initial_interval=timedelta(seconds=30))
        await workflow.execute_activity(wire.COLLECT, start_to_close_timeout=timedelta(hours=1), retry_policy=again)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start_temporal(tmp_path_factory.mktemp("runs") / "temporal", more_config=[SOON])
    yield running
    running.stop()


@pytest_asyncio.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    client = await Client.connect(server.address)
    async with Worker(
        client,
        task_queue=wire.TASK_QUEUE,
        workflows=[Chamber],
        activities=[collect],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield client


async def start(client: Client, name: str, *, defective: bool) -> None:
    await client.start_workflow(wire.CHAMBER_WORKFLOW, defective, id=wire.workflow_id(name), task_queue=wire.TASK_QUEUE)


async def run_of(client: Client, name: str) -> ChamberRun | None:
    return next((run for run in await TemporalRuns(client).open() if run.chamber_id == name), None)


async def test_a_chamber_whose_workflow_tasks_fail_has_a_problem(client: Client) -> None:
    await start(client, "wedged", defective=True)
    await start(client, "well", defective=False)
    for _ in range(600):
        run = await run_of(client, "wedged")
        if run is not None and run.problem:
            break
        await asyncio.sleep(0.1)
    assert run is not None
    assert "WorkflowTaskFailed" in run.problem
    query, _ = saved()[STUCK]
    assert await found_by(client, query) == {"wedged"}
    assert await run_of(client, "well") == ChamberRun("well")


async def test_an_activity_that_fails_or_is_paused_is_named(client: Client) -> None:
    await start(client, "troubled", defective=False)
    runs = TemporalRuns(client)
    for _ in range(100):
        if trouble := await runs.trouble("troubled"):
            break
        await asyncio.sleep(0.1)
    assert trouble == "attempt 2 of collect, last failure: connect: refused"

    request = PauseActivityRequest(namespace="default", id="1", reason="a test")
    request.execution.workflow_id = wire.workflow_id("troubled")
    await client.workflow_service.pause_activity(request)
    assert await runs.trouble("troubled") == "its activity collect is paused in Temporal itself: unpause it"


async def test_of_a_chamber_that_does_not_run_nothing_is_known(client: Client) -> None:
    assert await TemporalRuns(client).trouble("nobody") is None

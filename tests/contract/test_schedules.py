"""Schedules on a real Temporal server: made once, changed when they must, and what they run is registered."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    ScheduleOverlapPolicy,
    WorkflowExecutionStatus,
)
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.maintenance import FAILED, MaintenanceActivities
from adapters.clock import SystemClock
from adapters.memory import InMemoryLedger, InMemoryMaintenance, InMemoryUpkeep
from adapters.temporal_schedules import MAINTENANCE_WORDS, NO_WORDS, SCHEDULES, Words, ensure_schedules, every
from collector import wire
from collector.domain.errors import EngineAwayError
from collector.domain.sealing import MaintenanceOutcome
from collector.ports import RolledUp
from collector.usecases.maintain import AHEAD_DAYS, MaintainLedger
from stack.server import Server
from stack.temporal import start_temporal
from workflows.maintenance import MaintenanceWorkflow

pytestmark = pytest.mark.timeout(120)
HOUR = timedelta(hours=1)


class NoHours(InMemoryMaintenance):
    """Its hours cannot be computed."""

    async def roll_up(self) -> RolledUp:
        raise ZeroDivisionError("no hours")


@pytest_asyncio.fixture
async def client(server: Server) -> Client:
    return await Client.connect(server.address)


async def test_eight_workers_at_once_make_one(server: Server) -> None:
    clients = [await Client.connect(server.address) for _ in range(8)]
    name = f"s-{uuid4().hex[:8]}"
    schedules = {name: every(wire.MAINTENANCE_WORKFLOW, name, HOUR)}
    made = await asyncio.gather(*(ensure_schedules(one, schedules) for one in clients))
    assert sorted(made) == [[]] * 7 + [[name]]
    assert await ensure_schedules(clients[0], schedules) == []


async def test_a_change_is_taken_over_and_a_pause_survives_it(client: Client) -> None:
    name = f"s-{uuid4().hex[:8]}"
    await ensure_schedules(client, {name: every(wire.MAINTENANCE_WORKFLOW, name, HOUR)})
    handle = client.get_schedule_handle(name)
    await handle.pause(note="the disk is being changed")

    await ensure_schedules(client, {name: every(wire.MAINTENANCE_WORKFLOW, name, 2 * HOUR)})

    schedule = (await handle.describe()).schedule
    assert [i.every for i in schedule.spec.intervals] == [2 * HOUR]
    assert (schedule.state.paused, schedule.state.note) == (True, "the disk is being changed")
    assert schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert isinstance(schedule.action, ScheduleActionStartWorkflow)
    assert schedule.action.execution_timeout == 4 * HOUR


@pytest.mark.parametrize("offset", [timedelta(), timedelta(minutes=5)])
@pytest.mark.parametrize("words", [NO_WORDS, Words("what it does"), Words("what it does", "**more** of it")])
async def test_again_nothing_is_changed(client: Client, offset: timedelta, words: Words) -> None:
    name = f"s-{uuid4().hex[:8]}"
    schedules = {name: every(wire.MAINTENANCE_WORKFLOW, name, HOUR, offset, words)}
    await ensure_schedules(client, schedules)
    handle = client.get_schedule_handle(name)
    before = (await handle.describe()).info.last_updated_at
    await ensure_schedules(client, schedules)
    assert (await handle.describe()).info.last_updated_at == before


async def test_a_schedule_of_a_former_release_gets_the_words_that_people_read(client: Client) -> None:
    name = f"s-{uuid4().hex[:8]}"
    await ensure_schedules(client, {name: every(wire.MAINTENANCE_WORKFLOW, name, HOUR)})
    words = Words("what it does", "**more** of it")
    await ensure_schedules(client, {name: every(wire.MAINTENANCE_WORKFLOW, name, HOUR, words=words)})
    handle = client.get_schedule_handle(name)
    described = await handle.describe()
    assert isinstance(described.schedule.action, ScheduleActionStartWorkflow)
    assert isinstance(described.schedule.action.static_summary, Payload)
    assert described.schedule.action.static_summary.data == b'"what it does"'


async def test_the_schedule_runs_what_workers_have(client: Client) -> None:
    """The product's own table: triggered by hand it ends, and its result says what was done."""
    ledger = InMemoryLedger()
    maintain = MaintainLedger(InMemoryMaintenance(ledger), 400, SystemClock())
    activities = MaintenanceActivities(maintain, InMemoryUpkeep(ledger))
    assert wire.MAINTENANCE_SCHEDULE in SCHEDULES
    async with maintaining(client, activities):
        await ensure_schedules(client)
        handle = client.get_schedule_handle(wire.MAINTENANCE_SCHEDULE)
        await handle.trigger()
        run = await first_run(client)
        outcome = await client.get_workflow_handle(run, result_type=MaintenanceOutcome).result()
    assert outcome == MaintenanceOutcome(partitions_made=AHEAD_DAYS + 2)
    assert run.startswith("maintenance-")
    described = await client.get_workflow_handle(run).describe()
    assert await described.static_summary() == MAINTENANCE_WORDS.summary
    assert await described.static_details() == MAINTENANCE_WORDS.details
    await handle.delete()


async def test_a_step_that_fails_makes_the_run_fail_with_its_outcome(client: Client) -> None:
    activities = MaintenanceActivities(
        MaintainLedger(NoHours(InMemoryLedger()), None, SystemClock()), InMemoryUpkeep(InMemoryLedger())
    )
    async with maintaining(client, activities):
        handle = await client.start_workflow(
            wire.MAINTENANCE_WORKFLOW, id=f"m-{uuid4().hex[:8]}", task_queue=wire.TASK_QUEUE
        )
        for _ in range(100):
            described = await handle.describe()
            pending = described.raw_description.pending_activities
            if pending and pending[0].HasField("last_failure"):
                break
            await asyncio.sleep(0.1)
        failure = pending[0].last_failure
        assert failure.message == "hours: ZeroDivisionError: no hours"
        assert failure.application_failure_info.type == FAILED
        assert b'"partitions_made":16' in failure.application_failure_info.details.payloads[0].data
        await handle.terminate()


async def test_a_server_that_is_away_is_told_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    own = start_temporal(tmp_path_factory.mktemp("gone") / "temporal")
    gone = await Client.connect(own.address)
    own.stop()
    with pytest.raises(EngineAwayError, match="schedules cannot be made"):
        await ensure_schedules(gone)


def maintaining(client: Client, activities: MaintenanceActivities) -> Worker:
    return Worker(
        client,
        task_queue=wire.TASK_QUEUE,
        workflows=[MaintenanceWorkflow],
        activities=[activities.maintain],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


async def first_run(client: Client) -> str:
    """The id of the run that the schedule started."""
    query = f'WorkflowType="{wire.MAINTENANCE_WORKFLOW}" AND WorkflowId STARTS_WITH "maintenance-"'
    for _ in range(100):
        async for found in client.list_workflows(query):
            if found.status in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED):
                return found.id
        await asyncio.sleep(0.1)
    raise TimeoutError("the schedule started nothing")

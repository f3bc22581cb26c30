"""Facts of Temporal's server about sizes, lists and memos, and of its SDK when the server is away. See
test_temporal_facts.py.
"""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio import activity
from temporalio.api.enums.v1 import EventType, IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import (
    ListWorkersRequest,
    ListWorkflowExecutionsRequest,
    PauseWorkflowExecutionRequest,
    RecordWorkerHeartbeatRequest,
)
from temporalio.client import Client

from stack.server import Server
from stack.temporal import TemporalPorts, start_temporal
from tests.contract.fact_rooms import WORK, Growing, Policy, WithMemo, begun, eventually, working

pytestmark = pytest.mark.timeout(120)
RUNNING = ' AND ExecutionStatus="Running"'


@pytest_asyncio.fixture
async def client(server: Server) -> Client:
    return await Client.connect(server.address, identity="facts")


# ---- the size of a state: collector/backlog.py


async def test_a_state_of_more_than_two_megabytes_wedges_a_workflow_that_continues_as_new(client: Client) -> None:
    async with working(client, "growing"):
        small = await client.start_workflow(
            Growing.run, args=[1_500_000, ""], id="small", task_queue="growing", execution_timeout=timedelta(seconds=60)
        )
        assert await small.result() == 1_500_000
        large = await client.start_workflow(Growing.run, args=[2_200_000, ""], id="large", task_queue="growing")
        await eventually(lambda: task_failed(client, "large"))
        described = await large.describe()
        assert (described.run_id, described.status and described.status.name) == (
            large.first_execution_run_id,
            "RUNNING",
        )
        await large.terminate()


async def task_failed(client: Client, workflow_id: str) -> bool:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for event in history.events)


# ---- lists: adapters/temporal_rounds.py and whoever lists chambers


async def test_a_workflow_paused_at_the_server_breaks_the_sdks_descriptions_and_lists(client: Client) -> None:
    handle = await client.start_workflow("Nobodys", id="paused", task_queue="nobody")
    await client.workflow_service.pause_workflow_execution(
        PauseWorkflowExecutionRequest(namespace=client.namespace, workflow_id="paused", reason="a fact", request_id="1")
    )
    with pytest.raises(ValueError, match="not a valid WorkflowExecutionStatus"):
        await handle.describe()
    query = 'WorkflowType="Nobodys"'
    await eventually(lambda: counts(client, query + ' AND ExecutionStatus="Paused"'))
    with pytest.raises(ValueError, match="not a valid WorkflowExecutionStatus"):
        [found async for found in client.list_workflows(query)]
    assert [found async for found in client.list_workflows(query + RUNNING)] == []
    raw = await client.workflow_service.list_workflow_executions(
        ListWorkflowExecutionsRequest(namespace=client.namespace, query=query)
    )
    assert [info.execution.workflow_id for info in raw.executions] == ["paused"]


async def counts(client: Client, query: str) -> bool:
    return (await client.count_workflows(query)).count == 1


async def test_a_search_attribute_added_again_with_another_type_stays_as_it_was_and_nobody_is_told(
    client: Client,
) -> None:
    keyword, number = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD, IndexedValueType.INDEXED_VALUE_TYPE_INT
    for kind in (keyword, number):
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes={"FactKind": kind})
        )
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    assert listed.custom_attributes["FactKind"] == keyword


async def test_a_worker_that_fell_silent_stays_in_the_list_with_its_last_beat_and_only_on_its_own_queue(
    client: Client,
) -> None:
    at = Timestamp(seconds=int(time.time()), nanos=7_000_000)
    beat = WorkerHeartbeat(
        worker_instance_key="silent", worker_identity="silent@x", task_queue="silent-queue", heartbeat_time=at
    )
    await client.workflow_service.record_worker_heartbeat(
        RecordWorkerHeartbeatRequest(namespace=client.namespace, identity="silent@x", worker_heartbeat=[beat])
    )
    for _ in range(2):
        assert await beats_on(client, "silent-queue") == {"silent@x": at.ToMilliseconds()}
        assert await beats_on(client, "another-queue") == {}
        await asyncio.sleep(1)


async def beats_on(client: Client, queue: str) -> dict[str, int]:
    answer = await client.workflow_service.list_workers(
        ListWorkersRequest(namespace=client.namespace, page_size=100, query=f'TaskQueue="{queue}"')
    )
    beats = [info.worker_heartbeat for info in answer.workers_info]
    return {beat.worker_identity: beat.heartbeat_time.ToMilliseconds() for beat in beats}


async def test_a_memo_is_listed_outlives_a_run_and_can_be_changed(client: Client) -> None:
    seen: dict[str, int] = {}

    async def a_new_run_is_listed() -> bool:
        now = await memos_of(client, "memo")
        fresh = now.keys() - seen.keys()
        seen.update(now)
        return bool(fresh)

    async with working(client, "memo"):
        await client.start_workflow(WithMemo.run, 1, id="memo", task_queue="memo", memo={"version": 1})
        latest = client.get_workflow_handle("memo")
        for _ in range(2):
            await eventually(a_new_run_is_listed)
            await latest.signal(WithMemo.go)
        await eventually(a_new_run_is_listed)
        assert list(seen.values())[:2] == [1, 1]
        await eventually(lambda: all_say(client, "memo", 3))
        await latest.terminate()


async def memos_of(client: Client, workflow_id: str) -> dict[str, int]:
    """Run to the memo's version, of the runs that are running."""
    request = ListWorkflowExecutionsRequest(
        namespace=client.namespace, query=f'WorkflowId="{workflow_id}"{RUNNING}', page_size=10
    )
    answer = await client.workflow_service.list_workflow_executions(request)
    return {info.execution.run_id: int(info.memo.fields["version"].data) for info in answer.executions}


async def all_say(client: Client, workflow_id: str, version: int) -> bool:
    return set((await memos_of(client, workflow_id)).values()) == {version}


# ---- Temporal away: `ActivityRound.go_alone` of activities/round_control.py


async def test_the_sdk_itself_cancels_an_activity_whose_heartbeats_do_not_arrive(tmp_path: Path) -> None:
    data = tmp_path / "temporal"
    away = start_temporal(data)
    client = await Client.connect(away.address)
    running, cancelled = asyncio.Event(), asyncio.Event()
    why: list[activity.ActivityCancellationDetails | None] = []

    @activity.defn(name=WORK)
    async def beats_in_vain() -> None:
        running.set()
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            why.append(activity.cancellation_details())
            cancelled.set()
            raise

    try:
        async with working(client, "away", beats_in_vain):
            await begun(client, "away", Policy(heartbeat_s=2))
            await asyncio.wait_for(running.wait(), 20)
            away.stop()
            try:
                await asyncio.wait_for(cancelled.wait(), 30)
            finally:
                away = start_temporal(data, TemporalPorts(away.port))
            assert why[0] is not None
            assert (why[0].timed_out, why[0].cancel_requested, why[0].worker_shutdown) == (True, False, False)
    finally:
        away.stop()

"""`RunningRounds` on a real Temporal server: who lives, and whose rounds are ended."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from adapters.temporal_rounds import IDENTITY_PREFIX, TemporalRounds, tells_workers_apart
from collector import wire
from stack.server import Server

A, B, STRANGER = f"{IDENTITY_PREFIX}1@a/x", f"{IDENTITY_PREFIX}2@b/y", "somebody@else"
pytestmark = pytest.mark.timeout(120)


@activity.defn(name=wire.COLLECT)
async def collect() -> str:
    """The first attempt runs until it is given up; the next one answers who made it possible."""
    if activity.info().attempt == 1:
        await asyncio.sleep(3_600)
    return f"attempt {activity.info().attempt}"


@workflow.defn(name=wire.CHAMBER_WORKFLOW)
class Chamber:
    """One round."""

    @workflow.run
    async def run(self) -> str:
        answer: str = await workflow.execute_activity(
            wire.COLLECT,
            result_type=str,
            start_to_close_timeout=timedelta(hours=1),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1)),
        )
        return answer


async def connected(server: Server, identity: str) -> Client:
    runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))
    return await Client.connect(server.address, identity=identity, runtime=runtime)


@pytest_asyncio.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    """Of worker A, which runs a worker for as long as the test lasts."""
    connection = await connected(server, A)
    async with working(connection):
        yield connection


def working(client: Client) -> Worker:
    return Worker(
        client,
        task_queue=wire.TASK_QUEUE,
        workflows=[Chamber],
        activities=[collect],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
    )


async def running_round(client: Client, chamber: str) -> WorkflowHandle[Chamber, str]:
    """A round whose first attempt has begun."""
    workflow_id = wire.workflow_id(chamber)
    handle = await client.start_workflow(Chamber.run, id=workflow_id, task_queue=wire.TASK_QUEUE)
    for _ in range(200):
        pending = (await handle.describe()).raw_description.pending_activities
        listed = await client.count_workflows('WorkflowType="Chamber" AND ExecutionStatus="Running"')
        if pending and pending[0].last_worker_identity and listed.count:
            return handle
        await asyncio.sleep(0.05)
    raise AssertionError("the round never began")


def held(chamber: str) -> bool:
    return chamber == "held"


async def test_the_local_server_tells_workers_apart(client: Client) -> None:
    assert await tells_workers_apart(client)


async def test_living_workers_are_listed_and_their_beats_move(client: Client) -> None:
    rounds = TemporalRounds(client)
    seen: set[int] = set()
    for _ in range(60):
        seen.add((await rounds.signs_of_life()).beats.get(A, 0))
        if len(seen - {0}) > 1:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"no second sign of life: {seen}")


async def test_a_round_of_a_worker_that_is_gone_begins_anew(client: Client, server: Server) -> None:
    handle = await running_round(client, "gone")
    rounds = TemporalRounds(await connected(server, B))
    assert await rounds.end_abandoned(lambda identity: identity == A, held) == 1
    assert await asyncio.wait_for(handle.result(), 20) == "attempt 2"
    assert await rounds.end_abandoned(lambda identity: identity == A, held) == 0


async def test_a_round_of_a_living_worker_is_left_alone(client: Client, server: Server) -> None:
    handle = await running_round(client, "alive")
    rounds = TemporalRounds(await connected(server, B))
    assert await rounds.end_abandoned(lambda identity: identity != A, held) == 0
    await handle.terminate()


async def test_an_own_round_that_is_young_or_held_is_left_alone_whatever_is_said_of_us(client: Client) -> None:
    young, carried = await running_round(client, "young"), await running_round(client, "held")
    assert await TemporalRounds(client).end_abandoned(lambda _: True, held) == 0
    await young.terminate()
    await carried.terminate()


async def test_an_own_round_that_nobody_carries_any_more_begins_anew(client: Client) -> None:
    lost, carried = await running_round(client, "lost"), await running_round(client, "held")
    assert await TemporalRounds(client, young_s=0.0).end_abandoned(lambda _: False, held) == 1
    assert await asyncio.wait_for(lost.result(), 20) == "attempt 2"
    await carried.terminate()


async def test_rounds_of_strangers_are_nobodys_business(server: Server) -> None:
    stranger = await connected(server, STRANGER)
    async with working(stranger):
        handle = await running_round(stranger, "strange")
        rounds = TemporalRounds(await connected(server, B))
        assert await rounds.end_abandoned(lambda _: True, held) == 0
        await handle.terminate()

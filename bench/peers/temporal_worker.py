"""`python -m bench.peers.temporal_worker schedules|naive FILE`: the worker of a Temporal peer, until a signal."""

import asyncio
import signal
import sys
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import uvloop
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from bench.peers.activities import PeerActivities
from bench.peers.assignment import Assignment, read_assignment
from bench.peers.naive import NaiveCollection
from bench.peers.schedules import ScheduledReading
from bench.peers.temporal_tuning import STICKY, TASK_QUEUE
from stack.server import HOST

WORKFLOWS: dict[str, type] = {"schedules": ScheduledReading, "naive": NaiveCollection}
GRACE = timedelta(seconds=5)


async def work(name: str, assignment: Assignment) -> None:
    """Work until a signal; `ready_port` accepts connections once it polls.

    Args:
        name: a key of `WORKFLOWS`.
        assignment: what to do.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    client = await Client.connect(assignment.temporal)
    size = assignment.tuning["connections"]
    timeout_s = assignment.timeout_ms / 1000
    async with (
        httpx.AsyncClient(timeout=timeout_s, trust_env=False) as http,
        asyncpg.create_pool(assignment.postgres, min_size=size, max_size=size) as pool,
        _worker(client, name, PeerActivities(http, pool, assignment.insert), assignment),
        await asyncio.start_server(lambda _, writer: writer.close(), HOST, assignment.ready_port),
    ):
        await stopped.wait()


def _worker(client: Client, name: str, activities: PeerActivities, assignment: Assignment) -> Worker:
    """The modules are passed through the sandbox, as Temporal's documentation says for what is deterministic."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules("bench", "collector", "stack")
    room = assignment.tuning
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[WORKFLOWS[name]],
        activities=[activities.read, activities.fetch, activities.store],
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
        max_cached_workflows=room["max_cached_workflows"],
        max_concurrent_workflow_tasks=room["max_concurrent_workflow_tasks"],
        max_concurrent_activities=room["max_concurrent_activities"],
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
    )


def main(arguments: list[str]) -> int:
    """Run the worker that the first argument names."""
    name, file = arguments
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(name, read_assignment(Path(file))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

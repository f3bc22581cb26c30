"""The Temporal worker: settings that matter, each with the fault it is for."""

import logging
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from activities.collection import CollectionActivities
from collector import wire
from workers.settings import WorkerSettings
from workflows.chamber import ChamberWorkflow

log = logging.getLogger(__name__)

STICKY = timedelta(seconds=2)
"""Chambers of a worker that was killed wait this long for it: with the default of 10 s they were that late."""
GRACE = timedelta(seconds=30)
"""A deploy lets the slot in hand end: above the longest usual time budget of a fetch and a save."""
BEAT_CEILING = timedelta(seconds=20)
"""The SDK's own throttle: rounds that beat so that a cancel is heard must not be held back; the others beat rarely."""


def make_worker(client: Client, activities: CollectionActivities, settings: WorkerSettings) -> Worker:
    """A worker that is not polling yet.

    Workflows run without Temporal's sandbox, which costs a third of a workflow task and of the memory: that they
    have neither clock nor chance is proved by lint and by tests/architecture/test_purity.py, and the tests of the
    workflow run them inside it.
    """
    return Worker(
        client,
        task_queue=wire.TASK_QUEUE,
        workflows=[ChamberWorkflow],
        activities=[activities.collect, activities.store, activities.collect_adhoc],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=settings.max_cached_workflows,
        max_concurrent_workflow_tasks=settings.max_workflow_tasks,
        max_concurrent_activities=settings.max_activities,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
        max_heartbeat_throttle_interval=BEAT_CEILING,
    )


async def warn_when_slots_are_few(client: Client, settings: WorkerSettings) -> None:
    """Say so when the fast chambers of the whole fleet would fill this worker: their rounds would wait in the queue."""
    query = f'{wire.SEARCH_INTERVAL_SECONDS} < 60 AND ExecutionStatus="Running"'
    try:
        fast = (await client.count_workflows(query)).count
    except RPCError as error:
        log.warning("the fast chambers cannot be counted: %s", error.message)
        return
    if fast >= settings.max_activities:
        log.warning(
            "%d chambers below 60 s and %d activity slots: raise CHAMBERLOG_MAX_ACTIVITIES or add workers",
            fast,
            settings.max_activities,
        )

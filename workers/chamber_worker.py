"""The Temporal worker: settings that matter, each with the fault it is for."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from activities.collection import CollectionActivities
from collector import wire
from workers.settings import WorkerSettings
from workflows.chamber import ChamberWorkflow
from workflows.maintenance import MaintenanceWorkflow
from workflows.reconcile import ReconcileWorkflow

log = logging.getLogger(__name__)

STICKY = timedelta(seconds=2)
"""Chambers of a worker that was killed wait this long for it: with the default of 10 s they were that late."""
GRACE = timedelta(seconds=30)
"""A deploy lets the slot in hand end: above the longest usual time budget of a fetch and a save."""
BEAT_CEILING = timedelta(seconds=20)
"""The SDK's own throttle: rounds that beat so that a cancel is heard must not be held back; the others beat rarely."""


def make_worker(
    client: Client,
    activities: CollectionActivities,
    settings: WorkerSettings,
    chamber: type[ChamberWorkflow] = ChamberWorkflow,
    upkeep: Sequence[Callable[..., Any]] = (),
) -> Worker:
    """A worker that is not polling yet.

    Workflows run without Temporal's sandbox, which costs a third of a workflow task and of the memory: that they
    have neither clock nor chance is proved by lint and by tests/architecture/test_purity.py, and the tests of the
    workflow run them inside it.

    Args:
        client: connected.
        activities: of this process.
        settings: see `WorkerSettings`.
        chamber: the chamber's workflow; tests of upgrades bring a changed one.
        upkeep: activities that look after the fleet and the ledger.
    """
    return Worker(
        client,
        task_queue=wire.TASK_QUEUE,
        workflows=[chamber, ReconcileWorkflow, MaintenanceWorkflow],
        activities=[activities.collect, activities.store, activities.collect_adhoc, *upkeep],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=settings.max_cached_workflows,
        max_concurrent_workflow_tasks=settings.max_workflow_tasks,
        max_concurrent_activities=settings.max_activities,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
        max_heartbeat_throttle_interval=BEAT_CEILING,
        deployment_config=version_of(settings),
    )


def version_of(settings: WorkerSettings) -> WorkerDeploymentConfig | None:
    """Which build of which deployment the worker is; None without worker versioning.

    Chambers live for months and take up the current build with their next task (AUTO_UPGRADE). Pinned ones would hang
    as soon as the last worker of their build is gone, and would need it until each of them continued as new.
    """
    if settings.deployment is None or settings.build_id is None:
        return None
    version = WorkerDeploymentVersion(settings.deployment, settings.build_id)
    log.info("build %s: serves while it is the current one of its deployment", version.to_canonical_string())
    return WorkerDeploymentConfig(
        version=version,
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
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

"""What Temporal runs by the clock: each schedule is made once, by whichever worker comes first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError

from collector import wire
from collector.domain.errors import EngineAwayError


@dataclass(frozen=True, slots=True)
class Words:
    """What people read of each run that a schedule starts.

    Attributes:
        summary: one line, at most 200 bytes.
        details: Markdown, at most 20 KB.
    """

    summary: str
    details: str = ""


NO_WORDS = Words("")


def every(
    workflow: str, schedule_id: str, interval: timedelta, offset: timedelta = timedelta(), words: Words = NO_WORDS
) -> Schedule:
    """Run a workflow without input each interval; the one before must have ended, and ends before the next but one.

    A run that is not begun within one interval (Temporal was away) is left out: the next one does its work too.
    """
    action = ScheduleActionStartWorkflow(
        workflow,
        id=schedule_id,
        task_queue=wire.TASK_QUEUE,
        execution_timeout=2 * interval,
        static_summary=words.summary or None,
        static_details=words.details or None,
    )
    return Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=interval, offset=offset)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=interval),
    )


RECONCILE_WORDS = Words(
    "Compares the registry with the chambers' workflows, and repairs what differs",
    "Each minute. What this run found is in its current details and in its result; a run fails when so much differs "
    "that it repaired nothing.\n\n"
    "```\n"
    'temporal workflow list --query \'WorkflowType="Reconcile" AND ExecutionStatus="Failed"\'\n'
    "temporal workflow execute --type Reconcile -w reconcile/by-hand --task-queue chamberlog "
    "--input '{\"dry_run\": true}'\n"
    "temporal schedule describe --schedule-id reconcile\n"
    "```",
)
MAINTENANCE_WORDS = Words(
    "Makes partitions ahead, rolls hours up, seals days, drops those that are older than the retention",
    "Each hour. What this run did is in its current details and in its result; a failure names the steps that failed, "
    "the others are done.\n\n"
    "```\n"
    'temporal workflow list --query \'WorkflowType="Maintenance" AND ExecutionStatus="Failed"\'\n'
    "temporal schedule trigger --schedule-id maintenance\n"
    "```",
)
FIVE_PAST = timedelta(minutes=5)
SCHEDULES: Mapping[str, Schedule] = {
    wire.RECONCILE_SCHEDULE: every(
        wire.RECONCILE_WORKFLOW, wire.RECONCILE_SCHEDULE, timedelta(minutes=1), words=RECONCILE_WORDS
    ),
    wire.MAINTENANCE_SCHEDULE: every(
        wire.MAINTENANCE_WORKFLOW, wire.MAINTENANCE_SCHEDULE, timedelta(hours=1), FIVE_PAST, MAINTENANCE_WORDS
    ),
}
"""By id; workflows get it with the time behind it."""


async def ensure_schedules(client: Client, wanted: Mapping[str, Schedule] = SCHEDULES) -> list[str]:
    """Make schedules that are not there, and change those that are other than wanted; a person's pause stays.

    Again, or by several at once: nothing changes.

    Returns:
        The ids of those that were made here.

    Raises:
        EngineAwayError: the server cannot be reached or refuses.
    """
    made = []
    try:
        for name, schedule in wanted.items():
            try:
                await client.create_schedule(name, schedule)
                made.append(name)
            except ScheduleAlreadyRunningError:
                await _converge(client, name, schedule)
    except (RuntimeError, RPCError) as error:
        raise EngineAwayError(f"schedules cannot be made: {error}") from error
    return made


async def _converge(client: Client, name: str, wanted: Schedule) -> None:
    def change(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
        old = found.description.schedule
        if _essence(old) == _essence(wanted):
            return None
        return ScheduleUpdate(
            schedule=Schedule(action=wanted.action, spec=wanted.spec, policy=wanted.policy, state=old.state)
        )

    await client.get_schedule_handle(name).update(change)


def _essence(schedule: Schedule) -> tuple[object, ...]:
    action = schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    what = (action.workflow, action.id, action.task_queue, action.execution_timeout)
    words = (_text(action.static_summary), _text(action.static_details))
    intervals = [(interval.every, interval.offset or timedelta()) for interval in schedule.spec.intervals]
    return (*what, *words, intervals, schedule.policy)


def _text(words: str | Payload | None) -> object:
    """What a description has is still a payload, an empty one where there are no such words."""
    return json.loads(words.data or b"null") if isinstance(words, Payload) else words

"""What Temporal runs by the clock: each schedule is made once, by whichever worker comes first."""

from collections.abc import Mapping
from datetime import timedelta

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


def every(workflow: str, schedule_id: str, interval: timedelta, offset: timedelta = timedelta()) -> Schedule:
    """Run a workflow without input each interval; the one before must have ended, and ends before the next but one.

    A run that is not begun within one interval (Temporal was away) is left out: the next one does its work too.
    """
    action = ScheduleActionStartWorkflow(
        workflow, id=schedule_id, task_queue=wire.TASK_QUEUE, execution_timeout=2 * interval
    )
    return Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=interval, offset=offset)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=interval),
    )


SCHEDULES: Mapping[str, Schedule] = {
    wire.RECONCILE_SCHEDULE: every(wire.RECONCILE_WORKFLOW, wire.RECONCILE_SCHEDULE, timedelta(minutes=1)),
    wire.MAINTENANCE_SCHEDULE: every(
        wire.MAINTENANCE_WORKFLOW, wire.MAINTENANCE_SCHEDULE, timedelta(hours=1), timedelta(minutes=5)
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
    return (*what, list(schedule.spec.intervals), schedule.policy)

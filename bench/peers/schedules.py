"""Temporal Schedules: one for each chamber, a short workflow with one activity for each slot."""

from datetime import timedelta
from pathlib import Path

from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.common import SearchAttributeKey

from bench.peers.activities import READ, Target
from bench.peers.assignment import Assignment, PeerChamber
from bench.peers.temporal_tuning import RETRY, TASK_QUEUE, all_at_once
from collector.domain.cadence import phase_of

START_TO_CLOSE_MARGIN = timedelta(seconds=5)
CATCH_UP = timedelta(seconds=60)
"""A slot for which the server was away is made up for within this time; the server's default is a year."""
SCHEDULED = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
NOTES = {
    "schedule": f"overlap SKIP, catch-up {CATCH_UP.total_seconds():g} s, phase in whole seconds: the server cuts it so"
}


@workflow.defn(name="ScheduledReading")
class ScheduledReading:
    """One slot of one chamber; its instant is the schedule's.

    Identity: `<chamber>-<instant>`, made by the server. Ends when the reading is stored.
    """

    @workflow.run
    async def run(self, number: int, url: str, timeout_ms: int) -> None:
        """Fetch and store."""
        scheduled = workflow.info().typed_search_attributes[SCHEDULED]
        await workflow.execute_activity(
            READ,
            Target(number, url, round(scheduled.timestamp() * 1000)),
            start_to_close_timeout=timedelta(milliseconds=timeout_ms) + START_TO_CLOSE_MARGIN,
            retry_policy=RETRY,
        )


def phase(chamber_id: str, interval_ms: int) -> int:
    """Chamberlog's phase in whole seconds: the server knows no smaller ones, and would cut it itself."""
    return phase_of(chamber_id, interval_ms) // 1000 * 1000


async def enrol(assignment: Assignment, _: Path) -> None:
    """Make the schedules."""
    client = await Client.connect(assignment.temporal)

    async def one(chamber: PeerChamber) -> None:
        await client.create_schedule(chamber.id, _schedule(chamber, assignment))

    await all_at_once(one(chamber) for chamber in assignment.chambers)


def _schedule(chamber: PeerChamber, assignment: Assignment) -> Schedule:
    every, offset = assignment.interval_ms, chamber.phase_ms
    return Schedule(
        action=ScheduleActionStartWorkflow(
            ScheduledReading.run,
            args=[chamber.number, chamber.url, assignment.timeout_ms],
            id=chamber.id,
            task_queue=TASK_QUEUE,
        ),
        spec=ScheduleSpec(
            intervals=[ScheduleIntervalSpec(timedelta(milliseconds=every), timedelta(milliseconds=offset))]
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )

"""The naive Temporal design: one long workflow for each chamber that waits, fetches, stores, and begins again."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ActivityError

from bench.peers.activities import FETCH, STORE, Answer, Target
from bench.peers.assignment import Assignment, PeerChamber
from bench.peers.temporal_tuning import RETRY, TASK_QUEUE, all_at_once
from collector.domain.cadence import Grid

STORE_TIMEOUT = timedelta(seconds=10)
NOTES = {"workflow": "timer, fetch, store; a new run when the server suggests it; a failed fetch loses its slot"}


@dataclass(frozen=True, slots=True)
class NaiveChamber:
    """What a run is told.

    Attributes:
        number: of the chamber.
        url: of its device.
        interval_ms: of its slots.
        phase_ms: of its slots.
        timeout_ms: of a request.
        after_ms: slots up to here were had by earlier runs.
    """

    number: int
    url: str
    interval_ms: int
    phase_ms: int
    timeout_ms: int
    after_ms: int = 0


@workflow.defn(name="NaiveCollection")
class NaiveCollection:
    """A chamber.

    Identity: the chamber's id. State: the last slot. Ends never: it continues as new when its history is long.
    """

    @workflow.run
    async def run(self, chamber: NaiveChamber) -> None:
        """Wait, fetch, store."""
        grid, last_ms = Grid(chamber.interval_ms, chamber.phase_ms), chamber.after_ms
        while not workflow.info().is_continue_as_new_suggested():
            last_ms = grid.after(max(last_ms, _now_ms()))  # slots that passed meanwhile are nobody's
            await workflow.sleep((last_ms - _now_ms()) / 1000)
            await _collect(chamber, Target(chamber.number, chamber.url, last_ms))
        workflow.continue_as_new(replace(chamber, after_ms=last_ms))


async def _collect(chamber: NaiveChamber, target: Target) -> None:
    try:
        answer = await workflow.execute_activity(
            FETCH,
            target,
            result_type=Answer,
            start_to_close_timeout=timedelta(milliseconds=chamber.timeout_ms),
            schedule_to_close_timeout=timedelta(milliseconds=chamber.interval_ms),
            retry_policy=RETRY,
        )
    except ActivityError as error:
        workflow.logger.warning("slot %d of chamber %d is lost: %s", target.slot_ms, target.number, error.cause)
        return
    await workflow.execute_activity(
        STORE, args=[target, answer], start_to_close_timeout=STORE_TIMEOUT, retry_policy=RETRY
    )


def _now_ms() -> int:
    return round(workflow.time() * 1000)


async def enrol(assignment: Assignment, _: Path) -> None:
    """Start the workflows."""
    client = await Client.connect(assignment.temporal)

    async def one(chamber: PeerChamber) -> None:
        told = NaiveChamber(
            chamber.number, chamber.url, assignment.interval_ms, chamber.phase_ms, assignment.timeout_ms
        )
        await client.start_workflow(NaiveCollection.run, told, id=chamber.id, task_queue=TASK_QUEUE)

    await all_at_once(one(chamber) for chamber in assignment.chambers)

"""Collect now: one collection off the grid, answered with its reading."""

from dataclasses import dataclass

from collector.domain.errors import ConflictError, DeviceTimeoutError
from collector.domain.outcome import Gap, Reading
from collector.messages import CollectRequest
from collector.packing import unpack
from collector.ports import ChamberRecord, Clock, FleetControl, Registry
from collector.usecases.fleet import refuse_retired, while_running

GRACE_MS = 5_000
"""Beyond the slot in hand and the collection itself: Temporal's way there and back."""
BUDGET_CEILING_MS = 45_000
"""Nobody holds a request open longer than this, however patient the chamber is."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of it.

    Attributes:
        chamber_id: whose.
        outcome: a reading, or a gap that says why there is none.
        stored: whether the reading is in the store.
    """

    chamber_id: str
    outcome: Reading | Gap
    stored: bool


class CollectNow:
    """Asks a chamber for a reading off the grid. The same request id again gets the same answer."""

    def __init__(self, registry: Registry, fleet: FleetControl, clock: Clock) -> None:
        self._registry, self._fleet, self._clock = registry, fleet, clock

    async def __call__(self, organization: str, chamber_id: str, request: CollectRequest) -> Collected:
        """Collect.

        Raises:
            NotFoundError: not there, or another organization's.
            ConflictError: it is paused and `force` is not set, or it retires or retired.
            RejectedError: the chamber said no.
            DeviceTimeoutError: no answer within twice the chamber's timeout and `GRACE_MS`.
            AwayError: the registry or Temporal cannot be reached.
        """
        record = await self._registry.find(organization, chamber_id)
        refuse_retired(record)
        if not request.force:
            self._refuse_paused(record)
        within_ms = min(2 * record.spec.timeout_ms + GRACE_MS, BUDGET_CEILING_MS)
        answer = await while_running(self._fleet, record, lambda: self._fleet.collect(chamber_id, request, within_ms))
        if not answer.outcome:
            raise DeviceTimeoutError("the chamber's worker did not finish the collection in time")
        outcome = unpack(answer.outcome)
        if not isinstance(outcome, Reading | Gap):
            raise TypeError(f"a collection came to {type(outcome).__name__}")
        return Collected(chamber_id, outcome, answer.stored)

    def _refuse_paused(self, record: ChamberRecord) -> None:
        pause = record.pause
        if pause and (pause.until_ms is None or pause.until_ms > self._clock.now_ms()):
            raise ConflictError(
                f"chamber {record.spec.id} is paused by {pause.by or 'somebody'}: {pause.reason or 'no reason given'}",
                "resume it, or send force: true",
                "force",
            )

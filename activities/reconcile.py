"""`reconcile`: unpack, call the use case, map errors."""

import logging

from temporalio import activity

from activities.beating import beating_while
from activities.failures import benign
from collector import wire
from collector.domain.errors import AwayError
from collector.domain.reconciling import ReconcileOutcome, ReconcileRequest
from collector.ports import UpkeepLog
from collector.usecases.reconcile import FAILED, ORPHAN, ReconcileFleet

log = logging.getLogger(__name__)
BEAT_S = 5.0


class ReconcileActivities:
    """The activity that repairs the fleet."""

    def __init__(self, reconcile: ReconcileFleet, upkeep: UpkeepLog) -> None:
        self._reconcile, self._upkeep = reconcile, upkeep

    @activity.defn(name=wire.RECONCILE)
    async def reconcile(self, request: ReconcileRequest) -> ReconcileOutcome:
        """Compare registry and workflows, and repair what differs.

        Retries: a few, then the next run has its turn.
        Idempotency: what was repaired differs no more.
        Heartbeat: the sign of life; a cancel, or a time-out, ends the repair in hand.
        Fails with: `AwayError` (benign): the registry or Temporal cannot be reached.
        """
        try:
            outcome = await beating_while(self._reconcile(request), BEAT_S)
            if not request.dry_run:
                await self._upkeep.note(wire.RECONCILE, outcome.counts)
        except AwayError as error:
            raise benign(error) from None
        _say(outcome)
        return outcome


def _say(outcome: ReconcileOutcome) -> None:
    if outcome.alarm:
        log.error("nothing was repaired: %s", outcome.alarm)
    for kind, count in outcome.counts.items():
        level = logging.ERROR if kind in (FAILED, ORPHAN) else logging.WARNING
        log.log(level, "reconcile: %d %s, such as %s", count, kind, outcome.examples[kind][0])

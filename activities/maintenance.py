"""`maintain`: call the use case, map errors."""

import logging

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beating import beating_while
from activities.failures import MESSAGE_LIMIT, benign
from collector import wire
from collector.domain.errors import AwayError
from collector.domain.sealing import MaintenanceOutcome
from collector.ports import UpkeepLog
from collector.usecases.maintain import MaintainLedger

log = logging.getLogger(__name__)

BEAT_S = 15.0
FAILED = "MaintenanceFailed"


class MaintenanceActivities:
    """The activity that keeps the ledger in order."""

    def __init__(self, maintain: MaintainLedger, upkeep: UpkeepLog) -> None:
        self._maintain, self._upkeep = maintain, upkeep

    @activity.defn(name=wire.MAINTAIN)
    async def maintain(self) -> MaintenanceOutcome:
        """Make partitions, roll up, seal, drop.

        Retries: a few; what was done is not done again.
        Idempotency: each step finds what is left.
        Heartbeat: the sign of life; a cancel ends the step in hand, whose transaction leaves nothing half done.
        Fails with: `AwayError` (benign): the store cannot be reached; `MaintenanceFailed`: steps failed, the others
        were done; its details are the outcome.
        """
        try:
            outcome = await beating_while(self._maintain(), BEAT_S)
            await self._upkeep.note(wire.MAINTAIN, _counts(outcome))
        except AwayError as error:
            raise benign(error) from None
        _say(outcome)
        if outcome.failures:
            raise ApplicationError("; ".join(outcome.failures)[:MESSAGE_LIMIT], outcome, type=FAILED)
        return outcome


def _counts(outcome: MaintenanceOutcome) -> dict[str, int]:
    return {
        "days_sealed": len(outcome.days_sealed),
        "days_not_sealed": len(outcome.days_not_sealed),
        "days_dropped": len(outcome.days_dropped),
        "failures": len(outcome.failures),
    }


def _say(outcome: MaintenanceOutcome) -> None:
    for day in outcome.days_dropped:
        log.info("the readings of %s were dropped", day)
    for sentence in (*outcome.days_not_sealed, *outcome.days_not_dropped, *outcome.failures):
        log.warning("maintenance: %s", sentence)

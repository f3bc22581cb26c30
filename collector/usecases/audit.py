"""The proof that every slot is accounted for."""

from collector.domain.timerange import TimeRange
from collector.ports import Audit, Clock, LedgerReader


class AuditLedger:
    """Counts expected slots against readings and gaps."""

    def __init__(self, ledger: LedgerReader, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    async def __call__(self, organization: str, chamber_id: str | None, span: TimeRange) -> Audit:
        """Of one chamber, or of all of the organization (None); the range is cut at now.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the store cannot be reached: there is no proof then, and none is claimed.
        """
        return await self._ledger.audit(organization, chamber_id, span, self._clock.now_ms())

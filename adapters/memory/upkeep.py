"""When the fleet was looked after last, and the fleet in figures, in memory."""

from collections import Counter
from collections.abc import Mapping

from adapters.memory.ledger import InMemoryLedger
from adapters.memory.registry import status_of
from collector.domain.health import Status
from collector.ports.reconcile import FleetFigures, UpkeepNote

UNREAD = (Status.PAUSED, Status.RETIRING, Status.RETIRED)


class InMemoryUpkeep:
    """`UpkeepLog` over an `InMemoryLedger`, of which nobody can say how large it is."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger
        self._notes: dict[str, UpkeepNote] = {}

    async def note(self, kind: str, counts: Mapping[str, int]) -> None:
        """It ended now; see `UpkeepLog.note`."""
        self._ledger.check_here()
        self._notes[kind] = UpkeepNote(self._ledger.now_ms(), dict(counts))

    async def figures(self) -> FleetFigures:
        """The fleet now; see `UpkeepLog.figures`."""
        self._ledger.check_here()
        now_ms = self._ledger.now_ms()
        kept = ((k.spec.organization, status_of(k, now_ms)) for k in self._ledger.chambers.values())
        chambers = Counter((whose, status.value) for whose, status in kept if status is not Status.RETIRED)
        return FleetFigures(dict(chambers), dict(self._notes), now_ms, self._lags(now_ms))

    async def ledger(self) -> None:
        """Nobody can say; see `UpkeepLog.ledger`."""
        self._ledger.check_here()

    def _lags(self, now_ms: int) -> dict[str, int]:
        lags: dict[str, int] = {}
        for kept in self._ledger.chambers.values():
            if status_of(kept, now_ms) not in UNREAD:
                until_ms = (kept.pause.until_ms if kept.pause else None) or 0
                seen_ms = max(kept.settled_ms, kept.resumed_ms or 0, until_ms)
                lag_ms = max(0, now_ms - seen_ms - kept.spec.interval_ms)
                lags[kept.spec.organization] = max(lag_ms, lags.get(kept.spec.organization, 0))
        return lags

"""Store what waited in the workflow."""

from collections.abc import Iterable, Sequence

from collector.domain.errors import StoreRefusedError
from collector.domain.outcome import UNTRIED, Gap, Outcome, Reading
from collector.messages import StoreOutcome, StoreRequest
from collector.packing import count_readings, unpack
from collector.ports import CollectionMetrics, LiveFeed, Origin, OutcomeStore, SaveBatch, SaveResult
from collector.usecases.signal_events import RecordSignals


class StoreOutcomes:
    """Stores a portion of a chamber's unsaved outcomes. Running it again with the same portion changes nothing.

    They are late, and go to whoever watches all the same: a feed without them would be silent where the ledger is not.
    What signals told becomes audit events beside them.
    """

    def __init__(self, store: OutcomeStore, live: LiveFeed, metrics: CollectionMetrics, signals: RecordSignals) -> None:
        self._store, self._live, self._metrics, self._signals = store, live, metrics, signals

    async def __call__(self, request: StoreRequest) -> StoreOutcome:
        """Wait for the store if it is away, then store.

        Raises:
            StoreRefusedError: it refused although it answers again.
        """
        lost_changes: list[str] = []
        if request.outcomes:
            lost_changes = await self._save(request)
        else:
            await self._wait_for_it(request.chamber_id)
        return StoreOutcome(
            lost_changes, await self._signals(request.organization, request.chamber_id, request.signals)
        )

    async def _wait_for_it(self, chamber_id: str) -> None:
        """Signals alone: whether the store is away is not known before it is asked for something."""
        try:
            await self._store.decided_slots(chamber_id, 0, 0)
        except StoreRefusedError:
            await self._store.wait_available()

    async def _save(self, request: StoreRequest) -> list[str]:
        outcomes = [unpack(row) for row in request.outcomes]
        batch = SaveBatch(request.chamber_id, outcomes, request.settled_through_ms)
        try:
            result = await self._store.save(batch)
        except StoreRefusedError:
            result = await self._save_late(batch)
        self._metrics.unsaved(request.organization, -count_readings(request.outcomes))
        count_untried(self._metrics, request.organization, outcomes, request.interval_ms)
        origin = Origin(request.organization, request.section, request.chamber_id)
        self._live.publish(origin, worth_watching(outcomes))
        return list(result.lost_changes)

    async def _save_late(self, batch: SaveBatch) -> SaveResult:
        holder = object()
        self._metrics.held(holder, oldest_arrival_ms(batch.outcomes))
        try:
            await self._store.wait_available()
            return await self._store.save(batch)
        finally:
            self._metrics.let_go(holder)


def oldest_arrival_ms(outcomes: Iterable[Outcome]) -> int | None:
    """When the first of them arrived that came from a device, wall clock; None = none did."""
    return min((outcome.received_ms for outcome in outcomes if isinstance(outcome, Reading)), default=None)


def count_untried(metrics: CollectionMetrics, organization: str, outcomes: Iterable[Outcome], interval_ms: int) -> None:
    """Count the slots of stored gaps that nobody tried; those that a round tried it has counted itself."""
    for outcome in outcomes:
        if isinstance(outcome, Gap) and outcome.reason in UNTRIED and outcome.last_ms is not None:
            span_ms = outcome.last_ms - outcome.first_ms
            metrics.gap(organization, outcome.reason, span_ms // interval_ms + 1 if interval_ms else 1)


def worth_watching(outcomes: Iterable[Outcome]) -> Sequence[Reading | Gap]:
    """What a save has to tell those who watch; what was there before is told again, for it may not have been told."""
    return [outcome for outcome in outcomes if isinstance(outcome, Reading | Gap)]

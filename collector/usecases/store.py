"""Store what waited in the workflow."""

from collector.domain.errors import StoreRefusedError
from collector.messages import StoreOutcome, StoreRequest
from collector.packing import count_readings, unpack
from collector.ports import CollectionMetrics, OutcomeStore, SaveBatch


class StoreOutcomes:
    """Stores a portion of a chamber's unsaved outcomes. Running it again with the same portion changes nothing."""

    def __init__(self, store: OutcomeStore, metrics: CollectionMetrics) -> None:
        self._store, self._metrics = store, metrics

    async def __call__(self, request: StoreRequest) -> StoreOutcome:
        """Wait for the store if it is away, then store.

        Raises:
            StoreRefusedError: it refused although it answers again.
        """
        outcomes = [unpack(row) for row in request.outcomes]
        batch = SaveBatch(request.chamber_id, outcomes, request.settled_through_ms)
        try:
            result = await self._store.save(batch)
        except StoreRefusedError:
            await self._store.wait_available()
            result = await self._store.save(batch)
        self._metrics.unsaved(request.organization, -count_readings(request.outcomes))
        return StoreOutcome(list(result.lost_changes))

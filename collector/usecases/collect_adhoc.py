"""Collect now, off the grid."""

import asyncio

from collector.domain.errors import SlotFailedError, StoreRefusedError
from collector.domain.outcome import Gap
from collector.messages import AdhocOutcome, AdhocRequest
from collector.packing import pack
from collector.ports import NO_TRACING, Clock, OutcomeStore, Tracing
from collector.usecases import spans
from collector.usecases.fetch import FetchReading

SAVE_BUDGET_S = 5.0


class CollectAdhoc:
    """Reads a chamber at this instant. Running it again reads again, but stores one reading by request id.

    It is judged by what the chamber remembers; nothing of it is remembered, because it has no slot.
    """

    def __init__(
        self, fetch: FetchReading, store: OutcomeStore, clock: Clock, *, tracing: Tracing = NO_TRACING
    ) -> None:
        self._fetch, self._store, self._clock, self._tracing = fetch, store, clock, tracing

    async def __call__(self, request: AdhocRequest) -> AdhocOutcome:
        """A reading, or the reason why there is none; a failure is an answer, not an error."""
        now = self._clock.now_ms()
        try:
            fetched = await self._fetch(request.spec, now, request.spec.timeout_ms, request.memory)
        except SlotFailedError as error:
            return AdhocOutcome(pack(Gap(now, now, error.reason, error.detail)), stored=False)
        reading = fetched.reading
        try:
            with self._tracing.span(spans.STORE):
                save = self._store.save_adhoc(request.spec.id, request.request_id, reading)
                await asyncio.wait_for(save, SAVE_BUDGET_S)
        except (StoreRefusedError, TimeoutError):
            return AdhocOutcome(pack(reading), stored=False)
        return AdhocOutcome(pack(reading), stored=True)

"""Store a round's outcomes, or put them where they cannot get lost."""

import asyncio
from collections.abc import Sequence
from enum import Enum, auto

from collector.domain.errors import StoreRefusedError
from collector.domain.outcome import UNTRIED, Gap, Outcome, Reading
from collector.packing import count_readings, unpack
from collector.ports import (
    NO_TRACING,
    CollectionMetrics,
    LatestCache,
    LiveFeed,
    Origin,
    OutcomeStore,
    RoundControl,
    SaveBatch,
    SaveResult,
    Tracing,
)
from collector.usecases import spans
from collector.usecases.running_round import LateSave, RunningRound
from collector.usecases.store import count_untried, oldest_arrival_ms, worth_watching

SAVE_BUDGET_MS, SAVE_FLOOR_MS = 5_000, 1_000
"""A save may take until the next slot, within these, and half an interval at least: a slow store must not delay live
slots, and with a floor of a whole interval a late chamber would stay late for as long as the store hangs."""


class _Kept(Enum):
    """What became of outcomes that were to be stored."""

    STORED = auto()
    KNOWN = auto()  # it was stored by somebody else before
    LATE = auto()  # the store did not answer yet, and still may
    REFUSED = auto()


ERRORS = {_Kept.REFUSED: StoreRefusedError.__name__, _Kept.LATE: TimeoutError.__name__}
"""What a trace calls outcomes that are not stored: `error.type`."""


class KeepOutcomes:
    """Stores outcomes of a round; keeping the same ones again changes nothing in the store.

    What was stored is the latest reading, and goes to whoever watches.
    """

    def __init__(
        self,
        store: OutcomeStore,
        latest: LatestCache,
        live: LiveFeed,
        metrics: CollectionMetrics,
        *,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._store, self._latest, self._live, self._metrics = store, latest, live, metrics
        self._tracing = tracing

    async def __call__(self, run: RunningRound, outcomes: Sequence[Reading | Gap], control: RoundControl) -> None:
        """Store the outcomes, or let them travel with the round; then go on to the next slot.

        What the store refused is told to the engine before the next slot. What it did not answer in time is not, at
        first, where the next slot is near: a process that is late itself would be later still. It is when it has no
        answer at the next slot either. Nor is a reading that somebody else has stored already: another attempt carries
        the round as well, and the engine says whose it is. What such a reading left is not remembered.
        """
        kept = await self._save(run, outcomes, control)
        if kept in (_Kept.LATE, _Kept.REFUSED):
            run.keep(outcomes)
            self._metrics.unsaved(run.request.spec.organization, sum(isinstance(o, Reading) for o in outcomes))
            self._metrics.held(run, oldest_arrival_ms([unpack(run.unsaved[0])]))
        elif not run.unsaved:
            self._metrics.let_go(run)
        if kept is not _Kept.KNOWN:
            run.remember()
        run.advance(outcomes)
        self._count(run, outcomes)
        control.beat(run.snapshot())
        if _to_be_told(kept, run) and not run.over:
            await control.make_durable(run.snapshot())

    async def _save(self, run: RunningRound, outcomes: Sequence[Reading | Gap], control: RoundControl) -> _Kept:
        landed: list[tuple[SaveBatch, SaveResult]] = []
        with self._tracing.span(spans.STORE) as span:
            if span.kept:
                span.note({spans.OUTCOMES: len(run.unsaved) + len(outcomes)})
            kept = await self._hand_over(run, outcomes, control, landed)
            if kept in ERRORS:
                span.fail(ERRORS[kept])
            for batch, result in landed:
                await self._remember(run, batch, result)
        return kept

    async def _hand_over(
        self,
        run: RunningRound,
        outcomes: Sequence[Reading | Gap],
        control: RoundControl,
        landed: list[tuple[SaveBatch, SaveResult]],
    ) -> _Kept:
        last = outcomes[-1]
        slot = last.slot_ms if isinstance(last, Reading) else last.last_ms or last.first_ms
        left_ms = slot + run.grid.interval_ms - control.now_ms()
        before = run.late
        try:
            async with asyncio.timeout(store_budget_s(run, left_ms)):
                if before is not None:
                    landed.append(await self._land(run, before))
                batch = SaveBatch(run.request.spec.id, run.batch(outcomes), run.settled_through(slot))
                run.late = LateSave(batch, asyncio.ensure_future(self._store.save(batch)), len(run.unsaved))
                landed.append(await self._land(run, run.late))
        except StoreRefusedError:
            return _Kept.REFUSED
        except TimeoutError:
            if run.late is not before and run.late is not None:
                run.late.carried += len(outcomes)
                return _Kept.LATE
            run.give_up_late()  # the next save carries all of it again
            return _Kept.REFUSED
        known = landed[-1][1].new_readings == 0 and any(isinstance(outcome, Reading) for outcome in outcomes)
        return _Kept.KNOWN if known else _Kept.STORED

    async def _land(self, run: RunningRound, late: LateSave) -> tuple[SaveBatch, SaveResult]:
        """Wait for the save; what it took travels no more. It goes on when the wait is given up."""
        try:
            result = await asyncio.shield(late.saving)
        except StoreRefusedError:
            run.late = None
            raise
        run.late = None
        self._metrics.unsaved(run.request.spec.organization, -count_readings(run.unsaved[: late.carried]))
        run.let_go(late.carried)
        return late.batch, result

    async def _remember(self, run: RunningRound, batch: SaveBatch, result: SaveResult) -> None:
        spec = run.request.spec
        run.stored += result.new_readings
        run.lost_changes += result.lost_changes
        run.behind = run.behind or result.behind
        count_untried(self._metrics, spec.organization, batch.outcomes, run.grid.interval_ms)
        self._live.publish(Origin(spec.organization, spec.section, spec.id), worth_watching(batch.outcomes))
        readings = [outcome for outcome in batch.outcomes if isinstance(outcome, Reading)]
        if readings:
            await self._latest.put(spec.organization, spec, max(readings, key=_slot_of))

    def _count(self, run: RunningRound, outcomes: Sequence[Reading | Gap]) -> None:
        organization = run.request.spec.organization
        for outcome in outcomes:
            if isinstance(outcome, Reading):
                lateness, took = outcome.requested_ms - outcome.slot_ms, outcome.received_ms - outcome.requested_ms
                self._metrics.reading(organization, lateness, took)
            elif outcome.reason not in UNTRIED:
                slots = run.grid.count(outcome.first_ms, outcome.last_ms or outcome.first_ms)
                self._metrics.gap(organization, outcome.reason, slots)


def _to_be_told(kept: _Kept, run: RunningRound) -> bool:
    return kept in (_Kept.REFUSED, _Kept.KNOWN) or (kept is _Kept.LATE and run.grid.interval_ms >= SAVE_BUDGET_MS)


def store_budget_s(run: RunningRound, left_ms: int) -> float:
    """How long the store may take, when the next slot is so far away."""
    floor_ms = min(SAVE_FLOOR_MS, run.grid.interval_ms // 2)
    return min(SAVE_BUDGET_MS, max(floor_ms, left_ms)) / 1000


def _slot_of(outcome: Outcome) -> int:
    assert isinstance(outcome, Reading)
    return outcome.slot_ms

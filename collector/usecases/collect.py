"""Collect a round: every slot of it ends as a reading or a gap, stored or on its way back to the workflow."""

import asyncio

from collector.domain.chamber import TIMEOUT_FLOOR_MS
from collector.domain.errors import ChamberlogError, SlotFailedError, StoreRefusedError
from collector.domain.health import Status
from collector.domain.instants import iso
from collector.domain.outcome import Gap, GapReason, Reading, merge_runs
from collector.messages import RoundOutcome, RoundProgress, RoundRequest
from collector.ports import (
    NO_TRACING,
    CollectionMetrics,
    LatestCache,
    LiveFeed,
    OpenSpan,
    OutcomeStore,
    RoundControl,
    Tracing,
)
from collector.usecases import spans
from collector.usecases.fetch import FetchReading
from collector.usecases.keep import KeepOutcomes, store_budget_s
from collector.usecases.running_round import RunningRound

SINGLE_RETRY_MS = 5_000
"""First retry of a one-slot round, doubled each time: each is an attempt that Temporal stores and shows."""
INNER_RETRY_MS, INNER_RETRY_CEILING_MS = 1_000, 30_000
"""Retries inside a longer round, doubled each time: they cost Temporal nothing."""
SHOWN_FROM_INTERVAL_MS = 5_000
"""A round shows its first failing fetch to Temporal, unless coming back would cost the next slot as well."""


class TryAgainError(ChamberlogError):
    """The attempt ended so that Temporal shows its failure and runs the round again after `delay_ms`.

    Attributes:
        failure: the attempt's failure.
        delay_ms: at least 1 s (shorter delays last 1 s anyway).
        progress: what the next attempt goes on from.
    """

    def __init__(self, failure: SlotFailedError, delay_ms: int, progress: RoundProgress) -> None:
        super().__init__(failure.detail)
        self.failure, self.delay_ms, self.progress = failure, delay_ms, progress


class CollectRound:
    """Fetches, maps and stores the slots of a round.

    A second run of the same round goes on from the progress of the first, and asks the store which slots are there:
    a slot that has its outcome is never fetched again.
    """

    def __init__(
        self,
        fetch: FetchReading,
        store: OutcomeStore,
        latest: LatestCache,
        live: LiveFeed,
        metrics: CollectionMetrics,
        *,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._fetch, self._store, self._metrics, self._tracing = fetch, store, metrics, tracing
        self._keep = KeepOutcomes(store, latest, live, metrics, tracing=tracing)

    async def __call__(
        self, request: RoundRequest, progress: RoundProgress | None, control: RoundControl
    ) -> RoundOutcome:
        """Run the round to its end, or until it is asked to end.

        Raises:
            TryAgainError: an attempt failed and Temporal is to show it and run the round again.
            FrozenError: this process stood still; nothing was stored since.
        """
        run = RunningRound(request, progress, control.now_ms())
        try:
            return await self._run(run, control)
        finally:
            run.give_up_late()
            self._metrics.let_go(run)

    async def _run(self, run: RunningRound, control: RoundControl) -> RoundOutcome:
        decided = await self._decided(run, control)
        while not run.over:
            if decided is None and self._expired(run, frozenset(), control.now_ms()):
                decided = await self._decided(run, control)  # asked again before slots that are there are called missed
            if run.slot_ms in (known := decided or frozenset()):
                run.advance_past(run.slot_ms)
            elif not await control.wait(run.slot_ms) or not await self._next(run, known, control):
                break
        return run.outcome()

    async def _next(self, run: RunningRound, decided: frozenset[int], control: RoundControl) -> bool:
        """Decide the slot in hand (or all that are past their deadline); False = the round ends here."""
        expired = self._expired(run, decided, control.now_ms())
        if expired:
            await self._keep(run, expired, control)
            return True
        with self._tracing.span(spans.SLOT) as span:
            if span.kept:
                span.note({"chamberlog.slot": iso(run.slot_ms)})
            decided_now = await self._decide(run, control, span)
        return decided_now and not run.worth_reporting(control.now_ms())

    async def _decide(self, run: RunningRound, control: RoundControl, span: OpenSpan) -> bool:
        """Collect the slot in hand and keep what became of it; False when the round was asked to end before."""
        try:
            outcome = await self._collect_slot(run, control)
        except TryAgainError as error:
            span.fail(error.failure.reason.value)
            raise
        if outcome is None:
            return False
        spans.note_outcome(span, outcome)
        run.fetched_before = True
        control.fence()
        await self._keep(run, [outcome], control)
        return True

    async def _decided(self, run: RunningRound, control: RoundControl) -> frozenset[int] | None:
        """Slots that have their outcome already; None when the store does not say."""
        if control.attempt == 1 and not run.request.verify:
            return frozenset()
        budget_s = store_budget_s(run, run.grid.interval_ms)
        asked = self._store.decided_slots(run.request.spec.id, run.request.first_ms, run.last_slot_ms)
        try:
            return await asyncio.wait_for(asked, budget_s)
        except (StoreRefusedError, TimeoutError):
            return None  # fetching a slot twice is harmless: the key (chamber, slot) keeps the first

    def _expired(self, run: RunningRound, decided: frozenset[int], now_ms: int) -> list[Gap]:
        """Gap runs for the slots, from the one in hand on, that nobody may fetch any more."""
        last = min(run.grid.first_open(now_ms) - run.grid.interval_ms, run.last_slot_ms)
        if last < run.slot_ms:
            return []
        slots = range(run.slot_ms, last + 1, run.grid.interval_ms)
        gaps = [self._late_gap(run, slot) for slot in slots if slot not in decided]
        return merge_runs(gaps, run.grid.interval_ms)

    def _late_gap(self, run: RunningRound, slot_ms: int) -> Gap:
        if run.failure is not None and slot_ms == run.slot_ms:
            return Gap(slot_ms, slot_ms, GapReason(run.failure[0]), run.failure[1])
        reason = GapReason.OVERRUN if run.fetched_before else GapReason.MISSED
        return Gap(slot_ms, slot_ms, reason)

    # ---- one slot

    async def _collect_slot(self, run: RunningRound, control: RoundControl) -> Reading | Gap | None:
        """A reading, or a gap once no further attempt fits; None when the round was asked to end between attempts."""
        delay_ms = INNER_RETRY_MS
        while True:
            result = await self._attempt(run, control)
            if isinstance(result, Reading):
                return result
            again_ms = control.now_ms() + max(delay_ms, result.wait_ms)
            if not self._worth_another(run, result, again_ms):
                return Gap(run.slot_ms, run.slot_ms, result.reason, result.detail)
            if control.ended():
                return None  # whoever asked gets an answer, not a failure that Temporal would have to carry on
            self._show(run, result, control)
            if not await control.wait(again_ms):
                return None
            if control.now_ms() + TIMEOUT_FLOOR_MS > run.grid.deadline(run.slot_ms):  # it slept for too long
                return Gap(run.slot_ms, run.slot_ms, result.reason, result.detail)
            delay_ms = min(delay_ms * 2, INNER_RETRY_CEILING_MS)

    async def _attempt(self, run: RunningRound, control: RoundControl) -> Reading | SlotFailedError:
        spec, started = run.request.spec, control.now_ms()
        budget = min(spec.timeout_ms, run.grid.deadline(run.slot_ms) - started)
        try:
            fetched = await self._fetch(spec, run.slot_ms, budget, run.memory)
        except SlotFailedError as error:
            run.failure = [error.reason.value, error.detail]
            self._metrics.failed_attempt(spec.organization, error.reason, control.now_ms() - started)
            return error
        run.left = fetched.memory
        return fetched.reading

    def _worth_another(self, run: RunningRound, failure: SlotFailedError, again_ms: int) -> bool:
        fits = again_ms + TIMEOUT_FLOOR_MS < run.grid.deadline(run.slot_ms)
        return failure.retryable and fits and run.health.status is not Status.FAILING

    def _show(self, run: RunningRound, failure: SlotFailedError, control: RoundControl) -> None:
        """Raise when Temporal is to show this failure; return when the next attempt runs inside.

        It does while outcomes of this round wait: a cancel that comes between two attempts ends the round at the
        server, and what the attempt before has told is not handed to the workflow then.
        """
        if run.single:
            delay = SINGLE_RETRY_MS * 2 ** min(control.attempt - 1, 10)
            left = run.grid.deadline(run.slot_ms) - control.now_ms() - TIMEOUT_FLOOR_MS - INNER_RETRY_MS
            raise TryAgainError(failure, max(INNER_RETRY_MS, failure.wait_ms, min(delay, left)), run.snapshot())
        if not run.raised and not run.holds_read and run.grid.interval_ms >= SHOWN_FROM_INTERVAL_MS:
            run.raised = True
            raise TryAgainError(failure, max(INNER_RETRY_MS, failure.wait_ms), run.snapshot())

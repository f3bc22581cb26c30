"""`collect`, `store` and `collect_adhoc`: unpack, call the use case, map errors."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from temporalio import activity

from activities.beating import beating_while
from activities.clock_skew import ClockSkew
from activities.failures import attempt_failed, benign
from activities.round_control import ActivityRound, earlier_progress
from collector import wire
from collector.domain.errors import FrozenError, StoreRefusedError
from collector.domain.outcome import Gap, Reading
from collector.messages import (
    AdhocOutcome,
    AdhocRequest,
    RoundOutcome,
    RoundProgress,
    RoundRequest,
    StoreOutcome,
    StoreRequest,
)
from collector.packing import unpack
from collector.ports import NO_TRACING, Clock, OpenSpan, Tracing
from collector.ports.tracing import ROOT, Attribute
from collector.usecases import spans
from collector.usecases.collect import CollectRound, TryAgainError
from collector.usecases.collect_adhoc import CollectAdhoc
from collector.usecases.signal_events import RecordSignals
from collector.usecases.store import StoreOutcomes

TAKE_OVER_LIMIT_S = 30.0
"""A slot in hand ends within its budget and a save: longer than this nothing is waited for."""
STORE_BEAT_S = 20.0
BEAT_S = 20.0
"""How late a cancel is heard where the server sends workers no commands: with a heartbeat."""
ASK_AT_ONCE = 16
HAND_BACK_AFTER_S = 1.0
"""A worker that shuts down goes on with its rounds for so long: were they handed back at once, the next task might be
given to this very worker, whose poll the server believes to be open, and be missed for the 10 s of its time-out."""
HAND_BACK_EACH_S, HAND_BACK_SPREAD_S = 25, 8.0
"""Then it hands back so many in a second, all of them within the spread: a worker that has just begun knows none of
these chambers, and takes 20 ms for the first task of each."""


@dataclass(frozen=True, slots=True)
class CollectionUses:
    """The use cases that the activities call."""

    collect: CollectRound
    adhoc: CollectAdhoc
    store: StoreOutcomes
    signals: RecordSignals


@dataclass(frozen=True, slots=True)
class _Running:
    """An attempt that runs in this process."""

    request: RoundRequest
    control: ActivityRound


class CollectionActivities:
    """The activities of a worker process; they share the use cases and know which rounds run here."""

    def __init__(self, uses: CollectionUses, clock: Clock, skew: ClockSkew, *, tracing: Tracing = NO_TRACING) -> None:
        self._collect, self._adhoc, self._store, self._signals = uses.collect, uses.adhoc, uses.store, uses.signals
        self._clock, self._skew, self._tracing = clock, skew, tracing
        self._running: dict[str, _Running] = {}
        self._beat_s = BEAT_S

    def beat_each(self, seconds: float | None) -> None:
        """From now on long rounds send a heartbeat so often; None = as seldom as their time-out allows."""
        self._beat_s = float("inf") if seconds is None else seconds

    def carries(self, chamber_id: str) -> bool:
        """Whether a round of the chamber runs in this process."""
        return chamber_id in self._running

    def running(self) -> int:
        """How many rounds run in this process; may be asked from another thread."""
        return len(self._running)

    def turn(self) -> None:
        """The event loop turns: to be called each second, so that a long wait is not taken for a stand-still."""
        for running in self._running.values():
            running.control.turn()

    async def ask_for_all(self) -> None:
        """Ask Temporal for each running round whether it is still this process's; one that is not ends.

        After a silence: others may have taken this process for dead.
        """
        gate = asyncio.Semaphore(ASK_AT_ONCE)

        async def ask(control: ActivityRound) -> None:
            async with gate:
                await control.ask()

        await asyncio.gather(*(ask(running.control) for running in list(self._running.values())))

    @activity.defn(name=wire.COLLECT)
    async def collect(self, request: RoundRequest) -> RoundOutcome:
        """Collect a round.

        Retries: without end; a failed fetch ends an attempt at most once a round (each time in a one-slot round).
        Idempotency: by (chamber, slot); a later attempt asks the store which slots are there.
        Heartbeat: `RoundProgress`, regularly in rounds of several slots, at once when the store refused an outcome.
        Fails with: the class of the `SlotFailedError` (benign), `FrozenError`.
        """
        self._skew.heard(activity.info().started_time)
        with self._tracing.span(spans.ROUND, parent=ROOT, links=(request.enrolment,)) as span:
            if span.kept:
                span.note(spans.of_round(request) | _of_activity())
            return await self._round(request, span)

    async def _round(self, request: RoundRequest, span: OpenSpan) -> RoundOutcome:
        chamber = request.spec.id
        progress = await self._take_over(request, earlier_progress())
        control = ActivityRound(self._clock, progress, self._beat_s, lambda: self._hand_back_after_s(chamber))
        running = self._running[chamber] = _Running(request, control)
        try:
            async with control.beating(), self._telling(request) as telling:
                out = await self._carry(request, progress, control)
            return replace(out, skew_ms=self._skew.look(), told=telling.result())
        except TryAgainError as error:
            activity.heartbeat(error.progress)
            span.fail(error.failure.reason.value)
            raise attempt_failed(error) from None
        except FrozenError as error:
            span.fail(type(error).__name__)
            raise benign(error) from None
        finally:
            control.done.set()
            if self._running.get(chamber) is running:
                del self._running[chamber]

    @activity.defn(name=wire.STORE)
    async def store(self, request: StoreRequest) -> StoreOutcome:
        """Store outcomes that waited in the workflow.

        Retries: without end; while the store is away it waits inside instead.
        Idempotency: storing an outcome twice changes nothing.
        Heartbeat: none but the sign of life.
        Fails with: `StoreRefusedError` (benign): it refused although it answers.
        """
        with self._tracing.span(spans.STORE_UNSAVED, parent=ROOT) as span:
            if span.kept:
                span.note(spans.of_unsaved(request) | _of_activity())
            try:
                return await beating_while(self._store(request), STORE_BEAT_S)
            except StoreRefusedError as error:
                span.fail(type(error).__name__)
                raise benign(error) from None

    @activity.defn(name=wire.COLLECT_ADHOC)
    async def collect_adhoc(self, request: AdhocRequest) -> AdhocOutcome:
        """Collect once, off the grid.

        Retries: once, when its worker died.
        Idempotency: the reading is stored once by (chamber, request id); the device may be read twice.
        Heartbeat: none.
        Fails with: nothing; a failed fetch is an answer.
        """
        with self._tracing.span(spans.ADHOC, parent=request.trace) as span:
            out = await self._adhoc(request)
            if span.kept:
                span.note({**spans.of_chamber(request.spec), **_of_activity()})
                if isinstance(outcome := unpack(out.outcome), Reading | Gap):
                    spans.note_outcome(span, outcome)
            return out

    @contextlib.asynccontextmanager
    async def _telling(self, request: RoundRequest) -> AsyncIterator["asyncio.Task[list[str]]"]:
        """Write what signals told beside the round, which never waits for it: at most once its slots are done."""
        spec = request.spec
        telling = asyncio.create_task(self._signals(spec.organization, spec.id, request.signals))
        try:
            yield telling
            await asyncio.wait([telling])
        finally:
            telling.cancel()

    def _hand_back_after_s(self, chamber_id: str) -> float:
        """How long the chamber's round goes on in a process that is to end: not all come to the others at once."""
        spread_s = min(HAND_BACK_SPREAD_S, len(self._running) / HAND_BACK_EACH_S)
        return HAND_BACK_AFTER_S + spread_s * zlib.crc32(chamber_id.encode()) / 2**32

    async def _take_over(self, request: RoundRequest, progress: RoundProgress | None) -> RoundProgress | None:
        """End an older attempt of this chamber in this process, and go on from whichever progress is newer."""
        old = self._running.get(request.spec.id)
        if old is None:
            return progress
        old.control.end()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(old.control.done.wait(), TAKE_OVER_LIMIT_S)
        theirs = old.control.progress
        same = (old.request.first_ms, old.request.count) == (request.first_ms, request.count)
        if not same or theirs is None or (progress is not None and progress.next_index >= theirs.next_index):
            return progress
        return theirs

    async def _carry(
        self, request: RoundRequest, progress: RoundProgress | None, control: ActivityRound
    ) -> RoundOutcome:
        """Run the round apart, so that a cancel never tears the slot in hand."""
        work = asyncio.create_task(self._attempts(request, progress, control))
        try:
            while True:
                try:
                    return await asyncio.shield(work)
                except asyncio.CancelledError:
                    if work.cancelled() or not await self._goes_on(work, control):
                        raise
                    _go_on()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _attempts(
        self, request: RoundRequest, progress: RoundProgress | None, control: ActivityRound
    ) -> RoundOutcome:
        """One attempt; without Temporal the next ones too, because nobody else would make them."""
        while True:
            try:
                return await self._collect(request, progress, control)
            except TryAgainError as error:
                if not control.alone:
                    raise
                progress = error.progress
                await control.wait(control.now_ms() + error.delay_ms)

    async def _goes_on(self, work: asyncio.Task[RoundOutcome], control: ActivityRound) -> bool:
        """Whether the cancelled round goes on: to its slot's end when asked to stop, to its own without Temporal."""
        why = activity.cancellation_details()
        if why is None or why.worker_shutdown:
            return False
        if why.paused:  # held at the server: the next attempt goes on from the heartbeat
            control.end()
            await work
            activity.heartbeat(control.progress)
            return False
        if why.cancel_requested:
            control.end()
            return True
        if why.timed_out and not control.frozen and not control.alone:
            control.go_alone()
            return True
        return False


def _of_activity() -> dict[str, Attribute]:
    """Where an operator finds the run in Temporal."""
    info = activity.info()
    return {
        "temporal.workflow.id": info.workflow_id or "",
        "temporal.run.id": info.workflow_run_id or "",
        "temporal.activity.attempt": info.attempt,
    }


def _go_on() -> None:
    """Take back the cancel of this activity: it returns what it has instead."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()

"""The chamber: one durable, long-lived workflow that keeps its grid of slots."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from collector import transitions, wire
    from collector.backlog import ROUND_LIMIT_BYTES, bounded, oldest_slot, total_bytes
    from collector.domain.cadence import LEAD_MS, LONG_INTERVAL_MS, RoundPlan
    from collector.domain.instants import iso
    from collector.domain.outcome import Epoch
    from collector.domain.signals import Said
    from collector.messages import (
        AdhocOutcome,
        AdhocRequest,
        ChamberState,
        ResumeRequest,
        RoundOutcome,
        RoundRequest,
    )
    from collector.packing import pack, unpack
    from workflows import policies, presentation
    from workflows.drain import SIGNALS_ARE_TOLD, Drain
    from workflows.handlers import Adhoc, ChamberHandlers
    from workflows.telling import tell

RUN_LENGTH = timedelta(hours=24)
"""A run continues as new after this, so that history can be deleted and new code is taken up."""
TIMER_FLOOR_MS = 1_000
"""The server rounds shorter timers up to this: the activity waits instead."""
RIDE_MS = 5_000
"""Outcomes that wait travel with the next round when it starts this soon, instead of in an activity of their own."""
AFTER_DEFECT_MS = 10_000
SIGNALS_CONTINUE = "signals-continue-as-new"
"""The patch by which a chamber that sleeps begins a new run when signals have filled its history."""


@workflow.defn(name=wire.CHAMBER_WORKFLOW)
class ChamberWorkflow(ChamberHandlers):
    """Keeps one chamber's grid: plans rounds, has them collected, carries what the store refused.

    Identity:
        `chamber/<id>`; one per chamber, started by the API (or by whoever repairs the fleet) from the registry row.
    State:
        `ChamberState`, the input; it travels whole over continue-as-new. Handlers only put asks into a list; the
        main coroutine alone changes the state, between two slots.
    Messages:
        signals `pause`, `resume`, `set_interval` (and any other name: noted) for people; updates `configure`,
        `pause_chamber`, `resume_chamber`, `collect_reading`, `retire` for the API; query `status`.
    Ends when:
        it was asked to retire (or was cancelled) and everything it holds is stored.
    Compatibility:
        changes of its order of commands need `workflow.patched`; stored histories are replayed by the tests.
    """

    @workflow.init
    def __init__(self, state: ChamberState) -> None:
        super().__init__(state)
        self.s.run_number += 1
        self._cycles = 0
        self._begun = self.s.run_number > 1
        self._drain = Drain(self.s, self._note, self._describe)

    @workflow.run
    async def run(self, state: ChamberState) -> str:  # noqa: ARG002  (workflow.init took it)
        """Collect until retired; answers the reason."""
        while True:
            try:
                if await self._turn():
                    return self.s.retiring or ""
            except Exception as error:  # noqa: BLE001  (no defect may end or wedge a chamber: it is noted and tried again)
                self._note(f"defect: {type(error).__name__}: {error}")
                await self._wait(lambda: self._woken, AFTER_DEFECT_MS, "after a defect")

    # ---- the turn of the loop

    async def _turn(self) -> bool:
        """One plan, one sleep, one round; True when the chamber has ended."""
        self._begin()
        self._obey()
        self._publish()
        if self.s.retiring is not None:
            await self._finish()
            return True
        if self._due_to_continue() and workflow.all_handlers_finished():
            self._drain.leave()
            workflow.continue_as_new(self._carried())  # nothing is awaited between the check and this line
        if self._adhoc is not None and self._adhoc.outcome is None:
            await self._collect_adhoc(self._adhoc)
        elif self._again is not None:
            await self._wait(lambda: self._woken or workflow.all_handlers_finished())
        elif self.s.pause is not None:
            self._drain.start()
            await self._sleep(self._pause_sleep_ms(), "paused")
        else:
            await self._next_round()
        return False

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            transitions.begin(self.s, self._now())

    def _obey(self) -> None:
        """Do what handlers asked for, in their order; a pause that is over ends."""
        self._woken = self._interrupted = False
        self._heed_cancel()
        asks, self._asks = self._asks, []
        for ask in asks:
            self._do(ask)
        left = self._pause_left_ms()
        if self.s.retiring is None and left is not None and left <= 0:
            transitions.resume(self.s, ResumeRequest(by="end of the pause"), self._now())
        self.s.unsaved = bounded(self.s.unsaved)

    def _heed_cancel(self) -> None:
        """A cancel becomes a retirement, also one that came while an activity was awaited and took it."""
        reason = workflow.cancellation_reason()
        if reason is not None and self.s.retiring is None:
            self.s.retiring = f"cancelled {reason}".strip()
            self._hear(Said("cancel", self._now(), reason=reason))

    async def _next_round(self) -> None:
        plan = transitions.plan(self.s, self._now())
        if plan.first_ms - self._now() > RIDE_MS:
            self._drain.start()
        wait_ms = plan.first_ms - LEAD_MS - self._now()
        if self._woken or (
            not self._follows(plan, wait_ms) and await self._sleep(wait_ms, f"slot {iso(plan.first_ms)}")
        ):
            return
        await self._round(transitions.plan(self.s, self._now()))

    def _follows(self, plan: RoundPlan, wait_ms: int) -> bool:
        """Whether a long round begins where the one before ended: its activity waits for the first slot itself.

        A timer would cost the server five events a round, and free an activity's place for a moment only.
        """
        near = TIMER_FLOOR_MS <= wait_ms <= min(self.s.spec.interval_ms, LONG_INTERVAL_MS)
        return near and plan.count > 1 and workflow.patched("long-rounds-follow-at-once")

    async def _round(self, plan: RoundPlan) -> None:
        request, self._riding = self._round_request(plan)
        self._describe()
        handle = workflow.start_activity(
            wire.COLLECT,
            request,
            result_type=RoundOutcome,
            summary=f"{plan.count} slot{'s' * (plan.count > 1)} from {iso(plan.first_ms)}",
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            **policies.collect_policy(self.s.spec, plan, self._now()),
        )
        await self._wait(lambda: self._interrupted or handle.done())
        if not handle.done():
            handle.cancel()  # never in a handler: a result that arrives in the same workflow task would be lost
        self._cycles += 1
        try:
            self._take(await handle, self._riding)
        except ActivityError as error:
            self.s.verify = True
            self._note(f"round at {iso(plan.first_ms)} ended without an answer: {error.cause!r}")
        finally:
            self._riding = 0

    def _round_request(self, plan: RoundPlan) -> tuple[RoundRequest, int]:
        """The request, and how many of the waiting outcomes ride along (the oldest)."""
        missed = [pack(gap) for gap in transitions.missed_runs(self.s, plan.missed)]
        riding = 0 if self._drain.running or total_bytes(self.s.unsaved) > ROUND_LIMIT_BYTES else len(self.s.unsaved)
        # an epoch must be stored before its readings, so it rides even when it also waits in a long backlog
        before = self.s.unsaved if riding else [r for r in self.s.unsaved if isinstance(unpack(r), Epoch)]
        if not riding and self.s.unsaved:
            self._drain.start()
        return (
            RoundRequest(
                spec=self.s.spec,
                first_ms=plan.first_ms,
                count=plan.count,
                before=[*before, *missed],
                unsettled_ms=oldest_slot(self.s.unsaved[riding:]),
                verify=self.s.verify,
                health=self.s.health,
                memory=self.s.memory,
                signals=[] if self._drain.running else list(self.s.signals.waiting),
                enrolment=self.s.enrolment,
            ),
            riding,
        )

    def _take(self, out: RoundOutcome, riding: int) -> None:
        left = {row["v"] for row in out.unsaved if row["kind"] == "change"}
        confirmed = [r for r in self.s.unsaved[:riding] if r["kind"] == "change" and r["v"] not in left]
        waiting = self.s.unsaved[riding:]
        fresh = [row for row in out.unsaved if row["kind"] != "epoch" or row not in waiting]  # epochs rode as copies
        self.s.unsaved = [*waiting, *fresh]
        tell(self.s.spec, self.s.health, out.health)
        self.s.next_ms, self.s.health, self.s.verify = out.next_ms, out.health, False
        self.s.last, self.s.skew_ms = out.last or self.s.last, out.skew_ms
        self.s.memory = out.memory or self.s.memory
        self._drain.told(out.told)
        transitions.confirm(self.s, [row["v"] for row in confirmed], out.lost_changes)
        for sentence in out.lost_changes:
            self._note(sentence)

    async def _collect_adhoc(self, adhoc: Adhoc) -> None:
        try:
            adhoc.outcome = await workflow.execute_activity(
                wire.COLLECT_ADHOC,
                AdhocRequest(self.s.spec, adhoc.request.request_id, self.s.memory, adhoc.request.trace),
                result_type=AdhocOutcome,
                summary="collect now",
                **policies.adhoc_policy(self.s.spec),
            )
        except ActivityError as error:
            self._note(f"collect now ended without an answer: {error.cause!r}")
            adhoc.outcome = AdhocOutcome({}, stored=False)
        adhoc.done_ms = self._now()

    async def _finish(self) -> None:
        """Store everything that is left, then let the handlers answer."""
        if self._last_slot_ms is None:
            self._last_slot_ms = transitions.end(self.s, self._now())
        self._publish()
        await self._all_stored()
        self._obey()
        await self._all_stored()
        while not workflow.all_handlers_finished():
            await self._wait(workflow.all_handlers_finished)

    async def _all_stored(self) -> None:
        while self.s.unsaved or self._drain.owes_signals():
            self._drain.start()
            await self._wait(lambda: not self._drain.running)

    def _tell(self) -> None:
        # a signal that changes nothing wakes nobody: in a long pause, or between days, their events alone would fill
        # the history, at whose end the server terminates the chamber
        if workflow.info().is_continue_as_new_suggested() and workflow.patched(SIGNALS_CONTINUE):
            self._woken = True
        # never what rides in a round: the round's answer says which of it is left
        if not self._riding and workflow.patched(SIGNALS_ARE_TOLD):
            self._drain.start()

    def _pause_left_ms(self) -> int | None:
        held = self.s.pause
        return None if held is None or held.until_ms is None else held.until_ms - self._now()

    def _pause_sleep_ms(self) -> int | None:
        """To the end of the pause, but never too short to sleep: the loop would go round without waiting."""
        left = self._pause_left_ms()
        return None if left is None else max(left, TIMER_FLOOR_MS)

    def _due_to_continue(self) -> bool:
        info = workflow.info()
        aged = workflow.now() - info.start_time >= RUN_LENGTH
        return (
            self._again is not None
            or aged
            or self._cycles >= self.s.cycles_per_run
            or info.is_continue_as_new_suggested()
        )

    def _carried(self) -> ChamberState:
        """The state of the next run: all of this one's, or the row's with what only the chamber has."""
        if self._again is None:
            return self.s
        transitions.begin_again(self.s, self._again)
        return self._again

    async def _sleep(self, wait_ms: int | None, summary: str) -> bool:
        """Durable sleep that any ask cuts short; True when it was cut short."""
        if wait_ms is not None and wait_ms < TIMER_FLOOR_MS:
            return self._woken
        return await self._wait(lambda: self._woken, wait_ms, summary)

    async def _wait(self, until: Callable[[], bool], limit_ms: int | None = None, summary: str | None = None) -> bool:
        """Wait for the condition; False when the limit was over. A cancel from outside becomes a retirement."""
        limit = None if limit_ms is None else timedelta(milliseconds=limit_ms)
        try:
            await workflow.wait_condition(until, timeout=limit, timeout_summary=summary)
        except TimeoutError:
            return False
        except asyncio.CancelledError:
            self._heed_cancel()
            self._wake()
        return True

    def _publish(self) -> None:
        wanted = presentation.attributes(self.s.spec, presentation.status_of(self.s))
        if updates := presentation.changes(workflow.info().typed_search_attributes, wanted):
            workflow.upsert_search_attributes(updates)
        version = self.s.spec.version
        if workflow.memo_value(wire.MEMO_VERSION, None) != version and workflow.patched("version-in-memo"):
            workflow.upsert_memo({wire.MEMO_VERSION: version})
        self._describe()

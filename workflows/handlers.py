"""What people and the API may tell a chamber: handlers that only ask; the main coroutine acts between two slots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from collector import transitions, wire
    from collector.backlog import CHANGES_LIMIT_BYTES, changes_bytes
    from collector.domain.chamber import check_spec
    from collector.domain.errors import InvalidFieldError
    from collector.domain.instants import iso
    from collector.domain.signals import Said, hear
    from collector.messages import (
        AdhocOutcome,
        BeginAgainRequest,
        ChamberState,
        ChamberStatus,
        CollectRequest,
        ConfigureRequest,
        PauseAnswer,
        PauseRequest,
        ResumeRequest,
        RetireAnswer,
        RetireRequest,
        SlotAnswer,
    )
    from workflows import orders, presentation

SAME_ANSWER_MS = 1_000
"""Two people who press the same button get one collection."""
NOTES = 10
NOTE_LIMIT = 200


@dataclass(slots=True)
class Ask:
    """Something a handler wants done between two slots; the main coroutine does it.

    `ends`: it is done while the chamber retires, too. `said`: the signal that it came by.
    """

    act: Callable[[], int]
    ends: bool = False
    said: Said | None = None
    done: bool = False
    answer: int = 0
    defect: str = ""


@dataclass(slots=True)
class Adhoc:
    """A collection off the grid that somebody waits for."""

    request: CollectRequest
    outcome: AdhocOutcome | None = None
    done_ms: int = 0


class ChamberHandlers:
    """Signals, updates and the query of a chamber, and the list of asks that they leave for its main coroutine."""

    def __init__(self, state: ChamberState) -> None:
        self.s = state
        self._asks: list[Ask] = []
        self._adhoc: Adhoc | None = None
        self._woken = False
        self._interrupted = False
        self._last_slot_ms: int | None = None
        self._riding = 0
        self._again: ChamberState | None = None

    # ---- signals: for people; they take anything and never raise

    @workflow.signal(name=wire.SIGNAL_PAUSE, description="Stop collecting: nothing, or {reason?, by?, until?}")
    def pause(self, *args: Any) -> None:
        """Stop collecting from the next slot on. The same again changes nothing."""
        said = orders.said(wire.SIGNAL_PAUSE, args, self._now())
        order = orders.pause_order(args, self._now())
        if isinstance(order, orders.Ignored):
            return self._ignore(said, order.why)
        self._ask(lambda: self._if_few_wait(said, lambda: transitions.pause(self.s, order, self._now())), said=said)
        return None

    @workflow.signal(name=wire.SIGNAL_RESUME, description="Collect again on the same grid")
    def resume(self, *args: Any) -> None:
        """Collect again. Not paused: noted, nothing changes."""
        said, order = orders.said(wire.SIGNAL_RESUME, args, self._now()), orders.resume_order(args)
        if self.s.pause is None and not self._asks:
            return self._ignore(said, "it is not paused")
        self._ask(lambda: transitions.resume(self.s, order, self._now()), said=said)
        return None

    @workflow.signal(name=wire.SIGNAL_SET_INTERVAL, description="A number of seconds, 1 to 86400")
    def set_interval(self, *args: Any) -> None:
        """Take another interval. The same again changes nothing."""
        said = orders.said(wire.SIGNAL_SET_INTERVAL, args, self._now())
        interval_ms = orders.interval_order(args)
        if isinstance(interval_ms, orders.Ignored):
            return self._ignore(said, interval_ms.why)
        said.detail = f"{interval_ms / 1000:g} s"
        act = lambda: transitions.set_interval(self.s, interval_ms, self._now())  # noqa: E731  (it is one like the others)
        self._ask(lambda: self._if_few_wait(said, act), said=said)
        return None

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Note a signal that no handler knows."""
        what = f"unknown signal {orders.shown(name)} with {len(args)} inputs"
        self._note(f"{what}; known are pause, resume, set_interval")
        self._hear(Said(name, self._now(), detail=what, ignored=True))
        self._tell()

    # ---- updates: for the API; they answer when the change is in force

    @workflow.update(name=wire.UPDATE_PAUSE)
    async def pause_chamber(self, request: PauseRequest) -> PauseAnswer:
        """Stop collecting. The same again changes nothing."""
        return PauseAnswer(await self._answer(lambda: transitions.pause(self.s, request, self._now())))

    @pause_chamber.validator
    def _check_pause(self, request: PauseRequest) -> None:
        self._check_alive()
        if request.until_ms is not None and request.until_ms <= self._now():
            raise ApplicationError("until: it is in the past; give a later instant", type=wire.INVALID)

    @workflow.update(name=wire.UPDATE_RESUME)
    async def resume_chamber(self, request: ResumeRequest) -> SlotAnswer:
        """Collect again. Not paused: answers the next slot."""
        return SlotAnswer(await self._answer(lambda: transitions.resume(self.s, request, self._now())))

    @resume_chamber.validator
    def _check_resume(self, request: ResumeRequest) -> None:  # noqa: ARG002  (a validator has its update's signature)
        self._check_alive()

    @workflow.update(name=wire.UPDATE_CONFIGURE)
    async def configure(self, request: ConfigureRequest) -> SlotAnswer:
        """Take over a spec. The same version again changes nothing."""
        return SlotAnswer(await self._answer(lambda: transitions.configure(self.s, request.spec, self._now())))

    @configure.validator
    def _check_configure(self, request: ConfigureRequest) -> None:
        self._check_alive()
        if request.spec.id != self.s.spec.id:
            raise ApplicationError("id: it is another chamber's spec; send this chamber's", type=wire.INVALID)
        try:
            check_spec(request.spec)
        except InvalidFieldError as error:
            raise ApplicationError(str(error), type=wire.INVALID) from None

    @workflow.update(name=wire.UPDATE_COLLECT)
    async def collect_reading(self, request: CollectRequest) -> AdhocOutcome:
        """Collect now, off the grid. Within a second of the last such answer: the same answer."""
        adhoc = self._adhoc
        if adhoc is None or (adhoc.outcome is not None and self._now() - adhoc.done_ms > SAME_ANSWER_MS):
            adhoc = self._adhoc = Adhoc(request)
            self._wake()
        await workflow.wait_condition(lambda: adhoc.outcome is not None or self.s.retiring is not None)
        if adhoc.outcome is None:
            raise ApplicationError("the chamber retired before it could collect", type=wire.CONFLICT)
        return adhoc.outcome

    @collect_reading.validator
    def _check_collect(self, request: CollectRequest) -> None:
        self._check_alive()
        if self.s.pause is not None and not request.force:
            raise ApplicationError("the chamber is paused; resume it, or collect with force", type=wire.CONFLICT)

    @workflow.update(name=wire.UPDATE_RETIRE)
    async def retire(self, request: RetireRequest) -> RetireAnswer:
        """End the chamber; answers before everything is stored. Again: the same."""
        return RetireAnswer(await self._answer(partial(self._retire, request), ends=True))

    def _retire(self, request: RetireRequest) -> int:
        if self._last_slot_ms is None:
            self.s.retiring = f"{request.reason or 'retired'} {request.by}".strip()[:NOTE_LIMIT]
            self._last_slot_ms = transitions.end(self.s, self._now())
        return self._last_slot_ms

    @workflow.update(name=wire.UPDATE_BEGIN_AGAIN)
    async def begin_again(self, request: BeginAgainRequest) -> SlotAnswer:
        """Go back to the registry's row, as at a start. Again: the same, from whatever row is sent then."""
        return SlotAnswer(await self._answer(partial(self._begin_again, request.state)))

    def _begin_again(self, state: ChamberState) -> int:
        self._again = state
        return state.next_ms

    @begin_again.validator
    def _check_begin_again(self, request: BeginAgainRequest) -> None:
        self._check_alive()
        if request.state.spec.id != self.s.spec.id:
            raise ApplicationError("id: it is another chamber's row; send this chamber's", type=wire.INVALID)

    def _check_alive(self) -> None:
        if self.s.retiring is not None:
            raise ApplicationError("the chamber is retiring; enrol it again to collect", type=wire.CONFLICT)

    @workflow.query(name=wire.QUERY_STATUS)
    def status(self) -> ChamberStatus:
        """What the chamber knows of itself."""
        return presentation.status_answer(self.s)

    # ---- small parts

    def _now(self) -> int:
        return workflow.time_ns() // 1_000_000

    def _note(self, text: str) -> None:
        self.s.notes = [*self.s.notes, f"{iso(self._now())} {text}"[:NOTE_LIMIT]][-NOTES:]
        self._describe()

    def _describe(self) -> None:
        """Show the state as it is now; it costs no event."""
        workflow.set_current_details(presentation.page(self.s, self._riding, workflow.info().namespace))

    def _ignore(self, said: Said, why: str) -> None:
        """A signal that changes nothing: shown to people, and told to the audit events."""
        self._note(f"{said.signal} ignored: {why}")
        said.ignore(why)
        self._hear(said)
        self._tell()

    def _hear(self, said: Said) -> None:
        hear(self.s.signals, said, workflow.info().first_execution_run_id)

    def _tell(self) -> None:
        """Have what was heard stored soon: the next round may be far away. The chamber knows how."""

    def _if_few_wait(self, said: Said, act: Callable[[], int]) -> int:
        """Changes are never folded: thousands of them while the store is away would be more than a state may hold."""
        if changes_bytes(self.s.unsaved) <= CHANGES_LIMIT_BYTES or not workflow.patched("changes-are-bounded"):
            return act()
        why = "too many changes wait for the store already; send it again when it is back"
        self._note(f"{said.signal} ignored: {why}")
        said.ignore(why)
        return self.s.next_ms

    def _do(self, ask: Ask) -> None:
        if self.s.retiring is not None and not ask.ends:  # nothing may follow the end of the epoch in the ledger
            ask.defect = "the chamber is retiring; enrol it again to collect"
        else:
            try:
                ask.answer = ask.act()
            except Exception as error:  # noqa: BLE001  (whoever asked is told; the chamber goes on)
                ask.defect = f"defect: {type(error).__name__}: {error}"
                self._note(ask.defect)
        ask.done = True
        if ask.said is not None:
            if ask.defect:
                ask.said.ignore(ask.defect)
            self._hear(ask.said)

    def _wake(self) -> None:
        self._woken = self._interrupted = True

    def _ask(self, act: Callable[[], int], *, ends: bool = False, said: Said | None = None) -> Ask:
        ask = Ask(act, ends, said)
        self._asks.append(ask)
        self._wake()
        return ask

    async def _answer(self, act: Callable[[], int], *, ends: bool = False) -> int:
        """What an update waits for: the main coroutine did it between two slots."""
        ask = self._ask(act, ends=ends)
        await workflow.wait_condition(lambda: ask.done)
        if ask.defect:
            raise ApplicationError(ask.defect, type="Defect")
        return ask.answer

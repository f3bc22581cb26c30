"""The `store` activity beside the loop: what waits leaves the chamber's state only on the store's answer."""

import asyncio
from collections.abc import Callable, Sequence

from temporalio import workflow
from temporalio.exceptions import ActivityError
from temporalio.workflow import ActivityCancellationType, ActivityHandle

with workflow.unsafe.imports_passed_through():
    from collector import transitions, wire
    from collector.backlog import portion
    from collector.domain.signals import settle
    from collector.messages import ChamberState, StoreOutcome, StoreRequest
    from collector.packing import Packed
    from workflows import policies


SIGNALS_ARE_TOLD = "signals-are-told"
"""The patch by which a chamber stores what signals told it although no outcome waits."""


class Drain:
    """Stores what waits in a chamber's state, the oldest outcomes first, while the chamber goes on collecting."""

    def __init__(self, state: ChamberState, note: Callable[[str], None], describe: Callable[[], None]) -> None:
        self._s, self._note, self._describe = state, note, describe
        self._task: asyncio.Task[None] | None = None
        self._handle: ActivityHandle[StoreOutcome] | None = None
        self._unheard = False

    @property
    def running(self) -> bool:
        """Whether a portion is with the store now."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin, unless it runs or nothing waits."""
        if not self.running and (self._s.unsaved or self.owes_signals()):
            self._task = asyncio.create_task(self._run())

    def leave(self) -> None:
        """Before continuing as new: the outcomes are in the state, so the activity may as well stop."""
        if self.running and self._handle is not None:
            self._handle.cancel()

    def owes_signals(self) -> bool:
        """Whether what signals told waits and may be stored on its own: not again where nobody took it."""
        return bool(self._s.signals.waiting) and not self._unheard and workflow.patched(SIGNALS_ARE_TOLD)

    def told(self, keys: Sequence[str]) -> None:
        """What signals told and these keys name is stored."""
        if keys:
            self._unheard = False
            settle(self._s.signals, keys, workflow.time_ns() // 1_000_000, workflow.info().first_execution_run_id)

    async def _run(self) -> None:
        while self._s.unsaved or self.owes_signals():
            rows = portion(self._s.unsaved)
            stored = {id(row) for row in rows}
            self._handle = workflow.start_activity(
                wire.STORE,
                self._request(rows),
                result_type=StoreOutcome,
                summary=f"{len(rows)} outcome{'s' * (len(rows) > 1)} that waited" if rows else "what signals told",
                cancellation_type=ActivityCancellationType.TRY_CANCEL,
                **policies.store_policy(),
            )
            handed = bool(self._s.signals.waiting)
            try:
                out = await self._handle
            except ActivityError as error:
                self._note(f"storing ended without an answer: {error.cause!r}")
                return
            # what joined or was folded meanwhile is still to be stored: only these very rows leave
            self._s.unsaved = [row for row in self._s.unsaved if id(row) not in stored]
            self._unheard = handed and not out.told  # an older worker's store, or one without the table
            self.told(out.told)
            transitions.confirm(self._s, [row["v"] for row in rows if row["kind"] == "change"], out.lost_changes)
            for sentence in out.lost_changes:
                self._note(sentence)
            self._describe()

    def _request(self, rows: list[Packed]) -> StoreRequest:
        spec = self._s.spec
        settled_ms = self._settled_without(rows)
        place = (spec.organization, spec.interval_ms, spec.section)
        return StoreRequest(spec.id, rows, settled_ms, *place, list(self._s.signals.waiting))

    def _settled_without(self, rows: list[Packed]) -> int:
        """How far the chamber is settled once these, its oldest outcomes, are stored."""
        return transitions.settled_through(self._s, self._s.unsaved[len(rows) :])

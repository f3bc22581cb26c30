"""The `store` activity beside the loop: outcomes that wait leave the chamber's state only on the store's answer."""

import asyncio
from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError
from temporalio.workflow import ActivityCancellationType, ActivityHandle

with workflow.unsafe.imports_passed_through():
    from collector import transitions, wire
    from collector.backlog import portion
    from collector.messages import ChamberState, StoreOutcome, StoreRequest
    from collector.packing import Packed
    from workflows import policies


class Drain:
    """Stores the outcomes that wait in a chamber's state, the oldest first, while the chamber goes on collecting."""

    def __init__(self, state: ChamberState, note: Callable[[str], None], describe: Callable[[], None]) -> None:
        self._s, self._note, self._describe = state, note, describe
        self._task: asyncio.Task[None] | None = None
        self._handle: ActivityHandle[StoreOutcome] | None = None

    @property
    def running(self) -> bool:
        """Whether a portion is with the store now."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin, unless it runs or nothing waits."""
        if self._s.unsaved and not self.running:
            self._task = asyncio.create_task(self._run())

    def leave(self) -> None:
        """Before continuing as new: the outcomes are in the state, so the activity may as well stop."""
        if self.running and self._handle is not None:
            self._handle.cancel()

    async def _run(self) -> None:
        while self._s.unsaved:
            rows = portion(self._s.unsaved)
            stored = {id(row) for row in rows}
            self._handle = workflow.start_activity(
                wire.STORE,
                self._request(rows),
                result_type=StoreOutcome,
                summary=f"{len(rows)} outcomes that waited",
                cancellation_type=ActivityCancellationType.TRY_CANCEL,
                **policies.store_policy(),
            )
            try:
                out = await self._handle
            except ActivityError as error:
                self._note(f"storing ended without an answer: {error.cause!r}")
                return
            # what joined or was folded meanwhile is still to be stored: only these very rows leave
            self._s.unsaved = [row for row in self._s.unsaved if id(row) not in stored]
            transitions.confirm(self._s, [row["v"] for row in rows if row["kind"] == "change"], out.lost_changes)
            for sentence in out.lost_changes:
                self._note(sentence)
            self._describe()

    def _request(self, rows: list[Packed]) -> StoreRequest:
        spec = self._s.spec
        settled_ms = self._settled_without(rows)
        return StoreRequest(spec.id, rows, settled_ms, spec.organization, spec.interval_ms, spec.section)

    def _settled_without(self, rows: list[Packed]) -> int:
        """How far the chamber is settled once these, its oldest outcomes, are stored."""
        return transitions.settled_through(self._s, self._s.unsaved[len(rows) :])

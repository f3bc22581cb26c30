"""What a running round knows: which slot is next, what the store refused, how the slots went."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from collector.backlog import ROUND_LIMIT_BYTES, total_bytes
from collector.domain.cadence import Grid
from collector.domain.health import Health, Status
from collector.domain.memory import Memory
from collector.domain.outcome import Gap, GapReason, Outcome, Reading
from collector.messages import RoundOutcome, RoundProgress, RoundRequest
from collector.packing import Packed, pack, unpack
from collector.ports import SaveBatch, SaveResult

REPORT_AFTER_MS = 30_000
"""A round that changed the chamber's status ends early so that people see it, but not more often than this."""
LAST_LIMIT = 200


@dataclass(slots=True)
class LateSave:
    """A save that the store has not answered yet.

    Attributes:
        batch: what it has to store.
        saving: its end.
        carried: how many of the round's unsaved outcomes, the oldest, are in the batch.
    """

    batch: SaveBatch
    saving: "asyncio.Future[SaveResult]"
    carried: int


class RunningRound:
    """The state of one attempt of one round; `snapshot` freezes it for a heartbeat."""

    def __init__(self, request: RoundRequest, progress: RoundProgress | None, started_ms: int) -> None:
        self.request, self.started_ms = request, started_ms
        self.grid: Grid = request.spec.grid
        seen = progress or RoundProgress(unsaved=list(request.before), health=request.health)
        self.index = seen.next_index
        self.unsaved: list[Packed] = list(seen.unsaved)
        self._unsaved_bytes = total_bytes(self.unsaved)
        self.health: Health = seen.health
        self.failure: list[str] | None = seen.failure
        self.raised = seen.raised
        self.memory: Memory | None = seen.memory or request.memory
        self.left: Memory | None = None
        self.stored = 0
        self.last = ""
        self.lost_changes: list[str] = []
        self.fetched_before = False
        self.late: LateSave | None = None
        self.behind = False
        self.holds_read = progress is not None and bool(progress.unsaved)

    @property
    def slot_ms(self) -> int:
        """The slot in hand."""
        return self.request.first_ms + self.index * self.grid.interval_ms

    @property
    def last_slot_ms(self) -> int:
        """The round's last slot."""
        return self.request.first_ms + (self.request.count - 1) * self.grid.interval_ms

    @property
    def over(self) -> bool:
        """All slots have an outcome, or so much waits for the store that the workflow had better take it."""
        return self.index >= self.request.count or self._unsaved_bytes > ROUND_LIMIT_BYTES

    @property
    def single(self) -> bool:
        """One slot: visible and retried in the Web UI."""
        return self.request.count == 1

    def worth_reporting(self, now_ms: int) -> bool:
        """Whether something changed that should be seen before the round's end.

        The chamber's status; or the store has forgotten slots, and the chamber must know how far it was to show it.
        """
        if self.behind and now_ms - self.started_ms >= REPORT_AFTER_MS:
            return True
        if self.health.status is self.request.health.status:
            return False
        return self.request.health.status is Status.STARTING or now_ms - self.started_ms >= REPORT_AFTER_MS

    def batch(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """What to store next: what was refused before comes first, an epoch before its readings."""
        return [*(unpack(row) for row in self.unsaved), *outcomes]

    def settled_through(self, slot_ms: int) -> int | None:
        """How far the chamber is settled once everything up to the slot is stored."""
        bound = self.request.unsettled_ms
        return slot_ms if bound is None or slot_ms < bound else None

    def keep(self, outcomes: Sequence[Outcome]) -> None:
        """The store refused them: they travel."""
        rows = [pack(outcome) for outcome in outcomes]
        self.holds_read = True
        self.unsaved.extend(rows)
        self._unsaved_bytes += total_bytes(rows)

    def let_go(self, count: int) -> None:
        """The store took the oldest so many: they travel no more."""
        self.unsaved = self.unsaved[count:]
        self.holds_read = self.holds_read and bool(self.unsaved)
        self._unsaved_bytes = total_bytes(self.unsaved)

    def give_up_late(self) -> None:
        """Nobody waits for the store's answer any more: what it may have taken travels all the same."""
        late, self.late = self.late, None
        if late is not None:
            late.saving.cancel()

    def remember(self) -> None:
        """The reading in hand is its slot's outcome: the next one is judged by what it left, if it left anything."""
        self.memory = self.left or self.memory

    def advance(self, outcomes: Sequence[Reading | Gap]) -> None:
        """These slots have their outcome; go to the slot after them."""
        for outcome in outcomes:
            self._judge(outcome)
        last = outcomes[-1]
        end = last.slot_ms if isinstance(last, Reading) else last.last_ms
        self.advance_past(self.slot_ms if end is None else end)

    def advance_past(self, slot_ms: int) -> None:
        """Everything up to the slot is decided."""
        self.index = (slot_ms - self.request.first_ms) // self.grid.interval_ms + 1
        self.failure = self.left = None

    def snapshot(self) -> RoundProgress:
        """The progress as it is now; later changes do not touch it."""
        failure = None if self.failure is None else list(self.failure)
        return RoundProgress(self.index, list(self.unsaved), self.health, failure, self.raised, self.memory)

    def outcome(self) -> RoundOutcome:
        """What the round came to so far."""
        return RoundOutcome(
            next_ms=self.slot_ms,
            unsaved=self.unsaved,
            health=self.health,
            stored=self.stored,
            last=self.last,
            lost_changes=self.lost_changes,
            memory=self.memory,
        )

    def _judge(self, outcome: Reading | Gap) -> None:
        if isinstance(outcome, Reading):
            self.health = self.health.succeeded(outcome.slot_ms)
            known = [m for m in outcome.measurements if m.value is not None]
            self.last = ", ".join(f"{m.name} {m.value:g} {m.unit}" for m in known)[:LAST_LIMIT]
            return
        self.last = f"gap: {outcome.reason.value} {outcome.detail}".strip()[:LAST_LIMIT]
        if outcome.reason not in (GapReason.MISSED, GapReason.OVERRUN):
            self.health = self.health.failed(outcome.first_ms, f"{outcome.reason.value}: {outcome.detail}")

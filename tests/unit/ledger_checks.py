"""What must hold of the model's world after every step."""

from itertools import pairwise

from adapters.memory.audit import Account, account_of, slots_in
from adapters.memory.ledger import KeptChamber
from collector.domain.outcome import GapReason
from collector.domain.timerange import TimeRange
from collector.ports import Audit
from tests.unit.ledger_world import OWNER, ModelWorld
from tests.unit.model_loop import encoded
from tests.unit.round_stage import serial_of

STATE_LIMIT_BYTES = 1024 * 1024
FAR_MS = 2**42


class Checks:
    """Looks at a world after each step; remembers how far it had come."""

    def __init__(self, world: ModelWorld) -> None:
        self._w = world
        self._life, self._settled_ms = 0, 0
        self._epochs: set[tuple[int, int]] = set()
        self._asked = 0

    def all(self) -> None:
        """Everything that holds at every moment."""
        kept = self._w.ledger.chambers.get(self._w.spec.id)
        self.nothing_forbidden_happened()
        self.the_device_is_asked_once()
        if kept is None:
            return
        self.every_slot_is_accounted_for(kept)
        self.epochs_do_not_overlap(kept)
        self.nothing_settled_becomes_open(kept)
        self.no_answer_is_stored_twice(kept)
        self.the_state_can_travel()

    def audit(self, now_ms: int) -> Account | Audit:
        """The proof, as of then; while the ledger is away nobody is asked, the twin's own arithmetic is."""
        if self._w.ledger.away:
            return account_of(self._w.ledger.chambers[self._w.spec.id], TimeRange(0, now_ms), now_ms)
        history = self._w.ports.history
        audit = self._w.play(history.audit(OWNER.organization, self._w.spec.id, TimeRange(0, FAR_MS), now_ms))
        parts = audit.stored + sum(audit.gaps.values()) + audit.unaccounted + audit.overdue + audit.pending
        assert audit.expected == parts, f"{audit.expected} slots were expected, {parts} are in the parts"
        return audit

    def nothing_forbidden_happened(self) -> None:
        self._w.workers.failures.show()
        assert self._w.broken == []
        assert not self._w.fleet.spun, "the workflow goes on without waiting: its task would never end"
        state = self._w.state
        defects = [] if state is None else [text for text in state.notes if "defect" in text]
        assert defects == []

    def every_slot_is_accounted_for(self, kept: KeptChamber) -> None:
        """Now, and as far as the ledger says that everything is settled."""
        now_ms = self._w.clock.now_ms()
        for at_ms in {now_ms, max(now_ms, kept.settled_ms + 1)}:
            assert self.audit(at_ms).unaccounted == 0, f"unaccounted slots up to {kept.settled_ms}"

    def epochs_do_not_overlap(self, kept: KeptChamber) -> None:
        real = sorted(
            (e for e in kept.epochs if e.last_ms is None or e.last_ms >= e.first_ms), key=lambda e: e.first_ms
        )
        for before, after in pairwise(real):
            assert before.last_ms is not None, f"{before} is open although {after} began"
            assert before.last_ms < after.first_ms, f"{before} overlaps {after}"
        assert sum(e.last_ms is None for e in kept.epochs) <= 1

    def nothing_settled_becomes_open(self, kept: KeptChamber) -> None:
        """Back only over instants without slots: a chamber may change its mind before a new grid begins."""
        if self._life == self._w.enrolments:
            known = [e for e in kept.epochs if (e.first_ms, e.decided_ms) in self._epochs]
            open_again = sum(slots_in(epoch, kept.settled_ms + 1, self._settled_ms + 1) for epoch in known)
            assert open_again == 0, f"{open_again} settled slots are open again"
        self._life, self._settled_ms = self._w.enrolments, kept.settled_ms
        self._epochs = {(e.first_ms, e.decided_ms) for e in kept.epochs}

    def no_answer_is_stored_twice(self, kept: KeptChamber) -> None:
        serials = [serial_of(row.reading) for row in kept.readings.values()]
        assert len(serials) == len(set(serials)), "one answer is stored for two slots"

    def the_device_is_asked_once(self) -> None:
        """Again only when an attempt was killed or nobody heard its answer; and never for a slot before the last."""
        assert self._w.device.most_at_once <= 1, "two requests at one device"
        asked = self._w.fetch.asked
        for before, after in pairwise(asked[max(0, self._asked - 1) :]):
            if before.attempt.torn:
                continue
            assert after.slot_ms >= before.slot_ms, f"slot {after.slot_ms} was read after {before.slot_ms}"
            again = before.reading is not None and after.slot_ms == before.slot_ms
            assert not again, f"slot {after.slot_ms} was read again"
        self._asked = len(asked)

    def the_state_can_travel(self) -> None:
        state = self._w.state
        if state is not None and state.unsaved:
            assert len(encoded(state)) < STATE_LIMIT_BYTES, "the state is too large to continue as new"

    def all_is_stored(self) -> None:
        """After everything works again and a round more: nothing waits, nothing is overdue, no reading was lost."""
        kept = self._w.ledger.chambers[self._w.spec.id]
        state = self._w.state
        audit = self.audit(self._w.clock.now_ms())
        assert audit.overdue == 0, f"{audit.overdue} slots are overdue though everything works: {state}"
        stored = {serial_of(row.reading) for row in kept.readings.values()}
        folded = [row.gap for row in kept.gaps if row.gap.reason is GapReason.OVERFLOW]
        for asked in self._w.fetch.asked:
            if asked.reading is None or asked.attempt.torn or serial_of(asked.reading) in stored:
                continue
            over = any(gap.first_ms <= asked.slot_ms <= (gap.last_ms or 0) for gap in folded)
            assert over, f"the reading of slot {asked.slot_ms} was lost"

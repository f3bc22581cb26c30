"""Keeping outcomes in memory."""

from collections.abc import Sequence
from dataclasses import replace

from adapters.memory.audit import lacks_outcomes
from adapters.memory.ledger import InMemoryLedger, KeptChamber, KeptEpoch, KeptGap, KeptReading
from collector.domain.cadence import Grid
from collector.domain.errors import AwayError, StoreRefusedError
from collector.domain.outcome import Change, Epoch, EpochEnd, Gap, GapReason, Outcome, PauseEnd, Reading, decides_slots
from collector.domain.settling import (
    apply_change,
    claimed_from,
    forgotten_run,
    outdates,
    poisoned,
    still_to_apply,
    storable,
    window_of,
)
from collector.ports.history import DetectorRecord, StoredReading
from collector.ports.outcomes import SaveBatch, SaveResult

LAST_TIMESTAMP_MS = 9_224_318_015_999_999
"""PostgreSQL keeps instants up to here; beyond it refuses with SQLSTATE 22008."""


class InMemoryOutcomes:
    """`OutcomeStore` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def save(self, batch: SaveBatch) -> SaveResult:
        """Store the outcomes and move `settled_through`; see `OutcomeStore.save`. Again: nothing changes."""
        kept = self._kept(batch.chamber_id)
        first_slots = [o.first_slot_ms for o in batch.outcomes if isinstance(o, Epoch)]
        retained_ms = max(self._ledger.retained_from_ms, min([e.first_ms for e in kept.epochs] + first_slots))
        window = window_of(retained_ms, kept.spec, self._ledger.now_ms())
        outcomes = still_to_apply(kept.spec, kept.pause, [storable(o, window) for o in batch.outcomes])
        lost = [self._schedule(kept, o) for o in outcomes if not decides_slots(o)]
        new = sum([self._fate(kept, o) for o in outcomes if decides_slots(o)])
        run = None if batch.settled_through_ms is None else self._forgotten(kept, batch)
        behind = run is not None and not any(isinstance(outcome, EpochEnd) for outcome in batch.outcomes)
        if run is not None and not behind:
            self._add_gap(kept, run)
        if batch.settled_through_ms is not None and not behind:
            kept.settled_ms = max(kept.settled_ms, batch.settled_through_ms)
        return SaveResult(new, tuple(sentence for sentence in lost if sentence), behind)

    async def save_adhoc(self, chamber_id: str, request_id: str, reading: Reading) -> None:
        """Store a reading off the grid; see `OutcomeStore.save_adhoc`. Again: nothing changes."""
        kept = self._kept(chamber_id)
        if request_id not in kept.adhoc:
            kept.adhoc[request_id] = StoredReading(chamber_id, reading, self._ledger.now_ms(), adhoc=True)
            _add_detectors(kept, reading)

    async def decided_slots(self, chamber_id: str, first_ms: int, last_ms: int) -> frozenset[int]:
        """Slots that have an outcome; see `OutcomeStore.decided_slots`."""
        kept = self._kept(chamber_id)
        runs = [run.gap for run in kept.gaps if not run.opened]
        covered = (slot for run in runs for epoch in kept.epochs for slot in _slots_of(run, epoch, first_ms, last_ms))
        return frozenset((*(slot for slot in kept.readings if first_ms <= slot <= last_ms), *covered))

    async def wait_available(self) -> None:
        """Return when the ledger is not away; see `OutcomeStore.wait_available`."""
        await self._ledger.wait_here()

    def adhoc_readings(self, chamber_id: str) -> Sequence[StoredReading]:
        """What was stored off the grid, for tests."""
        return tuple(self._kept(chamber_id).adhoc.values())

    def _forgotten(self, kept: KeptChamber, batch: SaveBatch) -> Gap | None:
        """The run between what is settled and what the batch accounts for, if a slot in it has no outcome."""
        from_ms = claimed_from(batch.outcomes, batch.settled_through_ms or 0)
        after_ms = max(kept.settled_ms + 1, self._ledger.retained_from_ms)  # readings before may have been dropped
        return forgotten_run(after_ms, from_ms - 1) if lacks_outcomes(kept, after_ms, from_ms) else None

    def _kept(self, chamber_id: str) -> KeptChamber:
        try:
            self._ledger.check_here()
        except AwayError as away:
            raise StoreRefusedError(str(away)) from None
        kept = self._ledger.chambers.get(chamber_id)
        if kept is None:
            raise StoreRefusedError(f"chamber {chamber_id!r} is not in the registry; enrol it again, its outcomes wait")
        return kept

    def _schedule(self, kept: KeptChamber, outcome: Outcome) -> str:
        now_ms = self._ledger.now_ms()
        match outcome:
            case Epoch():
                _open_epoch(kept, outcome)
            case EpochEnd():
                _end_epoch(kept, outcome.last_slot_ms, now_ms)
            case Change():
                return _change(kept, outcome, now_ms)
            case PauseEnd():
                _close_run(kept, outcome)
            case Gap():
                self._open_run(kept, outcome)
            case Reading():
                self._fate(kept, outcome)
        return ""

    def _open_run(self, kept: KeptChamber, run: Gap) -> None:
        if run.reason is not GapReason.PAUSED:
            refused = poisoned(run, "23514", "only a paused run may be open")
            self._add_gap(kept, refused or run)
            return
        there = next((g for g in kept.gaps if g.opened and g.gap.first_ms == run.first_ms), None)
        if there is not None and there.gap.last_ms is not None and there.gap.last_ms < run.first_ms:
            there.gap, there.recorded_ms, there.number = run, self._ledger.now_ms(), self._ledger.next_number()
        elif there is None:
            kept.gaps.append(KeptGap(run, self._ledger.now_ms(), self._ledger.next_number(), opened=True))

    def _fate(self, kept: KeptChamber, outcome: Outcome) -> bool:
        now_ms = self._ledger.now_ms()
        if isinstance(outcome, Reading) and _last_instant(outcome) > LAST_TIMESTAMP_MS:
            outcome = poisoned(outcome, "22008", "timestamp out of range") or outcome
        if isinstance(outcome, Gap):
            self._add_gap(kept, outcome)
        elif isinstance(outcome, Reading) and outcome.slot_ms not in kept.readings:
            kept.readings[outcome.slot_ms] = KeptReading(outcome, now_ms)
            _add_detectors(kept, outcome)
            return True
        return False

    def _add_gap(self, kept: KeptChamber, gap: Gap) -> None:
        key = (gap.first_ms, gap.last_ms, gap.reason)
        if all((g.gap.first_ms, g.gap.last_ms, g.gap.reason) != key for g in kept.gaps if not g.opened):
            kept.gaps.append(KeptGap(gap, self._ledger.now_ms(), self._ledger.next_number()))


def _slots_of(run: Gap, epoch: KeptEpoch, first_ms: int, last_ms: int) -> range:
    """Slots of the epoch that the closed run covers, within the closed interval."""
    ends = [ms for ms in (run.last_ms, epoch.last_ms, last_ms) if ms is not None]
    first_ms = Grid(epoch.interval_ms, epoch.phase_ms).at_or_after(max(run.first_ms, epoch.first_ms, first_ms))
    return range(first_ms, min(ends) + 1, epoch.interval_ms)


def _last_instant(reading: Reading) -> int:
    return max(reading.requested_ms, reading.received_ms, reading.observed_ms or 0)


def _add_detectors(kept: KeptChamber, reading: Reading) -> None:
    for m in reading.measurements:
        kept.detectors.setdefault(m.name, DetectorRecord(m.name, m.unit, None, active=True))


def _close_run(kept: KeptChamber, end: PauseEnd) -> None:
    for run in kept.gaps:
        if run.opened and run.gap.last_ms is None and run.gap.first_ms == end.first_ms:
            run.gap = replace(run.gap, last_ms=end.last_ms)


def _open_epoch(kept: KeptChamber, epoch: Epoch) -> None:
    current = kept.open_epoch()
    if current is None or any(outdates(epoch, e.first_ms, e.decided_ms) for e in kept.epochs):
        return
    before_ms = epoch.first_slot_ms - 1
    current.last_ms = before_ms if epoch.previous_last_ms is None else min(epoch.previous_last_ms, before_ms)
    kept.settled_ms, kept.began_ms = min(kept.settled_ms, before_ms), min(kept.began_ms, epoch.first_slot_ms)
    grid = (epoch.first_slot_ms, epoch.interval_ms, epoch.phase_ms)
    new = KeptEpoch(*grid, epoch.spec_version, decided_ms=epoch.decided_ms)
    kept.epochs = [*(e for e in kept.epochs if e.first_ms != new.first_ms), new]


def _end_epoch(kept: KeptChamber, last_ms: int, now_ms: int) -> None:
    current = kept.open_epoch()
    if current is None:
        return
    seen = any(e.final and e.last_ms == last_ms for e in kept.epochs)
    if seen and (not kept.retiring or last_ms < current.first_ms - current.interval_ms):
        return
    current.last_ms, current.final = last_ms, True
    kept.retired_ms, kept.retiring = now_ms, True


def _change(kept: KeptChamber, change: Change, now_ms: int) -> str:
    if kept.retired_ms is not None:
        return f"{change.kind} was not written to the registry: the chamber is retired"
    changed = apply_change(kept.spec, kept.pause, change)
    if kept.pause is not None and changed.pause is None:
        kept.resumed_ms = now_ms
    kept.spec, kept.pause = changed.spec, changed.pause
    return changed.lost

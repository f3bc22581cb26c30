"""A ledger that only believes what it is told: closed intervals of time, in the order of the outcomes."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

from collector.domain.cadence import Grid
from collector.domain.outcome import Change, Epoch, EpochEnd, Gap, GapReason, Outcome, PauseEnd, Reading


@dataclass(frozen=True)
class Era:
    """An epoch: the slots of a grid from its first to its last; None = open."""

    grid: Grid
    first_ms: int
    last_ms: int | None = None

    @property
    def empty(self) -> bool:
        return self.last_ms is not None and self.last_ms < self.first_ms


@dataclass
class NaiveLedger:
    """Epochs, readings and gap runs of one chamber, and nothing clever."""

    eras: list[Era]
    readings: set[int] = field(default_factory=set)
    runs: list[Gap] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def copy(self) -> "NaiveLedger":
        return NaiveLedger(list(self.eras), set(self.readings), list(self.runs), list(self.changes))

    def take(self, outcome: Outcome) -> None:
        match outcome:
            case Reading(slot_ms=slot):
                assert slot not in self.readings, f"slot {slot} was collected twice"
                assert self._expected(slot), f"slot {slot} belongs to no epoch"
                self.readings.add(slot)
            case Gap():
                self._take_run(outcome)
            case PauseEnd(first_ms=first, last_ms=last):
                self.runs = [
                    replace(r, last_ms=last) if r.last_ms is None and r.first_ms == first else r for r in self.runs
                ]
            case Epoch():
                self._close_era(outcome.first_slot_ms - 1, outcome.previous_last_ms)
                grid = Grid(outcome.interval_ms, outcome.phase_ms)
                assert grid.at_or_before(outcome.first_slot_ms) == outcome.first_slot_ms, "an epoch begins off its grid"
                self.eras.append(Era(grid, outcome.first_slot_ms))
            case EpochEnd(last_slot_ms=last):
                self._close_era(last, last)
            case Change():
                self.changes.append(outcome)

    def _take_run(self, run: Gap) -> None:
        if run.last_ms is None:
            if any(r.last_ms is None and r.first_ms == run.first_ms for r in self.runs):
                return
            assert self._expected(run.first_ms), f"an open run begins at {run.first_ms}, which is no slot"
        else:
            assert run.first_ms <= run.last_ms, f"a run ends before it begins: {run}"
        self.runs.append(run)

    def _close_era(self, latest_ms: int, last_ms: int | None) -> None:
        assert self.eras[-1].last_ms is None, "the epoch was closed already"
        self.eras[-1] = replace(self.eras[-1], last_ms=latest_ms if last_ms is None else min(latest_ms, last_ms))

    def _expected(self, slot: int) -> bool:
        return any(
            e.first_ms <= slot and (e.last_ms is None or slot <= e.last_ms) and e.grid.at_or_before(slot) == slot
            for e in self.eras
        )

    # ---- what must hold

    def check_eras(self) -> None:
        """Epochs never overlap, and only the newest may be open."""
        real = [e for e in self.eras if not e.empty]
        for before, after in pairwise(real):
            assert before.last_ms is not None, f"{before} is open although {after} began"
            assert before.last_ms < after.first_ms, f"{before} overlaps {after}"

    def check_complete(self, before_ms: int) -> None:
        """Every slot before the instant has an outcome; walks from run to run, not from slot to slot."""
        for era in self.eras:
            end = before_ms - 1 if era.last_ms is None else min(era.last_ms, before_ms - 1)
            slot = era.grid.at_or_after(era.first_ms)
            while slot <= end:
                reach = self._outcome_until(slot)
                assert reach is not None, f"slot {slot} of {era} has no outcome"
                slot = era.grid.after(min(reach, end))

    def check_single(self) -> None:
        """No slot was both collected and given up, but by a new chamber that could not know: there the reading wins."""
        for run in self.runs:
            if run.reason is GapReason.LOST:
                continue
            last = run.last_ms
            both = [s for s in self.readings if run.first_ms <= s and (last is None or s <= last)]
            assert not both, f"slots {both} have a reading and lie in {run}"

    def open_runs(self) -> list[Gap]:
        return [r for r in self.runs if r.last_ms is None]

    def _outcome_until(self, slot: int) -> int | None:
        """The last instant of the outcome that covers the slot; None = there is none."""
        if slot in self.readings:
            return slot
        covering = [r for r in self.runs if r.first_ms <= slot and (r.last_ms is None or slot <= r.last_ms)]
        if not covering:
            return None
        return max(r.last_ms if r.last_ms is not None else 2**62 for r in covering)

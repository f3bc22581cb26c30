"""A chamber's life in any order: pauses, intervals, rounds, clocks, starts; a naive ledger believes what it is told."""

from dataclasses import replace

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from collector import transitions
from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.outcome import Change, Epoch, Gap, GapReason, Outcome, Reading
from collector.domain.settling import apply_change
from collector.messages import ChamberState, PauseRequest, ResumeRequest
from collector.packing import pack, unpack
from tests.unit.naive_ledger import Era, NaiveLedger

NOON_MS = 1_772_366_400_000
DAY_MS = 86_400_000
INTERVALS = st.sampled_from([1_000, 1_500, 7_000, 60_000, 61_000, 3_600_000, DAY_MS])
STEPS = st.one_of(
    st.integers(1, 2_500), st.integers(1_000, 300_000), st.sampled_from([3_600_000, DAY_MS - 1, DAY_MS, 3 * DAY_MS])
)
REASONS = st.sampled_from(["", "door", "calibration"])
LEAPS = st.sampled_from([None, 1, 900, 60_000, 2 * DAY_MS])
"""A pause's end, this long after its order."""


class Life(RuleBasedStateMachine):
    """`told` hears every outcome at once; `stored` hears the oldest when the store is there; a start knows `stored`."""

    @initialize(interval_ms=INTERVALS, aligned=st.booleans(), number=st.integers(0, 99))
    def enrol(self, interval_ms: int, aligned: bool, number: int) -> None:
        spec = ChamberSpec(
            id=f"chamber-{number}",
            organization="default",
            section="default",
            url="http://192.168.1.20",
            profile="airgradient",
            interval_ms=interval_ms,
            timeout_ms=500,
            aligned=aligned,
        )
        self.now, self.ended, self.heard = NOON_MS + 37 * number, False, 0
        first = spec.grid.after(self.now)
        self.state = ChamberState(spec, first)
        self.row: tuple[ChamberSpec, Pause | None] = (spec, None)
        self.told = NaiveLedger([Era(spec.grid, first)])
        self.stored, self.settled = self.told.copy(), first - 1

    def teardown(self) -> None:
        if hasattr(self, "told") and not self.ended:
            self.retire()

    # ---- the clock

    @rule(ms=STEPS)
    def pass_time(self, ms: int) -> None:
        self.now += ms

    @rule(ms=st.integers(1, 5_000))
    def set_clock_back(self, ms: int) -> None:
        self.now -= ms

    @rule()
    def reach_the_next_slot(self) -> None:
        self.now = max(self.now, self.state.next_ms)

    @precondition(lambda self: self.state.pause is not None and self.state.pause.until_ms is not None)
    @rule()
    def reach_the_end_of_the_pause(self) -> None:
        held = self.state.pause
        assert held is not None
        assert held.until_ms is not None
        self.now = max(self.now, held.until_ms)
        transitions.resume(self.state, ResumeRequest(by="end of the pause"), self.now)
        self.hear()

    # ---- people: signals tell the chamber, the API tells the row first

    @precondition(lambda self: not self.ended)
    @rule(reason=REASONS, leap=LEAPS, from_api=st.booleans(), delivered=st.booleans())
    def pause(self, reason: str, leap: int | None, from_api: bool, delivered: bool) -> None:
        until = None if leap is None else self.now + leap
        version = None
        if from_api:
            spec, held = self.row
            since = held.since_ms if held else spec.grid.after(self.now)
            self.row = (replace(spec, version=spec.version + 1), Pause(since, reason, "key/1", until))
            version = spec.version + 1
        if delivered or not from_api:
            request = PauseRequest(reason, "key/1" if from_api else "door staff", until, version)
            since = transitions.pause(self.state, request, self.now)
            assert self.state.pause is not None
            assert since == self.state.pause.since_ms
            again = len(self.state.unsaved)
            assert transitions.pause(self.state, request, self.now) == since
            assert len(self.state.unsaved) == again
        self.hear()

    @precondition(lambda self: not self.ended)
    @rule(from_api=st.booleans(), delivered=st.booleans())
    def resume(self, from_api: bool, delivered: bool) -> None:
        version = None
        if from_api and self.row[1] is not None:
            version = self.row[0].version + 1
            self.row = (replace(self.row[0], version=version), None)
        if delivered or not from_api:
            first = transitions.resume(self.state, ResumeRequest("key/1", version), self.now)
            assert self.state.pause is None
            assert first == self.state.next_ms
        self.hear()

    @precondition(lambda self: not self.ended)
    @rule(interval_ms=INTERVALS, aligned=st.booleans(), delivered=st.booleans())
    def configure(self, interval_ms: int, aligned: bool, delivered: bool) -> None:
        spec, held = self.row
        wanted = replace(spec, interval_ms=interval_ms, aligned=aligned, version=spec.version + 1)
        self.row = (wanted, held)
        if delivered:
            self.push_the_row()

    @precondition(lambda self: not self.ended)
    @rule()
    def push_the_row(self) -> None:
        spec = self.row[0]
        first = transitions.configure(self.state, spec, self.now)
        assert first == self.state.next_ms
        self.hear()
        if self.state.unconfirmed == 0:
            assert replace(self.state.spec, version=spec.version) == spec, "the registry's row is the truth"

    @precondition(lambda self: not self.ended)
    @rule(interval_ms=INTERVALS)
    def set_interval(self, interval_ms: int) -> None:
        first = transitions.set_interval(self.state, interval_ms, self.now)
        assert first == self.state.next_ms
        self.hear()

    # ---- rounds

    @precondition(lambda self: not self.ended and self.state.pause is None)
    @rule(slots=st.integers(0, 6), skew_ms=st.sampled_from([0, 0, 1_500, 4_000]), fails=st.booleans())
    def collect(self, slots: int, skew_ms: int, fails: bool) -> None:
        """A whole or partial round, by a worker whose clock is `skew_ms` ahead."""
        before = self.state.next_ms
        plan = transitions.plan(self.state, self.now)
        assert plan.first_ms >= before
        assert plan.count >= 1
        done: list[Outcome] = list(transitions.missed_runs(self.state, plan.missed))
        interval = self.state.spec.interval_ms
        for slot in range(plan.first_ms, plan.first_ms + min(slots, plan.count) * interval, interval):
            self.now = max(self.now, slot - skew_ms)
            gap = Gap(slot, slot, GapReason.UNREACHABLE)
            done.append(gap if fails else Reading(slot, slot, slot + 9, (), self.state.spec.version))
            self.state.next_ms = slot + interval
        self.state.next_ms = max(self.state.next_ms, plan.first_ms)
        self.state.unsaved += [pack(outcome) for outcome in done]
        self.hear()

    # ---- the store

    @rule(count=st.integers(1, 12))
    def store(self, count: int) -> None:
        while any(row["kind"] == "change" for row in self.state.unsaved[count : count + 1]):
            count += 1  # what a signal did and its change of the row stand side by side in one portion
        rows = self.state.unsaved[:count]
        self.state.unsaved = self.state.unsaved[count:]
        self.heard -= len(rows)
        lost: list[str] = []
        for outcome in map(unpack, rows):
            self.stored.take(outcome)
            if isinstance(outcome, Epoch) and self.stored.eras[-2].empty:  # the chamber begins earlier than it was told
                self.settled = min(self.settled, outcome.first_slot_ms - 1)
            if isinstance(outcome, Change):
                changed = apply_change(*self.row, outcome)
                self.row = (changed.spec, changed.pause)
                lost += [changed.lost] * bool(changed.lost)
        self.settled = max(self.settled, transitions.settled_through(self.state, self.state.unsaved))
        transitions.confirm(self.state, [row["v"] for row in rows if row["kind"] == "change"], lost)

    # ---- ends and starts

    @precondition(lambda self: not self.ended and self.row[0].grid == self.stored.eras[-1].grid)
    @rule()
    def start_again(self) -> None:
        """The workflow is gone with all that it carried; another begins where the ledger is settled.

        That takes longer than clocks differ: no slot that was handed out is in the future of the new one.
        """
        self.now = max(self.now, *self.told.readings, *(run.last_ms or 0 for run in self.told.runs), 0)
        spec, held = self.row
        first = max(spec.grid.after(self.settled), self.stored.eras[-1].first_ms)
        handed_out = self.state.next_ms - 1
        self.state = ChamberState(spec, first, held, lost_through_ms=handed_out)
        self.told, self.heard = self.stored.copy(), 0
        transitions.begin(self.state, self.now)
        self.hear()

    @precondition(lambda self: not self.ended)
    @rule()
    def retire(self) -> None:
        last = transitions.end(self.state, self.now)
        self.hear()
        self.ended = True
        assert last == self.state.next_ms - self.state.spec.interval_ms
        assert self.told.eras[-1].last_ms == last
        grid = self.state.spec.grid
        assert last >= grid.first_open(self.now) - grid.interval_ms, "slots past their deadline were expected"
        assert not self.told.open_runs()
        self.told.check_complete(2**62)

    def hear(self) -> None:
        """Tell the ledger what is new in the backlog."""
        for row in self.state.unsaved[self.heard :]:
            outcome = unpack(row)
            note(f"now {self.now - NOON_MS}: {outcome}")
            self.told.take(outcome)
        self.heard = len(self.state.unsaved)

    # ---- what always holds

    @invariant()
    def every_slot_handed_out_has_one_outcome(self) -> None:
        if hasattr(self, "told"):
            self.told.check_eras()
            self.told.check_complete(self.state.next_ms)
            self.told.check_single()
            assert all(slot < self.state.next_ms for slot in self.told.readings)

    @invariant()
    def the_state_says_what_the_ledger_says(self) -> None:
        if not hasattr(self, "told") or self.ended:
            return
        grid, held = self.state.spec.grid, self.state.pause
        assert self.told.eras[-1].grid == grid
        assert grid.at_or_before(self.state.next_ms) == self.state.next_ms
        begun = [run.first_ms for run in self.told.open_runs()]
        assert begun == ([] if held is None else [held.since_ms])
        assert held is None or held.since_ms == self.state.next_ms


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

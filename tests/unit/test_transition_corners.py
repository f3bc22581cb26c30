"""Corners of a chamber's life by name: each was lost, doubled or misnamed once."""

from dataclasses import replace

from adapters.temporal_control import initial_state
from collector import transitions
from collector.domain.chamber import Pause
from collector.domain.outcome import Change, Epoch, Gap, GapReason, Outcome, PauseEnd, Reading
from collector.domain.settling import forgotten_run
from collector.messages import ChamberState, PauseRequest, ResumeRequest
from collector.packing import pack, unpack
from collector.ports import ChamberRecord
from tests.unit.test_chamber_spec import GOOD

NOON_MS = 1_772_366_400_000
DAY_MS = 86_400_000


def told(state: ChamberState) -> list[Outcome]:
    return [unpack(row) for row in state.unsaved]


def a_state(interval_ms: int = 60_000) -> ChamberState:
    spec = replace(GOOD, interval_ms=interval_ms, timeout_ms=500, aligned=True)
    return ChamberState(spec, spec.grid.after(NOON_MS))


def test_resumed_at_the_very_instant_of_a_slot_that_slot_is_collected() -> None:
    state = a_state()
    transitions.pause(state, PauseRequest(version=2), NOON_MS)
    assert transitions.resume(state, ResumeRequest(version=3), NOON_MS + 120_000) == NOON_MS + 120_000
    assert told(state)[-1] == PauseEnd(NOON_MS + 60_000, NOON_MS + 60_000)


def test_slots_after_the_end_of_a_pause_that_nobody_saw_were_missed_not_paused() -> None:
    state = a_state()
    transitions.pause(state, PauseRequest(until_ms=NOON_MS + 150_000, version=2), NOON_MS)
    assert transitions.resume(state, ResumeRequest("end of the pause"), NOON_MS + 600_000) == NOON_MS + 600_000
    assert told(state)[1:3] == [
        PauseEnd(NOON_MS + 60_000, NOON_MS + 120_000),
        Gap(NOON_MS + 180_000, NOON_MS + 540_000, GapReason.MISSED),
    ]


def test_two_new_grids_in_a_row_hand_out_no_slot_again_although_the_clock_is_behind() -> None:
    state = a_state(1_000)
    state.next_ms = NOON_MS + 5_000  # a worker whose clock is ahead has handed out four
    transitions.set_interval(state, DAY_MS, NOON_MS + 1_000)
    assert transitions.set_interval(state, 1_000, NOON_MS + 1_001) == NOON_MS + 5_000


def test_from_a_day_to_a_second_nobody_waits_a_day() -> None:
    state = a_state(DAY_MS)
    assert transitions.set_interval(state, 1_000, NOON_MS + 10) == NOON_MS + 1_000
    assert transitions.settled_through(state, []) < NOON_MS + 1_000


def test_a_pause_of_the_row_that_no_chamber_obeyed_begins_with_the_new_one() -> None:
    state = a_state()
    state.pause = Pause(NOON_MS + 600_000, "door", "key/1")
    transitions.begin(state, NOON_MS + 590_000)
    assert told(state) == [
        PauseEnd(NOON_MS + 60_000, NOON_MS + 540_000),
        Gap(NOON_MS + 60_000, NOON_MS + 540_000, GapReason.MISSED),
        Gap(NOON_MS + 600_000, None, GapReason.PAUSED, "door", "key/1"),
    ]
    assert transitions.pause(state, PauseRequest("door", "key/1", version=2), NOON_MS + 590_001) == NOON_MS + 600_000


def test_a_pause_in_force_goes_on_over_a_start_as_the_same_run() -> None:
    state = a_state()
    state.pause = Pause(NOON_MS + 120_000, "door", "key/1")  # the API said so; the chamber paused a slot earlier
    transitions.begin(state, NOON_MS + 900_000)
    assert told(state) == [Gap(NOON_MS + 60_000, None, GapReason.PAUSED, "door", "key/1")]


def test_a_new_chamber_has_nothing_to_tell() -> None:
    state = a_state()
    transitions.begin(state, NOON_MS)
    assert told(state) == []


def test_a_pause_does_not_hide_a_spec_that_was_not_delivered() -> None:
    state = a_state()
    wanted = replace(state.spec, interval_ms=90_000, version=2)
    transitions.pause(state, PauseRequest("door", "key/1", version=3), NOON_MS)
    transitions.configure(state, replace(wanted, version=3), NOON_MS + 1)
    assert (state.spec.interval_ms, state.spec.version) == (90_000, 3)


def test_a_change_that_lost_gives_way_to_the_row_of_the_same_version() -> None:
    state = a_state()
    transitions.set_interval(state, 90_000, NOON_MS)
    transitions.confirm(state, [state.spec.version], ["the registry's row stands"])
    transitions.configure(state, a_state().spec, NOON_MS + 1)
    assert state.spec == a_state().spec


def test_taken_back_to_its_row_a_chamber_keeps_fates_that_wait_and_no_decision() -> None:
    state = a_state()
    state.next_ms = NOON_MS + 600_000
    reading = Reading(NOON_MS + 60_000, NOON_MS + 60_000, NOON_MS + 60_005, (), 3)
    missed = Gap(NOON_MS + 120_000, NOON_MS + 180_000, GapReason.MISSED)
    decisions: list[Outcome] = [
        Change(3, "resume"),
        PauseEnd(NOON_MS, NOON_MS),
        Epoch(NOON_MS, 60_000, 0, 3),
        Gap(NOON_MS, None, GapReason.PAUSED),
    ]
    state.unsaved = [pack(outcome) for outcome in (*decisions, reading, missed)]
    state.notes, state.last, state.decided_ms, state.cycles_per_run = ["a note"], "temperature 20 Cel", 17, 9
    fresh = a_state()

    transitions.begin_again(state, fresh)
    transitions.begin(fresh, NOON_MS + 900_000)

    lost = Gap(NOON_MS + 60_000, NOON_MS + 540_000, GapReason.LOST, "handed out before this start, never settled")
    later = Gap(NOON_MS + 600_000, NOON_MS + 840_000, GapReason.MISSED)
    assert told(fresh)[0] == PauseEnd(NOON_MS, NOON_MS), "else the run would stay open over all that follows"
    assert [o for o in told(fresh) if not isinstance(o, PauseEnd)] == [reading, missed, lost, later]
    assert (fresh.next_ms, fresh.verify, fresh.run_number) == (NOON_MS + 900_000, True, 0)
    assert (fresh.notes, fresh.last, fresh.decided_ms, fresh.cycles_per_run) == (["a note"], state.last, 17, 9)


def test_what_was_not_settled_of_an_epoch_that_has_ended_is_lost() -> None:
    spec = GOOD
    record = ChamberRecord(spec, None, "stale", 1_000_000, 1_000_000 + 90 * spec.interval_ms, 0)
    state = initial_state(record)
    assert [unpack(row) for row in state.unsaved] == [forgotten_run(1_000_001, record.first_slot_ms - 1)]
    assert state.next_ms == spec.grid.at_or_after(record.first_slot_ms)
    fresh = replace(record, settled_through_ms=record.first_slot_ms - 1)
    assert initial_state(fresh).unsaved == []

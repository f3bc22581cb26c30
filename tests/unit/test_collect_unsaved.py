"""A round while the store refuses, hangs or forgets to answer: nothing is lost or waits, nothing is read twice."""

import asyncio

import pytest

from adapters.telemetry import OtelCollectionMetrics
from collector.backlog import ROUND_LIMIT_BYTES, total_bytes
from collector.domain.errors import BlockedError
from collector.domain.health import Health
from collector.domain.outcome import Epoch, Gap, GapReason, Measurement, Reading
from collector.packing import pack
from tests.unit.jumping_time import NOON_MS, JumpingClock, in_jumping_time
from tests.unit.metric_points import Points, at
from tests.unit.round_doubles import Answer, Mood
from tests.unit.round_stage import RoundStage, chamber, serial_of, unpacked

AGE = "chamberlog.outcomes.unsaved.age"
WELL = Health(last_reading_ms=NOON_MS - 1)
BLOCKED = Answer(5, BlockedError("10.0.0.1:80"))


def a_reading(slot_ms: int, serial: int = 99) -> Reading:
    return Reading(slot_ms, slot_ms, slot_ms + 9, (Measurement("serial", serial, "1"),), 1)


# ---- refused


@in_jumping_time
async def test_a_refused_outcome_is_durable_before_the_next_slot() -> None:
    stage = RoundStage(chamber(10))
    stage.store.moods.append(Mood.REFUSE)
    control = stage.control()
    await stage.attempt(stage.request(3, health=WELL), None, control)
    (at_ms, progress), *more = control.durable
    assert (at_ms, more) == (25, [])
    assert progress.next_index == 1
    assert [serial_of(o) for o in unpacked(progress.unsaved)] == [1]
    assert progress.health.last_reading_ms == stage.slot(0)


@in_jumping_time
async def test_the_next_save_that_succeeds_carries_the_refused_ones_first() -> None:
    stage = RoundStage(chamber(10))
    stage.store.moods.extend([Mood.REFUSE, Mood.REFUSE])
    stage.devices.script.extend([Answer(), BLOCKED])
    out = await stage.attempt(stage.request(4, health=WELL))
    assert [len(batch.outcomes) for batch in stage.store.saves] == [1, 2, 3, 1]
    carried = stage.store.saves[2].outcomes
    assert [type(o) for o in carried] == [Reading, Gap, Reading]
    assert stage.serials == {0: 1, 2: 2, 3: 3}
    assert stage.gaps == [(1, 1, "blocked")]
    assert (out.unsaved, out.stored) == ([], 3)
    assert stage.chamber.settled_ms == stage.slot(3)


@in_jumping_time
async def test_a_store_that_stays_away_costs_no_slot_and_no_lateness() -> None:
    stage = RoundStage(chamber(10))
    stage.store.otherwise = Mood.REFUSE
    control = stage.control()
    out = await stage.attempt(stage.request(6, health=WELL), None, control)
    assert stage.devices.times == [0, 10_000, 20_000, 30_000, 40_000, 50_000]
    assert [serial_of(o) for o in unpacked(out.unsaved)] == [1, 2, 3, 4, 5, 6]
    assert (out.next_ms, out.stored, stage.chamber.readings) == (stage.slot(6), 0, {})
    # the last one travels with the answer itself
    assert [len(progress.unsaved) for _, progress in control.durable] == [1, 2, 3, 4, 5]


@in_jumping_time
async def test_the_last_progress_of_a_refused_round_is_told_too() -> None:
    stage = RoundStage(chamber(10))
    stage.store.otherwise = Mood.REFUSE
    control = stage.control()
    await stage.attempt(stage.request(2, health=WELL), None, control)
    assert control.beats[-1].next_index == 2
    assert len(control.beats[-1].unsaved) == 2


@in_jumping_time
async def test_a_snapshot_does_not_change_with_the_round() -> None:
    stage = RoundStage(chamber(10))
    stage.store.otherwise = Mood.REFUSE
    control = stage.control()
    await stage.attempt(stage.request(3, health=WELL), None, control)
    assert [(p.next_index, len(p.unsaved)) for _, p in control.durable] == [(1, 1), (2, 2)]


@in_jumping_time
async def test_the_round_ends_early_when_64_kib_wait() -> None:
    stage = RoundStage(chamber(1, round_span_ms=3_600_000))
    stage.store.otherwise = Mood.REFUSE
    out = await stage.attempt(stage.request(3_600, health=WELL))
    waiting = len(out.unsaved)
    assert total_bytes(out.unsaved) > ROUND_LIMIT_BYTES >= total_bytes(out.unsaved[:-1])
    assert out.next_ms == stage.slot(waiting)
    assert 50 < waiting < 1_000
    assert len(stage.devices.calls) == waiting


# ---- hanging


@in_jumping_time
async def test_a_hanging_store_does_not_cost_the_fastest_chamber_a_slot() -> None:
    stage = RoundStage(chamber(1, timeout_ms=500))
    stage.store.otherwise = Mood.HANG
    out = await stage.attempt(stage.request(100, health=WELL))
    lateness = [at - i * 1_000 for i, at in enumerate(stage.devices.times)]
    assert lateness[:3] == [0, 0, 5]  # until what had no answer at the second slot either is durable
    assert set(lateness) == {0, 5}
    assert len(out.unsaved) == 100


@in_jumping_time
async def test_a_slot_that_begins_late_is_followed_by_one_that_begins_less_late() -> None:
    stage = RoundStage(chamber(1, timeout_ms=900))
    stage.store.otherwise = Mood.HANG
    stage.devices.script.append(Answer(890))
    await stage.attempt(stage.request(4, health=WELL))
    assert [at - i * 1_000 for i, at in enumerate(stage.devices.times)] == [0, 390, 5, 0]


@in_jumping_time
async def test_a_hanging_store_leaves_slower_chambers_punctual() -> None:
    stage = RoundStage(chamber(3, timeout_ms=500))
    stage.store.otherwise = Mood.HANG
    out = await stage.attempt(stage.request(4, health=WELL))
    assert [at - i * 3_000 for i, at in enumerate(stage.devices.times)] == [0, 0, 5, 0]
    assert len(out.unsaved) == 4


@in_jumping_time
async def test_a_save_of_a_slow_chamber_is_given_up_after_5_s() -> None:
    stage = RoundStage(chamber(60))
    stage.store.otherwise = Mood.HANG
    out = await stage.attempt(stage.request(1, health=WELL))
    assert stage.clock.now_ms() == NOON_MS + 5_020
    assert len(out.unsaved) == 1


@in_jumping_time
async def test_a_save_that_was_committed_but_not_answered_is_one_row() -> None:
    stage = RoundStage(chamber(10))
    stage.store.moods.append(Mood.LATE)
    control = stage.control()
    out = await stage.attempt(stage.request(3, health=WELL), None, control)
    assert stage.serials == {0: 1, 1: 2, 2: 3}
    assert len(stage.store.saves[1].outcomes) == 3
    assert (out.unsaved, out.stored) == ([], 2)  # the first is no news to the store
    assert [len(progress.unsaved) for _, progress in control.durable] == [1, 2], "the next slot is far: at once"


@in_jumping_time
async def test_a_save_that_is_answered_late_is_not_sent_again() -> None:
    stage = RoundStage(chamber(1, timeout_ms=500))
    stage.store.moods.extend([Mood.SLOW, Mood.TAKE, Mood.SLOW])
    control = stage.control()
    out = await stage.attempt(stage.request(6, health=WELL), None, control)
    assert [len(batch.outcomes) for batch in stage.store.saves] == [1] * 6
    assert stage.serials == {n: n + 1 for n in range(6)}
    assert (out.unsaved, out.stored, control.durable) == ([], 6, [])
    assert [at - i * 1_000 for i, at in enumerate(stage.devices.times)] == [0] * 6
    assert stage.metrics.waiting == 0


@in_jumping_time
async def test_a_late_save_that_is_refused_in_the_end_travels() -> None:
    stage = RoundStage(chamber(1, timeout_ms=500))
    stage.store.moods.extend([Mood.REFUSE_LATE, Mood.TAKE])
    control = stage.control()
    out = await stage.attempt(stage.request(3, health=WELL), None, control)
    assert [len(batch.outcomes) for batch in stage.store.saves] == [1, 3]
    assert [len(progress.unsaved) for _, progress in control.durable] == [2]
    assert (out.unsaved, out.stored) == ([], 3)


# ---- what was to be stored before


@in_jumping_time
async def test_missed_runs_are_stored_with_the_first_save_and_only_once() -> None:
    stage = RoundStage(chamber(10))
    missed = Gap(stage.slot(0), stage.slot(2), GapReason.MISSED)
    await stage.clock.until(stage.slot(3))
    out = await stage.attempt(stage.request(2, first=3, health=WELL, before=[pack(missed)]))
    assert stage.store.saves[0].outcomes[0] == missed
    assert [len(batch.outcomes) for batch in stage.store.saves] == [2, 1]
    assert (stage.gaps, list(stage.serials), out.unsaved) == ([(0, 2, "missed")], [3, 4], [])


@in_jumping_time
async def test_an_epoch_is_stored_before_its_readings() -> None:
    stage = RoundStage(chamber(10))
    await stage.enrol()
    faster = chamber(5, version=2)
    stage.spec, old = faster, stage.spec
    epoch = Epoch(stage.slot(2), 5_000, 0, 2, previous_last_ms=NOON_MS)
    await stage.attempt(stage.request(2, first=2, health=WELL, before=[pack(epoch)]))
    assert stage.store.saves[0].outcomes[0] == epoch
    epochs = [(e.first_ms, e.last_ms, e.interval_ms) for e in stage.chamber.epochs]
    assert epochs == [(NOON_MS, NOON_MS, old.interval_ms), (NOON_MS + 10_000, None, 5_000)]


@in_jumping_time
async def test_what_was_to_be_stored_before_survives_a_refusal_and_a_new_attempt() -> None:
    stage = RoundStage(chamber(10))
    missed = pack(Gap(stage.slot(0), stage.slot(2), GapReason.MISSED))
    stage.store.otherwise = Mood.REFUSE
    control = stage.control()
    request = stage.request(3, first=3, health=WELL, before=[missed])
    await stage.attempt(request, None, control)  # its worker is killed before it answers
    progress = control.durable[0][1]
    assert progress.unsaved[0] == missed
    stage.store.otherwise = Mood.TAKE
    out = await stage.attempt(request, progress, stage.control(attempt=2))
    # what it had read since is gone with it: the rest of its round was over when the next attempt began
    assert (stage.gaps, sorted(stage.serials), out.unsaved) == ([(0, 2, "missed"), (4, 4, "missed")], [3, 5], [])


# ---- settled_through


@pytest.mark.parametrize(
    ("oldest_waiting", "settled"), [(None, [0, 1, 2]), (0, [None, None, None]), (2, [0, 1, None]), (9, [0, 1, 2])]
)
def test_settled_through_moves_up_to_the_oldest_slot_that_waits_in_the_workflow(
    oldest_waiting: int | None, settled: list[int | None]
) -> None:
    @in_jumping_time
    async def play() -> None:
        stage = RoundStage(chamber(10))
        bound = None if oldest_waiting is None else stage.slot(oldest_waiting)
        await stage.attempt(stage.request(3, health=WELL, unsettled_ms=bound))
        moved = [batch.settled_through_ms for batch in stage.store.saves]
        assert moved == [None if i is None else stage.slot(i) for i in settled]

    play()


@in_jumping_time
async def test_settled_through_covers_a_whole_missed_run() -> None:
    stage = RoundStage(chamber(10))
    await stage.clock.until(stage.slot(7))
    await stage.attempt(stage.request(5, health=WELL))
    assert [batch.settled_through_ms for batch in stage.store.saves] == [stage.slot(4)]
    assert stage.chamber.settled_ms == stage.slot(4)


# ---- how old the oldest is that waits


@in_jumping_time
async def test_what_waits_is_as_old_as_its_oldest_reading_and_waits_no_more_once_it_is_stored() -> None:
    points, stage_clock = Points(), JumpingClock()
    metrics = OtelCollectionMetrics(points.provider, stage_clock.now_ms)
    stage = RoundStage(chamber(10), metrics)
    stage.store.otherwise = Mood.REFUSE
    running = asyncio.create_task(stage.attempt(stage.request(6, health=WELL)))
    assert points.values(AGE) == {at(): 0}
    await stage.clock.until(stage.slot(3) + 5_000)
    ((_, age_s),) = points.values(AGE).items()
    assert age_s == 35 - 0.02, "the first reading came 20 ms after noon"
    stage.store.otherwise = Mood.TAKE
    await stage.clock.until(stage.slot(4) + 5_000)
    assert points.values(AGE) == {at(): 0}
    await running


@in_jumping_time
async def test_a_round_that_ends_hands_what_waits_to_somebody_else() -> None:
    stage = RoundStage(chamber(10))
    stage.store.otherwise = Mood.REFUSE
    out = await stage.attempt(stage.request(2, health=WELL))
    assert len(out.unsaved) == 2
    assert stage.metrics.held_at_all == [stage.slot(0) + 20, stage.slot(0) + 20]
    assert stage.metrics.holding == {}


@in_jumping_time
async def test_a_gap_that_waits_is_as_old_as_its_refusal() -> None:
    stage = RoundStage(chamber(10))
    stage.store.otherwise = Mood.REFUSE
    stage.devices.script.append(BLOCKED)
    await stage.attempt(stage.request(1, health=WELL))
    assert stage.metrics.held_at_all == [None]

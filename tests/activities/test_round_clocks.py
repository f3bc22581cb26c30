"""A round whose machine's clock is wrong, or was suspended."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from tests.activities.activity_stage import WELL, ActivityStage, opened, started
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Answer
from tests.unit.round_stage import chamber


@pytest.mark.parametrize("ahead_ms", [-7_000, -3_000, 0, 3_000, 7_000])
def test_a_round_tells_how_wrong_its_workers_clock_is(ahead_ms: int) -> None:
    @in_jumping_time
    async def play() -> None:
        stage = await opened()
        stage.clock.set_back_ms = -ahead_ms
        out = await stage.begin().collect(stage.request(2, first=1, health=WELL))
        assert (out.skew_ms, set(stage.metrics.skews)) == (ahead_ms, {ahead_ms})

    play()


@in_jumping_time
async def test_a_worker_whose_clock_is_three_seconds_ahead_reads_that_much_too_early_and_notes_its_own_time() -> None:
    stage = await opened()
    stage.clock.set_back_ms = -3_000
    await stage.begin().collect(stage.request(2, first=1, health=WELL))
    assert stage.clock.monotonic_ms() == 17_020
    assert [stage.index(slot) for slot in sorted(stage.chamber.readings)] == [1, 2]
    assert {kept.reading.requested_ms - slot for slot, kept in stage.chamber.readings.items()} == {0}


@in_jumping_time
async def test_a_round_that_began_late_is_measured_against_one_that_did_not() -> None:
    stage = await opened()
    late = stage.begin()
    late.env.info = replace(late.env.info, started_time=late.env.info.started_time - timedelta(seconds=4))
    slow = started(late.collect(stage.request(2, health=WELL)))
    await asyncio.sleep(1)
    stage.spec = chamber(10, id="cold-room")
    await stage.enrol()
    prompt = await stage.begin().collect(stage.request(2, first=1, health=WELL))
    assert (prompt.skew_ms, (await slow).skew_ms) == (0, 0)


# ---- a machine that was suspended: the event loop's timers do not count that time


@in_jumping_time
async def test_a_round_of_a_machine_that_was_suspended_ends_as_soon_as_it_runs_again() -> None:
    stage = ActivityStage(chamber(30))
    await stage.enrol()
    stage.clock.later(5_500, lambda: stage.clock.suspend(3_600_000))
    with pytest.raises(ApplicationError) as caught:
        await stage.begin(heartbeat_s=400).collect(stage.request(10, health=WELL))
    assert caught.value.type == "FrozenError"
    assert asyncio.get_running_loop().time() <= 6.0
    assert list(stage.serials) == [0]
    assert stage.gaps == []


@in_jumping_time
async def test_a_slot_after_a_short_suspension_is_not_late_by_its_length() -> None:
    stage = ActivityStage(chamber(30))
    await stage.enrol()
    stage.clock.later(5_500, lambda: stage.clock.suspend(8_700))
    out = await stage.begin(heartbeat_s=400).collect(stage.request(3, health=WELL))
    assert stage.devices.times[1] in range(30_000, 31_001), "by the loop's timers it would be 8.7 s late"
    assert stage.devices.times[2] == 60_000
    assert (stage.gaps, out.next_ms) == ([], stage.slot(3))


@in_jumping_time
async def test_a_slot_that_passed_in_a_short_suspension_is_read_late_and_said_so() -> None:
    stage = ActivityStage(chamber(30))
    await stage.enrol()
    stage.clock.later(25_500, lambda: stage.clock.suspend(9_000))
    await stage.begin(heartbeat_s=400).collect(stage.request(2, health=WELL))
    assert stage.devices.times[1] in range(34_500, 35_501)
    assert stage.metrics.readings[1][0] == stage.devices.times[1] - 30_000


@in_jumping_time
async def test_a_fetch_that_was_suspended_is_not_stored() -> None:
    stage = await opened()
    stage.devices.otherwise = Answer(600)
    stage.clock.later(10_300, lambda: stage.clock.suspend(15_000))
    with pytest.raises(ApplicationError) as caught:
        await stage.begin(heartbeat_s=400).collect(stage.request(30, health=WELL))
    assert caught.value.type == "FrozenError"
    assert len(stage.store.saves) == 1
    assert stage.clock.now_ms() - NOON_MS <= 10_600 + 15_000


@pytest.mark.parametrize("how", ["suspend", "stand_still"])
def test_a_round_of_one_slot_is_fenced_too_for_others_take_it_over_as_well(how: str) -> None:
    @in_jumping_time
    async def play() -> None:
        stage = ActivityStage(chamber(60))
        await stage.enrol()
        stage.devices.otherwise = Answer(600)
        stage.clock.later(300, lambda: getattr(stage.clock, how)(90_000))
        with pytest.raises(ApplicationError) as caught:
            await stage.begin(heartbeat_s=0).collect(stage.request(1, health=WELL))
        assert caught.value.type == "FrozenError"
        assert (stage.store.saves, stage.gaps) == ([], [])

    play()

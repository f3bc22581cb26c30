"""A round without faults of the store: every slot ends as one outcome, late ones and interrupted ones too."""

import pytest

from collector.domain.errors import (
    BlockedError,
    DeviceStatusError,
    DeviceUnreachableError,
    FrozenError,
)
from collector.domain.health import Health, Status
from collector.domain.outcome import Gap, GapReason
from collector.messages import RoundProgress
from collector.packing import pack
from collector.usecases.collect import TryAgainError
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Answer
from tests.unit.round_stage import RoundStage, chamber, unpacked

WELL = Health(last_reading_ms=NOON_MS - 1)
FAILING = Health(failures=3, last_reading_ms=NOON_MS - 1)
REFUSED = Answer(5, DeviceUnreachableError("connect: refused"))


# ---- slots


@in_jumping_time
async def test_each_slot_of_a_round_is_read_at_its_instant_and_stored_once() -> None:
    stage = RoundStage(chamber(10))
    out = await stage.attempt(stage.request(6, health=WELL))
    assert stage.devices.times == [0, 10_000, 20_000, 30_000, 40_000, 50_000]
    assert stage.serials == {0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6}
    assert stage.gaps == []
    assert (out.next_ms, out.unsaved, out.stored) == (stage.slot(6), [], 6)
    assert out.health == Health(last_reading_ms=stage.slot(5))
    assert out.last == "temperature 21.5 Cel, serial 6 1"
    assert stage.chamber.settled_ms == stage.slot(5)


@in_jumping_time
async def test_a_round_waits_out_the_lead_before_its_first_slot() -> None:
    stage = RoundStage(chamber(60))
    await stage.attempt(stage.request(1, first=1))
    assert stage.devices.times == [60_000]
    assert stage.metrics.readings == [(0, 20)]


@in_jumping_time
async def test_a_reading_tells_when_it_was_asked_and_answered() -> None:
    stage = RoundStage(chamber(60, version=7))
    await stage.clock.until(NOON_MS + 700)
    stage.devices.script.append(Answer(340))
    await stage.attempt(stage.request(1))
    reading = stage.chamber.readings[NOON_MS].reading
    assert (reading.slot_ms, reading.requested_ms, reading.received_ms) == (NOON_MS, NOON_MS + 700, NOON_MS + 1_040)
    assert reading.spec_version == 7
    assert stage.metrics.readings == [(700, 340)]


@in_jumping_time
async def test_a_slot_past_but_within_its_deadline_is_collected_late() -> None:
    stage = RoundStage(chamber(3_600))
    await stage.clock.until(NOON_MS + 359_000)  # the deadline is a tenth of the interval
    await stage.attempt(stage.request(1))
    assert stage.serials == {0: 1}
    assert stage.metrics.readings == [(359_000, 20)]


@in_jumping_time
async def test_slots_past_their_deadline_are_one_missed_run_and_the_newest_is_collected() -> None:
    stage = RoundStage(chamber(10))
    await stage.clock.until(NOON_MS + 34_000)
    out = await stage.attempt(stage.request(5, health=WELL))
    assert stage.gaps == [(0, 2, "missed")]
    assert stage.serials == {3: 1, 4: 2}
    assert stage.devices.times == [34_000, 40_000]
    assert out.next_ms == stage.slot(5)
    assert stage.metrics.gaps == {GapReason.MISSED: 3}


@in_jumping_time
async def test_a_whole_round_past_its_deadlines_reads_nothing() -> None:
    stage = RoundStage(chamber(10))
    await stage.clock.until(NOON_MS + 3_600_000)
    out = await stage.attempt(stage.request(5))
    assert (stage.gaps, stage.devices.calls, out.next_ms) == ([(0, 4, "missed")], [], stage.slot(5))
    assert out.health == Health()  # a missed slot says nothing about the device
    assert out.last == "gap: missed"


@in_jumping_time
async def test_slots_that_pass_while_an_earlier_one_is_in_hand_are_overrun() -> None:
    stage = RoundStage(chamber(10))
    stage.clock.later(10, lambda: stage.clock.stand_still(35_000))  # the machine sleeps in the first fetch
    out = await stage.attempt(stage.request(5, health=WELL))
    assert stage.gaps == [(1, 2, "overrun")]
    assert list(stage.serials) == [0, 3, 4]
    assert out.next_ms == stage.slot(5)
    assert out.health == Health(last_reading_ms=stage.slot(4))  # nobody tried, so the device is not to blame


@in_jumping_time
async def test_a_slot_that_failed_before_keeps_its_own_reason_and_later_ones_are_missed() -> None:
    stage = RoundStage(chamber(10))
    await stage.clock.until(NOON_MS + 31_000)
    progress = RoundProgress(next_index=0, health=WELL, failure=["timeout", "no answer within 2000 ms"], raised=True)
    out = await stage.attempt(stage.request(4), progress, stage.control(attempt=2))
    assert stage.gaps == [(0, 0, "timeout"), (1, 2, "missed")]
    assert stage.chamber.gaps[0].gap.detail == "no answer within 2000 ms"
    assert stage.serials == {3: 1}
    assert out.health.last_failure == "timeout: no answer within 2000 ms"


@in_jumping_time
async def test_one_bad_channel_does_not_cost_the_reading() -> None:
    stage = RoundStage(chamber(60))
    stage.devices.script.append(Answer(body=b'{"temperature": 21.5, "humidity": -999, "co2": "n/a"}'))
    await stage.attempt(stage.request(1))
    measured = {m.name: (m.value, m.quality.value) for m in stage.chamber.readings[NOON_MS].reading.measurements}
    assert measured["temperature"] == (21.5, "good")
    assert measured["humidity"] == (None, "bad")
    assert measured["co2"] == (None, "missing")
    assert stage.gaps == []


# ---- being asked to end


@in_jumping_time
async def test_asked_to_end_in_a_fetch_the_slot_in_hand_is_finished_and_the_rest_handed_back() -> None:
    stage = RoundStage(chamber(10))
    stage.devices.otherwise = Answer(500)
    control = stage.control()
    stage.clock.later(10_200, control.end)
    out = await stage.attempt(stage.request(5, health=WELL), None, control)
    assert stage.clock.now_ms() == NOON_MS + 10_500
    assert (stage.serials, out.next_ms, out.stored) == ({0: 1, 1: 2}, stage.slot(2), 2)


@in_jumping_time
async def test_asked_to_end_between_slots_it_returns_at_once() -> None:
    stage = RoundStage(chamber(10))
    control = stage.control()
    stage.clock.later(13_000, control.end)
    out = await stage.attempt(stage.request(5, health=WELL), None, control)
    assert (stage.clock.now_ms(), out.next_ms) == (NOON_MS + 13_000, stage.slot(2))


@in_jumping_time
async def test_asked_to_end_before_its_first_slot_it_hands_all_back_with_what_was_to_be_stored_before() -> None:
    stage = RoundStage(chamber(10))
    control = stage.control()
    control.end()
    missed = pack(Gap(NOON_MS, NOON_MS, GapReason.MISSED))
    out = await stage.attempt(stage.request(5, first=1, before=[missed]), None, control)
    assert (out.next_ms, out.unsaved, stage.devices.calls) == (stage.slot(1), [missed], [])


@pytest.mark.parametrize("count", [1, 3])
def test_asked_to_end_while_the_slot_in_hand_fails_it_hands_the_slot_back_instead_of_raising(count: int) -> None:
    @in_jumping_time
    async def play() -> None:
        stage = RoundStage(chamber(60))
        stage.devices.otherwise = Answer(800, DeviceStatusError("503"))
        control = stage.control()
        stage.clock.later(300, control.end)
        out = await stage.attempt(stage.request(count, health=WELL), None, control)
        assert (out.next_ms, stage.gaps, stage.clock.now_ms()) == (stage.slot(0), [], NOON_MS + 800)

    play()


@in_jumping_time
async def test_asked_to_end_between_attempts_the_slot_in_hand_goes_back_undecided() -> None:
    stage = RoundStage(chamber(60))
    stage.devices.otherwise = REFUSED
    control = stage.control()
    stage.clock.later(1_500, control.end)
    out = await stage.attempt(stage.request(3, health=WELL), RoundProgress(health=WELL, raised=True), control)
    assert stage.devices.times == [0, 1_005]
    assert (out.next_ms, stage.gaps) == (stage.slot(0), [])


@in_jumping_time
async def test_a_process_that_stood_still_stores_nothing() -> None:
    stage = RoundStage(chamber(10))
    stage.devices.otherwise = Answer(500)
    control = stage.control()

    def freeze() -> None:
        control.frozen = True

    stage.clock.later(10_200, freeze)
    with pytest.raises(FrozenError):
        await stage.attempt(stage.request(5, health=WELL), None, control)
    assert stage.serials == {0: 1}
    assert len(stage.store.saves) == 1


# ---- telling the workflow


@in_jumping_time
async def test_a_new_chamber_is_reported_after_its_first_reading() -> None:
    stage = RoundStage(chamber(10))
    out = await stage.attempt(stage.request(30))
    assert (out.health.status, out.next_ms) == (Status.COLLECTING, stage.slot(1))


@in_jumping_time
async def test_another_change_of_status_is_reported_not_before_30_s() -> None:
    stage = RoundStage(chamber(10))
    out = await stage.attempt(stage.request(30, health=FAILING))
    assert (out.health.status, out.next_ms) == (Status.COLLECTING, stage.slot(4))
    assert stage.clock.now_ms() == NOON_MS + 30_020


@in_jumping_time
async def test_a_chamber_that_begins_to_fail_is_reported_after_its_third_gap() -> None:
    stage = RoundStage(chamber(10))
    stage.devices.otherwise = Answer(5, BlockedError("10.0.0.1:80"))
    out = await stage.attempt(stage.request(30, health=WELL))
    assert out.health.status is Status.FAILING
    assert out.next_ms == stage.slot(4)  # three gaps end at 20 s, the first change after 30 s is seen at slot 3


@in_jumping_time
async def test_what_is_shown_to_temporal_tells_how_far_the_round_is() -> None:
    stage = RoundStage(chamber(10))
    stage.devices.script.extend([Answer(), Answer(), REFUSED])
    with pytest.raises(TryAgainError) as caught:
        await stage.attempt(stage.request(5, health=WELL))
    progress = caught.value.progress
    assert (progress.next_index, progress.unsaved, progress.raised) == (2, [], True)
    assert progress.failure == ["unreachable", "connect: refused"]
    assert progress.health.last_reading_ms == stage.slot(1)
    assert unpacked(progress.unsaved) == []

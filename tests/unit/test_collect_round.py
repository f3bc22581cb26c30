"""A round without faults of the store: every slot ends as one outcome, late ones, failing ones, interrupted ones."""

import logging
from dataclasses import replace
from itertools import pairwise

import pytest

from collector.domain.errors import (
    AnswerTooLargeError,
    BlockedError,
    DeviceStatusError,
    DeviceUnauthorizedError,
    DeviceUnreachableError,
    FrozenError,
    MisconfiguredError,
    SlotFailedError,
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


# ---- failing fetches


@in_jumping_time
async def test_a_failing_slot_of_its_own_round_is_shown_and_tried_again_ever_later_until_its_deadline() -> None:
    stage = RoundStage(chamber(3_600, timeout_ms=2_000))  # its deadline is 360 s
    stage.devices.otherwise = REFUSED
    out, shown = await stage.carry(stage.request(1, health=WELL))
    assert [error.delay_ms for error in shown[:6]] == [5_000, 10_000, 20_000, 40_000, 80_000, 160_000]
    assert all(str(error) == "connect: refused" and error.progress.failure for error in shown)
    assert max(stage.devices.times) < 360_000
    assert max(stage.devices.times) > 350_000  # the last attempt is made as late as it can be
    assert stage.gaps == [(0, 0, "unreachable")]
    assert stage.chamber.gaps[0].gap.detail == "connect: refused"
    assert out.health == Health(1, NOON_MS - 1, "unreachable: connect: refused", NOON_MS)
    assert stage.metrics.failed == [(GapReason.UNREACHABLE, 5)] * len(stage.devices.calls)


@in_jumping_time
async def test_a_slot_that_comes_back_is_a_reading_without_any_gap() -> None:
    stage = RoundStage(chamber(60))
    stage.devices.script.extend([REFUSED, REFUSED])
    out, shown = await stage.carry(stage.request(1, health=WELL))
    assert stage.devices.times == [0, 5_005, 15_010]
    assert (stage.serials, stage.gaps, len(shown)) == ({0: 1}, [], 2)
    assert out.health == Health(0, NOON_MS)


@in_jumping_time
async def test_no_attempt_of_a_slot_gets_more_time_than_its_deadline_leaves() -> None:
    stage = RoundStage(chamber(60, timeout_ms=30_000))
    stage.devices.otherwise = Answer(29_000, DeviceUnreachableError("reset"))
    await stage.carry(stage.request(1, health=WELL))
    ends = [call.at_ms - NOON_MS + call.request.budget_ms for call in stage.devices.calls]
    assert ends[0] == 30_000
    assert max(ends) == 60_000
    assert stage.clock.now_ms() <= NOON_MS + 60_000
    assert stage.gaps[0][2] in ("unreachable", "timeout")


@in_jumping_time
async def test_a_longer_round_shows_its_first_failure_once_and_tries_the_others_inside() -> None:
    stage = RoundStage(chamber(60, round_span_ms=300_000))
    stage.devices.otherwise = REFUSED
    out, shown = await stage.carry(stage.request(2, health=WELL))
    assert len(shown) == 1
    assert shown[0].delay_ms == 1_000
    assert (shown[0].progress.next_index, shown[0].progress.raised) == (0, True)
    # at once, after Temporal's second, then after 1, 2, 4, 8, 16 s; the next 30 s would pass the deadline
    assert stage.devices.times[:7] == [0, 1_005, 2_010, 4_015, 8_020, 16_025, 32_030]
    assert stage.devices.times[7:] == [60_000, 61_005, 63_010, 67_015, 75_020, 91_025]
    assert stage.gaps == [(0, 0, "unreachable"), (1, 1, "unreachable")]
    assert out.next_ms == stage.slot(2)


@in_jumping_time
async def test_inner_attempts_are_at_most_30_s_apart() -> None:
    stage = RoundStage(chamber(3_600, round_span_ms=3_600_000))
    stage.devices.otherwise = REFUSED
    await stage.attempt(stage.request(2, health=WELL), RoundProgress(health=WELL, raised=True))
    first = [at for at in stage.devices.times if at < 360_000]
    distances = [b - a for a, b in pairwise(first[5:])]
    assert set(distances) == {30_005}
    assert first[-1] > 320_000


@pytest.mark.parametrize(("interval_s", "shows"), [(5, 1), (4.9, 0), (1, 0)])
def test_a_round_shows_its_failure_only_when_coming_back_costs_no_other_slot(interval_s: float, shows: int) -> None:
    @in_jumping_time
    async def play() -> None:
        stage = RoundStage(chamber(interval_s))
        stage.devices.script.append(REFUSED)
        await stage.clock.until(stage.spec.grid.at_or_after(NOON_MS))
        first = stage.spec.grid.at_or_after(NOON_MS)
        _, shown = await stage.carry(replace(stage.request(3, health=WELL), first_ms=first))
        assert len(shown) == shows
        assert len(stage.chamber.readings) + len(stage.chamber.gaps) == 3

    play()


@in_jumping_time
async def test_a_failing_chamber_gets_one_attempt_a_slot_and_raises_never() -> None:
    stage = RoundStage(chamber(10))
    stage.devices.script.extend([REFUSED, REFUSED])
    out = await stage.attempt(stage.request(3, health=FAILING))
    assert stage.devices.times == [0, 10_000, 20_000]
    assert stage.gaps == [(0, 0, "unreachable"), (1, 1, "unreachable")]
    assert out.health.status is Status.COLLECTING


@in_jumping_time
async def test_a_failing_chamber_of_one_slot_rounds_gets_one_attempt() -> None:
    stage = RoundStage(chamber(3_600))
    stage.devices.otherwise = REFUSED
    _, shown = await stage.carry(stage.request(1, health=FAILING))
    assert (shown, len(stage.devices.calls), stage.gaps) == ([], 1, [(0, 0, "unreachable")])


@pytest.mark.parametrize(
    "error",
    [
        BlockedError("10.0.0.1:80"),
        DeviceUnauthorizedError("401"),
        MisconfiguredError("unit"),
        AnswerTooLargeError("over 65536 bytes"),
    ],
    ids=lambda error: error.reason.value,
)
def test_what_another_attempt_cannot_cure_is_a_gap_at_once(error: SlotFailedError) -> None:
    @in_jumping_time
    async def play() -> None:
        for count in (1, 3):
            stage = RoundStage(chamber(60))
            stage.devices.script.append(Answer(5, error))
            _, shown = await stage.carry(stage.request(count, health=WELL))
            assert shown == []
            assert stage.gaps == [(0, 0, error.reason.value)]
            assert stage.chamber.gaps[0].gap.detail == error.detail
            assert list(stage.serials) == list(range(1, count))

    play()


@in_jumping_time
async def test_an_attempt_that_wakes_after_the_deadline_does_not_fetch() -> None:
    stage = RoundStage(chamber(10))
    stage.devices.script.append(REFUSED)
    control = stage.control()
    control.oversleeps_ms = 30_000
    await stage.attempt(stage.request(4, health=WELL), RoundProgress(health=WELL, raised=True), control)
    assert stage.devices.times == [0, 31_005]
    assert stage.gaps == [(0, 0, "unreachable"), (1, 2, "overrun")]
    assert stage.serials == {3: 1}


@in_jumping_time
async def test_a_defect_of_the_client_costs_its_slot_is_logged_and_the_round_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = RoundStage(chamber(10))
    stage.devices.script.append(Answer(5, ZeroDivisionError("a wrong constant")))
    with caplog.at_level(logging.ERROR):
        await stage.attempt(stage.request(3, health=FAILING))
    assert stage.gaps == [(0, 0, "malformed")]
    assert stage.chamber.gaps[0].gap.detail == "defect: ZeroDivisionError"
    assert list(stage.serials) == [1, 2]
    assert [r.getMessage() for r in caplog.records] == ["defect while reading chamber incubator-3"]
    assert caplog.records[0].exc_info is not None


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

"""Slots whose fetch fails: who tries again, when, and what the gap is called in the end."""

import logging
from dataclasses import replace
from itertools import pairwise

import pytest

from collector.domain.errors import (
    AnswerTooLargeError,
    BlockedError,
    DeviceUnauthorizedError,
    DeviceUnreachableError,
    MisconfiguredError,
    SlotFailedError,
)
from collector.domain.health import Health, Status
from collector.domain.outcome import GapReason
from collector.messages import RoundProgress
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Answer, Mood
from tests.unit.round_stage import RoundStage, chamber

WELL = Health(last_reading_ms=NOON_MS - 1)
FAILING = Health(failures=3, last_reading_ms=NOON_MS - 1)
REFUSED = Answer(5, DeviceUnreachableError("connect: refused"))


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
    assert out.health == Health(1, NOON_MS - 1, "unreachable: connect: refused", NOON_MS, NOON_MS)
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


@in_jumping_time
async def test_while_a_reading_waits_a_failure_is_not_shown_but_tried_again_inside() -> None:
    """A cancel between two attempts ends the round, and what the first one told is lost."""
    stage = RoundStage(chamber(10))
    stage.store.moods.append(Mood.REFUSE)
    stage.devices.script.extend([Answer(), Answer(5, DeviceUnreachableError("reset"))])
    out = await stage.attempt(stage.request(3, health=WELL))
    assert stage.serials == {0: 1, 1: 2, 2: 3}
    assert stage.devices.times == [0, 10_000, 11_005, 20_000]
    assert out.unsaved == []

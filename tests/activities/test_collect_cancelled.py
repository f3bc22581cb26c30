"""`collect` under every kind of cancel, without Temporal, and in a process that stood still."""

import asyncio
from dataclasses import replace

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from collector.domain.errors import DeviceUnreachableError
from tests.activities.activity_stage import (
    AWAY,
    CANCEL_REQUESTED,
    NOT_FOUND,
    PAUSED,
    REFUSED,
    TIMED_OUT,
    WELL,
    WORKER_SHUTDOWN,
    ActivityStage,
    cancelled,
    opened,
    started,
)
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Answer, Mood
from tests.unit.round_stage import chamber, serial_of, unpacked

# ---- being asked to end


@in_jumping_time
async def test_a_cancel_finishes_the_slot_in_hand_and_returns_what_there_is() -> None:
    stage = await opened()
    stage.devices.otherwise = Answer(600)
    attempt = stage.begin()
    attempt.cancel_at(10_300, CANCEL_REQUESTED)
    out = await attempt.collect(stage.request(6, health=WELL))
    assert stage.clock.now_ms() == NOON_MS + 10_600
    assert (stage.serials, out.next_ms, out.stored) == ({0: 1, 1: 2}, stage.slot(2), 2)


@in_jumping_time
async def test_a_cancel_that_was_obeyed_is_taken_back() -> None:
    stage = await opened()
    stage.devices.otherwise = Answer(600)
    attempt = stage.begin()
    attempt.cancel_at(10_300, CANCEL_REQUESTED)
    work = started(attempt.collect(stage.request(6, health=WELL)))
    await stage.clock.until(NOON_MS + 10_500)
    (running,) = attempt.env._activities
    assert running.task is not None
    assert running.task.cancelling() == 0
    await work


@in_jumping_time
async def test_a_cancel_between_slots_returns_at_once() -> None:
    stage = await opened()
    attempt = stage.begin()
    attempt.cancel_at(14_000, CANCEL_REQUESTED)
    out = await attempt.collect(stage.request(6, health=WELL))
    assert (stage.clock.now_ms(), out.next_ms) == (NOON_MS + 14_000, stage.slot(2))


@in_jumping_time
async def test_a_cancel_while_the_store_refuses_brings_the_unsaved_home() -> None:
    stage = await opened()
    stage.store.otherwise = Mood.REFUSE
    attempt = stage.begin()
    attempt.cancel_at(10_010, CANCEL_REQUESTED)
    out = await attempt.collect(stage.request(6, health=WELL))
    assert [serial_of(o) for o in unpacked(out.unsaved)] == [1, 2]
    assert out.next_ms == stage.slot(2)


@in_jumping_time
async def test_a_cancel_that_a_hurried_heartbeat_hears_ends_the_round_too() -> None:
    stage = await opened()
    stage.store.otherwise = Mood.REFUSE
    stage.server.errors.append(cancelled(CANCEL_REQUESTED))
    out = await stage.begin().collect(stage.request(6, health=WELL))
    assert (out.next_ms, len(out.unsaved)) == (stage.slot(1), 1)


@in_jumping_time
async def test_a_round_that_another_attempt_owns_by_now_ends() -> None:
    stage = await opened()
    stage.store.otherwise = Mood.REFUSE
    stage.server.errors.append(NOT_FOUND)
    out = await stage.begin().collect(stage.request(6, health=WELL))
    assert out.next_ms == stage.slot(1)


@in_jumping_time
async def test_a_cancel_while_the_slot_fails_is_answered_not_failed() -> None:
    stage = await opened(60)
    stage.devices.otherwise = Answer(600, DeviceUnreachableError("reset"))
    attempt = stage.begin(heartbeat_s=0)
    attempt.cancel_at(300, CANCEL_REQUESTED)
    out = await attempt.collect(stage.request(1, health=WELL))
    assert (out.next_ms, stage.gaps) == (stage.slot(0), [])


@in_jumping_time
async def test_a_worker_that_shuts_down_hands_the_round_back() -> None:
    stage = await opened()
    stage.devices.otherwise = Answer(600)
    attempt = stage.begin()
    attempt.shut_down_at(10_300)
    out = await attempt.collect(stage.request(6, health=WELL))
    assert NOON_MS + 11_300 <= stage.clock.now_ms() <= NOON_MS + 11_340, "once its polls are closed"
    assert (stage.serials, out.next_ms) == ({0: 1, 1: 2}, stage.slot(2))


@in_jumping_time
async def test_a_worker_that_shuts_down_goes_on_until_its_polls_are_closed() -> None:
    stage = await opened(1)
    attempt = stage.begin()
    attempt.shut_down_at(2_900)
    out = await attempt.collect(stage.request(60, health=WELL))
    assert sorted(stage.serials) == [0, 1, 2, 3]
    assert out.next_ms == stage.slot(4)


@in_jumping_time
async def test_a_worker_whose_grace_is_over_drops_the_slot_in_hand() -> None:
    stage = await opened(60)
    stage.devices.otherwise = Answer(1_900)
    attempt = stage.begin()
    attempt.cancel_at(1_000, WORKER_SHUTDOWN)
    with pytest.raises(asyncio.CancelledError):
        await attempt.collect(stage.request(3, health=WELL))
    assert stage.clock.now_ms() == NOON_MS + 1_000
    assert stage.store.saves == []


@in_jumping_time
async def test_a_native_pause_finishes_the_slot_tells_it_and_raises_again() -> None:
    stage = await opened()
    stage.devices.otherwise = Answer(600)
    attempt = stage.begin()
    attempt.cancel_at(10_300, PAUSED)
    with pytest.raises(asyncio.CancelledError):
        await attempt.collect(stage.request(6, health=WELL))
    assert stage.serials == {0: 1, 1: 2}
    assert attempt.beats[-1][1].next_index == 2


@in_jumping_time
async def test_a_native_pause_in_a_refused_last_slot_loses_nothing() -> None:
    stage = await opened()
    stage.store.otherwise = Mood.REFUSE
    attempt = stage.begin()
    attempt.cancel_at(10_010, PAUSED)
    with pytest.raises(asyncio.CancelledError):
        await attempt.collect(stage.request(2, health=WELL))
    told = attempt.beats[-1][1]
    assert (told.next_index, len(told.unsaved)) == (2, 2)


@in_jumping_time
async def test_a_native_pause_that_a_hurried_heartbeat_hears_first_does_not_end_the_round_with_an_answer() -> None:
    stage = await opened()
    stage.store.otherwise = Mood.REFUSE
    stage.server.errors.append(cancelled(PAUSED))
    attempt = stage.begin()
    attempt.cancel_at(4_000, PAUSED)
    with pytest.raises(asyncio.CancelledError):
        await attempt.collect(stage.request(3, health=WELL))
    assert stage.devices.times == [0]


# ---- Temporal away


@in_jumping_time
async def test_a_round_that_the_sdk_gave_up_goes_on_to_its_end_and_asks_the_server() -> None:
    stage = await opened()
    stage.server.always = AWAY
    attempt = stage.begin()
    attempt.cancel_at(13_000, TIMED_OUT)
    out = await attempt.collect(stage.request(6, health=WELL))
    assert (list(stage.serials), out.next_ms) == ([0, 1, 2, 3, 4, 5], stage.slot(6))
    assert len(stage.server.heard) == 37  # once a second, from 13 s to 50 s
    progress = stage.server.heard[-1][1]
    assert progress is not None
    assert progress.next_index == 5


@in_jumping_time
async def test_alone_it_ends_when_the_server_says_that_another_attempt_owns_the_round() -> None:
    stage = await opened()
    stage.server.errors.extend([AWAY] * 10)
    stage.server.always = NOT_FOUND
    attempt = stage.begin()
    attempt.cancel_at(13_000, TIMED_OUT)
    out = await attempt.collect(stage.request(6, health=WELL))
    assert 23_000 < stage.clock.now_ms() - NOON_MS < 24_000
    assert (list(stage.serials), out.next_ms) == ([0, 1, 2], stage.slot(3))


@in_jumping_time
async def test_alone_it_ends_when_the_server_passes_a_cancel_on() -> None:
    stage = await opened()
    stage.server.errors.extend([AWAY, AWAY, cancelled(CANCEL_REQUESTED)])
    attempt = stage.begin()
    attempt.cancel_at(13_000, TIMED_OUT)
    out = await attempt.collect(stage.request(6, health=WELL))
    assert out.next_ms == stage.slot(2)


@in_jumping_time
async def test_alone_a_failing_fetch_is_tried_again_here_because_nobody_else_would() -> None:
    stage = await opened()
    stage.server.always = AWAY
    stage.devices.script.extend([Answer(), Answer(), REFUSED])
    attempt = stage.begin()
    attempt.cancel_at(13_000, TIMED_OUT)
    out = await attempt.collect(stage.request(6, health=WELL))
    assert stage.devices.times == [0, 10_000, 20_000, 21_005, 30_000, 40_000, 50_000]
    assert (list(stage.serials), out.next_ms) == ([0, 1, 2, 3, 4, 5], stage.slot(6))


@in_jumping_time
async def test_alone_a_second_cancel_ends_it() -> None:
    stage = await opened()
    stage.server.always = AWAY
    attempt = stage.begin()
    attempt.cancel_at(13_000, TIMED_OUT)
    attempt.cancel_again_at(25_000)
    with pytest.raises(asyncio.CancelledError):
        await attempt.collect(stage.request(6, health=WELL))
    assert stage.clock.now_ms() == NOON_MS + 25_000


# ---- a process that stood still


@in_jumping_time
async def test_a_process_that_stood_still_for_so_long_that_it_was_taken_for_dead_stores_nothing_more() -> None:
    stage = await opened()
    stage.devices.otherwise = Answer(600)
    stage.clock.later(10_300, lambda: stage.clock.stand_still(15_000))
    attempt = stage.begin(heartbeat_s=60)
    with pytest.raises(ApplicationError) as caught:
        await attempt.collect(stage.request(30, health=WELL))
    assert (caught.value.type, caught.value.category) == ("FrozenError", ApplicationErrorCategory.BENIGN)
    assert not caught.value.non_retryable
    assert "10000 ms" in caught.value.message
    assert len(stage.store.saves) == 1


@in_jumping_time
async def test_a_frozen_process_stores_nothing_even_when_its_time_out_is_heard_first() -> None:
    stage = await opened()
    stage.devices.otherwise = Answer(600)
    attempt = stage.begin(heartbeat_s=60)

    def thaw() -> None:
        stage.clock.stand_still(75_000)
        attempt.env.cancel(TIMED_OUT)

    stage.clock.later(10_300, thaw)
    with pytest.raises((ApplicationError, asyncio.CancelledError)):
        await attempt.collect(stage.request(30, health=WELL))
    assert len(stage.store.saves) == 1
    assert stage.gaps == []


@in_jumping_time
async def test_a_process_that_knows_that_it_stood_still_does_not_go_on_alone() -> None:
    stage = ActivityStage(chamber(60, timeout_ms=50_000))
    await stage.enrol()
    stage.devices.otherwise = Answer(40_000)
    attempt = stage.begin(heartbeat_s=10)
    stage.clock.later(5_000, lambda: stage.clock.stand_still(15_000))
    attempt.cancel_at(20_100, TIMED_OUT)
    with pytest.raises(asyncio.CancelledError):
        await attempt.collect(stage.request(3, health=WELL))
    assert stage.clock.now_ms() == NOON_MS + 20_100
    assert (stage.server.heard, stage.store.saves) == ([], [])


@in_jumping_time
async def test_a_shorter_pause_of_the_process_costs_only_its_slots() -> None:
    stage = await opened(3)
    stage.clock.later(3_300, lambda: stage.clock.stand_still(9_500))
    out = await stage.begin(heartbeat_s=60).collect(stage.request(6, health=WELL))
    assert stage.gaps == [(2, 3, "overrun")]
    assert (list(stage.serials), out.next_ms) == ([0, 1, 4, 5], stage.slot(6))


@in_jumping_time
async def test_a_worker_with_many_rounds_hands_them_back_little_by_little() -> None:
    stage = await opened(60)
    others = [replace(chamber(60), id=f"other-{number}") for number in range(100)]
    attempts = [stage.begin(heartbeat_s=0) for _ in others]
    running = []
    for other, attempt in zip(others, attempts, strict=True):
        attempt.shut_down_at(1_000)
        request = replace(stage.request(1, first=1, health=WELL), spec=other)
        running.append(asyncio.create_task(attempt.collect(request)))
    ended = []
    for task in running:
        task.add_done_callback(lambda _: ended.append(stage.clock.now_ms() - NOON_MS))
    await asyncio.wait(running)
    assert min(ended) >= 2_000
    assert max(ended) <= 6_100
    for second in range(2, 6):
        assert 10 <= sum(second * 1_000 <= at < (second + 1) * 1_000 for at in ended) <= 40

"""`collect` in Temporal's hands: heartbeats, failures that are shown, attempts that take over."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities import failures
from collector.domain.errors import BlockedError, DeviceUnreachableError
from collector.domain.outcome import Gap, GapReason, Reading
from collector.messages import RoundProgress
from collector.packing import pack
from tests.activities.activity_stage import AWAY, NOT_FOUND, REFUSED, TIMED_OUT, WELL, ActivityStage, opened, started
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Answer, Mood
from tests.unit.round_stage import chamber
from workflows.policies import FAILOVER

# ---- an undisturbed round


@in_jumping_time
async def test_a_round_of_many_slots_tells_its_progress_in_regular_heartbeats() -> None:
    stage = await opened()
    attempt = stage.begin(heartbeat_s=60)
    out = await attempt.collect(stage.request(6, health=WELL))
    assert (out.next_ms, out.stored) == (stage.slot(6), 6)
    assert [at for at, _ in attempt.beats] == [20_000, 40_000]
    assert [told.next_index for _, told in attempt.beats] == [2, 4]
    assert stage.server.heard == []


@in_jumping_time
async def test_a_round_of_one_slot_sends_no_heartbeat() -> None:
    stage = await opened(60)
    attempt = stage.begin(heartbeat_s=0)
    await attempt.collect(stage.request(1, first=1))
    assert attempt.beats == []
    assert stage.serials == {1: 1}


@in_jumping_time
async def test_what_the_store_refused_reaches_the_server_before_the_next_slot() -> None:
    stage = await opened()
    stage.store.otherwise = Mood.REFUSE
    attempt = stage.begin()
    out = await attempt.collect(stage.request(3, health=WELL))
    assert [(at, told.next_index if told else None) for at, told in stage.server.heard] == [(25, 1), (10_025, 2)]
    assert stage.server.tokens == {b"attempt 1"}
    assert len(out.unsaved) == 3


@in_jumping_time
async def test_a_server_that_hangs_delays_no_slot_by_more_than_two_seconds(caplog: pytest.LogCaptureFixture) -> None:
    stage = await opened(3)
    stage.store.otherwise = Mood.REFUSE
    stage.server.takes_s = 3_600
    out = await stage.begin().collect(stage.request(4, health=WELL))
    assert stage.devices.times == [0, 3_000, 6_000, 9_000]
    assert len(out.unsaved) == 4
    assert {r.getMessage() for r in caplog.records} == {
        "progress of a round is not in Temporal yet: it does not answer"
    }


@in_jumping_time
async def test_both_servers_away_cost_the_fastest_chamber_one_slot_and_the_rest_is_told_when_one_is_back() -> None:
    stage = await opened(1)
    stage.store.otherwise = Mood.REFUSE
    stage.server.takes_s = 3_600
    stage.clock.later(8_500, lambda: setattr(stage.server, "takes_s", 0.005))
    out = await stage.begin().collect(stage.request(14, health=WELL))
    asked = [at // 1_000 for at in stage.devices.times]
    assert [slot for slot in range(14) if slot not in asked] == [1]
    assert stage.server.heard, "told beside the slots as soon as it answers"
    assert stage.server.heard[0][0] < 12_000
    assert len(stage.server.heard) >= 2, "and from then on before each slot again"
    assert len(out.unsaved) == 14


@in_jumping_time
async def test_a_server_that_is_away_does_not_end_the_round() -> None:
    stage = await opened()
    stage.store.otherwise = Mood.REFUSE
    stage.server.always = AWAY
    out = await stage.begin().collect(stage.request(3, health=WELL))
    assert (len(out.unsaved), out.next_ms) == (3, stage.slot(3))


# ---- attempts


@in_jumping_time
async def test_a_failing_fetch_is_shown_as_a_benign_failure_with_its_own_delay() -> None:
    stage = await opened(60)
    stage.devices.otherwise = Answer(5, DeviceUnreachableError("x" * 5_000))
    attempt = stage.begin(number=3, heartbeat_s=0)
    with pytest.raises(ApplicationError) as caught:
        await attempt.collect(stage.request(1, health=WELL))
    error = caught.value
    assert error.category is ApplicationErrorCategory.BENIGN
    assert error.next_retry_delay == timedelta(seconds=20)
    assert (error.type, error.non_retryable) == ("DeviceUnreachableError", False)
    assert error.message.startswith("unreachable: xxx")
    assert len(error.message) == failures.MESSAGE_LIMIT
    assert error.__cause__ is None
    assert error.__suppress_context__
    (_, told), *_ = attempt.beats
    assert told.failure[0] == "unreachable"


@in_jumping_time
async def test_the_next_attempt_goes_on_from_what_the_failed_one_told() -> None:
    stage = await opened()
    stage.devices.script.extend([Answer(), REFUSED])
    first = stage.begin()
    with pytest.raises(ApplicationError):
        await first.collect(stage.request(3, health=WELL))
    told = first.beats[-1][1]
    assert (told.next_index, told.raised) == (1, True)
    as_json = {"next_index": 1, "unsaved": [], "health": {"failures": 0}, "failure": told.failure, "raised": True}
    stage.devices.script.append(REFUSED)
    out = await stage.begin(number=2, details=[as_json]).collect(stage.request(3, health=WELL))
    assert stage.devices.times == [0, 10_000, 10_005, 11_010, 20_000]
    assert (list(stage.serials), out.next_ms) == ([0, 1, 2], stage.slot(3))


@in_jumping_time
async def test_an_attempt_after_a_killed_worker_keeps_what_was_refused() -> None:
    stage = await opened()
    await stage.clock.until(stage.slot(2) + 400)
    waiting = Reading(stage.slot(0), stage.slot(0), stage.slot(0) + 9, (), 1)
    gone = Gap(stage.slot(1), stage.slot(1), GapReason.BLOCKED)
    details = [{"next_index": 2, "unsaved": [pack(waiting), pack(gone)], "health": {"last_reading_ms": 1}}]
    out = await stage.begin(number=2, details=details).collect(stage.request(4, health=WELL))
    assert sorted(stage.chamber.readings) == [stage.slot(0), stage.slot(2), stage.slot(3)]
    assert stage.gaps == [(1, 1, "blocked")]
    assert out.unsaved == []


# ---- two attempts in one process


@in_jumping_time
async def test_a_new_attempt_takes_over_from_the_old_one_in_its_process_with_its_progress() -> None:
    stage = await opened()
    stage.store.moods.extend([Mood.TAKE, Mood.REFUSE, Mood.REFUSE])
    stage.store.lookup = Mood.REFUSE
    stage.server.always = AWAY
    stage.devices.otherwise = Answer(600)
    old, request = stage.begin(), stage.request(6, health=WELL)
    old.cancel_at(12_000, TIMED_OUT)
    alone = started(old.collect(request))
    await stage.clock.until(NOON_MS + 20_300)
    new = stage.begin(number=2, details=[{"next_index": 1, "unsaved": []}])
    out = await new.collect(request)
    assert stage.serials == {0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6}
    assert stage.gaps == []
    assert (await alone).next_ms == stage.slot(3)
    assert (out.next_ms, len(stage.devices.calls)) == (stage.slot(6), 6)


@in_jumping_time
async def test_an_old_attempt_of_another_round_ends_first_and_lends_no_progress() -> None:
    stage = await opened()
    stage.server.always = AWAY
    old = stage.begin()
    old.cancel_at(5_000, TIMED_OUT)
    alone = started(old.collect(stage.request(6, health=WELL)))
    await stage.clock.until(NOON_MS + 12_000)
    out = await stage.begin().collect(stage.request(2, first=2, health=WELL))
    assert (await alone).next_ms == stage.slot(2)
    assert (list(stage.serials), out.next_ms) == ([0, 1, 2, 3], stage.slot(4))


@in_jumping_time
async def test_the_server_may_know_more_than_the_old_attempt() -> None:
    stage = await opened()
    old, request = stage.begin(), stage.request(6, health=WELL)
    alone = started(old.collect(request))
    await stage.clock.until(NOON_MS + 12_000)
    new = stage.begin(number=2, details=[{"next_index": 4}])
    out = await new.collect(request)
    assert out.next_ms == stage.slot(6)
    await alone
    assert list(stage.serials) == [0, 1, 4, 5]


@in_jumping_time
async def test_two_chambers_of_a_process_do_not_end_each_other() -> None:
    stage = await opened()
    request = stage.request(2, health=WELL)
    stage.spec = chamber(10, id="cold-room")
    await stage.enrol()
    both = await asyncio.gather(stage.begin().collect(request), stage.begin().collect(stage.request(2, health=WELL)))
    assert [out.stored for out in both] == [2, 2]


@in_jumping_time
async def test_rounds_of_two_processes_overlap_and_store_one_row_a_slot() -> None:
    stage = await opened()
    request = stage.request(4, health=WELL)
    elsewhere = ActivityStage(stage.spec)
    elsewhere.activities = stage.process()
    first, second = stage.begin(), stage.begin(number=2)
    await asyncio.gather(first.collect(request), second.env.run(elsewhere.activities.collect, request))
    assert list(stage.serials) == [0, 1, 2, 3]
    assert len(stage.devices.calls) == 8


@in_jumping_time
async def test_an_attempt_whose_reading_is_there_already_asks_whose_the_round_is() -> None:
    """Both read a slot or two; the one whose round it is not any more ends with the first one that it stored second."""
    stage = await opened()
    request = stage.request(6, health=WELL)
    elsewhere = ActivityStage(stage.spec)
    elsewhere.activities = stage.process()
    elsewhere.server.always = NOT_FOUND
    first, second = elsewhere.begin(), stage.begin(number=2)
    stage.devices.script.extend([Answer(9), Answer(5)])
    superseded = started(second.collect(request))
    await asyncio.sleep(0)
    old = await first.env.run(elsewhere.activities.collect, request)
    out = await superseded
    assert old.next_ms == stage.slot(1)
    assert out.next_ms == stage.slot(6)
    assert sorted(stage.serials) == [0, 1, 2, 3, 4, 5]
    assert len(stage.devices.calls) == 7


@in_jumping_time
async def test_a_non_retryable_failure_of_the_device_never_fails_the_activity() -> None:
    stage = await opened(60)
    stage.devices.otherwise = Answer(5, BlockedError("10.0.0.1:80"))
    out = await stage.begin(heartbeat_s=0).collect(stage.request(1, health=WELL))
    assert (out.next_ms, stage.gaps) == (stage.slot(1), [(0, 0, "blocked")])


@in_jumping_time
async def test_progress_is_a_frozen_snapshot() -> None:
    stage = await opened()
    attempt = stage.begin()
    await attempt.collect(stage.request(6, health=WELL))
    told = [progress for _, progress in attempt.beats if progress is not None]
    assert all(isinstance(progress, RoundProgress) for progress in told)
    assert [progress.next_index for progress in told] == [2, 4]


# ---- what the process does for all of its rounds


@in_jumping_time
async def test_a_process_knows_which_chambers_it_carries() -> None:
    stage = await opened()
    running = started(stage.begin().collect(stage.request(3, health=WELL)))
    await stage.clock.until(NOON_MS + 1_000)
    assert stage.activities.carries(stage.spec.id)
    assert not stage.activities.carries("another")
    await running
    assert not stage.activities.carries(stage.spec.id)


@in_jumping_time
async def test_after_a_silence_each_round_asks_once_and_goes_on_where_it_is_still_its_own() -> None:
    stage = await opened()
    running = started(stage.begin().collect(stage.request(3, health=WELL)))
    await stage.clock.until(NOON_MS + 3_000)
    await stage.activities.ask_for_all()
    out = await running
    assert [at for at, _ in stage.server.heard] == [3_005]
    assert out.next_ms == stage.slot(3)


@in_jumping_time
async def test_after_a_silence_a_round_that_another_process_owns_by_now_ends() -> None:
    stage = await opened()
    stage.server.errors.append(NOT_FOUND)
    running = started(stage.begin().collect(stage.request(6, health=WELL)))
    await stage.clock.until(NOON_MS + 13_000)
    await stage.activities.ask_for_all()
    out = await running
    assert out.next_ms == stage.slot(2)


@in_jumping_time
async def test_where_nothing_depends_on_heartbeats_a_default_round_sends_none() -> None:
    stage = await opened()
    stage.activities.beat_each(None)
    attempt = stage.begin(heartbeat_s=FAILOVER.total_seconds())
    await attempt.collect(stage.request(30, health=WELL))
    assert attempt.beats == []

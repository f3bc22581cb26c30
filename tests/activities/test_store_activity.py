"""`store` and `collect_adhoc` in Temporal's hands."""

import asyncio

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.collection import STORE_BEAT_S
from activities.failures import MESSAGE_LIMIT, attempt_failed, benign
from collector.domain.errors import DeviceUnreachableError, FrozenError, StoreRefusedError
from collector.domain.outcome import Gap, GapReason
from collector.messages import AdhocRequest, RoundProgress, StoreRequest
from collector.packing import pack
from collector.usecases.collect import TryAgainError
from tests.activities.activity_stage import CANCEL_REQUESTED, WORKER_SHUTDOWN, ActivityStage, started
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Mood
from workflows.policies import store_policy


class Room(ActivityStage):
    """A chamber with one missed run that waits."""

    @property
    def waiting(self) -> StoreRequest:
        gap = Gap(self.slot(0), self.slot(2), GapReason.MISSED)
        return StoreRequest(self.spec.id, [pack(gap)], self.slot(2), "default")


@in_jumping_time
async def test_it_stores_what_waited_without_a_heartbeat_when_the_store_is_there() -> None:
    room = Room()
    await room.enrol()
    attempt = room.begin()
    out = await attempt.store(room.waiting)
    assert (room.gaps, out.lost_changes, attempt.beats) == ([(0, 2, "missed")], [], [])
    assert room.chamber.settled_ms == room.slot(2)


@in_jumping_time
async def test_it_waits_for_the_store_with_signs_of_life() -> None:
    room = Room()
    await room.enrol()
    room.ledger.away = True
    attempt = room.begin()
    work = started(attempt.store(room.waiting))
    await asyncio.sleep(605)
    assert [at for at, _ in attempt.beats] == [20_000 * n for n in range(1, 31)]
    assert {told for _, told in attempt.beats} == {"alive"}
    room.ledger.away = False
    await work
    assert room.clock.now_ms() == NOON_MS + 605_000
    assert room.gaps == [(0, 2, "missed")]


def test_its_signs_of_life_come_well_within_the_heartbeat_time_out() -> None:
    assert store_policy()["heartbeat_timeout"].total_seconds() >= 3 * STORE_BEAT_S


@pytest.mark.parametrize("why", [CANCEL_REQUESTED, WORKER_SHUTDOWN], ids=["cancel", "shutdown"])
def test_a_cancel_ends_the_waiting_and_leaves_nothing_behind(why: ActivityCancellationDetails) -> None:
    @in_jumping_time
    async def play() -> None:
        room = Room()
        await room.enrol()
        room.ledger.away = True
        attempt = room.begin()
        attempt.cancel_at(31_000, why)
        with pytest.raises(asyncio.CancelledError):
            await attempt.store(room.waiting)
        assert room.clock.now_ms() == NOON_MS + 31_000
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert room.gaps == []

    play()


@in_jumping_time
async def test_a_store_that_answers_and_refuses_is_a_benign_failure() -> None:
    room = Room()
    await room.enrol()
    room.store.otherwise = Mood.REFUSE
    with pytest.raises(ApplicationError) as caught:
        await room.begin().store(room.waiting)
    error = caught.value
    assert (error.type, error.category) == ("StoreRefusedError", ApplicationErrorCategory.BENIGN)
    assert (error.message, error.non_retryable, error.next_retry_delay) == ("the store is away", False, None)
    assert error.__suppress_context__


@in_jumping_time
async def test_collect_now_is_answered_by_the_use_case() -> None:
    room = Room()
    await room.enrol()
    out = await room.begin().env.run(room.activities.collect_adhoc, AdhocRequest(room.spec, "update-1"))
    assert out.stored
    assert len(room.store.kept.adhoc_readings(room.spec.id)) == 1


def test_messages_are_short_whatever_the_error_says() -> None:
    for error in (
        benign(StoreRefusedError("x" * 10_000)),
        benign(FrozenError("x" * 10_000)),
        attempt_failed(TryAgainError(DeviceUnreachableError("x" * 10_000), 1_000, RoundProgress())),
    ):
        assert len(error.message) == MESSAGE_LIMIT
        assert error.category is ApplicationErrorCategory.BENIGN
        assert not error.non_retryable
        assert not error.details

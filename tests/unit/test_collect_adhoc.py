"""Collect now: a failure is an answer, a store that is away too, and the grid does not notice."""

import pytest

from collector.domain.errors import DeviceUnreachableError
from collector.domain.outcome import Gap, GapReason
from collector.messages import AdhocRequest
from collector.packing import unpack
from collector.usecases.collect_adhoc import CollectAdhoc
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Answer, Mood
from tests.unit.round_stage import RoundStage, chamber, serial_of

MOMENT_MS = NOON_MS + 1_234


class Room:
    """`CollectAdhoc` beside a stage, shortly after noon."""

    def __init__(self) -> None:
        self.stage = RoundStage(chamber(60))
        self.collect = CollectAdhoc(self.stage.fetch, self.stage.store, self.stage.clock)

    async def open(self) -> None:
        await self.stage.enrol()
        await self.stage.clock.until(MOMENT_MS)

    def request(self, request_id: str = "update-1") -> AdhocRequest:
        return AdhocRequest(self.stage.spec, request_id)


@in_jumping_time
async def test_it_reads_at_this_instant_and_stores_beside_the_grid() -> None:
    room = Room()
    await room.open()
    out = await room.collect(room.request())
    assert out.stored
    (kept,) = room.stage.store.kept.adhoc_readings("incubator-3")
    assert unpack(out.outcome) == kept.reading
    assert (kept.reading.slot_ms, kept.adhoc) == (MOMENT_MS, True)
    assert room.stage.devices.calls[0].request.budget_ms == room.stage.spec.timeout_ms
    assert (room.stage.chamber.readings, room.stage.chamber.settled_ms) == ({}, NOON_MS - 1)


@in_jumping_time
async def test_a_failed_fetch_is_an_answer() -> None:
    room = Room()
    await room.open()
    room.stage.devices.script.append(Answer(5, DeviceUnreachableError("refused")))
    out = await room.collect(room.request())
    assert not out.stored
    assert unpack(out.outcome) == Gap(MOMENT_MS, MOMENT_MS, GapReason.UNREACHABLE, "refused")
    assert room.stage.store.kept.adhoc_readings("incubator-3") == ()
    assert room.stage.gaps == []


@pytest.mark.parametrize(("mood", "took_ms"), [(Mood.REFUSE, 20), (Mood.HANG, 5_020)])
def test_a_reading_that_the_store_does_not_take_is_answered_all_the_same(mood: Mood, took_ms: int) -> None:
    @in_jumping_time
    async def play() -> None:
        room = Room()
        await room.open()
        room.stage.store.moods.append(mood)
        out = await room.collect(room.request())
        assert (out.stored, serial_of(unpack(out.outcome))) == (False, 1)
        assert room.stage.clock.now_ms() == MOMENT_MS + took_ms

    play()


@in_jumping_time
async def test_the_same_request_twice_is_one_stored_reading() -> None:
    room = Room()
    await room.open()
    await room.collect(room.request())
    again = await room.collect(room.request())
    assert again.stored
    (kept,) = room.stage.store.kept.adhoc_readings("incubator-3")
    assert serial_of(kept.reading) == 1
    await room.collect(room.request("update-2"))
    assert len(room.stage.store.kept.adhoc_readings("incubator-3")) == 2

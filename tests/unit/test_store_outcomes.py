"""Storing what waited in a workflow: it waits for the store, and twice is once."""

import asyncio
from dataclasses import replace

import pytest

from collector.domain.errors import StoreRefusedError
from collector.domain.outcome import Change, Gap, GapReason, Measurement, Outcome, PauseEnd, Reading
from collector.messages import StoreRequest
from collector.packing import pack
from collector.ports import Origin
from collector.usecases.store import StoreOutcomes
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Mood
from tests.unit.round_stage import RoundStage


def reading(slot_ms: int, serial: int) -> Reading:
    measurements = (Measurement("temperature", 21.5, "Cel"), Measurement("serial", serial, "1"))
    return Reading(slot_ms, slot_ms, slot_ms + 20, measurements, 1)


class Room:
    """`StoreOutcomes` beside a stage whose chamber is enrolled."""

    def __init__(self) -> None:
        self.stage = RoundStage()
        self.store = StoreOutcomes(self.stage.store, self.stage.live, self.stage.metrics, self.stage.signals)
        self.outcomes: list[Outcome] = [
            reading(self.stage.slot(0), 1),
            Gap(self.stage.slot(1), self.stage.slot(3), GapReason.MISSED),
            reading(self.stage.slot(4), 2),
        ]
        self.stage.metrics.waiting = 2

    def request(self) -> StoreRequest:
        rows = [pack(outcome) for outcome in self.outcomes]
        interval_ms = self.stage.slot(1) - self.stage.slot(0)
        return StoreRequest("incubator-3", rows, self.stage.slot(4), "default", interval_ms, "cold")

    def check_all_is_there(self) -> None:
        assert self.stage.serials == {0: 1, 4: 2}
        assert self.stage.gaps == [(1, 3, "missed")]
        assert self.stage.chamber.settled_ms == self.stage.slot(4)


@in_jumping_time
async def test_a_portion_is_stored_in_one_save_in_its_order() -> None:
    room = Room()
    await room.stage.enrol()
    out = await room.store(room.request())
    (batch,) = room.stage.store.saves
    assert list(batch.outcomes) == room.outcomes
    assert (batch.chamber_id, batch.settled_through_ms) == ("incubator-3", room.stage.slot(4))
    room.check_all_is_there()
    assert out.lost_changes == []
    assert room.stage.metrics.waiting == 0
    assert room.stage.metrics.organizations == {"default"}
    assert room.stage.metrics.gaps == {GapReason.MISSED: 3}, "slots that nobody tried are counted when they are stored"


@in_jumping_time
async def test_what_waited_is_told_to_those_who_watch_once_it_is_stored() -> None:
    room = Room()
    await room.stage.enrol()
    room.outcomes.append(PauseEnd(room.stage.slot(1), room.stage.slot(1)))
    room.stage.ledger.away = True
    work = asyncio.create_task(room.store(room.request()))
    await asyncio.sleep(60)
    assert room.stage.live.published == []
    room.stage.ledger.away = False
    await work
    origin = Origin("default", "cold", "incubator-3")
    assert room.stage.live.published == [(origin, outcome) for outcome in room.outcomes[:3]]


@in_jumping_time
async def test_storing_a_portion_again_changes_nothing() -> None:
    room = Room()
    await room.stage.enrol()
    await room.store(room.request())
    await room.store(room.request())
    room.check_all_is_there()


@in_jumping_time
async def test_it_waits_for_a_store_that_is_away() -> None:
    room = Room()
    await room.stage.enrol()
    room.stage.ledger.away = True
    work = asyncio.create_task(room.store(room.request()))
    await asyncio.sleep(3_600)
    assert not work.done()
    assert room.stage.metrics.waiting == 2
    room.stage.ledger.away = False
    await work
    room.check_all_is_there()
    assert room.stage.metrics.waiting == 0


@in_jumping_time
async def test_a_store_that_answers_and_refuses_is_an_error_and_the_count_stays() -> None:
    room = Room()
    await room.stage.enrol()
    room.stage.store.otherwise = Mood.REFUSE
    with pytest.raises(StoreRefusedError):
        await room.store(room.request())
    assert len(room.stage.store.saves) == 2
    assert room.stage.metrics.waiting == 2


@in_jumping_time
async def test_changes_that_lost_are_told_in_a_sentence() -> None:
    room = Room()
    await room.stage.enrol()
    room.stage.chamber.spec = replace(room.stage.spec, version=5)
    room.outcomes = [Change(1, "set_interval", by="signal", interval_ms=30_000)]
    out = await room.store(room.request())
    assert len(out.lost_changes) == 1
    assert "set_interval" in out.lost_changes[0]
    assert room.stage.chamber.spec.interval_ms == 10_000


@in_jumping_time
async def test_an_outcome_of_a_newer_worker_is_not_dropped_silently() -> None:
    room = Room()
    await room.stage.enrol()
    request = replace(room.request(), outcomes=[{"kind": "hologram", "slot": NOON_MS}])
    with pytest.raises(ValueError, match="hologram"):
        await room.store(request)
    assert room.stage.store.saves == []


@in_jumping_time
async def test_while_it_waits_for_the_store_the_oldest_reading_is_held() -> None:
    room = Room()
    await room.stage.enrol()
    room.stage.store.moods.append(Mood.REFUSE)
    await room.store(room.request())
    assert room.stage.metrics.held_at_all == [room.stage.slot(0) + 20]
    assert room.stage.metrics.holding == {}


@in_jumping_time
async def test_a_store_that_refuses_again_lets_go_as_well() -> None:
    room = Room()
    await room.stage.enrol()
    room.stage.store.otherwise = Mood.REFUSE
    with pytest.raises(StoreRefusedError):
        await room.store(room.request())
    assert len(room.stage.metrics.held_at_all) == 1
    assert room.stage.metrics.holding == {}

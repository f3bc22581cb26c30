"""What a chamber remembers goes through a round, its heartbeats and its retries."""

import json
from typing import Any

import pytest

from adapters.secrets import FileAndEnvSecrets
from collector.domain.egress import EgressPolicies
from collector.domain.errors import DeviceTimeoutError
from collector.domain.health import Health
from collector.domain.memory import Memory
from collector.domain.outcome import Gap, GapReason, Quality, Reading
from collector.mapping.profile import Profile
from collector.messages import AdhocRequest, RoundProgress, RoundRequest
from collector.packing import unpack
from collector.ports import SaveBatch
from collector.usecases.collect import CollectRound
from collector.usecases.collect_adhoc import CollectAdhoc
from collector.usecases.fetch import FetchReading
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Answer, Mood
from tests.unit.round_stage import RoundStage, chamber
from tests.unit.test_fetch_reading import OneProfile

RULES = Profile.model_validate(
    {
        "name": "own",
        "serial_number": "sn",
        "time": {"select": "d", "format": "iso"},
        "measurements": [
            {"name": "t", "select": "t", "unit": "C", "rate": {"change": 2, "within_s": 10}},
            {"name": "serial", "select": "n", "unit": "1", "diagnostic": True},
        ],
    }
)
TOOK_MS = 20


def says(t: float, **more: Any) -> Answer:
    return Answer(TOOK_MS, body=json.dumps({"t": t, "n": 1, "sn": "A", **more}).encode())


class MemoryStage(RoundStage):
    """A stage whose profile remembers; slots are 10 s apart."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(chamber(profile="own", **changes))
        self.fetch = FetchReading(self.devices, OneProfile(RULES), FileAndEnvSecrets({}), EgressPolicies(), self.clock)
        self.collect = CollectRound(self.fetch, self.store, self.latest, self.live, self.metrics)

    def request(self, count: int, first: int = 0, **changes: Any) -> RoundRequest:
        """A round of a chamber that collects."""
        return super().request(count, first, **{"health": Health(last_reading_ms=self.slot(first - 1)), **changes})

    def good(self, index: int, t: float) -> Memory:
        """What a good reading of that slot leaves."""
        at_ms = self.slot(index) + TOOK_MS
        return Memory(1, "A", values={"t": [t, at_ms, None, None]}, at_ms=at_ms)

    @property
    def qualities(self) -> dict[int, str]:
        """Index of each slot that has a reading -> quality of its temperature."""
        kept = sorted(self.chamber.readings.items())
        return {self.index(slot): one.reading.measurements[0].quality.value for slot, one in kept}


@in_jumping_time
async def test_a_round_hands_on_what_its_last_good_reading_left() -> None:
    stage = MemoryStage()
    stage.devices.script.extend([says(20), says(21), says(70), says(22)])
    control = stage.control()
    out = await stage.attempt(stage.request(4), control=control)
    assert stage.qualities == {0: "good", 1: "good", 2: "suspect", 3: "good"}
    assert out.memory == stage.good(3, 22)
    assert [beat.memory for beat in control.beats][:2] == [stage.good(0, 20), stage.good(1, 21)]
    assert control.beats[2].memory is not None
    assert control.beats[2].memory.values == stage.good(1, 21).values


@in_jumping_time
async def test_the_request_says_what_the_first_slot_is_judged_by() -> None:
    stage = MemoryStage()
    stage.devices.script.extend([says(70)])
    out = await stage.attempt(stage.request(1, memory=stage.good(-1, 20)))
    assert stage.qualities == {0: "suspect"}
    assert out.memory is not None
    assert out.memory.values == stage.good(-1, 20).values


@in_jumping_time
async def test_a_round_without_a_reading_keeps_what_was() -> None:
    stage = MemoryStage()
    stage.devices.otherwise = Answer(5, DeviceTimeoutError("nothing"))
    before = stage.good(-1, 20)
    out, _ = await stage.carry(stage.request(2, memory=before))
    assert out.memory == before
    assert stage.gaps == [(0, 0, "timeout"), (1, 1, "timeout")]


@in_jumping_time
async def test_a_device_with_another_serial_number_costs_its_slots_as_misconfigured_and_is_not_remembered() -> None:
    stage = MemoryStage()
    stage.devices.script.extend([says(20), says(21, sn="B"), says(21)])
    out = await stage.attempt(stage.request(3))
    assert stage.gaps == [(1, 1, "misconfigured")]
    (gap,) = stage.chamber.gaps
    assert gap.gap.detail.startswith(
        "identity: the device says 'B', this chamber's is 'A'; another device has its address"
    )
    assert stage.qualities == {0: "good", 2: "good"}
    assert out.memory == stage.good(2, 21)


@in_jumping_time
async def test_a_retry_goes_on_from_the_memory_of_its_heartbeat() -> None:
    stage = MemoryStage()
    stage.devices.script.extend([says(20), Answer(5, DeviceTimeoutError("nothing")), says(70)])
    out, shown = await stage.carry(stage.request(2))
    assert [error.progress.memory for error in shown] == [stage.good(0, 20)]
    assert stage.qualities == {0: "good", 1: "suspect"}
    assert out.memory is not None
    assert out.memory.values == stage.good(0, 20).values


@in_jumping_time
async def test_after_a_killed_worker_a_reading_is_judged_by_an_older_memory() -> None:
    """Its last heartbeat was before slot 1: so 24 is held against 20, not against 22; and in 20 s, 4 are plausible."""
    stage = MemoryStage()
    stage.devices.script.extend([says(20), says(22)])
    control = stage.control()
    await stage.attempt(stage.request(2), control=control)
    heard = control.beats[0]
    assert (heard.next_index, heard.memory) == (1, stage.good(0, 20))
    stage.devices.script.extend([says(24), says(27)])
    out = await stage.attempt(stage.request(4), heard, stage.control(2))
    assert stage.qualities == {0: "good", 1: "good", 2: "good", 3: "suspect"}
    assert out.memory is not None
    assert out.memory.values == stage.good(2, 24).values


@in_jumping_time
async def test_an_older_workers_heartbeat_tells_no_memory_and_the_requests_stands() -> None:
    stage = MemoryStage()
    stage.devices.script.append(says(70))
    await stage.clock.until(stage.slot(1))
    request = stage.request(2, memory=stage.good(-1, 20))
    await stage.attempt(request, RoundProgress(next_index=1), stage.control(2))
    assert stage.qualities == {1: "suspect"}


@in_jumping_time
async def test_a_reading_that_somebody_else_stored_before_is_not_remembered() -> None:
    stage = MemoryStage()
    await stage.enrol()
    theirs = Reading(stage.slot(0), stage.slot(0), stage.slot(0) + 1, (), 1)
    await stage.store.kept.save(SaveBatch(stage.spec.id, [theirs], None))
    stage.devices.script.append(says(21))
    before = stage.good(-1, 20)
    out = await stage.attempt(stage.request(1, memory=before))
    assert len(stage.devices.calls) == 1
    assert out.memory == before


@pytest.mark.parametrize("mood", [Mood.REFUSE, Mood.HANG])
def test_a_reading_that_the_store_refuses_is_its_slots_outcome_all_the_same(mood: Mood) -> None:
    @in_jumping_time
    async def play() -> None:
        stage = MemoryStage()
        stage.devices.script.append(says(21))
        stage.store.moods.append(mood)
        out = await stage.attempt(stage.request(1))
        assert [type(unpack(row)) for row in out.unsaved] == [Reading]
        assert out.memory == stage.good(0, 21)

    play()


@in_jumping_time
async def test_off_the_grid_a_reading_is_judged_and_nothing_is_remembered() -> None:
    stage = MemoryStage()
    await stage.enrol()
    collect = CollectAdhoc(stage.fetch, stage.store, stage.clock)
    memory = stage.good(-1, 20)
    stage.devices.script.extend([says(70), says(20, sn="B")])
    jumped = unpack((await collect(AdhocRequest(stage.spec, "u1", memory))).outcome)
    assert isinstance(jumped, Reading)
    assert jumped.measurements[0].quality is Quality.SUSPECT
    other = unpack((await collect(AdhocRequest(stage.spec, "u2", memory))).outcome)
    assert isinstance(other, Gap)
    assert (other.reason, other.detail[:9]) == (GapReason.MISCONFIGURED, "identity:")


@in_jumping_time
async def test_the_devices_own_time_is_stored_with_the_reading() -> None:
    """Naive, in the chamber's zone: noon in UTC is one o'clock there."""
    stage = MemoryStage(timezone="Europe/Prague")
    stage.devices.script.extend([says(20, d="2026-03-01 13:00:00"), says(20, d="1970-01-01 00:00:03"), says(20)])
    await stage.attempt(stage.request(3))
    kept = [one.reading.observed_ms for _, one in sorted(stage.chamber.readings.items())]
    assert kept == [NOON_MS, None, None]

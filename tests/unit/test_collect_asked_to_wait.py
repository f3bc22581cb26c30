"""A device that asks to be left alone is: within a slot no further attempt comes before that, or none at all."""

import copy

import pytest

from collector.domain.errors import DeviceStatusError
from collector.domain.health import Health
from collector.messages import RoundProgress
from tests.unit.jumping_time import NOON_MS, in_jumping_time
from tests.unit.round_doubles import Answer
from tests.unit.round_stage import RoundStage, chamber

WELL = Health(last_reading_ms=NOON_MS - 1)


def busy(wait_s: float) -> Answer:
    return Answer(10, DeviceStatusError("http_429", wait_ms=round(wait_s * 1000)))


@in_jumping_time
async def test_inside_a_round_the_next_attempt_comes_when_the_device_wants_it() -> None:
    stage = RoundStage(chamber(10))
    stage.devices.script.extend([busy(4), Answer(10, DeviceStatusError("http_503"))])
    await stage.attempt(stage.request(2, health=WELL), RoundProgress(health=WELL, raised=True))
    assert stage.devices.times == [0, 4_010, 6_020, 10_000], "then 2 s, as after any second failure"
    assert stage.gaps == []


@pytest.mark.parametrize("count", [1, 2])
@in_jumping_time
async def test_what_temporal_runs_again_comes_when_the_device_wants_it(count: int) -> None:
    stage = RoundStage(chamber(30))
    stage.devices.script.append(busy(12))
    _, [shown] = await stage.carry(stage.request(count, health=WELL))
    assert shown.delay_ms == 12_000
    assert stage.devices.times[:2] == [0, 12_010]
    assert stage.gaps == []


@pytest.mark.parametrize(("count", "interval_s"), [(1, 60), (3, 10), (3, 2)])
@in_jumping_time
async def test_a_wait_beyond_the_slots_deadline_is_no_further_attempt(count: int, interval_s: float) -> None:
    stage = RoundStage(chamber(interval_s))
    stage.devices.script.append(busy(interval_s))
    await stage.carry(stage.request(count, health=WELL))
    assert stage.devices.times == [round(index * interval_s * 1000) for index in range(count)]
    assert stage.gaps == [(0, 0, "http_status")]


def test_the_wait_survives_a_copy() -> None:
    error = copy.copy(DeviceStatusError("http_429", wait_ms=9_000))
    assert (error.wait_ms, error.detail) == (9_000, "http_429")

"""What an attempt learns from the heartbeat of the one before, whatever version wrote it."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.converter import DataConverter

from activities.round_control import decode_progress, earlier_progress
from collector.domain.health import Health
from collector.domain.memory import Memory
from collector.domain.outcome import Gap, GapReason
from collector.messages import RoundProgress
from collector.packing import pack
from tests.activities.activity_stage import ActivityStage
from tests.unit.jumping_time import NOON_MS, in_jumping_time

FULL = RoundProgress(
    next_index=7,
    unsaved=[pack(Gap(NOON_MS, NOON_MS, GapReason.TIMEOUT, "no answer"))],
    health=Health(2, NOON_MS - 1, "timeout: no answer", NOON_MS),
    failure=["timeout", "no answer"],
    raised=True,
    memory=Memory(3, "A-17", NOON_MS, NOON_MS - 1, {"t": [21.5, NOON_MS, None, None]}, NOON_MS),
)


async def through_temporal(progress: RoundProgress) -> Any:
    """Heartbeat details as the next attempt gets them: without type hints."""
    payloads = await DataConverter.default.encode([progress])
    return (await DataConverter.default.decode(payloads))[0]


@in_jumping_time
async def test_progress_survives_its_way_through_temporal() -> None:
    row = await through_temporal(FULL)
    assert isinstance(row, dict)
    assert decode_progress(row) == FULL


@given(
    st.builds(
        RoundProgress,
        next_index=st.integers(0, 3_600),
        health=st.builds(
            Health, st.integers(0, 99), st.none() | st.integers(0, 2**45), st.text(), st.none() | st.integers(0, 2**45)
        ),
        failure=st.none() | st.lists(st.text(), min_size=2, max_size=2),
        raised=st.booleans(),
        memory=st.none()
        | st.builds(
            Memory,
            spec_version=st.integers(0, 99),
            serial_number=st.text(max_size=9),
            device_ms=st.none() | st.integers(0, 2**45),
            values=st.dictionaries(st.text(max_size=9), st.lists(st.none() | st.floats(allow_nan=False), max_size=4)),
        ),
    )
)
def test_any_progress_survives_json(progress: RoundProgress) -> None:
    assert decode_progress(json.loads(json.dumps(asdict(progress)))) == progress


@pytest.mark.parametrize(
    ("row", "progress"),
    [
        ({}, RoundProgress()),
        ({"next_index": 3}, RoundProgress(next_index=3)),
        ({"next_index": 3, "unsaved": [], "failure": None}, RoundProgress(next_index=3)),
        ({"next_index": 3, "health": {"failures": 2}}, RoundProgress(next_index=3, health=Health(2))),
        ({"next_index": 3, "health": None}, RoundProgress(next_index=3)),
        ({"next_index": 3, "memory": {"serial_number": "A"}}, RoundProgress(next_index=3, memory=Memory(0, "A"))),
        ({"next_index": 3, "memory": None}, RoundProgress(next_index=3)),
    ],
    ids=["empty", "first version", "before health", "partial health", "no health", "partial memory", "no memory"],
)
def test_an_older_worker_told_less(row: dict[str, Any], progress: RoundProgress) -> None:
    assert decode_progress(row) == progress


def test_a_newer_worker_told_more() -> None:
    row = {**asdict(FULL), "colour": "blue", "health": {**asdict(FULL.health), "mood": 7}}
    row["memory"] = {**row["memory"], "dreams": []}
    assert decode_progress(row) == FULL


@pytest.mark.parametrize("details", [[], [None], ["alive"], [[1, 2]]])
def test_details_that_are_no_progress_are_none(details: list[Any]) -> None:
    @in_jumping_time
    async def play() -> None:
        attempt = ActivityStage().begin(details=details)
        assert attempt.env.run(earlier_progress) is None

    play()

"""What becomes of a chamber's memory when its spec, its version or its row changes."""

from dataclasses import replace
from typing import Any

import pytest

from collector import transitions
from collector.domain.chamber import ChamberSpec
from collector.domain.memory import Memory
from collector.messages import ChamberState, PauseRequest, ResumeRequest
from tests.unit.round_stage import chamber

NOW_MS = 1_772_366_400_000
HELD = Memory(1, "A-17", values={"t": [21.5, NOW_MS, None, None]}, at_ms=NOW_MS)


def state(**changes: Any) -> ChamberState:
    spec = chamber(60)
    return replace(ChamberState(spec, spec.grid.after(NOW_MS), memory=HELD), **changes)


def test_pauses_and_resumes_keep_it_under_their_version() -> None:
    held = state()
    transitions.pause(held, PauseRequest("door", version=2), NOW_MS)
    assert held.memory == replace(HELD, spec_version=2)
    transitions.resume(held, ResumeRequest(version=3), NOW_MS)
    assert held.memory == replace(HELD, spec_version=3)


def test_a_signals_interval_keeps_it_and_so_does_its_confirmation() -> None:
    held = state()
    transitions.set_interval(held, 30_000, NOW_MS)
    assert held.memory == HELD
    transitions.confirm(held, [1], [])
    assert (held.spec.version, held.memory) == (2, replace(HELD, spec_version=2))


@pytest.mark.parametrize(
    "change", [{"url": "http://192.168.1.21"}, {"profile": "awair"}, {"serial_number": "B-18"}], ids=str
)
def test_another_device_begins_anew(change: dict[str, Any]) -> None:
    held = state()
    transitions.configure(held, replace(held.spec, **change, version=2), NOW_MS)
    assert (held.spec.version, held.memory) == (2, None)


@pytest.mark.parametrize(
    "change", [{"profile_version": "0123456789ab"}, {"interval_ms": 30_000}, {"name": "x"}], ids=str
)
def test_of_the_same_device_its_serial_number_outlasts_another_spec(change: dict[str, Any]) -> None:
    held = state()
    transitions.configure(held, replace(held.spec, **change, version=2), NOW_MS)
    assert (held.spec.version, held.memory) == (2, Memory(2, "A-17"))
    held.memory = replace(HELD, serial_number="", spec_version=2)
    transitions.configure(held, replace(held.spec, timeout_ms=5_000, version=3), NOW_MS)
    assert held.memory is None


@pytest.mark.parametrize("version", [1, 2])
def test_the_same_spec_again_keeps_it(version: int) -> None:
    held = state()
    transitions.configure(held, replace(held.spec, version=version), NOW_MS)
    assert held.memory == replace(HELD, spec_version=version)


def test_an_older_spec_changes_nothing() -> None:
    held = state(spec=replace(chamber(60), version=5))
    transitions.configure(held, replace(chamber(60), url="http://192.168.1.9", version=4), NOW_MS)
    assert held.memory == HELD


@pytest.mark.parametrize(
    ("row", "kept"),
    [(chamber(60, version=9), replace(HELD, spec_version=9)), (chamber(60, url="http://10.0.0.1"), None)],
)
def test_a_row_that_is_older_than_the_chamber_takes_it_over_if_it_says_the_same(
    row: ChamberSpec, kept: Memory | None
) -> None:
    fresh = ChamberState(row, NOW_MS)
    transitions.begin_again(state(), fresh)
    assert fresh.memory == kept
